/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file.h: whole files, in and out.
 */
#ifndef BARLOW_FILE_H
#define BARLOW_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes bytes to path so that a crash or a full disk leaves the old file or
 * the new one, never half: temporary file in the same folder, fsync, rename,
 * fsync of the folder.  The temporary file does not survive a failure.
 *
 * A symbolic link is followed: the file that it names is replaced and keeps its
 * place.  A file that is there keeps its permissions; a new one gets 0666 less
 * the umask.  What is no regular file (a folder, FIFO, device) is refused.
 */
int bl_file_write_atomic(const char *path, const void *bytes, size_t n);
/* The same for what is the user's own, as all files of a run: a new file gets 0600 less the umask. */
int bl_file_write_private(const char *path, const void *bytes, size_t n);
/* Either of them. */
typedef int bl_file_writer(const char *path, const void *bytes, size_t n);

/* All n bytes, also where a call is interrupted or takes a part of them; negative with errno. */
int bl_file_put(int fd, const void *bytes, size_t n);
/* From byte `at` on: n bytes, or fewer where the file ends, also where calls are interrupted or give a part.  Negative with errno. */
int64_t bl_file_get(int fd, void *bytes, size_t n, int64_t at);

/*
 * Gives the whole file `from`, which holds these bytes and stays, the name `to` as well, once: 1, not 0, where that is taken
 * already.  Where the file system has no hard links, the name is made once, too, and what it holds follows.
 */
int bl_file_publish(const char *from, const char *to, const void *bytes, size_t n);

/* Makes a folder, and every one on the way that is missing, for the user alone.  One that is there is fine. */
int bl_file_make_folder(const char *path);

/*
 * $variable/barlow, as the XDG base directory specification has it: where that is no absolute path, HOME/below/barlow.
 * A new string; NULL with bl_error: HOME is none, either.
 */
char *bl_file_user_folder(const char *variable, const char *below);

/* The bytes of a regular file; the caller frees them.  Never NULL without bl_error, also for an empty file. */
void *bl_file_read(const char *path, size_t *n);

#endif
