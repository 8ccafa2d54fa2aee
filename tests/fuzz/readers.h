/* SPDX-License-Identifier: GPL-3.0-or-later */
/* readers.h: all readers of bytes from outside, as functions that accept or refuse bytes and never crash. */
#ifndef FUZZ_READERS_H
#define FUZZ_READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_reader {
	const char *name;
	bool (*read)(const uint8_t *bytes, size_t n); /* were the bytes accepted? */
} fuzz_reader;

extern const fuzz_reader fuzz_readers[];             /* ended by a name of NULL */
const fuzz_reader *fuzz_reader_of(const char *name); /* NULL: there is none */

/*
 * Writes these bytes to a file of that name in a folder that is removed at the end of the program.  The returned path is
 * valid until the next call.
 */
const char *fuzz_file(const char *name, const uint8_t *bytes, size_t n);
const char *fuzz_folder(const char *name);

/* states.c: files of a run. An accepted input is written and read again, and has to be equal. */
bool fuzz_live(const uint8_t *bytes, size_t n);
bool fuzz_mailbox(const uint8_t *bytes, size_t n);
bool fuzz_run_json(const uint8_t *bytes, size_t n);
bool fuzz_checkpoint(const uint8_t *bytes, size_t n);
bool fuzz_recipe(const uint8_t *bytes, size_t n);

#endif
