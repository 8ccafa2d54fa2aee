# SPDX-License-Identifier: GPL-3.0-or-later
# The shim that makes calls of the C library fail (tests/fault/shim.c): a library that is loaded by LD_PRELOAD.

tests/fault/shim.so: tests/fault/shim.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 -O2 $(WARN_CFLAGS) -shared -fPIC -o $@ $(srcdir)/tests/fault/shim.c
check_DATA = tests/fault/shim.so
CLEANFILES += tests/fault/shim.so
EXTRA_DIST += tests/fault/shim.c tests/fault/faults.sh
