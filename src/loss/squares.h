/* SPDX-License-Identifier: GPL-3.0-or-later */
/* squares.h (private): sums of squares over cells of C, and the elements of its diagonal in them. */
#ifndef BARLOW_LOSS_SQUARES_H
#define BARLOW_LOSS_SQUARES_H

#include <barlow/loss.h>

/* cross (rows->n): of each row the column that is the same dim, or -1.  -1 with bl_error. */
int bl_squares_cross(const bl_loss_side *rows, const bl_loss_side *cols, int64_t d, int32_t *cross);

/*
 * From the sums of squares of the elements off the diagonal and from `diag`, C's element in each row that has one, to
 * what bl_loss_cells says of rms and diagonal.
 */
void bl_squares_finish(const bl_loss_side *rows, const bl_loss_side *cols, const int32_t *cross, const float *diag,
                       const double *square, float *rms, float *diagonal);

#endif
