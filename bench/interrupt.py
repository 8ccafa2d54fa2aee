#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the time from Ctrl-C to the next prompt: python3 bench/interrupt.py ./barlow [--times 5] [NAME ...]

Starts a new prompt on a pseudo-terminal for each call, types the call, waits until it computes, types Ctrl-C, and
measures the time until the prompt is back.
"""
import argparse
import os
import pty
import re
import select
import shutil
import statistics
import subprocess
import tempfile
import time

IMAGES = "d = data.shapes{n = 20000, size = 64} "
FEATURES = "x = tensor.randn(%d, %d) l = {} for i = 1, %d do l[i] = i %% 10 + 1 end "
TRAINER = ("t = trainer{data = data.shapes{n = 4096, size = 32}, encoder = nn.cnn{channels = 3, image = 32, widths = {32, 64, 128}}, "
           "projector = {512, 512}, batch = 256, epochs = 1000, knn = false, folder = false} ")
POINTS = "p = {} for i = 1, 2e6 do p[i] = {i, math.sin(i)} end "

# name: code that prepares the call, the call, seconds from the call to Ctrl-C
CALLS = {
    "loop in Lua": ("", "while true do end", .5),
    "eval.knn": (FEATURES % (60000, 512, 60000), "eval.knn{train = x, train_labels = l, test = x, test_labels = l}", 2),
    "eval.knn, whitened": (FEATURES % (40000, 1024, 40000),
                           "eval.knn{train = x, train_labels = l, test = x, test_labels = l, whiten = true}", 1),
    "eval.knn of images": (IMAGES, "eval.knn{encoder = nn.resnet{depth = 18}, train = d, test = d}", 2),
    "eval.linear": (FEATURES % (40000, 512, 40000), "eval.linear{train = x, train_labels = l, test = x, test_labels = l}", 3),
    "eval.features": (IMAGES, "eval.features(nn.resnet{depth = 18}, d)", 1),
    "eval.spectrum": ("x = tensor.randn(20000, 2048)", "eval.spectrum(x)", 1),
    "eval.rankme": ("x = tensor.randn(20000, 2048)", "eval.rankme(x)", 1),
    "t:run": (TRAINER, "t:run()", 3),
    "t:step": (TRAINER, "t:step(1000)", 3),
    "t:wait": (TRAINER + "t:start()", "t:wait()", 1),
    "t:tune": (TRAINER, "t:tune()", 2),
    "t:profile": (TRAINER, "t:profile()", 1),
    "t:eval": (TRAINER, "t:eval{}", 2),
    "t:save": (TRAINER, "for i = 1, 1e6 do t:save('x.safetensors') os.remove 'x.safetensors' end", 1),
    "forward of a large net": ("n = nn.resnet{depth = 50}; x = tensor.randn(64, 3, 224, 224)", "n(x)", 1),
    "backward": ("n = nn.resnet{depth = 18}; x = tensor.randn(64, 3, 96, 96); y = n(x):sum()", "y:backward()", .3),
    "matmul": ("x = tensor.randn(8000, 8000)", "x:mm(x)", .5),
    "svd": ("x = tensor.randn(2000, 2000)", "x:svd()", 1),
    "eigh": ("x = tensor.randn(3000, 3000); x = x:mm(x:t())", "x:eigh()", 1),
    "sort": ("x = tensor.randn(3e7)", "x:sort()", .5),
    "tensor.randn": ("", "tensor.randn(4e8)", .2),
    "print a tensor": ("x = tensor.randn(3e8)", "x", .2),
    "t:totable": ("x = tensor.randn(1e8)", "l = x:totable()", .3),
    "aug.stats": (IMAGES, "aug.stats(d, aug.paper(64), {n = 20000})", 1),
    "aug.preview": (IMAGES, "aug.preview(d, aug.paper(64), {n = 1000})", .2),
    "data.shapes": ("", "data.shapes{n = 1000000, size = 64}", .5),
    "dataset:statistics": ("d = data.folder('images')", "d:statistics()", .05),
    "data.folder": ("", "data.folder('images', {verify = true})", .2),
    "data.folder, skip_broken": ("", "data.folder('images', {skip_broken = true})", .2),
    "dataset:verify": ("d = data.folder('images')", "d:verify()", .2),
    "data.tar": ("", "data.tar('images.tar', {skip_broken = true})", .2),
    "data.csv": ("", "data.csv('table.csv')", .1),
    "plot.lines, shown": (POINTS, "plot.lines{{name = 'a', points = p}}", .3),
    "plot.lines, saved": (POINTS + "f = plot.lines{{name = 'a', points = p}}", "f:save 'x.png'", .5),
    "sweep": ("s = sweep{base = {data = data.shapes{n = 4096, size = 32}, encoder = nn.cnn{channels = 3, image = 32}, projector = {64}, "
              "batch = 256, epochs = 1000}, space = {lr = {.001, .002}}}", "s:run()", 4),
    "runs": ("", "runs()", .1),
    "runs.query": ("", "runs.query 'knn > .5'", .1),
    "runs.list": ("", "for i = 1, 1e6 do runs.list() end", .5),
    "t:at": (TRAINER.replace("folder = false", "folder = 'past'") + "t:step(200)", "t:at(150)", 2),
    "replay": (TRAINER.replace("folder = false", "folder = 'again'") + "t:step(200)", "t:replay()", 2),
    "table.sort of 3e6 numbers": ("l = {} for i = 1, 3e6 do l[i] = math.random() end", "table.sort(l)", .5),
    "string.rep of 2e9 bytes": ("", "s = ('x'):rep(2e9)", .3),
    "table.concat of 2e7 strings": ("l = {} for i = 1, 2e7 do l[i] = 'abcdefgh' end", "s = table.concat(l)", .1),
    "$ sleep": ("", "$ sleep 100", .5),
    "io.read": ("", "io.read()", .5),
}


class Prompt:
    def __init__(self, barlow, home):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", XDG_STATE_HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home, PAGER="cat")
            os.chdir(home)
            os.execv(barlow, [barlow])
        self.seen = b""

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        self.seen += os.read(self.fd, 65536)
        return True

    def prompted(self):
        return re.search(rb"(^|\n)barlow( \[[^\n]*\])?> $", self.seen) is not None

    def until_prompt(self, seconds):
        begin = time.perf_counter()
        while not self.prompted():
            left = begin + seconds - time.perf_counter()
            if left <= 0:
                return None
            self.read(left)
        return time.perf_counter() - begin

    def entry(self, text):
        self.seen = b""
        os.write(self.fd, text.encode() + b"\r")

    def end(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def measure(barlow, home, before, call, seconds):
    """Returns the seconds from Ctrl-C to the prompt, or a string with the problem; and the output after Ctrl-C."""
    p = Prompt(barlow, home)
    try:
        if p.until_prompt(30) is None:
            return "no prompt", p.seen
        if before:
            p.entry(before)
            p.read(1)
            if p.until_prompt(120) is None:
                return "preparation takes too long", p.seen
        p.entry(call)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            p.read(max(0, end - time.perf_counter()))
        if p.prompted():
            return "ended before", p.seen
        p.seen = b""
        os.write(p.fd, b"\x03")
        took = p.until_prompt(60)
        return (took if took is not None else "over 60 s"), p.seen
    finally:
        p.end()


def make_images(home):
    from PIL import Image
    import random
    random.seed(1)
    for c in "ab":
        os.makedirs(f"{home}/images/{c}")
        for i in range(60):
            noise = bytes(random.randrange(256) for _ in range(48 * 48 * 3))
            Image.frombytes("RGB", (48, 48), noise).resize((1600, 1200)).save(f"{home}/images/{c}/{i}.jpg")
    subprocess.run(["tar", "cf", f"{home}/images.tar", "-C", home, "images"], check=True)
    with open(f"{home}/table.csv", "w") as f:
        f.write("file,label\n")
        for i in range(1000000):
            f.write(f"images/a/{i % 60}.jpg,{i % 10}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("barlow")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--verbose", action="store_true")
    a = parser.parse_args()
    barlow = os.path.abspath(a.barlow)
    home = tempfile.mkdtemp()
    try:
        make_images(home)
        print("| call | median ms | longest ms |\n| --- | --- | --- |")
        for name in a.names or CALLS:
            got = [measure(barlow, home, *CALLS[name]) for _ in range(a.times)]
            fine = sorted(1000 * t for t, _ in got if not isinstance(t, str))
            wrong = {t for t, _ in got if isinstance(t, str)}
            text = f"{statistics.median(fine):.0f} | {fine[-1]:.0f}" if fine else "|"
            print(f"| {name} | {text}{' ' + ', '.join(wrong) if wrong else ''} |", flush=True)
            if a.verbose or wrong:
                print(got[-1][1][-600:], flush=True)
    finally:
        shutil.rmtree(home)


main()
