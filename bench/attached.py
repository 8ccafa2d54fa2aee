#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a viewer in a terminal costs the run it looks at, and how soon it answers keys.

    attached.py [--dims D] [--steps N] [--rounds N] [--keys N] BARLOW

Of one run blocks of N steps are timed; during a block nobody looks, or `barlow watch` shows the dashboard on a
terminal of 120 x 40, or its heatmap.  The ways take turns; all of a block's time counts, the viewer's work too.
Then the run goes on with both cores busy while keys go to the viewer; an answer is the first output that holds a
word of the view that the key opens.
"""
import argparse, fcntl, os, pty, re, select, statistics, struct, subprocess, tempfile, termios, threading, time

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
WAYS = {"alone": None, "dashboard": b"", "heatmap": b"2"}
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


def block(run, barlow, keys, n):
    if keys is None:
        run.steps(2)
        return run.steps(n), 0
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
    return seconds, rate


def costs(run, o):
    ratio, alone, rates = {w: [] for w in WAYS}, [], {w: [] for w in WAYS}
    run.steps(5)
    for r in range(o.rounds):
        names = list(WAYS)[r % 3:] + list(WAYS)[:r % 3]
        got = {w: block(run, o.barlow, WAYS[w], o.steps) for w in names}
        alone.append(got["alone"][0])
        for w in WAYS:
            ratio[w].append(100 * (got[w][0] / got["alone"][0] - 1))
            rates[w].append(got[w][1] / 1e3)
    print(f"D {o.dims}, batch 256, CNN: {1e3 * statistics.median(alone) / o.steps:.1f} ms a step", flush=True)
    for w in ("dashboard", "heatmap"):
        print(f"{w}: median {statistics.median(ratio[w]):+.2f}%, {min(ratio[w]):+.2f}% to {max(ratio[w]):+.2f}%, "
              f"{statistics.median(rates[w]):.0f} kB/s to the terminal", flush=True)


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
    for name, value in ("dims", 512), ("steps", 30), ("rounds", 5), ("keys", 50):
        p.add_argument("--" + name, type=int, default=value)
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
