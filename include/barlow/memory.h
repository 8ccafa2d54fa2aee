/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * memory.h: the allocator of tensors' numbers.
 *
 * Small blocks come from free lists by size class, large ones from one range of
 * addresses where adjacent free blocks are merged, so that training steps, whose
 * sizes repeat, request no memory from the system after the second step.  Blocks
 * are 64-byte aligned, and large ones are on huge pages if the kernel has them.
 * All functions may be called by any thread.
 */
#ifndef BARLOW_MEMORY_H
#define BARLOW_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* A block of at least `bytes` bytes, contents undefined; NULL (with bl_error) when there is no memory. */
void *bl_block_take(size_t bytes);
void bl_block_give(void *block); /* NULL is fine */

/* The calling thread's scratch number `slot`, at least `bytes` long, kept until the thread ends.  NULL: no memory. */
enum { BL_SCRATCH_SLOTS = 13 };
void *bl_scratch(int slot, size_t bytes);

typedef struct bl_memory_stats {
	uint64_t system_calls; /* requests for memory to the system so far; constant in a steady state */
	size_t held;           /* bytes obtained from the system and not returned */
	size_t used;           /* bytes in blocks handed out */
	size_t peak;           /* largest `used` so far */
} bl_memory_stats;
void bl_memory(bl_memory_stats *out); /* fills in the statistics of the process */

/* Returns all free blocks to the system. */
void bl_memory_trim(void);

#endif
