/* SPDX-License-Identifier: GPL-3.0-or-later */
/* panel.c: products with a panel, and transposition. */
#include "tensor/matrix/panel.h"

#include "tensor/kernel/kernel.h"

#include <string.h>

static int widest(const bl_kernels *k)
{
	int v = 4;
	while (!k->heights[v])
		v--;
	return v;
}

int64_t bl_panel_width(void)
{
	const bl_kernels *k = bl_kernel();
	return (int64_t)widest(k) * k->lanes;
}

int64_t bl_panels(int64_t columns)
{
	return (columns + bl_panel_width() - 1) / bl_panel_width();
}

/*
 * The kernel reads a full tile of rows.  Missing rows are replaced by the last row, and their results are not written.
 */
static void tile(const bl_kernels *k, bl_gather_args *g, const bl_panel_product *p, int64_t row, int64_t depth)
{
	const float *a[BL_TILE_ROWS];
	float *out[BL_TILE_ROWS];
	int height = k->heights[g->vectors];
	g->rows = p->rows - row < height ? (int)(p->rows - row) : height;
	for (int i = 0; i < height; i++) {
		int64_t r = row + (i < g->rows ? i : g->rows - 1);
		a[i] = p->a + r * p->lda + depth;
		out[i] = p->c + r * p->ldc;
	}
	g->a = a;
	g->out = out;
	k->gather(g);
}

/* Processes DEPTH rows of the panel at a time, so that they stay in a core's cache. */
void bl_panel_multiply(const bl_panel_product *p)
{
	enum { DEPTH = 1024 };
	const bl_kernels *k = bl_kernel();
	int vectors = widest(k);
	for (int64_t depth = 0; depth < p->k; depth += DEPTH) {
		bl_gather_args g = { .vectors = vectors,
			             .cols = (int)p->cols,
			             .taps = 1,
			             .channels = p->k - depth < DEPTH ? p->k - depth : DEPTH,
			             .w = p->panel + depth * vectors * k->lanes,
			             .add = p->add || depth > 0 };
		for (int64_t row = 0; row < p->rows; row += k->heights[vectors])
			tile(k, &g, p, row, depth);
	}
}

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Transposes 4 x 4 floats. */
static void turn_four(const float *a, int64_t lda, float *b, int64_t ldb)
{
	four r[4], t[4];
	for (int i = 0; i < 4; i++)
		r[i] = *(const four *)(a + i * lda);
	for (int i = 0; i < 2; i++) {
		t[i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 4, 1, 5);
		t[2 + i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 2, 6, 3, 7);
	}
	for (int i = 0; i < 2; i++) {
		*(four *)(b + 2 * i * ldb) = __builtin_shufflevector(t[2 * i], t[2 * i + 1], 0, 1, 4, 5);
		*(four *)(b + (2 * i + 1) * ldb) = __builtin_shufflevector(t[2 * i], t[2 * i + 1], 2, 3, 6, 7);
	}
}

/* Processes a cache line of columns at a time, so that every line is read once. */
void bl_turn(int64_t rows, int64_t cols, const float *a, int64_t lda, float *to, int64_t ldt)
{
	enum { LINE = 16 };
	int64_t high = rows / 4 * 4, wide = cols / LINE * LINE;
	for (int64_t j = 0; j < wide; j += LINE)
		for (int64_t i = 0; i < high; i += 4)
			for (int64_t k = j; k < j + LINE; k += 4)
				turn_four(a + i * lda + k, lda, to + k * ldt + i, ldt);
	for (int64_t j = 0; j < cols; j++)
		for (int64_t i = j < wide ? high : 0; i < rows; i++)
			to[j * ldt + i] = a[i * lda + j];
}

void bl_panel_turn(const float *a, int64_t n, int64_t k, int64_t from, float *panel)
{
	int64_t width = bl_panel_width(), rows = n - from < width ? n - from : width;
	bl_turn(rows, k, a + from * k, k, panel, width);
	for (int64_t j = 0; j < k; j++)
		for (int64_t i = rows; i < width; i++)
			panel[j * width + i] = 0;
}

void bl_panel_copy(const float *a, int64_t n, int64_t k, int64_t from, float *panel)
{
	int64_t width = bl_panel_width(), cols = k - from < width ? k - from : width;
	for (int64_t i = 0; i < n; i++, panel += width) {
		memcpy(panel, a + i * k + from, (size_t)cols * sizeof *panel);
		memset(panel + cols, 0, (size_t)(width - cols) * sizeof *panel);
	}
}
