#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A few of the faults of tests/fault/faults.sh, and of its disturbances; `make soak` makes all of them.
SHIM=$BUILDDIR/tests/fault/shim.so
if [ ! -e "$SHIM" ] || [ -n "$SANITIZERS" ] && [ "$SANITIZERS" != no ]; then
	echo "1..0 # SKIP the shim stands in front of the C library, where sanitizers stand as well"
	exit
fi
DISTURBED=20
export SHIM DISTURBED
exec sh "$SRCDIR/tests/fault/faults.sh" 2 start train resume plot
