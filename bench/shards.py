#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""shards.py: measures reading of image files and tar shards on one core, in turns: barlow, and Pillow alone, with
tarfile and with webdataset.

    bench/shards.py [IMAGES] [TURNS]

Each side reads, decodes and resizes every image (shorter side to 73, then the central 64 x 64).  Times are CPU times,
because load of the machine changes them less.  There is no row for webdataset if Python cannot import it.
"""
import io, os, random, subprocess, sys, tarfile, tempfile, time

import numpy as np

try:
    import webdataset
except ImportError:
    webdataset = None
from PIL import Image, ImageDraw, ImageFilter

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGES, TURNS = int(sys.argv[1]) if len(sys.argv) > 1 else 400, int(sys.argv[2]) if len(sys.argv) > 2 else 5


def picture(k):
    rng = random.Random(k)
    im = Image.new("RGB", (320, 240), tuple(rng.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(im)
    for _ in range(60):
        x, y, r = rng.randrange(320), rng.randrange(240), rng.randrange(5, 70)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(rng.randrange(256) for _ in range(3)))
    return im.filter(ImageFilter.GaussianBlur(1))


def seen(file):
    im = Image.open(file).convert("RGB")
    scale = 73 / min(im.size)
    im = im.resize((round(im.width * scale), round(im.height * scale)), Image.BICUBIC)
    left, top = (im.width - 64) // 2, (im.height - 64) // 2
    return np.asarray(im.crop((left, top, left + 64, top + 64)), np.float32) / 255


def pillow_folder(path):
    for name in sorted(os.listdir(path)):
        seen(os.path.join(path, name))


def pillow_tar(path):
    with tarfile.open(path) as t:
        for m in t:
            if m.name.endswith("jpg"):
                seen(io.BytesIO(t.extractfile(m).read()))


def pillow_webdataset(path):
    """Reads a shard in webdataset's usual way: grouped by key, in archive order, without workers; Pillow decodes."""
    for key, image in webdataset.WebDataset(path, shardshuffle=False).to_tuple("__key__", "jpg"):
        seen(io.BytesIO(image))


def ours(kind, path):
    out = subprocess.run([os.path.join(HERE, "..", "barlow"), os.path.join(HERE, "shards.lua"), kind, path], check=True,
                         capture_output=True, text=True)
    return float(out.stdout.split()[-1])


def theirs(f, path):
    began = time.process_time()
    f(path)
    return IMAGES / (time.process_time() - began)


def main():
    os.sched_setaffinity(0, {0})
    with tempfile.TemporaryDirectory() as root:
        for kind in "webp", "jpg":
            os.mkdir(f"{root}/{kind}")
            for k in range(IMAGES):
                picture(k).save(f"{root}/{kind}/{k:05d}.{kind}", quality=85)
        with tarfile.open(f"{root}/shard.tar", "w") as t:
            for k in range(IMAGES):
                t.add(f"{root}/jpg/{k:05d}.jpg", f"{k:05d}.jpg")
        jobs = [("WebP files", "folder", f"{root}/webp", pillow_folder), ("JPEG files", "folder", f"{root}/jpg", pillow_folder),
                ("JPEG files in a tar archive (tarfile and Pillow)", "tar", f"{root}/shard.tar", pillow_tar)]
        if webdataset:
            jobs.append((f"the same archive (webdataset {webdataset.__version__} and Pillow)", "tar", f"{root}/shard.tar", pillow_webdataset))
        best = {name: [0, 0] for name, *_ in jobs}
        for _ in range(TURNS):
            for name, kind, path, f in jobs:
                best[name] = [max(best[name][0], ours(kind, path)), max(best[name][1], theirs(f, path))]
    print("| 320 x 240 to 64, one core, images a second of the processor | barlow | Pillow | ratio |\n|" + " --- |" * 4)
    for name, (a, b) in best.items():
        print(f"| {name} | {a:.0f} | {b:.0f} | {a / b:.1f} |")


main()
