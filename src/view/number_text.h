/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/number_text.h: numbers as they are shown: never "-0", and in as many columns as there are. */
#ifndef BARLOW_VIEW_NUMBER_TEXT_H
#define BARLOW_VIEW_NUMBER_TEXT_H

/* For "%.<digits>f": what rounds to 0 there has no sign. */
double bl_shown(double v, int digits);

/* v with `digits` digits, as "%g" has it but for exponents without zeros ("1e-5"); with fewer where it must fit. */
enum { BL_NUMBER_TEXT = 32 };
void bl_shown_number(char out[BL_NUMBER_TEXT], double v, int digits, int columns);

#endif
