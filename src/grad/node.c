/* SPDX-License-Identifier: GPL-3.0-or-later */
/* node.c: records operations in a graph, and makes the backward pass. */
#include "grad/node.h"

#include <barlow/ambient.h>
#include <barlow/memory.h>
#include <barlow/parallel.h>
#include <barlow/profile.h>

#include <assert.h>
#include <string.h>

typedef struct bl_node {
	uint64_t turn; /* number in the order of creation; larger than those of the nodes of the inputs */
	enum bl_op op;
	int n;
	bl_tensor *in[BL_NODE_INPUTS];
	bl_tensor **many; /* used instead of in[] for more inputs */
	bl_backward_fn *backward;
	void (*release)(void *);
	const char *name; /* of a custom operation */
	char *module;     /* the module that the operation belongs to, if it is profiled */
	bool queued;
	struct bl_node *next; /* the next node in the list of nodes to free */
	_Alignas(16) char ctx[BL_NODE_CONTEXT];
} bl_node;

static atomic_uint_fast64_t turns;

static const char *const names[] = {
#define BL_OP(name) #name,
#include "src/grad/ops.def"
#undef BL_OP
	NULL
};

const char *const *bl_op_names(void)
{
	return names;
}

const char *bl_op_name(enum bl_op op)
{
	return names[op];
}

bool bl_grad_enable(bool on)
{
	bl_ambient *here = bl_ambient_here();
	bool was = !here->no_graph;
	here->no_graph = !on;
	return was;
}

bool bl_grad_wants(const bl_tensor *t)
{
	return t && (t->leaf_grad || t->node || t->spent);
}

bool bl_node_wanted(int n, bl_tensor *const *in)
{
	if (bl_ambient_here()->no_graph)
		return false;
	for (int i = 0; i < n; i++)
		if (bl_grad_wants(in[i]))
			return true;
	return false;
}

static bl_tensor **inputs_of(bl_node *nd)
{
	return nd->many ? nd->many : nd->in;
}

/*
 * Frees a node.  A chain of a hundred thousand nodes must not be freed by recursion, so nested calls only append their
 * node to a list, which the outermost call processes.
 */
static void node_free(bl_node *nd)
{
	static _Thread_local bl_node *waiting;
	static _Thread_local bool busy;
	nd->next = waiting;
	waiting = nd;
	if (busy)
		return;
	busy = true;
	while ((nd = waiting) != NULL) {
		waiting = nd->next;
		if (nd->release)
			nd->release(nd->ctx);
		for (int i = 0; i < nd->n; i++)
			bl_tensor_unref(inputs_of(nd)[i]);
		bl_block_give(nd->many);
		bl_block_give(nd->module);
		bl_block_give(nd);
	}
	busy = false;
}

static bool node_inputs(bl_node *nd, int n, bl_tensor *const *in)
{
	if (n > BL_NODE_INPUTS) {
		nd->many = bl_block_take((size_t)n * sizeof *nd->many);
		if (!nd->many)
			return false;
	}
	nd->n = n;
	for (int i = 0; i < n; i++)
		inputs_of(nd)[i] = in[i] ? bl_tensor_ref(in[i]) : NULL;
	return true;
}

static bl_node *node_new(int n, bl_tensor *const *in)
{
	bl_node *nd = bl_block_take(sizeof *nd);
	if (!nd)
		return NULL;
	memset(nd, 0, sizeof *nd);
	if (!node_inputs(nd, n, in)) {
		bl_block_give(nd);
		return NULL;
	}
	nd->turn = atomic_fetch_add(&turns, 1);
	return nd;
}

/* Adds the operation's time to the profile, and stores the module in the node, so that the backward pass can use it. */
static void profile(bl_node *nd, enum bl_op op)
{
	if (!bl_profile_on())
		return;
	const char *module = bl_profile_module();
	bl_profile_book(module, names[op], false);
	size_t size = strlen(module) + 1;
	if (nd && (nd->module = bl_block_take(size)) != NULL)
		memcpy(nd->module, module, size);
}

bl_tensor *bl_node_attach(bl_tensor *out, enum bl_op op, int n, bl_tensor *const *in, bl_backward_fn *backward, const void *ctx,
                          size_t ctx_size, void (*release)(void *ctx))
{
	char copy[BL_NODE_CONTEXT] = { 0 };
	assert(ctx_size <= BL_NODE_CONTEXT);
	if (ctx_size)
		memcpy(copy, ctx, ctx_size);
	bl_node *nd = out && bl_node_wanted(n, in) ? node_new(n, in) : NULL;
	profile(nd, op);
	if (!nd) {
		if (release)
			release(copy);
		if (!out || !bl_node_wanted(n, in))
			return out;
		bl_tensor_unref(out);
		return NULL;
	}
	nd->op = op;
	nd->backward = backward;
	nd->release = release;
	memcpy(nd->ctx, copy, sizeof copy);
	out->node = nd;
	out->node_free = node_free;
	return out;
}

/* The context of a custom operation; ctx belongs to the caller. */
typedef struct custom {
	bl_backward_fn *backward;
	void (*release)(void *);
	void *ctx;
} custom;

static int custom_backward(void *ctx, bl_tensor *const *in, const bl_tensor *out, const bl_tensor *dout)
{
	custom *c = ctx;
	return c->backward(c->ctx, in, out, dout);
}

static void custom_release(void *ctx)
{
	custom *c = ctx;
	if (c->release)
		c->release(c->ctx);
}

int bl_grad_record(bl_tensor *out, const char *name, bl_tensor *const *inputs, int n, bl_backward_fn *backward, void *ctx,
                   void (*release)(void *))
{
	custom c = { backward, release, ctx };
	bl_tensor_ref(out); /* bl_node_attach releases it on failure */
	if (!bl_node_attach(out, BL_OP_custom, n, inputs, custom_backward, &c, sizeof c, custom_release))
		return -1;
	if (out->node)
		out->node->name = name;
	bl_tensor_unref(out);
	return 0;
}

bool bl_grad_wanted(bl_tensor *const *inputs, int n)
{
	return bl_node_wanted(n, inputs);
}

void bl_tensor_set_requires_grad(bl_tensor *t, bool on)
{
	t->leaf_grad = on;
}

bool bl_tensor_requires_grad(const bl_tensor *t)
{
	return bl_grad_wants(t);
}

bool bl_tensor_is_leaf(const bl_tensor *t)
{
	return !t->node && !t->spent;
}

bl_tensor *bl_tensor_grad(const bl_tensor *t)
{
	return t->grad_live ? t->grad : NULL;
}

void bl_tensor_zero_grad(bl_tensor *t)
{
	t->grad_live = false;
}

bl_tensor *bl_tensor_detach(bl_tensor *t)
{
	return bl_tensor_view_of(t, t->ndim, t->shape, t->stride, t->data);
}

/* Is this the only reference to g and to its storage? */
static bool held_once(bl_tensor *g)
{
	return atomic_load(&g->refs) == 1 && atomic_load(&g->storage->refs) == 1;
}

/* Replaces the gradient by a copy if there are other references to it, because values will be added to it in place. */
static bool own_grad(bl_tensor *t)
{
	if (held_once(t->grad))
		return true;
	bl_tensor *mine = bl_tensor_clone(t->grad);
	if (!mine)
		return false;
	bl_tensor_unref(t->grad);
	t->grad = mine;
	return true;
}

bl_tensor *bl_grad_sink(bl_tensor *t, bool *add)
{
	*add = t->grad_live;
	if (!t->grad)
		t->grad = bl_tensor_like(t);
	if (!t->grad || (*add && !t->leaf_grad && !own_grad(t)))
		return NULL;
	t->grad_live = true;
	return t->grad;
}

typedef struct add_run_ctx {
	bool add;
} add_run_ctx;

static void add_run(void *ctx, int64_t n, float *const *p, const int64_t *step)
{
	bool add = ((const add_run_ctx *)ctx)->add;
	if (step[0] == 1 && step[1] == 1) {
		for (int64_t i = 0; i < n; i++) /* is vectorised */
			p[0][i] = (add ? p[0][i] : 0) + p[1][i];
		return;
	}
	for (int64_t i = 0; i < n; i++)
		p[0][i * step[0]] = (add ? p[0][i * step[0]] : 0) + p[1][i * step[1]];
}

int bl_grad_add(bl_tensor *t, const bl_tensor *g)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	add_run_ctx ctx;
	bl_walk w;
	if (!bl_grad_wants(t))
		return 0;
	if (!bl_tensor_same_shape(t, g))
		return bl_fail("gradient of shape %s for a tensor of shape %s", bl_tensor_text(g, a), bl_tensor_text(t, b));
	bl_tensor *sink = bl_grad_sink(t, &ctx.add);
	if (!sink)
		return -1;
	bl_walk_init(&w, 2, (bl_tensor *[]){ sink, (bl_tensor *)g });
	bl_walk_run(&w, add_run, &ctx);
	return 0;
}

static bool same_memory_order(const bl_tensor *a, const bl_tensor *b)
{
	return (bl_tensor_is_contiguous(a) && bl_tensor_is_contiguous(b)) ||
	       (bl_tensor_is_channels_last(a) && bl_tensor_is_channels_last(b));
}

bl_tensor *bl_grad_sink_over(bl_tensor *t, bl_tensor *g, bool *add)
{
	if (t->leaf_grad || t->grad || !held_once(g) || !same_memory_order(t, g))
		return bl_grad_sink(t, add);
	*add = false;
	t->grad = bl_tensor_ref(g);
	t->grad_live = true;
	return t->grad;
}

int bl_grad_pass(bl_tensor *t, bl_tensor *g)
{
	if (!bl_grad_wants(t))
		return 0;
	if (t->leaf_grad || t->grad_live || !same_memory_order(t, g))
		return bl_grad_add(t, g);
	bl_tensor_unref(t->grad);
	t->grad = bl_tensor_ref(g);
	t->grad_live = true;
	return 0;
}

/* A priority queue of tensors to be processed, the largest turn first: a binary heap. */
typedef struct queue {
	bl_tensor **v;
	int n, room;
} queue;

static bool queue_grow(queue *q)
{
	int room = q->room ? 2 * q->room : 32;
	bl_tensor **v = bl_block_take((size_t)room * sizeof *v);
	if (!v)
		return false;
	if (q->n)
		memcpy(v, q->v, (size_t)q->n * sizeof *v);
	bl_block_give(q->v);
	q->v = v;
	q->room = room;
	return true;
}

static int push(queue *q, bl_tensor *t)
{
	if (q->n == q->room && !queue_grow(q))
		return -1;
	t->node->queued = true;
	int i = q->n++;
	for (; i > 0 && q->v[(i - 1) / 2]->node->turn < t->node->turn; i = (i - 1) / 2)
		q->v[i] = q->v[(i - 1) / 2];
	q->v[i] = bl_tensor_ref(t);
	return 0;
}

static bl_tensor *pop(queue *q)
{
	bl_tensor *top = q->v[0], *last = q->v[--q->n];
	int i = 0;
	for (int child; (child = 2 * i + 1) < q->n; i = child) {
		if (child + 1 < q->n && q->v[child + 1]->node->turn > q->v[child]->node->turn)
			child++;
		if (q->v[child]->node->turn < last->node->turn)
			break;
		q->v[i] = q->v[child];
	}
	q->v[i] = last;
	return top;
}

static int push_inputs(queue *q, bl_node *nd)
{
	for (int i = 0; i < nd->n; i++) {
		bl_tensor *in = inputs_of(nd)[i];
		if (!in)
			continue;
		if (in->spent)
			return bl_fail("backward: a part of the graph was freed by an earlier backward pass");
		if (in->node && !in->node->queued && push(q, in))
			return -1;
	}
	return 0;
}

/* Frees the tensor's node and gradient, which are no longer needed, so that their memory can be reused. */
static void spend(bl_tensor *t)
{
	bl_node *nd = t->node;
	t->node = NULL;
	t->spent = true;
	t->grad_live = false;
	bl_tensor_unref(t->grad);
	t->grad = NULL;
	node_free(nd);
}

static int step_back(queue *q, bl_tensor *t)
{
	bl_node *nd = t->node;
	if (push_inputs(q, nd))
		return -1;
	bool was = bl_grad_enable(false);
	int rc = t->grad_live ? nd->backward(nd->ctx, inputs_of(nd), t, t->grad) : 0;
	bl_grad_enable(was);
	if (bl_profile_on())
		bl_profile_book(nd->module ? nd->module : "", bl_op_name(nd->op), true);
	if (rc)
		bl_fail_prefix("backward of %s: ", nd->name ? nd->name : bl_op_name(nd->op));
	return rc;
}

static int check_start(const bl_tensor *t, const bl_tensor *seed)
{
	char a[BL_SHAPE_TEXT], b[BL_SHAPE_TEXT];
	if (t->spent)
		return bl_fail("backward: the graph was freed by an earlier backward pass");
	if (!bl_grad_wants(t))
		return bl_fail("backward: nothing that this tensor was computed from requires a gradient");
	if (!seed && bl_tensor_count(t) != 1)
		return bl_fail("backward: expected a scalar, got shape %s", bl_tensor_text(t, a));
	if (seed && !bl_tensor_same_shape(t, seed))
		return bl_fail("backward: seed of shape %s for a tensor of shape %s", bl_tensor_text(seed, a),
		               bl_tensor_text(t, b));
	return 0;
}

static int seed_grad(bl_tensor *t, const bl_tensor *seed)
{
	if (seed)
		return bl_grad_add(t, seed);
	bl_tensor *one = bl_tensor_full(t->ndim, t->shape, 1);
	int rc = one ? bl_grad_add(t, one) : -1;
	bl_tensor_unref(one);
	return rc;
}

int bl_backward(bl_tensor *t, const bl_tensor *seed)
{
	queue q = { 0 };
	if (check_start(t, seed) || seed_grad(t, seed))
		return -1;
	int rc = t->node ? push(&q, t) : 0;
	while (q.n > 0) {
		bl_tensor *top = pop(&q);
		if (!rc)
			rc = bl_check_given_up() ? -1 : step_back(&q, top);
		spend(top);
		bl_tensor_unref(top);
	}
	bl_block_give(q.v);
	return rc;
}
