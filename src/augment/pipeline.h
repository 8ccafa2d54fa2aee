/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pipeline.h: what operators that are made of pipelines ask of them. */
#ifndef BARLOW_AUGMENT_PIPELINE_H
#define BARLOW_AUGMENT_PIPELINE_H

#include "augment/float_image.h"

/* Makes what was drawn of what is on the float_image.  0, or negative with bl_error. */
int bl_pipeline_run(const bl_pipeline *p, const bl_plan *plan, float_image *c);
/* Values that a plane takes at its largest on the way, of an image of that size. */
size_t bl_pipeline_room(const bl_pipeline *p, int height, int width);
/* Are its values no longer in 0..1 in the end? */
bool bl_pipeline_leaves_unit(const bl_pipeline *p);

#endif
