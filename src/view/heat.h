/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/heat.h: matrices with values in [-1, 1] as coloured dots.
 *
 * With colours and half blocks, a cell shows two dots, one above the other, so
 * that a dot is about square.  Without colours or half blocks, a cell is one dot,
 * twice as high as wide, so that a square matrix has half as many rows.
 */
#ifndef BARLOW_VIEW_HEAT_H
#define BARLOW_VIEW_HEAT_H

#include "view/canvas.h"

#include <barlow/figure.h>

/* Row k of the cells covers the dimensions from row_edge[k] to row_edge[k + 1] - 1; columns likewise. */
typedef struct bl_heat_source {
	const float *mean, *extreme;        /* (cells, cells), row-major */
	const float *rms, *diagonal;        /* root mean square off the diagonal, mean on it; NULL: not known */
	int cells, d;                       /* numbers of cells and of dimensions on a side */
	const int32_t *row_edge, *col_edge; /* cells + 1 of each, from 0 to d; NULL: d is divided as by bl_chunk_range */
	int shift;                          /* row r and column r + shift meet on the diagonal */
	int n;                              /* the batch size, from which the level of chance follows; 0: not used */
	bool change;                        /* all values are differences of two matrices, also rms */
} bl_heat_source;

/* How a block is pooled: its root mean square off the diagonal, or the mean on it; its mean; its largest element. */
typedef enum bl_pool { BL_POOL_RMS, BL_POOL_MEAN, BL_POOL_LARGEST, BL_POOLS } bl_pool;

typedef struct bl_heat_style {
	bl_pool pool;
	bool symlog; /* small values get more of the colour scale */
} bl_heat_style;

/* The pooling that is possible: the largest element if there is no rms. */
bl_pool bl_heat_pool(const bl_heat_source *m, bl_heat_style s);

/* The size of the picture and of its dots; dims are means if the sizes of blocks differ by one. */
typedef struct bl_heat_fit {
	int w, h; /* in cells of the canvas */
	int dots_x, dots_y;
	double dims_x, dims_y; /* dimensions of C per dot */
} bl_heat_fit;

/*
 * A block of the matrix that is shown with one value: a dot, or a cell that covers many dots.  Index 0: rows, 1:
 * columns.
 */
typedef struct bl_heat_block {
	int at[2];          /* its index among the visible blocks */
	int from[2], to[2]; /* its dimensions */
	float mean, extreme;
	float rms, diagonal; /* NaN: not known, or the block has no element off (rms) or on (diagonal) the diagonal */
} bl_heat_block;

/* The value of a cell that determines its colour. */
double bl_heat_cell(const bl_heat_source *m, int row, int col, bl_pool pool);

/* The largest picture that fits into w x h cells. */
bl_heat_fit bl_heat_measure(bl_ability can, int w, int h, const bl_heat_source *m);
/* Draws the matrix with its top left corner at (x,y). */
void bl_heat_draw(bl_canvas *c, int x, int y, bl_heat_fit fit, const bl_heat_source *m, bl_heat_style s);

int bl_heat_blocks(bl_heat_fit fit, const bl_heat_source *m, int axis); /* number of visible blocks; axis 0: vertically */
/* The block with this index, the block that contains two dimensions, and the block that is drawn in a cell of the canvas. */
bl_heat_block bl_heat_block_at(bl_heat_fit fit, const bl_heat_source *m, int row, int col);
bl_heat_block bl_heat_block_of_dims(bl_heat_fit fit, const bl_heat_source *m, int row, int col);
bl_heat_block bl_heat_block_under(bl_heat_fit fit, const bl_heat_source *m, int x, int y);
/* Draws the cursor on block b of the picture that was drawn at (x,y). */
void bl_heat_mark(bl_canvas *c, int x, int y, bl_heat_fit fit, const bl_heat_source *m, const bl_heat_block *b);

/* The colour scale; for root mean squares the background is the level of chance for the number of elements in a dot. */
bl_scale bl_heat_scale_of(bl_heat_fit fit, const bl_heat_source *m, bl_heat_style s);

/* Draws values as bars, w columns in all: heights from 0 to 1, colours from the map; a value below 0 has no bar. */
void bl_heat_strip(bl_canvas *c, int x, int y, int w, const float *values, int n, bl_scale s);

/* The colour scale from -1 to +1, w columns wide. */
void bl_heat_scale(bl_canvas *c, int x, int y, int w);
/*
 * The meaning of the scale's middle in at most `room` columns: "black: |C| < 0.067 (chance)", where black is the middle of
 * the scale and stands for the level of chance.
 */
enum { BL_HEAT_SCALE_TEXT = 64 };
void bl_heat_scale_caption(char out[BL_HEAT_SCALE_TEXT], int room, bl_ability can, bl_scale s);

/*
 * How much of the matrix the cells were computed from: the share of the elements for the largest ones, the share of the
 * pairs for the rms (each 1 without sampling), and the relative error of the rms.
 */
typedef struct bl_heat_sample {
	double largest, rms, error;
} bl_heat_sample;

/*
 * "C  D 512: 1 dot = 8 x 8 dims, mean", shortened to w columns: the matrix, in a long and a brief form, and the size of a
 * dot.  If the elements were sampled, the text says so.
 */
void bl_heat_caption(char *out, int size, int w, const char *what, const char *brief, bl_heat_fit fit, bl_pool pool,
                     bl_heat_sample sample);

#endif
