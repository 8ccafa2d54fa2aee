#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The style of every source file, as far as it can be checked by grep.
set -u
cd "$SRCDIR" || exit 1

sources() {
	for place in src include lua examples tests bench setup configure.ac Makefile.am; do
		[ -e "$place" ] || continue
		find "$place" -type f | grep -E '\.([ch]|def|lua|sh|py|mk|am|ac)$|/run$|^setup$' |
			grep -v '^tests/lua/run-0.1/' # written by an earlier barlow
	done
}

without_licence() {
	sources | while read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' || echo "$file"
	done
}

trailing_blanks() {
	sources | while read -r file; do
		LC_ALL=C grep -nE '[[:blank:]]$' "$file" | sed "s|^|$file:|"
	done
}

few() {
	[ "$(sources | wc -l)" -gt 30 ] || echo "fewer than 30 source files found in $SRCDIR"
}

# Lists the files that clang-format 14 would change; other versions format differently.
misformatted() {
	made='^src/(cli/(commands|installed)|lua/embed)\.c$'
	find src include tests bench examples -name '*.[ch]' | grep -vE "$made" | xargs clang-format --dry-run -Werror 2>&1 |
		grep 'error:'
}

# The name of a file identifies it in a message, in a debugger and in a search.
named_twice() {
	find src -name '*.[ch]' -exec basename {} \; | sort | uniq -d
}

# A type has one meaning, whichever headers a file includes.
types_twice() {
	grep -rhoE '^(\} bl_[a-z0-9_]+;|typedef [^;{(]*[ *]bl_[a-z0-9_]+;)' --include='*.[ch]' src include |
		grep -oE 'bl_[a-z0-9_]+;$' | sort | uniq -d
}

number=0
# check NAME COMMAND: ok when it prints nothing
check() {
	number=$((number + 1))
	found=$($2)
	if [ -z "$found" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "$found" | sed 's/^/# /'
	fi
}

echo 1..6
check "sources are found" few
check "every file names its licence in its first lines" without_licence
check "no line ends in blanks" trailing_blanks
check "no two files of src/ have the same name" named_twice
check "no type is defined twice" types_twice
case $(clang-format --version 2>/dev/null) in
*version\ 14.*) check "every C file has the format of .clang-format" misformatted ;;
*) echo "ok 6 - every C file has the format of .clang-format # SKIP clang-format 14 is not installed" ;;
esac
