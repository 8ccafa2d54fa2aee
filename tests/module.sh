#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The module in a Lua that is not ours.
set -u

skip() {
	echo "1..0 # SKIP $*"
	exit 0
}

command -v lua5.4 >/dev/null || skip "no lua5.4 (Debian package lua5.4)"
[ "${SANITIZERS:-no}" = no ] || skip "a Lua built without sanitizers cannot load a module built with them"

LUA_CPATH="$BUILDDIR/.libs/?.so" LUA_PATH=';' exec lua5.4 - <<'END'
print("1..3")
local fine, barlow = pcall(require, "barlow")
print((fine and "ok" or "not ok") .. " 1 - require finds it")
if not fine then
	print("# " .. tostring(barlow))
	os.exit(1)
end
print((type(barlow) == "table" and "ok" or "not ok") .. " 2 - it is a table")
local names = 0
for _ in pairs(barlow) do
	names = names + 1
end
print((names > 0 and "ok" or "not ok") .. " 3 - with something in it")
END
