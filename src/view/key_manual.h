/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/key_manual.h: the keys as lines of the manual page, from the list in keys.h. */
#ifndef BARLOW_VIEW_KEY_MANUAL_H
#define BARLOW_VIEW_KEY_MANUAL_H

/* A new string of man(7) lines, or NULL. */
char *bl_manual_keys(void);

#endif
