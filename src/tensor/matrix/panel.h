/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * panel.h (private): products of a row-major matrix and a panel, by the gathering kernels, which need no further
 * packing.
 *
 * A panel is a dense array (k, bl_panel_width()); columns that are not used may have any values.
 */
#ifndef BARLOW_TENSOR_MATRIX_PANEL_H
#define BARLOW_TENSOR_MATRIX_PANEL_H

#include <stdbool.h>
#include <stdint.h>

/* The number of columns of a panel.  This CPU's kernels are fastest with this width. */
int64_t bl_panel_width(void);
int64_t bl_panels(int64_t columns); /* the number of panels for that many columns */

/* c (rows,cols) = a (rows,k) panel or, with `add`, c += a panel; computed by the calling thread alone. */
typedef struct bl_panel_product {
	int64_t rows, cols, k;
	const float *a;
	int64_t lda;
	const float *panel;
	float *c;
	int64_t ldc;
	bool add;
} bl_panel_product;
void bl_panel_multiply(const bl_panel_product *p);

/* Fills panel (k,width): column i is row from + i of a (n,k), or 0 if there is no such row. */
void bl_panel_turn(const float *a, int64_t n, int64_t k, int64_t from, float *panel);

/* Fills panel (n,width): column i is column from + i of a (n,k), or 0 if there is no such column. */
void bl_panel_copy(const float *a, int64_t n, int64_t k, int64_t from, float *panel);

/* to (cols,rows) = a^T with a (rows,cols); computed by the calling thread alone. */
void bl_turn(int64_t rows, int64_t cols, const float *a, int64_t lda, float *to, int64_t ldt);

#endif
