/* SPDX-License-Identifier: GPL-3.0-or-later */
/* braces.h: one name for many files: "shard-{000..011}.tar". */
#ifndef BARLOW_DATA_BRACES_H
#define BARLOW_DATA_BRACES_H

#include "data/listing.h"

/*
 * The names that the pattern stands for, in order: each {from..to} becomes the whole numbers between them, both included,
 * with zeros in front to as many digits as `from` has.  At most BL_BRACES_MOST names.  Negative with bl_error.
 */
enum { BL_BRACES_MOST = 100000 };
int bl_braces_expand(bl_names *out, const char *pattern);

#endif
