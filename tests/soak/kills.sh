#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make soak: kills and resumes a run many times, and kills workers and drivers of a sweep.  At the end each result exists exactly
# once, with the same bits as if nothing had been killed.  Prints TAP and a line of numbers.
#
#     RUN_KILLS=100 SWEEP_KILLS=30 SEED=1 BARLOW=./barlow tests/soak/kills.sh
set -u
RUN_KILLS=${RUN_KILLS:-100} SWEEP_KILLS=${SWEEP_KILLS:-30} SEED=${SEED:-1}
dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-soak-XXXXXX") || exit 1
trap 'pkill -KILL -f "sweep worker $dir" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
export BARLOW XDG_DATA_HOME="$dir/data" LC_ALL=C.UTF-8

# draw N: sets $drawn to a random number from 0 to N - 1 that depends on SEED.
state=$SEED
draw() {
	state=$(((state * 1103515245 + 12345) & 2147483647))
	drawn=$((state / 65536 % $1))
}
pause() { sleep "$(awk "BEGIN { print $1 / 1000 }")"; }

number=0
check() {
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then echo "ok $number - $name"; else echo "not ok $number - $name"; fi
}

# --- a run ---

cat >"$dir/run.lua" <<-'END'
	local t = trainer{ data = data.shapes{ n = 512, size = 12, channels = 1, seed = 3 }, encoder = nn.cnn{ widths = { 4, 8 }, image = 12 },
		projector = { 16 }, batch = 32, epochs = 600, seed = 1, checkpoint_every = 1, keep = "records", folder = arg[1] }
	t:run{ quiet = true }
END
"$BARLOW" "$dir/run.lua" "$dir/whole" || exit 1
"$BARLOW" "$dir/run.lua" "$dir/killed" >/dev/null 2>&1 &
kills=0
while :; do
	pid=$!
	draw 700
	pause $((drawn + 150))
	if kill -KILL $pid 2>/dev/null; then kills=$((kills + 1)); fi
	wait $pid 2>/dev/null
	[ $kills -lt "$RUN_KILLS" ] || break
	# A finished run is removed and started again from the beginning.
	if cmp -s "$dir/killed/weights.safetensors" "$dir/whole/weights.safetensors"; then
		rm -rf "$dir/killed"
		"$BARLOW" "$dir/run.lua" "$dir/killed" >/dev/null 2>&1 &
	elif [ -e "$dir/killed/checkpoint.safetensors" ]; then
		"$BARLOW" resume --plain "$dir/killed" >>"$dir/log" 2>&1 &
	else
		rm -rf "$dir/killed"
		"$BARLOW" "$dir/run.lua" "$dir/killed" >/dev/null 2>&1 &
	fi
done
"$BARLOW" resume --plain "$dir/killed" >>"$dir/log" 2>&1
check "a run killed $kills times has the weights of one that was not" \
	cmp "$dir/killed/weights.safetensors" "$dir/whole/weights.safetensors"

# --- a sweep ---

for name in once often; do
	cat >"$dir/$name.lua" <<-END
		return sweep{
			base = { data = data.shapes{ n = 400, size = 8, channels = 1, seed = 3 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
				projector = { 8 }, batch = 20, epochs = 150, seed = 1 },
			space = { ["loss.lambda"] = geomspace(.001, .1, 5) }, baseline = false, seeds = 4, retries = 1000, folder = "$dir/$name",
		}
	END
done
weights() {
	for trial in "$dir/$1"/trials/*; do
		for attempt in "$trial"/attempt-*; do
			[ "$attempt/result.json" -ef "$trial/result.json" ] && cksum <"$attempt/weights.safetensors"
		done
	done
}
"$BARLOW" sweep run "$dir/once.lua" --jobs 2 --plain >/dev/null || exit 1
sweep_kills=0 drivers=0
"$BARLOW" sweep run "$dir/often.lua" --jobs 2 --plain >>"$dir/log" 2>&1 &
driver=$!
while [ $sweep_kills -lt "$SWEEP_KILLS" ]; do
	draw 900
	pause $((drawn + 200))
	draw 4
	if [ $drawn = 0 ]; then
		kill -KILL $driver 2>/dev/null && drivers=$((drivers + 1)) sweep_kills=$((sweep_kills + 1))
		wait $driver 2>/dev/null
		"$BARLOW" sweep resume "$dir/often" --jobs 2 --plain >>"$dir/log" 2>&1 &
		driver=$!
	else
		victim=$(pgrep -f "sweep worker $dir/often" | head -n 1)
		if [ -n "$victim" ] && kill -KILL "$victim" 2>/dev/null; then
			sweep_kills=$((sweep_kills + 1))
		elif ! kill -0 $driver 2>/dev/null; then
			break # the sweep has ended
		fi
	fi
done
wait $driver 2>/dev/null
"$BARLOW" sweep resume "$dir/often" --jobs 2 --plain >>"$dir/log" 2>&1
results=$(ls "$dir"/often/trials/*/result.json | wc -l)
check "all 20 trials of a sweep have a result after $sweep_kills kills, $drivers of them of drivers" [ "$results" = 20 ]
check "... with the same bits" [ "$(weights often)" = "$(weights once)" ]
attempts=$(ls -d "$dir"/often/trials/*/attempt-* | wc -l)
echo "1..$number"
echo "run: $kills kills; sweep: $sweep_kills kills ($drivers drivers), 20 trials, $attempts attempts, $results results; seed $SEED"
