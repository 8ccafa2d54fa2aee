# SPDX-License-Identifier: GPL-3.0-or-later
# tests/fault/shim.c makes calls of the C library fail; it is built as a library that LD_PRELOAD loads.

tests/fault/shim.so: tests/fault/shim.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 -O2 $(LUA_CFLAGS) $(WARN_CFLAGS) -shared -fPIC -o $@ $(srcdir)/tests/fault/shim.c
check_DATA = tests/fault/shim.so
CLEANFILES += tests/fault/shim.so
EXTRA_DIST += tests/fault/shim.c tests/fault/faults.sh
