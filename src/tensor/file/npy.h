/* SPDX-License-Identifier: GPL-3.0-or-later */
/* npy.h (private): reads .npy files in memory. */
#ifndef BARLOW_TENSOR_FILE_NPY_H
#define BARLOW_TENSOR_FILE_NPY_H

#include <barlow/tensor.h>

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Makes a new tensor from the n bytes of a .npy file; messages call the file `name`.  NULL with bl_error. */
bl_tensor *bl_npy_read(const char *name, const unsigned char *bytes, size_t n);

/* Do the n bytes begin like a .npz file? */
static inline bool bl_npz_begins(const void *bytes, size_t n)
{
	return n >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

#endif
