/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_text.h: parses a text table with separators (RFC 4180) into rows. */
#ifndef BARLOW_DATA_CSV_TEXT_H
#define BARLOW_DATA_CSV_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Parses a text of n bytes, which needs room for one more byte, and modifies it.  Calls `row` for each row with the
 * line where the row begins, from 1, and its fields, which are valid until `row` returns; a negative return value ends
 * the parsing.  Quoted fields may contain separators, line ends and doubled quotes.  Lines end in LF or CR LF.  A byte
 * order mark and empty lines are skipped.  Every row must have as many fields as the first.  Returns 0, or negative
 * with bl_error: "line 3: ...".
 */
int bl_csv_read(char *text, size_t n, char separator, int (*row)(void *ctx, int64_t line, char **fields, int n), void *ctx);

#endif
