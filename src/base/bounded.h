/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bounded.h (private): a whole number brought within bounds. */
#ifndef BARLOW_BASE_BOUNDED_H
#define BARLOW_BASE_BOUNDED_H

#include <stdint.h>

/* v, or the bound that it lies beyond; lo where hi is less. */
static inline int64_t bl_bounded(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

#endif
