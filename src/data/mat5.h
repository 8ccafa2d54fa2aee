/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mat5.h: reads numbers from a MATLAB file of version 5, which newer versions of MATLAB write with -v6 and -v7. */
#ifndef BARLOW_DATA_MAT5_H
#define BARLOW_DATA_MAT5_H

#include <stdint.h>

enum { BL_MAT5_DIMS = 8 };

/*
 * A numeric variable; its first index varies fastest.  The values are in `bytes` if they are uint8, else in `numbers`.
 */
typedef struct bl_mat5 {
	int ndim;
	int64_t shape[BL_MAT5_DIMS], count;
	uint8_t *bytes;
	double *numbers;
} bl_mat5;

/*
 * Reads the variable `name` of a file; the caller releases it with bl_mat5_clear.  Negative with bl_error, which names
 * the file and the reason.
 */
int bl_mat5_read(const char *path, const char *name, bl_mat5 *out);
void bl_mat5_clear(bl_mat5 *m);

#endif
