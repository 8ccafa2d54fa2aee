#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ThreadSanitizer on what has threads: a build of its own, the C tests of live file, mailbox, loader, monitor and trainer,
# a run that trains and saves itself while a viewer in another process shows it and changes its settings, a prompt at which
# lines are typed beside two runs (test_beside_runs.sh), and a sweep with two workers.  For `make tsan`, which takes some
# minutes.
# Usage: tsan.sh FOLDER    folder of the build; an earlier build in it is updated
set -u

SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRCDIR/tests/copy"
mkdir -p "$1" && build=$(cd "$1" && pwd) || exit 1
tests="tests/c/test_live tests/c/test_loader tests/c/test_monitor tests/c/test_trainer"
found=$build/found
socket=barlow-tsan-$$
in_tmux() { TMUX='' tmux -L "$socket" -f /dev/null "$@"; }
trap 'in_tmux kill-server 2>/dev/null' EXIT
trap 'exit 130' INT TERM

fail() {
	echo "tsan: $*" >&2
	exit 1
}

configure() {
	[ -f "$build/Makefile" ] && [ "$build/Makefile" -nt "$build/configure" ] && return 0
	(cd "$build" && ./configure CFLAGS="-O1 -g -fsanitize=thread" LDFLAGS="-fsanitize=thread") >"$build/configure.log" 2>&1
}

# Threads of the run, of its workers and of the script, and another process that reads the live file and sends commands.
watch_a_run() {
	cat >"$build/watched.lua" <<-'END'
		local ds = data.shapes{n = 128, size = 16, channels = 1, seed = 1}
		local refs, queries = ds:split(.5, 1)
		local t = trainer{data = ds, projector = {32}, batch = 32, steps = 60, name = "watched", checkpoint_every = .5, knn = {refs = refs, queries = queries},
			encoder = nn.sequential(nn.cnn{widths = {4, 8}, image = 16}, nn.func(function(x) return x:relu() end)),
			views = aug.compose(aug.crop{size = 16}, aug.func(function(x, rng) return x * rng:uniform(.5, 1) end))}
		t:start()
		while not t:wait(.2) do
			t:log{mood = t.iteration}
			if t.iteration > 20 and not measured then measured = t:eval{linear = false} end
			local _ = t.journal, t.records, t.message
		end
		assert(t.state == "done", t.message)
	END
	"$build/barlow" "$build/watched.lua" >"$build/watched.log" 2>&1 &
	run=$!
	in_tmux new-session -d -s t -x 160 -y 48 "'$build/barlow' watch watched || sleep 2; '$build/barlow' watch watched"
	while kill -0 "$run" 2>/dev/null; do
		for key in 2 t o z m 3 4 5 n r 6 1 + - e c; do
			in_tmux send-keys -t t "$key" && sleep 0.3
		done
	done
	wait "$run" || fail "the run ended with $?: $(tail -n 3 "$build/watched.log")"
	in_tmux send-keys -t t q
	sleep 1
	in_tmux kill-server 2>/dev/null
}

sweep_with_workers() {
	cat >"$build/sweep.lua" <<-'END'
		local s = sweep{name = "tsan", base = {data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8},
			projector = {8}, batch = 32, epochs = 2}, space = {["loss.lambda"] = {.005, .01}, ["optim.lr"] = {.1, .2}}, metric = "total", goal = "min", seeds = 2,
			jobs = 2}
		s:run()
		assert(s:best())
	END
	"$build/barlow" "$build/sweep.lua" >"$build/sweep.log" 2>&1 || fail "the sweep ended with $?: $(tail -n 3 "$build/sweep.log")"
}

copy_sources "$SRCDIR" "$build" || fail "the sources could not be copied to $build"
configure || fail "see $build/configure.log"
cd "$build" || exit 1
make -j"$(nproc)" barlow $tests >make.log 2>&1 || fail "it does not build: see $build/make.log"
rm -f "$found".*
TSAN_OPTIONS="log_path=$found exitcode=66" XDG_DATA_HOME=$build/data XDG_STATE_HOME=$build/state
export TSAN_OPTIONS XDG_DATA_HOME XDG_STATE_HOME
rm -rf data
TEST_TIMEOUT=1200 SRCDIR=$build BUILDDIR=$build sh tests/run $tests tests/term/test_beside_runs.sh
status=$?
if command -v tmux >/dev/null 2>&1; then
	watch_a_run
else
	echo "skipped: the run that is watched: tmux is not installed"
fi
sweep_with_workers
set -- "$found".*
[ ! -e "$1" ] || {
	cat "$@"
	fail "$# processes had something found in them"
}
exit $status
