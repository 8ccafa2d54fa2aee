/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/light.h: is the terminal's background light? */
#ifndef BARLOW_VIEW_LIGHT_H
#define BARLOW_VIEW_LIGHT_H

#include <stdbool.h>

bool bl_light_found(void); /* as the terminal has told, else by COLORFGBG; dark where nothing is known */

#endif
