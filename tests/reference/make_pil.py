#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/reference/pil/*.npy: results of torchvision on PIL images, from tests/reference/augment/input.npy.

Debian: python3-torchvision python3-pil python3-numpy.  Made with torchvision 0.14 and Pillow 9.4.  Results are bytes, (H,W,C)
or (H,W).  Then prints how far barlow's default, which equals torchvision's tensor backend, differs from these results: the
table in docs/augmentations.md.
"""
import math
import os

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps
from torchvision.transforms import autoaugment
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "pil")
BICUBIC, BILINEAR, NEAREST = InterpolationMode.BICUBIC, InterpolationMode.BILINEAR, InterpolationMode.NEAREST


def save(name, image):
    np.save(os.path.join(FOLDER, name + ".npy"), np.array(image))


def crop(image, box, size):
    """box: top, left, height, width."""
    return F.resized_crop(image, *box, [size, size], BICUBIC)


def blur(image, sigma):
    """The blur of the authors' class GaussianBlur."""
    return image.filter(ImageFilter.GaussianBlur(sigma))


def authors(image):
    """The authors' transform with fixed random numbers: crop, flip, jitter, blur and solarize, without grayscale."""
    image = F.hflip(crop(image, (3, 5, 29, 31), 24))
    image = F.adjust_saturation(F.adjust_contrast(F.adjust_hue(F.adjust_brightness(image, 1.3), -0.08), 0.7), 1.15)
    return ImageOps.solarize(blur(image, 0.9))


def warps(image):
    """The warped images by the names of the operators, for a PIL image or a tensor."""
    width, height = F.get_image_size(image)
    start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    end = [[5, 2], [width - 8, 9], [width - 2, height - 4], [3, height - 11]]
    return {
        "rotate": F.rotate(image, -25.0, BILINEAR),
        "shear": F.affine(image, 0.0, [0, 0], 1.0, [12.0, -7.0], BILINEAR),
        "affine": F.affine(image, 13, [3, -2], 0.9, [0.0, 0.0], BILINEAR),
        "perspective": F.perspective(image, start, end, BILINEAR),
        "elastic": F.elastic_transform(image, field(height, width), BILINEAR),
    }


def field(height, width):
    """Displacements of pixels in the format that torchvision requires."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    dx, dy = 3.0 * torch.sin(y / 5.0), 2.5 * torch.cos(x / 4.0)
    return torch.stack([dx * 2 / width, dy * 2 / height], 2)[None]


def trivial(image):
    """TrivialAugment's operations by number and bin; operations with a sign are negative in bin 17 and positive in bin 29."""
    for number, (name, (magnitudes, signed)) in enumerate(autoaugment.TrivialAugmentWide()._augmentation_space(31).items()):
        for bin, sign in ((17, -1), (29, 1)):
            magnitude = float(magnitudes[bin]) if magnitudes.ndim > 0 else 0.0
            yield number, bin, autoaugment._apply_op(image, name, sign * magnitude if signed else magnitude, NEAREST, None)


def check_same(image):
    """Checks the operators that need no second backend, because PIL and tensors give the same results."""
    x = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    for f in (F.vflip, F.invert, F.equalize, lambda t: F.posterize(t, 3), lambda t: F.solarize(t, 128),
              lambda t: F.pad(t, [4, 4, 4, 4]), lambda t: F.pad(t, [4, 4, 4, 4], padding_mode="reflect")):
        assert np.array_equal(np.array(f(image)), f(x).permute(1, 2, 0).numpy())


def all_colours():
    """An image with all combinations of every 15th level of red, green and blue."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    r, g, b = np.meshgrid(levels, levels, levels, indexing="ij")
    return Image.fromarray(np.stack([r, g, b], -1).reshape(18 * 18, 18, 3))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    array = np.load(os.path.join(HERE, "augment", "input.npy"))
    for name, image in (("colour", Image.fromarray(array)), ("grey", Image.fromarray(array[:, :, 0]))):
        save(name + "_same", crop(image, (3, 5, 29, 31), 30))
        save(name + "_down", crop(image, (1, 2, 34, 39), 11))
        save(name + "_up", crop(image, (6, 10, 7, 9), 32))
        save(name + "_mirror", F.hflip(crop(image, (6, 4, 20, 25), 16)))
        save(name + "_whole", F.resize(image, [19, 19], BICUBIC))
        for factor in (0.65, 1.4):
            save("%s_brightness_%g" % (name, factor), F.adjust_brightness(image, factor))
            save("%s_contrast_%g" % (name, factor), F.adjust_contrast(image, factor))
        save(name + "_solarize", F.solarize(image, 128))
        for sigma in (0.1, 0.26, 0.5, 1, 1.7, 2, 12):
            save("%s_blur_%g" % (name, sigma), blur(image, sigma))
        for warp, result in warps(image).items():
            save("%s_%s" % (name, warp), result)
        for factor in (0.3, 2):
            save("%s_sharpness_%g" % (name, factor), F.adjust_sharpness(image, factor))
        save(name + "_autocontrast", F.autocontrast(F.adjust_contrast(image, 0.65)))
        for number, bin, result in trivial(image):
            save("%s_trivial_%d_%d" % (name, number, bin), result)
    check_same(Image.fromarray(array))
    save("colour_authors", authors(Image.fromarray(array)))
    wheel = all_colours()
    save("wheel", wheel)
    save("wheel_grayscale", F.rgb_to_grayscale(wheel, 3))
    for factor in (0.3, 1.2):
        save("wheel_saturation_%g" % factor, F.adjust_saturation(wheel, factor))
    for turn in (0.1, -0.07, 0.5, -0.5):
        save("wheel_hue_%g" % turn, F.adjust_hue(wheel, turn))
    save("evaluation", F.center_crop(F.resize(Image.fromarray(array), 32), [28, 28]))
    print_distances(Image.fromarray(array), wheel)


def print_distances(image, wheel):
    """Prints the differences between the backends, in levels."""

    def apart(name, pil, tensor):
        d = np.abs(np.array(pil).astype(float) - 255 * tensor.permute(1, 2, 0).numpy())
        print("%-24s at most %5.1f levels, mean %.2f" % (name, d.max(), d.mean()))

    x, w = F.to_tensor(image), F.to_tensor(wheel)
    apart("brightness 1.4", F.adjust_brightness(image, 1.4), F.adjust_brightness(x, 1.4))
    apart("contrast 0.6", F.adjust_contrast(image, 0.6), F.adjust_contrast(x, 0.6))
    apart("saturation 0.3", F.adjust_saturation(wheel, 0.3), F.adjust_saturation(w, 0.3))
    apart("hue 0.1, all colours", F.adjust_hue(wheel, 0.1), F.adjust_hue(w, 0.1))
    apart("grayscale", F.rgb_to_grayscale(wheel, 3), F.rgb_to_grayscale(w, 3))
    for sigma in (0.26, 0.5, 1, 2):
        side = 2 * math.ceil(3 * sigma) + 1
        apart("blur %g" % sigma, blur(image, sigma), F.gaussian_blur(x, [side, side], [sigma, sigma]))
    flat, y = F.adjust_contrast(image, 0.65), F.to_tensor(F.adjust_contrast(image, 0.65))
    apart("autocontrast", F.autocontrast(flat), F.autocontrast(y))
    for factor in (0.3, 2):
        apart("sharpness %g" % factor, F.adjust_sharpness(image, factor), F.adjust_sharpness(x, factor))
    for name, pil in warps(image).items():
        apart(name, pil, warps(x)[name])
        inside = np.abs(np.array(pil).astype(float) - 255 * warps(x)[name].permute(1, 2, 0).numpy())
        print("%-24s %.1f%% of the values more than 2 levels apart" % ("", 100 * (inside > 2).mean()))
    apart("crop to 11", crop(image, (1, 2, 34, 39), 11),
          torch.clamp(F.resized_crop(x, 1, 2, 34, 39, [11, 11], BICUBIC, antialias=True) if "antialias" in
                      F.resized_crop.__code__.co_varnames else F.resize(F.crop(x, 1, 2, 34, 39), [11, 11], BICUBIC, antialias=True), 0, 1))


if __name__ == "__main__":
    main()
