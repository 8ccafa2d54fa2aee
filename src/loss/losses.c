/* SPDX-License-Identifier: GPL-3.0-or-later */
/* losses.c: the list of the library's losses, by number and by name. */
#include <barlow/loss.h>

#include <barlow/error.h>

#include <string.h>

extern const bl_loss_ops bl_loss_ops_barlow, bl_loss_ops_vicreg;

static const bl_loss_ops *const losses[] = { &bl_loss_ops_barlow, &bl_loss_ops_vicreg };
enum { LOSSES = sizeof losses / sizeof *losses };

const bl_loss_ops *bl_loss_kind(int i)
{
	return i >= 0 && i < LOSSES ? losses[i] : NULL;
}

bl_loss *bl_loss_of(const char *name)
{
	const char *names[LOSSES + 1] = { NULL };
	for (int i = 0; i < LOSSES; i++) {
		names[i] = losses[i]->name;
		if (strcmp(names[i], name) == 0)
			return bl_loss_new(losses[i], NULL, NULL);
	}
	const char *near = bl_nearest(name, names);
	return bl_fail_null("there is no loss '%s'%s%s%s", name, near ? " (did you mean '" : "", near ? near : "",
	                    near ? "'?)" : "");
}
