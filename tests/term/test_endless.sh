#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Functions of the user that do not return: a signal ends the program nevertheless.  The run then counts as stopped, not as
# failed, and resuming it does not wait for the functions.
. "$SRCDIR/tests/term/setup.sh"

result() {
	number=$((number + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $number - $3"
	else
		echo "not ok $number - $3"
		printf '%s\n' "expected: $2" "got: $1" | sed 's/^/# /'
		sed 's/^/# /' "$dir/out"
	fi
}
gone() { ! kill -0 "$started" 2>/dev/null; }
says() { grep -q "$1" "$dir/out"; }

json() { sed -n 's/.*"state": *"\([a-z]*\)".*/\1/p' "$1/run.json" | head -1; }

# run NAME VIEWS LAYER: a script that reports when its run has begun
run() {
	cat >"$dir/$1.lua" <<-END
		local t = trainer{data = data.shapes{n = 64, size = 8, channels = 1}, projector = {8}, batch = 32, epochs = 1e5,
			encoder = nn.sequential(nn.func(function(x) $3 return x end), nn.mlp(64, {widths = {8}, flatten = true})),
			views = aug.func(function(x, rng, info) $2 return x end, {seconds = 3600}), folder = "$dir/$1"}
		t:start()
		print "going"
		io.stdout:flush()
		t:wait()
	END
}
# end SIGNAL WORD COMMAND...: sends the signal when the command has printed the word; sets \$status
end() {
	signal=$1 word=$2
	shift 2
	: >"$dir/out"
	"$@" >"$dir/out" 2>&1 </dev/null &
	started=$!
	until_true says "$word"
	kill -"$signal" $started
	until_true gone || kill -KILL $started
	wait $started
	status=$?
	started=
}

loop='while true do end'
run view "$loop" ''
end TERM going "$BARLOW" "$dir/view.lua"
result "$status" 143 "SIGTERM ends a run whose view does not return"
result "$(json "$dir/view")" stopped "it is stopped then"

run layer '' "if not os then $loop end"
end HUP going "$BARLOW" "$dir/layer.lua"
result "$status" 129 "SIGHUP ends a run whose layer does not return"
result "$(json "$dir/layer")" stopped "it is stopped then"

run interrupt "if info.step > 3 then $loop end" ''
end INT going "$BARLOW" "$dir/interrupt.lua"
result "$status $(json "$dir/interrupt")" "1 stopped" "SIGINT ends one and stops the run"

end TERM resumed "$BARLOW" resume --plain "$dir/interrupt"
result "$status" 143 "it can be resumed, and SIGTERM ends it again"

echo "1..$number"
