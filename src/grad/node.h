/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node.h (private): the interface with which operations record nodes for the backward pass.
 *
 * An operation computes `out`, and then calls bl_node_attach, which adds to `out` a node with a copy of the operation's
 * context.  In the backward pass, backward(ctx, in, out, dout) writes the gradient of every input that requires one
 * (bl_grad_wants) to bl_grad_sink(in[i]).
 */
#ifndef BARLOW_GRAD_NODE_H
#define BARLOW_GRAD_NODE_H

#include "tensor/tensor.h"

#include <barlow/grad.h>

/* BL_OP_cumsum and so on.  ops.sh finds these names in the C files; a test checks the gradient of every operation. */
enum bl_op {
#define BL_OP(name) BL_OP_##name,
#include "src/grad/ops.def"
#undef BL_OP
	BL_OP_COUNT
};

enum { BL_NODE_INPUTS = 4, BL_NODE_CONTEXT = 192 };

/* Must an operation with these inputs be recorded?  NULLs are skipped. */
bool bl_node_wanted(int n, bl_tensor *const *in);

/*
 * Adds a node to `out` with op, references to its n inputs (NULLs are skipped) and a copy of ctx (at most
 * BL_NODE_CONTEXT bytes).  release(copy), unless NULL, is called when the node is freed, or at once if nothing has to
 * be recorded or on failure.  Returns out.  On failure out is released, and the result is NULL.  out may be NULL after
 * an earlier failure.
 */
bl_tensor *bl_node_attach(bl_tensor *out, enum bl_op op, int n, bl_tensor *const *in, bl_backward_fn *backward, const void *ctx,
                          size_t ctx_size, void (*release)(void *ctx));

/* Is t a leaf that requires a gradient, or computed from such a leaf?  False for NULL. */
bool bl_grad_wants(const bl_tensor *t);

/*
 * The tensor to which the gradient of t has to be written, borrowed.  It has t's shape, and t's memory order if t is
 * dense; otherwise it is row-major.  If *add is set to true, the gradient has to be added to its values; otherwise all
 * of them have to be overwritten.  t has to require a gradient.  NULL with bl_error: no memory.
 */
bl_tensor *bl_grad_sink(bl_tensor *t, bool *add);

/*
 * As bl_grad_sink, but the sink may be g, the gradient of the operation's result, to save memory.  g is used if there
 * is no other reference to it, since it is freed after the backward function.  Therefore an element of g has to be read
 * before the same element of the sink is written.
 */
bl_tensor *bl_grad_sink_over(bl_tensor *t, bl_tensor *g, bool *add);

/*
 * Adds g, of t's shape, to t's gradient.  t may keep a reference to g instead of a copy: g must not be changed
 * afterwards.
 */
int bl_grad_pass(bl_tensor *t, bl_tensor *g);

const char *bl_op_name(enum bl_op op);

#endif
