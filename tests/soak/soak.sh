#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make soak: kills of runs, workers and drivers (kills.sh, workers.sh), calls of the C library that fail and runs that are disturbed
# (tests/fault/faults.sh), examples without memory (tests/c/test_no_memory_lua.c), and inputs for the fuzzed readers (tests/fuzz/run.sh, in a build of its own in the folder fuzz).  Prints
# what each part prints and, at the end, one line for each part with its counts.  Ends with 1 if a check failed or a part hung.
#
#     soak.sh [SECONDS]    about so many seconds, with faults drawn by SEED; each part gets a share of the time, and the fuzzed
#                          readers what the others left; without SECONDS every fault is made, which takes a day
#     SEED=n               1
#     FAULTS=n             without SECONDS: only n calls of each kind fail
#     PARTS="kills ..."    only these of kills, workers, faults, memory, fuzz
set -u
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)} BUILDDIR=${BUILDDIR:-$PWD}
export SRCDIR BUILDDIR BARLOW="${BARLOW:-$BUILDDIR/barlow}" SHIM="$BUILDDIR/tests/fault/shim.so" SEED="${SEED:-1}"
seconds=${1:-0}
log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT
trap 'exit 130' INT TERM
bad=0
. "$SRCDIR/tests/copy"

# share PERCENT: that part of the given time, in seconds
share() { echo $((seconds * $1 / 100)); }
is_wanted() { case " ${PARTS:-kills workers faults memory fuzz} " in *" $1 "*) ;; *) return 1 ;; esac }
# part NAME LIMIT COMMAND...: runs a part; one that takes longer than LIMIT seconds hangs (0: there is no limit).
part() {
	is_wanted "$1" || return 0
	name=$1 limit=$2 from=$(date +%s)
	shift 2
	echo "# $name"
	{
		timeout -k 30 "$limit" "$@" 2>&1
		echo $? >"$log/status"
	} | tee "$log/$name"
	status=$(cat "$log/status")
	failed=$(grep -c '^not ok' "$log/$name")
	words="$(sed -n 's/^# *\(faults: .*\)/\1/p; /^run: /p; /^workers: /p; s/^# *\(.* allocations failed in .*\)/\1/p; / inputs in /p' "$log/$name" | tail -n 1)"
	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		words="HUNG for more than $limit s"
	elif [ "$status" -ne 0 ]; then
		words="ended with status $status: $(tail -n 1 "$log/$name")"
	elif [ "$failed" -gt 0 ]; then
		words="$failed checks FAILED; $words"
	fi
	[ "$status" -eq 0 ] && [ "$failed" -eq 0 ] || bad=$((bad + 1))
	echo "$name, $(($(date +%s) - from)) s: $words" >>"$log/summary"
}

build_fuzzers() {
	copy_sources "$SRCDIR" "$BUILDDIR/fuzz" && (cd "$BUILDDIR/fuzz" &&
		{ [ Makefile -nt configure ] || ./configure --enable-fuzzing CC=clang; } &&
		env -u MAKEFLAGS make -j"$(nproc)" fuzz SECONDS=)
}

begun=$(date +%s)
if [ "$seconds" -gt 0 ]; then
	part kills $((seconds + 600)) env RUN_KILLS=$((seconds / 36 + 1)) SWEEP_KILLS=$((seconds / 120 + 1)) sh "$SRCDIR/tests/soak/kills.sh"
	[ "$seconds" -lt 600 ] || part workers $((seconds + 600)) sh "$SRCDIR/tests/soak/workers.sh"
	part faults $((seconds + 600)) env TOTAL_SECONDS="$(share 60)" DISTURBED=100000 VIEWED=100000 \
		sh "$SRCDIR/tests/fault/faults.sh" 0 start train resume plot screen sweep
else
	part kills 0 sh "$SRCDIR/tests/soak/kills.sh"
	part workers 0 sh "$SRCDIR/tests/soak/workers.sh"
	part faults 0 env DISTURBED="${DISTURBED:-2000}" VIEWED="${VIEWED:-200}" \
		sh "$SRCDIR/tests/fault/faults.sh" "${FAULTS:-0}" start train resume plot screen sweep
fi
if is_wanted memory; then
	memory=$(mktemp -d)
	(cd "$BUILDDIR" && env -u MAKEFLAGS make tests/c/test_no_memory_lua) >"$log/build" 2>&1
	# About a second for each allocation of all examples that fails
	part memory 0 env XDG_DATA_HOME="$memory" XDG_CACHE_HOME="$memory/cache" NO_MEMORY_SEED="$SEED" \
		NO_MEMORY=$((seconds > 0 ? $(share 5) + 1 : 0)) "$BUILDDIR/tests/c/test_no_memory_lua"
	rm -rf "$memory"
fi
if is_wanted fuzz; then
	names=$(ls "$SRCDIR/tests/fuzz/seeds")
	if ! command -v clang >/dev/null; then
		echo "fuzz: left out, because clang is not installed" >>"$log/summary"
	elif ! build_fuzzers >"$log/build" 2>&1; then
		bad=$((bad + 1))
		echo "fuzz: it does not build: $(tail -n 1 "$log/build")" >>"$log/summary"
	else
		each=120 left=$((begun + seconds - $(date +%s)))
		[ "$seconds" -eq 0 ] || each=$((left > 0 ? left / $(echo "$names" | wc -l) + 1 : 1))
		# shellcheck disable=SC2086  # a list of words
		part fuzz 0 env -C "$BUILDDIR/fuzz" sh "$SRCDIR/tests/fuzz/run.sh" "$each" $names
	fi
fi
echo
cat "$log/summary"
echo "soak: $(($(date +%s) - begun)) s, seed $SEED, $bad parts failed"
[ "$bad" -eq 0 ]
