/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_algorithms.c: the table of convolution algorithms, with their names. */
#include "tensor/conv/conv.h"

#include "tensor/conv/conv_gather.h"
#include "tensor/conv/conv_onednn.h"
#include "tensor/winograd/winograd.h"

#include <barlow/error.h>

#include <config.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	"auto",   "gather", "winograd",
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
	return bl_fail("there is no convolution algorithm '%.64s' here%s%s%s: expected one of %s%s", name,
	               near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "", list,
	               strcmp(name, "onednn") ? "" : " (onednn has to be built in: configure --with-onednn)");
}

static bool always_fits(const bl_conv *g)
{
	(void)g;
	return true;
}

const bl_conv_ops bl_conv_ops_of[BL_CONV_ALGORITHMS] = {
	[BL_CONV_GATHER] = { always_fits, bl_gather_forward, bl_gather_data_gradient, bl_gather_weight_gradient },
	[BL_CONV_WINOGRAD] = { bl_winograd_fits, bl_winograd_forward, bl_winograd_data_gradient, bl_winograd_weight_gradient },
#if HAVE_ONEDNN
	[BL_CONV_ONEDNN] = { bl_onednn_fits, bl_onednn_forward, bl_onednn_data_gradient, bl_onednn_weight_gradient },
#endif
};

bool bl_conv_fits(const bl_conv *g, bl_conv_algorithm a)
{
	return bl_conv_ops_of[a].fits && bl_conv_ops_of[a].fits(g);
}

bl_conv_algorithm bl_conv_rule(const bl_conv *g)
{
	return bl_winograd_fits(g) && bl_winograd_pays(g) ? BL_CONV_WINOGRAD : BL_CONV_GATHER;
}
