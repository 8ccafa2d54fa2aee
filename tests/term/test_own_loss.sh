#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A loss of one's own (examples/vicreg.lua): killed in the middle, its run goes on to the bits of one that nobody disturbed.
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
check "its terms are reported by their names" says "covariance"
shown() { "$BARLOW" watch --once --size 120x40 "$dir/straight" >"$dir/out" 2>&1; }
shown
check "the screen says that no floor is known" says "no floor known"
check "... and that no matrix belongs to it" says "C of the embeddings"
check "another run is killed behind a checkpoint" killed_after_a_checkpoint
check "it goes on, the loss's text being in its recipe" resume
check "to its end" says "done at step 300 of 300"
check "with the same bits" cmp -s "$dir/straight/weights.safetensors" "$dir/killed/weights.safetensors"
