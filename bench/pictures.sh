#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# pictures.sh: makes the README's pictures of a run of examples/first_light.lua while the run trains.  `make pictures` runs
# this script, which takes about 4 minutes.  It needs Fashion-MNIST and rsvg-convert (Debian: librsvg2-bin).
set -eu

out=$SRCDIR/docs/pictures
frames=$BUILDDIR/bench/frames
dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-pictures-XXXXXX")
trap 'kill $job 2>/dev/null || :; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

XDG_DATA_HOME=$dir "$BARLOW" "$SRCDIR/examples/first_light.lua" --plain --out "$dir" &
job=$!
until live=$(ls "$dir"/barlow/runs/*/live 2>/dev/null); do
	kill -0 $job
	sleep 0.01
done

# picture NAME STEP KEYS SIZE: writes NAME.svg at that step.  All processes run in parallel, so that none misses its step.
picture() {
	"$frames" -k "$3" -s "$2" "$live" "$4" >"$dir/$1.svg"
}
# The pictures of the matrix show all of C; each dot is the root mean square of 8 x 8 elements.
picture matrix-1 1 2 66x37 & first=$!
picture matrix-2 25 2 66x37 & second=$!
picture matrix-3 150 2 66x37 & third=$!
picture matrix-4 1150 2 66x37 & fourth=$!
picture dashboard 1000 1 120x36 & fifth=$!
picture heatmap 1000 2 120x40 & sixth=$!
for p in $first $second $third $fourth $fifth $sixth; do
	wait "$p"
done

mkdir -p "$out"
for name in matrix-1 matrix-2 matrix-3 matrix-4 dashboard heatmap; do
	rsvg-convert -z 2 "$dir/$name.svg" -o "$out/$name.png"
done
