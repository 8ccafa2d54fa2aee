/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * profile.h: where a training step's time goes, by module and operation.
 *
 * A profiled thread keeps a stopwatch: each operation, when it ends, books
 * the time since the last booking on its own row, so nothing is counted twice
 * and nothing is lost.  Off, it costs one look at a flag.
 */
#ifndef BARLOW_PROFILE_H
#define BARLOW_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

enum { BL_PROFILE_MODULE = 96, BL_PROFILE_ROWS = 512 };

typedef struct bl_profile_row {
	char module[BL_PROFILE_MODULE]; /* "encoder.layer1.0.conv1", "" outside modules */
	const char *op;                 /* "conv2d", "optimiser", ... */
	int64_t calls;
	double seconds[2];              /* forwards, backwards */
	double flops[2];                /* as a direct algorithm would do them; 0: not counted */
} bl_profile_row;

/* Clears all rows; from now on threads that call bl_profile_begin are profiled. */
void bl_profile_start(void);
void bl_profile_stop(void);
bool bl_profile_on(void);
/* Seconds that profiled threads spent between bl_profile_begin and bl_profile_end, the rows' and any that no row has. */
double bl_profile_wall(void);
/* Rows by time, most first; at most `room` of them.  Returns how many there are. */
int bl_profile_read(bl_profile_row *rows, int room);

/* For the engine: a stretch of work of the calling thread, a step for example. */
void bl_profile_begin(void);
void bl_profile_end(void);
/* Books the time since the last booking. */
void bl_profile_book(const char *module, const char *op, bool backward);
/* Floating-point operations that the next booking has done. */
void bl_profile_work(double flops);
/* The module now running: names are joined by dots.  Returns what bl_profile_leave wants back. */
int bl_profile_enter(const char *name);
void bl_profile_leave(int before);
const char *bl_profile_module(void);

#endif
