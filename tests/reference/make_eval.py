#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes small files and numbers, computed by NumPy, for test_npy, test_weights and test_eval.
# Run it in this folder; its output is committed.
import json
import struct

import numpy as np

rng = np.random.default_rng(1)


def npy_files():
    counts = np.arange(24).reshape(2, 3, 4)
    np.save("npy_f8_fortran.npy", np.asfortranarray(counts / 8.0))
    np.save("npy_f4.npy", (counts / 8.0).astype("<f4"))
    np.save("npy_i2_big.npy", (counts - 12).astype(">i2"))
    np.save("npy_u8_scalar.npy", np.uint64(7))
    np.save("npy_bool.npy", np.array([True, False, True]))
    with open("npy_i8_v2.npy", "wb") as f:
        np.lib.format.write_array(f, (counts[0] - 5).astype("<i8"), version=(2, 0))


def safetensors_file():
    """One tensor of 6 numbers of each dtype; those of float types are multiples of .5, which every type represents exactly."""
    halves = np.array([[-1.5, 0, 0.5], [2, -3, 4.5]], "<f4")
    whole = np.array([[-1, 0, 1], [2, 3, 100]])
    arrays = {
        "f64": ("F64", halves.astype("<f8").tobytes()),
        "f32": ("F32", halves.tobytes()),
        "f16": ("F16", halves.astype("<f2").tobytes()),
        "bf16": ("BF16", (halves.view("<u4") >> 16).astype("<u2").tobytes()),
        "i64": ("I64", whole.astype("<i8").tobytes()),
        "i32": ("I32", whole.astype("<i4").tobytes()),
        "i16": ("I16", whole.astype("<i2").tobytes()),
        "i8": ("I8", whole.astype("i1").tobytes()),
        "u8": ("U8", np.abs(whole).astype("u1").tobytes()),
        "bool": ("BOOL", (whole != 0).tobytes()),
    }
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, numbers) in arrays.items():
        header[name] = {"dtype": dtype, "shape": [2, 3], "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open("dtypes.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def knn(refs, labels, queries, k, temperature, classes):
    unit = lambda m: m / np.linalg.norm(m, axis=1, keepdims=True)
    similarity = unit(queries.astype("f8")) @ unit(refs.astype("f8")).T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    votes = np.zeros((len(queries), classes))
    for q, row in enumerate(nearest):
        np.add.at(votes[q], labels[row], np.exp(similarity[q, row] / temperature))
    return votes.argmax(1)


def whiten(refs, queries, ridge):
    """Standardises both by mean and deviation of refs, and multiplies them by (covariance of refs + ridge)^-1/2."""
    mean, std = refs.mean(0, dtype="f8"), refs.std(0, dtype="f8")
    std[std < 1e-6] = np.inf
    r, q = (refs - mean) / std, (queries - mean) / std
    w, v = np.linalg.eigh(r.T @ r / len(r))
    root = v / np.sqrt(w + ridge) @ v.T
    return r @ root, q @ root


def logistic(x, y, classes, l2):
    """Minimises sum cross-entropy + l2 / 2 |W|^2 by Newton's method; the bias has no penalty."""
    x = np.c_[x, np.ones(len(x))]
    n, f = x.shape
    w = np.zeros((classes, f))
    penalty = np.full(f, float(l2))
    penalty[-1] = 1e-9
    onehot = np.eye(classes)[y]
    for _ in range(50):
        z = x @ w.T
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        g = (p - onehot).T @ x + w * penalty
        h = np.zeros((classes, f, classes, f))
        for a in range(classes):
            for b in range(classes):
                s = p[:, a] * ((a == b) - p[:, b])
                h[a, :, b, :] = (x * s[:, None]).T @ x + (a == b) * np.diag(penalty)
        h = h.reshape(classes * f, classes * f) + 1e-9 * np.eye(classes * f)
        w -= np.linalg.solve(h, g.ravel()).reshape(classes, f)
    return w


def blobs(n, means):
    """Overlapping Gaussians; the columns have different scales, and one is constant."""
    y = rng.integers(0, len(means), n)
    x = rng.normal(size=(n, means.shape[1])) * 1.5 + means[y]
    x *= np.array([1, 2, 0.5, 1, 1, 3])
    x[:, 3] = 5
    return x.astype("<f4"), y.astype("<i4")


def evaluation():
    means = 2 * rng.normal(size=(4, 6))
    x, y = blobs(300, means)
    xt, yt = blobs(200, means)
    np.save("eval_train.npy", x)
    np.save("eval_train_labels.npy", y)
    np.save("eval_test.npy", xt)
    np.save("eval_test_labels.npy", yt)

    mean, std = x.mean(0, dtype="f8"), x.std(0, dtype="f8")
    std[3] = 1
    numbers = []
    w = logistic((x - mean) / std, y, 4, 10)
    for a, b in ((x, y), (xt, yt)):
        scores = (a - mean) / std @ w[:, :-1].T + w[:, -1]
        numbers.append((scores.argmax(1) == b).mean())
    numbers.append((knn(x, y, xt, 15, 0.1, 4) == yt).mean())

    r, q = whiten(x, xt, 0.1)
    unit = lambda m: m / np.linalg.norm(m, axis=1, keepdims=True)
    np.save("eval_whitened_cosines.npy", (unit(q) @ unit(r[:5]).T).astype("<f4"))
    np.save("eval_whitened_knn.npy", (knn(r, y, q, 15, 0.1, 4) == yt).mean())

    z = np.load("eval_train.npy").astype("f8")
    s = np.linalg.svd(z, compute_uv=False)
    p = s / s.sum()
    numbers.append(np.exp(-(p[p > 0] * np.log(p[p > 0])).sum()))
    np.save("eval_numbers.npy", np.array(numbers))  # linear train, linear test, kNN, RankMe
    np.save("eval_spectrum.npy", s ** 2 / (len(z) - 1))
    np.save("eval_spectrum_centred.npy", np.linalg.eigvalsh(np.cov(z.T))[::-1])
    np.save("eval_std.npy", z.std(0, ddof=1))
    print(numbers)


npy_files()
safetensors_file()
evaluation()
