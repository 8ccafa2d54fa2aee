#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# barlow --safe: what a stranger's script can do, and what hostile scripts cannot.
. "$SRCDIR/tests/term/setup.sh"
# LeakSanitizer reads /proc, which a script under --safe may not.
no_leak_check

mkdir "$dir/in" "$dir/out" "$dir/elsewhere" "$dir/inside"
cd "$dir/in" || exit 1
"$BARLOW" -e 'tensor.save("here.npy", tensor.ones(2)); tensor.save("../elsewhere/secret.npy", tensor.ones(3))
	tensor.save("../inside.npy", tensor.ones(4))' || exit 1
ln -s ../elsewhere/secret.npy link.npy
ln -s ../elsewhere linked
ln -s ../elsewhere/secret.npy ../out/link.npy
cp ../elsewhere/secret.npy "$dir/before.npy"

report() { cat "$dir/said"; }
# gives STATUS PATTERN [OPTIONS]: the result of the script x.lua
gives() {
	want=$1 pattern=$2
	shift 2
	timeout 60 "$BARLOW" --safe "$@" "$dir/in/x.lua" one two >"$dir/said" 2>&1 </dev/null
	[ $? -eq "$want" ] && grep -qE -- "$pattern" "$dir/said"
}
# A script from standard input; otherwise as gives.
try() {
	name=$1
	shift
	cat >"$dir/in/x.lua"
	result "$name" gives "$@"
}

# --- Permitted ---
try "it computes, and prints to standard output" 0 '^3\.0 one two 2$' <<'END'
#!/usr/bin/env barlow
print(tensor.ones(3):sum():item(), ...)
print(("%s %s %s %d"):format(tensor.ones(3):sum():item(), arg[1], select(2, ...), #arg))
END
try "it learns: layers, losses, optimisers, a loader, functions of its own" 0 '^learned true$' <<'END'
local ds = data.shapes{n = 64, size = 8, channels = 1}
local net = nn.sequential(nn.cnn{widths = {4}, image = 8}, nn.func{function(x) return x * 2 end}, nn.linear(256, 8))
local criterion, o = loss.barlow{}, optim.sgd(net, {lr = .05})
local first, last
for i = 1, 10 do
	for _, v1, v2 in data.loader{data = ds, batch = 32} do
		local l = criterion(net(v1), net(v2))
		l:backward()
		o:step()
		o:zero_grad()
		first, last = first or l:item(), l:item()
	end
end
print("learned " .. tostring(last < first))
END
try "it reads beside itself" 0 '^2$' <<'END'
print(#tensor.load(arg[0]:gsub("x%.lua$", "here.npy")))
END
try "it reads and writes below the folder that is named" 0 '^5.0$' --below "$dir/out" <<END
tensor.ones(5):save("$dir/out/new.npy")
print(tensor.load("$dir/out/new.npy"):sum():item())
END
result "... which is there then" [ -s "$dir/out/new.npy" ]

# --- Messages about missing functions ---
for name in trainer plot runs sweep; do
	try "no $name, and why" 1 "'$name' is refused: a script run with --safe has no access to it, as .{20}" <<END
print($name)
END
done

# --- Hostile scripts ---
try "1: no io" 1 "'io' is refused" <<'END'
io.open("/etc/passwd")
END
try "2: no os" 1 "'os' is refused" <<'END'
os.execute("touch /tmp/owned")
END
try "3: no require, package or load" 0 '^refused refused refused refused refused$' <<'END'
local out = {}
for i, f in ipairs{ function() return require end, function() return package end, function() return load end,
		function() return dofile end, function() return debug end } do
	local fine, why = pcall(f)
	out[i] = not fine and why:match "refused" or "there"
end
print(table.concat(out, " "))
END
try "4: no way by the metatable of strings" 1 "nil value|boolean" <<'END'
getmetatable("").__index.format = nil
END
try "5: a loop without end" 1 'the script ran for more than 1 s' --seconds 1 <<'END'
while true do end
END
try "6: one that catches its end" 1 'the script ran for more than 1 s' --seconds 1 <<'END'
while true do pcall(function() while true do end end) end
END
try "7: a call that takes long" 1 'the script ran for more than 1 s' --seconds 1 <<'END'
local a = tensor.rand(3000, 3000)
while true do a = a:matmul(a) end
END
try "8: memory, by a text that doubles" 1 'more than 64 MiB of memory' --memory 64 <<'END'
local s = "x"
while true do s = s .. s end
END
try "9: memory, by tables" 1 'more than 64 MiB of memory' --memory 64 <<'END'
local t = {}
for i = 1, 1e9 do t[i] = {} end
END
try "10: memory, by tensors" 1 'more than 64 MiB of memory|out of memory|no memory' --memory 64 <<'END'
local t = {}
for i = 1, 1e6 do t[i] = tensor.zeros(1000, 1000) end
END
try "11: one tensor larger than all" 1 'memory' --memory 64 <<'END'
tensor.zeros(1000000, 1000000)
END
try "12: a pattern that does not end" 1 'the pattern could take too long|ran for more than' --seconds 5 <<'END'
print(("a"):rep(50000):find((".-"):rep(50) .. "b"))
END
try "13: writing, where nothing may be written" 1 'may not write files; --below FOLDER' <<'END'
tensor.ones(2):save("here.npy")
END
try "14: writing above the folder" 1 'is refused: it lies outside' --below "$dir/out" <<END
tensor.ones(2):save("$dir/out/../inside.npy")
END
try "15: writing through a link" 1 'is refused: it lies outside' --below "$dir/out" <<END
tensor.ones(2):save("$dir/out/link.npy")
END
try "16: writing beside the script" 1 'is refused: it lies outside' --below "$dir/out" <<END
nn.linear(2, 2):save("$dir/in/weights.safetensors")
END
try "17: reading by .." 1 'is refused: it lies outside' <<END
tensor.load("$dir/in/../elsewhere/secret.npy")
END
try "17b: a path that a zero byte ends early" 1 'tensor.load: expected a path, got a text with zero bytes' <<'END'
tensor.load "here.npy\0../../elsewhere/secret.npy"
END
try "17c: a path that is none" 1 'tensor.load: expected a path, got nil' <<'END'
tensor.load(nil)
END
try "18: reading through a link" 1 'is refused: it lies outside' <<END
tensor.load("$dir/in/link.npy")
END
try "19: reading through a folder that is one" 1 'is refused: it lies outside' <<END
nn.linear(2, 2):load("$dir/in/linked/secret.npy")
END
try "20: a folder whose name only begins so" 1 'is refused: it lies outside' <<END
tensor.load("$dir/inside.npy")
END
try "21: images elsewhere" 1 'may read below|is refused: data sets of files need' <<END
data.folder("$dir/elsewhere")
END
printf 'path,label\n../elsewhere/secret.npy,a\n' >"$dir/in/table.csv"
try "22: images elsewhere that a table names" 1 'ermission|refused|outside' <<END
data.csv{path = "$dir/in/table.csv", labels = "label"}:sample(1)
END
try "23: trainers, figures and runs" 0 '^true true true true$' <<'END'
local function refused(f) local fine, why = pcall(f) return tostring(not fine and why:find "refused" ~= nil) end
print(table.concat({ refused(function() return trainer end), refused(function() return plot end),
	refused(function() return runs end), refused(function() return sweep end) }, " "))
END
try "24: finalizers" 1 'cannot have __gc' <<'END'
setmetatable({}, { __gc = function() while true do end end })
END
try "25: control bytes to the terminal" 0 'x1b' <<'END'
print("\27]0;owned\7")
END
result "... are written out" sh -c "! grep -q \"\$(printf '\\033')\" '$dir/said'"
printf '\033Lua not text' >"$dir/in/x.lua"
result "26: bytecode" gives 1 'binary|text'
try "27: layers of its own that do not end" 1 'the script ran for more than 1 s|more than' --seconds 1 <<'END'
nn.func{function(x) while true do end end}(tensor.ones(1))
END
try "28: an error that is no text" 1 'barlow: ' <<'END'
error({})
END
try "29: paths that are none" 0 'expected a path, got table.*expected a path, got a text with zero bytes' <<'END'
local function why(path) return select(2, pcall(tensor.load, path)) end
print((why{} .. " " .. why "here.npy\0x"):gsub("\n", " "))
END
result "nothing that lay elsewhere has changed" cmp -s "$dir/before.npy" "$dir/elsewhere/secret.npy"
result "... and nothing came to lie there" [ "$(ls "$dir/elsewhere")" = secret.npy ]

# --- Options ---
says() {
	want=$1
	shift
	"$BARLOW" "$@" >"$dir/said" 2>&1 </dev/null
	[ $? -eq 2 ] && grep -qF -- "$want" "$dir/said"
}
result "--safe without a script" says "--safe: expected a script's file" --safe
result "--safe with -e" says "without -e, -i and --profile" --safe -e 'print(1)' x.lua
result "limits without --safe" says "are for --safe" --memory 64 x.lua
echo 'print(1)' >x.lua
result "--below what is no folder" gives 1 'it is not a folder' --below "$dir/in/x.lua"
result "... or is not there" gives 1 'No such file' --below "$dir/none"
echo "1..$number"
