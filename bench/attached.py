#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a viewer in a terminal costs the run it looks at, and how soon it answers keys.

    attached.py [--dims D] [--seconds S] [--block S] [--keys N] BARLOW

Of one run short blocks of the same number of steps are timed: nobody looks, `barlow watch` shows the dashboard on a
terminal of 120 x 40, nobody, its heatmap, nobody, and so on for S seconds.  A watched block is held against the
mean of the two beside it, so that slow drift of the machine cancels; of these ratios the median is told, with the
interval that holds the true median in 95% of such measurements (order statistics; nothing is assumed about the
noise), and the middle half.  All of a block's time counts, the viewer's work and the terminal's too.
Then the run goes on with both cores busy while keys go to the viewer; an answer is the first output that holds a
word of the view that the key opens.
"""
import argparse, fcntl, math, os, pty, re, select, statistics, struct, subprocess, tempfile, termios, threading, time

SCRIPT = """
local D, folder = tonumber(arg[1]), arg[2]
local t = trainer{ data = data.shapes{ n = 2048, size = 28, channels = 1, seed = 5 },
	encoder = nn.cnn{ channels = 1, widths = { 16, 32, 64, 128 }, strides = { 1, 2, 2, 2 }, image = 28 }:init(1),
	projector = { 512, D }, views = aug.compose{ aug.crop{ size = 28 }, aug.flip(.5) }, name = "watched",
	loss = loss.barlow{ lambda = .005 }, optim = optim.adamw{ lr = 1e-3 }, batch = 256, epochs = 10000, seed = 1,
	folder = folder }
t:start()
local function now()
	return t.terms and t.terms.step or 0
end
local function reach(step)
	while now() < step do t:wait(.002) end
	return now()
end
for line in io.lines() do
	local from = reach(now() + 1)
	print "begin"
	io.stdout:flush()
	reach(from + tonumber(line))
	print "done"
	io.stdout:flush()
end
"""
WAYS = {"dashboard": b"", "heatmap": b"2"}
FORGOTTEN = 3.2  # seconds until a run no longer makes what a viewer that has left had asked for
ANSWERS = {b"?": rb"augmented|singular", b"2": rb"colours|linear|freeze", b"4": rb"eigenvalues|covariance",
           b"1": rb"dashboard|floor|within"}


class Viewer:
    """barlow watch on a terminal; what it writes is read at once, and kept."""

    def __init__(self, barlow, live, keys):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8")
            time.sleep(.1)
            os.execv(barlow, [barlow, "watch", live])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.bytes, self.over = 0, False
        self.read_for(1)
        os.write(self.fd, keys)

    def read_for(self, seconds, pattern=None):
        """Seconds until the pattern came, or None."""
        start, text = time.monotonic(), b""
        while (left := start + seconds - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                break
            try:
                chunk = os.read(self.fd, 65536)
            except OSError:  # the viewer has ended
                self.over = True
                break
            self.bytes += len(chunk)
            text = text + chunk if pattern else b""
            if pattern and re.search(pattern, text):
                return time.monotonic() - start
        return None

    def drain(self):
        while not self.over:
            self.read_for(.2)

    def close(self):
        os.write(self.fd, b"q")
        self.read_for(.3)
        os.kill(self.pid, 9)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


class Run:
    def __init__(self, barlow, dims, folder):
        script = os.path.join(folder, "run.lua")
        with open(script, "w") as f:
            f.write(SCRIPT)
        self.live = os.path.join(folder, "run")
        self.process = subprocess.Popen([barlow, script, str(dims), self.live], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def wait_for(self, word):
        while (line := self.process.stdout.readline()).strip() != word:
            if not line:
                raise SystemExit("attached: the run has ended")
        return time.monotonic()

    def steps(self, n):
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        start = self.wait_for("begin")
        return self.wait_for("done") - start


def alone(run, n):
    run.steps(2)
    return run.steps(n)


def watched(run, barlow, keys, n):
    """Seconds, and bytes a second to the terminal."""
    viewer = Viewer(barlow, run.live, keys)
    reader = threading.Thread(target=viewer.drain)
    reader.start()
    run.steps(2)
    before = viewer.bytes
    seconds = run.steps(n)
    rate = (viewer.bytes - before) / seconds
    viewer.over = True
    reader.join()
    viewer.close()
    time.sleep(FORGOTTEN if keys else 0)
    return seconds, rate


def interval(values):
    """Of the median, at 95% or more: the k-th smallest to the k-th largest."""
    v, n, k, tail = sorted(values), len(values), 0, 0.0
    while k < n // 2 and 2 * (tail + math.comb(n, k) / 2 ** n) <= .05:
        tail += math.comb(n, k) / 2 ** n
        k += 1
    return (v[k - 1], v[n - k]) if k else (-math.inf, math.inf)


def costs(run, o):
    ratio, rates, blocks = {w: [] for w in WAYS}, {w: [] for w in WAYS}, []
    run.steps(5)
    n = max(4, round(o.block * 10 / run.steps(10)))
    end, before = time.monotonic() + o.seconds, alone(run, n)
    while time.monotonic() < end or len(blocks) < 4:
        for way, keys in WAYS.items():
            seconds, rate = watched(run, o.barlow, keys, n)
            after = alone(run, n)
            ratio[way].append(100 * (2 * seconds / (before + after) - 1))
            rates[way].append(rate / 1e3)
            blocks.append(after)
            before = after
    print(f"D {o.dims}, batch 256, CNN: {1e3 * statistics.median(blocks) / n:.1f} ms a step, blocks of {n}", flush=True)
    for way, r in ratio.items():
        low, high = interval(r)
        quarters = statistics.quantiles(r, n=4)
        print(f"{way}: median {statistics.median(r):+.2f}%, 95% interval {low:+.2f}% to {high:+.2f}%, middle half "
              f"{quarters[0]:+.2f}% to {quarters[2]:+.2f}%, {len(r)} pairs; {statistics.median(rates[way]):.0f} kB/s "
              "to the terminal", flush=True)


def latency(run, o):
    viewer, seconds, missed = Viewer(o.barlow, run.live, b""), [], 0
    for k in range(o.keys):
        viewer.read_for(.15 + .017 * (k % 7))
        key = list(ANSWERS)[k % len(ANSWERS)]
        os.write(viewer.fd, key)
        answer = viewer.read_for(1, ANSWERS[key])
        missed += answer is None
        if answer is not None:
            seconds.append(1e3 * answer)
    viewer.close()
    seconds.sort()
    if seconds:
        print(f"{len(seconds)} keys: median {statistics.median(seconds):.1f} ms, 95% within "
              f"{seconds[int(.95 * (len(seconds) - 1))]:.1f} ms; {missed} without an answer that was known", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("barlow")
    for name, value in ("dims", 512), ("seconds", 130), ("keys", 40):
        p.add_argument("--" + name, type=int, default=value)
    p.add_argument("--block", type=float, default=2, help="seconds of a block")
    o = p.parse_args()
    o.barlow = os.path.abspath(o.barlow)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(o.barlow, o.dims, folder)
        try:
            costs(run, o)
            latency(run, o)
        finally:
            run.process.kill()
            run.process.wait()


if __name__ == "__main__":
    main()
