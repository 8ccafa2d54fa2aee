#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A C program outside of this tree, built with the flags of pkg-config: it trains, saves, stops and resumes a run.
set -u

pkg_config=${PKG_CONFIG:-pkg-config}
if ! command -v "$pkg_config" >/dev/null 2>&1; then
	echo "1..0 # SKIP pkg-config is not installed"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/barlow-c-program-XXXXXX") || exit 1
XDG_DATA_HOME=$dir/xdg/data XDG_STATE_HOME=$dir/xdg/state XDG_CONFIG_HOME=$dir/xdg/config XDG_CACHE_HOME=$dir/xdg/cache
export XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME XDG_CACHE_HOME
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
PKG_CONFIG_PATH=$BUILDDIR
export PKG_CONFIG_PATH
flags=
if [ "${SANITIZERS:-no}" != no ]; then
	flags=-fsanitize=address,undefined
	ASAN_OPTIONS=detect_leaks=0 # the example does not free memory that is needed to its end
	export ASAN_OPTIONS
fi

number=0
# check NAME COMMAND...
check() {
	name=$1
	shift
	number=$((number + 1))
	if "$@" >"$dir/out" 2>&1; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		sed 's/^/# /' "$dir/out"
	fi
}
build() {
	# CC and the flags may consist of several words.
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} -std=gnu11 -Wall -Wextra -Werror $flags "$SRCDIR/examples/c/train_and_resume.c" \
		$("$pkg_config" --cflags --libs barlow) -o "$dir/train"
}
# runs WORDS ARGUMENTS: the program ends with status 0 and prints the words
runs() {
	words=$1
	shift
	"$dir/train" "$@" >"$dir/last" 2>&1
	status=$?
	cat "$dir/last"
	[ $status -eq 0 ] && grep -qF -- "$words" "$dir/last"
}
same() { cmp "$dir/straight/weights.safetensors" "$dir/halved/weights.safetensors"; }

echo "1..7"
check "it is built" build
check "a run is trained" runs "done at step 80" "$dir/straight"
check "another one is stopped" runs "stopped at step" "$dir/halved" 30
check "... and resumed" runs "done at step 80" "$dir/halved"
check "... from its step" grep -q "from step [3-7]" "$dir/last"
check "... to the same bits" same
check "a finished run is refused" sh -c "! '$dir/train' '$dir/halved'"
