/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tokens.c: divides Lua text into keywords, strings, numbers, comments and the rest; an unfinished token ends with the
 * text.
 */
#include "cli/prompt.h"

#include <ctype.h>
#include <string.h>

static bool is_keyword(const char *word, size_t n)
{
	static const char *const words[] = { "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
		                             "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
		                             "repeat",   "return", "then", "true", "until",  "while" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == n && strncmp(words[i], word, n) == 0)
			return true;
	return false;
}

/* The length of the long bracket ([[...]], [=[...]=], ...) at s, or of the text if it is not closed; 0: none begins at s. */
static size_t long_bracket(const char *s)
{
	size_t level = s[0] == '[' ? strspn(s + 1, "=") : 0;
	if (s[0] != '[' || s[1 + level] != '[')
		return 0;
	for (const char *p = s + level + 2; (p = strchr(p, ']')); p++)
		if (strspn(p + 1, "=") == level && p[1 + level] == ']')
			return (size_t)(p - s) + level + 2;
	return strlen(s);
}

static size_t quoted(const char *s)
{
	size_t n = 1;
	while (s[n] && s[n] != s[0] && s[n] != '\n')
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return s[n] == s[0] ? n + 1 : n;
}

static size_t numeral(const char *s)
{
	const char *exponent = s[0] == '0' && tolower((unsigned char)s[1]) == 'x' ? "pP" : "eE";
	size_t n = 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '.' || (n > 0 && s[n] && strchr("+-", s[n]) && strchr(exponent, s[n - 1])))
		n++;
	return n;
}

static size_t name(const char *s)
{
	size_t n = 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

bl_token bl_token_of(const char *s, size_t *length)
{
	if (s[0] == '-' && s[1] == '-') {
		size_t n = long_bracket(s + 2);
		*length = n ? n + 2 : strcspn(s, "\n");
		return BL_TOKEN_COMMENT;
	}
	if ((*length = long_bracket(s)) > 0)
		return BL_TOKEN_STRING;
	if (s[0] == '"' || s[0] == '\'') {
		*length = quoted(s);
		return BL_TOKEN_STRING;
	}
	if (isdigit((unsigned char)s[0]) || (s[0] == '.' && isdigit((unsigned char)s[1]))) {
		*length = numeral(s);
		return BL_TOKEN_NUMBER;
	}
	if ((*length = name(s)) > 0)
		return is_keyword(s, *length) ? BL_TOKEN_KEYWORD : BL_TOKEN_PLAIN;
	*length = s[0] == '.' && s[1] == '.' ? 2 : 1; /* in 1 ..2, the second dot does not begin a number */
	return BL_TOKEN_PLAIN;
}
