/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bounded.h (private): limits an integer to a range. */
#ifndef BARLOW_BASE_BOUNDED_H
#define BARLOW_BASE_BOUNDED_H

#include <stdint.h>

/* v limited to lo..hi; lo if hi is less than lo. */
static inline int64_t bl_bounded(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

#endif
