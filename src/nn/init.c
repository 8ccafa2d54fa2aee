/* SPDX-License-Identifier: GPL-3.0-or-later */
/* init.c: initial values of the parameters of layers. */
#include "nn/init.h"

#include <math.h>

/* Seed and stream determine the values; each slot of a network has its own stream. */
void bl_init_default(bl_module *m, uint64_t seed, uint32_t stream, int64_t fan_in)
{
	float bound = (float)(1 / sqrt((double)fan_in));
	for (int i = 0; i < m->slots; i++)
		bl_tensor_uniform(m->slot[i].tensor, seed, stream + (uint32_t)i, -bound, bound);
}

void bl_init_fan_out(bl_module *m, uint64_t seed, uint32_t stream, int64_t fan_out)
{
	bl_tensor_normal(m->slot[0].tensor, seed, stream, 0, (float)sqrt(2 / (double)fan_out));
	for (int i = 1; i < m->slots; i++)
		bl_tensor_fill(m->slot[i].tensor, 0);
}
