/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view/matrix_picture.h: a square part of a matrix of the run, as cells, with its own coordinates.
 *
 * It comes from a snapshot: from the region that the run computed on request, or,
 * if the snapshot has no such region, from the cells of all of C, which are coarser.
 * So a picture may show another part than was requested; its members describe what it shows.
 */
#ifndef BARLOW_VIEW_MATRIX_PICTURE_H
#define BARLOW_VIEW_MATRIX_PICTURE_H

#include "view/heat.h"

#include <barlow/live.h>

/* The transformation of the matrix: none, minus the identity, magnitudes. */
typedef enum bl_shape { BL_SHAPE_PLAIN, BL_SHAPE_MINUS_I, BL_SHAPE_MAGNITUDE } bl_shape;

typedef struct bl_picture {
	int64_t step; /* -1: there is no picture */
	bl_region part;
	int d;                            /* size of the whole matrix */
	int cells;                        /* on a side */
	bl_heat_sample sample;            /* the share of the elements from which the cells were computed */
	bool has_rms, change;             /* the run computed root mean squares; the cells are differences */
	int n;                            /* batch size */
	bool of_embeddings;               /* the matrix is C of the embeddings, since the loss uses no matrix */
	int32_t edge[2][BL_GRID_MAX + 1]; /* of rows, of columns: the index within the part at which each cell begins */
	int32_t dim[2][BL_GRID_MAX];      /* the first dim of each cell */
	float mean[BL_GRID_MAX * BL_GRID_MAX], extreme[BL_GRID_MAX * BL_GRID_MAX];
	float rms[BL_GRID_MAX * BL_GRID_MAX];      /* of the elements off the diagonal */
	float diagonal[BL_GRID_MAX * BL_GRID_MAX]; /* the mean of the elements on the diagonal; NaN: there are none */
} bl_picture;

/* `want`, a square, clamped to d dimensions; rows = 0: the whole matrix. */
bl_region bl_picture_clamp(const bl_region *want, int d);

/* Reads the part of the snapshot nearest to the (clamped) request.  Returns false, with step -1, if there is none. */
bool bl_picture_take(bl_picture *p, const bl_snapshot *s, const bl_region *want);
/* Reads only from the cells of all of C, which every snapshot has. */
void bl_picture_crop(bl_picture *p, const bl_snapshot *s, const bl_region *want);

bool bl_picture_is(const bl_picture *p, const bl_region *want); /* does it show exactly the (clamped) request? */

/*
 * Transforms the picture p of the snapshot s.  Magnitudes are those of the cells' values: |mean|, |largest|.  The rms off
 * the diagonal is the same for all shapes.  For C - I, the largest value of a cell on the diagonal is taken over C_ii - 1
 * only, for the dimensions whose C_ii the snapshot contains.
 */
void bl_picture_shape(bl_picture *p, const bl_snapshot *s, bl_shape shape);

bool bl_picture_same(const bl_picture *p, const bl_picture *q); /* do they show the same cells, of the same dims? */
/* Subtracts q from p, cell by cell.  False: they do not show the same cells, and p is unchanged. */
bool bl_picture_subtract(bl_picture *p, const bl_picture *q);

bl_heat_source bl_picture_source(const bl_picture *p);

#endif
