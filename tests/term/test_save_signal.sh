#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGUSR1, as a batch system sends it before a job's time is up: runs are saved, and continue.
. "$SRCDIR/tests/term/setup.sh"

cat >"$dir/run.lua" <<'END'
trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, projector = {8},
	batch = 32, epochs = 1000000, name = "run", checkpoint_every = false}:start():wait()
END
"$BARLOW" -t 1 "$dir/run.lua" >"$dir/out" 2>&1 &
started=$!
folder() { echo "$dir"/data/barlow/runs/run-*; }
saved() { [ -s "$(folder)/checkpoint.safetensors" ]; }
began() { [ -s "$(folder)/run.json" ] && grep -q '"start"' "$(folder)/journal"; }
journaled() { [ "$(grep -c '"name":"checkpoint","who":"SIGUSR1"' "$(folder)/journal")" -eq "$1" ]; }
alive() { kill -0 "$started" 2>/dev/null; }

check "a run begins" until_true began
check "... and is not saved by itself" eval '! saved'
kill -USR1 "$started"
check "SIGUSR1 saves it" until_true saved
check "... which its journal records" until_true journaled 1
check "... and it continues" alive
kill -USR1 "$started"
check "a second time" until_true journaled 2
check "... and it continues" alive
kill -KILL "$started"
wait "$started" 2>/dev/null
started=
killed() { [ "$("$BARLOW" runs list --csv -c state)" = "state
killed" ]; }
check "killed, it is listed as killed" killed
"$BARLOW" resume --plain >"$dir/out" 2>&1 </dev/null &
started=$!
check "resume without a name selects it" until_true grep -q "run: resumed at step" "$dir/out"
echo "1..$number"
