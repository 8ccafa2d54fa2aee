/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack.c: packs a snapshot into named parts.  The length of a part depends on the run's width and on what was
 * requested.
 *
 *     magic, length, check, step | name, bytes, data | name, bytes, data ...
 *
 * Unknown parts are skipped, and missing parts become zeros.  To add a field of bl_snapshot, add a row to the table
 * below.  Fields of fixed size come first, because they determine the lengths of the others.
 */
#include "live/livefile.h"

#include <stdlib.h>
#include <string.h>

enum { PART_NAME = 16 };

struct part_head {
	char name[PART_NAME];
	uint64_t bytes;
};
struct blob_head {
	uint64_t magic, length, check; /* length: bytes after `step`; check: checksum of length, step and these bytes */
	int64_t step;
};
_Static_assert(sizeof(struct blob_head) == LIVE_PACK_HEAD, "its head is read alone for the step");

typedef struct part {
	const char *name;
	size_t at, most;                        /* offset and size in bl_snapshot */
	int64_t (*bytes)(const bl_snapshot *s); /* NULL: always `most` */
	bool kept;                              /* also in older snapshots */
} part;

/* --- Lengths ----------------------------------------------------------------------- */

/* clang-format off */
static int64_t cells(const bl_snapshot *s) { return (int64_t)s->grid * s->grid * 4; }
static int64_t rms(const bl_snapshot *s) { return s->rms_share > 0 ? cells(s) : 0; }
static int64_t side(const bl_snapshot *s) { return s->rms_share > 0 ? (int64_t)s->grid * 4 : 0; }
static int64_t diag(const bl_snapshot *s) { return (int64_t)s->diag * 4; }
static int64_t pairs(const bl_snapshot *s) { return (int64_t)s->pairs * (int64_t)sizeof(bl_pair); }
static int64_t spectrum(const bl_snapshot *s) { return (int64_t)s->spectrum * 4; }
static int64_t region(const bl_snapshot *s) { return (int64_t)s->region_rows * s->region_cols * 4; }
static int64_t region_rms(const bl_snapshot *s) { return s->region_share > 0 ? region(s) : 0; }
/* clang-format on */
static int64_t region_diagonal(const bl_snapshot *s)
{
	return s->region_share > 0 ? (int64_t)sizeof s->region_diagonal : 0;
}
/* clang-format off */
static int64_t dims(const bl_snapshot *s) { return ((int64_t)s->region_rows + s->region_cols) * 4; }
static int64_t points(const bl_snapshot *s) { return (int64_t)s->points * 8; }
static int64_t labels(const bl_snapshot *s) { return (int64_t)s->points * 2; }
static int64_t classes(const bl_snapshot *s) { return (int64_t)s->classes * BL_CLASS_TEXT; }
static int64_t image(const bl_snapshot *s) { return (int64_t)s->view_side * s->view_side * s->view_channels; }
static int64_t has_views(const bl_snapshot *s, int k) { return k < s->view_count ? 1 : 0; }

/* Functions that return the lengths of view k and of its draws. */
#define VIEW(k) \
	static int64_t view##k(const bl_snapshot *s) { return has_views(s, k) * image(s); } \
	static int64_t draws##k(const bl_snapshot *s) { return (int64_t)strnlen(s->view_draws[k], BL_DRAW_TEXT - 1) + 1; }
/* clang-format on */
VIEW(0) VIEW(1) VIEW(2) VIEW(3) VIEW(4) VIEW(5) VIEW(6) VIEW(7) _Static_assert(BL_VIEWS_MAX == 8, "a VIEW for each");

/* --- The table ---------------------------------------------------------------------- */

#define ONE(field, kept) \
	{ \
#field, offsetof(bl_snapshot, field), sizeof((bl_snapshot *)0)->field, NULL, kept \
	}
#define MANY(field, bytes, kept) \
	{ \
#field, offsetof(bl_snapshot, field), sizeof((bl_snapshot *)0)->field, bytes, kept \
	}
#define VIEW_ROWS(k) MANY(views[k], view##k, false), MANY(view_draws[k], draws##k, false)

static const part parts[] = {
	ONE(step, true),
	ONE(n, true),
	ONE(d, true),
	ONE(of_embeddings, true),
	ONE(grid, true),
	ONE(diag, true),
	ONE(grid_elements, true),
	ONE(rms_share, true),
	ONE(rms_error, true),
	ONE(pairs, true),
	ONE(sampled, true),
	ONE(dead, true),
	ONE(spectrum, true),
	ONE(rankme, true),
	ONE(quantile, true),
	ONE(histogram, true),
	ONE(points, true),
	ONE(points_of, true),
	ONE(classes, true),
	ONE(points_step, true),
	ONE(explained, true),
	ONE(view_count, false),
	ONE(view_side, false),
	ONE(view_channels, false),
	ONE(image_channels, false),
	ONE(view_row, false),
	ONE(view_label, false),
	ONE(view_class, false),
	ONE(region, false),
	ONE(region_rows, false),
	ONE(region_cols, false),
	ONE(region_elements, false),
	ONE(region_share, false),
	ONE(region_error, false),

	MANY(mean, cells, true),
	MANY(extreme, cells, true),
	MANY(rms, rms, true),
	MANY(cell_diagonal, side, true),
	MANY(diagonal, diag, true),
	MANY(pair, pairs, true),
	MANY(eigenvalues, spectrum, true),
	MANY(singular, spectrum, true),
	MANY(class_name, classes, true),
	MANY(point, points, true),
	MANY(point_label, labels, true),
	MANY(region_mean, region, false),
	MANY(region_extreme, region, false),
	MANY(region_rms, region_rms, false),
	MANY(region_diagonal, region_diagonal, false),
	MANY(dims, dims, false),
	VIEW_ROWS(0),
	VIEW_ROWS(1),
	VIEW_ROWS(2),
	VIEW_ROWS(3),
	VIEW_ROWS(4),
	VIEW_ROWS(5),
	VIEW_ROWS(6),
	VIEW_ROWS(7),
};
enum { PARTS = sizeof parts / sizeof parts[0] };

/* --- Packing ------------------------------------------------------------------------- */

static size_t padded(size_t n)
{
	return (n + 7) / 8 * 8;
}

size_t bl_pack_most(void)
{
	size_t n = sizeof(struct blob_head);
	for (int i = 0; i < PARTS; i++)
		n += sizeof(struct part_head) + padded(parts[i].most);
	return n;
}

size_t bl_pack_snapshot_most(int32_t d)
{
	bl_snapshot *s = calloc(1, sizeof *s);
	size_t n = sizeof(struct blob_head);
	if (!s)
		return 0;
	s->grid = d < BL_GRID_MAX ? d : BL_GRID_MAX;
	s->diag = d < BL_DIAG_MAX ? d : BL_DIAG_MAX;
	s->rms_share = 1;
	s->pairs = BL_PAIRS_MAX;
	s->spectrum = BL_SPECTRUM_MAX;
	s->classes = BL_CLASSES_MAX;
	s->points = BL_POINTS_MAX;
	for (int i = 0; i < PARTS; i++)
		if (parts[i].kept)
			n += sizeof(struct part_head) + padded(parts[i].bytes ? (size_t)parts[i].bytes(s) : parts[i].most);
	free(s);
	return n;
}

/* Returns the length of a part.  An impossible length, which only a damaged snapshot has, counts as 0. */
static size_t length_of(const part *p, const bl_snapshot *s)
{
	int64_t n = p->bytes ? p->bytes(s) : (int64_t)p->most;
	return n < 0 || (uint64_t)n > p->most ? 0 : (size_t)n;
}

size_t bl_pack(const bl_snapshot *s, bool kept, char *out)
{
	size_t at = sizeof(struct blob_head);
	for (int i = 0; i < PARTS; i++) {
		struct part_head h = { .bytes = length_of(&parts[i], s) };
		if ((kept && !parts[i].kept) || h.bytes == 0)
			continue;
		strncpy(h.name, parts[i].name, PART_NAME - 1);
		memcpy(out + at, &h, sizeof h);
		at += sizeof h;
		memcpy(out + at, (const char *)s + parts[i].at, h.bytes);
		memset(out + at + h.bytes, 0, padded(h.bytes) - h.bytes);
		at += padded(h.bytes);
	}
	struct blob_head b = { LIVE_SNAPSHOT_MAGIC, at - sizeof b, 0, s->step };
	b.check = bl_disk_check(b.length ^ (uint64_t)b.step, out + sizeof b, b.length);
	memcpy(out, &b, sizeof b);
	return at;
}

/* --- Unpacking ----------------------------------------------------------------------- */

/* Returns the index of a part, or -1.  The search begins at `from`, the usual index, as parts are in the table's order. */
static int find_part(const char *name, int from)
{
	for (int i = 0; i < PARTS; i++) {
		int k = (from + i) % PARTS;
		if (strncmp(parts[k].name, name, PART_NAME - 1) == 0)
			return k;
	}
	return -1;
}

static bool take_parts(const char *bytes, size_t n, bl_snapshot *out)
{
	int next = 0;
	for (size_t at = 0; at < n;) {
		struct part_head h;
		if (n - at < sizeof h)
			return false;
		memcpy(&h, bytes + at, sizeof h);
		at += sizeof h;
		if (h.bytes > n - at || padded(h.bytes) > n - at)
			return false;
		h.name[PART_NAME - 1] = '\0';
		int k = find_part(h.name, next);
		/* The length of the draws of a view depends on their text, which has not been read yet. */
		bool fits = k >= 0 && h.bytes <= parts[k].most &&
		            (!parts[k].bytes || h.bytes == length_of(&parts[k], out) || parts[k].most == BL_DRAW_TEXT);
		if (k >= 0 && !fits)
			return false;
		if (k >= 0) {
			memcpy((char *)out + parts[k].at, bytes + at, h.bytes);
			next = k + 1;
		}
		at += padded(h.bytes);
	}
	return true;
}

int64_t bl_pack_step(const char head[LIVE_PACK_HEAD])
{
	struct blob_head b;
	memcpy(&b, head, sizeof b);
	return b.magic == LIVE_SNAPSHOT_MAGIC && b.step > 0 ? b.step : -1;
}

bool bl_unpack(const char *bytes, size_t n, bl_snapshot *out)
{
	struct blob_head b;
	if (n < sizeof b)
		return false;
	memcpy(&b, bytes, sizeof b);
	if (b.magic != LIVE_SNAPSHOT_MAGIC || b.length > n - sizeof b ||
	    b.check != bl_disk_check(b.length ^ (uint64_t)b.step, bytes + sizeof b, b.length))
		return false;
	memset(out, 0, sizeof *out);
	out->view_row = out->view_label = -1;
	return take_parts(bytes + sizeof b, b.length, out) && bl_live_snapshot_clean(out);
}
