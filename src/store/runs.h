/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs.h (private): the live file of the run that is meant (bl_runs_open), whether it is there or not; a new string. */
#ifndef BL_STORE_RUNS_H
#define BL_STORE_RUNS_H

char *bl_runs_live_path(const char *what);

#endif
