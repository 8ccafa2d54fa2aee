/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gunzip.h: reads files that may be compressed with gzip, as one member or several (RFC 1952, 2.2). */
#ifndef BARLOW_DATA_GUNZIP_H
#define BARLOW_DATA_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An open file, whose uncompressed bytes are read in order.  Messages state the byte at which reading failed. */
typedef struct bl_gunzip bl_gunzip;

/* Opens a file.  It counts as compressed with gzip if its first two bytes are 1f 8b. */
bl_gunzip *bl_gunzip_open(const char *path);
void bl_gunzip_close(bl_gunzip *g);

/* Reads the next n uncompressed bytes into out; fewer are an error.  The message calls these bytes `what`. */
int bl_gunzip_read(bl_gunzip *g, void *out, size_t n, const char *what);

/* An upper bound of the number of uncompressed bytes in this file: no larger buffer is ever needed. */
size_t bl_gunzip_bound(const bl_gunzip *g);

/* Returns all uncompressed bytes of a file, which the caller frees, and sets *n; NULL with bl_error. */
uint8_t *bl_gunzip_all(const char *path, size_t *n);

/* Fails unless all bytes were read and, for gzip, the checksum is correct.  Zeros after gzip data count as padding. */
int bl_gunzip_finish(bl_gunzip *g);

#endif
