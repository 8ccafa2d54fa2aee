# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/grad/batchnorm.c \
	src/grad/compare.c \
	src/grad/conv2d.c \
	src/grad/cross_entropy.c \
	src/grad/dims.c \
	src/grad/dims.h \
	src/grad/elementwise.c \
	src/grad/gradcheck.c \
	src/grad/linalg.c \
	src/grad/along_dim.c \
	src/grad/matmul.c \
	src/grad/node.c \
	src/grad/node.h \
	src/grad/pool.c \
	src/grad/rearrange.c \
	src/grad/reduce.c \
	src/grad/shape.c \
	src/grad/sums.c

# The list of the operations that the files define.  The list is rewritten only if it changes, so that nothing is recompiled
# without need.
op_files = $(filter src/grad/%.c src/loss/%.c, $(libbarlow_sources))
BUILT_SOURCES = src/grad/ops.def
src/grad/ops.def: src/grad/ops.sh $(op_files)
	@$(MKDIR_P) src/grad && sh $(srcdir)/src/grad/ops.sh $(addprefix $(srcdir)/, $(op_files)) >$@.tmp
	@if cmp -s $@.tmp $@; then rm $@.tmp; else mv $@.tmp $@; fi
$(libcore_la_OBJECTS): | src/grad/ops.def
CLEANFILES += src/grad/ops.def
EXTRA_DIST += src/grad/ops.sh
