/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prompt.h: the interactive prompt. */
#ifndef BARLOW_CLI_PROMPT_H
#define BARLOW_CLI_PROMPT_H

#include <lua.h>

/* Reads and evaluates until Ctrl-D. */
void bl_prompt(lua_State *L);

/* history.c: lines of earlier sessions, kept private in $XDG_STATE_HOME/barlow/history. */
void bl_history_load(void);
void bl_history_add(const char *line);

/* complete.c: Readline completes names of L's globals, fields and methods. */
void bl_complete_install(lua_State *L);

/* evaluate.c: one input, complete or not.  INCOMPLETE: a chunk that wants more lines. */
typedef enum bl_evaluated { BL_EVALUATED, BL_INCOMPLETE } bl_evaluated;
bl_evaluated bl_evaluate(lua_State *L, const char *input);

#endif
