/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * number.h: numbers as text, with a point whatever the locale says.
 *
 * printf and strtod go by the process's locale, which a script or another library may set.  Whatever is written to be
 * read back (recipes, checkpoints, tables, messages that are recorded) goes through here instead.
 */
#ifndef BARLOW_NUMBER_H
#define BARLOW_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { BL_NUMBER_TEXT = 32 }; /* bytes that always suffice */

/*
 * A short decimal that reads back as the same double (or, if `single`, float): "1.5", "100", "1e-05", "-0"; else "inf",
 * "-inf", "nan".  Returns buf.
 */
char *bl_number_text(double v, bool single, char *buf, size_t size);
/* The number that all of text is; false (and *out unchanged) where it is none.  Takes all that bl_number_text writes. */
bool bl_number_read(const char *text, double *out);

/*
 * Between the two, printf and strtod of the calling thread use a point:
 *
 *     bl_point *before = bl_number_point();
 *     fprintf(f, "%.9g\n", v);
 *     bl_number_unpoint(before);
 */
typedef struct bl_point bl_point;
bl_point *bl_number_point(void);
void bl_number_unpoint(bl_point *before);

#endif
