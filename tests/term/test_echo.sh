#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A completed entry is drawn again in colours, in exactly the place that it takes without them.
set -u

if ! command -v tmux >/dev/null 2>&1; then
	echo "1..0 # SKIP tmux is not installed"
	exit 0
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-echo-XXXXXX") || exit 1
socket=barlow-echo-$$
in_tmux() { TMUX='' tmux -L "$socket" -f /dev/null "$@" 2>>"$dir/tmux.log"; }
trap 'in_tmux kill-server; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
unset INSIDE_EMACS NO_COLOR
escape=$(printf '\033')

screen() { in_tmux capture-pane -p -t "$session" "$@"; }
keys() { in_tmux send-keys -t "$session" "$@"; }
typed() { keys -l "$1"; }
until_true() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.1
	done
}
has() { screen | grep -qF -- "$1"; }
shows() { until_true has "$1"; }

number=0
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		screen -e | cat -v | sed 's/^/# /'
	fi
}

# begin NAME ENVIRONMENT [OPTIONS]: a prompt on a screen of 60 columns
begin() {
	session=$1
	in_tmux new-session -d -s "$session" -x 60 -y 40 \
		"env LC_ALL=C.UTF-8 XDG_STATE_HOME='$dir/$1' XDG_CONFIG_HOME='$dir' $2 '$BARLOW' --no-init ${3-}; exec sleep 100"
	shows "barlow>"
}

# Waits for this number of prompts on the screen, then types the entry: text typed ahead would be echoed twice.
prompts=0
has_prompts() { [ "$(screen | grep -c '^barlow>')" -ge "$prompts" ]; }
entry() {
	prompts=$((prompts + 1))
	until_true has_prompts
	typed "$1"
	keys Enter
}

# The entries of each session: short, up to the right edge, around it, wide characters, several lines, and one that is not Lua.
entries() {
	prompts=0
	entry 'x = "str" .. 12 -- comment'
	entry 'y = "1234567890123456789012345678901234567890123456"'
	entry 'for i = 1, 2 do print(i, "text that goes around the edge of the screen") end'
	entry 'z = "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"'
	entry 'function f(x)'
	typed 'return [[a]]' && keys Enter
	typed 'end' && keys Enter
	entry '?tensor.numel'
	entry 'f() .. "nd"'
	shows '"and"'
	prompts=$((prompts + 1))
	until_true has_prompts
}

begin plain NO_COLOR=1
entries
screen >"$dir/plain.txt"
screen -e | grep -q "$escape"
result $((!$?)) "NO_COLOR leaves an entry as it was typed"

begin colours TERM=screen-256color
entries
screen -e >"$dir/escapes.txt"
screen >"$dir/coloured.txt"
cmp -s "$dir/plain.txt" "$dir/coloured.txt"
result $? "the text has the same place in colours as without"
has_colour() { grep -qF -- "$escape[$1m$2" "$dir/escapes.txt"; }
has_colour 32 '"str"'
result $? "strings are coloured"
has_colour 36 12
result $? "numbers are coloured"
has_colour 90 '-- comment'
result $? "comments are coloured"
has_colour 35 'function' && has_colour 35 'end'
result $? "keywords are coloured, in entries of several lines, too"
has_colour 32 '[[a]]'
result $? "long strings are coloured"
grep -qF 'barlow> ?tensor.numel' "$dir/escapes.txt"
result $? "a question is not"

printf 'set editing-mode vi\n' >"$dir/inputrc"
begin vi "TERM=screen-256color INPUTRC='$dir/inputrc'"
prompts=0
entry 'v = "first"'
prompts=2
until_true has_prompts
keys Escape
sleep 1 # Escape is a separate key then
keys k 0 Enter
prompts=2
entry 'v .. 7'
shows '"first7"'
[ "$(screen -e | grep -cF "$escape[32m\"first\"")" = 2 ]
result $? "in vi's modes as well, from the history, too"

begin never TERM=screen-256color --color=never
prompts=0
entry 'v = "first"'
entry 'v .. 7'
shows '"first7"'
screen -e | grep -q "$escape"
result $((!$?)) "--color=never is heard"
echo "1..$number"
