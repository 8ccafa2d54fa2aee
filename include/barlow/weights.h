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

/* Saves all parameters and buffers of n roots.  Names are prefixed by "prefixes[i]." unless that is "". */
int bl_weights_save(const char *path, bl_module *const *roots, const char *const *prefixes, int n);

/*
 * Loads them into the roots.  Fails, with nothing changed, when a tensor is
 * missing, has another shape, or (strict) is in the file but in no root.
 */
int bl_weights_load(const char *path, bl_module *const *roots, const char *const *prefixes, int n, bool strict);

/* Which names of a file a module takes, and how strictly. */
typedef struct bl_weights_how {
	const char *strip;  /* removed from the front of every name that has it, such as "module."; NULL: nothing */
	const char *prefix; /* then only names that begin with it and a dot are used, such as "encoder"; NULL: all */
	bool strict;        /* all names and shapes must match; otherwise those that match are loaded */
} bl_weights_how;
typedef struct bl_weights_report {
	int taken, missing, unused, misfits; /* tensors: not in the file, not in the module, of another shape */
	char text[1024];                     /* describes what did not match; "": all did */
} bl_weights_report;
/* Loads a file into a module.  Fails, with nothing changed, if nothing matches or, when strict, not everything does. */
int bl_weights_take(const char *path, bl_module *root, const bl_weights_how *how, bl_weights_report *report);

/*
 * The bare format: name -> tensor, for tools and checkpoints.  Written as F32
 * in the order of the list, row-major whatever the memory order; a name that
 * ends in num_batches_tracked is written as PyTorch has it, I64.  Read in the
 * order of the file, from any of F64 F32 F16 BF16, the integers and BOOL.
 */
typedef struct bl_named {
	char *name;
	bl_tensor *tensor;
} bl_named;
/* metadata: key, value, ..., NULL; may be NULL. */
int bl_safetensors_save(const char *path, const bl_named *items, int n, const char *const *metadata);
/* *items: a new array of n, given back with bl_named_free. */
int bl_safetensors_load(const char *path, bl_named **items, int *n);
/* The same, with the metadata (as below). */
int bl_safetensors_read(const char *path, bl_named **items, int *n, char ***metadata);
void bl_named_free(bl_named *items, int n);
/* The file's metadata as key, value, ..., NULL (just NULL when it has none); bl_metadata_free gives it back. */
char **bl_safetensors_metadata(const char *path);
const char *bl_metadata_get(char *const *pairs, const char *key); /* borrowed; NULL when it is not there */
void bl_metadata_free(char **pairs);

#endif
