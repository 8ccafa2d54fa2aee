/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tuned.h: the file of tuned choices, which stores the fastest convolution algorithms on this machine for later
 * processes.
 *
 *     barlow tuned convolutions 1
 *     version 0.1.0
 *     cpu GenuineIntel-6-143-avx512
 *     threads 2
 *     64x32x32-64:3x3s1p1 forward winograd
 *
 * The file's name contains the CPU's type, so that machines that share a home folder have separate files.  The number
 * of threads is recorded for information only; a file is used with any number of threads.
 */
#ifndef BARLOW_TUNED_H
#define BARLOW_TUNED_H

#include <barlow/convolution.h>

/*
 * $XDG_CACHE_HOME/barlow/convolutions-CPU, by default ~/.cache/barlow/convolutions-CPU.  The caller frees the path;
 * NULL with bl_error.
 */
char *bl_tuned_path(void);
/*
 * Uses the file's choices in this process (bl_choices_publish).  0, also if there is no file; -1 with bl_error: the
 * file is ignored, because it has another format, belongs to another version or CPU, or is broken.
 */
int bl_tuned_load(void);
/*
 * Adds a choice to the file, or replaces the choice for the same shape.  A file that could not be loaded is replaced.
 * 0 or -1.
 */
int bl_tuned_save(const bl_choice *c);
/* Removes the file.  0; 1: there was none; -1 with bl_error. */
int bl_tuned_forget(void);

#endif
