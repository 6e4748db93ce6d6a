/* SPDX-License-Identifier: MIT */
/*
 * Runs the state table: every packet, wish and timer of an association comes through here, and what the table does not
 * allow is not called.
 */
#include "hip/core/state_actions.h"

static void (*const packet_actions[STATE_ACTIONS])(struct host *host, struct incoming *in) = {
	[STATE_SEND_R1] = i1_input,
	[STATE_MEET_I1] = i1_meet,
	[STATE_MEET_I2] = i2_meet,
	[STATE_ANSWER_R1] = r1_input,
	[STATE_ANSWER_NEWER_R1] = r1_newer_input,
	[STATE_ANSWER_I2] = i2_input,
	[STATE_TAKE_R2] = r2_input,
	[STATE_TAKE_UPDATE] = update_input,
	[STATE_TAKE_NOTIFY] = notify_input,
	[STATE_ANSWER_CLOSE] = close_input,
	[STATE_TAKE_CLOSE_ACK] = close_ack_input,
};

static hiphop_error (*const step_actions[STATE_ACTIONS])(struct host *host, const struct state_step *step) = {
	[STATE_SEND_I1] = initiator_send_i1,
	[STATE_SEND_I1_AGAIN] = initiator_send_i1_again,
	[STATE_SEND_I2_AGAIN] = initiator_send_i2_again,
	[STATE_FAIL] = initiator_fail,
	[STATE_FORGET_EXCHANGE] = initiator_forget,
	[STATE_FORGET_FAILURE] = initiator_forget_failure,
	[STATE_MOVE_ON] = session_move_on,
	[STATE_SEND_CLOSE] = close_send,
	[STATE_SEND_CLOSE_AGAIN] = close_send_again,
	[STATE_DISCARD] = session_discard,
};

/* The state that an event is looked up in: that of the half it is about, or of the only one. */
static host_state state_for(const struct association *association, state_event event)
{
	bool exchange_first = state_event_is_of_exchange(event);

	if (!association)
		return HOST_UNASSOCIATED;
	if (association->initiation && (exchange_first || !association->session))
		return association->initiation->phase;
	if (association->session)
		return association->session->state;
	return association->failed ? HOST_FAILED : HOST_UNASSOCIATED;
}

/* An I1 with NULL Responder HIT has no association yet, but it is in I1-SENT with whoever is at that place. */
static bool is_sought(struct host *host, const struct incoming *in)
{
	return !in->arrival->inside_esp && opportunist_at(host, &in->arrival->remote);
}

static void drop_packet(struct host *host, const struct incoming *in)
{
	count(host, in->rule->drop);
	if (in->rule->drop == HOST_COUNT_DROP_NO_ASSOCIATION)
		problem_of_hits(host, in);
}

void state_machine_packet(struct host *host, state_event event, struct incoming *in)
{
	const struct association *association = association_find(host, &in->view.sender);
	host_state state = state_for(association, event);
	state_action action;

	if (event == STATE_EVENT_R1 && !(association && association->initiation) && is_sought(host, in))
		state = HOST_I1_SENT;
	in->rule = state_table_rule(state, event);
	action = in->rule->action;
	if (in->rule->compares_hits && hit_compare(&host->self, &in->view.sender) < 0)
		action = in->rule->if_smaller;
	if (packet_actions[action])
		packet_actions[action](host, in);
	else
		drop_packet(host, in);
}

hiphop_error state_machine_run(
	struct host *host, instant now, struct association *association, state_event event, hiphop_error reason)
{
	const struct state_rule *rule = state_table_rule(state_for(association, event), event);
	const struct state_step step = {.association = association, .rule = rule, .now = now, .reason = reason};

	return step_actions[rule->action] ? step_actions[rule->action](host, &step) : HIPHOP_OK;
}
