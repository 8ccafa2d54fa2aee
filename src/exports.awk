# SPDX-License-Identifier: GPL-3.0-or-later
# exports.awk: the names of functions and data that headers declare, one a line: what the library exports.
# Usage: awk -f exports.awk include/barlow/*.h | sort -u
{
	sub(/\/\/.*/, "")
	text = text " " $0
	if ($0 ~ /^[ \t]*#/ || continued) {
		continued = $0 ~ /\\$/
		text = substr(text, 1, length(text) - length($0) - 1) # macros declare nothing
	}
}
END {
	while (match(text, /\/\*/)) { # comments
		begin = RSTART
		rest = substr(text, begin + 2)
		end = index(rest, "*/")
		text = substr(text, 1, begin - 1) " " substr(rest, end + 2)
	}
	while (match(text, /\{[^{}]*\}/)) # bodies, members
		text = substr(text, 1, RSTART - 1) ";" substr(text, RSTART + RLENGTH)
	n = split(text, declaration, ";")
	for (i = 1; i <= n; i++) {
		d = declaration[i]
		sub(/^[ \t]+/, "", d)
		if (d ~ /^(typedef|static|struct|enum|union) / && d !~ /^struct [a-z_0-9]+ [*]?bl_[a-z0-9_]+ *\(/)
			continue
		if (d ~ /^extern / && d !~ /\(/) {
			sub(/(\[[^]]*\])+ *$/, "", d)
			if (match(d, /bl_[a-z0-9_]+ *$/))
				print substr(d, RSTART, RLENGTH)
		} else if (match(d, /bl_[a-z0-9_]+ *\(/)) {
			name = substr(d, RSTART, RLENGTH - 1)
			sub(/ +$/, "", name)
			print name
		}
	}
}
