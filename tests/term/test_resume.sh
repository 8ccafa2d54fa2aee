#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# barlow resume: a run that was killed is resumed in a new process to the bits of an undisturbed one.
. "$SRCDIR/tests/term/setup.sh"
pause=0.01 tries=12000

root=$dir/data/barlow/runs

# make_run NAME FOLDER: Lua code for a run of some seconds, with kNN during the training and a layer written in Lua
make_run() {
	cat <<-END
		local gain, shifts = tensor.full({1}, 1.5), {.25, {-.25}}
		local layer = nn.func(function(x)
			return x * gain + shifts[1] + shifts[2][1] * .5
		end, {name = "gain", parameters = {gain = gain}})
		local ds = data.shapes{n = 256, size = 16, channels = 1}
		local t = trainer{data = ds, batch = 32, projector = {32}, encoder = nn.sequential(layer, nn.cnn{widths = {8, 16}, image = 16}),
			optim = optim.lars{lr = .2}, warmup = 1, epochs = 60, checkpoint_every = .625, name = "$1", folder = "$2",
			knn = {every = 4, refs = ds:subset(1, 100), queries = ds:subset(101, 160)}}
		t:start():wait()
	END
}
# start NAME THREADS: in the background
start() {
	make_run "$1" "$root/$1" >"$dir/$1.lua"
	"$BARLOW" -t "$2" "$dir/$1.lua" >"$dir/$1.log" 2>&1 &
	started=$!
}
kill_it() {
	kill -KILL "$started" && wait "$started" 2>/dev/null
	started=
}
is() { [ "$("$BARLOW" -e "print(runs().$1.$2)")" = "$3" ]; }
later_than() { [ "$("$BARLOW" -e "print((runs().$1 or {step = 0}).step)")" -gt "$2" ] 2>/dev/null; }
# Stops the run's process during an inspection, so that it does not end meanwhile; if the inspection succeeds, it stays stopped.
held_later_than() {
	kill -STOP "$started" || return 1
	later_than "$@" && return 0
	kill -CONT "$started"
	return 1
}
go_on() { kill -CONT "$started"; }
checkpoint_of() { [ -s "$root/$1/checkpoint.safetensors" ]; }

# The result of a run: the bits of weights, optimiser and records.  Times are left out, and so is the number of lines of the
# journal, which has one more for each resume.
cat >"$dir/sum.lua" <<-'END'
	local function bytes(path)
		local f = assert(io.open(path, "rb"))
		local text = f:read "a"
		f:close()
		return text
	end
	local folder = arg[1]
	local t = runs.fork(folder)
	for i = 1, #t do
		local r = t:record(i)
		r.time, r.images_per_s = nil, nil
		local keys = {}
		for k in pairs(r) do keys[#keys + 1] = k end
		table.sort(keys)
		for j, k in ipairs(keys) do keys[j] = ("%s=%a"):format(k, r[k]) end
		print(table.concat(keys, " "))
	end
	local text = bytes(folder .. "/checkpoint.safetensors")
	local length = string.unpack("<I8", text)
	local header = text:sub(9, length + 8):gsub('"trained":"[^"]*"', ""):gsub('"journal":"%d+"', ""):gsub('"crc32":"%x+', ""):gsub(" *$", "")
	print(header)
	io.write(text:sub(length + 9))
END
sum() { "$BARLOW" "$dir/sum.lua" "$root/$1" >"$dir/$1.sum" 2>>"$dir/out"; }
same() { sum "$1" && sum "$2" && [ "$(wc -c <"$dir/$1.sum")" -gt 100000 ] && cmp "$dir/$1.sum" "$dir/$2.sum" >"$dir/out"; }

echo "1..23"

check "no run: reported, status 1" fails_with "no run in $root was stopped or killed before its end" 1 resume
check "--help" fails_with "usage: barlow resume" 0 resume --help
check "barlow --help names it" fails_with "barlow resume" 0 --help
check "an unknown option: status 2" fails_with "unknown option '--nope'" 2 resume --nope
check "two runs: status 2" fails_with "'two'" 2 resume one two
check "an invalid number of threads: status 2" fails_with "got 'many'" 2 resume -t many

start straight 1
check "an undisturbed run ends" wait "$started"
started=

start killed 1
check "another one saves by itself" until_true checkpoint_of killed
until_true held_later_than killed 20
check "while it trains, resuming is refused" fails_with "going on in process $started" 1 resume killed
check "... and it continues" go_on
kill_it
check "it is killed" is killed state killed
"$BARLOW" resume -t 2 --plain >"$dir/out" 2>&1 </dev/null &
started=$!
until_true held_later_than killed 200 && kill_it
check "it is resumed, as the newest, and killed again" is killed state killed
"$BARLOW" resume -t 2 --plain killed >"$dir/out" 2>&1 </dev/null &
started=$!
until_true says "resumed at step"
until_true held_later_than killed 220
kill -INT "$started"
go_on
wait "$started"
started=
check "Ctrl-C stops it, which is reported once" [ "$(grep -c 'stopped at step' "$dir/out")" = 1 ]
last_says() { tail -n 1 "$dir/out" | grep -qF -- "$1"; }
check "... on the last line, with the folder" last_says "kept in $root/killed"
check "it is resumed by name, to the end" run 0 resume killed
check "... reports its first step" says "killed: resumed at step "
check "... and its last" says "done at step 480 of 480, kept in $root/killed"
check "bits and records are those of the undisturbed run" same straight killed
check "a finished run is refused" fails_with "the run is over: 480 of 480 steps are done" 1 resume killed
leftovers() { [ -z "$(find "$root/killed" -name '*.tmp' -o -name '*.new')" ]; }
check "no partially written file remains" leftovers

start stopped 2
until_true held_later_than stopped 20
kill -INT "$started"
go_on
wait "$started"
started=
check "Ctrl-C stops a run, which is saved" is stopped state stopped
rm "$root/stopped/live"
check "... and is resumed, also without its live file" run 0 resume "$root/stopped"
check "... which is reported" says " of 480; the live file could not be read: the records of the steps before this one are lost"
