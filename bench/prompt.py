#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how long the prompt takes to start, to echo a key, and to complete a word: python3 bench/prompt.py ./barlow

During the last two measurements, a run trains in the background on all cores, and one busy process per core runs.
"""
import multiprocessing
import os
import pty
import select
import statistics
import sys
import tempfile
import time

RUN = ("t = trainer{data = data.shapes{n = 4096, size = 28, channels = 1}, encoder = nn.cnn{channels = 1, image = 28}, "
       "projector = {256, 256}, batch = 256, epochs = 1000, folder = false} t:start() half = 1")


def busy():
    while True:
        pass


class Prompt:
    def __init__(self, barlow, home):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="screen", XDG_STATE_HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home)
            os.execv(barlow, [barlow])

    def until(self, text, seconds=30):
        """Reads output until it contains the text; returns the seconds until then.  Exits if the text does not come."""
        begin, seen = time.perf_counter(), b""
        while text not in seen:
            left = begin + seconds - time.perf_counter()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise SystemExit(f"{text!r} did not come; there was {seen[-200:]!r}")
            seen += os.read(self.fd, 65536)
        return time.perf_counter() - begin

    def drain(self):
        while select.select([self.fd], [], [], 0)[0]:
            os.read(self.fd, 65536)

    def keys(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def starts(barlow, home, n):
    out = []
    for _ in range(n):
        p = Prompt(barlow, home)
        out.append(p.until(b"barlow> "))
        p.end()
    return out


def row(name, seconds):
    ms = sorted(1000 * s for s in seconds)
    p99 = ms[min(len(ms) - 1, int(.99 * len(ms)))]
    print(f"| {name} | {len(ms)} | {statistics.median(ms):.1f} | {p99:.1f} | {ms[-1]:.1f} |")


def main():
    barlow = os.path.abspath(sys.argv[1])
    print("| | times | median ms | 99% ms | longest ms |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as home:
        row("cold start to the prompt", starts(barlow, home, 40))
        others = [multiprocessing.Process(target=busy, daemon=True) for _ in range(os.cpu_count())]
        for o in others:
            o.start()
        p = Prompt(barlow, home)
        p.until(b"barlow> ")
        p.keys(RUN + "\r")
        p.until(b"barlow [")
        time.sleep(2)
        echo, complete = [], []
        for i in range(300):
            key = "JQVXYZKHGU"[i % 10]  # a letter that the prompt does not contain
            time.sleep(.03)
            p.drain()
            p.keys(key)
            echo.append(p.until(key.encode()))
            if i % 10 == 9:
                p.keys("\x15")
        for _ in range(50):
            p.keys("\x15tensor.zer")
            time.sleep(.05)
            p.drain()
            p.keys("\t")
            complete.append(p.until(b"os"))
        p.end()
        row("echo of a key", echo)
        row("completion of a word", complete)


main()
