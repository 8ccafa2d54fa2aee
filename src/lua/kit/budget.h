/* SPDX-License-Identifier: GPL-3.0-or-later */
/* budget.h: the budget of a sandboxed state, for the files that make such states and charge it. */
#ifndef BARLOW_LUA_KIT_BUDGET_H
#define BARLOW_LUA_KIT_BUDGET_H

#include "lua/kit/states.h"

#define BL_SANDBOX_MARK "barlow.sandbox" /* registry: true in states that states.c made */

/* The main thread of every state and its coroutines have a pointer to this in their extra space. */
typedef struct bl_budget {
	bl_lua_state_config c;
	size_t used;    /* by Lua */
	size_t tensors; /* bytes of the tensors that it holds; views count with their own size */
	size_t fresh;   /* bytes of tensors since the last collection */
	size_t limit;   /* bytes that this call may allocate, for messages ... */
	size_t most;    /* ... and limit on used + tensors */
	double seconds; /* of this call */
	int depth;      /* of calls */
	size_t printed; /* bytes, by this call */
	bool over;      /* this call has used up its budget */
	bool given_up;  /* it was interrupted (Ctrl-C, or another thread waits), not stopped by the budget */
	int64_t left;   /* instructions */
	double began;
} bl_budget;

bl_budget *bl_budget_of(lua_State *L);            /* of a sandboxed state */
void bl_budget_hook(lua_State *L, lua_Debug *ar); /* the state's count hook: counts instructions and checks the time */

#endif
