/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz.c: the main part of the libFuzzer programs; the program tests/fuzz/fuzz_NAME runs the reader NAME. */
#include "readers.h"

#include <barlow/parallel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const fuzz_reader *reader;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	const char *name = strstr((*argv)[0], "fuzz_");
	for (const char *next = name; next; next = strstr(name + 1, "fuzz_"))
		name = next;
	reader = name ? fuzz_reader_of(name + strlen("fuzz_")) : NULL;
	if (!reader) {
		fprintf(stderr, "%s: expected a name that ends in fuzz_ and a reader: fuzz_idx\n", (*argv)[0]);
		exit(2);
	}
	bl_threads_set(1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	reader->read(bytes, n);
	return 0;
}
