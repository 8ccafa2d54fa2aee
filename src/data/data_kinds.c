/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data_kinds.c: the list of the kinds of data sets, and a constructor of sets from settings given as text. */
#include <barlow/data.h>
#include <barlow/error.h>
#include <barlow/number.h>

#include <assert.h>
#include <string.h>

extern const bl_data_kind bl_data_cifar10, bl_data_cifar100, bl_data_csv, bl_data_emnist, bl_data_fashion, bl_data_folder,
	bl_data_idx, bl_data_kmnist, bl_data_mnist, bl_data_qmnist, bl_data_shapes, bl_data_stl10, bl_data_svhn,
	bl_data_tar; /* defined at the end of their files */

static const bl_data_kind *const kinds[] = {
	&bl_data_cifar10, &bl_data_cifar100, &bl_data_csv,    &bl_data_emnist, &bl_data_fashion, &bl_data_folder, &bl_data_idx,
	&bl_data_kmnist,  &bl_data_mnist,    &bl_data_qmnist, &bl_data_shapes, &bl_data_stl10,   &bl_data_svhn,   &bl_data_tar,
};

enum { KINDS = sizeof kinds / sizeof *kinds, FIELDS_MOST = 32 };

const bl_data_kind *bl_data_kind_at(int i)
{
	return i >= 0 && i < KINDS ? kinds[i] : NULL;
}

static const bl_data_kind *find_kind(const char *name)
{
	const char *names[KINDS + 1] = { NULL };
	for (int i = 0; i < KINDS; i++) {
		names[i] = kinds[i]->name;
		if (strcmp(name, names[i]) == 0)
			return kinds[i];
	}
	const char *near = bl_nearest(name, names);
	return bl_fail_null("there is no kind of data set '%s'%s%s%s", name, near ? " (did you mean '" : "", near ? near : "",
	                    near ? "'?)" : "");
}

static const bl_field *find_field(const bl_data_kind *k, const char *name)
{
	const char *names[FIELDS_MOST + 1] = { NULL };
	const bl_field *f = bl_field_find(k->fields, name);
	if (f)
		return f;
	for (int i = 0; i < FIELDS_MOST && k->fields[i].name; i++)
		names[i] = k->fields[i].name;
	const char *near = bl_nearest(name, names);
	return bl_fail_null("%s: there is no setting '%s'%s%s%s", k->name, name, near ? " (did you mean '" : "", near ? near : "",
	                    near ? "'?)" : "");
}

static int refuse(const bl_data_kind *k, const bl_field *f, const char *text)
{
	char expected[512];
	return bl_fail("%s: '%s' must be %s, got '%s'", k->name, f->name, bl_field_expected(f, expected, sizeof expected), text);
}

static int set_word(const bl_data_kind *k, const bl_field *f, int *at, const char *text)
{
	for (*at = 0; f->choices[*at]; ++*at)
		if (strcmp(f->choices[*at], text) == 0)
			return 0;
	return refuse(k, f, text);
}

static int set_text(const bl_data_kind *k, const bl_field *f, void *settings, const char *text)
{
	void *at = (char *)settings + f->offset;
	double v;
	if (f->kind == BL_FIELD_TEXT)
		return *(const char **)at = text, 0;
	if (f->kind == BL_FIELD_CHOICE)
		return set_word(k, f, at, text);
	if (f->kind == BL_FIELD_BOOL) {
		*(bool *)at = strcmp(text, "true") == 0;
		return *(bool *)at || strcmp(text, "false") == 0 ? 0 : refuse(k, f, text);
	}
	if (!bl_number_read(text, &v))
		return refuse(k, f, text);
	return bl_field_set(f, settings, &v, 1) < 0 ? bl_fail_prefix("%s: ", k->name) : 0;
}

/* Sets missing texts to their defaults, which bl_fields_default does not do.  Fails if a required text is missing. */
static int finish(const bl_data_kind *k, void *settings)
{
	for (const bl_field *f = k->fields; f->name; f++) {
		const char **at = (const char **)(void *)((char *)settings + f->offset);
		if (f->kind != BL_FIELD_TEXT || *at)
			continue;
		if (f->required)
			return bl_fail("%s: '%s' is missing: %s", k->name, f->name, f->help);
		*at = f->text;
	}
	return 0;
}

bl_dataset *bl_dataset_of(const char *kind, const char *const *settings)
{
	double room[BL_DATA_ROOM] = { 0 };
	const bl_data_kind *k = find_kind(kind);
	if (!k)
		return NULL;
	bl_fields_default(k->fields, room);
	for (; settings && *settings; settings += 2) {
		const bl_field *f = find_field(k, settings[0]);
		if (!f || set_text(k, f, room, settings[1]) < 0)
			return NULL;
	}
	return finish(k, room) < 0 ? NULL : k->make(room);
}
