/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * module.h (private): the struct of modules, and the table of functions of each kind.
 *
 * A kind of module is a table of functions, and a struct that begins with a
 * bl_module.  Layers have slots (their tensors), containers have children.  A
 * container runs its children with the functions below, which prefix error
 * messages with the child's name.
 */
#ifndef BARLOW_NN_MODULE_H
#define BARLOW_NN_MODULE_H

#include "tensor/tensor.h"

#include <barlow/nn.h>

/* Text that is appended to a buffer, and cut at its end. */
typedef struct bl_text {
	char *buf;
	size_t size, used;
} bl_text;
void bl_text_add(bl_text *t, const char *fmt, ...) BL_PRINTF(2, 3);
/* Appends a setting, ", {bias = false" or ", padding = 1".  *open: is the brace already there? */
void bl_text_add_setting(bl_text *t, bool *open, const char *fmt, ...) BL_PRINTF(3, 4);

typedef struct bl_module_ops {
	const char *kind;
	size_t size; /* of the struct */
	bl_tensor *(*forward)(bl_module *m, bl_tensor *x);
	/* The same in one pass with adding `residual`, unless NULL, and, if relu, max(0, .).  NULL: not supported. */
	bl_tensor *(*fused)(bl_module *m, bl_tensor *x, bl_tensor *residual, bool relu);
	void (*arguments)(const bl_module *m, bl_text *t); /* "3, 64, 3, {stride = 2}", in Lua; NULL: none */
	void (*options)(const bl_module *m, bl_text *t);   /* ", {relu = false}", after the children; NULL: none */
	void (*brief)(const bl_module *m, bl_text *t);     /* "conv2d 3 -> 64", for messages; NULL: the kind */
	/* Initialises the slots; slot k draws from stream + k.  NULL: there are none. */
	void (*init)(bl_module *m, uint64_t seed, uint32_t stream);
	void (*release)(bl_module *m); /* frees what is neither slot nor child; NULL: nothing */
} bl_module_ops;

typedef struct bl_slot {
	const char *name;
	bl_tensor *tensor;
	bl_param_kind kind;
} bl_slot;

typedef struct bl_child {
	char *name;
	bl_module *module;
} bl_child;

enum { BL_MODULE_LEVELS = 500, BL_MODULE_MEMBERS = 1 << 20 }; /* limits, since modules are traversed by recursion */
enum { BL_MODULE_SLOTS = 5, BL_MODULE_SUMMARY = 160, BL_MODULE_PATH = 256 };

struct bl_module {
	atomic_int refs;
	const bl_module_ops *ops;
	const char *kind;                /* ops->kind, or the name of a network, "resnet" */
	const char *maker;               /* name of its constructor if that is not its kind, else NULL */
	char summary[BL_MODULE_SUMMARY]; /* a network's arguments, instead of its children's texts */
	bool training;
	int input_channels;
	float *input;              /* means, then standard deviations, of the images that it was trained on; NULL: not known */
	bl_provenance *provenance; /* NULL: as it was initialised */
	int slots, children, room;
	int levels;      /* depth of nested modules, including itself, when they were added */
	int64_t members; /* number of modules in it, including itself; one that occurs twice counts twice */
	bl_slot slot[BL_MODULE_SLOTS];
	bl_child *child;
};

/* New module of ops->size zeroed bytes, in training mode; NULL: no memory. */
bl_module *bl_module_new(const bl_module_ops *ops);
/* Adds a tensor to m; parameters (all but buffers) require a gradient.  -1: no memory. */
int bl_module_add_slot(bl_module *m, const char *name, bl_param_kind kind, int ndim, const int64_t *shape);
/* Adds a child, with a reference of m's own.  -1: the name is in use or invalid, m is inside the child, or no memory. */
int bl_module_add_child(bl_module *m, const char *name, bl_module *child);
/* The same, but takes over the caller's reference.  child NULL (its constructor failed): -1. */
int bl_module_adopt(bl_module *m, const char *name, bl_module *child);
/* Returns m if ok; else frees m and returns NULL. */
bl_module *bl_module_keep(bl_module *m, bool ok);
/* The same, and initialises m with seed 0: for the result of a constructor in nn.h. */
bl_module *bl_module_finish(bl_module *m, bool ok);

bl_tensor *bl_module_run_child(bl_module *m, int i, bl_tensor *x);
/* Prefixes the error message with the position of child i, "[1] (linear 3 -> 4): "; returns -1. */
int bl_module_locate_child(const bl_module *m, int i);
bl_tensor *bl_module_run_fused(bl_module *m, int i, bl_tensor *x, bl_tensor *residual, bool relu);
bool bl_module_can_fuse(const bl_module *m);
bool bl_module_is_relu(const bl_module *m);

/* Is this a dry run, which does not update running statistics or counters? */
bool bl_module_dry(void);
/* Is it a dry run that finds a shape, and therefore uses running statistics in any mode, so that one sample is enough? */
bool bl_module_probing(void);

#endif
