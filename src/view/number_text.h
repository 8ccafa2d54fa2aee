/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/number_text.h: formatting of numbers: never "-0", and within the available columns. */
#ifndef BARLOW_VIEW_NUMBER_TEXT_H
#define BARLOW_VIEW_NUMBER_TEXT_H

/* For "%.<digits>f": a value that rounds to 0 loses its sign. */
double bl_shown(double v, int digits);

/* v with `digits` digits as by "%g", but with exponents without zeros ("1e-5"), or with fewer digits if it must fit. */
enum { BL_NUMBER_TEXT = 32 };
void bl_shown_number(char out[BL_NUMBER_TEXT], double v, int digits, int columns);

#endif
