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
	rm -rf tsan gcov mutate.scratch mutate.map package bench.md growth.md growth-*.svg experiments.md
.PHONY: tsan coverage
# What a build in the source tree leaves between the files to distribute.
built = %.o %.lo %/__pycache__ $(addprefix $(srcdir)/, $(test_helpers) $(bench_programs))
EXTRA_DIST += tests/run tests/copy tests/coverage tests/mutate tests/mutate.lua $(test_scripts) $(sort $(filter-out $(built), \
	$(wildcard $(addprefix $(srcdir)/, tests/lua/* tests/lua/run-0.1/* tests/term/* tests/reference/*))))

# Long: kills of runs and sweeps.  RUN_KILLS=100 SWEEP_KILLS=30 SEED=1
# Then every fault of the shim (tests/fault), DISTURBED=2000 runs that are disturbed, and VIEWED=200 of which a disturbed viewer asks
# for each step; FAULTS=n makes n calls of a kind fail.
soak: all tests/fault/shim.so
	BARLOW=$(abs_builddir)/barlow $(SHELL) $(srcdir)/tests/soak/kills.sh
	BARLOW=$(abs_builddir)/barlow $(SHELL) $(srcdir)/tests/soak/workers.sh
	BARLOW=$(abs_builddir)/barlow SHIM=$(abs_builddir)/tests/fault/shim.so DISTURBED=$${DISTURBED:-2000} VIEWED=$${VIEWED:-200} \
		$(SHELL) $(srcdir)/tests/fault/faults.sh $${FAULTS:-0} start train resume plot screen sweep
.PHONY: soak
EXTRA_DIST += tests/soak/kills.sh tests/soak/workers.sh
