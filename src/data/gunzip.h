/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gunzip.h: bytes that may or may not be compressed with gzip, of one member or several (RFC 1952, 2.2). */
#ifndef BARLOW_DATA_GUNZIP_H
#define BARLOW_DATA_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file's bytes being read from the front; messages say where in the plain bytes. */
typedef struct bl_gunzip bl_gunzip;

/* Opens path; whether it is gzip is told by its first two bytes, 1f 8b. */
bl_gunzip *bl_gunzip_open(const char *path);
void bl_gunzip_close(bl_gunzip *g);

/* The next n bytes into out, all of them or an error; `what` says in the message what they were to be. */
int bl_gunzip_read(bl_gunzip *g, void *out, size_t n, const char *what);

/* An upper bound of the plain bytes that this file can hold: nothing larger need be allocated. */
size_t bl_gunzip_bound(const bl_gunzip *g);

/* All plain bytes of a file, which the caller frees; NULL with bl_error. */
uint8_t *bl_gunzip_all(const char *path, size_t *n);

/* Fails unless everything was read, and, for gzip, its checksum is right.  Zeros behind gzip data are padding. */
int bl_gunzip_finish(bl_gunzip *g);

#endif
