#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what a viewer in a terminal costs the run that it shows, and how soon it answers keys.

    attached.py [--dims D] [--seconds S] [--block S] [--keys N] BARLOW

Short blocks with the same number of steps of one run are timed in turns for S seconds: without a viewer, while
`barlow watch` shows the dashboard on a terminal of 120 x 40, without a viewer, while it shows the heatmap, and so on.
The time of a watched block is divided by the mean of its two neighbours, so that slow drift of the machine's speed
cancels.  Printed are the median of these ratios, a 95% confidence interval of the median (from order statistics,
without assumptions about the noise), and the quartiles.  The time of a block includes the work of the viewer and of
the terminal.

Other measures depend less on other load: the time of snapshots in the trainer's profile, relative to all other time;
the CPU time of the viewer as a share of all cores; and the same ratios for the CPU time of run and viewer together.

Then the run continues, and keys are sent to the viewer.  The answer to a key is the first output that contains a word
of the view that the key opens.
"""
import argparse, fcntl, math, os, pty, re, select, statistics, struct, subprocess, tempfile, termios, threading, time

SCRIPT = """
local native = require "barlow.native"
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
local function snapshots()
	local rows, wall = native.profile_rows()
	local booked = 0
	for _, r in ipairs(rows) do booked = booked + (r.op == "snapshot" and r.forward or 0) end
	return booked / (wall - booked)
end
for line in io.lines() do
	local from = reach(now() + 1)
	native.profile_start()
	print "begin"
	io.stdout:flush()
	reach(from + tonumber(line))
	native.profile_stop()
	print("done", snapshots())
	io.stdout:flush()
end
"""
WAYS = {"dashboard": b"", "heatmap": b"2"}
FORGOTTEN = 3.2  # seconds until a run no longer serves the requests of a viewer that has ended
ANSWERS = {b"?": rb"augmented|singular", b"2": rb"colours|linear|freeze", b"4": rb"eigenvalues|covariance",
           b"1": rb"dashboard|floor|within"}


def processor_time(pid):
    """CPU seconds of a process with one thread."""
    with open(f"/proc/{pid}/schedstat") as f:
        return int(f.read().split()[0]) / 1e9


def all_threads(pid):
    """CPU seconds of all threads of a process, with a resolution of 1/100 s."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Viewer:
    """barlow watch on a pseudo-terminal; its output is read and counted."""

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
        """Reads output until it matches the pattern; returns the seconds until then, or None at the time limit."""
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
        """Waits for a line that starts with the word; returns the time and the rest of the line."""
        while not (line := self.process.stdout.readline()).startswith(word):
            if not line:
                raise SystemExit("attached: the run has ended")
        return time.monotonic(), line[len(word):].strip()

    def steps(self, n, viewer=None):
        """Makes n steps.  Returns their seconds; time of snapshots / all other time; the viewer's share of all cores;
        CPU seconds of run and viewer."""
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        start = self.wait_for("begin")[0]
        used, own = processor_time(viewer.pid) if viewer else 0, all_threads(self.process.pid)
        end, snapshots = self.wait_for("done")
        used = processor_time(viewer.pid) - used if viewer else 0
        own = all_threads(self.process.pid) - own
        return end - start, float(snapshots), used / (end - start) / os.cpu_count(), own + used


def alone(run, n):
    run.steps(2)
    return run.steps(n)


def watched(run, barlow, keys, n):
    """Makes n steps with a viewer.  Returns the results of Run.steps, and the bytes per second to the terminal."""
    viewer = Viewer(barlow, run.live, keys)
    reader = threading.Thread(target=viewer.drain)
    reader.start()
    run.steps(2)
    before = viewer.bytes
    took = run.steps(n, viewer)
    rate = (viewer.bytes - before) / took[0]
    viewer.over = True
    reader.join()
    viewer.close()
    time.sleep(FORGOTTEN if keys else 0)
    return took, rate


def interval(values):
    """Returns a confidence interval of the median (level at least 95%): the k-th smallest and k-th largest value."""
    v, n, k, tail = sorted(values), len(values), 0, 0.0
    while k < n // 2 and 2 * (tail + math.comb(n, k) / 2 ** n) <= .05:
        tail += math.comb(n, k) / 2 ** n
        k += 1
    return (v[k - 1], v[n - k]) if k else (-math.inf, math.inf)


def tell_ratio(what, ratio):
    low, high = interval(ratio)
    quarters = statistics.quantiles(ratio, n=4)
    print(f"{what}: median {statistics.median(ratio):+.2f}%, 95% interval {low:+.2f}% to {high:+.2f}%, middle half "
          f"{quarters[0]:+.2f}% to {quarters[2]:+.2f}%, {len(ratio)} pairs", flush=True)


def tell(way, blocks, ratio, processor):
    """blocks: for each block, the results of Run.steps and the bytes per second to the terminal."""
    tell_ratio(f"{way}, wall time", ratio)
    tell_ratio(f"{way}, processor time of run and viewer", processor)
    mean = [statistics.mean(column) for column in zip(*blocks)]
    print(f"{way}: snapshots {100 * mean[1]:.2f}% of the rest, viewer {100 * mean[2]:.2f}% of all cores, "
          f"{mean[4] / 1e3:.0f} kB/s to the terminal", flush=True)


def costs(run, o):
    ratio, processor, seen = ({w: [] for w in WAYS} for _ in range(3))
    run.steps(5)
    n = max(4, round(o.block * 10 / run.steps(10)[0]))
    end, unseen = time.monotonic() + o.seconds, [alone(run, n)]
    while time.monotonic() < end or len(unseen) < 5:
        for way, keys in WAYS.items():
            took, rate = watched(run, o.barlow, keys, n)
            before, after = unseen[-1], alone(run, n)
            ratio[way].append(100 * (2 * took[0] / (before[0] + after[0]) - 1))
            processor[way].append(100 * (2 * took[3] / (before[3] + after[3]) - 1))
            seen[way].append(took + (rate,))
            unseen.append(after)
    print(f"D {o.dims}, batch 256, CNN: {1e3 * statistics.median(u[0] for u in unseen) / n:.1f} ms a step, blocks of "
          f"{n}; unwatched: snapshots {100 * statistics.mean(u[1] for u in unseen):.2f}% of the rest", flush=True)
    for way in WAYS:
        tell(way, seen[way], ratio[way], processor[way])


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
