/* SPDX-License-Identifier: GPL-3.0-or-later */
/* budget.h: the budget of a sandboxed state, for the files that make such states and charge it. */
#ifndef BARLOW_LUA_KIT_BUDGET_H
#define BARLOW_LUA_KIT_BUDGET_H

#include "lua/kit/states.h"

#define BL_SANDBOX_MARK "barlow.sandbox" /* registry: true in states that states.c made */

/* The main thread of every state and its coroutines have a pointer to this in their extra space. */
typedef struct bl_budget {
	bl_lua_state_config c;
	size_t used;    /* bytes that Lua has allocated */
	size_t tensors; /* bytes of the tensors that it holds; views count with their own size */
	size_t fresh;   /* bytes of tensors since the last collection */
	size_t limit;   /* bytes that this call may allocate, as messages name it */
	size_t most;    /* limit on used + tensors; within bl_lua_limits: what was in use at the start of the call, plus `limit` */
	double seconds; /* time limit of this call */
	int depth;      /* number of nested calls */
	size_t printed; /* bytes that this call has printed */
	bool over;      /* this call must end: its budget is used up, or it was interrupted */
	bool given_up;  /* it was interrupted (Ctrl-C, a waiting thread, the end of the process), not stopped by its budget */
	int64_t left;   /* instructions that this call may still execute */
	double began;   /* when this call began (bl_now) */
} bl_budget;

bl_budget *bl_budget_of(lua_State *L);            /* of a sandboxed state */
void bl_budget_hook(lua_State *L, lua_Debug *ar); /* the state's count hook: counts instructions and checks the time */

#endif
