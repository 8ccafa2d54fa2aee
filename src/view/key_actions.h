/* SPDX-License-Identifier: GPL-3.0-or-later */
/* view/key_actions.h: the effects of keys on the scene and on the run. */
#ifndef BARLOW_VIEW_KEY_ACTIONS_H
#define BARLOW_VIEW_KEY_ACTIONS_H

#include "view/scene.h"

typedef enum bl_outcome { BL_OUTCOME_STAY, BL_OUTCOME_REDRAW, BL_OUTCOME_QUIT, BL_OUTCOME_STOP } bl_outcome;

/* Handles a key: changes the scene, or sends a command to the run.  Returns what the loop of the screen has to do. */
bl_outcome bl_control_key(bl_scene *s, int key);

#endif
