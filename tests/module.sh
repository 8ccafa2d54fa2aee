#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The module in a stock Lua.
set -u

skip() {
	echo "1..0 # SKIP $*"
	exit 0
}

command -v lua5.4 >/dev/null || skip "no lua5.4 (Debian package lua5.4)"
[ "${SANITIZERS:-no}" = no ] || skip "a Lua built without sanitizers cannot load a module built with them"

LUA_CPATH="$BUILDDIR/.libs/?.so" LUA_PATH=';' lua5.4 - <<'END'
print("1..6")
local fine, barlow = pcall(require, "barlow")
print((fine and "ok" or "not ok") .. " 1 - require finds it")
if not fine then
	print("# " .. tostring(barlow))
	os.exit(1)
end
print((type(barlow) == "table" and "ok" or "not ok") .. " 2 - it is a table")
local missing = ""
for name in ("aug data eval loss nn optim plot runs sweep tensor trainer clock"):gmatch "%a+" do
	if barlow[name] == nil then missing = missing .. " " .. name end
end
print((missing == "" and "ok" or "not ok") .. " 3 - with all that the program has" .. missing)
END

# check NUMBER NAME COMMAND...
check() {
	number=$1 name=$2
	shift 2
	if "$@"; then echo "ok $number - $name"; else echo "not ok $number - $name"; fi
}
# A shell's environment for a build that is not installed, evaluated twice.
out=$(cd / && sh -c 'eval "$("$1" env)"; before=$PATH; eval "$(barlow env)"; [ "$PATH" = "$before" ] && echo same
	lua5.4 -e "print(require([[barlow]]).tensor.ones(2))"' sh "$BARLOW" 2>&1)
has() { printf '%s\n' "$out" | grep -qxF -- "$1"; }
check 4 "eval \"\$(barlow env)\" makes lua5.4 find the module" has "tensor([1., 1.])"
check 5 "... and the program, and says so once only" has same
out=$(BARLOW_KERNELS=nonsense LUA_CPATH="$BUILDDIR/.libs/?.so" lua5.4 -e 'print(pcall(require, "barlow"))' 2>&1)
kernels() { printf '%s\n' "$out" | grep -q "BARLOW_KERNELS is 'nonsense': expected .*generic"; }
check 6 "kernels that there are not are refused" kernels
