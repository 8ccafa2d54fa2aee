/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file.h: reads and writes whole files.  Functions return 0, or negative with bl_error, unless they say otherwise.
 */
#ifndef BARLOW_FILE_H
#define BARLOW_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes bytes to path so that a crash or a full disk leaves the old file or
 * the new one, never a partial one: temporary file in the same folder, fsync,
 * rename, fsync of the folder.  On failure the temporary file is removed.
 *
 * A symbolic link is followed: the file that it names is replaced.  An existing
 * file keeps its permissions; a new one gets 0666 less the umask.  Anything but
 * a regular file (a folder, FIFO, device) is refused.
 */
int bl_file_write_atomic(const char *path, const void *bytes, size_t n);
/* The same for private files, such as those of a run: a new file gets 0600 less the umask. */
int bl_file_write_private(const char *path, const void *bytes, size_t n);
/* Either of them. */
typedef int bl_file_writer(const char *path, const void *bytes, size_t n);

/* Writes all n bytes, also if calls are interrupted or write only a part; negative with errno. */
int bl_file_put(int fd, const void *bytes, size_t n);
/* Reads n bytes from byte `at` on, fewer at the end of the file; returns how many.  Negative with errno. */
int64_t bl_file_get(int fd, void *bytes, size_t n, int64_t at);

/*
 * Links the complete file `from`, which has these bytes and stays, to the name `to`, exactly once: returns 1 if that
 * name exists already.  On a file system without hard links, the name is created exclusively and the bytes are
 * written then.
 */
int bl_file_publish(const char *from, const char *to, const void *bytes, size_t n);

/* Makes a folder and its missing parents, for the user alone.  It may exist already. */
int bl_file_make_folder(const char *path);

/*
 * $variable/barlow, as in the XDG base directory specification; if that is not an absolute path, HOME/below/barlow.
 * A new string; NULL with bl_error: HOME is not an absolute path, either.
 */
char *bl_file_user_folder(const char *variable, const char *below);

/* The *n bytes of a regular file; the caller frees them.  NULL with bl_error; not NULL for an empty file. */
void *bl_file_read(const char *path, size_t *n);

#endif
