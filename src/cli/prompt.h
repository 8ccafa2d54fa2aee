/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prompt.h: the interactive prompt. */
#ifndef BARLOW_CLI_PROMPT_H
#define BARLOW_CLI_PROMPT_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Reads and evaluates until Ctrl-D, or the word exit or quit. */
void bl_prompt(lua_State *L);

/* Is the terminal Emacs' shell (comint), which edits lines itself, and shows escape codes as they are?  progress.c */
bool bl_prompt_in_emacs(void);

/*
 * background.c: whether the terminal's background is light.  ask: once, behind a prompt that is drawn.  While an answer is
 * expected, bytes of the terminal are read by read (false: its end), which keeps answers and gives Readline the others: typed
 * says that there are some.  holds: for how many ms more the beginning of what may be an answer is kept, 0: there is none;
 * release gives it to Readline.  settle: waits for the answer, for 100 ms from the question at most.  ask_now: asks and settles
 * where there is no prompt.
 */
void bl_background_ask(void);
void bl_background_ask_now(void);
bool bl_background_expected(void);
bool bl_background_read(void);
bool bl_background_typed(void);
int bl_background_holds(void);
void bl_background_release(void);
void bl_background_settle(void);

/* progress.c: from here on this thread's long work shows how far it is. */
void bl_progress_install(void);

/* prompt_history.c: lines of earlier sessions, kept private in $XDG_STATE_HOME/barlow/history. */
void bl_history_load(void);
void bl_history_add(const char *line);
int bl_history_list(lua_State *L); /* for lua/prompt_commands.lua: {{text =, time = seconds since 1970}} */

/* complete.c: Readline completes names of L's globals, fields and methods. */
void bl_complete_install(lua_State *L);

/* evaluate.c: one input, complete or not.  INCOMPLETE: a chunk that wants more lines.  LEAVE: the prompt is to end. */
typedef enum bl_evaluated { BL_EVALUATED, BL_INCOMPLETE, BL_LEAVE } bl_evaluated;
bl_evaluated bl_evaluate(lua_State *L, const char *input);
bool bl_wants_more(lua_State *L, const char *input); /* would it be INCOMPLETE?  Nothing runs. */
void bl_evaluate_begin(lua_State *L);                /* the globals that there are now are not the user's */

/*
 * reports.c: tell(line) for each thing that is new about runs in the background since the last call.  True: one goes on.
 * And " [name epoch/epochs percent]" of those that do, or "".
 */
bool bl_reports(void (*tell)(const char *line));
typedef enum bl_news { BL_NEWS_ALL, BL_NEWS_ENDS /* and breaks */, BL_NEWS_NONE } bl_news;
void bl_reports_choose(bl_news which); /* what is told from now on; what is not told is known all the same */
void bl_reports_stand(char *out, size_t size);

/* tokens.c: what the text, which is not empty, begins with, of *length bytes. */
typedef enum bl_token { BL_TOKEN_PLAIN, BL_TOKEN_KEYWORD, BL_TOKEN_STRING, BL_TOKEN_NUMBER, BL_TOKEN_COMMENT } bl_token;
bl_token bl_token_of(const char *s, size_t *length);

/* echo.c: draws Readline's line once more, in colours, and ends it, where that can be; the terminal can go up a line. */
void bl_echo_coloured(void);

/* multiline.c: Readline's keys for entries of several lines.  Before its first line. */
void bl_multiline_install(lua_State *L, void (*take_terminal)(bool ours));
bool bl_multiline_drawn(void); /* can the terminal show several lines?  Else each is read by itself. */

#endif
