/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile.c: sums the time of profiled threads by module and operation. */
#include <barlow/parallel.h>
#include <barlow/profile.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool on;

static struct {
	pthread_mutex_t lock;
	bl_profile_row row[BL_PROFILE_ROWS];
	int rows;
	double wall;
} book = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The calling thread's timer; it runs between bl_profile_begin and bl_profile_end. */
static _Thread_local struct {
	bool running;
	double begun, last, flops;
	char module[BL_PROFILE_MODULE];
} watch;

bool bl_profile_on(void)
{
	return atomic_load_explicit(&on, memory_order_relaxed);
}

void bl_profile_start(void)
{
	pthread_mutex_lock(&book.lock);
	book.rows = 0;
	book.wall = 0;
	pthread_mutex_unlock(&book.lock);
	atomic_store(&on, true);
}

void bl_profile_stop(void)
{
	atomic_store(&on, false);
}

double bl_profile_wall(void)
{
	pthread_mutex_lock(&book.lock);
	double wall = book.wall;
	pthread_mutex_unlock(&book.lock);
	return wall;
}

void bl_profile_begin(void)
{
	if (!bl_profile_on())
		return;
	watch.running = true;
	watch.begun = watch.last = bl_now();
	watch.flops = 0;
}

void bl_profile_end(void)
{
	if (!watch.running)
		return;
	watch.running = false;
	pthread_mutex_lock(&book.lock);
	book.wall += bl_now() - watch.begun;
	pthread_mutex_unlock(&book.lock);
}

static bl_profile_row *find_row(const char *module, const char *op)
{
	for (int i = 0; i < book.rows; i++)
		if (!strcmp(book.row[i].op, op) && !strcmp(book.row[i].module, module))
			return book.row + i;
	return NULL;
}

/* The row of module and op, which is added if necessary.  The last row is for all that have no row of their own. */
static bl_profile_row *row_of(const char *module, const char *op)
{
	bl_profile_row *r = find_row(module, op);
	if (!r && book.rows >= BL_PROFILE_ROWS - 1) {
		module = "";
		op = "everything else";
		r = find_row(module, op);
	}
	if (r)
		return r;
	r = &book.row[book.rows++];
	*r = (bl_profile_row){ .op = op };
	snprintf(r->module, sizeof r->module, "%s", module);
	return r;
}

void bl_profile_book(const char *module, const char *op, bool backward)
{
	if (!watch.running)
		return;
	double now = bl_now();
	pthread_mutex_lock(&book.lock);
	bl_profile_row *r = row_of(module, op);
	r->calls++;
	r->seconds[backward] += now - watch.last;
	r->flops[backward] += watch.flops;
	pthread_mutex_unlock(&book.lock);
	watch.last = now;
	watch.flops = 0;
}

void bl_profile_work(double flops)
{
	if (watch.running)
		watch.flops += flops;
}

int bl_profile_enter(const char *name)
{
	size_t before = strlen(watch.module);
	if (watch.running)
		snprintf(watch.module + before, sizeof watch.module - before, before ? ".%s" : "%s", name);
	return (int)before;
}

void bl_profile_leave(int before)
{
	watch.module[before] = 0;
}

const char *bl_profile_module(void)
{
	return watch.module;
}

static int slower(const void *a, const void *b)
{
	const bl_profile_row *x = a, *y = b;
	double dx = x->seconds[0] + x->seconds[1], dy = y->seconds[0] + y->seconds[1];
	return (dx < dy) - (dx > dy);
}

int bl_profile_read(bl_profile_row *rows, int room)
{
	pthread_mutex_lock(&book.lock);
	int n = book.rows;
	qsort(book.row, (size_t)n, sizeof *book.row, slower);
	memcpy(rows, book.row, (size_t)(n < room ? n : room) * sizeof *rows);
	pthread_mutex_unlock(&book.lock);
	return n;
}
