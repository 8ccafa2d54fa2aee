/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frozen_run.c: a small run, and its current embeddings.  Two tests use this file. */
#include "frozen_run.h"

#include "support.h"
#include "train/trainer.h"

#include <stdio.h>

enum { SIDE = 8, IMAGES = 64 };

static bl_module *mlp(int64_t in, int64_t out, bool flatten)
{
	bl_module *m = bl_nn_mlp(&(bl_mlp_config){
		.in = in, .widths = (int64_t[]){ out }, .layers = 1, .last_plain = !flatten, .flatten = flatten });
	assert_non_null(m);
	bl_module_init(m, 3);
	return m;
}

bl_trainer *frozen_run(int d, bool labelled)
{
	char views[64];
	bl_shapes_config shapes = { .n = IMAGES, .size = SIDE, .channels = 1, .seed = 5 };
	snprintf(views, sizeof views, "crop{size = %d}, flip", SIDE);
	bl_trainer_config c = { .data = bl_dataset_shapes(&shapes),
		                .first = bl_pipeline_parse(views),
		                .encoder = mlp(SIDE * SIDE, 32, true),
		                .projector = mlp(32, d, false),
		                .optim = bl_optim_default("sgd"),
		                .batch = FROZEN_BATCH,
		                .epochs = 1e5,
		                .seed = 3,
		                .loader_threads = 1 };
	c.second = c.first;
	if (labelled) {
		c.knn_every = 1e4;
		c.knn_refs = c.knn_queries = c.data;
		c.knn_k = 1;
	}
	bl_trainer *t = bl_trainer_new(&c);
	assert_non_null(t);
	bl_dataset_unref(c.data);
	bl_pipeline_unref(c.first);
	bl_module_unref(c.encoder);
	bl_module_unref(c.projector);
	return t;
}

bl_tensor *frozen_embeddings(const bl_trainer *t, int view)
{
	return bl_tensor_contiguous(t->z[view]);
}
