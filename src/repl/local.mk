# SPDX-License-Identifier: GPL-3.0-or-later
barlow_sources += \
	src/repl/complete.c \
	src/repl/evaluate.c \
	src/repl/history.c \
	src/repl/options.c src/repl/options.h \
	src/repl/prompt.c src/repl/prompt.h \
	src/repl/resume.c src/repl/resume.h \
	src/repl/run.c src/repl/run.h \
	src/repl/tune.c src/repl/tune.h \
	src/repl/watch.c src/repl/watch.h \
	src/repl/text_only.c
