/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tuned.h: the file of tuned choices: the fastest convolution algorithms measured on this machine, for later processes.
 *
 *     barlow tuned convolutions 1
 *     version 0.1.0
 *     cpu GenuineIntel-6-143-avx512
 *     threads 2
 *     64x32x32-64:3x3s1p1 forward winograd
 *
 * Its name contains the CPU's type, so that machines which share a home folder
 * have separate files.  The number of threads is recorded, but a file holds for
 * any: the bits of a run do not depend on it.
 */
#ifndef BARLOW_TUNED_H
#define BARLOW_TUNED_H

#include <barlow/convolution.h>

/* $XDG_CACHE_HOME/barlow/convolutions-CPU, or its default below HOME.  The caller frees it. */
char *bl_tuned_path(void);
/*
 * Puts the file's choices in force in this process (bl_choices_publish); does nothing without a file.  -1 with
 * bl_error: the file is not ours, of another version or CPU, or broken, and is ignored.
 */
int bl_tuned_load(void);
/* Writes a choice into the file, beside those for other shapes; a file that could not be loaded is replaced. */
int bl_tuned_save(const bl_choice *c);
/* Removes the file.  1: there was none. */
int bl_tuned_forget(void);

#endif
