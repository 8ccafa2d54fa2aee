#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# barlow sweep: workers as processes, killed and resumed, driver killed, shares, stop, failures; each trial once, to the same bits.
. "$SRCDIR/tests/term/setup.sh"
trap 'pkill -KILL -f "sweep worker $dir" 2>/dev/null; clean' EXIT

LC_ALL=C.UTF-8
export LC_ALL BARLOW

# script NAME EPOCHS MORE: a sweep of 2 x 2 trials in $dir/NAME
script() {
	cat >"$dir/$1.lua" <<-END
		return sweep{
			base = { data = data.shapes{ n = 400, size = 8, channels = 1, seed = 3 }, encoder = nn.cnn{ widths = { 4 }, image = 8 },
				projector = { 8 }, batch = 20, epochs = $2, seed = 1 },
			space = { ["loss.lambda"] = { .005, .02 } }, baseline = false, seeds = 2, folder = "$dir/$1", $3
		}
	END
}
sweep() { "$BARLOW" sweep "$@" >"$dir/out" 2>&1 </dev/null; }
attempts() { ls -d "$dir/$1"/trials/*/attempt-* 2>/dev/null | wc -l; }
# The weights of all trials' results, by trial
weights() {
	for trial in "$dir/$1"/trials/*; do
		for attempt in "$trial"/attempt-*; do
			cmp -s "$attempt/result.json" "$trial/result.json" && cksum <"$attempt/weights.safetensors"
		done
	done
}

script whole 2 ''
check "a sweep runs" sweep run "$dir/whole.lua" --jobs 2
check "... all trials are complete" says "4 of 4 trials complete"
check "... with one attempt each" [ "$(attempts whole)" = 4 ]
check "... and exists at the next call" sweep run "$dir/whole.lua"
check "... which sends no bell to a file" [ "$(tr -dc '\007' <"$dir/out" | wc -c)" = 0 ]
check "... and makes no further attempt" [ "$(attempts whole)" = 4 ]
check "its state" sweep status "$dir/whole"
check "... which is said once" [ "$(grep -c '^4 of 4 trials complete' "$dir/out")" = 1 ]
sweep status "$dir/whole" --json
check "... as JSON" says '"state":"complete"'
sweep status "$dir/whole" --csv
check "... as CSV" says "loss.lambda,knn,n,low,high,"
sweep export "$dir/whole" --format latex
check "its table as LaTeX" says "tabular"
sweep export "$dir/whole" --format word
check "... and in no unknown format" says "there is no format 'word'"
check "the best arm" sweep best "$dir/whole"
check "... with its recipe" says "attempt-1/recipe.lua"
expected=$(weights whole)
check "four results have weights" [ "$(echo "$expected" | wc -l)" = 4 ]

# Sweeps without a folder of their own are listed.
script listed 1 ''
sed 's#folder = "[^"]*"#name = "listed"#' "$dir/listed.lua" >"$dir/named.lua"
sweep list
check "there is no sweep to list" [ "$(grep -c listed "$dir/out")" = 0 ]
check "a sweep with a name alone" sweep run "$dir/named.lua" --jobs 2
sweep list
check "... is listed with its trials" grep -qE '^listed-[0-9a-f]+ +4 +4 +knn' "$dir/out"
sweep list --json
check "... also as JSON" says '"name":"listed-'

# Longer trials, whose workers are killed.
script long 400 ''
script again 400 ''
sed "s#$dir/long#$dir/again#" "$dir/long.lua" >"$dir/again.lua"
sweep run "$dir/long.lua" --jobs 1
expected=$(weights long)
"$BARLOW" sweep run "$dir/again.lua" --jobs 2 >"$dir/driver" 2>&1 </dev/null &
driver=$!
check "checkpoints come" until_true test -e "$dir/again/trials/0001/attempt-1/checkpoint.safetensors"
kill -KILL $(pgrep -f "sweep worker $dir/again" | head -n 1)
check "a killed worker is reported" until_true grep -q "signal 9" "$dir/driver"
kill -KILL $driver
pkill -KILL -f "sweep worker $dir/again"
check "the sweep is resumed after all were killed" sweep resume "$dir/again" --jobs 2
check "... to its end" says "4 of 4 trials complete"
check "... in more attempts" [ "$(attempts again)" -gt 4 ]
check "... with the same bits as if nothing had been killed" [ "$(weights again)" = "$expected" ]

# Stopped by another process, and continued with workers by hand.
script stopped 40000 ''
"$BARLOW" sweep run "$dir/stopped.lua" --jobs 1 >"$dir/driver" 2>&1 </dev/null &
driver=$!
until_true test -e "$dir/stopped/trials/0001/attempt-1/checkpoint.safetensors"
check "a sweep is stopped by another process" sweep stop "$dir/stopped"
wait $driver
check "... and prints how to resume it" grep -q "barlow sweep resume" "$dir/driver"
check "... no trial is complete" [ ! -e "$dir/stopped/trials/0001/result.json" ]

# A trial that its user stops counts as pruned.
script ended 40000 ''
"$BARLOW" sweep run "$dir/ended.lua" --jobs 1 >"$dir/driver" 2>&1 </dev/null &
driver=$!
until_true test -e "$dir/ended/trials/0001/attempt-1/checkpoint.safetensors"
"$BARLOW" stop "$dir/ended/trials/0001/attempt-1" >"$dir/out" 2>&1
check "barlow stop ends a trial" until_true test -e "$dir/ended/trials/0001/result.json"
cp "$dir/ended/trials/0001/result.json" "$dir/out"
check "... which counts as pruned" says '"state":"pruned"'
sweep stop "$dir/ended"
wait $driver

# On a terminal: the screen, its keys, and a trial's own screen.
if command -v tmux >/dev/null 2>&1; then
	socket=barlow-sweep-$$
	in_tmux() { TMUX='' tmux -L "$socket" -f /dev/null "$@" 2>/dev/null; }
	screen() { in_tmux capture-pane -p -t a; }
	has() { screen | grep -qF -- "$1"; }
	in_tmux new-session -d -s a -x 90 -y 24 \
		"unset NO_COLOR; TERM=tmux-256color '$BARLOW' sweep resume '$dir/stopped' -j 1; echo status=\$?; exec cat"
	check "the screen shows a running trial" until_true has "1 running"
	screen >"$dir/out"
	check "... and its arms" says "lambda 0.005"
	in_tmux send-keys -t a Enter
	check "Enter opens the trial's own screen" until_true has "sweep 0001"
	in_tmux send-keys -t a q
	check "... which q closes" until_true has "Enter its screen"
	in_tmux send-keys -t a d
	check "d asks for confirmation" until_true has "press d again to end trial"
	in_tmux send-keys -t a d
	check "... and ends the trial" until_true has "pruned"
	in_tmux send-keys -t a q
	check "q leaves the screen while the sweep continues" until_true has "2 arms x 2 seeds"
	in_tmux send-keys -t a C-c
	check "Ctrl-C stops it" until_true has "status=130"
	bell=$(printf '\007')
	# sent HOW: what the terminal receives at the end of a finished sweep
	sent() {
		rm -f "$dir/sent"
		in_tmux respawn-pane -k -t a "until [ -e '$dir/sent' ]; do sleep .05; done; BARLOW_NOTIFY=$1 '$BARLOW' sweep run '$dir/whole.lua' --plain;
			echo status=\$?; exec cat"
		in_tmux pipe-pane -t a "cat >'$dir/sent'"
		until_true grep -q "status=" "$dir/sent"
		cp "$dir/sent" "$dir/out"
	}
	sent ""
	check "a terminal's bell rings at the end" says "$bell"
	sent osc9
	check "... or it gets a notification" says "]9;sweep sweep: 4 of 4 trials complete$bell"
	sent none
	check "... or nothing" [ "$(tr -dc '\007' <"$dir/sent" | wc -c)" = 0 ]
	sent loud
	check "... or an invalid value is refused" says "BARLOW_NOTIFY must be bell, osc9 or none, got 'loud'"
	in_tmux kill-server
else
	echo "# SKIP the screen: tmux is not installed"
fi

script shares 1 ''
sweep status "$dir/shares" # does not exist yet
check "a sweep that does not exist" says "barlow sweep: there is no sweep"
"$BARLOW" -e "dofile '$dir/shares.lua'"
sweep worker "$dir/shares" --shard 2/2
check "a share of the trials" [ "$(echo "$dir"/shares/trials/*/result.json)" = \
	"$dir/shares/trials/0002/result.json $dir/shares/trials/0004/result.json" ]
check "... and what became of them" [ "$(grep '^trial [0-9]*:' "$dir/out")" = "$(printf 'trial 2: complete\ntrial 4: complete')" ]
SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_COUNT=2 "$BARLOW" sweep worker "$dir/shares" >"$dir/out" 2>&1
check "... Slurm's" [ -e "$dir/shares/trials/0001/result.json" ]
sweep worker "$dir/shares" --shard 3/2
check "... an invalid share" says "--shard must be i/n"

# Another program chooses the points.
printf '%s\n' '{"params": {"loss.lambda": 0.01}, "seed": 4, "id": 7}' 'nonsense' '{"params": {"loss.lamda": 1}, "id": 8}' |
	"$BARLOW" sweep ask-tell "$dir/shares.lua" >"$dir/out" 2>"$dir/err"
check "ask-tell reports the progress" says '"epoch":1.0,"id":7,"step":18,"value":0.'
check "... and the result" says '"state":"complete"'
check "... and invalid lines" says "not JSON"
check "... with the nearest name" says "did you mean 'lambda'?"
script asked 40000 'jobs = (print "said", 1)'
sed -i 's/jobs = (print "said", 1)/jobs = print "said" or 1/' "$dir/asked.lua"
{ echo '{"params": {}, "id": 1}'; until_true grep -q step "$dir/answers" 2>/dev/null; echo '{"prune": true}'; } |
	"$BARLOW" sweep ask-tell "$dir/asked.lua" >"$dir/answers" 2>"$dir/err"
cp "$dir/answers" "$dir/out"
check "... and prunes a trial on request" says '"state":"pruned"'
check "... the script's output is on standard error" grep -q "said" "$dir/err"

# The error of a trial is its result.
script failing 1 'trial = function(p) return { data = data.shapes{ n = 40, size = 8, channels = 1 }, batch = p.batch, epochs = 1,
	encoder = nn.cnn{ widths = { 4 }, image = 8 }, projector = { 8 } } end,'
sed -i 's/base = {.*/space = { batch = { 8, 1000 } },/; /projector = { 8 }, batch = 20/d; /loss.lambda/s/space = {[^}]*} },//' "$dir/failing.lua"
sweep run "$dir/failing.lua"
status=$?
check "a trial that fails does not end the sweep" says "2 of 4 trials complete, 2 failed"
check "... and is reported with its reason" says "1000"
check "... and by the status" [ $status = 1 ]
sweep run "$dir/nothing.lua"
check "a script that does not exist" says "nothing.lua"
echo 'return 1' >"$dir/one.lua"
sweep run "$dir/one.lua"
check "a script without a sweep" says "returns no sweep"
sweep rum "$dir/one.lua"
check "a wrong action" says "did you mean 'run'?"
echo "1..$number"
