/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache_folder.h (private): the folder of files that can be generated again. */
#ifndef BARLOW_STORE_CACHE_FOLDER_H
#define BARLOW_STORE_CACHE_FOLDER_H

/* Returns $XDG_CACHE_HOME/barlow, or $HOME/.cache/barlow, as a new string.  NULL with bl_error, which names `what`. */
char *bl_cache_folder(const char *what);

#endif
