# SPDX-License-Identifier: GPL-3.0-or-later
"""precision.py: measures products and training steps alternately in float32 and in bf16.

    python3 bench/precision.py SIDE [--only REGEX] [--turns N]

SIDE is the built bench/side; BARLOW_KERNELS selects the kernels.  Prints a Markdown table.
"""
import argparse
import re

from compare import Side

# (transpositions, m, n, k): a large product; then forward, data gradient and weight gradient of two projector layers.
PRODUCTS = [("nn", 2048, 2048, 2048), ("nt", 256, 8192, 8192), ("nn", 256, 8192, 8192), ("tn", 8192, 8192, 256),
            ("nt", 256, 2048, 2048), ("nn", 256, 2048, 2048), ("tn", 2048, 2048, 256)]
STEPS = ["step-mlp", "step-resnet", "step-cnn-256"]


def measure(command, workload, turns):
    sides = [Side([command], workload + ending) for ending in ("", "-bf16")]
    for turn in range(turns + 2):
        for s in sides:
            s.turn(keep=turn >= 2)
    for s in sides:
        s.close()
    return sides


def cell(side, flops):
    speed = f", {flops / side.median() / 1e6:.0f} GFLOP/s" if flops else ""
    return f"{side.median():.2f} ({min(side.times):.2f}..{max(side.times):.2f}){speed}"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("side")
    p.add_argument("--only", default="")
    p.add_argument("--turns", type=int, default=5)
    a = p.parse_args()
    rows = [(f"product-{t}-{m}-{n}-{k}", 2 * m * n * k) for t, m, n, k in PRODUCTS] + [(s, None) for s in STEPS]
    print("| workload | float32 ms | bf16 ms | float32 / bf16 |\n| --- | --- | --- | --- |")
    for name, flops in rows:
        if re.search(a.only, name):
            exact, rounded = measure(a.side, name, a.turns)
            print(f"| {name} | {cell(exact, flops)} | {cell(rounded, flops)} | {exact.median() / rounded.median():.2f} |", flush=True)


if __name__ == "__main__":
    main()
