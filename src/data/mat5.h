/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mat5.h: numbers in a MATLAB file of version 5, which newer versions write as -v6 and -v7. */
#ifndef BARLOW_DATA_MAT5_H
#define BARLOW_DATA_MAT5_H

#include <stdint.h>

enum { BL_MAT5_DIMS = 8 };

/* A variable of numbers, the first index fastest.  Values are bytes where they were uint8, else doubles. */
typedef struct bl_mat5 {
	int ndim;
	int64_t shape[BL_MAT5_DIMS], count;
	uint8_t *bytes;
	double *numbers;
} bl_mat5;

/* The variable `name` of the file; negative with bl_error, which names file, byte and reason.  End it with bl_mat5_clear. */
int bl_mat5_read(const char *path, const char *name, bl_mat5 *out);
void bl_mat5_clear(bl_mat5 *m);

#endif
