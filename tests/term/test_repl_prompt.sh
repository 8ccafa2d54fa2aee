#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The prompt on a real terminal, which is tmux.
. "$SRCDIR/tests/term/setup.sh"
needs tmux
no_leak_check

# check NAME PATTERN: the screen shows it within some time
check() { result "$1" shows "$2"; }

prompt="EDITOR='sed -i \"s/printed/edited/\"' TERM=screen '$BARLOW'; echo left with \$?; exec sleep 100"

# A history that other users may read, from elsewhere: it is made private.
mkdir -p "$dir/state/barlow" && chmod 700 "$dir/state/barlow"
printf '#1700000000\n-- of another day\n' >"$dir/state/barlow/history"
chmod 644 "$dir/state/barlow/history"
in_tmux new-session -d -s t -x 100 -y 40 "$prompt"
check "it prompts" '^barlow>'
line '6 * 7'
check "an expression is printed" '^42$'
line 'tensor{{1, 2}, {3, 4}}'
check "a tensor is printed" '^        \[3., 4.\]\]\)'
check "... with its statistics" '^-- \(2, 2\), mean 2.5, std 1.118, from 1 to 4$'
line '_:sum():item() + 0.5'
check "_ is the last value" '^10\.5'
line '"hush";  '
line '{ a = 1, "x" }'
check "a table is printed" '^\{ "x", a = 1 \}'
number=$((number + 1))
if has '^"hush'; then echo "not ok $number - ; suppresses printing"; else echo "ok $number - ; suppresses printing"; fi
line 'function f()'
line 'error "oops"'
line 'end'
check "incomplete input continues on an indented line" '^  error "oops"$'
line 'function g() --[=[ if then ]] ]=]'
line 'return 1'
check "... as if a long comment in it had no words" '^  return 1$'
line 'end'
line 'f()'
check "an error is printed with its position" '^stdin:2: oops'
line '"alive " .. 1'
check "... and the prompt continues" '^"alive 1"'
line 'print "first loop" while true do end'
check "a loop begins" '^first loop'
keys C-c
check "Ctrl-C ends a loop" 'interrupted'
line 'print "second loop" while true do pcall(function() while true do end end) end'
check "another loop" '^second loop'
keys C-c
line '"alive " .. 2'
check "also one that catches errors" '^"alive 2"'
line 'big = {} for i = 1, 8e6 do big[i] = i * 7919 % 8000009 end print "sorts" table.sort(big)'
check "a large table is sorted" '^sorts'
keys C-c
line 'for i = 2, #big do ordered = big[i - 1] <= big[i] if not ordered then break end end print("ordered", ordered)'
check "until Ctrl-C" '^ordered	* *false'
line 'big = nil'
line 'coroutine.wrap(function() print "third loop" while true do end end)()'
check "a third loop" '^third loop'
keys C-c
line '"alive " .. 3'
check "... also one in a coroutine" '^"alive 3"'
in_tmux send-keys -t t -l 'half typed'
keys C-c
line '"alive " .. 4'
check "Ctrl-C during typing empties the line" '^"alive 4"'
line 'function g('
keys C-c
line '"alive " .. 5'
check "Ctrl-C discards incomplete input" '^"alive 5"'
clear_screen
printf 'barlow> first = 20\nbarlow [x 1/2 3%%]> second = first +\n      >   2\n40\nbarlow> "sum " .. first + second' >"$dir/copied"
in_tmux load-buffer "$dir/copied"
in_tmux paste-buffer -p -t t
keys Enter
check "pasted text is accepted with its prompts" '^"sum 42"$'
clear_screen
in_tmux resize-window -t t -x 60 -y 40
in_tmux send-keys -t t -l 'wide = { "aaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbb", "c" }'
check "a line wraps at the current width of the terminal" '^bbbbbbbbbbbb", "c" }$'
keys C-c
in_tmux resize-window -t t -x 100 -y 40
in_tmux send-keys -t t -l 'wide = { "aaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbb", "c" }'
check "... and at the next" '^barlow> wide = .*"c" }$'
keys C-c
clear_screen
line 'for i = 1, 2 do'
in_tmux send-keys -t t -l 'print(i .. "x")'
keys Up
in_tmux send-keys -t t -l ' local j = 10 * i'
keys Down C-a
in_tmux send-keys -t t -l '  print(j) '
keys Down C-e Enter
line 'end'
check "Up and Down move in an entry of several lines" '^20$'
check "... which is one entry" '^2x$'
clear_screen
keys Up
check "... and is recalled as one" '^barlow> for i = 1, 2 do local j = 10 \* i$'
keys Up Up C-e
in_tmux send-keys -t t -l ' + 1'
keys Down Down C-e Enter
check "... and can be changed within" '^21$'
in_tmux send-keys -t t -l '"printed " .. 1'
keys C-x C-e
check "C-x C-e edits an entry" '^barlow> "edited " \.\. 1$'
keys Enter
check "... which Enter runs" '^"edited 1"$'
clear_screen
in_tmux send-keys -t t -l 'tensor.zer'
keys Tab
in_tmux send-keys -t t -l '(2)'
keys Enter
check "Tab completes a field" '^tensor\(\[0\., 0\.\]\)'
line 'net = nn.linear(2, 3)'
in_tmux send-keys -t t -l 'net:cou'
keys Tab
in_tmux send-keys -t t -l '()'
keys Enter
check "Tab completes a method" '^9$'
in_tmux send-keys -t t -l 'print(nn.linear(2, 3, {bi'
keys Tab
in_tmux send-keys -t t -l 'false}):count())'
keys Enter
check "Tab completes a setting" '^6$'
clear_screen
shell=$(in_tmux display-message -p -t t '#{pane_pid}')
barlow=$(cat "/proc/$shell/task/$shell/children")
(while kill -WINCH $barlow; do :; done) 2>/dev/null &
flood=$!
mkdir "$dir/many"
(cd "$dir/many" && seq 3000 | sed 's/^/file /' | tr ' ' '-' | xargs touch the-only-one)
for i in 1 2 3; do
	in_tmux send-keys -t t -l "x = '$dir/many/the-on"
	keys Tab
	line "'"
	in_tmux send-keys -t t -l 'x:match "[^/]*$" .. '
	line "$i"
	check "Tab completes while the terminal's size changes, $i" "^\"the-only-one$i\"\$"
done
kill $flood
line 'trainr{}'
check "an error about a missing global suggests another" "global 'trainr'\\) \\(did you mean 'trainer'\\?\\)"
line '?tensor.zeros'
check "?name prints help" '^tensor\.zeros\(sizes'
line 'ds = data.shapes{n = 64, size = 8, channels = 1}'
line 't = trainer{data = ds, encoder = nn.cnn{widths = {4}, image = 8}, projector = {8}, batch = 32, epochs = 1e6}'
line 't:start();'
line 't:run()'
check "a run reports on one line" '^step .* ETA .* images/s .* total .* invariance'
keys C-c
check "Ctrl-C stops it between steps" 'stopped at step'
line 't.state'
check "the prompt returns" '^"stopped"$'
line 'print("it " .. "sleeps") os.execute "sleep 2"'
check "no prompt while code runs" '^it sleeps$'
keys C-d
check "Ctrl-D ends the session, also when typed ahead" '^left with 0'

number=$((number + 1))
if [ "$(stat -c %a "$dir/state/barlow" "$dir/state/barlow/history" | tr '\n' ' ')" = "700 600 " ]; then
	echo "ok $number - the history is private"
else
	echo "not ok $number - the history is private"
fi
in_tmux respawn-pane -k -t t "$prompt"
shows '^barlow>'
keys Up
check "history is saved" '^barlow> print."it " '
echo "1..$number"
