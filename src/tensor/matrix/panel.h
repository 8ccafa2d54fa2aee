/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * panel.h (private): products of a row-major matrix and one panel, by the gathering kernels: nothing is packed again.
 *
 * A panel is (k, bl_panel_width()), dense; columns that are not used may hold anything.
 */
#ifndef BARLOW_TENSOR_MATRIX_PANEL_H
#define BARLOW_TENSOR_MATRIX_PANEL_H

#include <stdbool.h>
#include <stdint.h>

/* Columns of a panel: what this CPU's kernels are fastest with. */
int64_t bl_panel_width(void);
int64_t bl_panels(int64_t columns); /* that many columns make */

/* c (rows,cols) = a (rows,k) panel, or += ; in the calling thread alone. */
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

/* Panel (k,width) = a^T with columns from.. being rows from.. of a (n,k); 0 beyond row n. */
void bl_panel_turn(const float *a, int64_t n, int64_t k, int64_t from, float *panel);

/* Panel (n,width) = columns from.. of a (n,k); 0 beyond column k. */
void bl_panel_copy(const float *a, int64_t n, int64_t k, int64_t from, float *panel);

/* to (cols,rows) = a^T, a (rows,cols); in the calling thread alone. */
void bl_turn(int64_t rows, int64_t cols, const float *a, int64_t lda, float *to, int64_t ldt);

#endif
