#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job without its data set, without its folder, and with a full disk.
. "$SRCDIR/tests/term/setup.sh"
example=$SRCDIR/examples/first_light.lua
mkdir "$dir/empty" "$dir/out" "$dir/full"

report() { cat "$dir/text"; }
says() { grep -qE -- "$1" "$dir/text"; }
# light OPTION...: a very short run; its exit status in $status, its output in $dir/text
light() {
	"$BARLOW" "$example" --plain --images 600 --steps 2 "$@" >"$dir/text" 2>&1
	status=$?
}
ended() { [ "$status" -eq "$1" ]; }

light --data "$dir/empty" --out "$dir/out"
check "without the data set it continues" ended 0
check "... and names the package" says "^Fashion-MNIST: no train-images-idx3-ubyte .* in $dir/empty, .* Debian's package dataset-fashion-mnist"
check "... with generated shapes" says "^shapes, 600 of 60000: 600 images"
first() { grep -nE -m1 -- "$1" "$dir/text" | cut -d: -f1; }
check "it trains first" test "$(first '^step 1/2')" -lt "$(first '^measuring ')"
check "each measure is announced" says "^  linear, 600 labels \.\.\. 0\.[0-9]{4}"
check "the table has all three rows" says "^\| trained, 2 steps +\| 0\.[0-9]{4} +\| 0\.[0-9]{4} +\| 0\.[0-9]{4} +\| 0\.[0-9]{4}"
check "... and a column of whitened kNN" says "^\| features +\| kNN, 600 references \| kNN whitened \|"
check "weights are saved" test -s "$dir/out/first_light.safetensors"

echo "this is no IDX file" >"$dir/empty/train-images-idx3-ubyte"
: >"$dir/empty/train-labels-idx1-ubyte"
light --data "$dir/empty" --out "$dir/out"
check "a damaged data set ends it" ended 1
check "... with the file's name" says "train-images-idx3-ubyte"
rm "$dir/empty/"*

light --data "$dir/empty" --out "$dir/nowhere"
check "a missing folder is reported" ended 1
check "... before anything is measured" test "$(wc -l <"$dir/text")" -eq 1

# Files in the place of the weights: as with a full disk, saving fails after the training.
mkdir "$dir/full/first_light.safetensors"
light --data "$dir/empty" --out "$dir/full"
check "weights that cannot be saved make it fail" ended 1
check "... but the measurements are printed" says "^\| trained, 2 steps +\| 0\."
echo "1..$number"
