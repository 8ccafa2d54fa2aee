/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv_choice.c: choices of algorithms as text and in tables, and the order of precedence of their sources. */
#include "tensor/conv/conv.h"

#include <barlow/ambient.h>
#include <barlow/error.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bl_choices {
	bl_choice *list;
	int n, room;
	bl_choices *before; /* published earlier; never freed, since other threads may be reading it */
};

static atomic_int forced = -1; /* -1: BARLOW_CONV has not been read yet */
static _Atomic(bl_choices *) tuned;

/* --- Shapes and choices as text ---------------------------------------------------- */

const char *bl_conv_key_text(const bl_conv_key *k, char buf[BL_CONV_KEY_TEXT])
{
	int n = snprintf(buf, BL_CONV_KEY_TEXT, "%lldx%lldx%lld-%lld:%lldx%llds%lldp%lld", (long long)k->c, (long long)k->h,
	                 (long long)k->w, (long long)k->k, (long long)k->r, (long long)k->s, (long long)k->stride,
	                 (long long)k->padding);
	if (k->groups != 1)
		n += snprintf(buf + n, BL_CONV_KEY_TEXT - (size_t)n, "g%lld", (long long)k->groups);
	if (k->gap)
		snprintf(buf + n, BL_CONV_KEY_TEXT - (size_t)n, "d%lld", (long long)k->gap + 1);
	return buf;
}

static bool can_be(const bl_conv_key *k)
{
	return k->c > 0 && k->k > 0 && k->r > 0 && k->s > 0 && k->stride > 0 && k->padding >= 0 && k->groups > 0 && k->gap >= 0 &&
	       k->c % k->groups == 0 && k->k % k->groups == 0 && k->h + 2 * k->padding >= bl_conv_reach(k->r, k->gap) &&
	       k->w + 2 * k->padding >= bl_conv_reach(k->s, k->gap);
}

/* Parses the optional parts after the shape, "g4" and "d2", each at most once. */
static void parse_rest(const char *rest, bl_conv_key *k)
{
	long groups = 1, dilation = 1;
	if (sscanf(rest, "g%9ldd%9ld", &groups, &dilation) < 1)
		sscanf(rest, "d%9ld", &dilation);
	k->groups = groups;
	k->gap = dilation - 1;
}

/* Numbers have at most nine digits.  The text of the parsed shape must equal `text`. */
int bl_conv_key_parse(const char *text, bl_conv_key *k)
{
	long v[8] = { 0 };
	int end = 0;
	char again[BL_CONV_KEY_TEXT];
	int found = sscanf(text, "%9ldx%9ldx%9ld-%9ld:%9ldx%9lds%9ldp%9ld%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6],
	                   &v[7], &end);
	*k = (bl_conv_key){ v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], 1, 0 };
	if (found == 8)
		parse_rest(text + end, k);
	if (found == 8 && !strcmp(bl_conv_key_text(k, again), text) && can_be(k))
		return 0;
	return bl_fail("'%.80s' is no convolution's shape: expected as in 64x32x32-128:3x3s2p1", text);
}

const char *bl_choice_text(const bl_choice *c, char buf[BL_CHOICE_TEXT])
{
	const char *const *names = bl_conv_algorithms();
	if (c->by[0] == c->by[1] && c->by[1] == c->by[2])
		snprintf(buf, BL_CHOICE_TEXT, "%s", names[c->by[0]]);
	else
		snprintf(buf, BL_CHOICE_TEXT, "%s %s %s", names[c->by[0]], names[c->by[1]], names[c->by[2]]);
	return buf;
}

int bl_choice_parse(const char *text, bl_choice *c)
{
	char word[3][24], rest;
	int n = sscanf(text, "%23s %23s %23s %c", word[0], word[1], word[2], &rest);
	if (n != 1 && n != 3)
		return bl_fail("'%.80s': expected one algorithm, or three for forward, data gradient and weight gradient", text);
	for (int d = 0; d < BL_CONV_DIRECTIONS; d++) {
		int a = bl_conv_algorithm_of(word[n == 1 ? 0 : d]);
		if (a < 0)
			return -1;
		c->by[d] = (bl_conv_algorithm)a;
	}
	return 0;
}

/* --- Tables -------------------------------------------------------------------------- */

bl_choices *bl_choices_new(void)
{
	bl_choices *t = calloc(1, sizeof *t);
	return t ? t : bl_fail_null("no memory for the choices of convolutions");
}

void bl_choices_free(bl_choices *t)
{
	if (t)
		free(t->list);
	free(t);
}

static bl_choice *find(const bl_choices *t, const bl_conv_key *k)
{
	for (int i = 0; t && i < t->n; i++)
		if (!memcmp(&t->list[i].key, k, sizeof *k))
			return t->list + i;
	return NULL;
}

static int grow(bl_choices *t)
{
	int room = t->room ? 2 * t->room : 16;
	bl_choice *list = realloc(t->list, (size_t)room * sizeof *list);
	if (!list)
		return bl_fail("no memory for the choices of convolutions");
	t->list = list;
	t->room = room;
	return 0;
}

int bl_choices_set(bl_choices *t, const bl_choice *c)
{
	bl_choice *old = find(t, &c->key);
	if (!old && t->n == t->room && grow(t) != 0)
		return -1;
	*(old ? old : t->list + t->n++) = *c;
	return 0;
}

const bl_choice *bl_choices_find(const bl_choices *t, const bl_conv_key *k)
{
	return find(t, k);
}

int bl_choices_count(const bl_choices *t)
{
	return t->n;
}

const bl_choice *bl_choices_at(const bl_choices *t, int i)
{
	return t->list + i;
}

/* --- Precedence ------------------------------------------------------------------------ */

void bl_conv_force(bl_conv_algorithm a)
{
	atomic_store(&forced, a);
}

static int from_environment(void)
{
	const char *name = getenv("BARLOW_CONV");
	return name ? bl_conv_algorithm_of(name) : BL_CONV_AUTO;
}

int bl_conv_environment(void)
{
	return from_environment() < 0 ? bl_fail_prefix("BARLOW_CONV: ") : 0;
}

static bl_conv_algorithm force(void)
{
	if (atomic_load(&forced) < 0) {
		int a = from_environment();
		atomic_store(&forced, a < 0 ? BL_CONV_AUTO : a);
	}
	return (bl_conv_algorithm)atomic_load(&forced);
}

const bl_choices *bl_choices_use(const bl_choices *t)
{
	const bl_choices *before = bl_ambient_here()->choices;
	bl_ambient_here()->choices = t;
	return before;
}

void bl_choices_record(bl_choices *t)
{
	bl_ambient_here()->record = t;
}

void bl_choices_publish(bl_choices *t)
{
	static _Atomic(bl_choices *) kept;
	if (t)
		t->before = atomic_exchange(&kept, t);
	atomic_store(&tuned, t);
}

static bl_conv_key key_of(const bl_conv *g)
{
	return (bl_conv_key){ g->c, g->h, g->w, g->k, g->r, g->s, g->stride, g->padding, g->groups, g->gap };
}

bl_conv bl_conv_of_key(const bl_conv_key *k, int64_t n)
{
	return (bl_conv){ .n = n,
		          .c = k->c,
		          .h = k->h,
		          .w = k->w,
		          .k = k->k,
		          .r = k->r,
		          .s = k->s,
		          .p = bl_conv_outputs(k->h, k->r, k->stride, k->padding, k->gap),
		          .q = bl_conv_outputs(k->w, k->s, k->stride, k->padding, k->gap),
		          .stride = k->stride,
		          .padding = k->padding,
		          .groups = k->groups,
		          .gap = k->gap };
}

/* The first of four algorithms that is not AUTO, or else that of bl_conv_rule; GATHER if it does not fit the shape. */
static bl_conv_algorithm first(const bl_conv *g, const bl_conv_algorithm says[4])
{
	bl_conv_algorithm a = bl_conv_rule(g);
	for (int i = 3; i >= 0; i--)
		if (says[i] != BL_CONV_AUTO)
			a = says[i];
	return bl_conv_fits(g, a) ? a : BL_CONV_GATHER;
}

static void choose(bl_conv *g, const bl_conv_key *k, bl_conv_algorithm asked, const bl_choices *mine)
{
	const bl_choice *run = find(mine, k), *machine = find(atomic_load(&tuned), k);
	bl_conv_algorithm force_by = force();
	for (int d = 0; d < BL_CONV_DIRECTIONS; d++)
		g->by[d] = first(g, (bl_conv_algorithm[]){ force_by, asked, run ? run->by[d] : BL_CONV_AUTO,
		                                           machine ? machine->by[d] : BL_CONV_AUTO });
}

static bl_choice choice_of(const bl_conv *g, const bl_conv_key *k)
{
	bl_choice c = { .key = *k };
	memcpy(c.by, g->by, sizeof c.by);
	return c;
}

int bl_conv_choose(bl_conv *g, bl_conv_algorithm asked)
{
	bl_conv_key k = key_of(g);
	bl_choices *recorded = bl_ambient_here()->record;
	choose(g, &k, asked, bl_ambient_here()->choices);
	if (!recorded || asked != BL_CONV_AUTO || find(recorded, &k))
		return 0;
	bl_choice c = choice_of(g, &k);
	return bl_choices_set(recorded, &c);
}

void bl_choices_renew(bl_choices *t)
{
	for (int i = 0; i < t->n; i++) {
		bl_conv g = bl_conv_of_key(&t->list[i].key, 1);
		choose(&g, &t->list[i].key, BL_CONV_AUTO, NULL);
		memcpy(t->list[i].by, g.by, sizeof g.by);
	}
}
