/* SPDX-License-Identifier: MIT */
/**
 * The state machine of RFC 7401 section 4.4 as a table: for each state and event what is done, or why nothing is.
 *
 * An association has two halves that may stand side by side, since keys are renewed by a new base exchange while the
 * old SAs serve: the *session* (R2-SENT, ESTABLISHED, CLOSING, CLOSED) and the *exchange* that this host has begun
 * (I1-SENT, I2-SENT). With one half alone both views are the same state, that of the RFC. With both, an event is looked
 * up in the state of the half that it is about (state_event_is_of_exchange), and `next` is the next state of that half.
 */
#ifndef HIPHOP_HIP_CORE_STATE_TABLE_H
#define HIPHOP_HIP_CORE_STATE_TABLE_H

#include "hip/core/host.h"

#include <stdbool.h>

typedef enum {
	/* packets; they have passed checksum and message rules, nothing else */
	STATE_EVENT_I1,
	STATE_EVENT_R1,
	STATE_EVENT_I2,
	STATE_EVENT_R2,
	STATE_EVENT_UPDATE,
	STATE_EVENT_NOTIFY,
	STATE_EVENT_CLOSE,
	STATE_EVENT_CLOSE_ACK,
	STATE_EVENT_ESP, /**< verified ESP of the peer was heard */
	/* wishes */
	STATE_EVENT_WANTED, /**< somebody needs a new association or new keys: "user data to send" */
	STATE_EVENT_LEAVE,  /**< the association shall end */
	/* time */
	STATE_EVENT_UNUSED,           /**< no packet sent or received for UAL */
	STATE_EVENT_LOST,             /**< UPDATEs were not answered, and no exchange is wanted or possible */
	STATE_EVENT_EXCHANGE_TIMEOUT, /**< of the I1, the I2; with tries left */
	STATE_EVENT_EXCHANGE_OVER,    /**< the same without; end of E-FAILED */
	STATE_EVENT_SESSION_TIMEOUT,  /**< of the CLOSE; with time left */
	STATE_EVENT_SESSION_OVER,     /**< the same without; Exchange Complete; end of CLOSED */
	STATE_EVENTS
} state_event;

typedef enum {
	STATE_UNDEFINED = 0, /**< no cell has it */
	STATE_DROP,          /**< the packet is counted and dropped; anything else is ignored */
	STATE_SEND_R1,
	STATE_MEET_I1, /**< an I1 is dropped, but ours goes where it came from */
	STATE_MEET_I2, /**< the same for an I2 */
	STATE_ANSWER_R1,
	STATE_ANSWER_NEWER_R1,
	STATE_ANSWER_I2,
	STATE_TAKE_R2,
	STATE_TAKE_UPDATE,
	STATE_TAKE_NOTIFY,
	STATE_ANSWER_CLOSE,
	STATE_TAKE_CLOSE_ACK,
	STATE_SEND_I1,
	STATE_SEND_I1_AGAIN,
	STATE_SEND_I2_AGAIN,
	STATE_FAIL,
	STATE_FORGET_EXCHANGE,
	STATE_FORGET_FAILURE,
	STATE_MOVE_ON,
	STATE_SEND_CLOSE,
	STATE_SEND_CLOSE_AGAIN,
	STATE_DISCARD,
	STATE_ACTIONS
} state_action;

/** A cell of the table. */
struct state_rule {
	state_action action;
	bool compares_hits;      /**< `action` is for the greater HIT … */
	state_action if_smaller; /**< … and this for the smaller one, when ours is it (RFC 7401 section 6.5) */
	host_state next;         /**< of the half, when the action succeeds; else it stays */
	host_counter drop;       /**< what counts a dropped packet */
	const char *section;     /**< of RFC 7401, that says so */
};

/** The cell. Static storage; never NULL for a state and an event in range. */
const struct state_rule *state_table_rule(host_state state, state_event event);
/** True when the event is about the exchange half, false when about the session half. */
bool state_event_is_of_exchange(state_event event);
/** "receive I1" and so on. Static. */
const char *state_event_name(state_event event);

#endif
