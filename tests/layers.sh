#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Checks the rule for includes: a file includes only what is on its own layer or below, and each library is included in one place.
set -u
cd "$SRCDIR" || exit 1

# "FILE HEADER" for every #include
includes() {
	grep -rnoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' --include='*.[ch]' --include='*.def' \
		src include |
		sed -E 's/:([0-9]+):[^<"]*[<"]/:\1 /'
}

# Prints a line for every include of a higher layer.
look_up() {
	includes | awk '
		BEGIN {
			n = split("base tensor grad nn augment data loss optim live eval monitor train store figure view lua cli main", order, " ")
			for (i = 1; i <= n; i++) rank[order[i]] = i
			topic("base", "ambient error field file hash memory number parallel process profile random text")
			topic("tensor", "tensor convolution")
			topic("grad", "grad")
			topic("nn", "nn")
			topic("augment", "augment")
			topic("data", "data")
			topic("loss", "loss")
			topic("optim", "optim")
			topic("live", "columns live")
			topic("eval", "eval statistics")
			topic("train", "train")
			topic("store", "weights checkpoint journal place index json_text run_file runs trials tuned")
			topic("view", "board view")
			topic("figure", "figure")
		}
		function topic(layer, headers,   list, i, n) {
			n = split(headers, list, " ")
			for (i = 1; i <= n; i++) home[list[i]] = layer
		}
		# The layer of a file, or of a header as included; "" for files of others
		function layer_of(path,   part) {
			sub(/:[0-9]+$/, "", path)
			if (path ~ /^src\/main\.c$/) return "main"
			if (sub(/^(include\/)?barlow\//, "", path)) {
				sub(/\.h$/, "", path)
				return path in home ? home[path] : "unknown"
			}
			sub(/^src\//, "", path)
			split(path, part, "/")
			return part[1] in rank && path ~ /\// ? part[1] : ""
		}
		{
			from = layer_of($1)
			to = layer_of($2)
			fault = ""
			if (to == "unknown" || from == "unknown")
				fault = "give that header a layer in tests/layers.sh"
			else if (to != "" && rank[to] > rank[from])
				fault = to " lies above " from
			else if (from == "lua" && to != "" && to != "lua" && $2 !~ /^barlow\//)
				fault = "bindings are written against include/barlow only"
			else if ($1 ~ /^include/ && to == "" && $2 !~ /^std(bool|def|int|arg)\.h/)
				fault = "public headers need no library"
			if (fault != "") print $1 " includes " $2 ": " fault
		}'
}

# only HEADER-PATTERN FILE-PATTERN: prints other files that include it
only() {
	includes | grep -E " ($1)\$" | grep -vE "^($2):"
}

number=0
# check NAME COMMAND...: ok when it prints nothing
check() {
	number=$((number + 1))
	name=$1
	shift
	found=$("$@")
	if [ -z "$found" ]; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		echo "$found" | sed 's/^/# /'
	fi
}

# There are sources: an empty list would pass everything.
nothing_found() {
	[ "$(includes | wc -l)" -gt 50 ] || echo "fewer than 50 includes found in $SRCDIR"
}

# The toolkit of the bindings includes none of them.
kit_looks_up() {
	includes | grep -E '^src/lua/kit/[^ ]* lua/bind/'
}

# Headers in the folder of a loss belong to that loss; all other files use the interface, loss.h.
loss_known_elsewhere() {
	includes | awk '
		$2 ~ /^loss\/[^\/]*\// {
			split($2, part, "/")
			if (index($1, "src/loss/" part[2] "/") != 1)
				print $1 " includes " $2 ": only src/loss/" part[2] " may, others know <barlow/loss.h>"
		}'
}

echo 1..14
check "sources are found" nothing_found
check "no file includes a higher layer" look_up
check "the toolkit of the bindings includes none of them" kit_looks_up
check "private headers of one loss are included by that loss only" loss_known_elsewhere
check "cblas.h is included by tensor/matrix/blas.c only" only 'cblas\.h|openblas.*' 'src/tensor/matrix/blas\.c'
check "oneDNN is included by tensor/conv/conv_onednn.c only" only '(oneapi/dnnl/)?dnnl.*\.h' 'src/tensor/conv/conv_onednn\.c'
check "sqlite3.h is included by store/index.c only" only 'sqlite3\.h' 'src/store/index\.c'
check "ncurses is included by view/screen only" only '(ncursesw/)?(n?curses|term)\.h' 'src/view/screen[^/]*'
check "readline is included by cli only" only 'readline/.*' 'src/cli/.*'
check "lua is included by lua, cli and main only" only '(lua5\.4/)?(lua|lauxlib|lualib|luaconf)\.h' \
	'src/(lua|cli)/.*|src/main\.c'
check "jansson is included by store, data/tar_label.c and the binding of JSON only" only 'jansson\.h' \
	'src/store/.*|src/data/tar_label\.c|src/lua/bind/json\.c'
check "archive.h is included by data/archive.c only" only 'archive(_entry)?\.h' 'src/data/archive\.c'
check "jpeglib.h is included by data/decode_jpeg.c only" only '(jpeglib|jerror|jmorecfg|jconfig|turbojpeg)\.h' \
	'src/data/decode_jpeg\.c'
check "png.h is included by data/decode_png.c only" only '(libpng[0-9]*/)?png\.h' 'src/data/decode_png\.c'
