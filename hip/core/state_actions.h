/* SPDX-License-Identifier: MIT */
/**
 * What the cells of the state table do. Only state_machine.c and the files that define these include this header, so
 * nothing but the table decides when they run.
 */
#ifndef HIPHOP_HIP_CORE_STATE_ACTIONS_H
#define HIPHOP_HIP_CORE_STATE_ACTIONS_H

#include "hip/core/host_internal.h"

/* What a wish or a timer is about. */
struct state_step {
	struct association *association;
	const struct state_rule *rule;
	instant now;
	hiphop_error reason; /* why it ends, for STATE_FAIL */
};

/* Packets: in->rule is the cell. The state becomes in->rule->next when all checks have passed, else it stays. */
void i1_input(struct host *host, struct incoming *in);
void i1_meet(struct host *host, struct incoming *in);
void r1_input(struct host *host, struct incoming *in);
void r1_newer_input(struct host *host, struct incoming *in);
void i2_input(struct host *host, struct incoming *in);
void i2_meet(struct host *host, struct incoming *in);
void r2_input(struct host *host, struct incoming *in);
void update_input(struct host *host, struct incoming *in);
void notify_input(struct host *host, struct incoming *in);
void close_input(struct host *host, struct incoming *in);
void close_ack_input(struct host *host, struct incoming *in);

/* initiator.c. HIPHOP_NO_MEMORY, HIPHOP_NOT_FOUND (no way to the peer): then the state stays. */
hiphop_error initiator_send_i1(struct host *host, const struct state_step *step);
hiphop_error initiator_send_i1_again(struct host *host, const struct state_step *step);
hiphop_error initiator_send_i2_again(struct host *host, const struct state_step *step);
hiphop_error initiator_fail(struct host *host, const struct state_step *step);
hiphop_error initiator_forget(struct host *host, const struct state_step *step);
hiphop_error initiator_forget_failure(struct host *host, const struct state_step *step);

/* association.c */
hiphop_error session_move_on(struct host *host, const struct state_step *step);
hiphop_error session_discard(struct host *host, const struct state_step *step);

/* close.c */
hiphop_error close_send(struct host *host, const struct state_step *step);
hiphop_error close_send_again(struct host *host, const struct state_step *step);

#endif
