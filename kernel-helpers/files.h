/* SPDX-License-Identifier: MIT */
/**
 * The few files of hiphop: key files, and the state directory with its lock.
 */
#ifndef HIPHOP_KERNEL_HELPERS_FILES_H
#define HIPHOP_KERNEL_HELPERS_FILES_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Reads a whole regular file. HIPHOP_NOT_FOUND, HIPHOP_REFUSED, HIPHOP_TOO_LARGE (over `maximum`), HIPHOP_NO_MEMORY,
 * HIPHOP_SYSTEM. What was read may be secret: free it with file_free_secret. */
hiphop_error file_read(const char *path, size_t maximum, struct buffer *content);
/** Wipes and frees. */
void file_free_secret(struct buffer *content);
/**
 * Writes a new file of mode 0600, complete or not at all. With `replace` an existing file is replaced in one step.
 * HIPHOP_EXISTS (and not `replace`), HIPHOP_NOT_FOUND (no such directory), HIPHOP_REFUSED, HIPHOP_TOO_LARGE (path),
 * HIPHOP_SYSTEM.
 */
hiphop_error file_write_secret(const char *path, const void *data, size_t length, bool replace);
/** True when group or others may read or write the file. */
bool file_is_open_to_others(const char *path);

/**
 * Makes the directory (0750) and its parents (0755) where absent, and hands it over to `owner` and `group` when `give`.
 * Files of the state database that lie in it already go along. HIPHOP_REFUSED, HIPHOP_TOO_LARGE, HIPHOP_SYSTEM; errno
 * says more.
 */
hiphop_error directory_prepare(const char *path, bool give, uid_t owner, gid_t group);
/** Takes the lock of a directory, the file `lock` in it, until the descriptor is closed. HIPHOP_EXISTS: another process
 * has it. HIPHOP_REFUSED, HIPHOP_TOO_LARGE, HIPHOP_SYSTEM. */
hiphop_error directory_lock(const char *path, int *descriptor);

#endif
