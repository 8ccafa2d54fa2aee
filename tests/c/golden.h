/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * golden.h: compares frames of the screen with those in tests/term/golden.
 *
 * After an intended change, run the test with UPDATE_GOLDEN=1 and review the
 * difference in git.  `cat` shows coloured frames on a terminal.
 */
#ifndef BARLOW_TESTS_C_GOLDEN_H
#define BARLOW_TESTS_C_GOLDEN_H

#include "support.h"

#include "view/canvas.h"

/* Ends the test if the content of tests/term/golden/<name>.txt differs from the text. */
void golden_compare(const char *name, const char *text);
/* Compares the canvas as text; if it has colours, the text contains the escape sequences of a terminal with 256 colours. */
void golden_compare_canvas(const char *name, const bl_canvas *c);

#endif
