/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline.h (private): functions of pipelines for operators that are made of pipelines. */
#ifndef BARLOW_AUGMENT_PIPELINE_H
#define BARLOW_AUGMENT_PIPELINE_H

#include "augment/float_image.h"

/* Applies all operators to c, by the plan.  0, or negative with bl_error. */
int bl_pipeline_run(const bl_pipeline *p, const bl_plan *plan, float_image *c);
/* The largest number of floats that a plane has after or within an operator, if the first image has this size. */
size_t bl_pipeline_room(const bl_pipeline *p, int height, int width);
/* Does the pipeline contain an operator after which values are not in 0..1? */
bool bl_pipeline_leaves_unit(const bl_pipeline *p);

#endif
