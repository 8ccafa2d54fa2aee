/* SPDX-License-Identifier: GPL-3.0-or-later */
/* columns.c: lists of columns: checks names, finds columns, and writes values as text. */
#include <barlow/columns.h>
#include <barlow/error.h>
#include <barlow/text.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PRECISION_MAX = 17, PRECISION_USUAL = 4 };

/* Does not depend on the locale. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool may_follow(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

int bl_column_name_check(const char *name)
{
	size_t n = strlen(name);
	if (n == 0)
		return bl_fail("a column's name is empty");
	if (n >= BL_COLUMN_NAME)
		return bl_fail("the column's name '%.40s' has %zu characters: expected at most %d", name, n, BL_COLUMN_NAME - 1);
	for (size_t i = 0; i < n; i++)
		if (i == 0 ? !is_letter(name[0]) : !may_follow(name[i]))
			return bl_fail("'%s' cannot be a column's name: expected a letter, then letters, digits, '_' and '.'",
			               name);
	return 0;
}

int bl_columns_add(bl_columns *c, const bl_column *column)
{
	if (bl_column_name_check(column->name) != 0)
		return -1;
	if (strcmp(column->name, "step") == 0 || bl_columns_find(c, column->name) >= 0)
		return bl_fail("there is a column '%s' already", column->name);
	if (c->n == BL_COLUMNS_MAX)
		return bl_fail("no room for the column '%s': a run has at most %d", column->name, BL_COLUMNS_MAX);
	c->column[c->n] = *column;
	return c->n++;
}

void bl_column_clean(bl_column *c)
{
	bl_text_clean_here(c->name, sizeof c->name);
	bl_text_clean_here(c->label, sizeof c->label);
	bl_text_clean_here(c->brief, sizeof c->brief);
	bl_text_clean_here(c->unit, sizeof c->unit);
	if (c->kind >= BL_COLUMN_KINDS)
		c->kind = BL_COLUMN_OWN;
	if (c->precision > PRECISION_MAX)
		c->precision = PRECISION_USUAL;
	if (!is_letter(c->mark) && c->mark != '-')
		c->mark = '\0';
}

int bl_columns_find(const bl_columns *c, const char *name)
{
	for (int i = 0; i < c->n; i++)
		if (strcmp(c->column[i].name, name) == 0)
			return i;
	return -1;
}

int bl_columns_next(const bl_columns *c, bl_column_kind kind, int from)
{
	for (int i = from; i < c->n; i++)
		if (c->column[i].kind == kind)
			return i;
	return -1;
}

bool bl_columns_part(const bl_columns *c, int place)
{
	uint8_t kind = c->column[place].kind;
	bool weighted = place + 1 < c->n && c->column[place + 1].kind == BL_COLUMN_WEIGHTED;
	return kind == BL_COLUMN_WEIGHTED || (kind == BL_COLUMN_TERM && !weighted);
}

bool bl_columns_idle(const bl_columns *c, int place, double value)
{
	static const char prefix[] = "loss.";
	const bl_column *i = &c->column[place];
	if (i->kind != BL_COLUMN_PARAMETER || value != 1 || strncmp(i->name, prefix, sizeof prefix - 1) != 0)
		return false;
	int term = bl_columns_find(c, i->name + sizeof prefix - 1);
	return term >= 0 && c->column[term].kind == BL_COLUMN_TERM;
}

bool bl_column_rare(const bl_column *c)
{
	return c->kind == BL_COLUMN_SCORE || c->kind == BL_COLUMN_OWN;
}

bl_record bl_record_empty(int64_t step)
{
	bl_record r = { .step = step };
	for (int i = 0; i < BL_COLUMNS_MAX; i++)
		r.value[i] = NAN;
	return r;
}

double bl_record_value(const bl_record *r, const bl_columns *c, const char *name)
{
	int place = bl_columns_find(c, name);
	return place >= 0 ? r->value[place] : NAN;
}

const char *bl_column_label(const bl_column *c)
{
	return c->label[0] ? c->label : c->name;
}

const char *bl_column_brief(const bl_column *c)
{
	return c->brief[0] ? c->brief : bl_column_label(c);
}

void bl_column_text(const bl_column *c, double value, char *out, size_t size)
{
	int digits = c->precision > 0 || c->fixed ? c->precision : PRECISION_USUAL;
	if (isnan(value))
		snprintf(out, size, "-");
	else if (c->fixed)
		snprintf(out, size, "%.*f", digits, value);
	else
		snprintf(out, size, "%.*g", digits, value);
}
