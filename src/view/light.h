/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/light.h: whether the terminal's background is light. */
#ifndef BARLOW_VIEW_LIGHT_H
#define BARLOW_VIEW_LIGHT_H

#include <stdbool.h>

bool bl_light_found(void); /* from the terminal's reply to a query, else from COLORFGBG; false if neither is known */

#endif
