/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * profile.h: the time of training steps by module and operation.
 *
 * When an operation of a profiled thread ends, it adds the time since the thread's previous entry to its own row, so
 * that no time is counted twice or lost.  If there are more than BL_PROFILE_ROWS rows, the last one, "everything else",
 * has the time of all others.  If profiling is off, each operation only checks a flag.
 */
#ifndef BARLOW_PROFILE_H
#define BARLOW_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

enum { BL_PROFILE_MODULE = 96, BL_PROFILE_ROWS = 512 };

typedef struct bl_profile_row {
	char module[BL_PROFILE_MODULE]; /* "encoder.layer1.0.conv1"; "" outside of modules */
	const char *op;                 /* "conv2d", "optimiser", ... */
	int64_t calls;
	double seconds[2]; /* [0]: forward pass; [1]: backward pass */
	double flops[2];   /* the same: floating-point operations that a direct algorithm needs; 0: not counted */
} bl_profile_row;

/* Clears all rows and turns profiling on for threads that call bl_profile_begin. */
void bl_profile_start(void);
void bl_profile_stop(void); /* turns profiling off; the rows remain until the next start */
bool bl_profile_on(void);
/*
 * Total time of profiled threads between bl_profile_begin and bl_profile_end in seconds, whether or not rows include
 * it.
 */
double bl_profile_wall(void);
/* Copies at most `room` rows, in order of descending time.  Returns the number of all rows. */
int bl_profile_read(bl_profile_row *rows, int room);

/* For the library: mark the begin and the end of the calling thread's profiled work, such as a step. */
void bl_profile_begin(void);
void bl_profile_end(void);
/* Adds the time since the last entry to the row of module and op. */
void bl_profile_book(const char *module, const char *op, bool backward);
/* Sets the number of floating-point operations of the next entry. */
void bl_profile_work(double flops);
/* The calling thread enters a module; names are joined by dots.  Pass the result to bl_profile_leave. */
int bl_profile_enter(const char *name);
void bl_profile_leave(int before);
const char *bl_profile_module(void); /* the calling thread's current module, "" outside of modules; borrowed */

#endif
