# SPDX-License-Identifier: GPL-3.0-or-later
# Readers under libFuzzer (./configure --enable-fuzzing CC=clang): `make fuzz` makes tests/fuzz/fuzz_NAME for each reader, and
# `make fuzz SECONDS=120` runs each for that time, or only those in NAMES="idx live".  The suite runs the seeds only (replay).

fuzz_sources = tests/fuzz/readers.c tests/fuzz/readers.h tests/fuzz/states.c
tests_fuzz_replay_SOURCES = tests/fuzz/replay.c $(fuzz_sources)
tests_fuzz_replay_LDADD = libface.la libcore.la $(LUA_LIBS)
EXTRA_DIST += tests/fuzz/make_seeds.lua $(sort $(wildcard $(srcdir)/tests/fuzz/seeds/*/*))

if FUZZING
EXTRA_PROGRAMS = tests/fuzz/fuzz
tests_fuzz_fuzz_SOURCES = tests/fuzz/fuzz.c $(fuzz_sources)
tests_fuzz_fuzz_LDADD = libface.la libcore.la $(LUA_LIBS)
tests_fuzz_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_names = $(notdir $(wildcard $(srcdir)/tests/fuzz/seeds/*))
fuzz: tests/fuzz/fuzz$(EXEEXT)
	@for name in $(fuzz_names); do ln -f tests/fuzz/fuzz$(EXEEXT) tests/fuzz/fuzz_$$name || exit; done
	@test -z "$(SECONDS)" || SRCDIR=$(abs_srcdir) $(SHELL) $(srcdir)/tests/fuzz/run.sh $(SECONDS) $(or $(NAMES),$(fuzz_names))
CLEANFILES += tests/fuzz/fuzz tests/fuzz/fuzz_*
else
fuzz:
	@echo "fuzz: this build has no fuzzers: ./configure --enable-fuzzing CC=clang" >&2; exit 1
endif
.PHONY: fuzz
EXTRA_DIST += tests/fuzz/run.sh
