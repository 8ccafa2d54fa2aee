# SPDX-License-Identifier: GPL-3.0-or-later
"""make_arrays.py: writes NumPy files of less common types into arrays/.  Run it in tests/reference; it needs NumPy."""
import os

import numpy as np


def main():
    os.makedirs("arrays", exist_ok=True)
    a = np.arange(6, dtype="f4").reshape(2, 3)
    every = np.arange(65536, dtype=np.uint16).view("f2")
    np.save("arrays/half.npy", every)
    np.save("arrays/half_big.npy", a.astype(">f2"))
    np.save("arrays/structured.npy", np.zeros(3, dtype=[("x", "f4")]))
    np.save("arrays/objects.npy", np.array([{}, None]), allow_pickle=True)
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }"
    head += b" " * ((-len(head) - 11) % 64) + b"\n"
    with open("arrays/python2.npy", "wb") as f:
        f.write(b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + a.tobytes())
    np.savez("arrays/stored.npz", a=a, labels=np.array([[3], [1]], dtype="u1"))
    np.savez_compressed("arrays/packed.npz", a=a, many=np.zeros(5000, dtype="i8"))


main()
