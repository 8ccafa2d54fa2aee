#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/reference/augment/*.npy: the results of torchvision and PIL for one image, for tests/c/test_augment.c.

Debian: python3-torch python3-torchvision python3-pil python3-numpy.  Made with torchvision 0.14, PIL 9.4.
Images are (H,W,C) or (H,W).  Results of PIL are bytes.  Results of torchvision on float tensors are floats in 0..1:
hue, because PIL's HSV stores hue in a byte, and blur, because torchvision blurs tensors only.
"""
import os

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "augment")
HEIGHT, WIDTH = 37, 41


def make_input():
    """An image of waves, a box with hard edges and some noise, different in each channel."""
    rng = np.random.RandomState(7)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [0.5 + 0.35 * np.sin(x / (2.5 + c) + c) * np.cos(y / (4.0 - c)) for c in range(3)]
    image = np.stack(planes, 2) + rng.normal(0, 0.04, (HEIGHT, WIDTH, 3))
    image[9:21, 12:25] = (0.95, 0.3, 0.05)
    image[15:30, 20:24] = (0.0, 0.6, 1.0)
    return np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)


def save(name, array):
    np.save(os.path.join(FOLDER, name + ".npy"), np.ascontiguousarray(array))


def crop(image, box, size):
    return F.resized_crop(image, *box, [size, size], InterpolationMode.BICUBIC)


def tensor(image):
    return F.to_tensor(image)


def pixels(t):
    return t.permute(1, 2, 0).numpy().astype(np.float32)


def main():
    torch.set_num_threads(1)
    os.makedirs(FOLDER, exist_ok=True)
    array = make_input()
    colour = Image.fromarray(array)
    grey = Image.fromarray(array[:, :, 0])
    save("input", array)
    for name, image in (("colour", colour), ("grey", grey)):
        save(name + "_same", crop(image, (3, 5, 29, 31), 30))
        save(name + "_down", crop(image, (1, 2, 34, 39), 11))
        save(name + "_up", crop(image, (6, 10, 7, 9), 32))
        save(name + "_mirror", F.hflip(crop(image, (6, 4, 20, 25), 16)))
        save(name + "_dark", F.adjust_brightness(image, 0.65))
        save(name + "_bright", F.adjust_brightness(image, 1.4))
        save(name + "_flat", F.adjust_contrast(image, 0.6))
        save(name + "_steep", F.adjust_contrast(image, 1.4))
        save(name + "_solarize", F.solarize(image, 128))
    save("pale", F.adjust_saturation(colour, 0.3))
    save("vivid", F.adjust_saturation(colour, 1.2))
    save("grayscale", F.rgb_to_grayscale(colour, 1))
    save("hue_forward", pixels(F.adjust_hue(tensor(colour), 0.1)))
    save("hue_back", pixels(F.adjust_hue(tensor(colour), -0.37)))
    save("hue_pil", F.adjust_hue(colour, 0.1))
    save("jitter", F.adjust_contrast(F.adjust_brightness(F.adjust_saturation(colour, 1.15), 0.8), 1.3))
    for sigma in (0.4, 1.0, 2.0):
        reach = int(np.ceil(3 * sigma))
        save("blur_%g" % sigma, pixels(F.gaussian_blur(tensor(colour), [2 * reach + 1] * 2, [sigma] * 2)))


if __name__ == "__main__":
    main()
