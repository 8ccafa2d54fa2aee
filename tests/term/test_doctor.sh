#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# barlow doctor, and kernels that do not exist.
. "$SRCDIR/tests/term/setup.sh"

cd "$dir" || exit 1
mkdir home bin
HOME=$dir/home TERM=xterm-256color LC_ALL=C.UTF-8
export HOME TERM LC_ALL
unset XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME XDG_CONFIG_HOME BARLOW_DATA BARLOW_KERNELS NO_COLOR
# A gnuplot with the required terminals, whatever this machine has.
cat >bin/gnuplot <<'END'
#!/bin/sh
case $* in
--version) echo 'gnuplot 9.9 patchlevel 9' ;;
*) echo " $TERMINALS " >&2 ;;
esac
END
chmod +x bin/gnuplot
PATH=$dir/bin:$PATH TERMINALS="svg pngcairo pdfcairo pict2e"
export PATH TERMINALS

# doctor STATUS PATTERN [VARIABLE=VALUE...]: a line of what it prints
doctor() {
	want=$1 pattern=$2
	shift 2
	env "$@" "$BARLOW" doctor >out 2>&1 </dev/null
	[ $? -eq "$want" ] && grep -qE -- "$pattern" out
}
before=$(find home | sort)
check "the last line if there is no problem" doctor 0 '^No problems were found\.$'
for name in version kernels BLAS threads memory terminal gnuplot data runs cache state config clock; do
	check "there is a line about $name" grep -qE "^[ -] $name " out
done
check "it leaves no files" [ "$(find home | sort)" = "$before" ]
check "the terminal's colours" doctor 0 'xterm-256color, 256 colours, UTF-8'
check "... that are not wanted" doctor 0 'xterm-256color, no colours' NO_COLOR=1
check "a terminal without a cursor" doctor 0 '^- terminal .*dumb: it cannot move' TERM=dumb
check "... that is unknown to terminfo" doctor 0 'nonesuch, which terminfo does not know' TERM=nonesuch
check "no UTF-8" doctor 0 '--> export LC_CTYPE=C\.UTF-8' LC_ALL=C
check "gnuplot without a terminal" doctor 1 '^! gnuplot .*cannot draw \.png, \.tex' TERMINALS='svg pdfcairo'
mkdir empty
check "no gnuplot" doctor 1 '--> install Debian.s package gnuplot-nox' PATH="$dir/empty"
touch file
check "a folder that cannot be made" doctor 1 '^! runs .*it is not a folder' XDG_DATA_HOME="$dir/file"
check "... that is not needed" doctor 0 '^- cache .*it is not a folder' XDG_CACHE_HOME="$dir/file"
check "no home" doctor 1 '--> set HOME' HOME=
check "kernels below those of the CPU" doctor 0 'kernels +generic' BARLOW_KERNELS=generic
check "kernels that do not exist" doctor 1 "^barlow: BARLOW_KERNELS is 'nonsense': expected .*generic, which this CPU runs" \
	BARLOW_KERNELS=nonsense
# Kernels that this CPU does not run are refused.
fast_blas() {
	for kernels in avx512_bf16 avx512 avx2; do
		BARLOW_KERNELS=$kernels "$BARLOW" doctor >out 2>&1 || grep -q "BARLOW_KERNELS is '$kernels'" out || return 1
		! grep -q Prescott out || return 1
	done
}
check "with vector kernels OpenBLAS has kernels of such CPUs, too, not the oldest" fast_blas
limited() {
	(ulimit -v 900000 && "$BARLOW" doctor -t 1 >out 2>&1)
	[ $? -eq 1 ] && grep -q '^! memory .*limited to 879 MiB' out
}
if [ "${SANITIZERS:-no}" = no ]; then
	check "limited address space" limited
fi
json() {
	XDG_DATA_HOME=$dir/file "$BARLOW" doctor --json >out 2>&1
	[ $? -eq 1 ] || return 1
	"$BARLOW" -e 'local d = require "barlow.native".json_read(io.read "a")
		local n = 0
		for _, f in ipairs(d.findings) do
			assert(f.name and f.text and (f.state == "fine" or f.remedy), f.name)
			if f.state == "problem" then n = n + 1 end
		end
		assert(n == 1 and d.problems == 1)' <out
}
check "--json" json
echo "1..$number"
