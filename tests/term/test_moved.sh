#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A run is resumed with the images that it began with, in whatever folder, or reports that the images differ.
. "$SRCDIR/tests/term/setup.sh"

unset BARLOW_DATA
dir=$(cd "$dir" && pwd -P)

# run STATUS FOLDER ARGUMENTS: barlow, started in that folder, ends with that status
run() {
	want=$1
	cd "$2" || return 1
	shift 2
	"$BARLOW" "$@" >"$dir/out" 2>&1 </dev/null
	[ $? -eq "$want" ]
}
fails_with() {
	words=$1
	shift
	run 1 "$@" && says "$words"
}

photographs=$SRCDIR/tests/reference/photographs
# Two folders with subfolders of the same names; the second has other images in its files.
for place in here there; do
	mkdir -p "$dir/$place/set/imgs/day" "$dir/$place/set/imgs/night" "$dir/$place/test/day" "$dir/$place/test/night"
	cp "$photographs"/*.jpg "$dir/$place/set/imgs/day"
	cp "$photographs"/*.png "$dir/$place/set/imgs/night"
	cp "$photographs"/*.jpg "$dir/$place/test/day"
	cp "$photographs"/*.png "$dir/$place/test/night"
done
cp "$dir/here/set/imgs/night/palette.png" "$dir/there/set/imgs/night/one_bit.png"
cat >"$dir/t.lua" <<'END'
	local test = data.folder{ path = "test", size = 16 }
	local t = trainer{ data = data.folder{ path = "set/imgs", size = 16 }, projector = { 8 }, batch = 4, epochs = 100000,
		encoder = nn.sequential(nn.flatten(), nn.linear(3 * 16 * 16, 8)), views = aug.paper{ size = 16 },
		name = "moved", knn = { refs = test, queries = test, k = 1, every = 1000 } }
	t:start()
	while t.iteration < 2 do t:wait(.01) end
	t:stop()
END
goes_on() {
	run 0 "$@" -e 'local t = runs.resume "moved"; t:start(); t:stop(); print("went on", t.data[1].path)'
}
recipe() { cat "$dir"/data/barlow/runs/moved-*/recipe.lua >"$dir/out" && says "$1"; }

echo "1..17"
check "a run with relative paths" run 0 "$dir/here" "$dir/t.lua"
check "its recipe has the absolute one" recipe "path = \"$dir/here/set/imgs\""
check "... and a fingerprint" recipe 'fingerprint = "v1 8 files, names '
check "it is resumed from another folder" goes_on /
check "... and with its own images in a folder that has others of these names" goes_on "$dir/there"
check "... whose path it prints" says "$dir/here/set/imgs/day/"
check "other images than the run's are refused, though its own are where they were" fails_with \
	"--data $dir/there/set: none of the run's images are there: " / resume --plain --data "$dir/there/set" moved

mv "$dir/here/set" "$dir/here/gone"
check "missing images are reported, with a hint" fails_with "--data PATH of barlow resume, fork and tune" / resume --plain moved
check "other images in their place are refused, by name" fails_with \
	"$dir/there/set/imgs/night/one_bit.png is no longer the same file" / resume --plain --data "$dir/there/set" moved
rm "$dir/there/set/imgs/night/one_bit.png"
check "also fewer images" fails_with "there were 8 files then, there are 7 now" / resume --plain --data "$dir/there/set" moved
check "a folder that does not exist is reported" fails_with "--data $dir/nowhere: there is no such" / resume --plain --data "$dir/nowhere" moved
BARLOW_DATA=$dir/nowhere
export BARLOW_DATA
check "... also of BARLOW_DATA" fails_with "it was not found below $dir/nowhere either (BARLOW_DATA)" / resume --plain moved
unset BARLOW_DATA
moved=$(echo "$dir"/data/barlow/runs/moved-*)
check "tune reports them as missing, too" fails_with "--data PATH of barlow resume, fork and tune" / tune "$moved"
mkdir "$dir/new"
mv "$dir/here/gone/imgs" "$dir/new/imgs"
mv "$dir/here/test" "$dir/new/test"
check "... and finds them by --data" run 0 / tune --data "$dir/new" "$moved"
BARLOW_DATA=$dir/new
export BARLOW_DATA
check "BARLOW_DATA names the folder of both sets" goes_on /
unset BARLOW_DATA
check "... which the recipe states from then on" recipe "path = \"$dir/new/imgs\""
check "... so the run is resumed without it" goes_on /
