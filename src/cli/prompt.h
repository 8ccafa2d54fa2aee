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

/*
 * background.c: finds out whether the terminal's background is light.  ask: queries the terminal, once, after the prompt
 * was drawn.  While an answer is expected, the terminal is read by read (false: end of input), which takes answers and
 * stores other bytes for Readline (typed: are there any?).  holds: for how many ms the beginning of a possible answer is
 * held, 0: there is none; release passes it to Readline.
 */
void bl_background_ask(void);
bool bl_background_expected(void);
bool bl_background_read(void);
bool bl_background_typed(void);
int bl_background_holds(void);
void bl_background_release(void);

/* progress.c: from now on, a bar shows the progress of this thread's long operations. */
void bl_progress_install(void);

/* prompt_history.c: lines of earlier sessions, kept private in $XDG_STATE_HOME/barlow/history. */
void bl_history_load(void);
void bl_history_add(const char *line);
int bl_history_list(lua_State *L); /* for lua/prompt_commands.lua: {{text =, time = seconds since 1970}} */

/* complete.c: Readline completes names of L's globals, fields and methods. */
void bl_complete_install(lua_State *L);

/* evaluate.c: evaluates an input.  INCOMPLETE: nothing was run, more lines are needed.  LEAVE: the prompt has to end. */
typedef enum bl_evaluated { BL_EVALUATED, BL_INCOMPLETE, BL_LEAVE } bl_evaluated;
bl_evaluated bl_evaluate(lua_State *L, const char *input);
bool bl_wants_more(lua_State *L, const char *input); /* would the result be INCOMPLETE?  Runs nothing. */
void bl_evaluate_begin(lua_State *L);                /* the globals that exist now do not count as the user's */

/*
 * reports.c: calls tell(line) for each piece of news of runs in the background since the last call.  True: a run is
 * running.  bl_reports_stand writes " [name epoch/epochs percent]" for those that are, or "".
 */
bool bl_reports(void (*tell)(const char *line));
typedef enum bl_news { BL_NEWS_ALL, BL_NEWS_ENDS /* and breaks */, BL_NEWS_NONE } bl_news;
void bl_reports_choose(bl_news which); /* which news is reported from now on; other news is dropped */
void bl_reports_stand(char *out, size_t size);

/* tokens.c: the kind of the token at the beginning of s, which is not empty; *length: its number of bytes. */
typedef enum bl_token { BL_TOKEN_PLAIN, BL_TOKEN_KEYWORD, BL_TOKEN_STRING, BL_TOKEN_NUMBER, BL_TOKEN_COMMENT } bl_token;
bl_token bl_token_of(const char *s, size_t *length);

/*
 * echo.c: draws Readline's line again, in colours, and ends it, if possible; the terminal has to be able to go up a
 * line.
 */
void bl_echo_coloured(void);

/* multiline.c: installs keys for entries of several lines.  To be called before Readline's first line. */
void bl_multiline_install(lua_State *L, void (*take_terminal)(bool ours));
bool bl_multiline_drawn(void); /* can the terminal show several lines?  If not, each line is read by itself. */

#endif
