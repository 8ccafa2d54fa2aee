/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * module.h (private): what a module is made of.
 *
 * A kind of module is a table of functions and a struct that begins with a
 * bl_module.  Layers have slots (their tensors), containers have children.  A
 * container runs its children by the functions below, which put the child's
 * name in front of the message when it fails.
 */
#ifndef BARLOW_NN_MODULE_H
#define BARLOW_NN_MODULE_H

#include "tensor/tensor.h"

#include <barlow/nn.h>

/* Text that is cut where its buffer ends. */
typedef struct bl_text {
	char *buf;
	size_t size, used;
} bl_text;
void bl_text_add(bl_text *t, const char *fmt, ...) BL_PRINTF(2, 3);
/* A setting in braces behind arguments, ", {bias = false" or ", padding = 1": *open says whether the brace is there. */
void bl_text_add_setting(bl_text *t, bool *open, const char *fmt, ...) BL_PRINTF(3, 4);

typedef struct bl_module_ops {
	const char *kind;
	size_t size; /* of the struct */
	bl_tensor *(*forward)(bl_module *m, bl_tensor *x);
	/* The same, then a sum with `residual` (or NULL), then max(0, .) where relu: one pass.  NULL: cannot. */
	bl_tensor *(*fused)(bl_module *m, bl_tensor *x, bl_tensor *residual, bool relu);
	void (*arguments)(const bl_module *m, bl_text *t); /* "3, 64, 3, {stride = 2}", in Lua; NULL: none */
	void (*options)(const bl_module *m, bl_text *t);   /* ", {relu = false}", behind the children; NULL: none */
	void (*brief)(const bl_module *m, bl_text *t);     /* "conv2d 3 -> 64", for messages; NULL: the kind */
	/* Slot k draws from stream + k.  NULL: there is nothing to fill. */
	void (*init)(bl_module *m, uint64_t seed, uint32_t stream);
	void (*release)(bl_module *m); /* what is neither slot nor child; NULL: nothing */
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

enum { BL_MODULE_LEVELS = 500, BL_MODULE_MEMBERS = 1 << 20 }; /* at most: they are walked by recursion */
enum { BL_MODULE_SLOTS = 5, BL_MODULE_SUMMARY = 160, BL_MODULE_PATH = 256 };

struct bl_module {
	atomic_int refs;
	const bl_module_ops *ops;
	const char *kind;                /* ops->kind, or what a network calls itself */
	const char *maker;               /* what its constructor is called, where that is not its kind; NULL */
	char summary[BL_MODULE_SUMMARY]; /* a network's arguments, instead of its children's texts */
	bool training;
	int input_channels;
	float *input;              /* means, then standard deviations, of the images that it was trained on; NULL: not known */
	bl_provenance *provenance; /* NULL: as it was initialised */
	int slots, children, room;
	int levels;      /* of modules within modules, itself among them, as they were when they were put in */
	int64_t members; /* modules in it, itself among them; one that is in it twice counts twice */
	bl_slot slot[BL_MODULE_SLOTS];
	bl_child *child;
};

/* New module of ops->size zeroed bytes, in training mode; NULL: no memory. */
bl_module *bl_module_new(const bl_module_ops *ops);
/* Gives m another tensor; parameters (all but buffers) require a gradient.  -1: no memory. */
int bl_module_add_slot(bl_module *m, const char *name, bl_param_kind kind, int ndim, const int64_t *shape);
/* Gives m a child, with a reference of m's own.  -1: the name is taken or odd, m is inside the child, or no memory. */
int bl_module_add_child(bl_module *m, const char *name, bl_module *child);
/* The same for a child just made: takes the caller's reference over, NULL (a failure of its maker) included. */
int bl_module_adopt(bl_module *m, const char *name, bl_module *child);
/* m when ok, else m is let go of and NULL returned. */
bl_module *bl_module_keep(bl_module *m, bool ok);
/* The same, and m is initialised with seed 0: for what a maker in nn.h returns. */
bl_module *bl_module_finish(bl_module *m, bool ok);

bl_tensor *bl_module_run_child(bl_module *m, int i, bl_tensor *x);
/* Puts in front of the error's message where child i is, "[1] (linear 3 -> 4): "; returns -1. */
int bl_module_locate_child(const bl_module *m, int i);
bl_tensor *bl_module_run_fused(bl_module *m, int i, bl_tensor *x, bl_tensor *residual, bool relu);
bool bl_module_can_fuse(const bl_module *m);
bool bl_module_is_relu(const bl_module *m);

/* Is this thread running modules without effects: no running statistics kept, nothing counted? */
bool bl_module_dry(void);
/* And by running statistics whatever the mode, so that one sample will do? */
bool bl_module_probing(void);

#endif
