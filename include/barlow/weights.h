/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weights.h: named tensors in a safetensors file.
 *
 * Written as: temporary file, fsync, rename, fsync of the folder.  Read with
 * every length checked before it is used; messages name the file and the byte.
 */
#ifndef BARLOW_WEIGHTS_H
#define BARLOW_WEIGHTS_H

#include <barlow/nn.h>

/* All parameters and buffers of the roots.  Names get "prefix." in front where prefixes[i] is not "". */
int bl_weights_save(const char *path, bl_module *const *roots, const char *const *prefixes, int n);

/*
 * Into the roots.  Fails, with nothing changed, when a tensor is missing, has
 * another shape, or (strict) is in the file and in no root.
 */
int bl_weights_load(const char *path, bl_module *const *roots, const char *const *prefixes, int n, bool strict);

/* The bare format: name -> tensor, for tools and checkpoints. */
typedef struct bl_named { char *name; bl_tensor *tensor; } bl_named;
int bl_safetensors_save(const char *path, const bl_named *items, int n, const char *const *metadata /* key, value, ..., NULL */);
int bl_safetensors_load(const char *path, bl_named **items, int *n);
void bl_named_free(bl_named *items, int n);

/* Writes bytes to path so that a crash or a full disk leaves the old file or the new one, never half. */
int bl_file_write_atomic(const char *path, const void *bytes, size_t n);

#endif
