# SPDX-License-Identifier: GPL-3.0-or-later
# The suite.  `make check T="tests/c/test_random tests/floors.sh"` runs a part of it.

test_scripts = $(sort $(wildcard $(addprefix $(srcdir)/, tests/*.sh tests/lua/test_*.lua tests/term/test_*.sh)))
T = $(c_suite) $(patsubst $(srcdir)/%,%,$(test_scripts))
check-local:
	@SRCDIR=$(abs_srcdir) BUILDDIR=$(abs_builddir) BARLOW=$(abs_builddir)/barlow \
		SANITIZERS=$(sanitizers) \
		SUMMARY=tests/summary $(SHELL) $(srcdir)/tests/run $(T)

CLEANFILES += tests/summary
EXTRA_DIST += tests/run $(test_scripts) $(sort $(filter-out %/__pycache__, \
	$(wildcard $(addprefix $(srcdir)/, tests/lua/* tests/term/* tests/reference/*))))
