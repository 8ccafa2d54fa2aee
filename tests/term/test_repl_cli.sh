#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The program's command line: options, scripts, exit statuses, destinations of messages.
. "$SRCDIR/tests/term/setup.sh"

cd "$dir" || exit 1

# run ARGUMENT...: sets status, out and err
run() {
	"$BARLOW" "$@" >out 2>err </dev/null
	status=$?
}
# expect NAME STATUS [PATTERN-IN-OUT [PATTERN-IN-ERR]]: for the last run; "" means empty
expect() {
	number=$((number + 1))
	if [ "$status" -eq "$2" ] && match out "${3-*}" && match err "${4-}"; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "# status $status, expected $2"
		sed 's/^/# out: /' out
		sed 's/^/# err: /' err
	fi
}
match() {
	case $2 in
	'*') ;;
	'') [ ! -s "$1" ] ;;
	*) grep -qE -- "$2" "$1" ;;
	esac
}

run -e 'print(1 + 1)'
expect "-e runs code" 0 '^2$'
run -e 'x = 1' -e 'print(x)'
expect "several -e share a state" 0 '^1$'
run -v
expect "-v prints the version" 0 '^barlow [0-9]+\.[0-9]'
run --version
expect "--version too" 0 '^barlow [0-9]'
run -h
expect "-h prints the options" 0 'usage: barlow'

# full NAME ARGUMENT...: standard output is a full device
full() {
	name=$1
	shift
	"$BARLOW" "$@" >/dev/full 2>err </dev/null
	status=$?
	: >out
	expect "$name > /dev/full fails" 1 '' '^barlow: standard output: '
}
full "-e" -e 'print(1)'
full "-e with more than a buffer" -e 'for i = 1, 1e5 do print(i) end'
full "os.exit" -e 'print(1) os.exit(0)'
echo 'print(1)' >s1.lua
full "a script" s1.lua
full "-h" -h
full "--version" --version
full "watch -h" watch -h
full "help" help watch
full "runs list" runs list --json
full "completions" completions bash
echo 'print(1)' | "$BARLOW" >/dev/full 2>err
status=$?
: >out
expect "a script that is piped in > /dev/full fails" 1 '' '^barlow: standard output: '
run -e 'x = 1'
expect "what prints nothing needs no output" 0 '' ''
"$BARLOW" -e 'x = 1' >/dev/full 2>err
status=$?
expect "not even a full one" 0 '' ''
kept='f = io.open("kept", "w") print("printed") io.stdout:flush() io.stderr:write("said") f:write("kept") f:close()'
"$BARLOW" -e "$kept" >&- 2>err </dev/null
status=$?
: >out
expect "a closed one fails" 1 '' '^saidbarlow: standard output: '
rm -f kept
"$BARLOW" -e "$kept" >out 2>&- </dev/null
status=$?
cp kept err
expect "what is opened where one was closed gets nothing that is printed" 0 '^printed$' '^kept$'
rm -f kept
"$BARLOW" -e "$kept" >&- 2>&- <&-
status=$?
cp kept err
: >out
expect "nor where all were" 1 '' '^kept$'
"$BARLOW" -e 'local f = io.open("kept") print(io.read())' <&- >out 2>err
status=$?
expect "a closed input is not read" 0 '^nil	' ''
: >out
{
	"$BARLOW" -e 'while true do print(1) end' 2>err
	echo $? >status
} | true
status=$(cat status)
expect "printing to a closed pipe ends with SIGPIPE" 141 '' ''
{
	until [ -s closed ]; do sleep .01; done
	"$BARLOW" -e 'print(1)' 2>err
	echo $? >status
} | {
	exec <&-
	echo yes >closed
}
status=$(cat status)
expect "also at exit" 141 '' ''

echo 'print(#arg, arg[0], arg[1], arg[2], ...)' >s.lua
run s.lua one -x
expect "a script gets its arguments" 0 '^2	s\.lua	one	-x	one	-x$'
"$BARLOW" - a b <s.lua >out 2>err
status=$?
expect "- reads the script from standard input" 0 '^2	-	a	b	a	b$'
echo 'print "piped"' | "$BARLOW" >out 2>err
status=$?
expect "a script that is piped in" 0 '^piped$'
printf '#!/usr/bin/env barlow\nprint "bang"\n' >bang.lua
run bang.lua
expect "a script may begin with #!" 0 '^bang$'
echo 'os.exit(7)' >exit.lua
run exit.lua
expect "os.exit sets the status" 7
LD_DEBUG=libs LD_DEBUG_OUTPUT=./ld "$BARLOW" -e 'io.write "written" os.exit(7, false)' >out 2>err </dev/null
status=$?
expect "also without closing the state" 7 '^written$'
number=$((number + 1))
if grep -q 'calling fini.*openblas' ld.*; then # a run's thread would crash in it
	echo "not ok $number - and then it does not end libraries that threads use"
else
	echo "ok $number - and then it does not end libraries that threads use"
fi
going='t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8}, projector = {8},
	batch = 32, epochs = 1e6, name = "going"} t:start() while #t < 2 do t:wait(.01) end'
run -e "$going"
expect "a script that ends before its run says so" 0 '' '^going: the program ends at step [0-9]+ of 2000000 of this run, which is stopped'
run -e "$going os.exit(7)"
expect "os.exit, too" 7 '' '^going: the program ends at step '
run -e 'for _, r in ipairs(runs.list{ where = "name = '"'going'"'" }) do print(r.state) end'
expect "and both runs are saved" 0 '^stopped$'
cp out states
run -e "${going% t:start*} t:step(2)"
expect "of steps by hand nothing is said" 0 '' ''
number=$((number + 1))
if grep -q killed states; then echo "not ok $number - none of them was killed"; else echo "ok $number - none of them was killed"; fi

printf 'local function f() error "oops" end\nf()\n' >bad.lua
run bad.lua
expect "a script error ends with 1 and a traceback" 1 '' 'bad\.lua:1: oops'
expect "the traceback names the line" 1 '' "bad\\.lua:2: in main chunk"
printf 'x = = 1\n' >syntax.lua
run syntax.lua
expect "a syntax error ends with 1" 1 '' 'syntax\.lua:1: unexpected symbol'
run missing.lua
expect "a missing script ends with 1" 1 '' 'cannot open missing\.lua'
run -e 'error{}'
expect "an error that is no string" 1 '' 'table'
run -e 'string.dump(print)'
expect "an error in -e" 1 '' 'unable to dump'
run -e 'print(1)' missing.lua
expect "-e runs before the script" 1 '^1$' 'missing\.lua'
run -e 'io.open("b.lua", "wb"):write(string.dump(function() print "ran" end)):close()'
expect "bytecode is written by a script" 0
run b.lua
expect "bytecode is not run" 1 '' '[^ ]: attempt to load a binary chunk'

run -e 'dofile "b.lua"'
expect "nor by dofile" 1 '' 'attempt to load a binary chunk'
run -e 'print(loadfile "b.lua")' -e 'print(load(string.dump(function() end), "x", "b"))'
expect "nor by loadfile or load" 0 'nil	.*attempt to load a binary chunk'
run -e 'require "b"'
expect "nor by require" 1 '' 'attempt to load a binary chunk'
echo 'return { three = 3 }' >m.lua
run -e 'print(require "m".three, load("return a", "a", "t", { a = 4 })(), dofile "m.lua".three)'
expect "text is loaded by all of them" 0 '^3	4	3$'
run -e 'require "nothing.here"'
expect "a missing module names where it was looked for" 1 '' 'nothing/here\.lua'

run -x
expect "an unknown option ends with 2 and is named" 2 '' "unknown option '-x'"
run --bogus
expect "an unknown long option" 2 '' "unknown option '--bogus'"
run -e
expect "an option without its argument" 2 '' "missing after '-e'"
run -t 0 -e ''
expect "no threads" 2 '' "from 1 to 256, got '0'"
run -t two -e ''
expect "threads that are no number" 2 '' "got 'two'"
run -t 1 -e 'print(tensor.ones(3):sum():item())'
expect "-t takes a number" 0 '^3\.0$'
run --threads=2 -e ''
expect "--threads too" 0 '' ''
run -- s.lua
expect "-- ends the options" 0 '^0	s\.lua	nil'
echo '1 + 1' | "$BARLOW" -i >out 2>err
status=$?
expect "-i prompts without a terminal too" 0 '^2$'

# Ctrl-C: a script that catches errors ends nevertheless
echo 'print "up" io.flush() while true do pcall(function() while true do end end) end' >swallow.lua
"$BARLOW" swallow.lua >out 2>err &
pid=$!
until_true grep -q up out
kill -INT $pid
wait $pid
status=$?
expect "Ctrl-C ends a script that catches errors" 1 '^up$' 'interrupted'

# With little address space it works, or reports why not, and never hangs.
step='trainer{data = data.shapes{n = 64, size = 8}, encoder = nn.cnn{channels = 3, image = 8, widths = {4}},
	projector = {8}, batch = 32, epochs = 1, folder = false}:run{quiet = true} print "trained"'
# limited MB: status 0 and "trained", or 1 and a message; with the smallest limit the system cannot even load the libraries
limited() {
	(
		ulimit -v $(($1 * 1024))
		timeout 120 "$BARLOW" -t 2 -e "$step"
	) >out 2>err
	status=$?
	case $status in
	0) grep -q trained out ;;
	1) grep -qE 'address space is limited|no memory|out of memory' err ;;
	127) grep -q 'error while loading shared libraries' err ;;
	*) false ;;
	esac && status=0
}
if [ "${SANITIZERS:-no}" = no ]; then
	for mb in 60 $(seq 86 2 98) 100 150 200 300 400 600 800 1000 2000; do
		limited $mb
		expect "$mb MB of address space" 0 '*' '*'
	done
else
	number=$((number + 1))
	echo "ok $number # SKIP the sanitizers map terabytes themselves"
fi
echo "1..$number"
