/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loss.h (private): the losses that come with the library. */
#ifndef BARLOW_LOSS_LOSS_H
#define BARLOW_LOSS_LOSS_H

#include <barlow/loss.h>

/* list.c */
extern const bl_loss_ops *const bl_losses[];
extern const int bl_losses_count;

#endif
