/* SPDX-License-Identifier: MIT */
/**
 * The start of hiphopd: from a configuration to a process without privilege that has all it needs open.
 */
#ifndef HIPHOP_DAEMON_START_H
#define HIPHOP_DAEMON_START_H

#include "daemon/loop.h"

#include <stdbool.h>

/** Everything closed. */
void start_clear(struct hiphopd *hiphopd);
/**
 * Carries out the steps of the start in order: helper, state directory and lock, identity, policy of the helper, tunnel
 * device, underlay sockets, network, SIP sockets, control socket, then the drop of privilege, and without privilege the
 * state file, the node and the filter of system calls. `configuration` and `log` must be set. On failure one sentence
 * was logged.
 */
bool start_everything(struct hiphopd *hiphopd);
/** Closes and frees whatever is open, in reverse, and waits for the helper's end. */
void start_undo(struct hiphopd *hiphopd);

#endif
