/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keys.c: the key map. */
#include "view/keys.h"

#include <assert.h>
#include <string.h>

static const bl_request_info requests[] = { { 0, "", "", "", 0, "" },
#define X(name, scope, keys, shown, word, changes, help) { BL_SCOPE_##scope, keys, shown, word, changes, help },
#define V(view, ops, key, word, heading, help) { BL_SCOPE_ALL, key, key, word, false, help },
	                                    BL_REQUESTS_FIRST(X) BL_VIEWS(V) BL_REQUESTS(X)
#undef V
#undef X
};

const bl_request_info *bl_request_describe(bl_request r)
{
	assert(r < BL_REQUEST_COUNT);
	return &requests[r];
}

bool bl_request_offered(bl_request r, bl_scope view, bool read_only)
{
	const bl_request_info *i = bl_request_describe(r);
	return (i->scope == BL_SCOPE_ALL || i->scope == view) && !(read_only && i->changes_run);
}

static bl_request find(bl_scope scope, int key)
{
	for (int r = 1; key > 0 && key < 256 && r < BL_REQUEST_COUNT; r++)
		if (requests[r].scope == scope && strchr(requests[r].keys, key))
			return (bl_request)r;
	return BL_REQUEST_NONE;
}

bl_request bl_request_of_key(bl_scope view, int key)
{
	bl_request r = find(view, key);
	return r == BL_REQUEST_NONE ? find(BL_SCOPE_ALL, key) : r;
}

bl_request bl_request_of_scope(bl_scope view)
{
	static const bl_request requests_of[BL_SCOPES] = { [BL_SCOPE_HELP] = BL_REQUEST_HELP,
#define V(view, ops, key, word, heading, help) [BL_SCOPE_##view] = BL_REQUEST_##view,
		                                           BL_VIEWS(V)
#undef V
	};
	return requests_of[view];
}

/* 13 bits for each coordinate; no terminal is wider. */
enum { MOUSE = 1 << 28, SIDE_BITS = 13, SIDE_MASK = (1 << SIDE_BITS) - 1 };

int bl_key_of_mouse(bl_mouse m)
{
	return MOUSE | (int)m.kind << 2 * SIDE_BITS | (m.y & SIDE_MASK) << SIDE_BITS | (m.x & SIDE_MASK);
}

bool bl_key_is_mouse(int key, bl_mouse *out)
{
	if (!(key & MOUSE))
		return false;
	*out = (bl_mouse){ (bl_mouse_kind)(key >> 2 * SIDE_BITS & 3), key & SIDE_MASK, key >> SIDE_BITS & SIDE_MASK };
	return true;
}
