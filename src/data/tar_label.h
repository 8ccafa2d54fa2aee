/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar_label.h: reads the label from a .json file of a shard. */
#ifndef BARLOW_DATA_TAR_LABEL_H
#define BARLOW_DATA_TAR_LABEL_H

#include <stddef.h>

/*
 * Returns the whole number or the text under a key of a JSON object of n bytes, as a new string.  NULL with bl_error.
 */
char *bl_tar_label(const char *json, size_t n, const char *key);

#endif
