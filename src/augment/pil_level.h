/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pil_level.h (private): converts values in 0..1 to levels of 8 bits, and back. */
#ifndef BARLOW_AUGMENT_PIL_LEVEL_H
#define BARLOW_AUGMENT_PIL_LEVEL_H

#include "augment/float_image.h"

INLINE int bl_pil_level(float x)
{
	return x <= 0 ? 0 : x >= 1 ? 255 : (int)(x * 255 + .5f);
}

INLINE float bl_pil_value(int level)
{
	return (float)level * (1.0f / 255);
}

#endif
