# SPDX-License-Identifier: GPL-3.0-or-later
# The suite.  `make check T="tests/c/test_random tests/layers.sh"` runs a part of it.

test_scripts = $(sort $(wildcard $(addprefix $(srcdir)/, tests/*.sh tests/lua/test_*.lua tests/term/test_*.sh)))
T = $(c_suite) $(patsubst $(srcdir)/%,%,$(test_scripts))
check-local:
	@SRCDIR=$(abs_srcdir) BUILDDIR=$(abs_builddir) BARLOW=$(abs_builddir)/barlow \
		SANITIZERS=$(sanitizers) CC="$(CC)" PKG_CONFIG="$(PKG_CONFIG)" \
		SUMMARY=tests/summary $(SHELL) $(srcdir)/tests/run $(T)

CLEANFILES += tests/summary

# ThreadSanitizer on what has threads, in a build of its own; some minutes, and no part of the suite.
tsan:
	SRCDIR=$(abs_srcdir) $(SHELL) $(srcdir)/tests/term/tsan.sh tsan
# Which lines of what keeps runs the tests run, in a copy of this tree (which has to be built in itself); a few minutes.
coverage: all
	SRCDIR=$(abs_srcdir) $(SHELL) $(srcdir)/tests/coverage gcov
clean-local:
	rm -rf tsan gcov fuzz mutate.scratch mutate.map package bench.md growth.md growth-*.svg experiments.md
.PHONY: tsan coverage
# What a build in the source tree leaves between the files to distribute.
built = %.o %.lo %/__pycache__ $(addprefix $(srcdir)/, $(test_helpers) $(bench_programs))
EXTRA_DIST += tests/run tests/copy tests/coverage tests/mutate tests/mutate.lua $(test_scripts) $(sort $(filter-out $(built), \
	$(wildcard $(addprefix $(srcdir)/, tests/lua/* tests/lua/run-0.1/* tests/term/* tests/reference/*))))

# Kills, faults, disturbed runs and fuzzed readers: `make soak SECONDS=3600` takes about an hour; without SECONDS every fault is made.
# RUN_KILLS=100 SWEEP_KILLS=30 DISTURBED=2000 VIEWED=200 FAULTS=0 SEED=1
soak: all tests/fault/shim.so
	SRCDIR=$(abs_srcdir) BUILDDIR=$(abs_builddir) BARLOW=$(abs_builddir)/barlow $(SHELL) $(srcdir)/tests/soak/soak.sh $(SECONDS)
.PHONY: soak
EXTRA_DIST += tests/soak/soak.sh tests/soak/kills.sh tests/soak/workers.sh
