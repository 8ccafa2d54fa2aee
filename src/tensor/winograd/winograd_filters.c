/* SPDX-License-Identifier: GPL-3.0-or-later */
/* winograd_filters.c: transforms filters to Winograd's 36 points. */
#include "tensor/winograd/winograd_filters.h"

enum { CHANNELS = 16, TAPS = 9, LANES_MOST = 16, CACHED_FLOATS = 1 << 20 };

/* Reads the taps of CHANNELS channels of `lanes` columns, in memory order, into g [channel][tap][lane]. */
static void take_taps(const bl_winograd_filters *f, int64_t column, int64_t c, float *g)
{
	int lanes = f->k->lanes;
	for (int l = 0; l < lanes; l++)
		for (int64_t i = 0; i < CHANNELS; i++) {
			const float *w = f->w + (column + l) * f->column + (c + i) * f->channel;
			for (int t = 0; t < TAPS; t++)
				g[(TAPS * i + t) * lanes + l] = w[f->turned ? TAPS - 1 - t : t];
		}
}

void bl_winograd_filter_columns(const bl_winograd_filters *f, int64_t column, float *u, int64_t width, int64_t pitch)
{
	float g[CHANNELS * TAPS * LANES_MOST];
	for (int64_t c = 0; c < f->channels; c += CHANNELS) {
		take_taps(f, column, c, g);
		for (int64_t i = 0; i < CHANNELS; i++)
			f->k->winograd_filter(g + TAPS * i * f->k->lanes, u + (c + i) * width, pitch);
	}
}

bool bl_winograd_by_columns(int64_t channels, int64_t columns)
{
	return BL_WINOGRAD_POINTS * channels * columns > CACHED_FLOATS;
}

int64_t bl_winograd_width(const bl_kernels *k)
{
	return 2 * k->lanes;
}
