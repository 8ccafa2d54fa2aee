/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * multiline.c: keys for entries of several lines: Enter, motions between lines, and editing in an external editor.  For
 * Readline, such an entry is one line that contains newlines: Readline draws them, but its own motions ignore them.
 *
 * Keys are bound before Readline reads the user's inputrc, in which other keys can be bound to these commands by name.
 */
#include "cli/prompt.h"

#include "lua/bind/face.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

enum { INDENT = 2, EDITED_MOST = 1 << 20 };

static lua_State *state;
static void (*lend_terminal)(bool take_back);

bool bl_multiline_drawn(void)
{
	const char *up = rl_get_termcap("up");
	return up && *up;
}

/* --- Lines --- */

static int line_begin(int at)
{
	while (at > 0 && rl_line_buffer[at - 1] != '\n')
		at--;
	return at;
}

static int line_end(int at)
{
	while (at < rl_end && rl_line_buffer[at] != '\n')
		at++;
	return at;
}

/* The position in the line that begins at `begin` with the cursor's column, or that line's end. */
static int same_column(int begin)
{
	int column = rl_point - line_begin(rl_point), end = line_end(begin);
	return begin + column < end ? begin + column : end;
}

static int up(int count, int key)
{
	int begin = line_begin(rl_point);
	if (begin == 0)
		return rl_get_previous_history(count, key);
	rl_point = same_column(line_begin(begin - 1));
	return 0;
}

static int down(int count, int key)
{
	int end = line_end(rl_point);
	if (end == rl_end)
		return rl_get_next_history(count, key);
	rl_point = same_column(end + 1);
	return 0;
}

/* Moves to the beginning of the line or, if the cursor is there, of the entry. */
static int home(int count, int key)
{
	int begin = line_begin(rl_point);
	if (begin == rl_point)
		return rl_beg_of_line(count, key);
	rl_point = begin;
	return 0;
}

static int end(int count, int key)
{
	int at = line_end(rl_point);
	if (at == rl_point)
		return rl_end_of_line(count, key);
	rl_point = at;
	return 0;
}

/* Deletes up to the end of the line or, if the cursor is there, the newline. */
static int kill_to_end(int count, int key)
{
	int at = line_end(rl_point);
	if (at == rl_end || at == rl_point)
		return at == rl_end ? rl_kill_line(count, key) : rl_delete_text(at, at + 1);
	return rl_kill_text(rl_point, at);
}

/* --- Indentation --- */

/* Returns the position behind the long bracket ([[...]], [=[...]=]) that begins at i, or i if none begins there. */
static int behind_long(const char *s, int i, int n)
{
	int level = 0;
	if (i >= n || s[i] != '[')
		return i;
	while (i + 1 + level < n && s[i + 1 + level] == '=')
		level++;
	if (i + 1 + level >= n || s[i + 1 + level] != '[')
		return i;
	for (int k = i + 2 + level; k + level + 1 < n; k++)
		if (s[k] == ']' && strspn(s + k + 1, "=") == (size_t)level && s[k + 1 + level] == ']')
			return k + level + 2;
	return n;
}

/* The position after the string, comment or long bracket that begins at s[i]; i: none begins there. */
static int behind_quoted(const char *s, int i, int n)
{
	if (s[i] == '"' || s[i] == '\'') {
		for (int k = i + 1; k < n && s[k] != '\n'; k++) {
			if (s[k] == '\\')
				k++;
			else if (s[k] == s[i])
				return k + 1;
		}
		return n;
	}
	if (s[i] == '-' && i + 1 < n && s[i + 1] == '-') {
		int behind = behind_long(s, i + 2, n);
		if (behind > i + 2)
			return behind;
		while (i < n && s[i] != '\n')
			i++;
		return i;
	}
	return behind_long(s, i, n);
}

/* How a word changes the number of open blocks: +1 opens one, -1 closes one, 0 does neither. */
static int block_of(const char *word, int n)
{
	static const struct {
		const char *word;
		int depth;
	} words[] = {
		{ "function", 1 }, { "do", 1 }, { "then", 1 }, { "repeat", 1 }, { "end", -1 }, { "until", -1 }, { "elseif", -1 },
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if ((int)strlen(words[i].word) == n && strncmp(words[i].word, word, (size_t)n) == 0)
			return words[i].depth;
	return 0;
}

/* The number of blocks and brackets that are open after the first n bytes. */
static int depth_of(const char *s, int n)
{
	int depth = 0;
	for (int i = 0; i < n;) {
		int next = behind_quoted(s, i, n);
		if (next > i) {
			i = next;
		} else if (isalpha((unsigned char)s[i]) || s[i] == '_') {
			int begin = i;
			while (i < n && (isalnum((unsigned char)s[i]) || s[i] == '_'))
				i++;
			depth += block_of(s + begin, i - begin);
		} else {
			depth += strchr("({[", s[i]) ? 1 : strchr(")}]", s[i]) ? -1 : 0;
			i++;
		}
	}
	return depth > 0 ? depth : 0;
}

/* Does the text begin with a bracket or a word that closes a block? */
static bool closes(const char *s)
{
	static const char *const words[] = { "end", "until", "else", "elseif" };
	if (strchr(")}]", *s) && *s)
		return true;
	for (int i = 0; i < 4; i++) {
		size_t n = strlen(words[i]);
		if (strncmp(s, words[i], n) == 0 && !isalnum((unsigned char)s[n]) && s[n] != '_')
			return true;
	}
	return false;
}

/* If the cursor's line closes a block, reduces its indentation by one step. */
static void indent_closing(void)
{
	int begin = line_begin(rl_point), text = begin;
	while (text < rl_end && rl_line_buffer[text] == ' ')
		text++;
	int depth = depth_of(rl_line_buffer, begin) - 1, wanted = INDENT * (depth > 0 ? depth : 0);
	if (begin == 0 || !closes(rl_line_buffer + text) || text - begin <= wanted)
		return;
	int less = text - begin - wanted, point = rl_point;
	rl_delete_text(begin, begin + less);
	rl_point = point - less > begin ? point - less : begin;
}

/* Begins a new line, indented by the number of open blocks. */
static void add_line(void)
{
	int depth = depth_of(rl_line_buffer, rl_point);
	rl_insert_text("\n");
	for (int i = 0; i < depth * INDENT && i < 40; i++)
		rl_insert_text(" ");
}

/* Enter: runs a complete entry; begins a new line inside an entry of several lines, or if the entry is incomplete. */
static int enter(int count, int key)
{
	bool inside = line_end(rl_point) != rl_end;
	if (!bl_multiline_drawn())
		return rl_newline(count, key);
	indent_closing();
	if (inside || (rl_end > 0 && bl_wants_more(state, rl_line_buffer))) {
		if (!inside)
			rl_point = rl_end;
		add_line();
		return 0;
	}
	rl_point = rl_end;
	rl_redisplay();
	bl_echo_coloured();
	return rl_newline(count, key);
}

/* Begins a new line in any case. */
static int newline(int count, int key)
{
	(void)count, (void)key;
	add_line();
	return 0;
}

/* --- An editor --- */

static const char *editor(void)
{
	const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
	return visual && *visual ? visual : editor && *editor ? editor : "vi";
}

/* Runs the editor's command line with the file, through the shell, as other programs do.  0: it succeeded. */
static int run_editor(const char *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		execl("/bin/sh", "sh", "-c", "eval \"$0 \\\"\\$1\\\"\"", editor(), path, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	bl_lua_interrupted = 0;
	return pid > 0 && status == 0 ? 0 : -1;
}

/* Replaces the entry by the file's text.  Negative: the file cannot be read, or is too long. */
static int take_text(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = f ? malloc(EDITED_MOST + 2) : NULL;
	size_t n = text ? fread(text, 1, EDITED_MOST + 1, f) : 0;
	bool fine = text && !ferror(f) && n <= EDITED_MOST;
	if (fine) {
		while (n > 0 && text[n - 1] == '\n')
			n--;
		text[n] = '\0';
		rl_replace_line(text, 1);
		rl_point = rl_end;
	}
	free(text);
	if (f)
		fclose(f);
	return fine ? 0 : -1;
}

/* Edits the entry in $VISUAL or $EDITOR; the saved text replaces it, and is not run yet. */
static int edit(int count, int key)
{
	const char *tmp = getenv("TMPDIR");
	char path[512];
	(void)count, (void)key;
	if (snprintf(path, sizeof path, "%s/barlow-XXXXXX.lua", tmp && *tmp ? tmp : "/tmp") >= (int)sizeof path)
		return rl_ding();
	int fd = mkstemps(path, 4);
	if (fd < 0)
		return rl_ding();
	bool written = write(fd, rl_line_buffer, (size_t)rl_end) == rl_end && write(fd, "\n", 1) == 1;
	written = close(fd) == 0 && written;
	lend_terminal(false);
	if (!written || run_editor(path) != 0)
		fprintf(stderr, "%s failed: the entry is unchanged\n", written ? editor() : path);
	else if (take_text(path) != 0)
		fprintf(stderr, "%s cannot be read, or has more than %d bytes: the entry is unchanged\n", path, EDITED_MOST);
	unlink(path);
	lend_terminal(true);
	return 0;
}

/* --- Keys --- */

static const struct binding {
	const char *name, *emacs[4], *insert[4], *command[4];
	rl_command_func_t *call;
} bindings[] = {
	{ "barlow-enter", { "\\C-m", "\\C-j" }, { "\\C-m", "\\C-j" }, { "\\C-m", "\\C-j" }, enter },
	{ "barlow-newline", { "\\e\\C-m", "\\e\\C-j" }, { NULL }, { NULL }, newline },
	{ "barlow-up", { "\\C-p", "\\e[A", "\\eOA" }, { "\\C-p", "\\e[A", "\\eOA" }, { "k", "\\e[A", "\\eOA" }, up },
	{ "barlow-down", { "\\C-n", "\\e[B", "\\eOB" }, { "\\C-n", "\\e[B", "\\eOB" }, { "j", "\\e[B", "\\eOB" }, down },
	{ "barlow-home", { "\\C-a", "\\e[H", "\\eOH", "\\e[1~" }, { "\\e[H", "\\eOH", "\\e[1~" }, { NULL }, home },
	{ "barlow-end", { "\\C-e", "\\e[F", "\\eOF", "\\e[4~" }, { "\\e[F", "\\eOF", "\\e[4~" }, { NULL }, end },
	{ "barlow-kill-line", { "\\C-k" }, { NULL }, { NULL }, kill_to_end },
	{ "barlow-edit", { "\\C-x\\C-e" }, { NULL }, { "v" }, edit },
};

static void bind_all(const char *const keys[4], rl_command_func_t *call, Keymap map)
{
	for (int i = 0; i < 4 && keys[i]; i++)
		rl_bind_keyseq_in_map(keys[i], call, map);
}

void bl_multiline_install(lua_State *L, void (*lend)(bool take_back))
{
	state = L;
	lend_terminal = lend;
	for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++) {
		const struct binding *b = &bindings[i];
		rl_add_defun(b->name, b->call, -1);
		bind_all(b->emacs, b->call, rl_get_keymap_by_name("emacs-standard"));
		bind_all(b->insert, b->call, rl_get_keymap_by_name("vi-insert"));
		bind_all(b->command, b->call, rl_get_keymap_by_name("vi-command"));
	}
	rl_variable_bind("blink-matching-paren", "on");
}
