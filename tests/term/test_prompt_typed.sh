#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# 200 lines are typed at the prompt, with completions, errors and Ctrl-C, during a run.  The run has the bits of an
# undisturbed one.
. "$SRCDIR/tests/term/setup.sh"
needs tmux
no_leak_check

# check NAME PATTERN: the screen shows it within some time
check() { result "$1" shows "$2"; }

cat >"$dir/make.lua" <<'EOF'
local ds = data.shapes{n = 256, size = 12, channels = 1, seed = 1}
function make(name)
	return trainer{data = ds, encoder = nn.cnn{widths = {4, 8}, image = 12}, projector = {16}, batch = 32, epochs = 200000, seed = 1,
		name = name, folder = false}
end
-- Waits until the run has made n more steps.
function pace(t, n)
	local last = #t.records.total + n
	while #t.records.total < last do end
end
-- Of 8000 steps at most: where typing takes long, the run makes many more, which the one that is left alone has to repeat.
function curve(t)
	local parts, totals = {}, t.records.total
	for i = 1, math.min(#totals, 8000) do parts[i] = ("%a"):format(totals[i]) end
	return #parts .. " " .. table.concat(parts, " ")
end
EOF
in_tmux new-session -d -s t -x 100 -y 30 "TERM=screen '$BARLOW'; echo left with \$?; exec sleep 100"
check "it prompts" '^barlow>'
line "dofile '$dir/make.lua'"
line 't = make "typed" t:start() half = 1'
check "a run is training" '^barlow \[typed '
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
line 'while t.iteration <= 100 do t:wait(.01) end print("now", t.state)'
check "it is still training" '^now +running'
line 't:stop() print "over"'
check "it is stopped" '^over'
line "io.open('$dir/curve', 'w'):write(curve(t), '\\n'):close() print 'written'"
check "its curve is saved" '^written'
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
