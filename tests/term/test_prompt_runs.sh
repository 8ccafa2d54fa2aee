#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs in the background of the prompt, on a real terminal (tmux): news above the line, states, the end of the session.
. "$SRCDIR/tests/term/setup.sh"
needs tmux
no_leak_check

# check NAME PATTERN: the screen shows it within some time
check() { result "$1" shows "$2"; }

cat >"$dir/make.lua" <<'EOF'
local ds = data.shapes{n = 64, size = 8, channels = 1}
function make(name, epochs, folder, more)
	local settings = {data = ds, encoder = nn.cnn{widths = {4}, image = 8}, projector = {8}, batch = 32, epochs = epochs,
		name = name, folder = folder}
	for k, v in pairs(more or {}) do settings[k] = v end
	return trainer(settings)
end
EOF
environment="TERM=screen"
in_tmux new-session -d -s t -x 120 -y 40 "$environment '$BARLOW'; echo left with \$?; exec sleep 100"
check "it prompts" '^barlow>'
line "%run $dir/make.lua"
line 'knn = {refs = data.shapes{n = 64, size = 8, channels = 1}, queries = data.shapes{n = 64, size = 8, channels = 1}}'
line 'make("short", 3, false, {knn = knn}):start() half = 1'
in_tmux send-keys -t t -l 'half = "typed'
check "an end is reported above the line" '^short: (epoch .* kNN|finished at step 6 of 6, kNN) '
check "... which stays as it is" '^barlow> half = "typed$'
keys '"' Enter
line 'half'
check "... and can be continued" '^"typed"$'
clear_screen
line 'bad = make("bad", 9, false, {views = aug.func(function(i, r, info) if info.step > 2 then error "broken by me" end return i end)})'
line 'bad:start() half = 1'
check "a failure is reported with its reason" '^bad: failed at step [0-9]+ of 18: .*broken by me'
clear_screen
line '%news none'
line 'quiet = make("quiet", 3, false, {knn = knn}):start(); while quiet.state == "running" do end'
line '"quiet is " .. quiet.state'
check "news can be muted" '^"quiet is done"$'
line '%news all'
check "... and reported again" '^news of runs: all$'
line '"later"'
check "... from then on" '^"later"$'
number=$((number + 1))
if has '^quiet:'; then echo "not ok $number - not what was muted"; screen | sed 's/^/# /'; else echo "ok $number - not what was muted"; fi
line 'quiet:watch()'
check "the screen of a finished run stays until q" 'done +step 6/6'
keys q
check "... which returns to the prompt" '^"ended"$'
clear_screen
line 'long = make("long", 1e6)'
line 'long:start() half = 1'
check "the prompt shows a run" '^barlow \[long [0-9]+/1000000 [0-9]+%\]>'
in_tmux resize-window -t t -x 40
check "but not where it leaves no room" '^barlow>$'
in_tmux resize-window -t t -x 120
check "and again where there is some" '^barlow \[long [0-9]+/1000000 [0-9]+%\]>'
line 'jobs'
check "jobs lists it" '^long +running +[0-9.e+]+/1000000 +[0-9]+/2000000 '
line 'long'
check "the run prints as a card" '^  settings +lambda 0\.0051, invariance 1, lr 0\.001, lr_bias 0, weight_decay 0\.01, batch 32, float32, adamw$'
clear_screen
line 'long:first(function() while true do end end)'
check "a replay first reports what it costs" '^barlow: first: at most [0-9]+ steps are recomputed from '
keys C-c
check "... and Ctrl-C ends it" 'first: interrupted$'
clear_screen
line 'held = make("held", 9, false):break_when(function(t) return t.iteration == 5 end):start() half = 1'
check "a pause by break_when is reported" '^held: paused by break_when at step 5$'
line 'held:stop() half = 1'
line '_PROMPT = "mine%r$ "'
check "the prompt can be changed" '^mine \[long [0-9]+/1000000 [0-9]+%\]\$'
line '_PROMPT = nil'
clear_screen
line 'memory = make("memory", 1e6, false):start() half = 1'
check "the prompt shows both runs" '^barlow \[long [0-9]+/1000000 [0-9]+%, memory [0-9]+/1000000 [0-9]+%\]>$'
keys C-d
check "Ctrl-D asks what to do with runs" '^2 runs are under way: long \(step [0-9]+ of 2000000\), memory '
check "... with its choices" '^\[w\]ait, \[d\]etach .*, \[s\]top and save, or Enter to stay\?'
keys Enter
line '"still " .. "here"'
check "Enter stays at the prompt" '^"still here"$'
clear_screen
line 'quit'
check "quit asks, too" '^\[w\]ait.*stay\?$'
line 'd'
check "a run in memory only cannot be detached" '^memory cannot be detached: it is kept in memory only'
line 'memory:stop() memory = nil'
check "one run is left" '^barlow \[long [0-9]+/1000000 [0-9]+%\]>$'
clear_screen
keys C-d
check "it asks again" '^1 run is under way: long'
line 'd'
check "a run is detached" '^long: continues as process [0-9]+ from step [0-9]+; '
check "... and the session ends" '^left with 0$'
pid=$(screen | sed -n 's/^long: continues as process \([0-9]*\) .*/\1/p')
number=$((number + 1))
if [ -n "$pid" ] && [ "$(ps -o sid= -p "$pid" | tr -d ' ')" = "$pid" ]; then
	echo "ok $number - the run has a session of its own"
else
	echo "not ok $number - the run has a session of its own: '$pid'"
fi
ended() { ! kill -0 "$pid" 2>/dev/null; }
[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null
until_true ended
number=$((number + 1))
if grep -q 'long: stopped at step [0-9]* of 2000000, saved' "$dir"/data/barlow/runs/long-*/log; then
	echo "ok $number - and a log"
else
	echo "not ok $number - and a log"
	sed 's/^/# /' "$dir"/data/barlow/runs/long-*/log
fi

# If input is no terminal, its end waits for the runs.
cat >"$dir/in" <<EOF
dofile "$dir/make.lua"
piped = make("piped", 2, false) piped:start() half = 1
EOF
"$BARLOW" -i <"$dir/in" >"$dir/out" 2>&1
number=$((number + 1))
if grep -qE 'step 4/4|piped: finished at step 4' "$dir/out"; then
	echo "ok $number - the end of piped input waits for runs"
else
	echo "not ok $number - the end of piped input waits for runs"
	sed 's/^/# /' "$dir/out"
fi
echo "1..$number"
