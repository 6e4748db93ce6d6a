/* SPDX-License-Identifier: MIT */
/**
 * The kernel helper: the one small process that keeps CAP_NET_ADMIN and CAP_NET_RAW. It reads nothing from the network.
 */
#ifndef HIPHOP_KERNEL_HELPERS_HELPER_H
#define HIPHOP_KERNEL_HELPERS_HELPER_H

#include "hip/base/error.h"
#include "kernel-helpers/helper_protocol.h"
#include "kernel-helpers/privilege.h"

#include <stdint.h>
#include <sys/types.h>

struct helper {
	pid_t process; /**< -1 when not started */
	int channel;   /**< becomes readable when it answers, and (end of file) when it has died */
	uint32_t sequence;
};

/**
 * Forks the helper. It closes every descriptor but its own and stderr, drops to `user` keeping its two capabilities,
 * and serves until the other end of the channel closes; then it undoes network_setup and ends. Signals of the terminal
 * do not end it. Call before any thread exists and before a private key is in memory. HIPHOP_SYSTEM.
 */
hiphop_error helper_start(struct helper *helper, const struct privilege_user *user);
/** Sends the policy (its magic is filled in here). Call once, before the first helper_ask. HIPHOP_SYSTEM. */
hiphop_error helper_set_policy(struct helper *helper, const struct helper_policy *policy);
/** Asks and waits for the answer, 5 s at most: for the start, not for the loop. `descriptor` may be NULL where none
 * comes back. The error that the helper answers, or HIPHOP_SYSTEM, HIPHOP_TIMEOUT, HIPHOP_NOT_FOUND (helper gone).
 * `answer` may be NULL. */
hiphop_error helper_ask(
	struct helper *helper, helper_choice choice, uint16_t argument, struct helper_answer *answer, int *descriptor);
/** Asks for HELPER_ADD_ROUTE or HELPER_REMOVE_ROUTE and does not wait: for the loop. One at a time. HIPHOP_SYSTEM. */
hiphop_error helper_ask_route(struct helper *helper, helper_choice choice, const struct ip_prefix *prefix);
/** Takes the answer to helper_ask_route once the channel is readable; what came of it is answer->error. HIPHOP_TIMEOUT
 * (there is none), HIPHOP_NOT_FOUND (helper gone), HIPHOP_MALFORMED, HIPHOP_SYSTEM. */
hiphop_error helper_take_answer(struct helper *helper, struct helper_answer *answer);
/** Closes the channel and waits for the helper's end. */
void helper_stop(struct helper *helper);

/** The helper's own loop on its end of the channel: the policy first, then requests; returns at end of file or when the
 * policy is refused. The queues are open /dev/net/tun without a device (tunnel_queue_open). Used by helper_start and by
 * tests. */
void helper_serve(int channel, const int *queues, unsigned queue_count);

#endif
