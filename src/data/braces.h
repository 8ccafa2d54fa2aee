/* SPDX-License-Identifier: GPL-3.0-or-later */
/* braces.h: patterns that stand for many file names: "shard-{000..011}.tar". */
#ifndef BARLOW_DATA_BRACES_H
#define BARLOW_DATA_BRACES_H

#include "data/listing.h"

/*
 * Appends the names that the pattern stands for to `out`: each {from..to} becomes the whole numbers from `from` to
 * `to`, padded with zeros to as many digits as `from` has.  The leftmost range varies slowest.  Negative with bl_error,
 * also if `out` would have more than BL_BRACES_MOST names.
 */
enum { BL_BRACES_MOST = 100000 };
int bl_braces_expand(bl_names *out, const char *pattern);

#endif
