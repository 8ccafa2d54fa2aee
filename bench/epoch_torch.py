# SPDX-License-Identifier: GPL-3.0-or-later
"""epoch_torch.py: the same epoch as epoch.lua in PyTorch: torchvision on PIL images, DataLoader workers, AdamW."""
import gzip
import os
import time

import numpy
import torch
from PIL import Image
from torch import nn
from torchvision import transforms as T

from torch_side import Loss

FOLDER = "/usr/share/datasets/fashion-mnist/"
CORES = len(os.sched_getaffinity(0))


class Pairs(torch.utils.data.Dataset):
    """Two views of an image."""

    def __init__(self):
        with gzip.open(FOLDER + "train-images-idx3-ubyte.gz") as f:
            self.images = numpy.frombuffer(f.read(), numpy.uint8, offset=16).reshape(-1, 28, 28)
        self.pipe = T.Compose([
            T.RandomResizedCrop(28, scale=(0.4, 1), interpolation=T.InterpolationMode.BICUBIC),
            T.RandomHorizontalFlip(0.5), T.ColorJitter(0.4, 0.4), T.ToTensor(), T.Normalize([0.286], [0.353])])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = Image.fromarray(self.images[i])
        return self.pipe(image), self.pipe(image)


def network():
    layers, last = [], 1
    for width, stride in zip((16, 32, 64, 128), (1, 2, 2, 2)):
        layers += [nn.Conv2d(last, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        last = width
    head = [nn.Linear(2048, 512, bias=False), nn.BatchNorm1d(512), nn.ReLU(inplace=True), nn.Linear(512, 512, bias=False)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


def main():
    torch.set_num_threads(CORES)
    net, loss = network().to(memory_format=torch.channels_last), Loss(512, 0.005)
    optim = torch.optim.AdamW(net.parameters(), lr=1e-3)
    loader = torch.utils.data.DataLoader(Pairs(), 256, shuffle=True, drop_last=True, num_workers=CORES)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optim, len(loader))
    start = time.perf_counter()
    for a, b in loader:
        optim.zero_grad(set_to_none=True)
        loss(net(a), net(b)).backward()
        optim.step()
        schedule.step()
    print(f"{time.perf_counter() - start:.2f}")


if __name__ == "__main__":
    main()
