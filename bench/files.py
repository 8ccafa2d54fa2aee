# SPDX-License-Identifier: GPL-3.0-or-later
"""files.py: measures views per second from JPEG files on one core with barlow and with torchvision + PIL, in turns.

    python3 bench/files.py FILES [--turns N]

FILES is the built bench/files.  Times are CPU times.  Needs torch, torchvision, Pillow and NumPy.  The pictures are
synthetic: 1/f noise, shapes with edges, and grain, as JPEG of quality 90 (about 50 and 490 kB).  Prints a Markdown
table.
"""
import argparse
import glob
import os
import statistics
import subprocess
import tempfile
import time

import numpy
from PIL import Image, ImageDraw, ImageFilter

from torch_side import paper

SECONDS = 0.7
SIZES = [(500, 375, 16), (2000, 1500, 8)]


def photograph(width, height, seed):
    r = numpy.random.RandomState(seed)
    sum_ = numpy.zeros((height, width, 3), numpy.float32)
    for octave in range(2, 9):
        n = 2**octave
        noise = r.randn(max(2, n * height // width), n, 3).astype(numpy.float32)
        noise[..., 1:] = 0.7 * noise[..., :1] + 0.3 * noise[..., 1:]
        for c in range(3):
            plane = Image.fromarray(noise[..., c]).resize((width, height), Image.BICUBIC)
            sum_[..., c] += numpy.asarray(plane) / 1.35**octave
    sum_ = (sum_ - sum_.mean()) / sum_.std() * 45 + 120
    image = Image.fromarray(sum_.clip(0, 255).astype(numpy.uint8))
    pen = ImageDraw.Draw(image)
    for k in range(14):
        x, y, s = r.randint(width), r.randint(height), r.randint(height // 12, height // 4)
        colour = tuple(int(v) for v in r.randint(0, 255, 3))
        shape = pen.ellipse if k % 2 else pen.rectangle
        shape((x - s, y - s // 2, x + s, y + s // 2), fill=colour if k % 3 == 0 else None, outline=colour, width=max(1, s // 20))
    grain = numpy.asarray(image) + r.randn(height, width, 1) * 3
    return Image.fromarray(grain.clip(0, 255).astype(numpy.uint8)).filter(ImageFilter.GaussianBlur(0.6))


def ours(program, folder):
    out = subprocess.run([program, folder], capture_output=True, text=True, check=True).stdout
    return {name: float(rate) for name, rate in (line.split("\t") for line in out.splitlines())}


def rate(paths, pipes):
    for path in paths:
        Image.open(path).convert("RGB")
    done, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        image = Image.open(paths[done // len(pipes) % len(paths)]).convert("RGB")
        for pipe in pipes:
            pipe(image)
        done += len(pipes)
    return done / (time.process_time() - start)


def theirs(folder):
    paths, first, second = sorted(glob.glob(folder + "/*.jpg")), paper(224, False), paper(224, True)
    return {"PIL": rate(paths, [first]), "pair PIL": rate(paths, [first, second])}


def measure(program, folder, turns):
    rates = {}
    for _ in range(turns):
        for name, value in {**ours(program, folder), **theirs(folder)}.items():
            rates.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in rates.items()}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("files")
    p.add_argument("--turns", type=int, default=5)
    a = p.parse_args()
    print("| workload, one core, views/s | full | part | scaled | torchvision + PIL | ratio |\n|" + " --- |" * 6, flush=True)
    for width, height, n in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            for i in range(n):
                photograph(width, height, i).save(f"{folder}/{i}.jpg", quality=90)
            r = measure(a.files, folder, a.turns)
            print(f"| W5 file, {width} x {height} to 224, T | {r['full']:.0f} | {r['part']:.0f} | {r['scaled']:.0f} | {r['PIL']:.0f} "
                  f"| {r['scaled'] / r['PIL']:.1f} |")
            print(f"| W5 file, {width} x {height} to 224, T and T' of one decoding | {r['pair full']:.0f} | | {r['pair scaled']:.0f} "
                  f"| {r['pair PIL']:.0f} | {r['pair scaled'] / r['pair PIL']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
