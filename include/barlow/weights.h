/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weights.h: named tensors in a safetensors file.
 *
 * Files are written atomically (file.h).  When a file is read, every length is checked before it is used.  Error
 * messages name the file and the byte.  Functions that return int return 0, or negative with bl_error.
 */
#ifndef BARLOW_WEIGHTS_H
#define BARLOW_WEIGHTS_H

#include <barlow/file.h>
#include <barlow/nn.h>

/*
 * Saves all parameters and buffers of n modules (roots) to a file.  The names in roots[i] have the prefix
 * "prefixes[i].", unless prefixes is NULL or prefixes[i] is "".
 */
int bl_weights_save(const char *path, bl_module *const *roots, const char *const *prefixes, int n);

/*
 * Loads such a file into the roots.  Fails, and changes nothing, if a tensor of a root is missing in the file or has
 * another shape there, or, with strict, if a tensor of the file is in none of the roots.
 */
int bl_weights_load(const char *path, bl_module *const *roots, const char *const *prefixes, int n, bool strict);

/* Selects the tensors of a file that are loaded into a module, and their names. */
typedef struct bl_weights_how {
	const char *strip;  /* text that is removed from the beginning of names, such as "module."; NULL: none */
	const char *prefix; /* "encoder": use only names that begin with "encoder.", and remove this; NULL: all names */
	bool strict;        /* all names and shapes must match; false: only matching tensors are loaded */
} bl_weights_how;
/*
 * Numbers of tensors.  taken: loaded; missing: in the module only; unused: in the file only; misfits: in both, with
 * different shapes.
 */
typedef struct bl_weights_report {
	int taken, missing, unused, misfits;
	char text[1024]; /* describes the tensors that did not match; "": all matched */
} bl_weights_report;
/* Loads a file into a module.  Fails, and changes nothing, if no tensor matches or, with strict, if not all match. */
int bl_weights_take(const char *path, bl_module *root, const bl_weights_how *how, bl_weights_report *report);

/*
 * Access to safetensors files as lists of named tensors, for tools and checkpoints.  Tensors are written in the order
 * of the list, row-major, as F32; tensors whose name ends in num_batches_tracked are written as I64, as PyTorch does.
 * Tensors are read in the order of the file from F64, F32, F16, BF16, any integer type or BOOL, and are converted to
 * float32.
 */
typedef struct bl_named {
	char *name;
	bl_tensor *tensor;
} bl_named;
/* Writes a file with n tensors.  metadata is a list key, value, ..., NULL; it may be NULL. */
int bl_safetensors_save(const char *path, const bl_named *items, int n, const char *const *metadata);
/* Sets *items to a new array of *n tensors, which the caller frees with bl_named_free. */
int bl_safetensors_load(const char *path, bl_named **items, int *n);
/* As bl_safetensors_load, but also sets *metadata, unless NULL, to the result of bl_safetensors_metadata. */
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
