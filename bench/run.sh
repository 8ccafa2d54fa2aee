#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh: `make bench`, `make growth` and `make experiments`.  Prints the results and writes them into the build folder:
# bench.md, growth.md with its figures, experiments.md.  The source tree is not changed.
#
# TORCH lists the Python interpreters to compare with; the default is "/usr/bin/python3" (for Debian's python3-torch).
# Interpreters that cannot import torch are left out.
set -eu
# Otherwise Python would write bytecode into the source folder.
export PYTHONDONTWRITEBYTECODE=1

head_lines() {
	echo
	echo "## $1, $(date +%Y-%m-%d)"
	echo
	echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, $(uname -sm), $($BARLOW -v | head -n 1)."
	echo "Command: \`$2\`"
	echo
}

torches() {
	for python in ${TORCH:-/usr/bin/python3}; do
		echo "--torch $python"
	done
}

bench() {
	head_lines "Benchmark" "make bench"
	# shellcheck disable=SC2046  # a list of words
	python3 "$SRCDIR/bench/compare.py" "$BUILDDIR/bench/side" --barlow "$BARLOW" $(torches)
}

growth() {
	head_lines "Growth" "make growth"
	# shellcheck disable=SC2046  # a list of words
	python3 "$SRCDIR/bench/growth.py" "$BUILDDIR/bench/side" "$BUILDDIR" $(torches)
	echo "![time of the loss against D](growth-loss.svg)"
	echo "![time of a step against B](growth-step.svg)"
}

# Compares Optuna with barlow's own sweep.  If Python has no Optuna (Debian's python3-optuna), it is installed from PyPI
# into a temporary environment.
optuna() {
	python=python3 place=$(mktemp -d)
	if ! python3 -c "import optuna" 2>/dev/null; then
		python=$place/bin/python
		if ! { python3 -m venv "$place" && "$python" -m pip -q install optuna; }; then
			rm -rf "$place"
			echo "Optuna is not installed: left out."
			return
		fi
	fi
	head_lines "The same 40 trials by barlow's sweep and by Optuna" "bench/sweep_optuna.py"
	"$python" "$SRCDIR/bench/sweep_optuna.py" "$BARLOW"
	echo
	echo "\`examples/optuna_sweep.py examples/lambda_sweep.lua 2\`:"
	echo
	BARLOW=$BARLOW "$python" "$SRCDIR/examples/optuna_sweep.py" "$SRCDIR/examples/lambda_sweep.lua" 2 2>/dev/null
	rm -rf "$place"
}

package() {
	head_lines "Debian packages" "make package"
	make -C "$BUILDDIR" --no-print-directory -s package 2>&1 || echo "Left out, or failed: see above."
}

experiments() {
	head_lines "Main job, three seeds" "make experiments"
	for seed in 1 2 3; do
		echo "Seed $seed:"
		"$BARLOW" "$SRCDIR/examples/first_light.lua" --plain --seed $seed --out "$BUILDDIR" | sed -n '/^|/p; /^done/p'
	done
	optuna
	package
}

case ${1:-} in
bench | growth | experiments)
	"$1" | tee "$BUILDDIR/$1.md"
	echo "Written to $BUILDDIR/$1.md."
	;;
*)
	echo "usage: run.sh bench | growth | experiments" >&2
	exit 2
	;;
esac
