#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# gallery.sh: makes the pictures and texts of docs/gallery.md from the examples.  `make gallery` runs it; it takes some
# minutes.  Long examples run with small budgets, which the captions state.  GALLERY=FOLDER writes the pictures into
# subfolders of FOLDER, and does not change docs/gallery.md.  ONLY="vicreg sweeps" makes only these.
#
# It needs gnuplot and Fashion-MNIST, and uses the icons of Debian's oxygen-icon-theme if they are installed.
set -eu

page=$SRCDIR/docs/gallery.md
docs=${GALLERY:-$SRCDIR/docs}
out=$docs/gallery
dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-gallery-XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
XDG_DATA_HOME=$dir/data XDG_CACHE_HOME=$dir/cache
export XDG_DATA_HOME XDG_CACHE_HOME
mkdir -p "$out" "$docs/figures" "$docs/pictures" "$dir/texts"

# example NAME ARGUMENT...: runs the example in the scratch folder; its output becomes the text of that name.
example() {
	name=$1
	shift
	echo "$name"
	(cd "$dir" && "$BARLOW" "$SRCDIR/examples/$name.lua" "$@") >"$dir/texts/$name" 2>"$dir/error" || {
		cat "$dir/error"
		exit 1
	}
}
# screen NAME KEYS SIZE LIVEFILE: writes a frame of the live screen to NAME.svg.
screen() { "$BUILDDIR/bench/frames" -k "$2" "$4" "$3" >"$out/$1.svg"; }
make_first_light() {
	example first_light --plain --images 6000 --epochs 3 --out "$dir"
	sed -n '/^|/p' "$dir/texts/first_light" >"$dir/texts/table"
	mv "$dir/texts/table" "$dir/texts/first_light"
	mv "$dir/first_light.svg" "$out"
}

make_algorithm1() {
	example algorithm1 40
	cat >"$dir/curve.lua" <<-'END'
		local x, y = {}, {}
		for line in io.lines(arg[1]) do
			local step, loss = line:match "^step +(%d+)  loss (.*)"
			if step then x[#x + 1], y[#y + 1] = tonumber(step), tonumber(loss) end
		end
		plot.lines{ { x, y, label = "total" }, title = "examples/algorithm1.lua", xlabel = "step", ylabel = "loss" }:save(arg[2], { width = "column" })
	END
	"$BARLOW" "$dir/curve.lua" "$dir/texts/algorithm1" "$out/algorithm1.svg"
	sed -n '1p; 2p; $p' "$dir/texts/algorithm1" >"$dir/texts/short"
	mv "$dir/texts/short" "$dir/texts/algorithm1"
}

make_vicreg() {
	example vicreg 300 "$dir/vicreg"
	rm "$dir/texts/vicreg"
	screen vicreg 1 100x30 "$dir/vicreg/live"
}

make_augmentations() {
	example augmentations --images 1000 --steps 20 --seeds 3 --test 500
	sed 's/ in [0-9:]* *s*$//' "$dir/texts/augmentations" >"$dir/texts/short"
	mv "$dir/texts/short" "$dir/texts/augmentations"
	echo 'aug.preview(data.fashion{}, aug.grey{ size = 28 }, { n = 4 }):save(arg[1])' >"$dir/preview.lua"
	"$BARLOW" "$dir/preview.lua" "$docs/pictures/views.png"
}

make_removal() { example removal --images 1000 --steps 20 --seeds 2 --test 500 --out "$out/removal.svg"; }

make_sweeps() {
	for name in lambda_sweep projector_width batch_size; do
		BARLOW_QUICK=1 example $name --figure "$out/$name.svg"
		rm "$dir/texts/$name"
	done
}

make_figures() {
	example figures "$docs/figures" 6
	rm "$dir/texts/figures"
}

make_colour() {
	if [ ! -d /usr/share/icons/oxygen/base/48x48 ]; then
		echo "colour: left out, oxygen-icon-theme is not installed"
		return
	fi
	example colour --steps 40
	sed -n '/^kNN/,/^trained/p' "$dir/texts/colour" >"$dir/texts/short"
	mv "$dir/texts/short" "$dir/texts/colour"
}

make_c() {
	echo "train_and_resume"
	# shellcheck disable=SC2046  # a list of words
	PKG_CONFIG_PATH=$BUILDDIR ${CC:-cc} "$SRCDIR/examples/c/train_and_resume.c" \
		$(PKG_CONFIG_PATH=$BUILDDIR ${PKG_CONFIG:-pkg-config} --cflags --libs barlow) -o "$dir/train"
	(
		cd "$dir"
		./train from-c 40 >texts/train_and_resume
		./train from-c >>texts/train_and_resume
		"$BARLOW" watch --once --size 80x24 ./from-c | sed 's/ *$//' >texts/screen
	)
}

for name in ${ONLY:-first_light algorithm1 vicreg augmentations removal sweeps figures colour c}; do
	make_"$name"
done

# Puts the texts into the page: each replaces the block behind the comment <!-- not run: made by make gallery, NAME -->.
[ -z "${GALLERY-}" ] || exit 0
awk -v texts="$dir/texts/" '
	function put(path,   line) { while ((getline line < path) > 0) print line; close(path) }
	{ if (!skip || /^```$/) print }
	/^```$/ { skip = 0 }
	/^```text$/ && name != "" && (getline first < (texts name)) > 0 { close(texts name); put(texts name); skip = 1 }
	{ name = "" }
	match($0, /^<!-- not run: made by make gallery, [a-z_0-9]* -->$/) { name = $(NF - 1) }' "$page" >"$dir/page"
cat "$dir/page" >"$page"
