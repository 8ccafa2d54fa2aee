#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# bl_watch on a real terminal, which is tmux: keys, sizes, colours, ends, and the terminal restored after each.
. "$SRCDIR/tests/term/setup.sh"
needs tmux watch_fixture

fixture=$BUILDDIR/tests/term/watch_fixture
has() { screen | grep -qF -- "$1"; }
restored() { [ "$(in_tmux display-message -p -t t '#{alternate_on}#{cursor_flag}#{mouse_any_flag}')" = 010 ]; }
back() { until_true restored; }
# colours YES NO: the screen has colour codes that match YES, and none that match NO
colours() {
	in_tmux capture-pane -e -p -t t >"$dir/coloured"
	grep -q "$1" "$dir/coloured" && ! grep -q "$2" "$dir/coloured"
}
ascii_only() { screen >"$dir/text" && ! LC_ALL=C grep -q '[^ -~]' "$dir/text"; }

# begin KIND [COMMANDS]: the fixture in a terminal of 80 x 24 that stays when it ends.
# LINES and COLUMNS are wrong on purpose: they must be ignored.
begin() {
	rm -f "$dir/live"
	in_tmux resize-window -t t -x 80 -y 24
	in_tmux respawn-pane -k -t t "export LC_ALL=C.UTF-8 TERM=tmux-256color LINES=7 COLUMNS=33
		unset NO_COLOR COLORTERM COLORFGBG; ${2-}
		'$fixture' $1 '$dir/live'; echo status=\$?; stty -a | grep -o '[- ]icanon'; exec cat"
}
in_tmux new-session -d -s t -x 80 -y 24 cat

echo "1..49"

begin live
check "the dashboard is shown" shows "━ total"
check "it uses the whole terminal, whatever LINES says" shows "q leave  ? help  [1 dashboard]  Space pause"
check "the matrix states the size of a dot" shows "1 dot = 8 x 8 dims, rms"
keys m
check "m: mean instead" shows "1 dot = 8 x 8 dims, mean"
keys '?'
check "?: help" shows "this help; again, or Esc: back"
keys Escape
check "Esc: back from help" shows "━ total"
keys 2
check "2: the heatmap" shows "linear scale"
keys z l
check "z, l: zoom, and the numbers at the cursor" shows "i 129..132, j 133..136"
keys -l "$(printf '\033[M !$')"
check "a click moves the cursor" shows "i 65..68, j 65..68"
keys -l "$(printf '\033[1;2A\033[<0;5;6M\033[<0;5;6m')"
check "a click as decimal numbers, after an unknown key" shows "i 81..84, j 81..84"
keys 0 Home
check "Home: the first stored snapshot" shows "step 1, 1 of"
keys End
keys 1
in_tmux resize-window -t t -x 120 -y 40
check "larger: complete names of the lines" shows "λ·red  ━ floor"
in_tmux resize-window -t t -x 40 -y 12
check "smaller: loss and matrix only" shows "C 18x18 mean"
in_tmux resize-window -t t -x 39 -y 11
check "too small: it states the minimum" shows "needs 40 x 12, has 39 x 11"
in_tmux resize-window -t t -x 80 -y 24
keys +
check "+: lambda is increased" shows "lambda 0.0051 -> 0.00561 from the next step on"
keys Space
check "space: paused" shows "● paused"
keys Space
check "space again: running" shows "● running"
keys Q
check "Q asks for confirmation" shows "Stop training?"
keys n
check "n: no" until_true lacks "Stop training?"
keys Q y
check "Q, y: stopped" shows "end=stop"
took() { [ "$(screen | grep '^took=' | tr '\n' ' ')" = "took=5:0.00561 took=1:0.00000 took=2:0.00000 took=4:0.00000 " ]; }
check "the run received the commands in order" until_true took
check "the terminal is restored" back

begin live
shows "━ total" >/dev/null
keys q
check "q leaves, and the run continues" shows "end=quit"

begin live
shows "━ total" >/dev/null
check "the footer says that Ctrl-C stops the run here" shows "Ctrl-C stop"
keys C-c
check "Ctrl-C: stop" shows "end=stop"

for kind in abort fault; do
	begin $kind
	check "after $kind the terminal shows its former content" shows "status="
	check "... with cursor and screen" back
	check "... and modes" shows " icanon"
done

begin lost
check "a trainer that died is reported" shows "has ended; this is its last state"
check "... with its last state" has "step 1000/2000"
keys q
check "... and q leaves" shows "end=quit"

# tell SIGNAL: to the fixture in the terminal
tell() { in_tmux display-message -p -t t '#{pane_pid}' | xargs -I{} pkill "-$1" -P {} watch_fixture; }
begin live
shows "━ total" >/dev/null
tell TERM
check "SIGTERM: the terminal is restored" back
check "... and it ended" shows "status=143"

begin live
shows "━ total" >/dev/null
tell INT
check "SIGINT from another process stops as Ctrl-C does" shows "end=stop"

begin done
shows "● done" >/dev/null
keys q
check "a finished run stays until q" shows "end=ended"

begin live "export COLORTERM=truecolor"
shows "━ total" >/dev/null
check "24-bit colours if the terminal supports them" until_true colours '38;2;' '38;5;'

begin live
shows "━ total" >/dev/null
check "256 colours otherwise" until_true colours '38;5;' '38;2;'

begin live "export COLORTERM=truecolor NO_COLOR=1"
shows "━ total" >/dev/null
check "NO_COLOR: no colours" colours 'total' '[34]8;[25];'

begin live "export LC_ALL=C"
check "the C locale: ASCII" shows "T total"
check "... and nothing else" ascii_only

begin live "export TERM=vt100"
shows "total" >/dev/null
keys q
alone() { screen | grep -qx 'end=quit'; }
check "without an alternate screen the prompt has its own row" until_true alone

begin live "export TERM=dumb"
check "a terminal without a cursor is refused" shows "it cannot move its cursor"

begin live "export TERM=no-such-terminal"
check "an unknown terminal is refused by name" shows "TERM is 'no-such-terminal'"

begin live "PS1='ready> ' exec sh -i"
shows 'ready>' >/dev/null
keys "'$fixture' live '$dir/live'" Enter
shows "━ total" >/dev/null
keys C-z
check "Ctrl-Z stops it, and restores the terminal" back
keys fg Enter
check "fg: the screen is shown again" shows "━ total"
keys q
check "... and reacts to keys" shows "end=quit"
