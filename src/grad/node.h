/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node.h (private): the interface with which operations record nodes for the backward pass.
 *
 * An operation computes `out`, then calls bl_node_attach, which adds a node to
 * it with a copy of the operation's context.  backward(ctx, in, out, dout) writes
 * to bl_grad_sink(in[i]) for every input that requires a gradient (bl_grad_wants).
 */
#ifndef BARLOW_GRAD_NODE_H
#define BARLOW_GRAD_NODE_H

#include "tensor/tensor.h"

#include <barlow/grad.h>

/* BL_OP_cumsum and so on: every such name in a file is an operation (ops.sh), and needs a gradient check. */
enum bl_op {
#define BL_OP(name) BL_OP_##name,
#include "src/grad/ops.def"
#undef BL_OP
	BL_OP_COUNT
};

enum { BL_NODE_INPUTS = 4, BL_NODE_CONTEXT = 192 };

/* Is an operation with these inputs (NULLs are skipped) recorded? */
bool bl_node_wanted(int n, bl_tensor *const *in);

/*
 * Adds a node to `out` with op, references to its inputs (NULLs are skipped) and a copy of ctx (at most BL_NODE_CONTEXT
 * bytes); release(copy), unless NULL, is called when the node is freed.  If nothing has to be recorded, only calls
 * release.  Returns out; on failure releases out and returns NULL.
 */
bl_tensor *bl_node_attach(bl_tensor *out, enum bl_op op, int n, bl_tensor *const *in, bl_backward_fn *backward, const void *ctx,
                          size_t ctx_size, void (*release)(void *ctx));

/* Does t (NULL: no) require a gradient: is it a leaf that does, or computed from one? */
bool bl_grad_wants(const bl_tensor *t);

/*
 * The tensor to which the gradient of t is written: dense, with t's shape (and t's memory order if t is dense, else
 * row-major).  *add: add to its values, else overwrite all of them.  NULL: no memory.  t has to require a gradient.
 */
bl_tensor *bl_grad_sink(bl_tensor *t, bool *add);

/*
 * The same, or g itself, if that saves memory and there is no other reference to g, the gradient of the result, which
 * is freed after its backward function.  So an element of g has to be read before the same element of the sink is
 * written.
 */
bl_tensor *bl_grad_sink_over(bl_tensor *t, bl_tensor *g, bool *add);

/* Adds g (of t's shape) to t's gradient, without a copy if possible.  g is borrowed, and must not be written afterwards. */
int bl_grad_pass(bl_tensor *t, bl_tensor *g);

const char *bl_op_name(enum bl_op op);

#endif
