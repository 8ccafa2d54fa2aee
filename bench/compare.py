# SPDX-License-Identifier: GPL-3.0-or-later
"""compare.py: measures the same work with barlow and with PyTorch, in turns.

    python3 bench/compare.py SIDE [--barlow BARLOW] [--torch PYTHON ...] [--only REGEX] [--turns N]

SIDE is the built bench/side, BARLOW the program; each PYTHON is an interpreter that can import torch.  Prints a
Markdown table.  This script needs only Python's standard library.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))

REST = 0.05  # seconds before each turn, in which spinning threads of the other side go to sleep

CONV = [(28, 1, 32), (14, 32, 64), (7, 64, 128), (4, 128, 256)]


def conv_flops(batch):
    """FLOP of a training step with two views: forward pass and both gradients, with direct convolutions."""
    convs = sum(2 * p * p * c * k * 9 for p, c, k in CONV)
    return 6 * batch * (convs + 2 * (256 * 512 + 2 * 512 * 512))


def resnet_flops(batch):
    body = 2 * 9 * (32 * 32 * (3 * 64 + 4 * 64 * 64) + sum(
        p * p * (c * k + 3 * k * k) for p, c, k in ((16, 64, 128), (8, 128, 256), (4, 256, 512))))
    short = 2 * sum(p * p * c * k for p, c, k in ((16, 64, 128), (8, 128, 256), (4, 256, 512)))
    return 6 * batch * (body + short + 2 * (512 * 2048 + 2 * 2048 * 2048))


def loss_flops(n, d):
    """FLOP of the reference implementation: C, and the product of its gradient with each view."""
    return 3 * 2 * n * d * d


# name, workload, FLOP or None (rows of views), goal: how many times as fast as PyTorch barlow should be
ROWS = [
    ("W1 loss N=256 D=1024", "loss-256-1024", loss_flops(256, 1024), 5),
    ("W1 loss N=256 D=2048", "loss-256-2048", loss_flops(256, 2048), 8),
    ("W1 loss N=256 D=8192", "loss-256-8192", loss_flops(256, 8192), 100),
    ("W1 loss N=1024 D=1024", "loss-1024-1024", loss_flops(1024, 1024), 1.5),
    ("W2 step, CNN, B=256", "step-cnn-256", conv_flops(256), 2),
    ("W3 step, ResNet-18, B=64", "step-resnet", resnet_flops(64), 2),
    ("W4 step, MLP, 8192x3, B=256", "step-mlp", 12 * 256 * (784 * 1024 + 1024 * 1024 + 1024 * 8192 + 2 * 8192 * 8192)
     + loss_flops(256, 8192), 1.3),
    ("W5 T, 32 to 32, one core", "views-32-32-0", None, 10),
    ("W5 T', 32 to 32, one core", "views-32-32-1", None, 10),
    ("W5 T, 96 to 96, one core", "views-96-96-0", None, 10),
    ("W5 T', 96 to 96, one core", "views-96-96-1", None, 10),
    ("W5 T, 500 to 224, one core", "views-500-224-0", None, 10),
    ("W5 T', 500 to 224, one core", "views-500-224-1", None, 10),
]


class Side:
    """For each line of input, this process runs its workload for at least 0.1 s and prints the ms per run."""

    def __init__(self, command, workload):
        self.times, self.peak = [], None
        self.process = subprocess.Popen(command + [workload], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"{' '.join(command)} {workload} did not start")

    def turn(self, keep):
        time.sleep(REST)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        ms = float(self.process.stdout.readline())
        if keep:
            self.times.append(ms)

    def close(self):
        self.process.stdin.close()
        for line in self.process.stdout:
            if line.startswith("peak"):
                self.peak = int(line.split()[1])
        self.process.wait()

    def median(self):
        return statistics.median(self.times)


def measure(commands, workload, turns):
    sides = [Side(c, workload) for c in commands]
    for turn in range(turns + 2):
        for s in sides:
            s.turn(keep=turn >= 2)
    for s in sides:
        s.close()
    return sides


def version(python):
    code = "import torch; print(torch.__version__)"
    out = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return out.stdout.strip() if out.returncode == 0 else None


def cell(ms):
    return f"{ms:.1f}" if ms < 1000 else f"{ms:.0f}"


def row(name, sides, flops, goal, ceiling):
    ours, theirs = sides[0], sides[1:]
    best = min((s.median() for s in theirs), default=None)
    ratio = f"{best / ours.median():.2f}" if best else ""
    speed = flops / ours.median() / 1e6 if flops else None
    share = f"{speed:.0f} ({100 * speed / ceiling:.0f}%)" if flops else f"{1e5 / ours.median():.0f} views/s"
    spread = f"{min(ours.times):.1f}..{max(ours.times):.1f}"
    peaks = " / ".join(f"{s.peak / 1e6:.0f}" for s in sides)
    return [name, cell(ours.median()), spread] + [cell(s.median()) for s in theirs] + [ratio, str(goal), share, peaks]


def wall(command):
    """Returns the milliseconds from start to end of a process, or None if it fails."""
    start = time.perf_counter()
    out = subprocess.run(command, capture_output=True, text=True)
    return 1000 * (time.perf_counter() - start) if out.returncode == 0 else None


def printed(command):
    """Returns the time that the process prints in seconds, in milliseconds, or None if it fails."""
    out = subprocess.run(command, capture_output=True, text=True)
    return 1000 * float(out.stdout) if out.returncode == 0 else None


def whole_row(name, goal, how, ours, theirs, turns):
    """Measures whole processes in turns; returns a row of the table."""
    times = [[] for _ in range(1 + len(theirs))]
    for _ in range(turns):
        for t, command in zip(times, [ours] + theirs):
            t.append(how(command))
    medians = [statistics.median(t) if None not in t else None for t in times]
    best = min((m for m in medians[1:] if m), default=None)
    spread = f"{min(times[0]):.1f}..{max(times[0]):.1f}"
    ratio = f"{best / medians[0]:.2f}" if best else ""
    return [name, cell(medians[0]), spread] + [cell(m) if m else "" for m in medians[1:]] + [ratio, str(goal), "", ""]


def whole_rows(barlow, pythons):
    epoch = [[p, os.path.join(HERE, "epoch_torch.py")] for p in pythons]
    yield "W6 epoch of the main job", 3, printed, [barlow, os.path.join(HERE, "epoch.lua")], epoch, 2
    yield "W7 start to first result", 50, wall, [barlow, "-e", "print(1)"], [[p, "-c", "import torch"] for p in pythons], 7


def main():
    p = argparse.ArgumentParser()
    p.add_argument("side")
    p.add_argument("--barlow")
    p.add_argument("--torch", action="append", default=[])
    p.add_argument("--only", default="")
    p.add_argument("--turns", type=int, default=7)
    a = p.parse_args()
    torches = [(python, version(python)) for python in a.torch]
    torches = [(python, v) for python, v in torches if v]
    commands = [[a.side]] + [[python, os.path.join(HERE, "torch_side.py")] for python, _ in torches]
    ceiling = 2 * 2048**3 / measure(commands[:1], "gemm", a.turns)[0].median() / 1e6
    print(f"sgemm 2048^3 on {len(os.sched_getaffinity(0))} cores: {ceiling:.0f} GFLOP/s\n")
    head = ["workload", "barlow ms", "range"] + [f"torch {v} ms" for _, v in torches]
    head += ["ratio to the faster", "goal", "GFLOP/s (of sgemm)", "peak MB"]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head), flush=True)
    for name, workload, flops, goal in ROWS:
        if re.search(a.only, name):
            print("| " + " | ".join(row(name, measure(commands, workload, a.turns), flops, goal, ceiling)) + " |", flush=True)
    for name, *rest in whole_rows(a.barlow, [python for python, _ in torches]) if a.barlow else ():
        if re.search(a.only, name):
            print("| " + " | ".join(whole_row(name, *rest)) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
