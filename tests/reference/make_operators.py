#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/reference/operators/*.npy: results of torchvision's tensor backend for tests/reference/augment/input.npy.

Debian: python3-torch python3-torchvision python3-numpy.  Made with torchvision 0.14.  Operations on uint8
tensors give bytes (H,W,C); operations that interpolate give float32 (H,W) of the first channel, in 0..1.
"""
import math
import os

import numpy as np
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import autoaugment
from torchvision.transforms import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "operators")


def save(name, t):
    t = t.permute(1, 2, 0)
    array = t.numpy() if t.dtype == torch.uint8 else t.numpy().astype(np.float32)
    np.save(os.path.join(FOLDER, name + ".npy"), np.ascontiguousarray(array[:, :, 0] if t.shape[2] == 1 else array))


def main():
    torch.set_num_threads(1)
    os.makedirs(FOLDER, exist_ok=True)
    image = torch.from_numpy(np.load(os.path.join(HERE, "augment", "input.npy"))).permute(2, 0, 1).contiguous()
    grey = image[:1].float() / 255
    height, width = grey.shape[1:]
    save("vflip", F.vflip(image))
    save("pad_crop", F.crop(F.pad(image, [4, 4, 4, 4]), 1, 6, height, width))
    save("pad_reflect", F.crop(F.pad(image, [4, 4, 4, 4], padding_mode="reflect"), 7, 0, height, width))
    save("invert", F.invert(image))
    save("posterize", F.posterize(image, 3))
    save("autocontrast", F.autocontrast(image // 2 + 20))
    save("equalize", F.equalize(image))
    save("sharpness_2", F.adjust_sharpness(image, 2.0))
    save("sharpness_0.3", F.adjust_sharpness(image, 0.3))
    bilinear = InterpolationMode.BILINEAR
    save("rotate", F.rotate(grey, -25.0, bilinear))  # F.rotate turns counter-clockwise, F.affine clockwise
    save("affine", F.affine(grey, 13.0, [3, -2], 0.9, [0.0, 0.0], bilinear))
    for factor in (2.0, 0.3):
        save("sharpness_%g_float" % factor, F.adjust_sharpness(grey, factor))
    save("shear", F.affine(grey, 0.0, [0, 0], 1.0, [12.0, -7.0], bilinear))
    start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    save("perspective", F.perspective(grey, start, [[5, 2], [width - 8, 9], [width - 2, height - 4], [3, height - 11]], bilinear))
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    dx, dy = 3.0 * torch.sin(y / 5.0), 2.5 * torch.cos(x / 4.0)  # in pixels
    field = torch.stack([dx * 2 / width, dy * 2 / height], 2)[None]
    save("elastic", F.elastic_transform(grey, field, bilinear))
    space = autoaugment.TrivialAugmentWide()._augmentation_space(31)
    for number, (name, (magnitudes, signed)) in enumerate(space.items()):
        magnitude = float(magnitudes[17]) if magnitudes.ndim > 0 else 0.0
        nearest = InterpolationMode.NEAREST
        save("trivial_%d" % number, autoaugment._apply_op(image, name, -magnitude if signed else magnitude, nearest, None))


if __name__ == "__main__":
    main()
