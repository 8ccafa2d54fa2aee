/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache_folder.h (private): where files lie that can be made again. */
#ifndef BARLOW_STORE_CACHE_FOLDER_H
#define BARLOW_STORE_CACHE_FOLDER_H

/* $XDG_CACHE_HOME/barlow, or what stands for it below HOME; a new string.  NULL: no place for `what`, see bl_error. */
char *bl_cache_folder(const char *what);

#endif
