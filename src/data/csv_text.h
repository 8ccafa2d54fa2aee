/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_text.h: rows of a text of values with separators (RFC 4180). */
#ifndef BARLOW_DATA_CSV_TEXT_H
#define BARLOW_DATA_CSV_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Calls `row` for each row: the line where it begins, from 1, and its fields, which are good until it returns; negative ends
 * it.  Fields in quotes may have separators, line ends and doubled quotes in them; lines end in LF or CR LF; a byte order
 * mark is passed over, and so are empty lines.  Every row has as many fields as the first.  The text is changed.
 * 0, or negative with "line 3: ...".
 */
int bl_csv_read(char *text, size_t n, char separator, int (*row)(void *ctx, int64_t line, char **fields, int n), void *ctx);

#endif
