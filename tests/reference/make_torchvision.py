#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/reference/torchvision.npy, torchvision18.txt and torchvision50.txt for tests/c/test_torchvision.c: the state of
torchvision's ResNets (names, types, shapes) and their features, computed in evaluation mode and float64 with weights and images
from make.py's streams.

Debian: python3-torch python3-torchvision python3-numpy.  Made with torchvision 0.14.

    python3 tests/reference/make_torchvision.py             writes these files
    python3 tests/reference/make_torchvision.py ./barlow    round trip: loads torchvision's weights into barlow and barlow's into torchvision, both strictly
"""
import json, os, struct, subprocess, sys, tempfile
import numpy as np
import torch, torchvision
from make import Record, folder, resnet_weights, uniform

torch.set_grad_enabled(False)
SHAPE = (2, 3, 64, 64)
TYPES = {torch.float32: "F32", torch.float64: "F32", torch.int64: "I64"}  # the state is computed in float64 and stored as float32


def network(depth):
    """Counts of batches are 3, means in [-.1, .1], variances in [.5, 1.5]; resnet_weights fills the others."""
    net = getattr(torchvision.models, f"resnet{depth}")(num_classes=10).double().eval()
    resnet_weights(net)
    for i, (name, t) in enumerate(net.state_dict().items()):
        if name.endswith("running_mean"):
            t.copy_(uniform(1000 + i, t.shape, -.1, .1))
        elif name.endswith("running_var"):
            t.copy_(uniform(1000 + i, t.shape, .5, 1.5))
        elif name.endswith("tracked"):
            t.fill_(3)
    return net


def features(net, x):
    """Returns the input and the output of the linear layer."""
    fc, net.fc = net.fc, torch.nn.Identity()
    h = net(x)
    net.fc = fc
    return h, fc(h)


def write(path, state):
    head, at, parts = {}, 0, []
    for name, t in state.items():
        a = t.numpy().astype(np.int64 if t.dtype == torch.int64 else np.float32)
        head[name] = {"dtype": TYPES[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
        parts.append(a.tobytes())
    text = json.dumps(head).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read(path):
    with open(path, "rb") as f:
        bytes = f.read()
    n = struct.unpack("<Q", bytes[:8])[0]
    state = {}
    for name, t in json.loads(bytes[8:8 + n]).items():
        if name != "__metadata__":
            a, b = (8 + n + at for at in t["data_offsets"])
            kind = {"F32": np.float32, "I64": np.int64}[t["dtype"]]
            state[name] = torch.tensor(np.frombuffer(bytes[a:b], kind).reshape(t["shape"]).copy())
    return state


def make():
    out = Record()
    for depth in 18, 50:
        net = network(depth)
        h, y = features(net, uniform(1, SHAPE))
        out.put(depth, h, y)
        with open(os.path.join(folder, f"torchvision{depth}.txt"), "w") as f:
            for name, t in net.state_dict().items():
                f.write(" ".join([name, TYPES[t.dtype], *map(str, t.shape)]) + "\n")
    out.save("torchvision")


def round_trip(barlow):
    with tempfile.TemporaryDirectory() as place:
        for depth in 18, 50:
            net, x = network(depth), uniform(1, SHAPE)
            write(place + "/there.safetensors", net.state_dict())
            np.save(place + "/x.npy", x.numpy().astype(np.float32))
            subprocess.run([barlow, "-e", f"""
                local net = nn.resnet{{depth = {depth}, stem = "large", channels = 3, classes = 10}}:load("{place}/there.safetensors")
                net:eval()
                net(tensor.load("{place}/x.npy")):save("{place}/y.npy")
                net:save("{place}/back.safetensors")"""], check=True)
            y, mine = features(net, x)[1], torch.tensor(np.load(place + "/y.npy")).double()
            again = getattr(torchvision.models, f"resnet{depth}")(num_classes=10)
            again.load_state_dict(read(place + "/back.safetensors"), strict=True)
            same = all(torch.equal(a, b.to(a.dtype)) for a, b in zip(again.state_dict().values(), net.state_dict().values()))
            print(f"resnet{depth}: results differ by {float((mine - y).abs().max() / y.abs().max()):.2g} of the largest;",
                  "all weights come back to the bit" if same else "WEIGHTS DIFFER")


if __name__ == "__main__":
    round_trip(sys.argv[1]) if len(sys.argv) > 1 else make()
