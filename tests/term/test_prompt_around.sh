#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The surroundings of the prompt: init.lua, inputrc, vi keys, colours.
. "$SRCDIR/tests/term/setup.sh"
needs tmux
no_leak_check

unset NO_COLOR INSIDE_EMACS
# $dir/config is read only in the cases that set it.
XDG_CONFIG_HOME=$dir/none

# check NAME PATTERN: the screen shows it within some time
check() { result "$1" until_true has "$2"; }

mkdir -p "$dir/config/barlow" "$dir/home/.config/barlow"
init=$dir/config/barlow/init.lua
began=
# begin OPTIONS VARIABLE=VALUE...: a prompt on a new screen
begin() {
	options=$1
	shift
	command="env TERM=screen $* '$BARLOW' $options; echo left with \$?; exec sleep 100"
	if [ -z "$began" ]; then
		in_tmux new-session -d -s t -x 100 -y 30 "$command"
	else
		in_tmux respawn-pane -k -t t "$command"
		in_tmux clear-history -t t
	fi
	began=yes
	until_true has '^barlow> *$'
}
config="XDG_CONFIG_HOME='$dir/config'"

echo 'greeting = "set by init"; print "init ran"' >"$init"
begin "" "$config"
check "init.lua runs before the prompt" '^init ran$'
line 'greeting'
check "... and what it sets exists" 'set by init'
begin "-e 'print(greeting)' -i" "$config"
result "what runs before the prompt does not see it" until_true has '^nil$'
check "... also before the prompt after a script" '^init ran$'
begin "--no-init" "$config"
line 'tostring(greeting) .. "!"'
check "--no-init: it does not" 'nil!'
result "... at all" lacks '^init ran$'
result "a script does not run it" [ "$(XDG_CONFIG_HOME=$dir/config "$BARLOW" -e 'print(greeting)')" = nil ]
printf 'print "before"\nerror "my own fault"\n' >"$init"
begin "" "$config"
check "an error in it is reported with its position" 'init\.lua:2: my own fault'
line '6 * 7'
check "... and the prompt starts" '42'
echo 'x = = 1' >"$init"
begin "" "$config"
check "... also if it is not Lua" "init\\.lua:1: unexpected symbol near '='"
echo 'print "without end" while true do end' >"$init"
in_tmux respawn-pane -k -t t "env $config TERM=screen '$BARLOW'; exec sleep 100"
check "init.lua may run endlessly" '^without end$'
keys C-c
check "... until Ctrl-C" '^barlow> *$'
rm "$init"
echo 'print "home init"' >"$dir/home/.config/barlow/init.lua"
begin "" HOME="'$dir/home'" XDG_CONFIG_HOME=
check "without XDG_CONFIG_HOME it is in ~/.config" '^home init$'

cat >"$dir/inputrc" <<'END'
$if Barlow
"\C-xg": "6 * 111"
$endif
$if Bash
"\C-xg": "wrong"
$endif
END
begin "--no-init" INPUTRC="'$dir/inputrc'"
keys C-x g Enter
check "inputrc: \$if Barlow" '666'

echo 'set editing-mode vi' >"$dir/inputrc"
begin "--no-init" INPUTRC="'$dir/inputrc'"
line 'function twice(x)'
line 'return x * 2'
line 'end'
line 'twice(4)'
check "vi keys: an entry of several lines" '^8$'
in_tmux send-keys -t t -l 'twice(41)'
keys Escape
sleep 0.6
in_tmux send-keys -t t -l '0f4r7A + 1'
keys Enter
check "... a vi command" '^143$'
keys Escape
sleep 0.6
in_tmux send-keys -t t -l 'kkA .. "k"'
keys Enter
check "... and k recalls the previous entry" '^"8k"$'
line 'function f(x)'
in_tmux send-keys -t t -l 'return x * 3'
keys Escape
sleep 0.6
in_tmux send-keys -t t -l 'k0wcwthrice'
keys Escape
sleep 0.6
in_tmux send-keys -t t -l 'jA'
keys Enter
line 'end'
line 'thrice(5)'
check "... also within an entry of several lines" '^15$'

# A long command shows a progress bar, and removes it at the end.
begin "--no-init"
line 'n = require "barlow.native"; c = clock'
line "function enough() local f = io.open('$dir/enough') return f ~= nil and f:close() end"
line 'function work(fails) local told <close> = n.progress "work"; local t = c(); while not enough() do told(math.min(3000, math.floor((c() - t) * 1000)), 4000) end; if fails then error "gone wrong" end end'
line 'work(); print("it is " .. "over")'
check "a bar for a command of more than a second" '^work \[#+\.+\] +[0-9]+%  [0-9]+:[0-9]+ left'
touch "$dir/enough"
check "... to its end" '^it is over'
result "... where it is erased" lacks '^work'
rm "$dir/enough"
line 'work(true)'
check "a bar of a command that fails" '^work \[#+\.+\]'
touch "$dir/enough"
check "... is erased before the error" '^stdin:1: gone wrong'
line 'a = tensor.randn(3000, 256); l = {}; for i = 1, 3000 do l[i] = i % 10 + 1 end'
rm "$dir/enough"
line 'function twice() a = tensor.cat({a, a}, 1); for j = 1, #l do l[#l + 1] = l[j] end end'
line 'function measured() local t = c(); eval.knn{train = a, train_labels = l, test = a, test_labels = l}; return c() - t end'
line 'repeat if measured() < 2 then twice() end until enough(); print("knn " .. "done")'
check "kNN has one" '^kNN \[[#.]+\]'
touch "$dir/enough"
check "... which is removed" '^knn done'
result "... wholly" lacks '^kNN'
begin "--no-init" TERM=dumb
line 'n = require "barlow.native"; c = clock'
line 'do local told <close> = n.progress "work"; local t = c(); while c() - t < 2 do told(1, 2) end end print("plain" .. " end")'
check "a dumb terminal has no bar" 'plain end'
result "... at all" lacks '^work \['

# In Emacs' shell (comint) the prompt works as in a pipe: Emacs does the editing, and shows escape codes literally.
begin "--no-init" TERM=dumb INSIDE_EMACS=29.1,comint
in_tmux pipe-pane -t t "cat >'$dir/bytes'"
line '6 * 7'
check "in Emacs' shell the prompt works" '^42$'
until_true has '^barlow> *$' # the terminal echoes input before
line 'tensor.ones('
check "... which asks for more lines" '\.\.> *$'
line '2)'
check "... with entries of several lines" '^tensor\(\[1\., 1\.\]\)'
keys C-d
check "... and ends" '^left with 0'
in_tmux pipe-pane -t t
result "... without an escape code" sh -c "[ -s '$dir/bytes' ] && ! grep -q \"\$(printf '\\033')\" '$dir/bytes'"

echo 'print(require "barlow.native".colours())' >"$dir/colours.lua"
begin "-i $dir/colours.lua" XDG_CONFIG_HOME="'$dir'"
check "colours on a terminal" '^true$'
begin "--no-init -i $dir/colours.lua" NO_COLOR=1
check "... not with NO_COLOR" '^false$'
begin "--no-init --color=always -i $dir/colours.lua" NO_COLOR=1
check "... which --color=always overrides" '^true$'
begin "--no-init --color=never -i $dir/colours.lua"
check "--color=never" '^false$'
begin "--no-init -i $dir/colours.lua" TERM=dumb
check "a dumb terminal has none" '^false$'
says() { [ "$("$BARLOW" "$@" 2>&1)" = "$want" ]; }
want=false
result "a pipe has none" says "$dir/colours.lua"
want=true
result "... but with --color=always" says --color=always "$dir/colours.lua"
want="barlow: option --color: expected auto, always or never, got 'red'
Try 'barlow --help'."
result "--color=red is refused" says --color=red "$dir/colours.lua"
echo "1..$number"
