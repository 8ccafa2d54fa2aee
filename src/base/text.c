/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text.c: decodes UTF-8, and escapes text from outside (text.h). */
#include <barlow/text.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 20 };

static const struct range {
	uint32_t first, last;
} hidden[] = {
	{ 0x00, 0x1f },     { 0x7f, 0x9f },     /* C0, DEL, C1 */
	{ 0x061c, 0x061c }, { 0x200b, 0x200f }, /* Arabic letter mark; zero width, left-to-right and right-to-left marks */
	{ 0x2028, 0x202e },                     /* line and paragraph separators, embeddings and overrides */
	{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, /* isolates and other format characters; byte order mark */
	{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

/* The number of bytes that have to follow the leading byte `lead` of UTF-8; -1: it is not a leading byte. */
static int followers(unsigned char lead)
{
	if (lead < 0x80)
		return 0;
	if (lead < 0xc2 || lead > 0xf4)
		return -1;
	return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
}

enum { MALFORMED = 0x110000 };

/*
 * The code point at s, and *bytes its length; MALFORMED if it is truncated, overlong, a surrogate, too large or
 * invalid.
 */
static uint32_t decode(const unsigned char *s, int *bytes)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	int more = followers(s[0]), have = 0;
	uint32_t u = more > 0 ? s[0] & (0x3fu >> more) : s[0];
	for (; have < more && (s[1 + have] & 0xc0) == 0x80; have++)
		u = u << 6 | (s[1 + have] & 0x3fu);
	*bytes = 1 + have;
	if (have != more || u < least[more] || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff))
		return MALFORMED;
	return u;
}

uint32_t bl_text_next(const char **s)
{
	int bytes;
	uint32_t u = decode((const unsigned char *)*s, &bytes);
	*s += bytes;
	return u == MALFORMED ? 0xfffd : u;
}

bool bl_text_is_utf8(const char *text)
{
	int bytes;
	for (; *text; text += bytes)
		if (decode((const unsigned char *)text, &bytes) == MALFORMED)
			return false;
	return true;
}

static bool is_hidden(uint32_t u)
{
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		if (u >= hidden[i].first && u <= hidden[i].last)
			return true;
	return false;
}

/* Writes the character u, which has `bytes` bytes at s, or its escape to piece. */
static void show(char piece[PIECE], const char *s, uint32_t u, int bytes, bool lines)
{
	bool stays = !is_hidden(u) || (lines && (u == '\n' || u == '\t'));
	if (u == MALFORMED || (u < 0x80 && !stays)) {
		for (int i = 0; i < bytes; i++)
			snprintf(piece + 4 * i, PIECE - 4 * (size_t)i, "\\x%02x", (unsigned char)s[i]);
	} else if (stays) {
		memcpy(piece, s, (size_t)bytes);
		piece[bytes] = '\0';
	} else {
		snprintf(piece, PIECE, "\\u{%x}", (unsigned)u);
	}
}

size_t bl_text_clean(char *out, size_t size, const char *in, bool lines)
{
	size_t all = 0, used = 0;
	bool full = size == 0;
	for (int bytes; *in; in += bytes) {
		char piece[PIECE];
		uint32_t u = decode((const unsigned char *)in, &bytes);
		show(piece, in, u, bytes, lines);
		size_t n = strlen(piece);
		full = full || used + n >= size;
		if (!full) {
			memcpy(out + used, piece, n);
			used += n;
		}
		all += n;
	}
	if (size > 0)
		out[used] = '\0';
	return all;
}

void bl_text_clean_here(char *text, size_t size)
{
	char raw[512];
	assert(size > 0 && size <= sizeof raw);
	memcpy(raw, text, size);
	raw[size - 1] = '\0';
	bl_text_clean(text, size, raw, false);
}

const char *bl_text_plural(int64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}
