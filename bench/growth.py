# SPDX-License-Identifier: GPL-3.0-or-later
"""growth.py: plots how the time grows with the size of the work.

    python3 bench/growth.py SIDE FOLDER [--torch PYTHON ...] [--turns N]

Measures the loss (N = 256, D from 256 to 16384) and the CNN's training step (B from 64 to 1024) with barlow and PyTorch
in turns, like compare.py.  Writes FOLDER/growth-loss.svg and FOLDER/growth-step.svg with gnuplot, and prints the times
and the slopes of the lines.  A line with slope p means that the time grows like the p-th power of the size.
"""
import argparse
import math
import os
import subprocess
import sys

from compare import HERE, measure, version

# file, axis, title, workloads by size
FIGURES = [
    ("growth-loss", "D", "Loss, forward and backward, N = 256",
     {d: f"loss-256-{d}" for d in (256, 512, 1024, 2048, 4096, 8192, 16384)}),
    ("growth-step", "B", "Training step, CNN, 28 x 28 x 1",
     {b: f"step-cnn-{b}" for b in (64, 128, 256, 512, 1024)}),
]


def slope(points):
    """Returns the slope of the least-squares line through (log size, log time)."""
    xs, ys = zip(*((math.log(size), math.log(ms)) for size, ms in points))
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)


def draw(path, axis, title, lines):
    """lines: maps names to lists of points (size, ms)."""
    plots = ", ".join(f"'-' with linespoints lw 2 pt 7 ps 0.6 title '{name}, slope {slope(points):.2f}'"
                      for name, points in lines.items())
    script = [
        "set terminal svg size 720,440 font 'sans,13' background 'white'", f"set output '{path}'", f"set title '{title}'",
        f"set xlabel '{axis}'", "set ylabel 'ms'", "set logscale xy 2", "set logscale y 10", "set grid", "set key top left",
        "set xtics (" + ", ".join(str(size) for size, _ in next(iter(lines.values()))) + ")", f"plot {plots}"]
    for points in lines.values():
        script += [f"{size} {ms}" for size, ms in points] + ["e"]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def figure(a, commands, names, name, axis, title, work):
    lines = {n: [] for n in names}
    print(f"| {axis} | " + " | ".join(f"{n} ms" for n in names) + " |\n|" + " --- |" * (1 + len(names)), flush=True)
    for size, workload in work.items():
        medians = [s.median() for s in measure(commands, workload, a.turns)]
        for n, ms in zip(names, medians):
            lines[n].append((size, ms))
        print(f"| {size} | " + " | ".join(f"{ms:.2f}" for ms in medians) + " |", flush=True)
    print("| slope | " + " | ".join(f"{slope(p):.2f}" for p in lines.values()) + " |\n", flush=True)
    draw(os.path.join(a.folder, name + ".svg"), axis, title, lines)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("side")
    p.add_argument("folder")
    p.add_argument("--torch", action="append", default=[])
    p.add_argument("--turns", type=int, default=5)
    a = p.parse_args()
    torches = [(python, version(python)) for python in a.torch]
    torches = [(python, v) for python, v in torches if v]
    commands = [[a.side]] + [[python, os.path.join(HERE, "torch_side.py")] for python, _ in torches]
    names = ["barlow"] + [f"PyTorch {v.split('+')[0]}" for _, v in torches]
    for f in FIGURES:
        figure(a, commands, names, *f)


if __name__ == "__main__":
    sys.exit(main())
