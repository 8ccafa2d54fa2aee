#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A loss written in Lua (examples/vicreg.lua): a killed run is resumed to the bits of an undisturbed one.
. "$SRCDIR/tests/term/setup.sh"
pause=0.01 tries=12000

straight() { "$BARLOW" "$SRCDIR/examples/vicreg.lua" 300 "$dir/straight" >"$dir/out" 2>&1 </dev/null; }
killed_after_a_checkpoint() {
	"$BARLOW" "$SRCDIR/examples/vicreg.lua" 300 "$dir/killed" >"$dir/out" 2>&1 </dev/null &
	started=$!
	until_true test -s "$dir/killed/checkpoint.safetensors" || return 1
	kill -KILL "$started"
	wait "$started" 2>/dev/null
	started=
	[ ! -e "$dir/killed/weights.safetensors" ]
}
resume() { "$BARLOW" resume "$dir/killed" >"$dir/out" 2>&1 </dev/null; }

echo 1..8
check "300 steps are made" straight
check "its terms are printed by their names" says "covariance"
shown() { "$BARLOW" watch --once --size 120x40 "$dir/straight" >"$dir/out" 2>&1; }
shown
check "the screen says that no floor is known" says "no floor known"
check "... and that it has no matrix" says "C of the embeddings"
check "another run is killed after a checkpoint" killed_after_a_checkpoint
check "it is resumed with the text of the loss in its recipe" resume
check "... to its end" says "done at step 300 of 300"
check "with the same bits" cmp -s "$dir/straight/weights.safetensors" "$dir/killed/weights.safetensors"
