/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wall_time.h (private): the time of day. */
#ifndef BARLOW_BASE_WALL_TIME_H
#define BARLOW_BASE_WALL_TIME_H

#include <math.h>
#include <time.h>

/* Seconds since 1970. */
static inline double bl_wall_seconds(void)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* As bl_wall_seconds, rounded down to whole milliseconds, so that the number is short in files that people read. */
static inline double bl_wall_milliseconds(void)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + floor((double)now.tv_nsec / 1e6) / 1e3;
}

#endif
