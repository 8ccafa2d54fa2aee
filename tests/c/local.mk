# SPDX-License-Identifier: GPL-3.0-or-later
# C tests.  Add yours as `c_tests += tests/c/test_<topic>`: its source is tests/c/test_<topic>.c, and it needs no
# further line unless it has more files (tests_c_test_<topic>_SOURCES = ...).

c_tests =
c_tests += tests/c/test_allocations
c_tests += tests/c/test_augment
c_tests += tests/c/test_base
c_tests += tests/c/test_budget
c_tests += tests/c/test_checkpoint
c_tests += tests/c/test_choice
c_tests += tests/c/test_conv
# gcc 12 for arm64 stops with an internal error when it vectorises test_conv or test_winograd.
tests_c_test_conv_CFLAGS = $(AM_CFLAGS) -fno-tree-vectorize
c_tests += tests/c/test_dataset
c_tests += tests/c/test_decode
c_tests += tests/c/test_draws
c_tests += tests/c/test_embed
c_tests += tests/c/test_eval
c_tests += tests/c/test_field
c_tests += tests/c/test_figure
c_tests += tests/c/test_file
c_tests += tests/c/test_folder
c_tests += tests/c/test_gemm_bf16
c_tests += tests/c/test_give_up
c_tests += tests/c/test_formats
c_tests += tests/c/test_frozen
c_tests += tests/c/test_grad_ops
c_tests += tests/c/test_gradcheck
c_tests += tests/c/test_heatmap
c_tests += tests/c/test_idx
c_tests += tests/c/test_keys
c_tests += tests/c/test_index
c_tests += tests/c/test_journal
c_tests += tests/c/test_lbfgs
c_tests += tests/c/test_live
c_tests += tests/c/test_loader
c_tests += tests/c/test_loss
c_tests += tests/c/test_losses
c_tests += tests/c/test_monitor
c_tests += tests/c/test_nn
c_tests += tests/c/test_no_memory
c_tests += tests/c/test_no_memory_lua
c_tests += tests/c/test_npy
c_tests += tests/c/test_optim
c_tests += tests/c/test_pil
c_tests += tests/c/test_place
c_tests += tests/c/test_profile
c_tests += tests/c/test_reference
c_tests += tests/c/test_run_file
c_tests += tests/c/test_runs
c_tests += tests/c/test_runs_view
c_tests += tests/c/test_screens
c_tests += tests/c/test_shapes
c_tests += tests/c/test_sixel
c_tests += tests/c/test_squares
c_tests += tests/c/test_states
c_tests += tests/c/test_statistics
c_tests += tests/c/test_support
c_tests += tests/c/test_tape
c_tests += tests/c/test_tensor
c_tests += tests/c/test_torchvision
c_tests += tests/c/test_trainer
c_tests += tests/c/test_trials
c_tests += tests/c/test_view
c_tests += tests/c/test_weights
c_tests += tests/c/test_winograd
tests_c_test_winograd_CFLAGS = $(AM_CFLAGS) -fno-tree-vectorize

# Helper programs, which tests run; they are built with the tests but are no tests.  test_helpers += tests/term/<name>
test_helpers =
test_helpers += tests/term/watch_fixture tests/term/pty_talk

# Only `make bench` and `make pictures` run these programs; they are built with the tests, so that a change that breaks them is noticed.
# bench_programs += bench/<name>
bench_programs =
bench_programs += bench/augment
bench_programs += bench/files
bench_programs += bench/side
bench_programs += bench/frames
bench_programs += bench/watching

if HAVE_CMOCKA
check_PROGRAMS = $(c_tests) tests/fuzz/replay $(test_helpers) $(bench_programs)
c_suite = $(c_tests) tests/fuzz/replay
# The libraries that every test program is linked with, in addition to barlow's.
test_libs = tests/c/libsupport.la $(CMOCKA_LIBS)
EXTRA_LTLIBRARIES = tests/c/libsupport.la
CLEANFILES += tests/c/libsupport.la
else
check_PROGRAMS = tests/fuzz/replay $(test_helpers) $(bench_programs)
c_suite = tests/c/without_cmocka.sh tests/fuzz/replay
test_libs =
endif
EXTRA_DIST += tests/c/without_cmocka.sh
tests_c_libsupport_la_SOURCES = tests/c/support.c tests/c/support.h

LDADD = $(test_libs) libface.la libcore.la $(LUA_LIBS)

# A simulated run for tests of code that reads runs.
recorded_run = tests/c/recorded_run.c tests/c/recorded_run.h
golden = tests/c/golden.c tests/c/golden.h $(recorded_run)
# Functions that write image files.
pictures = tests/c/pictures.c tests/c/pictures.h
tests_c_test_frozen_SOURCES = tests/c/test_frozen.c tests/c/frozen_run.c tests/c/frozen_run.h
tests_c_test_runs_SOURCES = tests/c/test_runs.c $(recorded_run)
tests_c_test_figure_SOURCES = tests/c/test_figure.c $(recorded_run)
tests_c_test_decode_SOURCES = tests/c/test_decode.c $(pictures)
tests_c_test_folder_SOURCES = tests/c/test_folder.c $(pictures)
tests_c_test_runs_view_SOURCES = tests/c/test_runs_view.c $(golden)
tests_c_test_screens_SOURCES = tests/c/test_screens.c $(golden)
tests_c_test_view_SOURCES = tests/c/test_view.c $(golden)
tests_c_test_keys_SOURCES = tests/c/test_keys.c tests/c/frozen_run.c tests/c/frozen_run.h $(recorded_run)
tests_c_test_heatmap_SOURCES = tests/c/test_heatmap.c $(golden)
tests_c_test_no_memory_lua_SOURCES = tests/c/test_no_memory_lua.c
tests_c_test_no_memory_lua_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=aligned_alloc,--wrap=bl_block_take,--wrap=bl_scratch
EXTRA_DIST += tests/c/no_memory.lua
tests_term_watch_fixture_SOURCES = tests/term/watch_fixture.c $(recorded_run)
tests_term_pty_talk_SOURCES = tests/term/pty_talk.c
