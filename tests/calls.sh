#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Checks the rule for calls: no two files of src/ call each other or name each other's data in a circle of any length, except the
# circles that ARCHITECTURE.md lists with their reasons; and the library exports exactly what its headers declare.
set -u
cd "$BUILDDIR" || exit 1

if ! command -v nm >/dev/null 2>&1; then
	echo "1..0 # SKIP nm is not installed"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-calls-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
export LC_ALL=C

# Prints "FILE SYMBOL TYPE" for what each object of src/ defines and uses.  If a file is compiled for the library and without it,
# the library's object is used.  Objects of renamed files, which remain in a build folder, are ignored.
symbols() {
	{
		(cd "$SRCDIR" && find src -name '*.c')
		find src -name '*.c' # generated sources
		find src -name '*.o'
	} | awk '
		/\.c$/ {
			sub(/\.c$/, ".o")
			sources[$0]
			next
		}
		{
			plain = $0
			library = sub(/\/\.libs\//, "/", plain)
			source = plain
			sub(/[a-z_0-9]*-/, "", source) # an object whose name begins with that of its program
			if ((plain in sources || source in sources) && (!(plain in path) || library)) path[plain] = $0
		}
		END { for (plain in path) print path[plain] }' | xargs nm -PA | sed 's,/\.libs/,/,; s,\.o:,,'
}

# Prints each circle as a line of files, sorted: the files that reach one another.
circles() {
	awk '
		$3 ~ /^[TDBRC]$/ { home[$2] = $1 }
		$3 == "U" { user[++uses] = $1; used[uses] = $2 }
		END {
			for (i = 1; i <= uses; i++) {
				to = home[used[i]]
				if (to != "" && to != user[i] && !((user[i], to) in seen)) {
					seen[user[i], to] = 1
					next_of[user[i]] = next_of[user[i]] " " to
				}
			}
			for (file in next_of) reach(file)
			for (file in next_of) {
				if (file in done || !((file, file) in reached)) continue
				line = ""
				for (other in next_of)
					if (((file, other) in reached) && ((other, file) in reached)) {
						done[other] = 1
						line = line " " other
					}
				print line
			}
		}
		# Marks everything that is called from `from`, directly or indirectly.
		function reach(from,   stack, top, file, to, n, i) {
			top = 1
			stack[1] = from
			while (top > 0) {
				file = stack[top--]
				n = split(next_of[file], to, " ")
				for (i = 1; i <= n; i++)
					if (!((from, to[i]) in reached)) {
						reached[from, to[i]] = 1
						stack[++top] = to[i]
					}
			}
		}' | while read -r line; do
		for file in $line; do echo "$file"; done | sort | tr '\n' ' '
		echo
	done | sed 's/ $//' | sort
}

# The circles in ARCHITECTURE.md: indented lines of files, one circle per paragraph.
listed() {
	awk '
		/^## / { inside = /Circles of calls/ }
		inside && /^    src\// { sub(/^ +/, ""); line = line (line == "" ? "" : " ") $0; next }
		line != "" { print line; line = "" }
		END { if (line != "") print line }' "$SRCDIR/ARCHITECTURE.md" | sort
}

symbols >"$dir/symbols"
number=0
# same NAME: the two lists are equal
same() {
	number=$((number + 1))
	if diff "$dir/wanted" "$dir/found" >"$dir/diff" && [ -s "$dir/wanted" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# /' "$dir/diff"
	fi
}

listed >"$dir/wanted"
circles <"$dir/symbols" >"$dir/found"
same "files call downward, but for the circles that ARCHITECTURE.md lists"

printf 'a f T\na g U\nb g T\nb h U\nc h T\nc f U\nd f U\nd k T\n' | circles >"$dir/found"
echo 'a b c' >"$dir/wanted"
same "a circle of three is found"

if [ -f .libs/libbarlow.so ]; then
	(cd "$SRCDIR" && awk -f src/exports.awk include/barlow/*.h) | sort -u >"$dir/wanted"
	nm -D -P --defined-only .libs/libbarlow.so | awk '$1 ~ /^bl_/ { print $1 }' | sort >"$dir/found"
	same "the library exports what its headers declare"
else
	number=$((number + 1))
	echo "ok $number - the library exports what its headers declare # SKIP no shared library is built"
fi
echo "1..$number"
