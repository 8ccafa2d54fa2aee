#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# If the end of a run cannot be saved, this is reported on standard error, in the run's record, and by the exit status.  And a
# process that is told to end saves its runs first.
. "$SRCDIR/tests/term/setup.sh"
pause=0.01 tries=12000
no_leak_check

cd "$dir" || exit 1

# ends STATUS ARGUMENTS: barlow ends with that status
ends() {
	want=$1
	shift
	"$BARLOW" "$@" >out 2>err </dev/null
	[ $? -eq "$want" ]
}
says() { [ "$(grep -c -- "$1" err)" = "${2-1}" ]; }
prints() { grep -q -- "$1" out; }
quiet() { ! grep -q "$1" out err; }

# lua FOLDER EPOCHS CODE
lua() {
	cat <<-END
		local ds = data.shapes{n = 128, size = 16, channels = 1}
		local t = trainer{data = ds, batch = 32, projector = {32}, encoder = nn.cnn{widths = {8, 16}, image = 16},
			epochs = $2, checkpoint_every = false, folder = "$dir/$1"}
		$3
	END
}

# A folder in the place of the checkpoint has the effect of a full disk, also for root.
blocked() { mkdir -p "$1/checkpoint.safetensors"; }
record_says() { "$BARLOW" watch --once --size 200x24 "$1" >out && prints "$2"; }
lost="the end of the run, step 8 of 8, was not saved: .*checkpoint.safetensors"

blocked foreground
lua foreground 2 't:run() print("goes on: " .. t.state)' >foreground.lua
check "the end of a run is not saved: status 1" ends 1 foreground.lua
check "... which standard error reports once" says "^barlow: run: $lost"
check "... the script continues, and the run is done" prints "goes on: done"
check "... and the record states it" record_says foreground "not saved: "
blocked background
lua background 2 't:start():wait()' >background.lua
check "the same for a run in the background" ends 1 background.lua
check "... which is reported once" says "$lost"
blocked left
lua left 1e4 't:start() while t.iteration == 0 do t:wait(.01) end' >left.lua
check "the same for a run that the script's end stops" ends 1 left.lua
check "... which is reported once" says "the end of the run, step .* was not saved"
blocked stopped
lua stopped 1e4 't:start() t:wait(.1) t:stop()' >stopped.lua
check "the same for a stopped run" ends 1 stopped.lua
check "... which is reported once" says "the end of the run, step .* was not saved"
blocked later
lua later 2 "t:run() os.remove('$dir/later/checkpoint.safetensors') t:checkpoint()" >later.lua
check "a run that is saved later is no failure" ends 0 later.lua
check "... though it was reported" says "$lost"

touch file
lua file/run 2 't:run() print("goes on: " .. t.state)' >nowhere.lua
check "a run that gets no folder trains, and the program ends with status 1" ends 1 nowhere.lua
check "... which standard error reports" says "^barlow: run: the end of the run, step 8 of 8, was not saved: .*file/run"
check "... the script continues, and the run is done" prints "goes on: done"
check "the same for the folder of all runs" env XDG_DATA_HOME="$dir/file" sh -c '
	sed "s/, folder = [^}]*}/}/" nowhere.lua >home.lua && ! "$BARLOW" home.lua >out 2>err'
check "... which standard error reports" says "^barlow: run: the end of the run, step 8 of 8, was not saved: .*file/barlow"
lua file/run 1e4 't:start() while t.iteration == 0 do t:wait(.01) end' >nowhere.lua
check "the same for a run that the script's end stops" ends 1 nowhere.lua
check "... which is reported once" says "the end of the run, step .* was not saved"
sed 's/folder = [^}]*/folder = false/' nowhere.lua >memory.lua
check "a run with folder = false is no failure" ends 0 memory.lua

lua gone 20 't:break_when(function() return true end):start():wait() os.execute("rm -r gone") t:break_when(nil):run()' >gone.lua
check "the folder was removed: status 1" ends 1 gone.lua
check "... which is reported" says "was not saved: its folder was removed"
lua again 1e4 't:break_when(function(v) return v.iteration == 20 end):start():wait() t:stop()' >again.lua
ends 0 again.lua
"$BARLOW" resume --plain again >out 2>err &
started=$!
until_true prints "resumed at step 20 of 40000"
rm again/weights.safetensors && mkdir again/weights.safetensors
stop_it() { "$BARLOW" stop again >/dev/null 2>&1; }
until_true stop_it # it says that it was resumed a moment before it goes on
resumed() {
	wait $started
	got=$?
	started=
	[ $got -eq "$1" ]
}
check "barlow resume whose end is not saved: status 1" resumed 1
check "... which is reported" says "the end of the run, step .* of 40000, was not saved: .*weights.safetensors"
check "... and nothing is reported as kept" quiet "kept in"

limited() (
	ulimit -f 20
	ends "$@"
)
check "a limit on the size of files gives a message" limited 1 -e 'tensor.rand(200, 200):save "a.npy"'
check "... that names the file" says "a.npy: cannot write .*: File too large"
check "a script under such a limit continues" limited 0 -e 'pcall(function() tensor.rand(200, 200):save "a.npy" end) print "on"'

# A closed pipe ends the program silently, as it does with other programs.
"$BARLOW" -e 'while true do print "again" end' 2>err | head -n 1 >out
check "a closed pipe ends a script that prints" prints again
check "... silently" [ ! -s err ]
lua piped 1e4 't:run()' >piped.lua
(
	"$BARLOW" piped.lua 2>err
	echo $? >status
) | head -n 1 >out
check "a closed pipe ends a run" grep -qx 141 status
check "... which is saved" says "barlow: run: stopped at step .*, saved"

# begin FOLDER: a run that continues until it is stopped
begin() {
	lua "$1" 1e4 "$2" >"$1.lua"
	"$BARLOW" "$1.lua" >out 2>err &
	started=$!
	until_true [ -s "$1/recipe.lua" ]
	until_true went_on "$1"
}
went_on() { "$BARLOW" watch --once "$1" 2>/dev/null | grep -qE "running|paused"; }
no_signal_waits() { ! grep -q '^S[hi][dg]Pnd:.*[1-9a-f]' "/proc/$started/status" 2>/dev/null; }
# killed STATUS SIGNAL...: sends the signals, each after the program has got the one before; the program ends with the status
killed() {
	want=$1
	shift
	for signal; do
		until_true no_signal_waits
		kill "-$signal" $started 2>/dev/null
	done
	wait $started
	got=$?
	started=
	[ $got -eq "$want" ]
}
begin term 't:run()'
check "SIGTERM ends a script with 143" killed 143 TERM
check "... its run is saved, which is reported" says "barlow: run: stopped at step .* of 40000, saved"
check "... and recorded" record_says term "stopped: the process got SIGTERM"
"$BARLOW" resume --plain term >out 2>err &
started=$!
until_true prints "resumed at step"
until_true went_on term
check "SIGHUP ends barlow resume with 129" killed 129 HUP
check "... its run saved" says "stopped at step .*, saved"
begin both 'local t2 = trainer{data = t.data, encoder = nn.cnn{widths = {4}, image = 16}, batch = 32, epochs = 1e4, name = "two",
	folder = "two"} t2:start() t:run()'
check "SIGTERM with two runs" killed 143 TERM
check "... saves both" says "stopped at step .*, saved" 2
begin hand 't:start() t:wait(.1) t:stop() t:step() print "by hand" io.flush() while true do t:step() end'
until_true prints "by hand"
check "SIGTERM between steps made by hand" killed 143 TERM
check "... saves these steps, too" says "stopped at step .*, saved"
at=$(sed -n 's/.*stopped at step \([0-9]*\) of.*/\1/p' err)
check "... and not only those before" [ "$("$BARLOW" -e "print(runs.resume('hand').iteration)")" = "$at" ]
mkfifo never
begin blocks 't:start() t:between(function() print "begun" io.flush() io.open "never" end)'
until_true prints begun
check "a second signal ends the program at once" killed 129 TERM HUP
check "... before the run can be saved" quiet "stopped at step"
begin trapped 't:start() while true do pcall(function() t:wait() end) end'
check "a script that catches errors ends nevertheless" killed 143 TERM
check "... without further output" says . 1
trap '' HUP
begin ignored 't:run()'
trap - HUP
kill -HUP $started
sleep .2
check "SIGHUP that is ignored when the program starts, as by nohup, stays ignored" went_on ignored
check "... until SIGTERM" killed 143 TERM

echo "1..$number"
