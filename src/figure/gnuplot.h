/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figure/gnuplot.h: gnuplot as a child process: a script in, a picture out. */
#ifndef BARLOW_FIGURE_GNUPLOT_H
#define BARLOW_FIGURE_GNUPLOT_H

#include <stddef.h>

typedef struct bl_piece {
	const void *bytes;
	size_t n;
} bl_piece;

/* Feeds gnuplot the pieces; what it writes to its standard output becomes *picture (caller frees), n bytes. */
int bl_gnuplot_run(const bl_piece *pieces, int count, void **picture, size_t *n);

#endif
