/* SPDX-License-Identifier: GPL-3.0-or-later */
/* readers.h: everything that reads bytes from outside, as functions of bytes: they may be refused, and that is all. */
#ifndef FUZZ_READERS_H
#define FUZZ_READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_reader {
	const char *name;
	bool (*read)(const uint8_t *bytes, size_t n); /* was there something to read in them? */
} fuzz_reader;

extern const fuzz_reader fuzz_readers[];             /* ended by a name of NULL */
const fuzz_reader *fuzz_reader_of(const char *name); /* NULL: there is none */

/* A file of that name that has these bytes, in a folder that goes with the program; a folder there.  The name holds until the next. */
const char *fuzz_file(const char *name, const uint8_t *bytes, size_t n);
const char *fuzz_folder(const char *name);

/* states.c: what a run keeps; what is accepted is the same when it was written and read back. */
bool fuzz_live(const uint8_t *bytes, size_t n);
bool fuzz_mailbox(const uint8_t *bytes, size_t n);
bool fuzz_run_json(const uint8_t *bytes, size_t n);
bool fuzz_checkpoint(const uint8_t *bytes, size_t n);
bool fuzz_recipe(const uint8_t *bytes, size_t n);

#endif
