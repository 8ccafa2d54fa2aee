/* SPDX-License-Identifier: GPL-3.0-or-later */
/* provenance.c: the origin of a module's weights, unless these are the initial weights (nn.h). */
#include "nn/module.h"

#include <stdio.h>
#include <stdlib.h>

struct bl_provenance {
	atomic_int refs;
	bool run;
	char name[BL_PROVENANCE_NAME];
	_Atomic int64_t step;
	atomic_bool live;
};

bl_provenance *bl_provenance_new(const char *name, bool run)
{
	bl_provenance *p = calloc(1, sizeof *p);
	if (!p)
		return bl_fail_null("%s: no memory", name);
	atomic_init(&p->refs, 1);
	p->run = run;
	snprintf(p->name, sizeof p->name, "%s", name);
	return p;
}

bl_provenance *bl_provenance_ref(bl_provenance *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void bl_provenance_unref(bl_provenance *p)
{
	if (p && atomic_fetch_sub(&p->refs, 1) == 1)
		free(p);
}

void bl_provenance_set(bl_provenance *p, int64_t step, bool live)
{
	atomic_store(&p->step, step);
	atomic_store(&p->live, live);
}

const char *bl_provenance_name(const bl_provenance *p)
{
	return p->name;
}

bool bl_provenance_is_run(const bl_provenance *p)
{
	return p->run;
}

int64_t bl_provenance_step(const bl_provenance *p)
{
	return atomic_load(&p->step);
}

bool bl_provenance_live(const bl_provenance *p)
{
	return atomic_load(&p->live);
}

bl_provenance *bl_module_provenance(const bl_module *m)
{
	return m->provenance;
}

/* Does nothing if the module belongs to a live run. */
static void set(bl_module *m, bl_provenance *p)
{
	bl_provenance *before = m->provenance;
	if (before == p || (before && bl_provenance_live(before)))
		return;
	m->provenance = p ? bl_provenance_ref(p) : NULL;
	bl_provenance_unref(before);
}

/* Sets the provenance of all modules that contain a parameter or buffer.  Returns true if m contains one. */
static bool set_all(bl_module *m, bl_provenance *p)
{
	bool any = m->slots > 0;
	for (int i = 0; i < m->children; i++)
		any |= set_all(m->child[i].module, p);
	if (any)
		set(m, p);
	return any;
}

void bl_module_set_provenance(bl_module *m, bl_provenance *p)
{
	set_all(m, p);
}
