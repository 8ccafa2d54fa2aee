/* SPDX-License-Identifier: GPL-3.0-or-later */
/* optim.c: the functions that all optimisers share: settings, state, and division of parameters into pieces. */
#include "optim/optim.h"

#include <barlow/error.h>
#include <barlow/memory.h>

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 14 };

/* --- Settings --- */

int bl_optim_set(bl_optim_config *c, const char *name, double value)
{
	const bl_field *f = bl_field_find(c->ops->fields, name);
	if (!f)
		return bl_fail("%s has no setting '%s'", c->ops->name, name);
	return bl_field_set(f, c->room, &value, 1) != 0 ? bl_fail_prefix("%s: ", c->ops->name) : 0;
}

double bl_optim_get(const bl_optim_config *c, const char *name)
{
	const bl_field *f = bl_field_find(c->ops->fields, name);
	double v[BL_LIST_MOST] = { NAN };
	if (f)
		bl_field_get(f, c->room, v);
	return v[0];
}

const char *bl_optim_kind(const bl_optim_config *c)
{
	return c->ops->name;
}

static int check(const bl_optim_config *c)
{
	if (!c->ops)
		return bl_fail("optimiser: its kind is missing: see bl_optim_default");
	return bl_settings_check(c->ops->fields, c->room) != 0 ? bl_fail_prefix("optimiser: ") : 0;
}

/* --- Creation --- */

int64_t bl_optim_pieces_of(const bl_param *q)
{
	return (q->count + PIECE - 1) / PIECE;
}

static void cut(bl_optim *o)
{
	bl_optim_piece *at = o->piece;
	for (int i = 0; i < bl_params_length(o->p); i++) {
		const bl_param *q = bl_params_get(o->p, i);
		for (int64_t k = 0; k < q->count; k += PIECE)
			*at++ = (bl_optim_piece){ i, q->start + k, q->count - k < PIECE ? q->count - k : PIECE };
	}
}

static int take_memory(bl_optim *o)
{
	size_t bytes = (size_t)bl_params_count(o->p) * sizeof(float);
	for (int i = 0; i < bl_params_length(o->p); i++)
		o->pieces += bl_optim_pieces_of(bl_params_get(o->p, i));
	o->piece = malloc(((size_t)o->pieces + 1) * sizeof *o->piece);
	o->work = malloc(o->c.ops->room ? o->c.ops->room(o) + 1 : 1);
	if (!o->piece || !o->work)
		return bl_fail("optimiser: no memory");
	for (int k = 0; o->c.ops->state[k]; k++) {
		o->state[k] = bl_block_take(bytes);
		if (!o->state[k])
			return -1;
		memset(o->state[k], 0, bytes);
	}
	return 0;
}

bl_optim *bl_optim_new(const bl_optim_config *c, bl_params *p)
{
	if (check(c))
		return NULL;
	bl_optim *o = calloc(1, sizeof *o);
	if (!o)
		return bl_fail_null("optimiser: no memory");
	o->c = *c;
	o->p = p;
	if (take_memory(o)) {
		bl_optim_free(o);
		return NULL;
	}
	cut(o);
	return o;
}

void bl_optim_free(bl_optim *o)
{
	if (!o)
		return;
	for (int k = 0; k < OPTIM_STATES; k++)
		bl_block_give(o->state[k]);
	free(o->piece);
	free(o->work);
	free(o);
}

bl_optim_config *bl_optim_settings(bl_optim *o)
{
	return &o->c;
}

float *bl_optim_state(bl_optim *o, int k, const char **name)
{
	const char *found = k >= 0 && k < OPTIM_STATES ? o->c.ops->state[k] : NULL;
	if (name)
		*name = found;
	return found ? o->state[k] : NULL;
}

int64_t *bl_optim_count(bl_optim *o)
{
	return &o->steps;
}

/* --- A step --- */

bool bl_optim_is_weight(const bl_optim *o, int param)
{
	return bl_params_get(o->p, param)->ndim > 1;
}

double bl_optim_rate(const bl_optim_job *j, int param)
{
	const bl_optim_config *c = &j->o->c;
	bool own = !bl_optim_is_weight(j->o, param) && c->lr_bias > 0;
	return j->factor * (own ? c->lr_bias : c->lr);
}

double bl_optim_decay(const bl_optim *o, int param, bool all)
{
	return all || bl_optim_is_weight(o, param) ? o->c.weight_decay : 0;
}

void bl_optim_step(bl_optim *o, double factor)
{
	o->steps++;
	o->c.ops->step(&(bl_optim_job){ o, bl_params_values(o->p), bl_params_grads(o->p), factor });
}
