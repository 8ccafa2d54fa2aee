/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * memory.c: allocates small blocks from free lists by size class, and large blocks from a region.  Also holds each thread's
 * scratch buffers.
 */
#include "base/region.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Tells AddressSanitizer that free memory of the region must not be accessed. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON ASAN_POISON_MEMORY_REGION
#define UNPOISON ASAN_UNPOISON_MEMORY_REGION
#else
#define POISON(p, bytes) ((void)0)
#define UNPOISON(p, bytes) ((void)0)
#endif

/*
 * Size classes of small blocks: multiples of 64 up to 512; from there up to LARGE, eight classes per power of two, so
 * that at most an eighth of a block is unused.  Blocks above LARGE are allocated from the region.
 */
enum { ALIGN = 64, SMALL = 512, LARGE = 128 << 10, CLASSES = 8 + 8 * (17 - 9), IN_REGION = CLASSES };

/* The header before each block.  extent.bytes is the size that the statistics count for the block. */
typedef union head {
	struct {
		bl_free_extent extent;
		int class;
	};
	char room[ALIGN];
} head;

static struct {
	pthread_mutex_t lock;
	bl_free_extent *free[CLASSES];
	bl_memory_region region;
	bl_memory_stats stats;
} heap = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Returns the class for a size up to LARGE, and sets *size to the size of its blocks. */
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

static void count_growth(size_t bytes)
{
	heap.stats.system_calls++;
	heap.stats.held += bytes;
}

static bl_free_extent *pop(int class)
{
	bl_free_extent *e = heap.free[class];
	if (e)
		heap.free[class] = e->next;
	return e;
}

static head *take_small(size_t bytes)
{
	size_t size;
	int class = class_of(bytes, &size);
	head *h = (head *)pop(class);
	if (h)
		return h;
	void *p = NULL;
	if (posix_memalign(&p, ALIGN, size + ALIGN))
		return NULL;
	count_growth(size);
	h = p;
	h->class = class;
	h->extent.bytes = size;
	return h;
}

static head *take_large(size_t bytes)
{
	size_t top = heap.region.top;
	head *h = (head *)bl_region_take(&heap.region, bytes + ALIGN);
	if (!h)
		return NULL;
	if (heap.region.top > top)
		count_growth(heap.region.top - top);
	UNPOISON(h, sizeof *h);
	UNPOISON(h, h->extent.bytes);
	h->class = IN_REGION;
	return h;
}

void *bl_block_take(size_t bytes)
{
	pthread_mutex_lock(&heap.lock);
	head *h = bytes <= LARGE ? take_small(bytes) : bytes < (size_t)1 << 46 ? take_large(bytes) : NULL;
	size_t held = heap.stats.held;
	if (h) {
		heap.stats.used += h->extent.bytes;
		if (heap.stats.used > heap.stats.peak)
			heap.stats.peak = heap.stats.used;
	}
	pthread_mutex_unlock(&heap.lock);
	return h ? h + 1 : bl_fail_null("no memory for %zu bytes; %zu bytes are in use or kept free", bytes, held);
}

void bl_block_give(void *block)
{
	if (!block)
		return;
	head *h = (head *)block - 1;
	pthread_mutex_lock(&heap.lock);
	heap.stats.used -= h->extent.bytes;
	if (h->class == IN_REGION) {
		POISON(h + 1, h->extent.bytes - sizeof *h);
		bl_region_give(&heap.region, &h->extent);
	} else {
		h->extent.next = heap.free[h->class];
		heap.free[h->class] = &h->extent;
	}
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
	for (int c = 0; c < CLASSES; c++)
		for (bl_free_extent *e; (e = pop(c)) != NULL; free(e))
			heap.stats.held -= e->bytes;
	heap.stats.held -= bl_region_trim(&heap.region);
	pthread_mutex_unlock(&heap.lock);
}

/* The scratch buffer of a slot: a block, which is replaced by a larger one if it is too small. */
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
