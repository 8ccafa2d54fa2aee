/* SPDX-License-Identifier: GPL-3.0-or-later */
/* installed.h: folders of an installed barlow, as configured; installed.c is made by local.mk. */
#ifndef BARLOW_CLI_INSTALLED_H
#define BARLOW_CLI_INSTALLED_H

extern const char bl_installed_module[], bl_installed_manual[], bl_installed_data[];

#endif
