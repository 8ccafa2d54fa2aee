#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make soak: four workers that share only the folder run the 100 trials of a sweep; one of them is killed during a trial.
# At the end every trial has one result, with the same bits as if one worker had run all trials.
#
#     BARLOW=./barlow tests/soak/workers.sh
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-workers-XXXXXX") || exit 1
trap 'pkill -KILL -f "sweep worker $dir" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
export BARLOW XDG_DATA_HOME="$dir/data" LC_ALL=C.UTF-8

number=0
check() {
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then echo "ok $number - $name"; else echo "not ok $number - $name"; fi
}
declare_sweep() {
	cat >"$dir/$1.lua" <<-END
		return sweep{
			base = { data = data.shapes{ n = 400, size = 8, channels = 1, seed = 3 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
				projector = { 8 }, batch = 20, epochs = 20, seed = 1 },
			space = { ["loss.lambda"] = geomspace(.001, .1, 50) }, baseline = false, seeds = 2, folder = "$dir/$1",
		}
	END
}
weights() {
	for trial in "$dir/$1"/trials/*; do
		for attempt in "$trial"/attempt-*; do
			[ "$attempt/result.json" -ef "$trial/result.json" ] && cksum <"$attempt/weights.safetensors"
		done
	done
}
results() { find "$dir/$1/trials" -name result.json -path '*/trials/*/result.json' -not -path '*/attempt-*' | wc -l; }

declare_sweep one
"$BARLOW" sweep run "$dir/one.lua" --jobs 1 --plain >/dev/null || exit 1
declare_sweep four
# The first worker's driver declares the sweep, and is stopped early.
"$BARLOW" sweep run "$dir/four.lua" --jobs 1 --plain >/dev/null 2>&1 &
driver=$!
tries=0
until [ -d "$dir/four/trials" ] || [ $tries -gt 300 ]; do
	tries=$((tries + 1))
	sleep .1
done
kill -KILL $driver 2>/dev/null
wait $driver 2>/dev/null
pkill -KILL -f "sweep worker $dir/four"

for worker in 1 2 3 4; do
	"$BARLOW" sweep worker "$dir/four" --threads 1 >"$dir/log$worker" 2>&1 &
	eval "pid$worker=$!"
done
tries=0
until [ "$(results four)" -gt 10 ] || [ $tries -gt 600 ]; do
	tries=$((tries + 1))
	sleep .1
done
killed_at=$(results four)
kill -KILL "$pid2"
wait "$pid1" "$pid3" "$pid4" 2>/dev/null
# Another worker may continue the trial of the killed worker after the lease of that worker has expired.
"$BARLOW" sweep worker "$dir/four" --threads 1 >"$dir/log5" 2>&1
check "100 trials have a result, by four workers, of which one was killed after $killed_at" [ "$(results four)" = 100 ]
check "... with the same bits as by one worker" [ "$(weights four)" = "$(weights one)" ]
attempts=$(find "$dir/four/trials" -maxdepth 2 -name 'attempt-*' | wc -l)
echo "1..$number"
echo "workers: 4, one killed after $killed_at of 100 trials; $attempts attempts, $(results four) results"
