/* SPDX-License-Identifier: GPL-3.0-or-later */
/* board.c: a full-screen page of text for other modules (board.h). */
#include "view/guard.h"
#include "view/screen.h"

#include <barlow/board.h>

#include <stdlib.h>

struct bl_board {
	bl_screen *screen; /* NULL: there is no terminal */
	bl_canvas *canvas;
	int width, height; /* the size, in cells, if there is no terminal */
};

bl_board *bl_board_open(void)
{
	bl_board *b = calloc(1, sizeof *b);
	if (!b)
		return bl_fail_null("no memory for a screen");
	b->screen = bl_screen_open();
	if (b->screen)
		return b;
	free(b);
	return NULL;
}

bl_board *bl_board_blank(int width, int height)
{
	bl_board *b = calloc(1, sizeof *b);
	if (!b)
		return bl_fail_null("no memory for a screen");
	b->width = width;
	b->height = height;
	return b;
}

void bl_board_close(bl_board *b)
{
	if (!b)
		return;
	bl_canvas_free(b->canvas);
	bl_screen_close(b->screen);
	free(b);
}

bool bl_board_begin(bl_board *b, int *width, int *height)
{
	*width = b->width;
	*height = b->height;
	if (b->screen)
		bl_screen_size(b->screen, width, height);
	bl_ability can = b->screen ? bl_screen_ability(b->screen) : (bl_ability){ .utf8 = true };
	if (!b->canvas || b->canvas->width != *width || b->canvas->height != *height) {
		bl_canvas_free(b->canvas);
		b->canvas = bl_canvas_new(*width, *height, can);
	}
	if (b->canvas)
		bl_canvas_clear(b->canvas);
	return b->canvas != NULL;
}

bool bl_board_utf8(const bl_board *b)
{
	return b->canvas && b->canvas->can.utf8;
}

void bl_board_text(bl_board *b, int x, int y, int room, bl_tone tone, bool bar, const char *text)
{
	static const bl_paint paints[] = {
		[BL_TONE_TEXT] = BL_PAINT_TEXT, [BL_TONE_FAINT] = BL_PAINT_FAINT, [BL_TONE_TITLE] = BL_PAINT_TITLE,
		[BL_TONE_WARN] = BL_PAINT_WARN, [BL_TONE_GOOD] = BL_PAINT_GOOD,   [BL_TONE_MARK] = BL_PAINT_KNN,
	};
	if (!b->canvas || room <= 0)
		return;
	bool light = b->canvas->can.light;
	bl_canvas_text(b->canvas, x, y, room, paints[tone], text);
	/* A bar exchanges foreground and background of the row; for terminals without colours the text is bold as well. */
	for (int i = 0; bar && i < b->canvas->width; i++) {
		bl_screen_cell *cell = bl_canvas_cell(b->canvas, i, y);
		if (!cell)
			return;
		cell->bold = true;
		cell->bg = bl_colour_of(BL_PAINT_TEXT, light);
		cell->fg = light ? 0xffffff : 0x000000;
	}
}

int bl_board_show(bl_board *b)
{
	return b->screen && b->canvas ? bl_screen_show(b->screen, b->canvas) : 0;
}

char *bl_board_string(const bl_board *b)
{
	return bl_canvas_string(b->canvas);
}

/* Translates a key of keys.h into its BL_BOARD_ code, or into its ASCII character.  0: boards do not report this key. */
static int translate(int key)
{
	static const struct {
		unsigned char from;
		int to;
	} keys[] = {
		{ 0x80, BL_BOARD_UP },        { 0x81, BL_BOARD_DOWN }, { 0x84, BL_BOARD_PAGE_UP },
		{ 0x85, BL_BOARD_PAGE_DOWN }, { 0x86, BL_BOARD_HOME }, { 0x87, BL_BOARD_END },
	};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (key == keys[i].from)
			return keys[i].to;
	return key < 128 ? key : 0;
}

int bl_board_key(bl_board *b, int timeout_ms)
{
	if (!b->screen)
		return 0;
	bl_guard_take(BL_GUARD_RESIZED); /* bl_board_begin reads the size */
	if (bl_guard_take(BL_GUARD_SUSPEND))
		bl_screen_suspend(b->screen);
	if (bl_guard_take(BL_GUARD_CONTINUED))
		bl_screen_again(b->screen);
	if (bl_guard_take(BL_GUARD_INTERRUPT))
		return BL_BOARD_INTERRUPT;
	int key = bl_screen_key(b->screen, timeout_ms);
	if (key == '\f')
		bl_screen_forget(b->screen);
	if (key == BL_KEY_SUSPEND) {
		bl_screen_suspend(b->screen);
		return 0;
	}
	return translate(key);
}
