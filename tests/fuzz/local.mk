# SPDX-License-Identifier: GPL-3.0-or-later
# Readers under libFuzzer (./configure --enable-fuzzing, clang): `make fuzz` makes tests/fuzz/fuzz_NAME for each reader, which
# is run as `tests/fuzz/fuzz_idx -max_total_time=120 FOLDER tests/fuzz/seeds/idx`.  The suite runs the seeds alone (replay).

fuzz_sources = tests/fuzz/readers.c tests/fuzz/readers.h
tests_fuzz_replay_SOURCES = tests/fuzz/replay.c $(fuzz_sources)
tests_fuzz_replay_LDADD = libcore.la
EXTRA_DIST += $(sort $(wildcard $(srcdir)/tests/fuzz/seeds/*/*))

if FUZZING
EXTRA_PROGRAMS = tests/fuzz/fuzz
tests_fuzz_fuzz_SOURCES = tests/fuzz/fuzz.c $(fuzz_sources)
tests_fuzz_fuzz_LDADD = libcore.la
tests_fuzz_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_names = $(notdir $(wildcard $(srcdir)/tests/fuzz/seeds/*))
fuzz: tests/fuzz/fuzz$(EXEEXT)
	@for name in $(fuzz_names); do ln -f tests/fuzz/fuzz$(EXEEXT) tests/fuzz/fuzz_$$name || exit; done
CLEANFILES += tests/fuzz/fuzz tests/fuzz/fuzz_*
endif
