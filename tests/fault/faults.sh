#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes calls of the C library fail, one after the other (shim.c), while barlow starts, trains 20 steps, resumes a run, runs a sweep
# of 4 trials, saves a figure and shows a screen.  Each time the result is complete and has the same bits, or a message on standard
# error says why it is missing and the exit status is not 0; nothing hangs or crashes.  Afterwards a run that has a checkpoint can be
# resumed with the same bits, and no partially written file remains.  Prints TAP.
#
#     faults.sh MOST SCENARIO...     at most MOST calls of each kind fail, evenly chosen; 0: every call fails once, and of
#                                    allocations the first of each stack of calls (the same 12 C functions and 2 lines of Lua)
#     KINDS="alloc write" ...        only calls of these kinds fail
#     PART=2/4                       only the second of each four calls (or seeds), to do the work in parallel
#     STACKS=no                      with 0, every allocation fails once
#     TOTAL_SECONDS=n                as many faults, of all kinds in an order that SEED determines, and as many disturbed runs as n
#                                    seconds allow; each scenario gets the same share of the time that those before it left
#     SEED=n                         1
#     DISTURBED=n                    afterwards n runs are disturbed, each with a seed of its own, from SEED on
#     VIEWED=n                       afterwards n runs make each step at a key typed in barlow watch; run and viewer are disturbed
#     SHIM, BARLOW                   paths of the shim and of barlow
set -u
most=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-faults-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
export BARLOW LC_ALL=C.UTF-8 OPENBLAS_NUM_THREADS=1
export XDG_DATA_HOME="$dir/data" XDG_CACHE_HOME="$dir/cache" XDG_STATE_HOME="$dir/state" XDG_CONFIG_HOME="$dir/config"
cd "$dir" || exit 1
errors='write:ENOSPC write:EIO short room:ENOSPC fsync:EIO rename:EIO rename:EROFS open:EROFS open:EMFILE read:EIO mmap thread alloc alloc2'
KINDS=${KINDS:-$errors} SEED=${SEED:-1}

# --- the scenarios: prepare_X, run_X, is_done_X, is_whole_X ---

cat >run.lua <<'END'
local t = trainer{ data = data.shapes{ n = 64, size = 8, channels = 1, seed = 3 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
	projector = { 8 }, batch = 16, epochs = 5, seed = 1, checkpoint_every = 1, folder = arg[1] }
if not arg[2] then return t:run{ quiet = true } end
t:start()
while t.iteration < 1 do end
t:stop()
t:wait()
END
sed '/^if not/,$d' run.lua >viewed.lua
cat >>viewed.lua <<'END'
t:break_when(function(at) return at.iteration == 1 end)
t:start()
while t.state ~= "done" do t:wait(.1) end
END
cat >sweep.lua <<'END'
return sweep{ base = { data = data.shapes{ n = 64, size = 8, channels = 1, seed = 3 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
	projector = { 8 }, batch = 16, epochs = 1, seed = 1 }, space = { ["loss.lambda"] = { .005, .01 } }, baseline = false, seeds = 2,
	folder = os.getenv "SWEEP" }
END
same_weights() { cmp -s "$1/weights.safetensors" "$2/weights.safetensors"; }

prepare_start() { :; }
run_start() { shimmed -e 'print(1 + 1)'; }
is_done_start() { [ "$(cat out)" = 2 ]; }
is_whole_start() { :; }

prepare_train() { :; }
run_train() { shimmed run.lua work; }
is_done_train() { same_weights work whole; }
# A run that was never saved cannot be resumed.
is_whole_train() {
	same_weights work whole && return
	[ -e work/checkpoint.safetensors ] || return 0
	"$BARLOW" resume --plain work >again 2>&1 && same_weights work whole
}

prepare_resume() { cp -r half work; }
run_resume() { shimmed resume --plain work; }
is_done_resume() { is_done_train; }
is_whole_resume() { is_whole_train; }

prepare_sweep() { :; }
run_sweep() { SWEEP=$dir/work shimmed sweep run sweep.lua --jobs 2 --plain; }
results() {
	for trial in 0001 0002 0003 0004; do
		for attempt in "$1"/trials/$trial/attempt-*; do
			[ "$attempt/result.json" -ef "$1/trials/$trial/result.json" ] || continue
			if grep -q '"state":"failed"' "$attempt/result.json"; then
				echo "$trial failed"
			else
				echo "$trial $(cat "$attempt/weights.safetensors" 2>/dev/null | cksum)"
			fi
		done
	done
}
is_done_sweep() { [ "$(results work)" = "$swept" ]; }
# A trial that fails, for example because no thread can be created, is recorded as failed and not repeated.
is_whole_sweep() {
	is_done_sweep && return
	SWEEP=$dir/work "$BARLOW" sweep run sweep.lua --jobs 2 --plain >again 2>&1
	results work >there
	[ "$(wc -l <there)" -eq 4 ] && ! grep -v failed there | grep -qvFx "$swept"
}

prepare_plot() { mkdir work; }
run_plot() { shimmed -e 'plot.curves(runs.get(arg and arg[1] or "whole")):save("work/figure.svg")'; }
is_done_plot() { grep -q '</svg>' work/figure.svg 2>/dev/null; }
is_whole_plot() { [ ! -e work/figure.svg ] || is_done_plot; }

prepare_screen() { :; }
# Opens each view when the screen is there, then leaves; or the program has ended.
type_q() {
	tries=0
	until grep -qE "20/20|Script done" typed || [ $tries -ge 250 ]; do
		tries=$((tries + 1))
		sleep .02
	done
	for key in 2 t z 3 4 5 6 7 8 '?' 1 q; do
		printf %s "$key"
		sleep .05
	done
	tries=0
	until grep -q "Script done" typed || [ $tries -ge 250 ]; do
		tries=$((tries + 1))
		sleep .02
	done
}
run_screen() {
	: >typed
	type_q | script -qefc "$(shim_words) '$BARLOW' watch '$dir/whole' 2>'$dir/err'" typed >out
}
is_done_screen() { grep -q "20/20" out; }
is_whole_screen() { :; }

# --- one fault ---

shim_words() { echo "env LD_PRELOAD='$SHIM' FAULT='$fault' FAULT_COUNT='$dir/count'"; }
shimmed() { env LD_PRELOAD="$SHIM" FAULT="$fault" FAULT_COUNT="$dir/count" timeout -k 1 30 "$BARLOW" "$@" >out 2>err </dev/null; }

# run_fault SCENARIO: applies $fault and sets $status
run_fault() {
	rm -rf work count
	"prepare_$1"
	"run_$1"
	status=$?
}
# Sets $why to the reason if a condition is violated.
is_fine() {
	why=
	if [ $status -eq 124 ] || [ $status -eq 137 ]; then
		why="took longer than 30 s"
	elif [ $status -gt 128 ]; then
		why="died of signal $((status - 128))"
	elif [ $status -ne 0 ] && [ ! -s err ]; then
		why="status $status without a word"
	elif [ $status -eq 0 ] && [ ! -s err ] && ! "is_done_$1"; then
		why="status 0 without a word, and nothing is there"
	elif [ $status -eq 0 ] && ! "is_done_$1"; then
		why="status 0, and what was to be made is not there: $(head -n 1 err)"
	elif grep -qE '^barlow: *([;:,]|$)' err; then
		why="a message that does not say why: $(head -n 1 err)"
	elif ! "is_whole_$1"; then
		why="what is left is not whole: $(head -n 1 err): $(tail -n 1 again 2>/dev/null)"
	elif [ -d work ] && find work -name '*.tmp' -o -name '*.new' | grep -q .; then
		why="left half written: $(find work -name '*.tmp' -o -name '*.new' | head -n 1)"
	fi
	[ -z "$why" ]
}
# fault_of KIND N: the value of FAULT for the Nth call; alloc2 makes the next call fail, too, because Lua repeats a failed allocation.
fault_of() {
	case $1 in
	alloc2) fault=alloc:$2; [ "$2" -eq 0 ] || fault=$fault-$(($2 + 1)) ;;
	*:*) fault=${1%%:*}:$2:${1#*:} ;;
	*) fault=$1:$2 ;;
	esac
}

# Only every ${PART#*/}th line, beginning with line ${PART%/*}.
part() { awk -v part="${PART:-1/1}" 'BEGIN { split(part, p, "/") } (NR - p[1]) % p[2] == 0'; }
# The faults of kind $1 for numbers of calls, at most $most of them.
choose_numbers() {
	step=1
	[ "$most" -eq 0 ] || step=$(((calls + most - 1) / most))
	[ $step -gt 0 ] || step=1
	n=1
	[ $step -eq 1 ] || n=$((1 + (step * 5 + calls) % step))
	while [ $n -le "$calls" ]; do
		fault_of "$1" $n
		echo "$fault"
		n=$((n + step))
	done | part
}
by_stacks() { [ "$most" -eq 0 ] && [ "${STACKS:-}" != no ]; }
# The faults for all stacks of calls in which scenario $1 allocates memory.
choose_stacks() {
	fault=alloc:#0
	run_fault "$1"
	od -An -v -t x8 -w8 -j 16 count | tr -d ' ' | sort -u | sed '/^0*$/d; s/^/alloc:#/' | part
}
# Has the call met its fault?  Threads come to their calls in an order of their own.
has_failed() {
	case $fault in
	*:\#*) [ "$(od -An -t u8 -j 8 -N 8 count | tr -d ' ')" = 1 ] ;;
	esac
}

number=0 faults=0
# report WORDS: prints the TAP line of a check that found $bad faults.
report() {
	number=$((number + 1))
	if [ "$bad" -eq 0 ]; then verdict=ok; else verdict="not ok"; fi
	echo "$verdict $number - $1"
}
# choose SCENARIO KIND: writes the faults of that kind to the file chosen; 1 if the scenario fails without a fault.
choose() {
	fault_of "$2" 0
	run_fault "$1"
	if [ "$status" -ne 0 ] || ! "is_done_$1"; then
		bad=1
		report "$1 without a fault"
		sed 's/^/# /' out err
		return 1
	fi
	calls=$(od -An -t u8 -N 8 count | tr -d ' ')
	if by_stacks && [ "$2" = alloc ]; then
		choose_stacks "$1"
	else
		choose_numbers "$2"
	fi >chosen
}
# The scenarios and kinds of disturbed runs that are still to come share the time that is left.
begun=$(date +%s) shares=$#
[ "${DISTURBED:-0}" -eq 0 ] || shares=$((shares + 1))
[ "${VIEWED:-0}" -eq 0 ] || shares=$((shares + 1))
set_deadline() {
	[ -n "${TOTAL_SECONDS:-}" ] || return 0
	now=$(date +%s)
	deadline=$((now + (begun + TOTAL_SECONDS - now) / shares))
	shares=$((shares - 1))
}
has_time() { [ -z "${deadline:-}" ] || [ "$(date +%s)" -lt "$deadline" ]; }
# make_faults SCENARIO: makes the faults in the file chosen, one after the other, until the deadline.
make_faults() {
	made=0 bad=0 missed=0
	while read -r fault && has_time; do
		{
			run_fault "$1"
			is_fine "$1"
		} </dev/null
		if [ -n "$why" ]; then
			bad=$((bad + 1))
			echo "# $1, $fault: $why"
		fi
		made=$((made + 1))
		[ "$status" -ne 0 ] || has_failed || missed=$((missed + 1))
	done <chosen
	[ $missed -eq 0 ] || echo "# $1: $missed calls did not come again"
	faults=$((faults + made))
}
check_all() {
	for kind in $KINDS; do
		# A stack of Lua's fails twice.
		{ by_stacks && [ "$kind" = alloc2 ]; } && continue
		choose "$1" "$kind" || continue
		make_faults "$1"
		report "$1: $made of $calls calls of kind $kind failed"
	done
}
check_sample() {
	: >all
	for kind in $KINDS; do
		{ by_stacks && [ "$kind" = alloc2 ]; } && continue
		choose "$1" "$kind" || {
			shares=$((shares - 1))
			return
		}
		cat chosen >>all
	done
	awk -v seed="$SEED" 'BEGIN { srand(seed) } { print rand(), $0 }' all | sort -n | sed 's/^[^ ]* //' >chosen
	set_deadline
	make_faults "$1"
	report "$1: $made of $(wc -l <all) faults of all kinds, drawn by seed $SEED"
}

"$BARLOW" run.lua whole && "$BARLOW" run.lua half stop && [ -e half/checkpoint.safetensors ] && SWEEP=$dir/sweep "$BARLOW" sweep run sweep.lua --jobs 2 --plain >/dev/null || exit 1
swept=$(results sweep)
for scenario in "$@"; do
	if [ -n "${TOTAL_SECONDS:-}" ]; then
		check_sample "$scenario"
	else
		check_all "$scenario"
	fi
done

# --- disturbances: the bits do not depend on delays, interrupted calls and signals ---

disturbed_run() { shimmed run.lua work; }
# The viewer sends its commands through the mailbox in the run's live file.
is_over() { grep -q '"name":"done"' work/journal 2>/dev/null || ! kill -0 $running 2>/dev/null; }
type_steps() {
	tries=0
	until grep -qE "step|Script done" typed || [ $tries -ge 500 ]; do
		tries=$((tries + 1))
		sleep .02
	done
	tries=0
	while [ $tries -lt 100 ] && ! is_over; do
		tries=$((tries + 1))
		for key in 2 . t . c 3 . 5 . 1 .; do
			printf %s "$key"
			sleep .01
		done
	done
	printf q
	until grep -q "Script done" typed || [ $tries -ge 500 ]; do
		tries=$((tries + 1))
		sleep .02
	done
}
viewed_run() {
	env LD_PRELOAD="$SHIM" FAULT="$fault" timeout -k 1 60 "$BARLOW" viewed.lua work >out 2>err </dev/null &
	running=$!
	tries=0
	until [ -e work/live ] || [ $tries -ge 500 ]; do
		tries=$((tries + 1))
		sleep .02
	done
	: >typed
	type_steps | script -qefc "env LD_PRELOAD='$SHIM' FAULT='$fault' '$BARLOW' watch '$dir/work' 2>>'$dir/err'" typed >out
	viewer=$?
	wait $running
	status=$?
	[ $status -ne 0 ] || status=$viewer
	[ $status -ne 0 ] || grep -q '"name":"step","who":"process' work/journal || status=1
	return $status
}
# disturb COUNT KIND WORDS
disturb() {
	made=0 bad=0
	set_deadline
	for seed in $(seq "$SEED" $((SEED + $1 - 1)) | part); do
		has_time || break
		fault=disturb:$seed
		rm -rf work count
		made=$((made + 1))
		"$2"
		status=$?
		if [ $status -ne 0 ] || [ -s err ] || ! same_weights work whole; then
			bad=$((bad + 1))
			echo "# seed $seed: status $status, $(head -n 1 err)"
		fi
	done
	disturbed=$((disturbed + made))
	report "the bits of $made runs $3 with yields, sleeps, interrupted calls and signals by seed, from $SEED on"
}
disturbed=0
[ "${DISTURBED:-0}" -eq 0 ] || disturb "$DISTURBED" disturbed_run "that train"
[ "${VIEWED:-0}" -eq 0 ] || disturb "$VIEWED" viewed_run "that are watched and sent commands"
echo "1..$number"
echo "# faults: $faults made, $disturbed disturbed runs"
