/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * memory.h: the allocator for the data of tensors.
 *
 * Small blocks come from free lists by size class.  Large blocks come from one range of addresses in which adjacent
 * free blocks are merged.  Since the sizes repeat in every training step, steps after the second one request no memory
 * from the system.  Blocks are aligned to 64 bytes, and large blocks are on huge pages if the kernel supports them.
 * All functions may be called by any thread.
 */
#ifndef BARLOW_MEMORY_H
#define BARLOW_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Allocates a block of at least `bytes` bytes with undefined content; NULL with bl_error: no memory. */
void *bl_block_take(size_t bytes);
void bl_block_give(void *block); /* frees a block; NULL is fine */

/*
 * The calling thread's scratch buffer number `slot`, of at least `bytes` bytes.  A larger request may move it and does
 * not copy its content; it is freed when the thread ends.  NULL with bl_error: no memory.
 */
enum { BL_SCRATCH_SLOTS = 13 };
void *bl_scratch(int slot, size_t bytes);

typedef struct bl_memory_stats {
	uint64_t system_calls; /* number of requests for memory to the system; constant in a steady state */
	size_t held;           /* bytes obtained from the system and not returned */
	size_t used;           /* bytes in allocated blocks */
	size_t peak;           /* largest value of `used` so far */
} bl_memory_stats;
void bl_memory(bl_memory_stats *out); /* fills in the statistics of the process */

/* Returns all free blocks to the system. */
void bl_memory_trim(void);

#endif
