#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the prompt prints and accepts in addition to Lua: results, errors, %commands, $, and words; its input is a pipe.
. "$SRCDIR/tests/term/setup.sh"

cd "$dir" || exit 1

# says NAME PATTERN: the output for the input in the file `in` has such a line
says() {
	number=$((number + 1))
	"$BARLOW" -i <in >out 2>&1
	if grep -qE -- "$2" out; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# /' out
	fi
}

# ends NAME ALL: the complete output
ends() {
	number=$((number + 1))
	"$BARLOW" -i <in >out 2>&1
	if [ "$(cat out)" = "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# /' out
	fi
}

printf '%s\n' '2^53' >in; says "whole numbers have all digits" '^9007199254740992\.0$'
printf '%s\n' '123456789.123' >in; says "others as Lua prints them" '^123456789\.123$'
printf '%s\n' '0.1 + 0.2' >in; says "without what rounding left" '^0\.3$'
printf '%s\n' '"a\tb"' >in; says "strings are quoted" '^"a\\tb"$'
printf '%s\n' '"a]]\nb"' >in; says "of several lines in long brackets" '^b\]=\]$'
printf '%s\n' '"\27[2Jx"' >in; says "and cleaned" '^"[^[:cntrl:]]*x"$'
printf '7\n8\n__ + _\n' >in; says "the last two results" '^15$'
printf '7\n8\n9\n_1 .. _2 .. _3\n' >in; says "results by their number" '^"789"$'
{ printf '%s\n' 0 && seq 1 100 && echo '_1 == nil and _2 == 1'; } >in; says "a hundred of them" '^true$'
printf '7;\n_1\n' >in; says "a silenced one too" '^7$'
printf '%s\n' '=1+1' >in; says "=expression" '^2$'
printf '%s\n' 'help' >in; says "help alone" '\?name or help'
printf 'print "yes"\nquit\nprint "no"\n' >in; ends "quit" yes
printf 'print "yes"\nexit()\nprint "no"\n' >in; ends "exit()" yes
printf 'quit = 5\nquit\n' >in; says "but not where it is a variable" '^5$'
printf '%s\n' '$ echo from the $((1 + 1))nd shell' >in; says "a command of the shell" '^from the 2nd shell$'
printf '%s\n' '!echo and in IPython way' >in; says "as IPython has it" '^and in IPython way$'
printf '%s\n' '$ exit 3' >in; says "and its status" '^exit status 3$'
printf '%s\n' 'x = 1; x + 1' >in; says "an expression behind statements is printed" '^2$'
printf '%s\n' 'q = 16; math.sqrt(q)' >in; says "a call behind statements, too" '^4\.0$'
printf '%s\n' 'x = 1; x, 5;' '_' >in; ends "silenced too, and kept" 1
cat >in <<'END'
1; -- "one"
"two"; --[[ of
two lines; ]]
"three" --[==[ ]] ]==] ; --
"four; -- seen"
"five" -- ;
x = 6; x; -- six
print "seven"; -- it has no value
[[eight; --]]
END
ends "where comments follow, too" '"four; -- seen"
"five"
seven
"eight; --"'
printf '%s\n' 'x = 1; "kept"; -- c' '_;' '_1' >in; ends "and is kept all the same" '"kept"'
rm -f kept.lua; printf '%s\n' 'x = 2; y = 3; x, y' '%save kept.lua' '%run kept.lua' >in
says "and is saved as a script that prints it" '^2	3$'
printf '%s\n' 'nn' >in; says "a library lists what is in it" '^nn\.linear  +x W'
printf '%s\n' 'tensor' >in; says "its functions" '^tensor\.zeros  +Zeros\.$'
printf '%s\n' 'nn.linear' >in; says "a function how it is called" '^nn\.linear\(inputs, outputs.*--'
printf '%s\n' 'tensor.zeros(2)' >in; says "no zero has a sign" 'mean 0, std 0, from 0 to 0$'
if command -v gnuplot >/dev/null 2>&1; then
	printf '%s\n' 'f = plot.lines{{{1, 2}, {3, 4}}}' 'f' 'f:save "fig.gp"' >in; says "a figure names the file written" '^figure of 1 series, saved as fig\.gp$'
fi
printf '%s\n' '?projector' >in; says "help begins with the setting of that name" '^trainer\{projector = \.\.\.\}$'
printf '%s\n' '?t:set' >in; says "examples of methods are short" '^    > t:set\{lambda = \.01\}$'
printf '%s\n' '%timeit 1+1' >in; says "commands of IPython by their names there" '^median '
printf '%s\n' '%pwd' 'pwd' >in; ends "or those of the shell" "$dir
$dir"
printf '%s\n' '%cd /' >in; says "or why there is none" 'no command %cd: a session stays in its folder'
printf '%s\n' '$ cd /' >in; says "and that the shell's changes nothing" "not that of this session"
printf '%s\n' 'import torch' >in; says "Python's words are told Lua's" 'need no import'
printf 'for i in range(3):\nlen({1, 2})\n' >in; says "and begin nothing" 'in Lua: for i, x in ipairs'
printf '%s\n' 'len({1, 2})' >in; says "functions, too" 'the length of x is #x'
printf '%s\n' 'range(3)' >in; says "a function of Python is no misspelt one" "\(global 'range'\) \(in Lua: for"
for entry in 'x @ x|a:mm\(b\)' 'x[:, 1]|t:narrow' 'tensor.zeros([2, 3])|lists are written in braces' 'tensor.zeros((2, 3))|f\(2, 3\)' \
	'y = {1: 2}|\{name = value\}' 'y = 1 if x else 2|x = a and b or c' 'barlow sweep run x.lua|command of the shell' 'x:sum|t:stop\(\)' \
	'f"{x}"|:format\(x\)' '"a" + "b"|joins strings' 'for a in data.shapes{n = 4} do end|ipairs\(list\)' 'x.T|\(t:t\(\) of a matrix' \
	'x.numpy()|:save\("x.npy"\)' 'y = True|.True. is not defined \(in Lua: true\)' 'y = None|in Lua: nil' 'trainer{lr = 1}|adamw\{lr = ...\}' 'nn.ReLU()|did you mean .relu.' \
	'eval.knn{train = nowhere, test = x}|.train. is missing.*\(.nowhere. is nil here\)'; do
	printf 'x = tensor.zeros(2, 3)\n%s\n' "${entry%%|*}" >in
	says "what is to be written for ${entry%%|*}" "${entry#*|}"
done
printf '%s\n' 's = sweep{base = {data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, projector = {8}, batch = 16, epochs = 1}, space = {["loss.lambda"] = {.01, .02}}, seeds = 1}' \
	's:to_frame()' >in; says "what a sweep has" '\(a sweep has add, best, export, importance'
printf '%s\n' 'trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, projector = {8}, batch = 16, epochs = 1, name = "kept", folder = "kept"}:run{quiet = true}' \
	'r = runs.get "./kept"' 'r:eval()' >in; says "how a run of the past is evaluated" 'a run has at, .*: runs.fork\(r\) makes a trainer'
printf '%s\n' 't = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, projector = {8}, batch = 16, epochs = 1, folder = false}:step(2)' \
	't:at(1)' >in; says "one step in the singular" 'step 1: 1 step is recomputed from the start'
printf '%s\n' 'images = 5' 'imags' >in; says "a name that nothing has" "^no variable has the name 'imags' \(did you mean 'images'\?\)"
printf '%s\n' 'x = 5' 'x;' 'nil' >in; ends "which nil is not" nil
printf '%s\n' 't:' '7' >in; says "a colon begins nothing" '^7$'
printf '%s\n' '%news none' '_NEWS' '%news ends' '_NEWS' '%news' >in; ends "news of runs can be muted" 'news of runs: none
false
news of runs: ends
"ends"
news of runs: ends'
printf '%s\n' 'local x = 3' >in; says "a local is gone" "x is local to this entry and gone now: without 'local' it stays"
printf '%s\n' 'local x = 3; print(x)' >in; says "which is not said where it was used" '^3$'

printf '%s\n' 'x = foo.bar' >in; says "an error marks what it names" '^        \^\^\^$'
printf 'function f(t)\n  return t.a.b\nend\nf{}\n' >in; says "in an earlier entry too" '^      return t\.a\.b$'
printf 'local q = 1\nq.x.y = 2 end\n' >in; says "a syntax error too" "^              \\^\\^\\^$"
printf '%s\n' 'error{ code = 3 }' >in; says "an error that is a table" '^error: \{ code = 3 \}$'
printf 'function g() error "deep" end\nfunction h() g() end\nh()\n%%traceback\n' >in; says "%traceback" 'stack traceback:'
printf 'return 1 +\nnil_thing.x\n' >bad.lua
printf '%%run bad.lua\n' >in; says "an error in a file shows its line" '^    nil_thing\.x$'
printf '%s\n' 'n = (arg[1] or "none") .. #arg' >args.lua
printf '%%run args.lua one two\nn\n' >in; says "%run leaves variables" '^"one2"$'
printf '%s\n' '%time 6 * 7' >in; says "%time prints the value" '^42$'
printf '%s\n' '%time 6 * 7' >in; says "and the time" '^[0-9.]+ [mu]?s, processor time [0-9.]+ [mu]?s$'
printf '%s\n' '%bench 6 * 7' >in; says "%bench" 'median [0-9.]+ [mu]?s, fastest .*, slowest .*: 5 runs of [0-9]+ calls'
printf 'alpha = 1\nbeta = "x"\n%%who\n' >in; says "%who" '^alpha +integer +1$'
printf 'alpha = 1\n%%reset\nalpha == nil and trainer ~= nil\n' >in; says "%reset" '^true$'
printf '%s\n' '%tme 1' >in; says "a near command" 'there is no command %tme \(did you mean %time\?\)'
printf '%s\n' '%' >in; says "they are listed" '^%bench CODE '
printf 'x = 20\n1 +\n22\nx:no()\n%%who\n%%save s.lua\n' >in; says "%save" '^s\.lua: 2 entries$'
number=$((number + 1))
if [ "$("$BARLOW" s.lua)" = 23 ]; then echo "ok $number - which runs"; else echo "not ok $number - which runs" && sed 's/^/# /' s.lua; fi
printf 'x = 1\n%%save s.lua\n' >in; says "and overwrites nothing" 's\.lua exists already'
printf 'x = 1\n%%history\n' >in; says "%history" '^   1  x = 1$'
printf 'function f(a)\n  return a\nend\n??f\n' >in; says "??name has the source" '^  return a$'
printf '%%edit args.lua\nn\n' >in; EDITOR=true; export EDITOR; says "%edit runs what was written" '^"none0"$'
printf '%s\n' '?tensor.zeros' >in; says "?name" '^tensor\.zeros\('
printf '%s\n' '?tensor.zeros?' >in; says "?name?" '^tensor\.zeros\('
printf '%s\n' 'tensor.ones(3, 2)' >in; says "tensors say what is in them" '^-- \(3, 2\), mean 1, std 0, from 1 to 1$'
printf "%s\n" "data.shapes{ n = 8, size = 12, channels = 1 }[1]" >in; says "a sample is a picture, and what is known of it" "image = tensor \(1, 12, 12\)"
printf 'tensor.zeros?\n' >in; says "name?" '^tensor\.zeros\('
printf '?aug.normalize\n' >in; says "long settings" '^aug\.normalize'
printf 'x = 5\ny = f( b = 1)\n' >in; says "Python's way of calling" "settings go in braces: f\{name = value\}"
number=$((number + 1))
if grep -q 'x = 5' out; then echo "not ok $number - no other entry's line"; else echo "ok $number - no other entry's line"; fi
printf 'f = print f:g\n7\n' >in; says "a method without its arguments is an error at once" '^7$'
printf 'x = tensor.zeros(2, 3)\nx.shape\n' >in; says "a method without a call" "called with ':' and '\(\)': t:shape\(\)"
printf '%s\n' '%timeit' >in; says "a command by its other name" '^%timeit needs an argument: %timeit CODE$'
printf '_NEWS = "loud"\n_NEWS\n' >in; says "news that are none" '^_NEWS: expected "all", "ends", "none" or false, got loud: all news is printed$'
printf '_NEWS = "loud"\n_NEWS\n' >in; says "are taken away" '^nil$'
printf '_NEWS = setmetatable({}, {__tostring = error})\n6 * 7\n' >in; says "also those whose text cannot be made" '^42$'
printf '_PROMPT = function() error(setmetatable({}, {__tostring = error})) end\n6 * 7\n' >in
says "a prompt whose function fails does not end the session" '^42$'
says "and is removed" '^_PROMPT: its function failed and is removed: table$'
printf '%%news ends\n_PROMPT = "> "\n%%reset\n_NEWS .. _PROMPT\n' >in; says "%reset leaves the prompt as it is" '^"ends> "$'
cat >run.lua <<'EOF'
local ds = data.shapes{n = 64, size = 8, channels = 1}
function make(s)
	local all = {data = ds, encoder = nn.cnn{widths = {4}, image = 8, channels = 1}, projector = {8}, batch = 16, epochs = 2, folder = false}
	for k, v in pairs(s or {}) do all[k] = v end
	return trainer(all)
end
EOF
printf '%%run run.lua\nt = make() t:run{quiet = true}\nt:set{lr = .1};\n' >in; says "set, of a run that is over" "set: the run 'run' is over \(done\)"
printf '%%run run.lua\nt = make() t:run{quiet = true}\nt:pause();\n' >in; says "pause" "pause: the run 'run' is over \(done\)"
printf '%%run run.lua\nt = make() t:run{quiet = true}\nt:break_when(nil);\n' >in; says "break_when" "break_when: the run 'run' is over \(done\)"
printf '%%run run.lua\nt = make{epochs = 100000}:start()\nt:pause()\nt:stop();\n' >in; says "pause waits until it stands" '^trainer run: paused'
printf '%%run run.lua\nt = make{epochs = 100000}\nt:step(3);\nt\n' >in; says "many epochs with all digits" 'of 400000 \(0%\), epoch 0\.75 of 100000$'
printf '%%run run.lua\nds = data.shapes{n = 64, size = 8, channels = 1}\nt = make{knn = {every = 1, refs = ds, queries = ds}}:step(5);\nt\n' >in; says "the card has the last kNN" 'kNN [01]\.[0-9]{4} '
printf '%%run run.lua\nt = make{folder = "a\\27b\\nc"} t:run{quiet = true}\njobs\n' >in; says "jobs escapes the folder's name" ' a\\x1bb\\nc$'
printf '%%run run.lua\nt = make{name = "lost", epochs = 100000}:start() t = nil\nfor _, u in ipairs(runs.trainers()) do print(u.name, u:stop().state) end\n' >in
says "runs.trainers() has those that nobody refers to" '^lost	stopped$'
printf '%%run run.lua\nt = make():break_when(function() error "one\\n\\ttwo" end) t:step(1);\nt.message\n' >in
says "an error of several lines is one of the run's message" 'its function failed: run\.lua.*one  two"$|its function failed: stdin:1: one  two"$'
printf '?gpu\n' >in; says "words that others use" 'CPU only'
echo "1..$number"
