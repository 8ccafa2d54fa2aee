#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes ops.def: BL_OP(name) for each BL_OP_name in the files.  Usage: ops.sh FILE.c...
set -eu
echo '/* SPDX-License-Identifier: GPL-3.0-or-later */'
echo '/* The operations that can be differentiated, made by ops.sh. */'
grep -oEh '\<BL_OP_[a-z][a-z0-9_]*' "$@" | LC_ALL=C sort -u | sed 's/^BL_OP_\(.*\)/BL_OP(\1)/'
