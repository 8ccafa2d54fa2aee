#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A few of the faults of tests/fault/faults.sh, and of its disturbances; `make soak` makes all of them.
SHIM=$BUILDDIR/tests/fault/shim.so
if [ ! -e "$SHIM" ] || [ -n "$SANITIZERS" ] && [ "$SANITIZERS" != no ]; then
	echo "1..0 # SKIP the shim stands in front of the C library, where sanitizers stand as well"
	exit
fi
export SHIM
faults=$SRCDIR/tests/fault/faults.sh
DISTURBED=20 VIEWED=2 sh "$faults" 2 start train resume plot || exit 1
# Allocations by the stacks of their calls
KINDS=alloc PART=7/100 sh "$faults" 0 start resume plot screen
