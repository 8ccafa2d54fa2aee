#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# 200 lines are typed at the prompt, with completions, errors and Ctrl-C, while a run trains: its curve has the bits of one that was left alone.
set -u

if ! command -v tmux >/dev/null 2>&1; then
	echo "1..0 # SKIP tmux is not installed"
	exit 0
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-typed-XXXXXX") || exit 1
XDG_DATA_HOME=$dir/xdg/data XDG_STATE_HOME=$dir/xdg/state XDG_CONFIG_HOME=$dir/xdg/config XDG_CACHE_HOME=$dir/xdg/cache
export XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME XDG_CACHE_HOME
socket=barlow-typed-$$
in_tmux() { TMUX='' tmux -L "$socket" -f /dev/null "$@" 2>>"$dir/tmux.log"; }
trap 'in_tmux kill-server; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
# Where a signal ends a process that is at its exit, LeakSanitizer's tracer waits there for a thread that is gone, for ever.
ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export ASAN_OPTIONS

screen() { in_tmux capture-pane -p -t t; }
keys() { in_tmux send-keys -t t "$@"; }
line() {
	in_tmux send-keys -t t -l "$1"
	keys Enter
}
until_true() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || return 1
		sleep 0.1
	done
}
has() { screen | grep -qE -- "$1"; }
shows() { until_true has "$1"; }

number=0
# check NAME PATTERN: the screen comes to show it
check() {
	number=$((number + 1))
	if shows "$2"; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		screen | sed 's/^/# /'
	fi
}
clear_screen() {
	keys C-l
	in_tmux clear-history -t t
}

cat >"$dir/make.lua" <<'EOF'
local ds = data.shapes{n = 256, size = 12, channels = 1, seed = 1}
function make(name)
	return trainer{data = ds, encoder = nn.cnn{widths = {4, 8}, image = 12}, projector = {16}, batch = 32, epochs = 20000, seed = 1,
		name = name, folder = false}
end
-- Waits until the run has made n more steps.
function pace(t, n)
	local last = #t.records.total + n
	while #t.records.total < last do end
end
function curve(t)
	local parts = {}
	for i, v in ipairs(t.records.total) do parts[i] = ("%a"):format(v) end
	return #parts .. " " .. table.concat(parts, " ")
end
EOF
in_tmux new-session -d -s t -x 100 -y 30 "XDG_STATE_HOME='$dir/state' TERM=screen '$BARLOW'; echo left with \$?; exec sleep 100"
check "it prompts" '^barlow>'
line "dofile '$dir/make.lua'"
line 't = make "typed" t:start() half = 1'
check "a run trains" '^barlow \[typed '
typed=0
while [ $typed -lt 200 ]; do
	case $((typed % 10)) in
	0) line 'x = 1 + 1' ;;
	1) line 'tensor.rand(3, 3)' ;;
	2) line 'nothing.at.all' ;;
	3)
		in_tmux send-keys -t t -l 'tensor.zer'
		keys Tab
		line '(2)'
		;;
	4)
		in_tmux send-keys -t t -l 'half typed'
		keys C-c
		;;
	5) line 'for i = 1, 2 do x = i end' ;;
	6) line 't.terms' ;;
	7) line 'jobs' ;;
	8) line 'error{}' ;;
	9)
		line 'while true do end'
		keys C-c
		;;
	esac
	typed=$((typed + 1))
	[ $((typed % 50)) -ne 0 ] || line 'pace(t, 30)'
done
line 'print("now", t.state)'
check "it trains still" '^now +running'
line 't:stop() print "over"'
check "it is stopped" '^over'
line "io.open('$dir/curve', 'w'):write(curve(t), '\\n'):close() print 'written'"
check "its curve is kept" '^written'
number=$((number + 1))
steps=$(cut -d' ' -f1 "$dir/curve")
"$BARLOW" -e "dofile '$dir/make.lua'" -e "t = make 'alone' t:step($steps) print(curve(t))" >"$dir/alone"
if [ "$steps" -gt 100 ] && cmp -s "$dir/curve" "$dir/alone"; then
	echo "ok $number - with the bits of one that was left alone"
else
	echo "not ok $number - with the bits of one that was left alone"
	tr ' ' '\n' <"$dir/curve" >"$dir/curve.lines"
	tr ' ' '\n' <"$dir/alone" >"$dir/alone.lines"
	diff "$dir/curve.lines" "$dir/alone.lines" | head -n 5 | sed "s/^/# of $steps steps: /"
fi
echo "1..$number"
