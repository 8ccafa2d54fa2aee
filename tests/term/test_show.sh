#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Figures on a real terminal, which is tmux: each kind at three sizes, compared with tests/term/golden/show-*.txt
# (UPDATE_GOLDEN=1 writes them), and the output without a terminal, without UTF-8 and without colour.
. "$SRCDIR/tests/term/setup.sh"
needs tmux watch_fixture

fixture=$BUILDDIR/tests/term/watch_fixture
here=$(cd "$(dirname "$0")" && pwd)
BARLOW=${BARLOW:-./barlow}
ok() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

mkdir -p "$dir/run"
"$fixture" file "$dir/run/live" || exit 1
echo '{"name": "recorded", "seed": 7}' >"$dir/run/run.json"

# A sweep with given results, so that they are the same on every machine.
cat >"$dir/figures.lua" <<'END'
local native = require "barlow.native"
local run = arg[1]
local d = data.shapes{ n = 64, size = 8, channels = 1 }
local s = sweep{ base = { data = d, encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 }, batch = 16, epochs = 1 },
	space = { ["loss.lambda"] = { .001, .005, .02, .1 } }, seeds = 3, name = "show" }
for k = 1, s.trials do
	local v = .5 + .1 * math.sin(k) + .01 * k
	local path = native.trial_path(s.folder, k)
	native.make_folder(path)
	local f = assert(io.open(path .. "/result.json", "w"))
	f:write(('{"state": "complete", "value": %.6f, "seconds": 1, "attempt": 1, "metrics": {"knn": %.6f}}'):format(v, v))
	f:close()
end
local x, square, root = {}, {}, {}
for i = 1, 60 do x[i], square[i], root[i] = i, i * i / 60, math.sqrt(i) end
figures = {
	{ "curves", function() return plot.curves(run) end }, { "heatmap", function() return plot.heatmap(run) end },
	{ "spectrum", function() return plot.spectrum(run) end }, { "embedding", function() return plot.embedding(run) end },
	{ "sweep", function() return plot.sweep(s, "loss.lambda", "knn") end }, { "compare", function() return plot.compare(s) end },
	{ "lines", function()
		return plot.lines{ { x, square, label = "square" }, { x, root, label = "root" }, title = "two lines", xlabel = "x", ylabel = "value" }
	end },
}
END
cat >"$dir/keys.lua" <<'END'
dofile(arg[2])
for _, f in ipairs(figures) do
	io.write "\27[2J\27[H"
	f[2]():show()
	io.write("-- ", f[1])
	io.flush()
	io.read()
end
END

# The server would end with its last session, and might still be ending when the next one is made.
in_tmux new-session -d -s keep "exec sleep 1000"
for size in 40x12 80x24 120x40; do
	w=${size%x*}
	h=${size#*x}
	in_tmux new-session -d -s "s$size" -x "$w" -y "$h" \
		"unset NO_COLOR COLORTERM; LC_ALL=C.UTF-8 TERM=tmux-256color '$BARLOW' '$dir/keys.lua' '$dir/run' '$dir/figures.lua' 2>'$dir/error'; cat '$dir/error'; exec cat"
	for kind in curves heatmap spectrum embedding sweep compare lines; do
		for _ in $(seq 300); do
			in_tmux capture-pane -p -t "s$size" | grep -q "^-- $kind" && break
			sleep .1
		done
		colours=
		[ "$kind" = heatmap ] && colours=-e
		in_tmux capture-pane -p $colours -t "s$size" >"$dir/frame"
		golden=$here/golden/show-$kind-$size.txt
		[ -n "${UPDATE_GOLDEN-}" ] && cp "$dir/frame" "$golden"
		cmp -s "$dir/frame" "$golden"
		ok $? "$kind at $size"
		cmp -s "$dir/frame" "$golden" || diff "$golden" "$dir/frame" | sed 's/^/# /' | head -60
		in_tmux send-keys -t "s$size" Enter
	done
	in_tmux kill-session -t "s$size"
done

# Without a terminal: ASCII in 80 columns, no escapes.
cat >"$dir/pipe.lua" <<'END'
dofile(arg[2])
for _, f in ipairs(figures) do f[2]():show() end
END
"$BARLOW" "$dir/pipe.lua" "$dir/run" "$dir/figures.lua" >"$dir/out" 2>"$dir/error"
ok $? "figures go through a pipe"
cat "$dir/error"
LC_ALL=C grep -q '[^[:print:][:space:]]' "$dir/out"
[ $? = 1 ]
ok $? "nothing but ASCII in a pipe"
awk 'length > 80' "$dir/out" | grep -q .
[ $? = 1 ]
ok $? "no line of it is longer than 80"
grep -q "two lines" "$dir/out" && grep -q "loss.lambda" "$dir/out"
ok $? "and they are there"

# A full device is reported.
if [ -e /dev/full ]; then
	"$BARLOW" -e 'plot.lines{{{1, 2}, {1, 2}}}:show()' >/dev/full 2>"$dir/error"
	[ $? = 1 ] && grep -q "No space left" "$dir/error"
	ok $? "a device that is full is said"
fi
"$BARLOW" -e 'plot.lines{{{1, 2}, {1, 2}}}:show{as = "sixle"}' 2>"$dir/error"
grep -q "did you mean 'sixel'" "$dir/error"
ok $? "a wrong form is named with the nearest"
if command -v gnuplot >/dev/null 2>&1; then
	"$BARLOW" -e 'plot.lines{{{1, 2}, {1, 2}}}:show{as = "sixel"}' >"$dir/out" && head -c 3 "$dir/out" | od -c | grep -q '033   P   q'
	ok $? "sixels where they are asked for"
fi
# A gnuplot that only keeps what it is told
mkdir "$dir/keeps"
printf '#!/bin/sh\ncat >"%s/told"\n' "$dir" >"$dir/keeps/gnuplot"
chmod +x "$dir/keeps/gnuplot"
PATH=$dir/keeps:$PATH "$BARLOW" -e 'plot.lines{{{1, 2}, {1, 2}}}:show{as = "sixel"}' >/dev/null 2>&1
grep -qx "set terminal sixelgd noenhanced truecolor font ',11.3333333' size [0-9]*, [0-9]*" "$dir/told"
ok $? "sixels have letters as large as pictures of a text have"
PATH=/nonexistent "$(command -v "$BARLOW" || echo "$BARLOW")" -e 'plot.lines{{{1, 2}, {1, 2}}}:show()' >"$dir/out"
[ $? = 0 ] && [ -s "$dir/out" ]
ok $? "without gnuplot figures are shown all the same"
PATH=/nonexistent "$(command -v "$BARLOW" || echo "$BARLOW")" -e "plot.lines{{{1, 2}, {1, 2}}}:save '$dir/none.png'" 2>"$dir/error"
[ $? = 1 ] && [ ! -e "$dir/none.png" ] && grep -q "gnuplot, which draws the figures, is not installed" "$dir/error"
ok $? "without gnuplot none is saved, and what is missing is said"
echo "1..$number"
