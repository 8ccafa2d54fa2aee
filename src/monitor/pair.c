/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pair.c: the views of one image, and the random numbers that their pipelines drew.
 *
 * A view is a function of (seed, epoch, row, view), so that it can be made again after its batch has been freed.
 */
#include "data/dataset.h"
#include "monitor/snapshot.h"

#include <barlow/error.h>
#include <barlow/memory.h>
#include <math.h>
#include <stdio.h>

/* --- Drawing -------------------------------------------------------------------------- */

/* One image (C,H,W) with any strides. */
struct image {
	const float *at;
	int64_t channels, height, width, sc, sh, sw;
};

static float pixel(const struct image *v, int64_t c, int64_t y, int64_t x)
{
	return v->at[c * v->sc + y * v->sh + x * v->sw];
}

static void range_of(const struct image *v, float *lo, float *hi)
{
	*lo = INFINITY;
	*hi = -INFINITY;
	for (int64_t c = 0; c < v->channels; c++)
		for (int64_t y = 0; y < v->height; y++)
			for (int64_t x = 0; x < v->width; x++) {
				*lo = fminf(*lo, pixel(v, c, y, x));
				*hi = fmaxf(*hi, pixel(v, c, y, x));
			}
}

/* All views are drawn with the side of the largest one, at most BL_VIEW_MAX. */
static void make_room(bl_snapshot *s, int64_t height, int64_t width)
{
	int64_t longer = height > width ? height : width, most = longer < BL_VIEW_MAX ? longer : BL_VIEW_MAX;
	s->view_side = most > s->view_side ? (int32_t)most : s->view_side;
}

/* 0 to 255; NaN is black, as are all pixels of an image that has infinite ones. */
static uint8_t level(float x)
{
	return x >= 0 ? (uint8_t)(x + .5f) : 0;
}

/*
 * Draws a view.  The range from its darkest to its brightest value becomes 0..255, because normalised views have no
 * fixed range.
 */
static void draw(const struct image *v, int which, bl_snapshot *s)
{
	int side = s->view_side;
	s->view_channels = v->channels < 3 ? 1 : 3;
	s->image_channels = (int32_t)v->channels;
	s->view_count = which + 1 > s->view_count ? which + 1 : s->view_count;
	uint8_t *out = s->views[which];
	float lo, hi;
	range_of(v, &lo, &hi);
	float scale = hi > lo ? 255 / (hi - lo) : 0;
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++)
			for (int c = 0; c < s->view_channels; c++)
				*out++ = level(scale * (pixel(v, c, y * v->height / side, x * v->width / side) - lo));
}

static void draw_from_batch(const bl_tensor *v, int64_t i, int which, bl_snapshot *s)
{
	struct image image = { bl_tensor_data(v) + i * bl_tensor_stride(v, 0),
		               bl_tensor_size(v, 1),
		               bl_tensor_size(v, 2),
		               bl_tensor_size(v, 3),
		               bl_tensor_stride(v, 1),
		               bl_tensor_stride(v, 2),
		               bl_tensor_stride(v, 3) };
	draw(&image, which, s);
}

/* --- Drawing again ----------------------------------------------------------------------- */

/* Returns the key of the view that the network received, or of a new draw that a viewer requests. */
static bl_view_key key_of(const bl_monitor_input *l, const bl_source *source, int64_t row, int which)
{
	int32_t redraw = l->asked ? l->asked->redraw : 0;
	bl_view_key key = {
		.seed = source->seed, .sample = (uint32_t)row, .step = l->step - 1, .label = 1 + bl_dataset_label(source->data, row)
	};
	key.epoch = redraw > 0 ? 2 * (uint32_t)redraw + (uint32_t)which : (uint32_t)((l->step - 1) / source->steps_per_epoch);
	key.view = redraw > 0 ? BL_STREAM_USER : (uint32_t)which;
	return key;
}

static int draw_again(const bl_pipeline *p, const bl_plan *plan, const bl_image *in, int which, bl_snapshot *s)
{
	int h, w, c = in->channels;
	bl_pipeline_output(p, in->height, in->width, &h, &w);
	float *out = bl_block_take((size_t)h * (size_t)w * (size_t)c * sizeof *out);
	int rc = out ? bl_pipeline_apply(p, plan, in, out) : -1;
	if (rc == 0)
		draw(&(struct image){ out, c, h, w, 1, (int64_t)w * c, c }, which, s);
	bl_block_give(out);
	return rc;
}

/* --- The image ------------------------------------------------------------------------------ */

/* Returns the index of the shown image in the batch.  Viewers request an image relative to the first one. */
static int64_t place(const bl_monitor_input *l, int64_t n)
{
	int64_t i = l->asked ? l->asked->view % n : 0;
	return i < 0 ? i + n : i;
}

static bool in_batch(const bl_monitor_input *l)
{
	return l->view[0] && l->view[1] && bl_tensor_ndim(l->view[0]) == 4 && bl_tensor_ndim(l->view[1]) == 4;
}

static int views_of(const bl_source *source)
{
	return source->views ? source->views : 2;
}

/* Writes "28 x 28, " if views have different sizes, and returns the length of the text. */
static int add_size(const int size[][2], int n, int which, char out[BL_DRAW_TEXT])
{
	bool same = true;
	for (int v = 1; v < n; v++)
		same = same && size[v][0] == size[0][0] && size[v][1] == size[0][1];
	return same ? 0 : snprintf(out, BL_DRAW_TEXT, "%d x %d, ", size[which][0], size[which][1]);
}

/*
 * Describes the random numbers that were drawn, for which only the image's size is needed.  If the batch does not
 * contain the views, or a viewer requests a new draw, reads the image and makes the views.
 */
static int draw_views(const bl_monitor_input *l, const bl_source *source, bl_pipeline *const *pipeline, bl_snapshot *s,
                      bl_opened *o)
{
	bl_plan plan[BL_VIEWS_MOST];
	bl_image in;
	int n = views_of(source), size[BL_VIEWS_MOST][2];
	for (int which = 0; which < n; which++)
		bl_pipeline_output(pipeline[which], o->height, o->width, &size[which][0], &size[which][1]);
	for (int which = 0; which < n; which++) {
		bl_view_key key = key_of(l, source, s->view_row, which);
		bl_pipeline_plan(pipeline[which], &key, o->height, o->width, o->channels, &plan[which]);
		int at = add_size(size, n, which, s->view_draws[which]);
		bl_pipeline_describe(pipeline[which], &plan[which], s->view_draws[which] + at, BL_DRAW_TEXT - at);
	}
	if (in_batch(l) && !(l->asked && l->asked->redraw > 0))
		return 0;
	bl_window needed = bl_plans_window(plan, n);
	if (bl_dataset_read(o, &needed, &in) < 0)
		return -1;
	s->view_side = 0;
	for (int which = 0; which < n; which++)
		make_room(s, size[which][0], size[which][1]);
	for (int which = 0; which < n; which++)
		if (draw_again(pipeline[which], &plan[which], &in, which, s) != 0)
			return -1;
	return 0;
}

/* Draws with the pipelines of the epoch, in which ramps are replaced by their values (bl_pipeline_at). */
static int draw_opened(const bl_monitor_input *l, const bl_source *source, bl_snapshot *s, bl_opened *o)
{
	int64_t epoch = (l->step - 1) / source->steps_per_epoch;
	bl_pipeline *now[BL_VIEWS_MOST];
	int n = 0;
	while (n < views_of(source) && (now[n] = bl_pipeline_at(source->pipeline[n], epoch)))
		n++;
	int rc = n == views_of(source) ? draw_views(l, source, now, s, o) : -1;
	while (n > 0)
		bl_pipeline_unref(now[--n]);
	return rc;
}

int bl_pair_draw(const bl_monitor_input *l, const bl_source *source, bl_snapshot *s)
{
	int64_t i = place(l, s->n);
	s->view_count = s->view_side = s->view_channels = s->image_channels = 0;
	s->view_label = -1;
	s->view_class[0] = '\0';
	s->view_row = l->rows ? l->rows[i] : -1;
	for (int which = 0; which < BL_VIEWS_MOST; which++)
		s->view_draws[which][0] = '\0';
	for (int which = 0; which < BL_VIEWS_MOST && in_batch(l) && l->view[which]; which++)
		make_room(s, bl_tensor_size(l->view[which], 2), bl_tensor_size(l->view[which], 3));
	for (int which = 0; which < BL_VIEWS_MOST && in_batch(l) && l->view[which]; which++)
		draw_from_batch(l->view[which], i, which, s);
	if (!source || !l->rows)
		return 0;
	bl_opened o;
	s->view_label = bl_dataset_label(source->data, s->view_row);
	if (s->view_label >= 0)
		bl_dataset_class_text(source->data, s->view_label, s->view_class, BL_CLASS_TEXT);
	if (bl_dataset_open(source->data, s->view_row, &o) < 0)
		return -1;
	int rc = draw_opened(l, source, s, &o);
	bl_dataset_close(&o);
	return rc;
}
