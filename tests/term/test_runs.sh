#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# barlow watch with a real trainer: two viewers of one run, either side killed, stored runs, one frame as text.
. "$SRCDIR/tests/term/setup.sh"
needs tmux
no_leak_check

LC_ALL=C.UTF-8
export LC_ALL
root=$dir/data/barlow/runs

report() {
	cat "$dir/out"
	screen a
	screen b
}

keys() { in_tmux send-keys -t "$@"; }
has() { screen "$1" | grep -qF -- "$2"; }

# watch PANE ARGUMENTS: in a terminal of 100 x 30, which then shows the status and stays
watch() {
	pane=$1
	shift
	in_tmux respawn-pane -k -t "$pane" \
		"unset NO_COLOR; TERM=tmux-256color '$BARLOW' watch $*; echo status=\$?; exec cat"
}
viewer() { pgrep -P "$(in_tmux display-message -p -t "$1" '#{pane_pid}')"; }

# tell WORDS: a field of the newest run
tell() { "$BARLOW" -e "print(runs()[1].$1)"; }
is() { [ "$(tell "$1")" = "$2" ]; }
later_than() { [ "$(tell step)" -gt "$1" ]; }
journaled() { tell message | grep -qF -- "$1"; }
saved() { [ -s "$(echo "$root"/slow-*/weights.safetensors)" ]; }

make_run() {
	cat <<-END
		local t = trainer{data = data.shapes{n = 256, size = 16, channels = 1}, batch = 64, projector = {32},
			encoder = nn.cnn{widths = {8, 16}, image = 16}, epochs = $2, name = "$1"}
		t:start():wait()
	END
}
# start NAME: a long run in the background
start() {
	make_run "$1" 25000 >"$dir/$1.lua"
	"$BARLOW" -t 1 "$dir/$1.lua" >"$dir/$1.log" 2>&1 &
	started=$!
}

in_tmux new-session -d -s a -x 100 -y 30 cat
in_tmux new-session -d -s b -x 100 -y 30 cat

echo "1..45"

check "no runs: reported, status 1" fails_with "there are no runs in $root" 1 watch
make_run past 3 >"$dir/past.lua"
check "a stored run is made" run 0 "$dir/past.lua"
check "... and shown as one frame" run 0 watch --once --size 80x24
check "... with its name and state" says "past  ● done  step 12/12"
rows() {
	[ "$(wc -l <"$dir/out")" -eq 24 ] && ! grep -q '.\{81\}' "$dir/out" && ! grep -q "$(printf '\033')" "$dir/out"
}
check "... 24 rows of at most 80 columns, without escapes" rows
check "... but not one that is too small" fails_with "a frame needs 40 x 12 cells, not 39 x 24" 1 watch --once --size 39x24
check "an unknown run: reported with the existing ones, status 1" fails_with "no run named nope; runs: past-2" 1 watch nope
check "an unknown option: status 2" fails_with "unknown option '--nope'" 2 watch --nope
check "an invalid size: status 2" fails_with "got '80'" 2 watch --size 80
check "two runs: status 2" fails_with "'two'" 2 watch one two
check "no terminal: reported, status 1" fails_with "cannot draw: standard input is not a terminal" 1 watch past
check "--help" fails_with "usage: barlow watch" 0 watch --help
check "barlow --help names it" fails_with "barlow watch" 0 --help

watch a past
check "a stored run is replayed" shows a "● done"
keys a q
check "... and q ends with status 0" shows a "status=0"

start slow
check "a run that starts is alive" until_true is alive true
check "... and makes steps" until_true later_than 3
check "only the user can read its folder" [ "$(stat -c %a "$root"/slow-*)" = 700 ]
watch a
check "the newest training run is watched" shows a "● running"
watch b slow --read-only
check "a second viewer, by name" shows b "● running"
keys b Space
check "--read-only: no key changes the run" shows b "read-only: the key Space is disabled"

kill -KILL "$(viewer a)"
check "the first viewer is killed" shows a "status=137"
at=$(tell step)
check "... and the run goes on" until_true later_than "$((at + 3))"
check "... and so does the other view" has b "● running"

watch a slow
shows a "● running" >/dev/null
keys a Space
check "paused from another process" until_true is state paused
check "... which both viewers show" shows b "● paused"
keys a c
check "a checkpoint is written on request" until_true saved
check "... and journaled" until_true journaled "checkpoint saved"
keys a 7
check "the table of runs has both" shows a "2 runs, 1 in progress"
keys a j Enter
check "Enter opens the one below" shows a "past  ● done"
keys a 7
shows a "2 runs, 1 in progress" >/dev/null
click=$(printf '\033[M %%%%\033[M#%%%%') # press and release in the fifth row
keys a -l "$click"
check "a click on a run selects it" shows a ">   slow"
keys a -l "$click"
check "a click on the selected one opens it" shows a "slow  ● paused"
keys a 7 j Enter
shows a "past  ● done" >/dev/null
keys a 7 BSpace
check "Backspace returns to the first run" shows a "slow  ● paused"
keys a Space
check "... where keys still have an effect" until_true is state running

kill -KILL "$started"
check "the trainer is killed: its viewers report it" shows a "has ended; this is its last state"
check "... and keep their last picture" shows b "● KILLED  step"
check "one frame of it reports it, too" fails_with "● KILLED" 0 watch --once --size 80x24 slow
wait "$started" 2>/dev/null
started=
check "runs() says it was killed" is state killed
keys a q
check "q ends with status 0" shows a "status=0"
"$BARLOW" resume -t 1 --plain slow >"$dir/out" 2>&1 </dev/null &
started=$!
check "it is resumed: a viewer that is still open follows it" shows b "slow  ● running"
keys b Space
check "... and is read-only, as before" shows b "read-only: the key Space is disabled"
check "barlow stop stops it, and reports the step" run 0 stop slow
check "... after it has ended" says "slow: stopped at step"
wait "$started"
check "... with status 0" [ $? -eq 0 ]
started=
check "a run that is not training cannot be stopped" fails_with "slow is not running: it is stopped at step" 1 stop slow
