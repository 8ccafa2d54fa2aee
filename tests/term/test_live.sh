#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A run's live file as other programs use it: records as lines of JSON, a truncated file, a file of an earlier version.
. "$SRCDIR/tests/term/setup.sh"
pause=0.01 tries=12000

cd "$dir" || exit 1

: >out
: >err

# lua NAME SETTINGS CODE
lua() {
	cat >"$1.lua" <<-END
		local ds = data.shapes{n = 64, size = 8, channels = 1}
		local t = trainer{data = ds, batch = 16, projector = {8}, encoder = nn.cnn{widths = {4}, image = 8},
			checkpoint_every = false, folder = "$dir/$1", $2}
		$3
	END
}
lines() { [ "$(wc -l <"$1")" -eq "$2" ]; }
stat_size() { wc -c <"$1"; }

# --- Records as lines of JSON ---
lua past 'steps = 50, keep = "records"' 'for i = 1, 49 do t:log{mood = i / 2}:step(1) end
		t:run{quiet = true}'
check "a run that logs" "$BARLOW" past.lua
"$BARLOW" watch --jsonl "$dir/past" >out 2>err
check "a past run's stream ends with status 0" [ $? -eq 0 ]
check "a line for each record" lines out 50
check "the first is step 1" grep -q '^{"step": 1, "invariance": [0-9]' out
check "a missing measurement is null" grep -q '^{"step": 50, .*"knn": null' out
check "no NaN, no infinity" sh -c '! grep -qi "nan\|inf[^a]" out'
check "the user's own column is there" [ "$(grep -c '"mood": [0-9]' out)" -eq 49 ]
check "each value is in the next record" grep -q '^{"step": 7, .*"mood": 3.5}' out
check "nothing on standard error" [ ! -s err ]

lua live 'steps = 100000000' 't:run{quiet = true}'
"$BARLOW" live.lua >run.out 2>run.err &
started=$!
until_true [ -s "$dir/live/live" ]
"$BARLOW" watch --jsonl "$dir/live" >out 2>err &
stream=$!
check "a training run is followed" until_true grep -q '^{"step": 200,' out
timeout 120 "$BARLOW" watch --jsonl --once "$dir/live" >now 2>err
check "--once ends with the existing records" [ $? -eq 0 ]
check "... of which there are some" grep -q '^{"step": 200,' now

# --- Truncated by another program ---
kill -STOP "$started" # so that it is not rewritten before a follower has read it
: >"$dir/live/live"
sleep 0.5
check "a follower waits while there is nothing to read" kill -0 "$stream"
kill -CONT "$started"
check "a truncated live file: the run reports it once" until_true grep -q 'live file was truncated' run.err
check "... and continues" kill -0 "$started"
check "the file is complete again" until_true "$BARLOW" watch --once "$dir/live"
"$BARLOW" watch --once --size 100x30 "$dir/live" >frame 2>&1
check "... with a message about it" grep -q 'written again' frame
rm -f frame2
last=$(tail -n 1 out | sed 's/^{"step": \([0-9]*\).*/\1/')
check "the stream continues, too" until_true grep -q "^{\"step\": $((last + 500))," out
kill -INT "$started"
wait "$started"
check "a signal ends the run with its state saved" [ -s "$dir/live/checkpoint.safetensors" ]
started=
wait "$stream"
check "the stream ends with the run, with status 0" [ $? -eq 0 ]
check "... without gaps" sh -c 'sed "s/^{\"step\": \([0-9]*\),.*/\1/" out | awk "\$1 != NR { exit 1 }"'
check "it was reported once" [ "$(grep -c 'live file' run.err)" -eq 1 ]

("$BARLOW" watch --jsonl "$dir/live"; echo $? >status) 2>err | head -n 1 >out
check "a closed pipe ends it as it does any program" [ "$(cat status)" -eq 141 ]
check "... silently" [ ! -s err ]

# --- Sizes ---
check "a short run's file is small" [ "$(stat_size "$dir/past/live")" -lt 60000 ]

# --- The previous version ---
mkdir -p data/barlow/runs/tiny
gzip -dc "$SRCDIR/tests/reference/live-version-2.gz" >data/barlow/runs/tiny/live
"$BARLOW" watch --once --size 80x24 tiny >out 2>err
check "a run of barlow 0.1 is shown as by 0.1" cmp -s out "$SRCDIR/tests/reference/live-version-2.txt"
"$BARLOW" -e 'print(runs())' >out 2>err
check "runs() lists it" grep -q '^tiny  *done  *40/40  *3.162  *0.1333  *0.02  *8 ' out
check "... and streams it" sh -c '"$BARLOW" watch --jsonl tiny | grep -q "^{\"step\": 40, .*\"total\": 3.162"'

echo "1..$number"
