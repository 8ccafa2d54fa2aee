/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tar_label.h: the label that a .json file of a shard has. */
#ifndef BARLOW_DATA_TAR_LABEL_H
#define BARLOW_DATA_TAR_LABEL_H

#include <stddef.h>

/* The number or text under that key of a JSON object, as text; new string.  NULL with bl_error. */
char *bl_tar_label(const char *json, size_t n, const char *key);

#endif
