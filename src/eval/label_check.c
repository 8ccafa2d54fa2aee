/* SPDX-License-Identifier: GPL-3.0-or-later */
/* label_check.c: checks labels and features before an evaluation uses them. */
#include "eval/label_check.h"

#include <barlow/error.h>

#include <inttypes.h>

int bl_labels_check(const char *who, const int32_t *labels, int64_t n, int classes)
{
	if (!labels)
		return bl_fail("%s rows have no labels", who);
	if (classes < 1)
		return bl_fail("%s rows: %d classes, expected at least 1", who, classes);
	for (int64_t i = 0; i < n; i++)
		if (labels[i] < 0 || labels[i] >= classes)
			return bl_fail("%s row %" PRId64 " (counted from 1): label %d, expected 0 to %d", who, i + 1, labels[i],
			               classes - 1);
	return 0;
}

int bl_rows_check(const char *who, const bl_tensor *x)
{
	int64_t bad = bl_tensor_find_nonfinite(x), width = bl_tensor_size(x, 1);

	if (bad >= 0)
		return bl_fail("%s row %" PRId64 ": feature %" PRId64 " is not finite (both counted from 1)", who, bad / width + 1,
		               bad % width + 1);
	return 0;
}
