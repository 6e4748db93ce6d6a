/* SPDX-License-Identifier: MIT */
/**
 * What survives a restart: the table `records` of an SQLite database.
 */
#ifndef HIPHOP_DAEMON_STATE_FILE_H
#define HIPHOP_DAEMON_STATE_FILE_H

#include "daemon/node.h"
#include "hip/base/error.h"

#include <stddef.h>

/** Octets of one value at most. */
#define STATE_VALUE_MAXIMUM 65536
/** Octets of the whole database at most; a record that does not fit any more is refused. */
#define STATE_FILE_MAXIMUM (64 * 1024 * 1024)

struct state_file;

/** Opens or makes the database. A relative `path` is taken from the current directory, and no directory above that
 * needs to be passed. HIPHOP_MALFORMED (no database, or not ours), HIPHOP_EXISTS (another process has it open),
 * HIPHOP_NO_MEMORY, HIPHOP_SYSTEM; `reason` then says more in words (size at least 128). */
hiphop_error state_file_open(const char *path, struct state_file **file, char *reason, size_t reason_size);
/** Hands every record that has not expired to `take`, and deletes those that have. Pointers are valid during the call
 * only. */
hiphop_error state_file_load(struct state_file *file, wall_milliseconds wall,
	void (*take)(void *context, const struct node_record *record), void *context);
/** Groups what follows, until state_file_commit. */
hiphop_error state_file_begin(struct state_file *file);
/** HIPHOP_TOO_LARGE (value, or the database is full), HIPHOP_SYSTEM (disk full or broken). */
hiphop_error state_file_store(struct state_file *file, const struct node_record *record);
hiphop_error state_file_forget(struct state_file *file, const char *space, const char *key);
hiphop_error state_file_commit(struct state_file *file);
/** Undoes everything since state_file_begin; does nothing when SQLite has done so already. */
void state_file_roll_back(struct state_file *file);
/** What SQLite said last, for the log. Valid until the next call. */
const char *state_file_trouble(const struct state_file *file);
/** NULL is allowed. */
void state_file_close(struct state_file *file);

#endif
