# SPDX-License-Identifier: GPL-3.0-or-later
"""before.py: measures the same work with two builds of barlow, in turns.

    python3 bench/before.py SIDE-BEFORE SIDE-AFTER [--only REGEX] [--turns N] [--cpu]

Each SIDE is a built bench/side.  Prints a Markdown table with the medians of the times, and with the median and
quartiles of the ratios within each turn, on which drift of the machine's speed has little effect.  Two turns before the
measurement warm up both sides.  --cpu measures CPU time, for a machine under load.  It works only for the rows of W5,
because other rows use several threads, and only for builds since 2026-11-30.
"""
import argparse
import os
import re
import statistics
import sys

from compare import ROWS, cell, measure


def quartiles(values):
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("before")
    p.add_argument("after")
    p.add_argument("--only", default="")
    p.add_argument("--turns", type=int, default=9)
    p.add_argument("--cpu", action="store_true")
    a = p.parse_args()
    if a.cpu:
        os.environ["BENCH_CPU"] = "1"
    print("| workload | before, ms | after, ms | after / before: median (quartiles) |\n| --- | --- | --- | --- |", flush=True)
    for name, workload, _, _ in [("sgemm 2048^3", "gemm", None, None)] + ROWS:
        if re.search(a.only, name):
            before, after = measure([[a.before], [a.after]], workload, a.turns)
            ratios = [y / x for x, y in zip(before.times, after.times)]
            print(f"| {name} | {cell(before.median())} | {cell(after.median())} | {quartiles(ratios)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
