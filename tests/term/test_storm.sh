#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The screen under stress: random keys, clicks, and sizes that change faster than frames.  It must survive, react
# afterwards, and restore the terminal; in a build with sanitizers it must also have no report.
# BARLOW_STORM=long: 200 sizes in 10 s, and 2 minutes of keys; otherwise some seconds of both.
. "$SRCDIR/tests/term/setup.sh"
needs tmux watch_fixture

fixture=$BUILDDIR/tests/term/watch_fixture
sizes=30 seconds=4
[ "${BARLOW_STORM-}" != long ] || sizes=200 seconds=120

report() {
	screen
	cat "$dir"/fault* 2>/dev/null | head -n 60
}
has() { screen | grep -qF -- "$1"; }
no_fault() { ! ls "$dir"/fault* >/dev/null 2>&1; }

# begin: the fixture in a new folder, to which it may export files
begin() {
	in_tmux resize-window -t t -x 100 -y 30
	in_tmux respawn-pane -k -t t "cd '$dir'; export LC_ALL=C.UTF-8 TERM=tmux-256color
		unset NO_COLOR COLORTERM COLORFGBG
		export ASAN_OPTIONS=log_path='$dir/fault' UBSAN_OPTIONS=log_path='$dir/fault'
		rm -f live; '$fixture' live live; echo status=\$?; exec cat"
	shows "q leave"
}

# Deterministic: the same sequence each time.
seed=7
random() { # BELOW: a number in $random
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	random=$((seed / 65536 % $1))
}

storm_of_sizes() {
	for _ in $(seq "$sizes"); do
		random 180
		width=$((random + 1))
		random 70
		in_tmux resize-window -t t -x "$width" -y $((random + 1))
		random 8
		in_tmux send-keys -t t $((random + 1))
		sleep 0.03
	done
}

# All keys except those that end it: q, Q, Ctrl-C, Ctrl-Z and Ctrl-\.  x runs gnuplot, so it is rare.
storm_of_keys() {
	end=$(($(date +%s) + seconds)) turn=0
	while [ "$(date +%s)" -lt "$end" ]; do
		turn=$((turn + 1))
		set --
		for _ in 1 2 3 4 5 6 7 8; do
			random 94
			key=$(printf "\\$(printf %03o $((random + 33)))")
			case $key in
			q | Q | x | ';') key=Space ;;
			esac
			set -- "$@" "$key"
		done
		random 9
		named=$(echo Up Down Left Right Home End PageUp PageDown Enter | cut -d' ' -f$((random + 1)))
		random 90
		column=$(printf "\\$(printf %03o $((random + 33)))")
		random 28
		row=$(printf "\\$(printf %03o $((random + 33)))")
		random 3
		button=$(echo ' `a' | cut -c$((random + 1)))
		in_tmux send-keys -t t "$@" "$named" Escape
		in_tmux send-keys -t t -l "$(printf '\033[M%s%s%s' "$button" "$column" "$row")"
		[ $((turn % 40)) != 20 ] || in_tmux send-keys -t t x
		sleep 0.02
	done
}

obeys() {
	in_tmux resize-window -t t -x 100 -y 30
	in_tmux send-keys -t t Escape Escape Enter Escape 2
	sleep 0.3
	in_tmux send-keys -t t q
	shows "status=0" && has "bye"
}
restored() { [ "$(in_tmux display-message -p -t t '#{alternate_on}#{cursor_flag}#{mouse_any_flag}')" = 010 ]; }

in_tmux new-session -d -s t -x 100 -y 30 cat
echo "1..8"

check "the screen is shown" begin
storm_of_sizes
check "after $sizes sizes it reacts" obeys
check "... the terminal is as before" until_true restored
check "... and there was no fault" no_fault

check "the screen is shown again" begin
storm_of_keys
check "after $seconds seconds of keys it reacts" obeys
check "... the terminal is as before" until_true restored
check "... and there was no fault" no_fault
