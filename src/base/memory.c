/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory.c: blocks from free lists by size class, and per-thread scratch. */
#define _GNU_SOURCE
#include <barlow/error.h>
#include <barlow/memory.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Classes: multiples of 64 up to 512, then eight steps to each doubling, so
 * that at most an eighth of a block is idle.
 */
enum { ALIGN = 64, SMALL = 512, CLASSES = 8 + 8 * 40, HUGE_PAGE = 1 << 21 };
enum { LARGE_CLASS = 8 + 8 * (17 - 9), NEAR = 6 }; /* from 128 KiB on a block may be up to 1.75 times what was asked for */

typedef union head {
	struct {
		union head *next; /* in its free list */
		int class;
	};
	char room[ALIGN];
} head;

static struct {
	pthread_mutex_t lock;
	head *free[CLASSES];
	bl_memory_stats stats;
} heap = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Class of a size, and the size that the class has. */
static int class_of(size_t bytes, size_t *size)
{
	if (bytes <= SMALL) {
		int c = bytes ? (int)((bytes - 1) / ALIGN) : 0;
		*size = (size_t)(c + 1) * ALIGN;
		return c;
	}
	int exponent = 63 - __builtin_clzl(bytes - 1); /* 2^exponent <= bytes - 1 */
	size_t step = (size_t)1 << (exponent - 3);
	size_t k = (bytes - 1 - ((size_t)1 << exponent)) / step; /* 0..7 */
	*size = ((size_t)1 << exponent) + (k + 1) * step;
	return 8 + 8 * (exponent - 9) + (int)k;
}

static size_t class_size(int class)
{
	if (class < 8)
		return (size_t)(class + 1) * ALIGN;
	int exponent = (class - 8) / 8 + 9;
	size_t k = (size_t)(class - 8) % 8;
	return ((size_t)1 << exponent) + (k + 1) * ((size_t)1 << (exponent - 3));
}

static void *system_take(size_t bytes)
{
	size_t align = bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : ALIGN;
	void *p = NULL;
	if (posix_memalign(&p, align, bytes))
		return NULL;
	if (align == HUGE_PAGE)
		madvise(p, bytes, MADV_HUGEPAGE); /* a wish: failing it costs speed only */
	return p;
}

static head *pop(int class)
{
	head *h = heap.free[class];
	if (h)
		heap.free[class] = h->next;
	return h;
}

/* A block of the class, or of one not much larger: backward then lives in the memory that forward has given back. */
static head *find(int class)
{
	int last = class < LARGE_CLASS ? class : class + NEAR;
	head *h = NULL;
	for (; !h && class <= last && class < CLASSES; class++)
		h = pop(class);
	return h;
}

static head *grow(int class, size_t size)
{
	head *h = system_take(size + ALIGN);
	if (!h)
		return bl_fail_null("out of memory: %zu bytes more on top of %zu", size, heap.stats.held);
	h->class = class;
	heap.stats.system_calls++;
	heap.stats.held += size;
	return h;
}

void *bl_block_take(size_t bytes)
{
	size_t size;
	if (bytes > (size_t)1 << 46)
		return bl_fail_null("out of memory: %zu bytes asked for", bytes);
	int class = class_of(bytes, &size);
	pthread_mutex_lock(&heap.lock);
	head *h = find(class);
	if (!h)
		h = grow(class, size);
	if (h) {
		heap.stats.used += class_size(h->class);
		if (heap.stats.used > heap.stats.peak)
			heap.stats.peak = heap.stats.used;
	}
	pthread_mutex_unlock(&heap.lock);
	return h ? h + 1 : NULL;
}

void bl_block_give(void *block)
{
	if (!block)
		return;
	head *h = (head *)block - 1;
	pthread_mutex_lock(&heap.lock);
	heap.stats.used -= class_size(h->class);
	h->next = heap.free[h->class];
	heap.free[h->class] = h;
	pthread_mutex_unlock(&heap.lock);
}

void bl_memory(bl_memory_stats *out)
{
	pthread_mutex_lock(&heap.lock);
	*out = heap.stats;
	pthread_mutex_unlock(&heap.lock);
}

void bl_memory_trim(void)
{
	pthread_mutex_lock(&heap.lock);
	for (int c = 0; c < CLASSES; c++) {
		for (head *h; (h = pop(c)) != NULL; free(h))
			heap.stats.held -= class_size(c);
	}
	pthread_mutex_unlock(&heap.lock);
}

/* Scratch: a block a slot, swapped for a larger one when it is short. */
typedef struct scratch {
	void *block;
	size_t bytes;
} scratch;

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local scratch slots[BL_SCRATCH_SLOTS];

static void scratch_release(void *thread_slots)
{
	scratch *s = thread_slots;
	for (int i = 0; i < BL_SCRATCH_SLOTS; i++) {
		bl_block_give(s[i].block);
		s[i] = (scratch){ NULL, 0 };
	}
}

static void scratch_key_make(void)
{
	pthread_key_create(&scratch_key, scratch_release);
}

void *bl_scratch(int slot, size_t bytes)
{
	scratch *s = &slots[slot];
	if (s->block && s->bytes >= bytes)
		return s->block;
	pthread_once(&scratch_once, scratch_key_make);
	pthread_setspecific(scratch_key, slots);
	void *block = bl_block_take(bytes);
	if (!block)
		return NULL;
	bl_block_give(s->block);
	*s = (scratch){ block, bytes };
	return block;
}
