# SPDX-License-Identifier: GPL-3.0-or-later
"""make_sets.py: writes tiny data sets in the formats of MNIST and similar sets, CIFAR, STL-10 and SVHN, into sets/.

A pixel is a function of image, row, column and channel, (i * 37 + y * 5 + x * 3 + c * 50) % 256, which the test computes
again.  Run it in tests/reference; it needs NumPy.  SVHN's files are written in MATLAB's format, with and without compression.
"""
import gzip
import os
import pickle
import struct
import zlib

import numpy as np


def images(n, side, channels=1):
    i, y, x, c = np.meshgrid(np.arange(n), np.arange(side), np.arange(side), np.arange(channels), indexing="ij")
    return ((i * 37 + y * 5 + x * 3 + c * 50) % 256).astype(np.uint8)


def write(name, data):
    path = os.path.join("sets", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def idx(a, kind, dtype):
    return bytes([0, 0, kind, a.ndim]) + struct.pack(f">{a.ndim}I", *a.shape) + a.astype(dtype).tobytes()


def python2(planes, labels):
    """A pickle of protocol 2 with byte strings and numpy's _reconstruct, as in CIFAR's files, which Python 2 wrote."""
    def text(s):
        return b"U" + bytes([len(s)]) + s
    n = len(labels)
    array = (b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85" + text(b"b") + b"\x87Rq\x03"
             + b"(K\x01" + b"K" + bytes([n]) + b"M" + struct.pack("<H", 3072) + b"\x86"
             + b"cnumpy\ndtype\nq\x04" + text(b"u1") + b"K\x00K\x01\x87Rq\x05(K\x03" + text(b"|")
             + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<i", planes.nbytes) + planes.tobytes() + b"tb")
    return (b"\x80\x02}q\x00(" + text(b"batch_label") + text(b"training batch") + text(b"labels") + b"](K"
            + b"K".join(bytes([v]) for v in labels) + b"e" + text(b"data") + array + b"u.")


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def variable(name, a, packed):
    flags = element(6, struct.pack("<II", 9 if a.dtype == np.uint8 else 6, 0))
    dims = element(5, struct.pack(f"<{a.ndim}i", *a.shape))
    small = struct.pack("<HH", 1, len(name)) + name + bytes(4 - len(name))
    data = element(2 if a.dtype == np.uint8 else 9, a.tobytes(order="F"))
    whole = element(14, flags + dims + small + data)
    return struct.pack("<II", 15, len(z := zlib.compress(whole))) + z if packed else whole


def main():
    for stem in ("train", "t10k"):
        write(f"mnist/{stem}-images-idx3-ubyte.gz", gzip.compress(idx(images(3, 28)[..., 0], 8, "u1"), mtime=0))
        write(f"mnist/{stem}-labels-idx1-ubyte", idx(np.array([7, 0, 9]), 8, "u1"))
    write("QMNIST/raw/qmnist-test-images-idx3-ubyte.gz", gzip.compress(idx(images(3, 28)[..., 0], 8, "u1"), mtime=0))
    extended = np.arange(24).reshape(3, 8)
    extended[:, 0] = (4, 2, 8)
    write("QMNIST/raw/qmnist-test-labels-idx2-int", idx(extended, 12, ">i4"))
    upright = images(3, 28)[..., 0]
    for split, labels in (("letters", [1, 26, 3]), ("balanced", [0, 46, 36])):
        write(f"emnist/emnist-{split}-train-images-idx3-ubyte.gz",
              gzip.compress(idx(upright.transpose(0, 2, 1), 8, "u1"), mtime=0))
        write(f"emnist/emnist-{split}-train-labels-idx1-ubyte", idx(np.array(labels), 8, "u1"))

    c = images(4, 32, 3)
    planes = np.ascontiguousarray(c.transpose(0, 3, 1, 2)).reshape(4, -1)
    write("bin10/test_batch.bin", b"".join(bytes([v]) + p.tobytes() for v, p in zip((6, 9, 0, 1), planes)))
    for k in range(5):
        write(f"bin10/data_batch_{k + 1}.bin", bytes([k]) + planes[k % 4].tobytes())
    write("bin100/train.bin", b"".join(bytes([v, w]) + p.tobytes() for v, w, p in zip((6, 19, 0, 1), (99, 0, 5, 6), planes)))
    write("py10/test_batch", python2(planes, (6, 9, 0, 1)))
    for protocol in range(2, 6):
        batch = {b"labels" if protocol % 2 else "labels": [6, 9, 0, 1], "data": planes}
        write(f"py10-{protocol}/test_batch", pickle.dumps(batch, protocol))
    write("py100/train", pickle.dumps({"fine_labels": [99, 0, 5, 6], "coarse_labels": [6, 19, 0, 1], "data": planes}, 4))
    write("hostile/test_batch", pickle.dumps(os.system, 0)[:-1] + b"(S'true'\ntR.")

    s = images(2, 96, 3)
    write("stl10/train_X.bin", np.ascontiguousarray(s.transpose(0, 3, 2, 1)).tobytes())
    write("stl10/train_y.bin", bytes([10, 1]))

    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    x = np.ascontiguousarray(c.transpose(1, 2, 3, 0))
    y = np.array([[10], [1], [9], [2]])
    write("svhn/train_32x32.mat", head + variable(b"X", x, True) + variable(b"y", y.astype(np.uint8), True))
    write("svhn/test_32x32.mat", head + variable(b"X", x, False) + variable(b"y", y.astype(np.float64), False))


main()
