#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGUSR1, as a batch system sends it before a job's time is up: runs are saved, and go on.
set -u

dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-save-XXXXXX") || exit 1
trainer=
clean() {
	[ -z "$trainer" ] || kill -KILL "$trainer" 2>/dev/null
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM
XDG_DATA_HOME=$dir/data
export XDG_DATA_HOME

number=0
check() {
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		sed 's/^/# /' "$dir/out"
	fi
}
until_true() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || return 1
		sleep 0.1
	done
}

cat >"$dir/run.lua" <<'END'
trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, projector = {8},
	batch = 32, epochs = 1000000, name = "run", checkpoint_every = false}:start():wait()
END
"$BARLOW" -t 1 "$dir/run.lua" >"$dir/out" 2>&1 &
trainer=$!
folder() { echo "$dir"/data/barlow/runs/run-*; }
saved() { [ -s "$(folder)/checkpoint.safetensors" ]; }
began() { [ -s "$(folder)/run.json" ] && grep -q '"start"' "$(folder)/journal"; }
journaled() { [ "$(grep -c '"name":"checkpoint","who":"SIGUSR1"' "$(folder)/journal")" -eq "$1" ]; }
alive() { kill -0 "$trainer" 2>/dev/null; }

check "a run begins" until_true began
check "... and is not saved by itself" eval '! saved'
kill -USR1 "$trainer"
check "SIGUSR1 saves it" until_true saved
check "... which its journal says" until_true journaled 1
check "... and it goes on" alive
kill -USR1 "$trainer"
check "again" until_true journaled 2
check "... and it goes on" alive
kill -KILL "$trainer"
wait "$trainer" 2>/dev/null
trainer=
killed() { [ "$("$BARLOW" runs list --csv -c state)" = "state
killed" ]; }
check "killed, it is listed as killed" killed
"$BARLOW" resume --plain >"$dir/out" 2>&1 </dev/null &
trainer=$!
check "resume without a name takes it" until_true grep -q "run: resumed at step" "$dir/out"
echo "1..$number"
