/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * squares.h (private): root mean squares over cells of C without its diagonal, and means of its diagonal in each cell.
 */
#ifndef BARLOW_LOSS_SQUARES_H
#define BARLOW_LOSS_SQUARES_H

#include <barlow/loss.h>

/*
 * For each row, sets cross (rows->n) to the column of the same dim, or to -1 if there is none.  0, or -1 with bl_error.
 */
int bl_squares_cross(const bl_loss_side *rows, const bl_loss_side *cols, int64_t d, int32_t *cross);

/*
 * Computes rms and diagonal as in bl_loss_cells.  square contains the sum of squares of the off-diagonal elements of
 * each cell, and diag[i] the element of C in row i, column cross[i], if cross[i] is not -1.
 */
void bl_squares_finish(const bl_loss_side *rows, const bl_loss_side *cols, const int32_t *cross, const float *diag,
                       const double *square, float *rms, float *diagonal);

#endif
