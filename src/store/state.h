/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state.h (private): tensors of a model under their full names, to a file and back. */
#ifndef BARLOW_STORE_STATE_H
#define BARLOW_STORE_STATE_H

#include <barlow/checkpoint.h>
#include <barlow/weights.h>

/* Empty: { 0 }.  bl_named_free gives items back. */
typedef struct bl_state {
	bl_named *items;
	int n, room;
} bl_state;

/* A reference is taken; the name is "prefix.name". */
int bl_state_add(bl_state *s, const char *prefix, const char *name, bl_tensor *t);
/* As the functions of weights.h and checkpoint.h that save; `write` puts the file there. */
int bl_safetensors_write(const char *path, const bl_named *items, int n, const char *const *metadata, bl_file_writer *write);
int bl_weights_write(const char *path, bl_module *const *roots, const char *const *prefixes, int n, bl_file_writer *write);
int bl_checkpoint_write(const char *path, bl_trainer *t, bl_file_writer *write);
/* All parameters and buffers, as bl_weights_save has them. */
int bl_state_collect(bl_state *s, bl_module *const *roots, const char *const *prefixes, int n);
/* Sorts both lists; does the file have all the state's names and shapes, and (strict) no others?  Negative: no. */
int bl_state_fit(bl_state *s, const char *path, bl_named *file, int n, bool strict);
/* The item of that name in a list that bl_state_fit or bl_named_sort has sorted; NULL: there is none. */
bl_named *bl_named_find(const bl_named *sorted, int n, const char *name);
void bl_named_sort(bl_named *items, int n);
/* The weights are the file's from now on, and no longer those of a run. */
int bl_weights_mark(const char *path, bl_module *const *roots, int n);
/* After that, the file's numbers into the state's tensors. */
int bl_state_copy(const bl_state *s, const char *path, const bl_named *file, int n);

#endif
