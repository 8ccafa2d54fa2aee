# SPDX-License-Identifier: GPL-3.0-or-later
# C tests.  Add yours as `c_tests += tests/c/test_<topic>`: its source is tests/c/test_<topic>.c, and it needs no
# further line unless it has more files (tests_c_test_<topic>_SOURCES = ...).

c_tests =
c_tests += tests/c/test_support
c_tests += tests/c/test_conv
c_tests += tests/c/test_embed
c_tests += tests/c/test_live
c_tests += tests/c/test_npy
c_tests += tests/c/test_weights

if HAVE_CMOCKA
check_PROGRAMS = $(c_tests)
EXTRA_LTLIBRARIES = tests/c/libsupport.la
CLEANFILES += tests/c/libsupport.la
endif
tests_c_libsupport_la_SOURCES = tests/c/support.c tests/c/support.h
# What every test program is linked with.
LDADD = tests/c/libsupport.la libface.la libcore.la $(LUA_LIBS) $(CMOCKA_LIBS)
