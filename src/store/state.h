/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state.h (private): saves and loads the tensors of a model under their full names. */
#ifndef BARLOW_STORE_STATE_H
#define BARLOW_STORE_STATE_H

#include <barlow/checkpoint.h>
#include <barlow/weights.h>

/* A list of named tensors; an empty one is { 0 }.  bl_named_free frees the items. */
typedef struct bl_state {
	bl_named *items;
	int n, room;
} bl_state;

/* Appends a tensor, a reference to which is taken, under the name "prefix.name".  Negative with bl_error. */
int bl_state_add(bl_state *s, const char *prefix, const char *name, bl_tensor *t);
/* As bl_safetensors_save, bl_weights_save and bl_checkpoint_save, but the file is written by `write`. */
int bl_safetensors_write(const char *path, const bl_named *items, int n, const char *const *metadata, bl_file_writer *write);
int bl_weights_write(const char *path, bl_module *const *roots, const char *const *prefixes, int n, bl_file_writer *write);
int bl_checkpoint_write(const char *path, bl_trainer *t, bl_file_writer *write);
/* Appends all parameters and buffers of the modules, under the names of bl_weights_save.  Negative with bl_error. */
int bl_state_collect(bl_state *s, bl_module *const *roots, const char *const *prefixes, int n);
/*
 * Sorts both lists.  Negative with bl_error unless the file has all names and shapes of the state and, if `strict`, no
 * other names.
 */
int bl_state_fit(bl_state *s, const char *path, bl_named *file, int n, bool strict);
/* Returns the item of that name in a list that bl_state_fit or bl_named_sort has sorted; NULL: there is none. */
bl_named *bl_named_find(const bl_named *sorted, int n, const char *name);
void bl_named_sort(bl_named *items, int n);
/* Records that the modules' weights come from this file, and no longer from a run.  Negative with bl_error. */
int bl_weights_mark(const char *path, bl_module *const *roots, int n);
/* Copies the file's numbers into the state's tensors, after bl_state_fit.  Negative with bl_error. */
int bl_state_copy(const bl_state *s, const char *path, const bl_named *file, int n);

#endif
