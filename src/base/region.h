/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * region.h (private): large blocks out of one reserved range of addresses.
 *
 * Neighbours that are free become one, so that a block may lie where several smaller ones lay: activations, whose
 * sizes halve from layer to layer, then hold little more memory than is in use.  The range is as long as the machine's
 * memory, or as may be reserved; pages are the system's until they are first touched.  The caller locks.
 */
#ifndef BARLOW_BASE_REGION_H
#define BARLOW_BASE_REGION_H

#include <stddef.h>

typedef struct bl_free_extent {
	struct bl_free_extent *next; /* free extents, by address */
	size_t bytes;                /* this header included */
} bl_free_extent;

typedef struct bl_memory_region {
	char *base;
	size_t page;      /* extents are multiples of it: the system's (up to 64 KiB on arm64), which is asked where this is 0 */
	size_t room, top; /* bytes reserved; bytes from base that have been handed out at least once */
	bl_free_extent *free;
} bl_memory_region;

/* At least `bytes` bytes, the header that lies at their start included; NULL where the range is used up. */
bl_free_extent *bl_region_take(bl_memory_region *r, size_t bytes);
void bl_region_give(bl_memory_region *r, bl_free_extent *e);

/* Gives the free pages back to the system.  Returns by how much the top came down. */
size_t bl_region_trim(bl_memory_region *r);

#endif
