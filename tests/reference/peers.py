#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares barlow with PyTorch and with the formulas that its peers published, and writes the table in docs/peers.md.

    python3 tests/reference/peers.py BARLOW [OUT]        (make peers)

Every case is computed three times: by barlow, by PyTorch in float32, and by PyTorch in float64, which is the reference.
The table has the largest differences of barlow and of PyTorch in float32 from the reference.  The difference of an array
is its largest absolute difference, relative to the largest value of the reference.  The peers' formulas are implemented
again here; none of their code is used.
"""
import math
import os
import platform
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(14)
torch.set_num_threads(2)
F64, F32 = torch.float64, torch.float32


class Comparison:
    """All cases: for each one a Lua text and the same computation in PyTorch."""

    def __init__(self, folder):
        self.folder, self.lua, self.cases, self.files = folder, [], [], 0

    def put(self, array):
        """Stores an input; returns the Lua expression that loads it."""
        self.files += 1
        np.save(f"{self.folder}/in{self.files}.npy", np.ascontiguousarray(array, dtype="<f4"))
        return f'tensor.load(folder .. "/in{self.files}.npy")'

    def add(self, row, name, lua, truth, single=None):
        """lua returns a list of tensors; truth and single are functions of a dtype that return as many arrays."""
        number = len(self.cases)
        self.lua.append(f"save({number}, function() {lua} end)")
        self.cases.append((row, name, truth, single or truth))

    def run(self, barlow):
        script = f"{self.folder}/cases.lua"
        with open(script, "w") as f:
            f.write(f"local folder = {self.folder!r}\n" + """
local function save(number, f)
	for i, t in ipairs(f()) do t:detach():save(("%s/out%d.%d.npy"):format(folder, number, i)) end
end
local function leaf(t) return t:requires_grad(true) end
local function back(y, seed) (y * seed):sum():backward() end
""" + "\n".join(self.lua) + "\n")
        subprocess.run([barlow, script], check=True)

    def outputs(self, number):
        found = []
        while os.path.exists(path := f"{self.folder}/out{number}.{len(found) + 1}.npy"):
            found.append(np.load(path).astype(np.float64))
        return found


def off_by(got, want):
    """Largest difference relative to the largest value of want; infinite if NaNs of got and want are at different positions."""
    want = np.asarray(want, dtype=np.float64)
    got = np.asarray(got, dtype=np.float64).reshape(want.shape)
    if not np.isfinite(want).all():
        return 0.0 if np.array_equal(np.isnan(want), np.isnan(got)) else math.inf
    scale = np.abs(want).max() if want.size else 0.0
    worst = np.abs(got - want).max() if want.size else 0.0
    return float(worst / scale) if scale > 0 else float(worst)


def arrays(things):
    return [t.detach().double().numpy() if torch.is_tensor(t) else np.asarray(t, np.float64) for t in things]


# --- Losses --------------------------------------------------------------------------------------------------

def off_diagonal(c):
    return c[~torch.eye(len(c), dtype=torch.bool)]


def batch_norm(z, eps=1e-5):
    return F.batch_norm(z, None, None, None, None, True, 0.0, eps)


def unbiased(z, eps=0.0):
    return (z - z.mean(0)) / (z.var(0, unbiased=True) + eps).sqrt()


def barlow_twins(normalise, target=0.0):
    """C = zA^T zB / N of normalised views; sum (1 - C_ii)^2 and lambda sum (C_ij - target)^2."""
    def loss(za, zb, lam, invariance=1.0):
        c = normalise(za).T @ normalise(zb) / len(za)
        return invariance * (torch.diagonal(c) - 1).pow(2).sum() + lam * (off_diagonal(c) - target).pow(2).sum()
    return loss


# name in the table, barlow's dialect, the published formula
DIALECTS = [
    ("the authors' and solo-learn's (batch norm, eps 1e-5)", "paper", barlow_twins(batch_norm)),
    ("the paper's listing, lightly's (unbiased std)", "algorithm1", barlow_twins(unbiased)),
    ("unbiased variance, eps 1e-5", "unbiased", barlow_twins(lambda z: unbiased(z, 1e-5))),
    ("HSIC's target of -1, with the authors' batch norm", "hsic", barlow_twins(batch_norm, -1.0)),
]


def embeddings(n, d, kind):
    """Two similar views; the kinds are inputs on which implementations fail."""
    shared, own = rng.normal(size=(n, d)), rng.normal(size=(2, n, d))
    z = shared + .5 * own
    if kind == "offset":
        z = z + 1000 * rng.normal(size=d)
    if kind == "scales":
        z = z * 10.0 ** rng.uniform(-3, 3, size=d)
    if kind == "dead in one":
        z[0][:, 0] = 3
    if kind == "dead in both":
        z[:, :, 0] = 3
    if kind == "almost dead":
        z[0][:, 0] = 3 + 1e-3 * rng.normal(size=n)
    return z.astype(np.float32)


def losses(c):
    shapes = [(4, 3), (16, 16), (129, 40), (64, 300), (300, 64), (1000, 17)]
    for label, dialect, formula in DIALECTS:
        for kind in ("plain", "offset", "scales", "dead in one", "dead in both", "almost dead"):
            if dialect == "algorithm1" and kind in ("dead in one", "dead in both"):
                continue  # 0/0 in the listing; see TAIL
            for n, d in shapes:
                for form in ("direct", "gram"):
                    for lam in (.0051, .5):
                        loss_case(c, label, dialect, formula, kind, n, d, form, lam)


def loss_case(c, label, dialect, formula, kind, n, d, form, lam):
    z = embeddings(n, d, kind)
    weight = 1.0 if lam < .1 else 2.5
    a, b = c.put(z[0]), c.put(z[1])

    def truth(dtype):
        t = [torch.tensor(v, dtype=dtype, requires_grad=True) for v in z]
        value = formula(t[0], t[1], lam, weight)
        value.backward()
        return arrays([value, t[0].grad, t[1].grad])
    c.add(f"loss, {dialect}: {label}", f"N {n}, D {d}, {kind}, {form}, lambda {lam}, invariance {weight}",
          f'local a, b = leaf({a}), leaf({b}); local l = loss.barlow{{lambda = {lam}, invariance = {weight}, '
          f'dialect = "{dialect}", form = "{form}"}}(a, b); l:backward(); return {{l, a.grad, b.grad}}', truth)


# --- Batch norm ----------------------------------------------------------------------------------------------

def norms(c):
    for n in (129, 256, 500, 1000):
        for offset in (0, 100, 10000):
            for eps in (1e-3, 1e-5, 1e-8):
                for spread in (1, 1e-2, 0):
                    norm_case(c, n, 12, None, offset, eps, spread)
    for offset in (0, 100):
        for eps in (1e-5, 1e-8):
            norm_case(c, 16, 5, 7, offset, eps, 1)


def norm_case(c, n, channels, side, offset, eps, spread):
    shape = (n, channels, side, side) if side else (n, channels)
    along = (1, channels, 1, 1) if side else (1, channels)
    x = (rng.normal(size=shape) * spread + offset * rng.normal(size=along)).astype(np.float32)
    gamma, beta = rng.uniform(.5, 1.5, channels).astype(np.float32), rng.normal(size=channels).astype(np.float32)
    seed = rng.normal(size=shape).astype(np.float32)

    def compute(dtype):
        t = [torch.tensor(v, dtype=dtype, requires_grad=True) for v in (x, gamma, beta)]
        mean, var = torch.zeros(channels, dtype=dtype), torch.ones(channels, dtype=dtype)
        y = F.batch_norm(t[0], mean, var, t[1], t[2], True, .1, eps)
        (y * torch.tensor(seed, dtype=dtype)).sum().backward()
        return arrays([y, t[0].grad, t[1].grad, t[2].grad, mean, var])
    lua = (f"local m = nn.batchnorm{'2d' if side else '1d'}({channels}, {{eps = {eps}}}); local p = {{}}; "
           f"for _, t in m:parameters() do p[#p + 1] = t end; for _, t in m:buffers() do p[#p + 1] = t end; "
           f"p[1]:copy_({c.put(gamma)}); p[2]:copy_({c.put(beta)}); local x = leaf({c.put(x)}); local y = m(x); "
           f"back(y, {c.put(seed)}); return {{y, x.grad, p[1].grad, p[2].grad, p[3], p[4]}}")
    row = "batch norm, (N, C, H, W)" if side else "batch norm, constant channels" if not spread else "batch norm, (N, C)"
    c.add(row, f"N {n}, C {channels}, offset {offset}, spread {spread}, eps {eps}", lua, compute)


# --- Convolutions --------------------------------------------------------------------------------------------

def convolutions(c):
    # N C H W K (kh, kw) stride padding dilation groups bias
    cases = [(3, 3, 15, 13, 8, (3, 3), 1, 1, 1, 1, 1), (3, 16, 9, 11, 24, (3, 3), 2, 1, 1, 1, 0), (2, 16, 12, 12, 32, (3, 3), 1, 1, 1, 1, 1),
             (2, 16, 12, 12, 32, (3, 3), 1, 2, 2, 1, 1), (2, 3, 17, 19, 6, (3, 3), 2, 2, 2, 1, 1), (2, 4, 14, 9, 6, (1, 5), 1, 2, 1, 2, 1),
             (2, 4, 14, 9, 6, (5, 1), 1, 2, 1, 1, 0), (2, 24, 20, 20, 12, (3, 2), 3, 1, 3, 4, 1), (1, 1, 28, 28, 4, (7, 7), 3, 3, 1, 1, 1),
             (2, 32, 8, 8, 32, (1, 1), 1, 0, 1, 1, 1), (2, 64, 8, 8, 64, (3, 3), 1, 1, 1, 1, 1), (2, 6, 10, 10, 6, (3, 3), 1, 4, 4, 6, 1)]
    for _ in range(60):
        groups, stride, padding, dilation = (int(rng.integers(1, m)) for m in (4, 4, 4, 4))
        kernel = tuple(int(v) for v in rng.integers(1, 5, 2))
        side = [int(v) for v in rng.integers(dilation * 3 + 1, 20, 2)]
        cases.append((int(rng.integers(1, 4)), groups * int(rng.integers(1, 20)), *side, groups * int(rng.integers(1, 20)), kernel, stride,
                      padding, dilation, groups, int(rng.integers(0, 2))))
    for _ in range(12):
        k = [16 * int(v) for v in rng.integers(1, 6, 2)]
        side = [int(v) for v in rng.integers(3, 15, 2)]
        cases.append((2, k[0], *side, k[1], (3, 3), 1, int(rng.integers(0, 3)), 1, 1, int(rng.integers(0, 2))))
    for case in cases:
        conv_case(c, case, "gather")
        if case[5:7] == ((3, 3), 1) and case[8:10] == (1, 1) and case[1] % 16 == 0 and case[4] % 16 == 0:
            conv_case(c, case, "winograd")


def conv_case(c, case, algorithm):
    n, channels, h, w, k, kernel, stride, padding, dilation, groups, bias = case
    x = rng.normal(size=(n, channels, h, w)).astype(np.float32)
    wt = rng.normal(size=(k, channels // groups) + kernel).astype(np.float32)
    b = rng.normal(size=k).astype(np.float32)
    with torch.no_grad():
        out = F.conv2d(torch.tensor(x), torch.tensor(wt), None, stride, padding, dilation, groups).shape
    seed = rng.normal(size=tuple(out)).astype(np.float32)

    def compute(dtype):
        t = [torch.tensor(v, dtype=dtype, requires_grad=True) for v in (x, wt, b)]
        y = F.conv2d(t[0], t[1], t[2] if bias else None, stride, padding, dilation, groups)
        (y * torch.tensor(seed, dtype=dtype)).sum().backward()
        return arrays([y, t[0].grad, t[1].grad] + ([t[2].grad] if bias else []))
    lua = (f"local m = nn.conv2d({channels}, {k}, {{{kernel[0]}, {kernel[1]}}}, {{stride = {stride}, padding = {padding}, dilation = {dilation}, "
           f"groups = {groups}, bias = {'true' if bias else 'false'}, algorithm = '{algorithm}'}}); local p = {{}}; "
           f"for _, t in m:parameters() do p[#p + 1] = t end; p[1]:copy_({c.put(wt)}); "
           + (f"p[2]:copy_({c.put(b)}); " if bias else "") +
           f"local x = leaf({c.put(x)}); local y = m(x); back(y, {c.put(seed)}); return {{y, x.grad, p[1].grad{', p[2].grad' if bias else ''}}}")
    c.add(f"convolution, {algorithm}", "N %d, C %d, %d x %d, K %d, kernel %s, stride %d, padding %d, dilation %d, groups %d, bias %d"
          % case, lua, compute)


# --- Optimisers ----------------------------------------------------------------------------------------------

def lars(clipped):
    """The authors' form, or solo-learn's, which has separate norms and clips the factor."""
    def step(p, g, state, lr, wd, eta):
        d = g
        if p.ndim > 1:
            a, b = p.norm(), g.norm()
            d = g + wd * p
            if clipped:
                d = d * min(float(eta * a / (b + wd * a + 1e-8)) / lr, 1)
            else:
                d = d * (eta * a / d.norm())
        state["mu"] = .9 * state.get("mu", torch.zeros_like(p)) + d
        return p - lr * state["mu"]
    return step


def run_torch(make, p0, grads, dtype):
    params = [torch.tensor(v, dtype=dtype, requires_grad=True) for v in p0]
    o = make(params)
    for step in grads:
        for p, g in zip(params, step):
            p.grad = torch.tensor(g, dtype=dtype)
        o.step()
    return arrays(params)


def run_lars(step, p0, grads, dtype, settings):
    params, states = [torch.tensor(v, dtype=dtype) for v in p0], [{} for _ in p0]
    for gs in grads:
        params = [step(p, torch.tensor(g, dtype=dtype), s, *settings) for p, g, s in zip(params, gs, states)]
    return arrays(params)


def optimisers(c):
    def sgd(**s):
        return lambda params: torch.optim.SGD(params, **s)

    def adamw(**s):
        return lambda params: torch.optim.AdamW(params, eps=1e-8, **s)
    cases = [
        ("SGD", "optim.sgd", "lr = .1, momentum = .9", sgd(lr=.1, momentum=.9)),
        ("SGD", "optim.sgd", "lr = .1, momentum = .9, nesterov = true, weight_decay = .01",
         sgd(lr=.1, momentum=.9, nesterov=True, weight_decay=.01)),
        ("SGD", "optim.sgd", "lr = .1, momentum = 0", sgd(lr=.1)),
        ("AdamW", "optim.adamw", "lr = .01, decay_all = true", adamw(lr=.01, weight_decay=.01)),
        ("AdamW", "optim.adamw", "lr = .01, weight_decay = .3, beta1 = .8, beta2 = .95, decay_all = true",
         adamw(lr=.01, weight_decay=.3, betas=(.8, .95))),
        ("LARS, the authors' form", "optim.lars", "lr = .2, lr_bias = 0, weight_decay = 1e-3, eta = .02", (lars(False), .2, 1e-3, .02)),
        ("LARS, solo-learn's form", "optim.lars", "lr = .3, lr_bias = 0, weight_decay = 1e-3, eta = .02, clip = true, apart = true",
         (lars(True), .3, 1e-3, .02)),
        ("LARS, solo-learn's form", "optim.lars", "lr = .003, lr_bias = 0, weight_decay = 1e-3, eta = .02, clip = true, apart = true",
         (lars(True), .003, 1e-3, .02)),
    ]
    for row, maker, settings, how in cases:
        p0 = [rng.normal(size=s).astype(np.float32) for s in ((7, 5), (7,), (3, 4, 3, 3))]
        grads = [[rng.normal(size=p.shape).astype(np.float32) for p in p0] for _ in range(20)]
        lua = [f"local p = {{{', '.join(f'leaf({c.put(p)})' for p in p0)}}}; local o = {maker}{{params = p, {settings}}}; local g"]
        for step in grads:
            lua.append(f"g = {{{', '.join(c.put(g) for g in step)}}}; o:zero_grad(); "
                       "for i = 1, 3 do back(p[i], g[i]) end; o:step()")
        if isinstance(how, tuple):
            def compute(dtype, how=how, p0=p0, grads=grads):
                return run_lars(how[0], p0, grads, dtype, how[1:])
        else:
            def compute(dtype, how=how, p0=p0, grads=grads):
                return run_torch(how, p0, grads, dtype)
        c.add("optimiser, " + row, settings + ", 20 steps", "; ".join(lua) + "; return p", compute)


# --- Operators -----------------------------------------------------------------------------------------------

def operators(c):
    # an expression in x and y, in Lua and in PyTorch, and 1 if x and y have to be positive; gradients are computed for both
    cases = [
        ("x:mm(y:t())", lambda x, y: x @ y.T, 0), ("x + y", lambda x, y: x + y, 0), ("x * y", lambda x, y: x * y, 0),
        ("x / y", lambda x, y: x / y, 1), ("x:exp() + y", lambda x, y: x.exp() + y, 0), ("x:log() * y", lambda x, y: x.log() * y, 1),
        ("x:sqrt() - y", lambda x, y: x.sqrt() - y, 1), ("x:tanh() * y", lambda x, y: x.tanh() * y, 0),
        ("x:sigmoid() * y", lambda x, y: x.sigmoid() * y, 0), ("x:relu() * y", lambda x, y: x.relu() * y, 0),
        ("x:pow(2.5) + y", lambda x, y: x.pow(2.5) + y, 1), ("x:clamp(-.5, .5) * y", lambda x, y: x.clamp(-.5, .5) * y, 0),
        ("x:maximum(y)", torch.maximum, 0), ("x:abs() * y", lambda x, y: x.abs() * y, 0),
        ("x:mean(1) * y", lambda x, y: x.mean(0) * y, 0), ("x:var(1) * y", lambda x, y: x.var(0) * y, 0),
        ("x:std(2):unsqueeze(2) * y", lambda x, y: x.std(1, keepdim=True) * y, 0), ("x:cumsum(1) * y", lambda x, y: x.cumsum(0) * y, 0),
        ("x:norm() * y", lambda x, y: x.norm() * y, 0), ("x:sort(2) * y", lambda x, y: x.sort(1)[0] * y, 0),
        ("x:flip(2) * y", lambda x, y: x.flip(1) * y, 0),
        ("tensor.cat({x, y}, 2)", lambda x, y: torch.cat([x, y], 1), 0), ("tensor.stack({x, y}, 1)", lambda x, y: torch.stack([x, y], 0), 0),
        ("x:t():mm(x):solve(y:t():mm(y))", None, 0),
    ]
    for text, f, positive in cases:
        f = f or (lambda x, y: torch.linalg.solve(x.T @ x, y.T @ y))
        for shape in ((9, 5), (200, 31)):
            x, y = (rng.normal(size=shape) for _ in range(2))
            if positive:
                x, y = np.abs(x) + .1, np.abs(y) + .1
            x, y = x.astype(np.float32), y.astype(np.float32)
            seed = rng.normal(size=tuple(f(torch.tensor(x), torch.tensor(y)).shape)).astype(np.float32)

            def compute(dtype, f=f, x=x, y=y, seed=seed):
                t = [torch.tensor(v, dtype=dtype, requires_grad=True) for v in (x, y)]
                out = f(*t)
                (out * torch.tensor(seed, dtype=dtype)).sum().backward()
                return arrays([out, t[0].grad, t[1].grad])
            c.add("operators", f"{text} of {shape}", f"local x, y = leaf({c.put(x)}), leaf({c.put(y)}); local out = {text}; "
                  f"back(out, {c.put(seed)}); return {{out, x.grad, y.grad}}", compute)


# --- The table -----------------------------------------------------------------------------------------------

def processor():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {len(names) or os.cpu_count()} processors seen"


def measure(c):
    rows = {}
    for number, (row, name, truth, single) in enumerate(c.cases):
        want, theirs, ours = truth(F64), single(F32), c.outputs(number)
        if len(ours) != len(want):
            sys.exit(f"{row}, {name}: {len(ours)} arrays, expected {len(want)}")
        entry = rows.setdefault(row, {"n": 0, "ours": (-1.0, ""), "theirs": -1.0})
        entry["n"] += 1
        mine = max(off_by(g, w) for g, w in zip(ours, want))
        entry["ours"] = max(entry["ours"], (mine, name))
        entry["theirs"] = max(entry["theirs"], max(off_by(g, w) for g, w in zip(theirs, want)))
    return rows


HEAD = """# barlow and its peers in numbers

Each case below was computed by barlow, by PyTorch in float32 and by PyTorch in float64. The table shows how far barlow
and PyTorch in float32 differ at most from PyTorch in float64, over values and gradients. The difference of two arrays
is the largest absolute difference of their elements, divided by the largest absolute value of the array in float64
unless that is 0. Losses are compared with the formulas that the peers published, implemented again in
[tests/reference/peers.py](../tests/reference/peers.py), which lists all cases; none of the peers' code is used. Image
operators are not in this table: the test suite compares them with torchvision and PIL.

"""

TAIL = """
Intended differences from a peer:

* The dialect `hsic` uses the authors' batch norm; the HSIC repository uses the unbiased standard deviation without an
  eps.
* A unit that is constant in one view gives NaN in the paper's listing and in the dialect `algorithm1`. A unit that is
  constant in both views gives NaN in the listing, but `algorithm1` ignores it; the row of `algorithm1` has no such
  cases.
* solo-learn's warm-up begins at a rate of 3e-5, barlow's at 0. The other numbers of `optim.solo` are those of
  solo-learn's recipe (scripts/pretrain/cifar/barlow.yaml, commit 9187ea3). The recipe does not state the momentum;
  solo/args/pretrain.py then sets 0.9 for LARS, whereas the default of its LARS class is 0.
"""


def table(rows, barlow):
    version = subprocess.run([barlow, "--version"], check=True, capture_output=True, text=True).stdout.split("\n")[0]
    out = [HEAD, f"Made by `make peers` with {version}, PyTorch {torch.__version__}, NumPy {np.__version__}, Python "
           f"{platform.python_version()}\non {processor()}.\n\n",
           "| what | cases | barlow | PyTorch float32 | barlow's worst case |\n| --- | ---: | ---: | ---: | --- |\n"]
    for row, e in rows.items():
        out.append(f"| {row} | {e['n']} | {e['ours'][0]:.1e} | {e['theirs']:.1e} | {e['ours'][1]} |\n")
    return "".join(out) + TAIL


def main():
    barlow = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        c = Comparison(folder)
        for part in (losses, norms, convolutions, optimisers, operators):
            part(c)
        c.run(barlow)
        text = table(measure(c), barlow)
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w") as f:
            f.write(text)
    else:
        print(text)


main()
