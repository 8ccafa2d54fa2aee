/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * region.h (private): allocates large blocks from one reserved range of addresses.
 *
 * Adjacent free extents are merged, so that a block can be allocated where several smaller ones were.  Thus
 * activations, whose sizes halve from layer to layer, need little more memory than is in use.  The range is as large as
 * the machine's memory, or as large as can be reserved; the system provides pages when they are first accessed.  The
 * functions do not lock: the caller holds a lock.
 */
#ifndef BARLOW_BASE_REGION_H
#define BARLOW_BASE_REGION_H

#include <stddef.h>

typedef struct bl_free_extent {
	struct bl_free_extent *next; /* the next free extent by address */
	size_t bytes;                /* including this header */
} bl_free_extent;

typedef struct bl_memory_region {
	char *base;
	size_t page;      /* sizes of extents are multiples of it; 0: the system's page size (up to 64 KiB on arm64) */
	size_t room, top; /* room: bytes reserved; top: bytes from base on that are allocated or in free extents */
	bl_free_extent *free;
} bl_memory_region;

/* Allocates an extent of at least `bytes` bytes, including the header at its start; NULL: no memory, or no room. */
bl_free_extent *bl_region_take(bl_memory_region *r, size_t bytes);
void bl_region_give(bl_memory_region *r, bl_free_extent *e); /* frees an extent */

/* Returns free pages to the system.  The result is the number of bytes by which the top was lowered. */
size_t bl_region_trim(bl_memory_region *r);

#endif
