#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Lines at the prompt beside two runs in the background, one of which `barlow watch` shows and changes from another terminal:
# completion, settings, breaks, saving, evaluation, errors and Ctrl-C.  Each step waits for what the one before shows, so
# that `make tsan` can run this with ThreadSanitizer, which makes all of it many times slower.
. "$SRCDIR/tests/term/setup.sh"
needs tmux
no_leak_check

cat >"$dir/make.lua" <<'EOF'
local ds = data.shapes{n = 128, size = 16, channels = 3, seed = 1}
local refs, queries = ds:split(.5, 1)
local function make(name)
	return trainer{data = ds, encoder = nn.cnn{widths = {4, 8}, image = 16, channels = 3}, projector = {32}, batch = 32, epochs = 1e5, name = name,
		views = aug.compose(aug.crop{size = 16}, aug.jitter{p = .8}), checkpoint_every = 2, knn = {refs = refs, queries = queries, every = 50}}
end
t, u = make "typed", make "other"
_NEWS = "ends" -- what is told of kNN would push answers off the screen
-- Returns once the run is n steps further.
function further(run, n)
	local last = run.iteration + n
	while run.iteration < last do end
	return "further"
end
EOF

watched() { screen w | grep -qE -- "$1"; }
watch_shows() { until_true watched "$1"; }
# The last line is a prompt behind which nothing is typed.
prompts() { screen | grep . | tail -n 1 | grep -qE '^barlow.*> *$'; }
# Only that is on the screen.
is_clear() {
	prompts && [ "$(screen | grep -c .)" = 1 ] && return 0
	keys C-l
	return 1
}
# step PATTERN ENTRY: the entry, typed at an empty screen, makes it show the pattern.  No entry ends with ';', which tmux takes.
step() {
	until_true is_clear
	line "$2"
	result "$2" shows "$1"
}
# completes TEXT PATTERN: Tab behind the text lists that; Ctrl-C leaves the line
completes() {
	until_true is_clear
	in_tmux send-keys -t t -l "$1"
	keys Tab Tab
	result "completion of $1" shows "$2"
	keys C-c
}
# interrupted PATTERN ENTRY: Ctrl-C ends it, once the pattern says that it runs.  ThreadSanitizer hands on a signal at the thread's
# next call of the C library only, so that the entry must make some.
interrupted() {
	step "$1" "$2"
	keys C-c
	result "which Ctrl-C ends" shows 'interrupted'
}
# key KEY PATTERN: pressed in the other terminal, makes that show the pattern
key() {
	in_tmux send-keys -t w "$1"
	result "key $1 of barlow watch" watch_shows "$2"
}

in_tmux new-session -d -s t -x 150 -y 48 "TERM=screen '$BARLOW' --no-init -i '$dir/make.lua'; echo left with \$?; exec sleep 1000"
step '^both start$' 't:start() u:start() print "both start"'
step '^"further"$' 'further(t, 10)'
in_tmux new-session -d -s w -x 120 -y 40 "TERM=screen '$BARLOW' watch typed; echo left with \$?; exec sleep 1000"
result "barlow watch shows the run" watch_shows '^typed .*running .*epoch'
step '^  settings  lambda ' 't'
completes 't:' 'break_when '
key + 'lambda 0\.0051 ->'
key c 'checkpoint saved'
completes 'u.enc' '> u\.encoder$'
step '^other +running ' 'jobs'
step '^"set to 0\.01"$' 't:set{lambda = .01}; further(t, 2); "set to " .. t.lambda'
key 2 'zoom'
step '^"further"$' 't:set{["views.jitter.p"] = .5}; further(t, 2)'
completes 'trainer{ opt' '> trainer\{ optim'
step '^"finite"$' 't.terms.total < math.huge and "finite"'
key e 'kNN [01]\.[0-9]+, as requested'
step 'attempt to index a nil value' 'nothing.at.all'
interrupted '^no end$' 'print "no end" while true do local _ = t.iteration end'
step '^"further"$' 'further(u, 5)'
interrupted '^waits$' 'print "waits" u:wait()'
step '^typed: paused by break_when at step ' 't:break_when(function(t) return t.iteration % 7 == 0 end); "waits"'
key 3 'choose'
step '^"further"$' 't:break_when(nil):resume(); further(t, 3)'
step '^"saved"$' 'u:checkpoint(); "saved"'
step '^kNN [01]\.' 't:eval{linear = false}'
key 5 'again'
step '^  step ' 'u:pause()'
key - 'lambda 0\.01 -> 0\.0090'
step '^"further"$' 'u:resume(); further(u, 3)'
step '^trainer forked: new, resumed at step' 't:fork{name = "forked"}'
key 6 'label'
step '^typed-.* running ' 'runs.list{}'
step '^"journal"$' '#t.journal > 4 and "journal"'
step '^t:set' '?t:set'
step '^"further"$' 'further(t, 10)'
step '^"stopped"$' 't:stop() u:stop(); t.state'
result "barlow watch shows the end" watch_shows '^typed .*stopped'
in_tmux send-keys -t w q
result "and is left" watch_shows '^left with 0$'
until_true is_clear
keys C-d
result "as is the prompt" shows '^left with 0$'
echo "1..$number"
