/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run.h: the program's Lua state, and running scripts in it. */
#ifndef BARLOW_CLI_RUN_H
#define BARLOW_CLI_RUN_H

#include "cli/command.h"

#include <lua.h>

/* Ends the program with a message if the address space is limited to less than that many threads need. */
void bl_run_need_room(int threads);
/*
 * A new state with libraries, barlow's globals, `arg` (script: its path and arguments, or NULL), and the hook for
 * Ctrl-C.
 */
lua_State *bl_run_state_new(const bl_texts *script);
/*
 * Closes the state.  Returns the program's exit status: `status`, or EXIT_FAILURE, after a message, if the end of a run could
 * not be saved.
 */
int bl_run_close(lua_State *L, int status);
/* Run a text, or a script with arguments ("-", or none: standard input).  Return the exit status; errors were printed. */
int bl_run_code(lua_State *L, const char *code);
int bl_run_script(lua_State *L, const bl_texts *script);
/* Prints the error at the top of the stack to standard error, after the command's name.  Returns EXIT_FAILURE. */
int bl_run_failed(lua_State *L, const char *command);
/* Message handler: adds a traceback to the message. */
int bl_run_traceback(lua_State *L);

/* text_only.c: from now on the state loads no bytecode. */
void bl_run_text_only(lua_State *L);

#endif
