/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node.h (private): how operations record themselves.
 *
 * An operation computes `out`, then asks bl_node_attach for a node on it with
 * room for a context; NULL means that nothing is to be recorded (or that an
 * error is set: see the flag).  backward(ctx, in, out, dout) writes into
 * bl_grad_sink(in[i]) for every input that wants a gradient.
 */
#ifndef BARLOW_GRAD_NODE_H
#define BARLOW_GRAD_NODE_H

#include "tensor/tensor.h"

#include <barlow/grad.h>

/* BL_OP_cumsum and so on: whatever the files name so is an operation (ops.sh), and needs a gradient check. */
enum bl_op {
#define BL_OP(name) BL_OP_##name,
#include "src/grad/ops.def"
#undef BL_OP
	BL_OP_COUNT
};

enum { BL_NODE_INPUTS = 4, BL_NODE_CONTEXT = 192 };

/* Does a result of these inputs (NULLs are passed over) get recorded? */
bool bl_node_wanted(int n, bl_tensor *const *in);

/*
 * Makes `out` remember op and its inputs (a reference to each, NULLs passed
 * over), with ctx copied (at most BL_NODE_CONTEXT bytes) and release(copy),
 * which may be NULL, called when the node goes.  Does nothing, but calls
 * release, when nothing is wanted.  Returns out; on an error lets out go and returns NULL.
 */
bl_tensor *bl_node_attach(bl_tensor *out, enum bl_op op, int n, bl_tensor *const *in, bl_backward_fn *backward, const void *ctx,
                          size_t ctx_size, void (*release)(void *ctx));

/* Does this input take part in the backward under way? */
bool bl_grad_wants(const bl_tensor *t);

/*
 * Where to put d/dt: a dense tensor of t's shape (t's own memory order when t
 * is dense, else row-major).  *add: add to what is there, else overwrite all
 * of it.  NULL: no memory.  t wants a gradient.
 */
bl_tensor *bl_grad_sink(bl_tensor *t, bool *add);

/*
 * The same, or g itself where that saves new memory and nobody else holds g: the gradient of a result, which goes when
 * its backward is done.  Who writes d/dt over g must have read g at that place.
 */
bl_tensor *bl_grad_sink_over(bl_tensor *t, bl_tensor *g, bool *add);

/* Passes a finished gradient on without a copy where possible.  g (t's shape) is borrowed and must not be written afterwards. */
int bl_grad_pass(bl_tensor *t, bl_tensor *g);

const char *bl_op_name(enum bl_op op);

#endif
