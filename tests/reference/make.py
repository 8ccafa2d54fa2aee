#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the engine's reference vectors with PyTorch (Debian's python3-torch): python3 make.py [FOLDER].

Inputs and weights come from the Philox stream that bl_tensor_uniform draws from, so that both sides make them from a
(seed, stream) pair and only results are stored.  Results are computed in float64 and stored as float32.  Each file is
one flat array of records.  A record begins with the numbers that describe the case; the results follow in the order
in which this program computes them, and tests/c/test_reference.c reads them in that order.  The docstring of each
function below lists the numbers of its records, with a semicolon between the case and the results.
"""
import math
import os
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = 20210304
STREAM_INIT = 0x10000
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def philox(blocks, stream):
    """Words of blocks 0..blocks-1 of Philox4x32-10, key SEED, counter (block, stream, STREAM_INIT, 0)."""
    mask = np.uint64(0xFFFFFFFF)
    c = [np.arange(blocks, dtype=np.uint64)] + [np.full(blocks, v, np.uint64) for v in (stream, STREAM_INIT, 0)]
    k0, k1 = SEED & 0xFFFFFFFF, SEED >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & mask,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, 1).reshape(-1).astype(np.uint32)


def uniform(stream, shape, lo=-1.0, hi=1.0):
    """bl_tensor_uniform(t, SEED, stream, lo, hi), exactly, as a float64 tensor."""
    n = int(np.prod(shape))
    unit = (philox((n + 3) // 4, stream)[:n] >> np.uint32(8)).astype(np.float32) * np.float32(2.0 ** -24)
    lo, hi = np.float32(lo), np.float32(hi)
    return torch.tensor((lo + (hi - lo) * unit).reshape(shape).astype(np.float64))


class Record:
    """The numbers of a file, in the order in which put() receives them."""

    def __init__(self):
        self.parts = []

    def put(self, *things):
        for t in things:
            a = t.detach().numpy() if torch.is_tensor(t) else np.asarray(t)
            self.parts.append(a.astype(np.float32).reshape(-1))

    def save(self, name):
        np.save(os.path.join(folder, name + ".npy"), np.concatenate(self.parts))


def leaf(stream, shape, lo=-1.0, hi=1.0):
    return uniform(stream, shape, lo, hi).requires_grad_()


def conv2d():
    """N C H W K R stride padding groups bias; y dx dw [db]"""
    out = Record()
    cases = [
        (2, 1, 9, 9, 4, 3, 1, 1, 1, 1), (3, 3, 8, 7, 5, 3, 2, 1, 1, 0), (2, 3, 11, 13, 6, 7, 2, 2, 1, 0),
        (2, 4, 7, 5, 6, 1, 1, 0, 1, 1), (2, 4, 7, 5, 6, 1, 2, 0, 1, 0), (2, 3, 10, 9, 4, 5, 3, 2, 1, 1),
        (2, 4, 9, 8, 6, 3, 1, 1, 2, 1), (2, 6, 9, 8, 6, 3, 2, 1, 6, 0), (2, 6, 8, 8, 12, 5, 1, 2, 6, 1),
        (1, 1, 28, 28, 8, 5, 1, 0, 1, 1), (2, 8, 6, 6, 8, 3, 3, 0, 1, 0), (2, 4, 5, 5, 4, 5, 1, 0, 2, 0),
        (2, 3, 7, 9, 4, 1, 3, 2, 1, 1), (3, 16, 7, 7, 24, 3, 1, 1, 1, 0), (2, 16, 8, 8, 16, 3, 1, 2, 1, 0),
        (1, 2, 3, 3, 2, 3, 1, 0, 1, 0), (2, 1, 12, 12, 4, 7, 3, 0, 1, 1), (2, 32, 9, 9, 16, 3, 2, 1, 1, 0),
    ]
    for case in cases:
        n, c, h, w, k, r, stride, padding, groups, bias = case
        x, wt = leaf(1, (n, c, h, w)), leaf(2, (k, c // groups, r, r))
        b = leaf(3, (k,)) if bias else None
        y = F.conv2d(x, wt, b, stride, padding, 1, groups)
        y.backward(uniform(4, y.shape))
        out.put(case, y, x.grad, wt.grad)
        if bias:
            out.put(b.grad)
    out.save("conv2d")


def conv2d_dilated():
    """N C H W K R S stride padding groups dilation bias; y dx dw [db]"""
    out = Record()
    cases = [(2, 3, 11, 9, 5, 3, 3, 1, 2, 1, 2, 1), (2, 16, 10, 12, 32, 3, 3, 1, 1, 1, 1, 1), (2, 16, 12, 12, 16, 3, 3, 1, 2, 1, 2, 0),
             (2, 4, 14, 9, 6, 1, 5, 1, 2, 2, 1, 1), (2, 4, 9, 14, 6, 5, 1, 1, 2, 1, 1, 0), (2, 24, 13, 12, 12, 3, 2, 3, 1, 4, 3, 1),
             (1, 1, 9, 9, 2, 2, 3, 2, 3, 1, 4, 1), (2, 40, 8, 7, 8, 3, 1, 2, 0, 1, 2, 0)]
    for case in cases:
        n, c, h, w, k, r, s, stride, padding, groups, dilation, bias = case
        x, wt = leaf(1, (n, c, h, w)), leaf(2, (k, c // groups, r, s))
        b = leaf(3, (k,)) if bias else None
        y = F.conv2d(x, wt, b, stride, padding, dilation, groups)
        y.backward(uniform(4, y.shape))
        out.put(case, y, x.grad, wt.grad)
        if bias:
            out.put(b.grad)
    out.save("conv2d_dilated")


def batchnorm():
    """N C H W (H = 0: two dimensions) training affine residual relu; y dx [dgamma dbeta] [dresidual] mean var"""
    out = Record()
    cases = [(5, 3, 0, 0, 1, 1, 0, 0), (5, 3, 0, 0, 0, 1, 0, 0), (5, 3, 0, 0, 1, 0, 0, 0), (3, 4, 5, 3, 1, 1, 0, 0),
             (3, 4, 5, 3, 0, 1, 0, 0), (3, 4, 5, 3, 1, 1, 0, 1), (3, 4, 5, 3, 1, 1, 1, 1), (3, 4, 5, 3, 0, 1, 1, 1),
             (2, 37, 3, 3, 1, 0, 1, 1), (64, 130, 0, 0, 1, 1, 0, 1)]
    for case in cases:
        n, c, h, w, training, affine, residual, relu = case
        shape = (n, c, h, w) if h else (n, c)
        x = leaf(1, shape, -1, 3)
        gamma, beta = (leaf(2, (c,), .5, 1.5), leaf(3, (c,))) if affine else (None, None)
        mean, var = uniform(4, (c,)), uniform(5, (c,), .5, 2)
        res = leaf(6, shape) if residual else None
        y = F.batch_norm(x, mean, var, gamma, beta, bool(training), .1, 1e-5)
        y = y + res if residual else y
        y = F.relu(y) if relu else y
        y.backward(uniform(7, shape))
        out.put(case, y, x.grad)
        for t in (gamma, beta, res):
            if t is not None:
                out.put(t.grad)
        out.put(mean, var)
    out.save("batchnorm")


def pool():
    """kind (0 max, 1 average, 2 global) N C H W kernel stride padding; y dx"""
    out = Record()
    cases = [(0, 2, 3, 7, 9, 3, 2, 1), (0, 2, 3, 8, 8, 2, 2, 0), (0, 2, 5, 7, 7, 3, 1, 1), (1, 2, 3, 7, 9, 3, 2, 1),
             (1, 2, 3, 8, 8, 2, 2, 0), (1, 1, 17, 6, 6, 3, 3, 0), (2, 3, 5, 7, 4, 0, 0, 0)]
    for case in cases:
        kind, n, c, h, w, kernel, stride, padding = case
        x = leaf(1, (n, c, h, w))
        if kind == 0:
            y = F.max_pool2d(x, kernel, stride, padding)
        else:
            y = F.avg_pool2d(x, kernel, stride, padding) if kind == 1 else F.adaptive_avg_pool2d(x, 1)
        y.backward(uniform(2, y.shape))
        out.put(case, y, x.grad)
    out.save("pool")


def linear():
    """N I O bias; y dx dw [db]"""
    out = Record()
    for case in [(3, 5, 4, 1), (7, 33, 17, 0), (1, 64, 10, 1)]:
        n, i, o, bias = case
        x, w = leaf(1, (n, i)), leaf(2, (o, i))
        b = leaf(3, (o,)) if bias else None
        y = F.linear(x, w, b)
        y.backward(uniform(4, y.shape))
        out.put(case, y, x.grad, w.grad)
        if bias:
            out.put(b.grad)
    out.save("linear")


def cross_entropy():
    """N K, label of row i is 7 i mod K; loss dlogits"""
    out = Record()
    for n, k, size in [(4, 3, 1), (9, 10, 5), (5, 100, 60)]:
        x = leaf(1, (n, k), -size, size)
        loss = F.cross_entropy(x, torch.arange(n) * 7 % k)
        loss.backward()
        out.put((n, k, size), loss, x.grad)
    out.save("cross_entropy")


def correlation(dialect, za, zb):
    """C as the authors' code computes it (by a batch norm without affine part), as printed in Algorithm 1 (dialect 1), or
    with the unbiased variance and an eps (dialect 3)."""
    n, d = za.shape
    if dialect == 1:
        za, zb = ((z - z.mean(0)) / z.std(0) for z in (za, zb))
    elif dialect == 3:
        za, zb = ((z - z.mean(0)) / (z.var(0) + 1e-5).sqrt() for z in (za, zb))
    else:
        norm = nn.BatchNorm1d(d, affine=False).double()
        za, zb = norm(za), norm(zb)
    return za.T @ zb / n


def loss():
    """dialect (0 paper, 1 algorithm1, 2 hsic) N D lambda; invariance redundancy total dza dzb C"""
    out = Record()
    for dialect in range(3):
        for n, d, lam in [(6, 4, .0051), (16, 16, .05), (8, 24, .0051), (12, 70, 1 / 128)]:
            shared = uniform(1, (n, d))
            za = (shared + uniform(2, (n, d))).requires_grad_()
            zb = (shared + uniform(3, (n, d))).requires_grad_()
            c = correlation(dialect, za, zb)
            off = c[~torch.eye(d, dtype=torch.bool)]
            invariance = (torch.diagonal(c) - 1).pow(2).sum()
            redundancy = (off + (dialect == 2)).pow(2).sum()
            total = invariance + lam * redundancy
            total.backward()
            out.put((dialect, n, d, lam), invariance, redundancy, total, za.grad, zb.grad, c)
    out.save("loss")


def loss_weighted():
    """dialect (as above, 3 unbiased) N D lambda weight-of-invariance dead; invariance redundancy total dza dzb C.
    The first `dead` units are constant in the first view; if `dead` is 2, the second unit is constant in both views."""
    out = Record()
    for dialect in (0, 3):
        for n, d, lam, weight, dead in [(6, 4, .0051, 1, 0), (8, 24, .05, 2.5, 0), (16, 5, .0051, .25, 0), (12, 70, 1 / 128, 0, 0),
                                        (8, 4, .0051, 1, 1), (8, 24, .05, 1, 1), (16, 5, .02, 3, 1), (9, 30, .0051, 1, 2), (16, 3, .5, 2, 2)]:
            shared = uniform(1, (n, d))
            za, zb = shared + uniform(2, (n, d)), shared + uniform(3, (n, d))
            za[:, :dead] = .5
            if dead == 2:
                zb[:, 1] = -.25
            za, zb = za.requires_grad_(), zb.requires_grad_()
            c = correlation(dialect, za, zb)
            off = c[~torch.eye(d, dtype=torch.bool)]
            invariance, redundancy = (torch.diagonal(c) - 1).pow(2).sum(), off.pow(2).sum()
            total = weight * invariance + lam * redundancy
            total.backward()
            out.put((dialect, n, d, lam, weight, dead), invariance, redundancy, total, za.grad, zb.grad, c)
    out.save("loss_weighted")


class Lars(torch.optim.Optimizer):
    """The optimiser of the Barlow Twins paper: parameters of one dimension get neither decay nor adaptation."""

    def __init__(self, groups, momentum, weight_decay, eta):
        super().__init__(groups, dict(momentum=momentum, weight_decay=weight_decay, eta=eta))

    @torch.no_grad()
    def step(self):
        for g in self.param_groups:
            for p in g["params"]:
                d = p.grad
                if p.ndim > 1:
                    d = d + g["weight_decay"] * p
                    a, b = p.norm(), d.norm()
                    d = d * (g["eta"] * a / b if a > 0 and b > 0 else 1)
                mu = self.state[p].setdefault("mu", torch.zeros_like(p))
                mu.mul_(g["momentum"]).add_(d)
                p.sub_(g["lr"] * mu)


class SoloLars(Lars):
    """solo-learn's form: weight decay is not part of the gradient's norm, and the factor is clipped to 1 / lr."""

    @torch.no_grad()
    def step(self):
        for g in self.param_groups:
            for p in g["params"]:
                d, a, b = p.grad, p.norm(), p.grad.norm()
                if p.ndim > 1 and a > 0 and b > 0:
                    trust = g["eta"] * a / (b + g["weight_decay"] * a + 1e-8)
                    d = (d + g["weight_decay"] * p) * min(trust / g["lr"], 1)
                mu = self.state[p].setdefault("mu", torch.zeros_like(p))
                mu.mul_(g["momentum"]).add_(d)
                p.sub_(g["lr"] * mu)


def optim():
    """kind (0 sgd, 1 nesterov, 2 lars, 3 adamw, 4 solo-learn's lars); the parameters after each of five steps"""
    out = Record()
    shapes = [(6, 5), (6,), (70, 3, 17, 9), (70,)]
    lr, lr_bias, wd = .1, .03, .02
    for kind in range(5):
        params = [leaf(10 + i, s) for i, s in enumerate(shapes)]
        weights, rest = [p for p in params if p.ndim > 1], [p for p in params if p.ndim == 1]
        groups = [dict(params=weights, lr=lr), dict(params=rest, lr=lr_bias)]
        if kind < 2:
            o = torch.optim.SGD(groups, lr, .9, weight_decay=wd, nesterov=kind == 1)
        elif kind == 2:
            o = Lars(groups, .9, wd, .02)
        elif kind == 4:
            o = SoloLars(groups, .9, wd, .053)
        else:
            groups[1]["weight_decay"] = 0.0
            o = torch.optim.AdamW(groups, lr, (.9, .99), 1e-8, wd)
        out.put((kind, lr, lr_bias, wd))
        for step in range(5):
            for i, p in enumerate(params):
                p.grad = uniform(100 + 10 * step + i, p.shape, -.5, .5)
            o.step()
            out.put(*(p.reshape(-1)[:40] for p in params))
    out.save("optim")


nearest = math.inf


def relu(x):
    global nearest
    nearest = min(nearest, float(x.abs().min()))
    return F.relu(x)


class Block(nn.Module):
    def __init__(self, bottleneck, cin, width, stride):
        super().__init__()
        cout = 4 * width if bottleneck else width
        plan = [(1, 1), (3, stride), (1, 1)] if bottleneck else [(3, stride), (3, 1)]
        c = cin
        for i, (kernel, s) in enumerate(plan, 1):
            k = cout if i == len(plan) else width
            setattr(self, f"conv{i}", nn.Conv2d(c, k, kernel, s, kernel // 2, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(k))
            c = k
        self.n, self.downsample = len(plan), None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        h = x
        for i in range(1, self.n + 1):
            h = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(h))
            h = relu(h) if i < self.n else h
        return relu(h + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    def __init__(self, depth, small, width, classes):
        super().__init__()
        stages = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}[depth]
        self.conv1 = nn.Conv2d(3, width, *((3, 1, 1) if small else (7, 2, 3)), bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        c, self.small = width, small
        for i, blocks in enumerate(stages):
            w, layer = width << i, []
            for j in range(blocks):
                layer.append(Block(depth == 50, c, w, 2 if i and not j else 1))
                c = 4 * w if depth == 50 else w
            setattr(self, f"layer{i + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(c, classes)

    def forward(self, x):
        x = relu(self.bn1(self.conv1(x)))
        x = x if self.small else F.max_pool2d(x, 3, 2, 1)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        return self.fc(x.mean((2, 3)))


def resnet_weights(net):
    """Fills the i-th entry of the state from stream 1000 + i: gamma in [.5, 1.5], beta in [-.2, .2], weights by fan-in."""
    for i, (name, t) in enumerate(net.state_dict().items()):
        if "running" in name or "tracked" in name:
            continue
        if t.ndim > 1:
            bound = math.sqrt((6 if t.ndim == 4 else 1) / (t.numel() / t.shape[0]))
            t.copy_(uniform(1000 + i, t.shape, -bound, bound))
        elif name.endswith("weight"):
            t.copy_(uniform(1000 + i, t.shape, .5, 1.5))
        else:
            t.copy_(uniform(1000 + i, t.shape, -.2, .2))


SAMPLES = 16


def resnet_pass(case, stream, dtype):
    depth, small, width, n, side = case
    net = ResNet(depth, bool(small), width, 10).to(dtype)
    resnet_weights(net)
    x = uniform(stream, (n, 3, side, side)).to(dtype).requires_grad_()
    y = net(x)
    y.backward(uniform(2, y.shape).to(dtype))
    return net, x, y


def best_input(case):
    """If the input of a ReLU is almost 0, rounding may change its sign, and the gradient then differs by up to 1e-2.
    Therefore, of several inputs (streams), this selects the one whose smallest absolute activation is largest."""
    global nearest
    distances = {}
    for stream in range(5000, 5024):
        nearest = math.inf
        resnet_pass(case, stream, torch.float64)
        distances[stream] = nearest
    best = max(distances, key=distances.get)
    print("resnet", case, "input stream", best, "no activation nearer to 0 than", distances[best])
    return best


def gradient_error(a, b):
    """The largest |ga - gb| / |gb| of all parameters."""
    pairs = zip(a.parameters(), b.parameters())
    return max(float((p.grad.double() - q.grad).norm() / q.grad.norm()) for p, q in pairs)


def resnet():
    """depth small width N side stream; y; for dx and for every parameter's gradient: its norm, its product with U(-1,1) of
    stream 3000 + its index (dx: 2999), and SAMPLES evenly spaced elements; running_mean and running_var of the last norm
    of layer4; y in evaluation mode"""
    out = Record()
    for case in [(18, 1, 64, 4, 16), (18, 0, 64, 4, 64), (50, 1, 8, 4, 16)]:
        stream = best_input(case)
        net, x, y = resnet_pass(case, stream, torch.float64)
        out.put(case, stream, y)
        for i, g in enumerate([x.grad] + [p.grad for p in net.parameters()]):
            flat = g.reshape(-1)
            step = max(1, flat.numel() // SAMPLES)
            out.put(flat.norm(), flat @ uniform(2999 + i, flat.shape), flat[::step][:SAMPLES])
        last = net.layer4[-1].bn3 if case[0] == 50 else net.layer4[-1].bn2
        out.put(last.running_mean, last.running_var)
        single = resnet_pass(case, stream, torch.float32)
        print("resnet", case, "PyTorch's own float32: forward off by",
              float((single[2] - y).abs().max() / y.abs().max()), "gradients by", gradient_error(single[0], net))
        out.put(net.eval()(x))
        with open(os.path.join(folder, f"resnet{case[0]}.names"), "w") as f:
            f.writelines(k + "\n" for k in net.state_dict())
    out.save("resnet")


if __name__ == "__main__":
    for make in (conv2d, conv2d_dilated, batchnorm, pool, linear, cross_entropy, loss, loss_weighted, optim, resnet):
        make()
