/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * number.h: numbers as text, with a decimal point in every locale.
 *
 * printf and strtod depend on the process's locale, which a script or another library may set.  Text that is read back
 * later (recipes, checkpoints, tables, recorded messages) is written by these functions instead.
 */
#ifndef BARLOW_NUMBER_H
#define BARLOW_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { BL_NUMBER_TEXT = 32 }; /* bytes, enough for every number */

/*
 * Writes a short decimal that reads back as the same double or, if `single`, as the same float: "1.5", "100", "1e-05",
 * "-0"; or "inf", "-inf", "nan".  Returns buf.
 */
char *bl_number_text(double v, bool single, char *buf, size_t size);
/*
 * Reads a text that is one number as strtod reads it in the C locale, which includes all that bl_number_text writes.  False,
 * with *out unchanged: there is no number, or other text after it.
 */
bool bl_number_read(const char *text, double *out);

/*
 * Between these two calls, printf and strtod of the calling thread use a decimal point:
 *
 *     bl_point *before = bl_number_point();
 *     fprintf(f, "%.9g\n", v);
 *     bl_number_unpoint(before);
 */
typedef struct bl_point bl_point;
bl_point *bl_number_point(void);
void bl_number_unpoint(bl_point *before);

#endif
