/* SPDX-License-Identifier: MIT */
/**
 * The server of the control socket (docs/control.md): lines, limits, who may ask. What a request means is the node's
 * business.
 */
#ifndef HIPHOP_DAEMON_CONTROL_H
#define HIPHOP_DAEMON_CONTROL_H

#include "hip/base/error.h"
#include "hip/base/log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

/** Octets of a request at most, its newline included. */
#define CONTROL_LINE_MAXIMUM 65536
/** Octets of answers that may wait for a slow client. */
#define CONTROL_UNREAD_MAXIMUM (1024 * 1024)
/** Clients at once at most. */
#define CONTROL_CLIENTS 32

struct control_server;

/** Who is told. Called from the loop, never from within control_reply. */
struct control_handler {
	/** A request of a client; `request` is an object with a text member "command", borrowed. control_reply may be
	 * called at once. */
	void (*request)(void *context, uint64_t token, json_t *request);
	/** The client of an unfinished request left. */
	void (*gone)(void *context, uint64_t token);
	void *context;
};

/** Besides root. */
struct control_policy {
	uid_t user;
	gid_t group;
};

/** Serves on `listener` (local_socket_listen), which it owns from now on, also on failure. HIPHOP_NO_MEMORY,
 * HIPHOP_SYSTEM. */
hiphop_error control_start(uv_loop_t *loop, int listener, const struct control_policy *policy,
	const struct control_handler *handler, const struct log *log, struct control_server **server);
/** Sends one answer, a JSON object, to the client of `token`; "last" is added here. Unknown tokens are ignored. */
void control_reply(struct control_server *server, uint64_t token, const char *text, bool last);
/** Closes all; the memory is freed by the loop, which must be run once more. Nothing is called any more. NULL is
 * allowed. */
void control_stop(struct control_server *server);

#endif
