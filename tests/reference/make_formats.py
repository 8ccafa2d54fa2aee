# SPDX-License-Identifier: GPL-3.0-or-later
"""make_formats.py: writes small files of every picture format, and the pixels that PIL reads from them, into formats/.

NAME.npy contains the pixels after convert("RGB"), NAME.over.npy after pasting them over (51, 102, 204) by their alpha, and
NAME.turned.npy after exif_transpose.  Run it in tests/reference; it needs Pillow and NumPy.
"""
import os
import struct

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 23, 17
GROUND = (51, 102, 204)


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [128 + 110 * np.sin(x / 5 + k) * np.cos(y / (4 + k)) for k in range(3)]
    return Image.fromarray(np.stack(planes, 2).clip(0, 255).astype(np.uint8))


def put(name, pixels):
    np.save(f"formats/{name}.npy", np.asarray(pixels, dtype=np.uint8))


def note(name, over=False, turned=False):
    image = Image.open(f"formats/{name}")
    put(name, image.convert("RGB"))
    if over:
        rgba, ground = image.convert("RGBA"), Image.new("RGB", image.size, GROUND)
        ground.paste(rgba, mask=rgba.getchannel("A"))
        put(name + ".over", ground)
    if turned:
        put(name + ".turned", ImageOps.exif_transpose(image).convert("RGB"))


def keep(image, name, over=False, turned=False, **options):
    image.save(f"formats/{name}", **options)
    note(name, over, turned)


def raw(name, data, pixels):
    with open(f"formats/{name}", "wb") as f:
        f.write(data)
    put(name, pixels)


def png16(name, planes):
    """A PNG of 16 bits, which PIL cannot write in colour.  The expected pixels are rounded to the nearest 8-bit level."""
    import zlib
    values = np.stack(planes, 2)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, {1: 0, 3: 2}[len(planes)], 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    eight = np.rint(values / 257.0)
    raw(name, data, np.repeat(eight, 3, 2) if len(planes) == 1 else eight)


def bmp_with_alpha(name, rgba):
    """32 bits a pixel with masks (header of version 4), stored from the top row to the bottom row."""
    a = np.asarray(rgba)
    body = a[:, :, [2, 1, 0, 3]].tobytes()
    head = struct.pack("<IiiHHIIiiII", 108, WIDTH, -HEIGHT, 1, 32, 3, len(body), 0, 0, 0, 0)
    head += struct.pack("<IIII", 0xff0000, 0xff00, 0xff, 0xff000000) + bytes(108 - 56)
    data = b"BM" + struct.pack("<IHHI", 14 + 108 + len(body), 0, 0, 14 + 108) + head + body
    with open(f"formats/{name}", "wb") as f:
        f.write(data)
    note(name, over=True)


def pnm(name, kind, most, values):
    """A text file of kind 1 to 3, with a comment.  v * 255 / most, rounded, is expected; in a bitmap 1 is black."""
    text = " ".join(str(v) for v in values.reshape(-1))
    top = "" if kind == 1 else f"{most}\n"
    eight = 255 * (1 - values) if kind == 1 else np.floor(values * 255.0 / most + .5)
    raw(name, f"P{kind}\n# made by hand\n{WIDTH} {HEIGHT}\n{top}{text}\n".encode(),
        np.repeat(eight, 3, 2) if values.shape[2] == 1 else eight)


def main():
    os.makedirs("formats", exist_ok=True)
    p = picture()
    alpha = p.convert("L").point(lambda v: 255 if v > 170 else v)
    rgba, la = p.copy(), p.convert("L")
    rgba.putalpha(alpha)
    la.putalpha(alpha)

    keep(p, "lossy.webp", quality=80)
    keep(p, "lossless.webp", lossless=True)
    keep(rgba, "alpha.webp", over=True, lossless=True, exact=True)

    keep(p, "rgb.tiff")
    keep(rgba, "alpha.tiff", over=True, compression="tiff_lzw")
    keep(la, "grey_alpha.tiff", over=True)
    keep(p.quantize(19), "palette.tiff", compression="tiff_deflate")
    keep(p.convert("1"), "bitmap.tiff", compression="group4")
    grey = np.asarray(p.convert("L")).astype(np.uint16) * 250 + 17
    Image.fromarray(grey).save("formats/grey16.tiff")
    put("grey16.tiff", np.repeat(np.floor((grey * 255.0 + 32767) / 65535)[:, :, None], 3, 2))

    palette = p.quantize(13)
    keep(palette, "plain.gif", interlace=0)
    keep(palette, "transparent.gif", over=True, transparency=5)
    keep(palette, "interlaced.gif", interlace=1)
    frames = [palette, p.rotate(180).quantize(9)]
    keep(frames[0], "moving.gif", save_all=True, append_images=frames[1:], duration=50)

    keep(p, "rgb.bmp")
    keep(p.quantize(40), "palette.bmp")
    keep(p.convert("1"), "bitmap.bmp")
    bmp_with_alpha("alpha.bmp", rgba)

    keep(p, "bytes.ppm")
    keep(p.convert("L"), "bytes.pgm")
    keep(p.convert("1"), "bits.pbm")
    a = np.asarray(p).astype(int)
    pnm("text.ppm", 3, 1000, a * 3)
    pnm("text.pgm", 2, 255, a[:, :, :1])
    pnm("text.pbm", 1, 1, (a[:, :, :1] > 128).astype(int))

    wide = [np.asarray(p.getchannel(k)).astype(np.uint16) * 256 + 7 * k for k in range(3)]
    png16("rgb16.png", wide)
    png16("grey16.png", wide[:1])
    keep(rgba, "alpha.png", over=True)
    keep(la, "grey_alpha.png", over=True)
    keep(p.quantize(37), "palette.png", over=True, transparency=bytes([0, 128, 255, 40]))

    exif = Image.Exif()
    for way in range(1, 9):
        exif[0x0112] = way
        keep(p, f"way{way}.jpg", turned=True, quality=95, exif=exif.tobytes())
    exif[0x0112] = 6
    keep(p, "way6.png", turned=True, exif=exif.tobytes())
    keep(p, "way6.webp", turned=True, lossless=True, exif=exif.tobytes())


main()
