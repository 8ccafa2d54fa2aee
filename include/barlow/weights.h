/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weights.h: named tensors in a safetensors file.
 *
 * Files are written atomically (file.h).  When they are read, every length is
 * checked before it is used; messages name the file and the byte.  Functions
 * that return int return 0, or negative with bl_error.
 */
#ifndef BARLOW_WEIGHTS_H
#define BARLOW_WEIGHTS_H

#include <barlow/file.h>
#include <barlow/nn.h>

/*
 * Saves all parameters and buffers of n modules (roots) to a file.  Names of module i have "prefixes[i]." before
 * them, unless prefixes is NULL or prefixes[i] is "".
 */
int bl_weights_save(const char *path, bl_module *const *roots, const char *const *prefixes, int n);

/*
 * Loads such a file into the roots.  Fails, with nothing changed, if a tensor is
 * missing in the file, has another shape there, or, with strict, is in the file
 * but in none of the roots.
 */
int bl_weights_load(const char *path, bl_module *const *roots, const char *const *prefixes, int n, bool strict);

/* Which tensors of a file are loaded into a module, under which names, and how strictly. */
typedef struct bl_weights_how {
	const char *strip;  /* removed from the beginning of every name that has it, such as "module."; NULL: nothing */
	const char *prefix; /* "encoder": only names that begin with "encoder." are used, without that; NULL: all */
	bool strict;        /* all names and shapes must match; otherwise those that match are loaded */
} bl_weights_how;
/*
 * Numbers of tensors: taken are those that were loaded; missing are in the module only, unused in the file only, and
 * misfits in both with different shapes.
 */
typedef struct bl_weights_report {
	int taken, missing, unused, misfits;
	char text[1024]; /* describes what did not match; "": everything did */
} bl_weights_report;
/* Loads a file into a module.  Fails, with nothing changed, if nothing matches or, when strict, not everything does. */
int bl_weights_take(const char *path, bl_module *root, const bl_weights_how *how, bl_weights_report *report);

/*
 * Access to safetensors files as lists of named tensors, for tools and
 * checkpoints.  Tensors are written as F32 in the order of the list, row-major
 * whatever their order in memory; those whose name ends in num_batches_tracked are
 * written as I64, as PyTorch does.  They are read in the order of the file, from
 * F64, F32, F16, BF16, any integer type or BOOL, and become float32.
 */
typedef struct bl_named {
	char *name;
	bl_tensor *tensor;
} bl_named;
/* metadata: key, value, ..., NULL; may be NULL. */
int bl_safetensors_save(const char *path, const bl_named *items, int n, const char *const *metadata);
/* Sets *items to a new array of *n tensors, which the caller frees with bl_named_free. */
int bl_safetensors_load(const char *path, bl_named **items, int *n);
/* The same; unless metadata is NULL, *metadata becomes what bl_safetensors_metadata returns. */
int bl_safetensors_read(const char *path, bl_named **items, int *n, char ***metadata);
void bl_named_free(bl_named *items, int n);
/*
 * The file's metadata as key, value, ..., NULL (a single NULL if there is none); the caller frees it with
 * bl_metadata_free.  NULL with bl_error.
 */
char **bl_safetensors_metadata(const char *path);
const char *bl_metadata_get(char *const *pairs, const char *key); /* the key's value, borrowed; NULL: no such key */
void bl_metadata_free(char **pairs);

#endif
