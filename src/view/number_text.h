/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/number_text.h: formatting of numbers: never "-0", and within the available columns. */
#ifndef BARLOW_VIEW_NUMBER_TEXT_H
#define BARLOW_VIEW_NUMBER_TEXT_H

/* The value to print with "%.<digits>f": v, or 0 if v would round to 0, since "-0.00" must not appear. */
double bl_shown(double v, int digits);

/* v as by "%g", but without leading zeros in exponents ("1e-5"); `digits` digits, or fewer so that it fits into `columns`. */
enum { BL_NUMBER_TEXT = 32 };
void bl_shown_number(char out[BL_NUMBER_TEXT], double v, int digits, int columns);

#endif
