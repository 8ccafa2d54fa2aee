/* SPDX-License-Identifier: GPL-3.0-or-later */
/* list.c: the losses that come with the library. */
#include "loss/loss.h"

extern const bl_loss_ops bl_loss_ops_barlow, bl_loss_ops_vicreg;

const bl_loss_ops *const bl_losses[] = { &bl_loss_ops_barlow, &bl_loss_ops_vicreg };
const int bl_losses_count = sizeof bl_losses / sizeof *bl_losses;
