# SPDX-License-Identifier: GPL-3.0-or-later
"""torch_side.py: runs the benchmark's workloads with PyTorch; workloads and protocol are those of side.c.

The code uses PyTorch's usual options for speed on a CPU: oneDNN, channels-last where it is faster, gradients set to
None, all cores, and inputs made outside the timed part.
"""
import os
import sys
import time

import torch
from torch import nn

torch.set_num_threads(len(os.sched_getaffinity(0)))
torch.manual_seed(0)


def off_diagonal(c):
    """Returns all elements off the diagonal, with the method of the authors' code."""
    n, m = c.shape
    return c.flatten()[:-1].view(n - 1, n + 1)[:, 1:].flatten()


class Loss(nn.Module):
    def __init__(self, d, lambd=0.0051):
        super().__init__()
        self.bn = nn.BatchNorm1d(d, affine=False)
        self.lambd = lambd

    def forward(self, z1, z2):
        c = self.bn(z1).T @ self.bn(z2)
        c.div_(z1.shape[0])
        on = torch.diagonal(c).add_(-1).pow_(2).sum()
        off = off_diagonal(c).pow_(2).sum()
        return on + self.lambd * off


def projector(i, width):
    return nn.Sequential(
        nn.Linear(i, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True),
        nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True),
        nn.Linear(width, width, bias=False))


def cnn():
    layers, last = [], 1
    for width, stride in zip((32, 64, 128, 256), (1, 2, 2, 2)):
        layers += [nn.Conv2d(last, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        last = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True),
            nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))
        self.short = nn.Sequential()
        if stride != 1 or i != o:
            self.short = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.branch(x) + self.short(x))


def resnet18():
    layers, last = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)], 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(last, width, stride), Block(width, width, 1)]
        last = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 1024, bias=False), nn.BatchNorm1d(1024), nn.ReLU(inplace=True),
                         nn.Linear(1024, 1024, bias=False), nn.BatchNorm1d(1024), nn.ReLU(inplace=True))


def step(encoder, head, shape, d):
    net = nn.Sequential(encoder, head)
    a, b = torch.randn(shape), torch.randn(shape)
    if os.environ.get("CHANNELS_LAST", "1") == "1":
        net = net.to(memory_format=torch.channels_last)
        a, b = (v.contiguous(memory_format=torch.channels_last) for v in (a, b))
    loss = Loss(d)
    optim = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def run():
        optim.zero_grad(set_to_none=True)
        loss(net(a), net(b)).backward()
        optim.step()
    return run


def losses(n, d):
    loss = Loss(d)
    a, b = torch.randn(n, d, requires_grad=True), torch.randn(n, d, requires_grad=True)

    def run():
        a.grad = b.grad = None
        loss(a, b).backward()
    return run


def paper(size, prime):
    """Returns the paper's pipeline T, or T' if prime, for PIL images, as in the authors' code."""
    from PIL import ImageFilter, ImageOps
    from torchvision import transforms as T
    import random
    torch.set_num_threads(1)

    class Blur:
        def __init__(self, p):
            self.p = p

        def __call__(self, image):
            if random.random() < self.p:
                return image.filter(ImageFilter.GaussianBlur(random.random() * 1.9 + 0.1))
            return image

    class Solarize:
        def __init__(self, p):
            self.p = p

        def __call__(self, image):
            return ImageOps.solarize(image) if random.random() < self.p else image

    return T.Compose([
        T.RandomResizedCrop(size, interpolation=T.InterpolationMode.BICUBIC), T.RandomHorizontalFlip(p=0.5),
        T.RandomApply([T.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8), T.RandomGrayscale(p=0.2),
        Blur(0.1 if prime else 1.0), Solarize(0.2 if prime else 0.0), T.ToTensor(),
        T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def views(side, size, prime):
    import numpy
    from PIL import Image
    pipe = paper(size, prime)
    i = numpy.arange(side * side * 3, dtype=numpy.uint64) * 2654435761 % 2**32 >> 24
    image = Image.fromarray(i.astype(numpy.uint8).reshape(side, side, 3))

    def run():
        for _ in range(100):
            pipe(image)
    return run


def make(name):
    kind, *rest = name.split("-")
    if kind == "loss":
        return losses(*map(int, rest))
    if kind == "views":
        return views(*map(int, rest))
    if name.startswith("step-cnn-"):
        return step(cnn(), projector(256, 512), (int(rest[1]), 1, 28, 28), 512)
    if name == "step-resnet":
        return step(resnet18(), projector(512, 2048), (64, 3, 32, 32), 2048)
    if name == "step-mlp":
        return step(mlp(), projector(1024, 8192), (256, 1, 28, 28), 8192)
    if name == "gemm":
        a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
        return lambda: a @ b
    raise SystemExit(f"unknown workload {name}")


def turn(run):
    """Returns the mean milliseconds of consecutive runs (for at least 0.1 s), after one run that is not measured."""
    run()
    runs, ms, start = 0, 0, time.perf_counter()
    while ms < 100:
        run()
        runs, ms = runs + 1, 1000 * (time.perf_counter() - start)
    return ms / runs


def serve(workload):
    """For each line of stdin, runs the workload for at least 0.1 s and prints the milliseconds of a run."""
    run = make(workload)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(f"{turn(run):.4f}", flush=True)
    with open("/proc/self/status") as f:
        print("peak", 1024 * next(int(line.split()[1]) for line in f if line.startswith("VmHWM")))


if __name__ == "__main__":
    serve(sys.argv[1])
