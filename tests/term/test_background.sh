#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The prompt queries the terminal's background colour (OSC 11).  The terminal answers at once, late, never, in pieces, or while
# keys are typed.
. "$SRCDIR/tests/term/setup.sh"
needs pty_talk

talk=$BUILDDIR/tests/term/pty_talk

unset NO_COLOR INSIDE_EMACS COLORFGBG
TERM=xterm-256color
export TERM

ask='\e]11;?\e\\\e[c'
white='\e]11;rgb:ffff/ffff/ffff\e\\'
black='\e]11;rgb:0000/0000/0000\a'
attributes='\e[?62;4c'
look='print("light", require "barlow.native".doctor_terminal().light)\r'

prints() {
	pattern=$1
	shift
	"$talk" "$@" -- "$BARLOW" --no-init >"$dir/out" 2>&1 && grep -qE -- "$pattern" "$dir/out"
}
# check NAME PATTERN STEP...: the output of the program contains the pattern
check() {
	name=$1
	pattern=$2
	shift 2
	result "$name" prints "$pattern" "$@"
}
# lacks NAME PATTERN: the last check's output does not contain it
lacks() { result "$1" eval "! grep -qE -- '$2' '$dir/out'"; }
end='send:\d'

check "a light background" 'light	true$' "wait:$ask" "send:$white$attributes" "send:$look" 'wait:light	' 'wait:barlow> ' "$end"
lacks "of whose answer nothing is seen" 'ffff|62;4'
check "a dark background" 'light	false$' "wait:$ask" "send:$black$attributes" "send:$look" 'wait:light	' 'wait:barlow> ' "$end"
check "a terminal that knows DA1 only" 'light	false$' "wait:$ask" "send:$attributes" "send:$look" 'wait:light	' 'wait:barlow> ' "$end"
lacks "nor of that" '62;4'
check "a late answer" 'light	true$' "wait:$ask" 'send:half = ' 'sleep:400' "send:$white" 'sleep:50' "send:$attributes" \
	"send:7 $look" 'wait:light	' 'wait:barlow> ' 'send:half\r' 'wait:7' 'wait:barlow> ' "$end"
lacks "is no part of the line" 'ffff|62;4|error'
check "an answer in pieces, with keys in between" 'light	true$' "wait:$ask" 'send:hal\e]1' 'sleep:20' 'send:1;rgb:ff' 'sleep:20' \
	'send:ff/ffff/ffff\e' 'sleep:20' "send:\\\\f = 8$attributes; $look" 'wait:light	' 'wait:barlow> ' \
	'send:half\r' 'wait:8' 'wait:barlow> ' "$end"
check "no answer: what was typed is kept" 'l5$' "wait:$ask" 'send:2 + 3\r' 'wait:5' 'wait:barlow> ' "send:$look" 'wait:light	false' \
	'wait:barlow> ' "$end"
check "... also keys of several bytes" 'l13$' "wait:$ask" 'send:3\e[D' 'sleep:20' 'send:1\e' 'sleep:20' 'send:[C\r' 'wait:l\r13' 'wait:barlow> ' "$end"
check "a single Esc is passed on" 'l5$' "wait:$ask" 'send:23\e' 'sleep:900' "send:b5 --\r" 'wait:l\r5' 'wait:barlow> ' "$end"
check "lines typed ahead, with answers in between" 'l3	4	5$' "send:x = 3\ry = 4\rz =" "wait:$ask" "send:${white}5\r$attributes" \
	'send:print(x, y, z)\r' 'wait:3	4	5' 'wait:barlow> ' "$end"
check "an end of input that was typed ahead" 'l2$' "send:1 + 1\r\d" "wait:$ask" "send:$white$attributes"
check "and one that waits for an answer" 'l2$' "wait:$ask" 'send:1 + 1\r\d' 'sleep:20' "send:$white$attributes"
check "or for none" 'l2$' "send:1 + 1\r\d" "wait:$ask"
check "the terminal is asked once" 'light	true$' "wait:$ask" "send:$white$attributes" 'send:1\r' 'wait:l\r1' 'wait:barlow> ' "send:$look" \
	'wait:light	' 'wait:barlow> ' "$end"
number=$((number + 1))
if [ "$(grep -oF ']11;?' "$dir/out" | wc -l)" = 1 ]; then echo "ok $number - indeed"; else echo "not ok $number - indeed"; fi

check "errors are red" '31mstdin:1: .*none' "wait:$ask" "send:$attributes" 'send:none.x\r' 'wait:nil value' 'wait:barlow> ' "$end"

# barlow watch sends the same query.
cat >"$dir/kept.lua" <<'EOF'
trainer{data = data.shapes{n = 32, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8, channels = 1}, projector = {8}, batch = 16,
	epochs = 1, folder = arg[1]}:run{quiet = true}
EOF
"$BARLOW" "$dir/kept.lua" "$dir/kept"
# watched NAME COLOUR ANSWER: the colour of keys on the background that the terminal reports
watched() {
	number=$((number + 1))
	"$talk" "wait:$ask" "send:$3$attributes" 'wait:dashboard' 'send:q' -- "$BARLOW" watch "$dir/kept" >"$dir/out" 2>&1
	if grep -qF "38;5;$2m" "$dir/out"; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# /' "$dir/out"
	fi
}
watched "the screen of barlow watch on a light background" 25 "$white"
watched "and on a dark one" 221 "$black"
late() {
	"$talk" "wait:$ask" 'wait:dashboard' 'sleep:200' "send:\\e]11;rgb:2222/2222/2222\\e\\\\$attributes" 'sleep:400' 'send:q' -- \
		"$BARLOW" watch "$dir/kept" >"$dir/out" 2>&1 && ! grep -q zoom "$dir/out"
}
result "an answer that comes late is no keys" late
# Keys that are typed meanwhile reach the screen.  An answer in pieces, or a late one, is used, and no byte of it counts as a key.
screens() { "$talk" "$@" -- "$BARLOW" watch "$dir/kept" >"$dir/out" 2>&1; }
result "keys typed before the answer are the screen's" screens "wait:$ask" 'send:2' "send:$white$attributes" 'wait:zoom' 'send:q'
result "or where none comes" screens "wait:$ask" 'send:2' 'wait:zoom' 'send:q'
result "and those before the question" screens 'send:2' "wait:$ask" "send:$white" 'send:8' "send:$attributes" 'wait:smoothing' 'send:q'
arrow() { screens "wait:$ask" 'send:8\eOB' "send:$attributes" 'wait:smoothing' 'send:q' && ! grep -q '> background' "$dir/out"; }
result "arrows among them" arrow
result "q leaves" screens "wait:$ask" 'send:q' "send:$attributes"
in_pieces() {
	screens "wait:$ask" 'send:\e' 'sleep:10' 'send:]11;rgb:22' 'sleep:10' 'send:22/2222/2222\e' 'sleep:10' "send:\\\\$attributes" 'wait:dashboard' \
		'sleep:300' 'send:q' && ! grep -q zoom "$dir/out"
}
result "an answer in pieces" in_pieces
late_and_light() {
	screens "wait:$ask" 'wait:dashboard' 'sleep:200' "send:$white$attributes" 'wait:38;5;25m' 'send:q' && ! grep -q zoom "$dir/out"
}
result "a late one is drawn" late_and_light

# Cases in which the terminal is not queried.
for setting in TERM=dumb TERM=linux NO_COLOR=1 INSIDE_EMACS=29.1,comint; do
	number=$((number + 1))
	env "$setting" "$talk" 'wait:barlow> ' 'send:1 + 1\r' 'wait:2' 'wait:barlow> ' "$end" -- "$BARLOW" --no-init >"$dir/out" 2>&1
	status=$?
	if [ $status = 0 ] && ! grep -q ']11' "$dir/out"; then
		echo "ok $number - not with $setting"
	else
		echo "not ok $number - not with $setting"
		sed 's/^/# /' "$dir/out"
	fi
done
number=$((number + 1))
if echo '1 + 1' | "$BARLOW" -i --no-init 2>&1 | grep -q ']11'; then echo "not ok $number - nor in pipes"; else echo "ok $number - nor in pipes"; fi
echo "1..$number"
