# SPDX-License-Identifier: GPL-3.0-or-later
"""make_photographs.py: writes small JPEG and PNG files, and the pixels that PIL and torchvision read, into photographs/.

Run it in tests/reference; it needs Pillow, NumPy and torchvision.
"""
import os

import numpy as np
from PIL import Image
from torchvision import transforms

WIDTH, HEIGHT = 53, 41


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [128 + 90 * np.sin(x / 7 + k) * np.cos(y / (5 + k)) for k in range(3)]
    a = np.stack(planes, 2) + np.random.RandomState(1).randn(HEIGHT, WIDTH, 1) * 9
    a[12:25, 20:40] = (230, 60, 40)
    return Image.fromarray(a.clip(0, 255).astype(np.uint8))


def keep(image, name, extension, **options):
    path = f"photographs/{name}.{extension}"
    image.save(path, **options)
    np.save(f"photographs/{name}_{extension}.npy", np.asarray(Image.open(path).convert("RGB")))


def main():
    os.makedirs("photographs", exist_ok=True)
    p = picture()
    keep(p, "subsampled", "jpg", quality=90, subsampling="4:2:0")
    keep(p, "progressive", "jpg", quality=85, subsampling="4:2:2", progressive=True)
    keep(p.convert("L"), "grey", "jpg", quality=90)
    keep(p.convert("CMYK"), "cmyk", "jpg", quality=95)
    alpha = p.convert("L").point(lambda v: v // 2)
    rgba = p.copy()
    rgba.putalpha(alpha)
    keep(rgba, "alpha", "png")
    la = p.convert("L")
    la.putalpha(alpha)
    keep(la, "grey_alpha", "png")
    keep(p.quantize(37), "palette", "png", transparency=3)
    keep(p.convert("1"), "one_bit", "png")
    see = transforms.Compose([transforms.Resize(32, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(28)])
    np.save("photographs/centre.npy", np.asarray(see(Image.open("photographs/subsampled.jpg"))))


main()
