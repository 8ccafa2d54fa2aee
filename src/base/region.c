/* SPDX-License-Identifier: GPL-3.0-or-later */
/* region.c: best-fit allocation from free extents, which are sorted by address and merged with adjacent ones. */
#define _GNU_SOURCE
#include "base/region.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LEAST = 1 << 24 };

/* Marks functions that access the headers of free extents, which AddressSanitizer treats as inaccessible. */
#ifdef __SANITIZE_ADDRESS__
#define UNWATCHED __attribute__((no_sanitize_address))
#else
#define UNWATCHED
#endif

static size_t whole_pages(const bl_memory_region *r, size_t bytes)
{
	return (bytes + r->page - 1) / r->page * r->page;
}

static void *map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/*
 * Maps `bytes` bytes, but only if 1.5 times as many can be mapped: where the address space is limited, stacks and malloc
 * need a part of it.
 */
static void *map_with_room(size_t bytes)
{
	void *whole = map(bytes + bytes / 2);
	if (whole == MAP_FAILED)
		return MAP_FAILED;
	munmap(whole, bytes + bytes / 2);
	return map(bytes);
}

/*
 * Reserves a range of addresses: as large as the machine's memory, or as large as RLIMIT_AS and overcommit accounting
 * allow.
 */
static bool reserve(bl_memory_region *r)
{
	if (r->base)
		return true;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	if (!r->page)
		r->page = page;
	for (r->room = (size_t)sysconf(_SC_PHYS_PAGES) * page; r->room >= LEAST; r->room -= r->room / 8) {
		void *p = map_with_room(r->room);
		if (p == MAP_FAILED)
			continue;
		madvise(p, r->room, MADV_HUGEPAGE); /* a failure only makes accesses slower */
		r->base = p;
		return true;
	}
	return false;
}

UNWATCHED static char *end_of(const bl_free_extent *e)
{
	return (char *)(uintptr_t)e + e->bytes;
}

/* The link to the smallest free extent that is large enough; NULL: there is none. */
UNWATCHED static bl_free_extent **best(bl_memory_region *r, size_t bytes)
{
	bl_free_extent **found = NULL;
	for (bl_free_extent **link = &r->free; *link; link = &(*link)->next)
		if ((*link)->bytes >= bytes && (!found || (*link)->bytes < (*found)->bytes))
			found = link;
	return found;
}

/* Allocates the first `bytes` bytes of the free extent *link; the rest remains free. */
UNWATCHED static bl_free_extent *split(bl_free_extent **link, size_t bytes)
{
	bl_free_extent *e = *link;
	if (e->bytes == bytes) {
		*link = e->next;
		return e;
	}
	bl_free_extent *rest = (bl_free_extent *)(void *)((char *)e + bytes);
	*rest = (bl_free_extent){ e->next, e->bytes - bytes };
	*link = rest;
	e->bytes = bytes;
	return e;
}

/* Allocates an extent at the top of the region; the last free extent becomes a part of it if it ends at the top. */
UNWATCHED static bl_free_extent *extend(bl_memory_region *r, size_t bytes)
{
	bl_free_extent **link = &r->free;
	while (*link && (*link)->next)
		link = &(*link)->next;
	bl_free_extent *e = (bl_free_extent *)(void *)(r->base + r->top);
	bool join = *link && end_of(*link) == (char *)e;
	size_t more = join ? bytes - (*link)->bytes : bytes;
	if (more > r->room - r->top)
		return NULL;
	r->top += more;
	if (join) {
		e = *link;
		*link = NULL;
	}
	e->bytes = bytes;
	return e;
}

UNWATCHED bl_free_extent *bl_region_take(bl_memory_region *r, size_t bytes)
{
	if (!reserve(r))
		return NULL;
	bytes = whole_pages(r, bytes);
	bl_free_extent **link = best(r, bytes);
	return link ? split(link, bytes) : extend(r, bytes);
}

UNWATCHED static void join(bl_free_extent *e)
{
	if (!e->next || end_of(e) != (char *)e->next)
		return;
	e->bytes += e->next->bytes;
	e->next = e->next->next;
}

UNWATCHED void bl_region_give(bl_memory_region *r, bl_free_extent *e)
{
	bl_free_extent *before = NULL, *after = r->free;
	for (; after && after < e; after = after->next)
		before = after;
	e->next = after;
	join(e);
	if (!before) {
		r->free = e;
		return;
	}
	before->next = e;
	join(before);
}

UNWATCHED size_t bl_region_trim(bl_memory_region *r)
{
	for (bl_free_extent **link = &r->free; *link; link = &(*link)->next) {
		bl_free_extent *e = *link;
		if (end_of(e) == r->base + r->top) {
			size_t bytes = e->bytes;
			*link = NULL;
			r->top -= bytes;
			madvise(e, bytes, MADV_DONTNEED);
			return bytes;
		}
		madvise((char *)e + r->page, e->bytes - r->page, MADV_DONTNEED);
	}
	return 0;
}
