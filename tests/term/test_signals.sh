#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Signals in every state of the terminal: afterwards the terminal has the modes of the shell, the exit status
# says which signal it was, and a run that was training is saved.
. "$SRCDIR/tests/term/setup.sh"
needs tmux
no_leak_check

report() {
	screen
	diff "$dir/before" "$dir/after"
}

# lua FOLDER CODE: an endless run, followed by CODE
lua() {
	cat <<-END
		t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, encoder = nn.cnn{widths = {4}, image = 8},
			projector = {8}, batch = 32, epochs = 1e6, checkpoint_every = false, folder = "$dir/$1"}
		$2
	END
}
lua run 't:start() while t.iteration == 0 do t:wait(.01) end' >"$dir/background.lua"
lua run 't:run()' >"$dir/foreground.lua"
lua run 't:watch()' >"$dir/screen.lua"
lua other 't:run()' >"$dir/other.lua"
lua stopped 't:step(3) t:start() t:stop()' >"$dir/stopped.lua"
"$BARLOW" "$dir/stopped.lua" || echo "# no run to resume"
"$BARLOW" "$dir/other.lua" >"$dir/other.log" 2>&1 &
started=$!

# begin COMMAND PATTERN: a shell that records the modes of its terminal, then runs the command, and records them again
begin() {
	rm -rf "$dir/run" "$dir/before" "$dir/after" "$dir/raw"
	in_tmux respawn-pane -k -t t "export LC_ALL=C.UTF-8 TERM=tmux-256color; ulimit -c 0; stty -a >'$dir/before'
		'$BARLOW' $1; echo status=\$?; stty -a >'$dir/after'; exec cat"
	in_tmux pipe-pane -t t "cat >'$dir/raw'"
	shows "$2"
}
tell() { kill "-$1" "$(pgrep -P "$(in_tmux display-message -p -t t '#{pane_pid}')" -x barlow)"; }
ended() { [ -s "$dir/after" ]; }
# Typed text and the cursor are visible, bracketed paste is off, and the usual screen is shown.
same_modes() { cmp -s "$dir/before" "$dir/after"; }
normal() { [ "$(in_tmux display-message -p -t t '#{alternate_on}#{cursor_flag}#{mouse_any_flag}')" = 010 ]; }
no_brackets() { ! grep -oa '?2004[hl]' "$dir/raw" | tail -n 1 | grep -q h; }
sane() { until_true ended && until_true has "status=$1\$" && same_modes && until_true normal && no_brackets; }
saved() { "$BARLOW" -e "print(runs.resume('$dir/$1').message)" 2>&1 | grep -q 'resumed at step'; }

status_of() {
	case $1 in
	HUP) echo 129 ;;
	QUIT) echo 131 ;;
	SEGV) echo 139 ;;
	PIPE) echo 141 ;;
	TERM) echo 143 ;;
	esac
}
crashes="QUIT SEGV"
[ "${SANITIZERS:-no}" = no ] || crashes=QUIT # the sanitizer handles the other
ends="TERM HUP PIPE"

in_tmux new-session -d -s t -x 90 -y 24 cat

for signal in $ends $crashes; do
	begin "" '^barlow>'
	tell $signal
	check "SIG$signal at the prompt" sane "$(status_of $signal)"
	begin "watch '$dir/other'" 'running'
	tell $signal
	check "SIG$signal in barlow watch" sane "$(status_of $signal)"
done
for signal in $ends; do
	begin "" '^barlow>'
	in_tmux send-keys -t t -l 'half typed'
	shows 'half typed'
	tell $signal
	check "SIG$signal during typing" sane "$(status_of $signal)"
	begin "-i '$dir/background.lua'" '^barlow .run [0-9]+/.*>'
	tell $signal
	check "SIG$signal at the prompt with a run in the background" sane "$(status_of $signal)"
	check "... which is reported" has 'run: stopped at step [0-9]+ of 2000000, saved'
	check "... and is true" saved run
	begin "'$dir/foreground.lua'" 'step'
	tell $signal
	check "SIG$signal during a run in the foreground" sane "$(status_of $signal)"
	check "... which is saved" saved run
	begin "'$dir/screen.lua'" 'running'
	tell $signal
	check "SIG$signal on the screen of t:watch()" sane "$(status_of $signal)"
	check "... which is saved" saved run
	rm -rf "$dir/again" && cp -r "$dir/stopped" "$dir/again"
	begin "resume '$dir/again'" 'running'
	tell $signal
	check "SIG$signal in barlow resume" sane "$(status_of $signal)"
	check "... which is saved" saved again
done
for signal in $crashes; do
	begin "'$dir/screen.lua'" 'running'
	tell $signal
	check "SIG$signal on the screen of t:watch()" sane "$(status_of $signal)"
done

# SIGINT ends nothing at the prompt, and stops a run between two steps.
begin "-i '$dir/background.lua'" '^barlow .run [0-9]+/.*>'
in_tmux send-keys -t t -l 'half typed'
shows 'half typed'
tell INT
shows '^barlow .run [0-9]+/.*> *$'
in_tmux send-keys -t t -l 'print("still here", t.state)'
in_tmux send-keys -t t Enter
check "SIGINT at the prompt: the line is cleared, the run continues" shows '^still here	*running|^still here *running'
in_tmux send-keys -t t C-d
shows 'or Enter to stay'
in_tmux send-keys -t t s Enter
check "... and Ctrl-D restores the terminal, after the answer to stop the run" sane 0
for state in foreground screen; do
	begin "'$dir/$state.lua'" 'step'
	tell INT
	check "SIGINT stops a run ($state)" sane 0
done
begin "watch '$dir/other'" 'running'
tell INT
check "SIGINT leaves barlow watch" sane 0

# Ctrl-Z at the prompt: the shell has its own modes until fg; then the line is shown again.
in_tmux respawn-pane -k -t t "export PS1='ready> ' TERM=tmux-256color; stty -a >'$dir/before'; exec sh -i"
shows 'ready>'
in_tmux send-keys -t t "'$BARLOW'" Enter
shows '^barlow>'
in_tmux send-keys -t t -l '1 + 41'
shows '1 \+ 41'
in_tmux send-keys -t t C-z
shows 'Stopped|Suspended'
in_tmux send-keys -t t "stty -a >'$dir/after'; echo looked" Enter
shows '^looked'
check "Ctrl-Z at the prompt: the shell's modes" same_modes
in_tmux send-keys -t t "fg" Enter
shows '^barlow> 1 \+ 41'
in_tmux send-keys -t t " + 100" Enter
check "... and the line again" shows '^142'

echo "1..$number"
