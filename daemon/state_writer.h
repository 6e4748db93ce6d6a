/* SPDX-License-Identifier: MIT */
/**
 * Writes the state file beside the loop, so that a slow disk never holds up a packet. Changes are queued in order and
 * written in batches by one job at a time. When the disk is full or fails, that is logged once, the batch is kept, and
 * it is tried again with the next change or by state_writer_retry; only when the queue is full as well are changes
 * lost.
 */
#ifndef HIPHOP_DAEMON_STATE_WRITER_H
#define HIPHOP_DAEMON_STATE_WRITER_H

#include "daemon/node.h"
#include "daemon/state_file.h"
#include "hip/base/error.h"
#include "hip/base/log.h"

#include <uv.h>

/** Octets that may wait to be written. */
#define STATE_QUEUE_MAXIMUM (8 * 1024 * 1024)

struct state_writer;

/** Both `file` and `log` are borrowed until the loop has ended. HIPHOP_NO_MEMORY. */
hiphop_error state_writer_start(
	uv_loop_t *loop, struct state_file *file, const struct log *log, struct state_writer **writer);
/** Queues a copy of the record to be stored. HIPHOP_NO_MEMORY, HIPHOP_LIMITED (queue full; logged here),
 * HIPHOP_TOO_LARGE (value). */
hiphop_error state_writer_store(struct state_writer *writer, const struct node_record *record);
/** Queues that (space, key) of the record be deleted. The same errors. */
hiphop_error state_writer_forget(struct state_writer *writer, const struct node_record *record);
/** Tries again what could not be written. Call it now and then; it does nothing when all is well. */
void state_writer_retry(struct state_writer *writer);
/** Why changes wait to be written, in words; NULL when all is well. Valid until the next call. */
const char *state_writer_trouble(const struct state_writer *writer);
/** Call when the loop has ended: what still waits is written now. NULL is allowed. */
void state_writer_free(struct state_writer *writer);

#endif
