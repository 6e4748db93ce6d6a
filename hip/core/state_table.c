/* SPDX-License-Identifier: MIT */
#include "hip/core/state_table.h"

#define STATES (HOST_FAILED + 1)

/* clang-format off */
static const struct {
	const char *name;
	bool of_exchange;
} events[STATE_EVENTS] = {
	[STATE_EVENT_I1]               = {"receive I1", true},
	[STATE_EVENT_R1]               = {"receive R1", true},
	[STATE_EVENT_I2]               = {"receive I2", true},
	[STATE_EVENT_R2]               = {"receive R2", true},
	[STATE_EVENT_UPDATE]           = {"receive UPDATE", false},
	[STATE_EVENT_NOTIFY]           = {"receive NOTIFY", false},
	[STATE_EVENT_CLOSE]            = {"receive CLOSE", false},
	[STATE_EVENT_CLOSE_ACK]        = {"receive CLOSE_ACK", false},
	[STATE_EVENT_ESP]              = {"receive data", false},
	[STATE_EVENT_WANTED]           = {"data to send", true},
	[STATE_EVENT_LEAVE]            = {"close", false},
	[STATE_EVENT_UNUSED]           = {"unused for UAL", false},
	[STATE_EVENT_LOST]             = {"UPDATE not acknowledged", false},
	[STATE_EVENT_EXCHANGE_TIMEOUT] = {"exchange timeout", true},
	[STATE_EVENT_EXCHANGE_OVER]    = {"last exchange timeout", true},
	[STATE_EVENT_SESSION_TIMEOUT]  = {"session timeout", false},
	[STATE_EVENT_SESSION_OVER]     = {"last session timeout", false},
};

/* The action, and the state after it. */
#define DO(what, after, where) {.action = STATE_##what, .next = HOST_##after, .section = where}
/* The same, when our HIT is the greater one. */
#define DO_IF_GREATER(what, smaller, after, where)                                                  \
	{.action = STATE_##what, .compares_hits = true, .if_smaller = STATE_##smaller, .next = HOST_##after, \
	 .drop = HOST_COUNT_DROP_WRONG_STATE, .section = where}
/* A packet that is dropped ("Receive ANYOTHER" too), and a wish or timer that has nothing to do here. */
#define DROP(why, here, where) \
	{.action = STATE_DROP, .next = HOST_##here, .drop = HOST_COUNT_DROP_##why, .section = where}
#define NOTHING(here) DROP(WRONG_STATE, here, "4.4.3")

static const struct state_rule table[STATES][STATE_EVENTS] = {
	/* Table 2 */
	[HOST_UNASSOCIATED] = {
		[STATE_EVENT_I1]               = DO(SEND_R1, UNASSOCIATED, "4.4.3, 6.7"),
		[STATE_EVENT_R1]               = DROP(WRONG_STATE, UNASSOCIATED, "6.8 step 2"),
		[STATE_EVENT_I2]               = DO(ANSWER_I2, R2_SENT, "6.9 step 19"),
		[STATE_EVENT_R2]               = DROP(WRONG_STATE, UNASSOCIATED, "6.10 step 1"),
		[STATE_EVENT_UPDATE]           = DROP(NO_ASSOCIATION, UNASSOCIATED, "6.12 step 1"),
		[STATE_EVENT_NOTIFY]           = DROP(NO_ASSOCIATION, UNASSOCIATED, "4.4.3"),
		[STATE_EVENT_CLOSE]            = DROP(NO_ASSOCIATION, UNASSOCIATED, "6.14"),
		[STATE_EVENT_CLOSE_ACK]        = DROP(NO_ASSOCIATION, UNASSOCIATED, "6.15"),
		[STATE_EVENT_ESP]              = NOTHING(UNASSOCIATED),
		[STATE_EVENT_WANTED]           = DO(SEND_I1, I1_SENT, "4.4.3, 6.6 step 4"),
		[STATE_EVENT_LEAVE]            = NOTHING(UNASSOCIATED),
		[STATE_EVENT_UNUSED]           = NOTHING(UNASSOCIATED),
		[STATE_EVENT_LOST]             = NOTHING(UNASSOCIATED),
		[STATE_EVENT_EXCHANGE_TIMEOUT] = NOTHING(UNASSOCIATED),
		[STATE_EVENT_EXCHANGE_OVER]    = NOTHING(UNASSOCIATED),
		[STATE_EVENT_SESSION_TIMEOUT]  = NOTHING(UNASSOCIATED),
		[STATE_EVENT_SESSION_OVER]     = NOTHING(UNASSOCIATED),
	},
	/* Table 3 */
	[HOST_I1_SENT] = {
		[STATE_EVENT_I1]               = DO_IF_GREATER(SEND_R1, MEET_I1, I1_SENT, "4.4.3, 6.7 step 3"),
		[STATE_EVENT_R1]               = DO(ANSWER_R1, I2_SENT, "6.8 step 19"),
		[STATE_EVENT_I2]               = DO(ANSWER_I2, R2_SENT, "6.9 step 6"),
		[STATE_EVENT_R2]               = DROP(WRONG_STATE, I1_SENT, "6.10 step 1"),
		[STATE_EVENT_UPDATE]           = DROP(NO_ASSOCIATION, I1_SENT, "4.4.3"),
		[STATE_EVENT_NOTIFY]           = DROP(NO_ASSOCIATION, I1_SENT, "4.4.3"),
		[STATE_EVENT_CLOSE]            = DROP(NO_ASSOCIATION, I1_SENT, "4.4.3"),
		[STATE_EVENT_CLOSE_ACK]        = DROP(NO_ASSOCIATION, I1_SENT, "4.4.3"),
		[STATE_EVENT_ESP]              = NOTHING(I1_SENT),
		[STATE_EVENT_WANTED]           = NOTHING(I1_SENT),
		[STATE_EVENT_LEAVE]            = DO(FORGET_EXCHANGE, UNASSOCIATED, "4.1.6"),
		[STATE_EVENT_UNUSED]           = NOTHING(I1_SENT),
		[STATE_EVENT_LOST]             = NOTHING(I1_SENT),
		[STATE_EVENT_EXCHANGE_TIMEOUT] = DO(SEND_I1_AGAIN, I1_SENT, "4.4.3, 6.6 step 5"),
		[STATE_EVENT_EXCHANGE_OVER]    = DO(FAIL, FAILED, "4.4.3"),
		[STATE_EVENT_SESSION_TIMEOUT]  = NOTHING(I1_SENT),
		[STATE_EVENT_SESSION_OVER]     = NOTHING(I1_SENT),
	},
	/* Table 4. A NOTIFY is for information only (6.13), but RESPONDER_BUSY_PLEASE_RETRY has no other place. */
	[HOST_I2_SENT] = {
		[STATE_EVENT_I1]               = DO(SEND_R1, I2_SENT, "4.4.3"),
		[STATE_EVENT_R1]               = DO(ANSWER_NEWER_R1, I2_SENT, "6.8 step 8"),
		[STATE_EVENT_I2]               = DO_IF_GREATER(ANSWER_I2, MEET_I2, R2_SENT, "6.9 step 5"),
		[STATE_EVENT_R2]               = DO(TAKE_R2, ESTABLISHED, "6.10 step 6"),
		[STATE_EVENT_UPDATE]           = DROP(NO_ASSOCIATION, I2_SENT, "4.4.3"),
		[STATE_EVENT_NOTIFY]           = DO(TAKE_NOTIFY, I2_SENT, "5.2.19, 6.13"),
		[STATE_EVENT_CLOSE]            = DO(ANSWER_CLOSE, CLOSED, "4.4.3"),
		[STATE_EVENT_CLOSE_ACK]        = DROP(NO_ASSOCIATION, I2_SENT, "4.4.3"),
		[STATE_EVENT_ESP]              = NOTHING(I2_SENT),
		[STATE_EVENT_WANTED]           = NOTHING(I2_SENT),
		[STATE_EVENT_LEAVE]            = DO(FORGET_EXCHANGE, UNASSOCIATED, "4.1.6"),
		[STATE_EVENT_UNUSED]           = NOTHING(I2_SENT),
		[STATE_EVENT_LOST]             = NOTHING(I2_SENT),
		[STATE_EVENT_EXCHANGE_TIMEOUT] = DO(SEND_I2_AGAIN, I2_SENT, "4.4.3, 6.8 step 18"),
		[STATE_EVENT_EXCHANGE_OVER]    = DO(FAIL, FAILED, "4.4.3"),
		[STATE_EVENT_SESSION_TIMEOUT]  = NOTHING(I2_SENT),
		[STATE_EVENT_SESSION_OVER]     = NOTHING(I2_SENT),
	},
	/* Table 5 */
	[HOST_R2_SENT] = {
		[STATE_EVENT_I1]               = DO(SEND_R1, R2_SENT, "4.4.3"),
		[STATE_EVENT_R1]               = DROP(WRONG_STATE, R2_SENT, "4.4.3"),
		[STATE_EVENT_I2]               = DO(ANSWER_I2, R2_SENT, "6.9 steps 4, 19"),
		[STATE_EVENT_R2]               = DROP(WRONG_STATE, R2_SENT, "4.4.3"),
		[STATE_EVENT_UPDATE]           = DO(TAKE_UPDATE, ESTABLISHED, "4.4.3, 6.9 step 21"),
		[STATE_EVENT_NOTIFY]           = DO(TAKE_NOTIFY, R2_SENT, "4.4.3"),
		[STATE_EVENT_CLOSE]            = DO(ANSWER_CLOSE, CLOSED, "4.4.3"),
		[STATE_EVENT_CLOSE_ACK]        = DROP(WRONG_STATE, R2_SENT, "4.4.3"),
		[STATE_EVENT_ESP]              = DO(MOVE_ON, ESTABLISHED, "4.4.3, 6.9 step 21"),
		[STATE_EVENT_WANTED]           = DO(SEND_I1, I1_SENT, "4.3"),
		[STATE_EVENT_LEAVE]            = DO(SEND_CLOSE, CLOSING, "5.3.7"),
		[STATE_EVENT_UNUSED]           = NOTHING(R2_SENT),
		[STATE_EVENT_LOST]             = DO(FAIL, CLOSING, "6.11 step 4"),
		[STATE_EVENT_EXCHANGE_TIMEOUT] = NOTHING(R2_SENT),
		[STATE_EVENT_EXCHANGE_OVER]    = NOTHING(R2_SENT),
		[STATE_EVENT_SESSION_TIMEOUT]  = NOTHING(R2_SENT),
		[STATE_EVENT_SESSION_OVER]     = DO(MOVE_ON, ESTABLISHED, "4.4.3, 6.9 step 21"),
	},
	/* Table 6. When UPDATEs are not acknowledged, an I1 goes out before the association is lost. */
	[HOST_ESTABLISHED] = {
		[STATE_EVENT_I1]               = DO(SEND_R1, ESTABLISHED, "4.4.3, 6.7 step 2"),
		[STATE_EVENT_R1]               = DROP(WRONG_STATE, ESTABLISHED, "4.4.3"),
		[STATE_EVENT_I2]               = DO(ANSWER_I2, R2_SENT, "4.4.3, 6.9 step 20"),
		[STATE_EVENT_R2]               = DROP(WRONG_STATE, ESTABLISHED, "4.4.3"),
		[STATE_EVENT_UPDATE]           = DO(TAKE_UPDATE, ESTABLISHED, "4.4.3, 6.12"),
		[STATE_EVENT_NOTIFY]           = DO(TAKE_NOTIFY, ESTABLISHED, "4.4.3"),
		[STATE_EVENT_CLOSE]            = DO(ANSWER_CLOSE, CLOSED, "4.4.3, 6.14"),
		[STATE_EVENT_CLOSE_ACK]        = DROP(WRONG_STATE, ESTABLISHED, "4.4.3"),
		[STATE_EVENT_ESP]              = NOTHING(ESTABLISHED),
		[STATE_EVENT_WANTED]           = DO(SEND_I1, I1_SENT, "4.3"),
		[STATE_EVENT_LEAVE]            = DO(SEND_CLOSE, CLOSING, "5.3.7"),
		[STATE_EVENT_UNUSED]           = DO(SEND_CLOSE, CLOSING, "4.4.3"),
		[STATE_EVENT_LOST]             = DO(FAIL, CLOSING, "6.11 step 4"),
		[STATE_EVENT_EXCHANGE_TIMEOUT] = NOTHING(ESTABLISHED),
		[STATE_EVENT_EXCHANGE_OVER]    = NOTHING(ESTABLISHED),
		[STATE_EVENT_SESSION_TIMEOUT]  = NOTHING(ESTABLISHED),
		[STATE_EVENT_SESSION_OVER]     = NOTHING(ESTABLISHED),
	},
	/* Table 7 */
	[HOST_CLOSING] = {
		[STATE_EVENT_I1]               = DO(SEND_R1, CLOSING, "4.4.3"),
		[STATE_EVENT_R1]               = DROP(WRONG_STATE, CLOSING, "6.8 step 2"),
		[STATE_EVENT_I2]               = DO(ANSWER_I2, R2_SENT, "4.4.3"),
		[STATE_EVENT_R2]               = DROP(WRONG_STATE, CLOSING, "4.4.3"),
		[STATE_EVENT_UPDATE]           = DROP(WRONG_STATE, CLOSING, "4.4.3"),
		[STATE_EVENT_NOTIFY]           = DROP(WRONG_STATE, CLOSING, "4.4.3"),
		[STATE_EVENT_CLOSE]            = DO(ANSWER_CLOSE, CLOSED, "4.4.3, 6.14"),
		[STATE_EVENT_CLOSE_ACK]        = DO(TAKE_CLOSE_ACK, UNASSOCIATED, "4.4.3, 6.15"),
		[STATE_EVENT_ESP]              = NOTHING(CLOSING),
		[STATE_EVENT_WANTED]           = DO(SEND_I1, I1_SENT, "4.4.3, 6.14"),
		[STATE_EVENT_LEAVE]            = NOTHING(CLOSING),
		[STATE_EVENT_UNUSED]           = NOTHING(CLOSING),
		[STATE_EVENT_LOST]             = NOTHING(CLOSING),
		[STATE_EVENT_EXCHANGE_TIMEOUT] = NOTHING(CLOSING),
		[STATE_EVENT_EXCHANGE_OVER]    = NOTHING(CLOSING),
		[STATE_EVENT_SESSION_TIMEOUT]  = DO(SEND_CLOSE_AGAIN, CLOSING, "4.4.3"),
		[STATE_EVENT_SESSION_OVER]     = DO(DISCARD, UNASSOCIATED, "4.4.3"),
	},
	/* Table 8. "Send I1 and stay at CLOSED": the session half does stay, and still answers CLOSEs. */
	[HOST_CLOSED] = {
		[STATE_EVENT_I1]               = DO(SEND_R1, CLOSED, "4.4.3"),
		[STATE_EVENT_R1]               = DROP(WRONG_STATE, CLOSED, "6.8 step 2"),
		[STATE_EVENT_I2]               = DO(ANSWER_I2, R2_SENT, "4.4.3"),
		[STATE_EVENT_R2]               = DROP(WRONG_STATE, CLOSED, "4.4.3"),
		[STATE_EVENT_UPDATE]           = DROP(WRONG_STATE, CLOSED, "4.4.3"),
		[STATE_EVENT_NOTIFY]           = DROP(WRONG_STATE, CLOSED, "4.4.3"),
		[STATE_EVENT_CLOSE]            = DO(ANSWER_CLOSE, CLOSED, "4.4.3"),
		[STATE_EVENT_CLOSE_ACK]        = DO(TAKE_CLOSE_ACK, UNASSOCIATED, "4.4.3, 6.15"),
		[STATE_EVENT_ESP]              = NOTHING(CLOSED),
		[STATE_EVENT_WANTED]           = DO(SEND_I1, I1_SENT, "4.4.3, 6.14"),
		[STATE_EVENT_LEAVE]            = NOTHING(CLOSED),
		[STATE_EVENT_UNUSED]           = NOTHING(CLOSED),
		[STATE_EVENT_LOST]             = NOTHING(CLOSED),
		[STATE_EVENT_EXCHANGE_TIMEOUT] = NOTHING(CLOSED),
		[STATE_EVENT_EXCHANGE_OVER]    = NOTHING(CLOSED),
		[STATE_EVENT_SESSION_TIMEOUT]  = NOTHING(CLOSED),
		[STATE_EVENT_SESSION_OVER]     = DO(DISCARD, UNASSOCIATED, "4.4.3"),
	},
	/* Table 9. E-FAILED is only for people to see: whoever is wanted again, or comes by itself, need not wait. */
	[HOST_FAILED] = {
		[STATE_EVENT_I1]               = DO(SEND_R1, FAILED, "4.4.3, 6.7"),
		[STATE_EVENT_R1]               = DROP(WRONG_STATE, FAILED, "6.8 step 2"),
		[STATE_EVENT_I2]               = DO(ANSWER_I2, R2_SENT, "6.9 step 19"),
		[STATE_EVENT_R2]               = DROP(WRONG_STATE, FAILED, "6.10 step 1"),
		[STATE_EVENT_UPDATE]           = DROP(NO_ASSOCIATION, FAILED, "6.12 step 1"),
		[STATE_EVENT_NOTIFY]           = DROP(NO_ASSOCIATION, FAILED, "4.4.3"),
		[STATE_EVENT_CLOSE]            = DROP(NO_ASSOCIATION, FAILED, "6.14"),
		[STATE_EVENT_CLOSE_ACK]        = DROP(NO_ASSOCIATION, FAILED, "6.15"),
		[STATE_EVENT_ESP]              = NOTHING(FAILED),
		[STATE_EVENT_WANTED]           = DO(SEND_I1, I1_SENT, "4.4.3"),
		[STATE_EVENT_LEAVE]            = NOTHING(FAILED),
		[STATE_EVENT_UNUSED]           = NOTHING(FAILED),
		[STATE_EVENT_LOST]             = NOTHING(FAILED),
		[STATE_EVENT_EXCHANGE_TIMEOUT] = NOTHING(FAILED),
		[STATE_EVENT_EXCHANGE_OVER]    = DO(FORGET_FAILURE, UNASSOCIATED, "4.4.3"),
		[STATE_EVENT_SESSION_TIMEOUT]  = NOTHING(FAILED),
		[STATE_EVENT_SESSION_OVER]     = NOTHING(FAILED),
	},
};
/* clang-format on */

const struct state_rule *state_table_rule(host_state state, state_event event)
{
	static const struct state_rule out_of_range = {.action = STATE_DROP, .section = ""};

	if ((size_t)state >= STATES || (size_t)event >= STATE_EVENTS)
		return &out_of_range;
	return &table[state][event];
}

bool state_event_is_of_exchange(state_event event)
{
	return (size_t)event < STATE_EVENTS && events[event].of_exchange;
}

const char *state_event_name(state_event event)
{
	return (size_t)event < STATE_EVENTS ? events[event].name : "";
}
