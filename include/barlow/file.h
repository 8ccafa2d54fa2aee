/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file.h: reads and writes files.  Functions return 0, or negative with bl_error, unless they say otherwise.
 */
#ifndef BARLOW_FILE_H
#define BARLOW_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes n bytes to path so that after a crash or on a full disk the file is the old or the new one, never a partial
 * one: it writes a temporary file in the same folder, calls fsync, renames the file, and calls fsync for the folder.
 * On failure the temporary file is removed.
 *
 * If path is a symbolic link, the file that it names is replaced.  An existing file keeps its permissions; a new one
 * has the permissions 0666 without the bits of the umask.  Anything but a regular file (a folder, FIFO or device) is
 * refused.
 */
int bl_file_write_atomic(const char *path, const void *bytes, size_t n);
/*
 * As bl_file_write_atomic, but for private files, such as those of a run: a new file has the permissions 0600 without
 * the bits of the umask.
 */
int bl_file_write_private(const char *path, const void *bytes, size_t n);
/* The type of both functions. */
typedef int bl_file_writer(const char *path, const void *bytes, size_t n);

/* Writes all n bytes; continues after an interrupted or incomplete write.  0, or negative with errno. */
int bl_file_put(int fd, const void *bytes, size_t n);
/* Reads n bytes from byte `at` on, or fewer if the file ends before.  Returns their number, or negative with errno. */
int64_t bl_file_get(int fd, void *bytes, size_t n, int64_t at);

/*
 * Gives the complete file `from`, which contains these n bytes, the second name `to`.  Returns 1 if `to` exists
 * already, so that only one of several callers succeeds.  On a file system without hard links, `to` is created
 * exclusively, and the bytes are written to it.
 */
int bl_file_publish(const char *from, const char *to, const void *bytes, size_t n);

/* Makes a folder and its missing parents, accessible to the user only.  Succeeds if the folder exists already. */
int bl_file_make_folder(const char *path);

/*
 * Returns $variable/barlow, as in the XDG base directory specification, or $HOME/below/barlow if $variable is not an
 * absolute path.  The caller frees the path.  NULL with bl_error if $HOME is not an absolute path, either, or if there
 * is no memory.
 */
char *bl_file_user_folder(const char *variable, const char *below);

/*
 * Returns the *n bytes of a regular file; the caller frees them.  NULL with bl_error.  The result for an empty file is
 * not NULL.
 */
void *bl_file_read(const char *path, size_t *n);

#endif
