/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * version2.c: reads the whole of a live file of version 2, which barlow 0.1 wrote, into a run in memory.
 *
 *     header | mailbox, asks | info, twice | snapshot, twice | list of kept, twice | kept ... | records ...
 *
 * These structs are the layout of files of version 2 and never change.  The run accepts no commands, and is shown as it
 * was when the file was opened.
 */
#include "live/livefile.h"

#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	ALIGN = 4096,
	GRID = 128,
	DIAG = 512,
	BINS = 64,
	SPECTRUM = 128,
	VIEW = 64,
	POINTS = 1024,
	DRAW = 320,
	KEPT = 47,
	SLOTS = 16,
	ASKS = 8,
	COPIES = 2
};

struct old_turn {
	uint64_t begun, done;
};

struct old_header {
	char magic[8];
	uint32_t version, mark, info_size, snapshot_size, record_size, slots;
	uint64_t records_at;
	int64_t capacity, pid;
	uint64_t pid_ticks;
	char boot[40];
	uint64_t records;
	struct old_turn info, snapshot, kept;
};

typedef struct old_record {
	int64_t step;
	double time, invariance, redundancy, total, floor, lambda, lr, grad_norm, images_per_s, knn;
} old_record;

typedef struct old_region {
	int32_t matrix, order, row, rows, col, cols, points, view, redraw;
} old_region;

typedef struct old_snapshot {
	int64_t step;
	int32_t n, d, grid, diag;
	float mean[GRID * GRID], extreme[GRID * GRID];
	int64_t grid_elements;
	float diagonal[DIAG];
	uint32_t histogram[BINS];
	int32_t sampled, dead, spectrum;
	float eigenvalues[SPECTRUM];
	double rankme;
	float singular[SPECTRUM];
	int32_t view_side, view_channels;
	uint8_t views[2][VIEW * VIEW * 3];
	int64_t view_row;
	int32_t view_label;
	char view_draws[2][DRAW];
	old_region region;
	int32_t region_rows, region_cols;
	int64_t region_elements;
	float region_mean[GRID * GRID], region_extreme[GRID * GRID];
	int32_t dims[GRID * 2];
	int32_t points;
	int64_t points_step;
	float explained[2], point[POINTS][2];
	int16_t point_label[POINTS];
} old_snapshot;

typedef struct old_info {
	char name[64];
	int32_t state;
	int64_t pid, step, steps, steps_per_epoch;
	int32_t batch, d, parameters_m;
	double started;
	char message[256];
} old_info;

#define HEAD offsetof(old_snapshot, view_side)
#define TAIL_AT offsetof(old_snapshot, points)
#define TAIL (sizeof(old_snapshot) - TAIL_AT)

struct old_kept {
	struct old_turn turn;
	char bytes[HEAD + TAIL];
};
struct old_list {
	int64_t n, interval;
	struct {
		int64_t slot, step;
	} at[KEPT];
};

struct old_image {
	alignas(ALIGN) struct old_header header;
	alignas(ALIGN) uint64_t mailbox[1 + 4 * SLOTS];
	uint64_t asks[1 + 8 * ASKS];
	alignas(ALIGN) old_info info[COPIES];
	alignas(ALIGN) old_snapshot snapshot[COPIES];
	alignas(ALIGN) struct old_list list[COPIES];
	alignas(ALIGN) struct old_kept kept[];
};
#define AT(member) offsetof(struct old_image, member)
_Static_assert(sizeof(old_record) == 88 && sizeof(old_snapshot) % 8 == 0 && sizeof(old_info) % 8 == 0, "as they were");

/* --- Records ------------------------------------------------------------------------- */

static const bl_columns columns = {
	11,
	{
		{ .name = "time", .unit = "s", .kind = BL_COLUMN_TIME, .precision = 6 },
		{ .name = "invariance", .brief = "inv", .kind = BL_COLUMN_TERM },
		{ .name = "redundancy", .kind = BL_COLUMN_TERM, .mark = 'R' },
		{ .name = "weighted_redundancy",
	          .label = "λ·redundancy",
	          .brief = "λ·red",
	          .kind = BL_COLUMN_WEIGHTED,
	          .mark = 'r' },
		{ .name = "lambda", .label = "λ", .kind = BL_COLUMN_PARAMETER, .precision = 3 },
		{ .name = "total", .kind = BL_COLUMN_TOTAL, .mark = 'T' },
		{ .name = "floor", .kind = BL_COLUMN_FLOOR, .precision = 3, .mark = '-' },
		{ .name = "lr", .label = "learning rate", .brief = "lr", .kind = BL_COLUMN_RATE, .precision = 3, .mark = 'a' },
		{ .name = "grad_norm", .label = "gradient norm", .kind = BL_COLUMN_MEASURE },
		{ .name = "images_per_s",
	          .label = "images/s",
	          .unit = "images/s",
	          .kind = BL_COLUMN_MEASURE,
	          .fixed = 1,
	          .mark = 's' },
		{ .name = "knn", .label = "kNN accuracy", .brief = "kNN", .kind = BL_COLUMN_SCORE, .fixed = 1, .precision = 3 },
	}
};

static int take_records(bl_live *l, int fd, const struct old_header *h)
{
	old_record o;
	for (uint64_t i = 0; i < h->records && i < (uint64_t)h->capacity; i++) {
		if (!bl_disk_read(fd, h->records_at + i * sizeof o, &o, sizeof o) || o.step <= 0)
			return 0;
		bl_record r = bl_record_empty(o.step);
		const double v[] = { o.time,  o.invariance, o.redundancy, o.lambda * o.redundancy, o.lambda, o.total,
			             o.floor, o.lr,         o.grad_norm,  o.images_per_s,          o.knn };
		memcpy(r.value, v, sizeof v);
		if (bl_live_add(l, &r) != 0)
			return -1;
	}
	return 0;
}

/* --- Snapshots ------------------------------------------------------------------------ */

#define COPY(field) memcpy(&s->field, &o->field, sizeof o->field)

static void convert(const old_snapshot *o, bl_snapshot *s)
{
	_Static_assert(sizeof(old_region) == sizeof(bl_region), "regions are as they were");
	memset(s, 0, sizeof *s);
	COPY(step), COPY(n), COPY(d), COPY(grid), COPY(diag), COPY(mean), COPY(extreme), COPY(grid_elements), COPY(diagonal);
	COPY(histogram), COPY(sampled), COPY(dead), COPY(spectrum), COPY(eigenvalues), COPY(rankme), COPY(singular);
	COPY(view_side), COPY(view_channels), COPY(view_row), COPY(view_label);
	COPY(region), COPY(region_rows), COPY(region_cols), COPY(region_elements), COPY(region_mean), COPY(region_extreme);
	COPY(dims), COPY(points), COPY(points_step), COPY(explained), COPY(point), COPY(point_label);
	memcpy(s->views, o->views, sizeof o->views);
	memcpy(s->view_draws, o->view_draws, sizeof o->view_draws);
	s->view_count = o->view_side > 0 ? 2 : 0;
	s->image_channels = o->view_side > 0 ? o->view_channels : 0;
}

static void publish(bl_live *l, const old_snapshot *o, bl_snapshot *s)
{
	convert(o, s);
	if (bl_live_snapshot_clean(s))
		bl_live_publish(l, s);
}

static bool slot_whole(int fd, size_t at, int64_t step)
{
	struct old_turn t;
	return bl_disk_read(fd, at, &t, sizeof t) && t.begun == (uint64_t)step && t.done == (uint64_t)step;
}

static void take_kept(bl_live *l, int fd, const struct old_header *h, old_snapshot *o, bl_snapshot *s)
{
	struct old_list list;
	size_t which = (h->kept.done & 1) * sizeof list;
	if (h->kept.done == 0 || !bl_disk_read(fd, AT(list) + which, &list, sizeof list) || list.n < 0 || list.n > KEPT)
		return;
	for (int64_t i = 0; i < list.n; i++) {
		int64_t slot = list.at[i].slot;
		size_t at = AT(kept) + (size_t)slot * sizeof(struct old_kept), bytes = at + offsetof(struct old_kept, bytes);
		memset(o, 0, sizeof *o);
		if (slot < 0 || slot >= KEPT || !slot_whole(fd, at, list.at[i].step) || !bl_disk_read(fd, bytes, o, HEAD) ||
		    !bl_disk_read(fd, bytes + HEAD, (char *)o + TAIL_AT, TAIL) || o->step != list.at[i].step)
			continue;
		o->view_row = o->view_label = -1;
		l->writer->list.interval = 1; /* so that all of them are added */
		publish(l, o, s);
	}
}

static int take_snapshots(bl_live *l, int fd, const struct old_header *h)
{
	old_snapshot *o = calloc(1, sizeof *o);
	bl_snapshot *s = malloc(sizeof *s);
	if (o && s) {
		take_kept(l, fd, h, o, s);
		if (h->snapshot.done > 0 && bl_disk_read(fd, AT(snapshot) + (h->snapshot.done & 1) * sizeof *o, o, sizeof *o))
			publish(l, o, s);
	}
	int rc = o && s ? 0 : bl_fail("live: no memory for snapshots");
	free(o);
	free(s);
	return rc;
}

/* --- The file --------------------------------------------------------------------------- */

static int check(int fd, const struct old_header *h, const char *path)
{
	struct stat s;
	if (fstat(fd, &s) != 0 || s.st_size < (off_t)AT(kept))
		return bl_fail("%s: %lld bytes are too few for a live file of version 2 (%zu and more)", path, (long long)s.st_size,
		               AT(kept));
	if (h->mark != LIVE_MARK)
		return bl_fail("%s: the live file was written in another byte order", path);
	if (h->info_size != sizeof(old_info) || h->snapshot_size != sizeof(old_snapshot) || h->record_size != sizeof(old_record))
		return bl_fail(
			"%s: live file of version 2 with other sizes (info %u, snapshot %u, record %u) than expected "
			"(%zu, %zu, %zu)",
			path, h->info_size, h->snapshot_size, h->record_size, sizeof(old_info), sizeof(old_snapshot),
			sizeof(old_record));
	if (h->capacity < 1 || h->capacity > LIVE_CAPACITY_MAX || h->records_at < AT(kept) || h->records_at > (UINT64_C(1) << 40))
		return bl_fail("%s: the live file's header is damaged (%lld steps)", path, (long long)h->capacity);
	return 0;
}

static bl_live_info info_of(int fd, const struct old_header *h)
{
	old_info o = { .name = "", .message = "the live file cannot be read", .state = BL_RUN_FAILED };
	if (h->info.done > 0)
		bl_disk_read(fd, AT(info) + (h->info.done & 1) * sizeof o, &o, sizeof o);
	bl_live_info i = { .state = (bl_run_state)o.state,
		           .pid = o.pid,
		           .step = o.step,
		           .steps = o.steps,
		           .steps_per_epoch = o.steps_per_epoch,
		           .batch = o.batch,
		           .d = o.d,
		           .parameters_m = o.parameters_m,
		           .started = o.started };
	memcpy(i.name, o.name, sizeof i.name);
	memcpy(i.message, o.message, sizeof i.message);
	return i;
}

bl_live *bl_version2_open(int fd, const char *path)
{
	struct old_header h;
	if (!bl_disk_read(fd, 0, &h, sizeof h))
		return bl_fail_null("%s: too short for a live file", path);
	if (check(fd, &h, path) != 0)
		return NULL;
	bl_live *l = bl_livefile_writer(h.capacity, &columns);
	if (!l)
		return NULL;
	l->pid = h.pid;
	l->pid_ticks = h.pid_ticks;
	memcpy(l->boot, h.boot, sizeof l->boot);
	l->boot[sizeof l->boot - 1] = '\0';
	bl_live_info info = info_of(fd, &h);
	l->started = info.started;
	bl_live_set_info(l, &info);
	if (take_records(l, fd, &h) != 0 || take_snapshots(l, fd, &h) != 0) {
		bl_livefile_free(l);
		return NULL;
	}
	l->commands = false;
	return l;
}
