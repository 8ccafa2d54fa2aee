/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_embed.c: the Lua files embedded in the binary are those of lua/, byte for byte. */
#include "support.h"

#include <barlow/file.h>

#include "lua/embed.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_lua(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 4 && !strcmp(e->d_name + n - 4, ".lua");
}

static int count_files(void)
{
	struct dirent **entries;
	int n = scandir(support_source("lua"), &entries, is_lua, NULL);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	if (n >= 0)
		free(entries);
	return n;
}

static void every_file_is_embedded(void **state)
{
	(void)state;
	int n = 0;
	while (bl_lua_files[n].name)
		n++;
	assert_int_equal(n, count_files());
}

static void bytes_are_those_of_the_file(void **state)
{
	(void)state;
	for (const bl_lua_file *f = bl_lua_files; f->name; f++) {
		char path[256];
		size_t n;
		assert_memory_equal(f->name, "barlow.", 7);
		snprintf(path, sizeof path, "lua/%s.lua", f->name + 7);
		char *bytes = (char *)bl_file_read(support_source(path), &n);
		assert_non_null(bytes);
		assert_int_equal(n, f->length);
		assert_memory_equal(bytes, f->text, n);
		assert_int_equal(f->text[f->length], 0);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_is_embedded),
		cmocka_unit_test(bytes_are_those_of_the_file),
	};
	return cmocka_run_group_tests_name("embed", tests, NULL, NULL);
}
