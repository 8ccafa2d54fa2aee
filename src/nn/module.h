/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * module.h (private): the struct of modules, and the table of functions of each kind.
 *
 * A kind of module is a table of functions and a struct that begins with a bl_module.  Layers have slots (their
 * tensors), and containers have children.  A container runs its children by bl_module_run_child and bl_module_run_fused,
 * which put the child's position before error messages.
 */
#ifndef BARLOW_NN_MODULE_H
#define BARLOW_NN_MODULE_H

#include "tensor/tensor.h"

#include <barlow/nn.h>

/* A buffer to which text is appended; text that does not fit is cut. */
typedef struct bl_text {
	char *buf;
	size_t size, used;
} bl_text;
void bl_text_add(bl_text *t, const char *fmt, ...) BL_PRINTF(2, 3);
/* Appends a setting, such as ", {bias = false" or ", padding = 1".  *open: was the brace appended before? */
void bl_text_add_setting(bl_text *t, bool *open, const char *fmt, ...) BL_PRINTF(3, 4);

typedef struct bl_module_ops {
	const char *kind;
	size_t size; /* of the struct */
	bl_tensor *(*forward)(bl_module *m, bl_tensor *x);
	/*
	 * As forward, but also adds `residual`, unless NULL, and applies ReLU if relu is set, in one pass.  NULL: not
	 * supported.
	 */
	bl_tensor *(*fused)(bl_module *m, bl_tensor *x, bl_tensor *residual, bool relu);
	void (*arguments)(const bl_module *m, bl_text *t); /* appends "3, 64, 3, {stride = 2}", in Lua; NULL: none */
	void (*options)(const bl_module *m, bl_text *t);   /* appends ", {relu = false}", after children; NULL: none */
	void (*brief)(const bl_module *m, bl_text *t);     /* appends "conv2d 3 -> 64", for messages; NULL: the kind */
	/* Initialises the slots; slot k uses random stream number `stream` + k.  NULL: the slots keep their values. */
	void (*init)(bl_module *m, uint64_t seed, uint32_t stream);
	void (*release)(bl_module *m); /* frees everything except slots and children; NULL: there is nothing else */
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
	const char *kind;                /* ops->kind, or the name of a network, such as "resnet" */
	const char *maker;               /* name of the constructor in Lua if it differs from kind; otherwise NULL */
	char summary[BL_MODULE_SUMMARY]; /* the arguments of a network, printed instead of its children */
	bool training;
	int input_channels;
	float *input;              /* means and then standard deviations of the images trained on; NULL: not known */
	bl_provenance *provenance; /* NULL: the weights are the initial ones */
	int slots, children, room;
	int levels;      /* depth of the tree, including m; a child's depth counts as it was when the child was added */
	int64_t members; /* number of modules in the tree, including m; a module that occurs twice counts twice */
	bl_slot slot[BL_MODULE_SLOTS];
	bl_child *child;
};

/* A new module of ops->size zeroed bytes, in training mode; NULL with bl_error: no memory. */
bl_module *bl_module_new(const bl_module_ops *ops);
/* Adds a tensor of zeros to m; it requires a gradient unless it is a buffer.  0, or -1 with bl_error: no memory. */
int bl_module_add_slot(bl_module *m, const char *name, bl_param_kind kind, int ndim, const int64_t *shape);
/*
 * Adds a child, to which m takes a reference.  0, or -1 with bl_error: the name is in use or invalid, the child
 * contains m, the tree is too deep or too large, or there is no memory.
 */
int bl_module_add_child(bl_module *m, const char *name, bl_module *child);
/*
 * As bl_module_add_child, but takes ownership of the caller's reference, also on failure.  -1 if child is NULL (its
 * constructor failed).
 */
int bl_module_adopt(bl_module *m, const char *name, bl_module *child);
/* Returns m if ok; otherwise releases m and returns NULL. */
bl_module *bl_module_or_null(bl_module *m, bool ok);
/* As bl_module_or_null, and initialises m with seed 0; for constructors of nn.h. */
bl_module *bl_module_finish(bl_module *m, bool ok);

/* Applies child i to x: a new reference; NULL with a bl_error that begins with the child's position. */
bl_tensor *bl_module_run_child(bl_module *m, int i, bl_tensor *x);
/* Puts the position of child i, such as "[1] (linear 3 -> 4): ", before the error message; returns -1. */
int bl_module_locate_child(const bl_module *m, int i);
/* As bl_module_run_child, but by bl_module_ops.fused, which child i has to support. */
bl_tensor *bl_module_run_fused(bl_module *m, int i, bl_tensor *x, bl_tensor *residual, bool relu);
bool bl_module_can_fuse(const bl_module *m);
bool bl_module_is_relu(const bl_module *m);

/* Is the calling thread in a dry run, in which modules do not update running statistics and counters? */
bool bl_module_dry(void);
/*
 * Is the calling thread in a dry run that finds the shape of the output?  Batch norms use their running
 * statistics then, also in training mode, so that one sample is enough.
 */
bool bl_module_probing(void);

#endif
