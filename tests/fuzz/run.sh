#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# For `make fuzz SECONDS=n`: runs each fuzzer for the given time, beginning with the seeds, and prints its number of
# inputs. An input that makes a fuzzer fail is minimised and saved beside the programs as crash-NAME-..., and the exit
# status is 1.
# Usage: run.sh SECONDS NAME...    in the folder of the build; SRCDIR is the folder of the sources, which contains the seeds
set -u

SRCDIR=${SRCDIR:-.}
seconds=$1 bad=0 all=0
shift
log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT
trap 'exit 130' INT TERM

for name in "$@"; do
	mkdir -p "$log/$name"
	crash=tests/fuzz/crash-$name-
	if "tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1 \
		-artifact_prefix="$crash" "$log/$name" "$SRCDIR/tests/fuzz/seeds/$name" >"$log/out" 2>&1; then
		verdict=fine
	else
		verdict="FAILED: see $crash*" bad=$((bad + 1))
		grep -E 'ERROR|SUMMARY|runtime error|^fuzz: ' "$log/out" | head -n 5 | sed 's/^/    | /'
		input=$(sed -n 's/^.*Test unit written to //p' "$log/out" | tail -n 1)
		[ -z "$input" ] || "tests/fuzz/fuzz_$name" -minimize_crash=1 -max_total_time=30 -exact_artifact_path="$input.small" "$input" \
			>/dev/null 2>&1
	fi
	n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log/out")
	all=$((all + ${n:-0}))
	printf '%-14s %9s inputs  %s\n' "$name" "${n:-0}" "$verdict"
done
echo "$all inputs in $# readers, $bad failed"
[ "$bad" -eq 0 ]
