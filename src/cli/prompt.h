/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prompt.h: the interactive prompt. */
#ifndef BARLOW_CLI_PROMPT_H
#define BARLOW_CLI_PROMPT_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Reads and evaluates until Ctrl-D, or the word exit or quit. */
void bl_prompt(lua_State *L);

/* progress.c: is the terminal Emacs' shell (comint), which edits lines itself, and shows escape codes as text? */
bool bl_prompt_in_emacs(void);

/* background.c: queries the terminal for its background, once, after the prompt was drawn. */
void bl_background_query(void);
/* While a reply is expected, bl_background_read reads the terminal: it takes replies, and stores other bytes for Readline. */
bool bl_background_expected(void);
bool bl_background_read(void);  /* reads a byte; false: end of input */
bool bl_background_typed(void); /* are there stored bytes? */
/* For how many ms the beginning of a possible reply is held back; 0: nothing is.  release stores it for Readline. */
int bl_background_holds(void);
void bl_background_release(void);

/* progress.c: from now on, a bar shows the progress of this thread's long operations. */
void bl_progress_install(void);

/* prompt_history.c: entries of earlier sessions, in $XDG_STATE_HOME/barlow/history, which only the user can read. */
void bl_history_load(void);
void bl_history_add(const char *line);
int bl_history_list(lua_State *L); /* for lua/prompt_commands.lua: {{text =, time = seconds since 1970}} */

/* complete.c: Readline completes names of L's globals, fields and methods. */
void bl_complete_install(lua_State *L);

/* evaluate.c: evaluates an entry.  INCOMPLETE: nothing was run, more lines are needed.  LEAVE: the entry ends the prompt. */
typedef enum bl_evaluated { BL_EVALUATED, BL_INCOMPLETE, BL_LEAVE } bl_evaluated;
bl_evaluated bl_evaluate(lua_State *L, const char *input);
bool bl_wants_more(lua_State *L, const char *input); /* would the result be INCOMPLETE?  Runs nothing. */
void bl_evaluate_begin(lua_State *L);                /* the globals that exist now are not listed as the user's */

/*
 * reports.c: calls print(line) for each piece of news of runs in the background since the last call.  Returns whether a run
 * is running.  bl_reports_stand writes the progress of running runs, " [name epoch/epochs percent]", or "".
 */
bool bl_reports(void (*print)(const char *line));
typedef enum bl_news { BL_NEWS_ALL, BL_NEWS_ENDS /* ends and breaks */, BL_NEWS_NONE } bl_news;
void bl_reports_choose(bl_news which); /* which news is reported from now on; other news is dropped */
void bl_reports_stand(char *out, size_t size);

/* tokens.c: the kind of the token at the beginning of s, which is not empty; *length: its number of bytes. */
typedef enum bl_token { BL_TOKEN_PLAIN, BL_TOKEN_KEYWORD, BL_TOKEN_STRING, BL_TOKEN_NUMBER, BL_TOKEN_COMMENT } bl_token;
bl_token bl_token_of(const char *s, size_t *length);

/* echo.c: draws Readline's line again, in colours, and ends it, if the terminal can move its cursor up a line. */
void bl_echo_coloured(void);

/* multiline.c: installs keys for entries of several lines.  To be called before Readline's first line. */
/* lend_terminal: gives the terminal to an editor, or takes it back. */
void bl_multiline_install(lua_State *L, void (*lend_terminal)(bool take_back));
bool bl_multiline_drawn(void); /* can the terminal show several lines?  If not, each line is read by itself. */

#endif
