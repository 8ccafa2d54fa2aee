/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/light.h: is the terminal's background light? */
#ifndef BARLOW_VIEW_LIGHT_H
#define BARLOW_VIEW_LIGHT_H

#include <stdbool.h>

bool bl_light_found(void); /* by the terminal's reply to a query, else by COLORFGBG; dark if neither is known */

#endif
