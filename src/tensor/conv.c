/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv.c: the algorithms that there are, and a convolution by the one that was chosen. */
#include "tensor/conv.h"

#include "tensor/conv_gather.h"
#include "tensor/conv_onednn.h"
#include "tensor/winograd.h"

#include <barlow/error.h>

#include <config.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	"auto", "gather", "winograd",
#if HAVE_ONEDNN
	"onednn",
#endif
	NULL,
};
static const char *const directions[] = { "forward", "data-gradient", "weight-gradient", NULL };

const char *const *bl_conv_algorithms(void)
{
	return names;
}

const char *const *bl_conv_directions(void)
{
	return directions;
}

int bl_conv_algorithm_of(const char *name)
{
	char list[128] = "";
	for (int i = 0; names[i]; i++) {
		if (!strcmp(name, names[i]))
			return i;
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
	}
	const char *near = bl_nearest(name, names);
	return bl_fail("there is no convolution algorithm '%.64s' here%s%s%s: expected one of %s%s", name, near ? " (did you mean '" : "",
	               near ? near : "", near ? "'?)" : "", list,
	               strcmp(name, "onednn") ? "" : " (onednn has to be built in: configure --with-onednn)");
}

static bool always_fits(const bl_conv *g)
{
	(void)g;
	return true;
}

static const struct {
	bool (*fits)(const bl_conv *g);
	int (*forward)(const bl_conv *g, const float *x, const float *w, const float *bias, float *y);
	int (*data_gradient)(const bl_conv *g, const float *dy, const float *w, float *dx, bool add);
	int (*weight_gradient)(const bl_conv *g, const float *x, const float *dy, float *dw, bool add);
} algorithms[BL_CONV_ALGORITHMS] = {
	[BL_CONV_GATHER] = { always_fits, bl_gather_forward, bl_gather_data_gradient, bl_gather_weight_gradient },
	[BL_CONV_WINOGRAD] = { bl_winograd_fits, bl_winograd_forward, bl_winograd_data_gradient, bl_winograd_weight_gradient },
#if HAVE_ONEDNN
	[BL_CONV_ONEDNN] = { bl_onednn_fits, bl_onednn_forward, bl_onednn_data_gradient, bl_onednn_weight_gradient },
#endif
};

bool bl_conv_fits(const bl_conv *g, bl_conv_algorithm a)
{
	return algorithms[a].fits && algorithms[a].fits(g);
}

bl_conv_algorithm bl_conv_rule(const bl_conv *g)
{
	return bl_winograd_fits(g) && bl_winograd_pays(g) ? BL_CONV_WINOGRAD : BL_CONV_GATHER;
}

static bl_conv_algorithm pick(const bl_conv *g, bl_conv_direction d)
{
	bl_conv chosen = *g;
	if (g->by[d] == BL_CONV_AUTO)
		bl_conv_choose(&chosen, BL_CONV_AUTO);
	return chosen.by[d];
}

int bl_conv_forward(const bl_conv *g, const float *x, const float *w, const float *bias, float *y)
{
	return algorithms[pick(g, BL_CONV_FORWARD)].forward(g, x, w, bias, y);
}

int bl_conv_data_gradient(const bl_conv *g, const float *dy, const float *w, float *dx, bool add)
{
	return algorithms[pick(g, BL_CONV_DATA_GRADIENT)].data_gradient(g, dy, w, dx, add);
}

int bl_conv_weight_gradient(const bl_conv *g, const float *x, const float *dy, float *dw, bool add)
{
	return algorithms[pick(g, BL_CONV_WEIGHT_GRADIENT)].weight_gradient(g, x, dy, dw, add);
}
