/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * golden.h: frames of the screen against those kept in tests/term/golden.
 *
 * After a change that is meant, run the test with UPDATE_GOLDEN=1 and look at
 * what git shows.  Coloured ones are shown by `cat` on a terminal.
 */
#ifndef BARLOW_TESTS_C_GOLDEN_H
#define BARLOW_TESTS_C_GOLDEN_H

#include "support.h"

#include "view/canvas.h"

/* Ends the test where tests/term/golden/<name>.txt holds another text. */
void golden_compare(const char *name, const char *text);
/* As text; on a canvas with colours with those of 256 that a terminal would be sent. */
void golden_compare_canvas(const char *name, const bl_canvas *c);

#endif
