/* SPDX-License-Identifier: MIT */
/**
 * `hiphop ping`: ICMPv6 echo between the HITs, sent through the same ESP that applications use. The answers are taken
 * out before they reach the tunnel, and pass the filter of hip0 without a rule.
 */
#include "daemon/node_internal.h"

#include "hip/base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define PING_SESSIONS_MAXIMUM 32
#define PING_TRIES_PENDING    64
#define ECHO_REQUEST          128
#define ECHO_REPLY            129
#define ECHO_LENGTH           (40 + 8 + 8)

/* One `hiphop ping`. Tries overlap when the interval is shorter than the round trip. */
struct ping_session {
	struct ping_session *next;
	struct ping_order order;
	uint16_t identifier;
	uint32_t sent, ended;
	instant sent_at[PING_TRIES_PENDING]; /* of try n at n modulo; 0 = ended */
	struct deadline send_deadline, give_up_deadline;
	node_ping_done *done;
	uint64_t client;
};

static void write_echo(const struct ping_session *session, uint32_t sequence, uint8_t *octets)
{
	struct writer writer = writer_over(octets, ECHO_LENGTH);
	uint32_t sum = 58 + 16;

	writer_u32(&writer, 6U << 28);
	writer_u16(&writer, 16);
	writer_u8(&writer, 58);
	writer_u8(&writer, 64);
	writer_copy(&writer, session->order.from->hit.octets, HIT_LENGTH);
	writer_copy(&writer, session->order.target.octets, HIT_LENGTH);
	writer_u8(&writer, ECHO_REQUEST);
	writer_zero(&writer, 3);
	writer_u16(&writer, session->identifier);
	writer_u16(&writer, (uint16_t)sequence);
	writer_u64(&writer, sequence);
	for (size_t i = 8; i < ECHO_LENGTH; i += 2)
		sum += (uint32_t)(octets[i] << 8 | octets[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffffU) + (sum >> 16);
	writer_patch_u16(&writer, 42, (uint16_t)~sum);
}

static void free_session(struct node *node, struct ping_session *session)
{
	struct ping_session **place = &node->pings;

	while (*place != session)
		place = &(*place)->next;
	*place = session->next;
	deadline_cancel(&node->timers, &session->send_deadline);
	deadline_cancel(&node->timers, &session->give_up_deadline);
	free(session);
}

static instant oldest_pending(const struct ping_session *session, uint32_t *sequence)
{
	uint32_t first = session->sent > PING_TRIES_PENDING ? session->sent - PING_TRIES_PENDING + 1 : 1;

	for (uint32_t n = first; n <= session->sent; n++) {
		if (session->sent_at[n % PING_TRIES_PENDING]) {
			*sequence = n;
			return session->sent_at[n % PING_TRIES_PENDING];
		}
	}
	return INSTANT_NEVER;
}

static void arm_give_up(struct node *node, struct ping_session *session)
{
	uint32_t sequence;
	instant oldest = oldest_pending(session, &sequence);

	if (oldest == INSTANT_NEVER)
		deadline_cancel(&node->timers, &session->give_up_deadline);
	else
		deadline_set(&node->timers, &session->give_up_deadline, instant_after(oldest, session->order.timeout));
}

/* Ends a try and tells; the session is gone after its last. */
static void end_try(struct node *node, instant now, struct ping_session *session, uint32_t sequence, bool answered)
{
	struct ping_answer answer = {
		.from = session->order.from,
		.sequence = sequence,
		.answered = answered,
		.round_trip = now - session->sent_at[sequence % PING_TRIES_PENDING],
		.last = ++session->ended == session->order.count,
	};
	struct hit target = session->order.target;
	node_ping_done *done = session->done;
	uint64_t client = session->client;

	session->sent_at[sequence % PING_TRIES_PENDING] = 0;
	if (answer.last)
		free_session(node, session);
	else
		arm_give_up(node, session);
	done(node, now, client, &target, &answer);
}

static void send_try(struct node *node, instant now, struct ping_session *session)
{
	uint8_t octets[ECHO_LENGTH];
	uint32_t sequence = ++session->sent;

	session->sent_at[sequence % PING_TRIES_PENDING] = now;
	write_echo(session, sequence, octets);
	if (session->sent < session->order.count)
		deadline_set(&node->timers, &session->send_deadline, instant_after(now, session->order.interval));
	arm_give_up(node, session);
	node_send_inner(node, now, octets, sizeof(octets));
}

/* A try whose slot is needed again has had its time. */
static void send_or_end_oldest(struct node *node, instant now, struct ping_session *session)
{
	uint32_t slot = (session->sent + 1) % PING_TRIES_PENDING;

	if (session->sent_at[slot]) {
		deadline_set(&node->timers, &session->send_deadline, instant_after(now, MILLISECONDS(1)));
		end_try(node, now, session, session->sent + 1 - PING_TRIES_PENDING, false);
		return;
	}
	send_try(node, now, session);
}

hiphop_error node_ping_start(
	struct node *node, instant now, const struct ping_order *order, node_ping_done *done, uint64_t client)
{
	struct ping_session *session;
	size_t sessions = 0;

	for (session = node->pings; session; session = session->next)
		sessions++;
	if (sessions >= PING_SESSIONS_MAXIMUM)
		return HIPHOP_LIMITED;
	session = calloc(1, sizeof(*session));
	if (!session)
		return HIPHOP_NO_MEMORY;
	if (deadline_heap_reserve(
		    &node->timers, node->bootstrap_count + 16 + node_prefixes_timers(node) + 2 * (sessions + 1))) {
		free(session);
		return HIPHOP_NO_MEMORY;
	}
	session->order = *order;
	session->identifier = node->next_ping_identifier++;
	session->done = done;
	session->client = client;
	session->send_deadline = (struct deadline){.kind = NODE_TIMER_PING_SEND, .owner = session};
	session->give_up_deadline = (struct deadline){.kind = NODE_TIMER_PING_GIVE_UP, .owner = session};
	session->next = node->pings;
	node->pings = session;
	send_try(node, now, session);
	return HIPHOP_OK;
}

bool node_ping_input(struct node *node, instant now, const struct hit *peer, const uint8_t *packet, size_t length)
{
	struct reader reader = reader_over(packet, length);
	uint16_t identifier, sequence;
	uint8_t next_header, type;

	if (!node->pings)
		return false;
	reader_skip(&reader, 6);
	next_header = reader_u8(&reader);
	reader_skip(&reader, 33);
	type = reader_u8(&reader);
	reader_skip(&reader, 3);
	identifier = reader_u16(&reader);
	sequence = reader_u16(&reader);
	if (reader_status(&reader) || next_header != 58 || type != ECHO_REPLY)
		return false;
	for (struct ping_session *session = node->pings; session; session = session->next) {
		uint32_t full;

		if (session->identifier != identifier || !hit_equal(&session->order.target, peer))
			continue;
		full = (session->sent & 0xffff0000U) | sequence;
		if (full > session->sent)
			full -= 0x10000U;
		if (full && session->sent - full < PING_TRIES_PENDING && session->sent_at[full % PING_TRIES_PENDING])
			end_try(node, now, session, full, true);
		return true;
	}
	return false;
}

void node_ping_timer(struct node *node, instant now, struct deadline *deadline)
{
	struct ping_session *session = deadline->owner;
	uint32_t sequence;

	if (deadline->kind == NODE_TIMER_PING_SEND)
		send_or_end_oldest(node, now, session);
	else if (oldest_pending(session, &sequence) != INSTANT_NEVER)
		end_try(node, now, session, sequence, false);
}

void node_ping_gone(struct node *node, uint64_t client)
{
	struct ping_session *session = node->pings;

	while (session) {
		struct ping_session *next = session->next;

		if (session->client == client)
			free_session(node, session);
		session = next;
	}
}

void node_ping_free(struct node *node)
{
	while (node->pings)
		free_session(node, node->pings);
}
