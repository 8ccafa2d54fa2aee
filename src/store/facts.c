/* SPDX-License-Identifier: GPL-3.0-or-later */
/* facts.c: lists of names with numbers or texts, as run.json has them. */
#include <barlow/error.h>
#include <barlow/run_file.h>

#include <stdlib.h>
#include <string.h>

static bl_fact *find(const bl_facts *f, const char *name)
{
	for (int i = 0; i < f->n; i++)
		if (strcmp(f->at[i].name, name) == 0)
			return &f->at[i];
	return NULL;
}

const bl_fact *bl_facts_find(const bl_facts *f, const char *name)
{
	return find(f, name);
}

static bl_fact *add(bl_facts *f, const char *name)
{
	if (f->n == BL_RUN_FACTS)
		return bl_fail_null("more than %d settings", BL_RUN_FACTS);
	if ((f->n & (f->n - 1)) == 0) {
		bl_fact *more = realloc(f->at, (size_t)(f->n ? 2 * f->n : 1) * sizeof *more);
		if (!more)
			return bl_fail_null("no memory for %d settings", f->n + 1);
		f->at = more;
	}
	char *copy = strdup(name);
	if (!copy)
		return bl_fail_null("no memory for '%.40s'", name);
	f->at[f->n] = (bl_fact){ .name = copy };
	return &f->at[f->n++];
}

int bl_facts_set(bl_facts *f, const char *name, double number, const char *text)
{
	if (!*name || strlen(name) >= BL_RUN_FACT_NAME || (text && strlen(text) >= BL_RUN_FACT_TEXT))
		return bl_fail("'%.40s' is too long, or empty", *name ? name : "");
	char *copy = text ? strdup(text) : NULL;
	bl_fact *at = text && !copy ? NULL : find(f, name);
	if (!at)
		at = text && !copy ? bl_fail_null("no memory for '%.40s'", name) : add(f, name);
	if (!at) {
		free(copy);
		return -1;
	}
	free(at->text);
	at->text = copy;
	at->number = number;
	return 0;
}

void bl_facts_free(bl_facts *f)
{
	for (int i = 0; i < f->n; i++) {
		free(f->at[i].name);
		free(f->at[i].text);
	}
	free(f->at);
	*f = (bl_facts){ 0 };
}
