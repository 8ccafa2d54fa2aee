/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure/gnuplot.h (private): runs gnuplot as a child process. */
#ifndef BARLOW_FIGURE_GNUPLOT_H
#define BARLOW_FIGURE_GNUPLOT_H

#include <stddef.h>

typedef struct bl_piece {
	const void *bytes;
	size_t n;
} bl_piece;

/*
 * Sends the pieces to gnuplot.  *picture becomes its output of *n bytes, which the caller frees.  0, or negative with
 * bl_error.
 */
int bl_gnuplot_run(const bl_piece *pieces, int count, void **picture, size_t *n);

#endif
