/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key map. */
#include "view/keys.h"

#include <assert.h>
#include <string.h>

static const bl_request_info requests[] = {{"", "", "", 0, ""},
#define X(name, keys, shown, word, changes, help) {keys, shown, word, changes, help},
					   BL_REQUESTS(X)
#undef X
};

const bl_request_info *bl_request_describe(bl_request r)
{
	assert(r < BL_REQUEST_COUNT);
	return &requests[r];
}

bl_request bl_request_of_key(int key)
{
	for (int r = 1; key > 0 && key < 128 && r < BL_REQUEST_COUNT; r++)
		if (strchr(requests[r].keys, key))
			return (bl_request)r;
	return BL_REQUEST_NONE;
}
