# SPDX-License-Identifier: GPL-3.0-or-later
# The common set-up of the terminal tests.  Each test reads this file first:
#     . "$SRCDIR/tests/term/setup.sh"
# It makes a scratch folder $dir that contains the XDG folders.  At the end of the test, it removes the folder and ends the tmux
# server and the process in $started.
set -u

test=$(basename "$0" .sh)
test=${test#test_}
socket=barlow-$test-$$
started=
dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-$test-XXXXXX") || exit 1
clean() {
	[ -z "$started" ] || kill -KILL "$started" 2>/dev/null
	[ ! -e "$dir/tmux.log" ] || in_tmux kill-server
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM
XDG_DATA_HOME=$dir/data XDG_STATE_HOME=$dir/state XDG_CONFIG_HOME=$dir/config XDG_CACHE_HOME=$dir/cache
export XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME XDG_CACHE_HOME

# needs NAME...: skips the test where tmux, or a helper program of tests/term, is missing
needs() {
	for name in "$@"; do
		if [ "$name" = tmux ]; then
			command -v tmux >/dev/null 2>&1 || missing="tmux is not installed"
		else
			[ -x "$BUILDDIR/tests/term/$name" ] || missing="tests/term/$name is not built"
		fi
		if [ -n "${missing-}" ]; then
			echo "1..0 # SKIP $missing"
			exit 0
		fi
	done
}

# For tests that end processes by signals: if a signal ends a process during its exit, LeakSanitizer's tracer waits
# forever for a thread that has ended.
no_leak_check() {
	ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	export ASAN_OPTIONS
}

number=0
# result NAME COMMAND...: prints a line of TAP; the test passes if the command succeeds
result() {
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		report | sed 's/^/# /'
	fi
}
# Many tests redefine this as a short form of what they check most.
check() { result "$@"; }
skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}
# report: printed after a failed check
report() {
	for file in "$dir/out" "$dir/err"; do
		[ ! -f "$file" ] || tail -n 60 "$file"
	done
	[ ! -e "$dir/tmux.log" ] || screen
}

# until_true COMMAND...: repeats the command until it succeeds, for about 2 minutes, as a machine under load may take long.
# A test that has to observe a short moment sets pause=0.01 tries=12000.
pause=0.05 tries=2400
until_true() {
	tried=0
	until "$@"; do
		tried=$((tried + 1))
		[ $tried -lt "$tries" ] || return 1
		sleep "$pause"
	done
}

# run STATUS ARGUMENT...: barlow ends with that status; its output is in $dir/out
run() {
	want=$1
	shift
	"$BARLOW" "$@" >"$dir/out" 2>&1 </dev/null
	[ $? -eq "$want" ]
}
says() { grep -qF -- "$1" "$dir/out"; }
# fails_with WORDS STATUS ARGUMENT...
fails_with() {
	words=$1
	shift
	run "$@" && says "$words"
}

# A terminal is a tmux session named t; PANE names another one, if there are several.
in_tmux() { TMUX='' tmux -L "$socket" -f /dev/null "$@" 2>>"$dir/tmux.log"; }
screen() { in_tmux capture-pane -p -t "${1-t}"; }
keys() { in_tmux send-keys -t t "$@"; }
# line TEXT: types it and Enter
line() {
	in_tmux send-keys -t t -l "$1"
	keys Enter
}
rows_shown() { screen | grep -c .; }
fewer_rows() { [ "$(rows_shown)" -lt "$before_clearing" ]; }
# Clears the screen and waits for it, so that no check is answered by what stood there.
clear_screen() {
	before_clearing=$(rows_shown)
	keys C-l
	[ "$before_clearing" -le 2 ] || until_true fewer_rows
	in_tmux clear-history -t t
}
has() { screen | grep -qE -- "$1"; }
lacks() { ! has "$1"; }
shows() { until_true has "$@"; }
