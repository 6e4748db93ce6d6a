/* SPDX-License-Identifier: MIT */
#include "sipglue/media_relay.h"

#include "hip/base/token_bucket.h"
#include "sipglue/place.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS ((SIP_RELAY_PORT_LAST - SIP_RELAY_PORT_FIRST + 1) / 2)

/* The name of a stream is its slot and, above that, which use of it. */
#define SLOT_BITS 16

/** Where one end has its media, or its RTCP. */
struct relay_flow {
	struct endpoint said; /* by its SDP; port 0: nowhere */
	struct endpoint heard;
	instant heard_at;
	bool known; /* `heard` is of it */
};

struct relay_end {
	struct relay_flow flows[2]; /* media, RTCP */
	bool held;
	struct token_bucket rate;
	uint64_t packets, refused;
};

struct relay_stream {
	uint64_t name;
	struct relay *relay;
	size_t index; /* of its m= line */
	uint16_t port;
	struct relay_end ends[2];
};

struct relay {
	LIST_ENTRY(relay) link;     /* of its call */
	LIST_ENTRY(relay) all_link; /* of all */
	const char *call_id;
	struct relay_side sides[2];
	struct relay_stream *streams[RELAY_STREAMS_OF_ONE];
	instant used; /* last packet, or SDP */
	struct deadline deadline;
};

struct media_relay {
	struct relay_list relays;
	size_t relay_count, stream_count;
	struct relay_stream *slots[SLOTS];
	size_t next_slot;
	uint64_t uses;
};

hiphop_error media_relay_create(struct media_relay **all)
{
	*all = calloc(1, sizeof **all);
	if (!*all)
		return HIPHOP_NO_MEMORY;
	LIST_INIT(&(*all)->relays);
	return HIPHOP_OK;
}

void media_relay_free(struct media_relay *all)
{
	free(all);
}

/* ---- Between whom ---- */

bool relay_is_needed(const struct sip *sip, const struct path *from, const struct path *to)
{
	bool local = place_network(sip, &from->local.address) || place_network(sip, &to->local.address);
	return local && !address_equal(&from->local.address, &to->local.address);
}

static bool is_side(const struct relay_side *side, const struct path *path)
{
	return address_equal(&side->local, &path->local.address) && address_equal(&side->remote, &path->remote.address);
}

struct relay *relay_find(
	const struct relay_list *relays, const struct path *from, const struct path *to, unsigned *side)
{
	struct relay *relay;
	LIST_FOREACH(relay, relays, link)
	for (unsigned i = 0; i < 2; i++)
		if (is_side(&relay->sides[i], from) && is_side(&relay->sides[1 - i], to)) {
			*side = i;
			return relay;
		}
	return NULL;
}

static size_t count_with(const struct media_relay *all, const struct address *remote)
{
	const struct relay *relay;
	size_t count = 0;
	LIST_FOREACH(relay, &all->relays, all_link)
	count += address_equal(&relay->sides[0].remote, remote) || address_equal(&relay->sides[1].remote, remote);
	return count;
}

static bool is_over_limit(const struct media_relay *all, const struct path *from, const struct path *to)
{
	return all->relay_count >= RELAYS_MAXIMUM || count_with(all, &from->remote.address) >= RELAYS_OF_ONE_ADDRESS ||
	       count_with(all, &to->remote.address) >= RELAYS_OF_ONE_ADDRESS;
}

/* ---- Life ---- */

static void set_deadline(struct sip *sip, struct relay *relay)
{
	instant end = instant_after(relay->used, RELAY_SILENCE_LIMIT);
	engine_set_deadline(sip, &relay->deadline, DEADLINE_RELAY, relay, end > sip->now ? end - sip->now : 0);
}

hiphop_error relay_make(struct sip *sip, struct relay_list *relays, const char *call_id, const struct path *from,
	const struct path *to, struct relay **relay)
{
	if (is_over_limit(sip->relays, from, to)) {
		sip->counters.relay_limited++;
		return HIPHOP_LIMITED;
	}
	struct relay *made = calloc(1, sizeof *made);
	if (!made || engine_admit_deadlines(sip, 1) != HIPHOP_OK) {
		free(made);
		return HIPHOP_NO_MEMORY;
	}
	made->call_id = call_id;
	made->sides[0] = (struct relay_side){from->local.address, from->remote.address};
	made->sides[1] = (struct relay_side){to->local.address, to->remote.address};
	made->used = sip->now;
	LIST_INSERT_HEAD(relays, made, link);
	LIST_INSERT_HEAD(&sip->relays->relays, made, all_link);
	sip->relays->relay_count++;
	set_deadline(sip, made);
	*relay = made;
	return HIPHOP_OK;
}

static void forget_stream(struct sip *sip, struct relay_stream *stream)
{
	struct relay *relay = stream->relay;
	for (size_t i = 0; i < RELAY_STREAMS_OF_ONE; i++)
		if (relay->streams[i] == stream)
			relay->streams[i] = NULL;
	sip->relays->slots[stream->name & ((1U << SLOT_BITS) - 1)] = NULL;
	sip->relays->stream_count--;
	free(stream);
}

static void close_stream(struct sip *sip, struct relay_stream *stream)
{
	effect_push(sip, &(struct sip_effect){.kind = SIP_RELAY_CLOSE, .token = stream->name});
	forget_stream(sip, stream);
}

static void close_streams(struct sip *sip, struct relay *relay)
{
	for (size_t i = 0; i < RELAY_STREAMS_OF_ONE; i++)
		if (relay->streams[i])
			close_stream(sip, relay->streams[i]);
}

void relay_free(struct sip *sip, struct relay *relay)
{
	close_streams(sip, relay);
	engine_retire_deadline(sip, &relay->deadline);
	LIST_REMOVE(relay, link);
	LIST_REMOVE(relay, all_link);
	sip->relays->relay_count--;
	free(relay);
}

void relays_free(struct sip *sip, struct relay_list *relays, const struct relay *kept)
{
	struct relay *relay = LIST_FIRST(relays);
	while (relay) {
		struct relay *next = LIST_NEXT(relay, link);
		if (relay != kept)
			relay_free(sip, relay);
		relay = next;
	}
}

void relay_deadline(struct sip *sip, struct relay *relay)
{
	if (instant_after(relay->used, RELAY_SILENCE_LIMIT) <= sip->now) {
		close_streams(sip, relay);
		/* The call still stands, and its next SDP may open them again. */
		relay->used = sip->now;
	}
	set_deadline(sip, relay);
}

/* ---- Ports ---- */

/** Goes round, so that ports just closed rest the longest. */
static bool find_slot(struct media_relay *all, size_t *slot)
{
	for (size_t tries = 0; tries < SLOTS; tries++) {
		*slot = all->next_slot;
		all->next_slot = (all->next_slot + 1) % SLOTS;
		if (!all->slots[*slot])
			return true;
	}
	return false;
}

static void push_open(struct sip *sip, const struct relay_stream *stream)
{
	struct sip_effect effect = {.kind = SIP_RELAY_OPEN, .token = stream->name};
	effect.local = (struct endpoint){.address = stream->relay->sides[0].local, .port = stream->port};
	effect.remote = (struct endpoint){.address = stream->relay->sides[1].local, .port = stream->port};
	effect_push(sip, &effect);
}

static struct relay_stream *open_stream(struct sip *sip, struct relay *relay, size_t index)
{
	struct media_relay *all = sip->relays;
	size_t slot;
	if (all->stream_count >= RELAY_STREAMS_MAXIMUM || !find_slot(all, &slot)) {
		sip->counters.relay_limited++;
		return NULL;
	}
	struct relay_stream *made = calloc(1, sizeof *made);
	if (!made)
		return NULL;
	made->name = ++all->uses << SLOT_BITS | slot;
	made->relay = relay;
	made->index = index;
	made->port = (uint16_t)(SIP_RELAY_PORT_FIRST + 2 * slot);
	for (size_t i = 0; i < 2; i++)
		made->ends[i].rate = token_bucket_start(RELAY_PACKETS_PER_SECOND, RELAY_PACKETS_BURST, sip->now);
	all->slots[slot] = made;
	all->stream_count++;
	push_open(sip, made);
	return made;
}

static struct relay_stream *stream_at(struct sip *sip, struct relay *relay, size_t index)
{
	struct relay_stream **free_place = NULL;
	for (size_t i = RELAY_STREAMS_OF_ONE; i-- > 0;) {
		if (!relay->streams[i])
			free_place = &relay->streams[i];
		else if (relay->streams[i]->index == index)
			return relay->streams[i];
	}
	if (free_place)
		*free_place = open_stream(sip, relay, index);
	else
		sip->counters.relay_limited++;
	return free_place ? *free_place : NULL;
}

/* ---- What an end says ---- */

/** The address to send to: what the SDP says when the end may well be there, else where it is signalled. */
static struct address fitting_address(const struct sip *sip, const struct relay_side *side, const struct address *said)
{
	const struct sip_network *network = place_network(sip, said);
	bool fits = network && address_equal(&network->address, &side->local) && !place_is_host(sip, said);
	return fits ? *said : side->remote;
}

/** A port of this host itself is for phones: never ours, where it would go round, nor that of the proxy. */
static bool port_is_fit(const struct sip *sip, const struct address *address, uint16_t port)
{
	bool ours = port == sip->port || (port >= SIP_RELAY_PORT_FIRST && port <= SIP_RELAY_PORT_LAST);
	return port && !(place_is_host(sip, address) && ours);
}

static void say_flow(const struct sip *sip, struct relay_flow *flow, const struct address *address, uint16_t port)
{
	struct endpoint said = {.address = *address, .port = port_is_fit(sip, address, port) ? port : 0};
	if (endpoint_equal(&flow->said, &said))
		return;
	flow->said = said;
	flow->known = false;
}

static void say_end(
	const struct sip *sip, struct relay_end *end, const struct relay_side *side, const struct sdp_stream *stream)
{
	struct address address = fitting_address(sip, side, &stream->address);
	end->held = stream->held;
	say_flow(sip, &end->flows[0], &address, stream->port);
	say_flow(sip, &end->flows[1], &address, stream->control_port);
}

/** The port that the other end is told for each stream. True when some stream is on, or none was wanted. */
static bool choose_ports(struct sip *sip, struct relay *relay, unsigned side, const struct sdp_description *description,
	uint16_t ports[static SDP_STREAMS_MAXIMUM])
{
	bool wanted = false, given = false;
	for (size_t i = 0; i < description->count; i++) {
		const struct sdp_stream *said = &description->streams[i];
		struct relay_stream *stream = said->off ? NULL : stream_at(sip, relay, i);
		ports[i] = stream ? stream->port : 0;
		wanted |= !said->off;
		given |= stream != NULL;
		if (stream)
			say_end(sip, &stream->ends[side], &relay->sides[side], said);
	}
	return given || !wanted;
}

hiphop_error relay_describe(struct sip *sip, struct relay *relay, unsigned side, struct span body, struct buffer *out)
{
	struct sdp_description description;
	uint16_t ports[SDP_STREAMS_MAXIMUM];
	hiphop_error error = sdp_read(body, &description);
	if (error)
		return error;
	relay->used = sip->now;
	if (!choose_ports(sip, relay, side, &description, ports))
		return HIPHOP_LIMITED;
	return sdp_write(body, &relay->sides[1 - side].local, ports, description.count, out);
}

/* ---- Packets ---- */

static struct relay_stream *stream_named(const struct sip *sip, uint64_t name)
{
	size_t slot = name & ((1U << SLOT_BITS) - 1);
	struct relay_stream *stream = slot < SLOTS ? sip->relays->slots[slot] : NULL;
	return stream && stream->name == name ? stream : NULL;
}

/** Whether a packet is of this end; learns its port from it. */
static bool is_heard(
	const struct sip *sip, struct relay_flow *flow, const struct relay_side *side, const struct endpoint *remote)
{
	bool exact = endpoint_equal(remote, &flow->said);
	bool known = flow->known && endpoint_equal(remote, &flow->heard);
	bool its_address =
		address_equal(&remote->address, &side->remote) || address_equal(&remote->address, &flow->said.address);
	bool may_learn = !flow->known || instant_after(flow->heard_at, RELAY_LEARN_AGAIN) <= sip->now;
	if (!known && !exact && !(its_address && may_learn))
		return false;
	flow->known = true;
	flow->heard = *remote;
	flow->heard_at = sip->now;
	return true;
}

bool sip_relay_packet(struct sip *sip, instant now, const struct sip_relay_arrival *arrival, struct endpoint *to)
{
	struct relay_stream *stream = stream_named(sip, arrival->token);
	unsigned side = arrival->second_side, kind = arrival->control;
	sip->now = now;
	if (!stream)
		return false;
	struct relay_end *end = &stream->ends[side], *other = &stream->ends[1 - side];
	if (arrival->remote.port == 0 ||
		!is_heard(sip, &end->flows[kind], &stream->relay->sides[side], &arrival->remote)) {
		end->refused++;
		sip->counters.relay_refused++;
		return false;
	}
	if (!token_bucket_take(&end->rate, now)) {
		sip->counters.relay_limited++;
		return false;
	}
	stream->relay->used = now;
	end->packets++;
	const struct relay_flow *flow = &other->flows[kind];
	*to = flow->known ? flow->heard : flow->said;
	if (other->held || to->port == 0)
		return false;
	sip->counters.relayed++;
	return true;
}

void sip_relay_failed(struct sip *sip, instant now, uint64_t token)
{
	struct relay_stream *stream = stream_named(sip, token);
	sip->now = now;
	if (!stream)
		return;
	sip->counters.relay_failed++;
	forget_stream(sip, stream);
}

void sip_walk_relays(
	const struct sip *sip, void (*visit)(void *context, const struct sip_relay_status *status), void *context)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct relay_stream *stream = sip->relays->slots[i];
		if (!stream)
			continue;
		struct sip_relay_status status = {.call_id = stream->relay->call_id, .port = stream->port};
		for (size_t j = 0; j < 2; j++) {
			const struct relay_flow *flow = &stream->ends[j].flows[0];
			status.ends[j].local = stream->relay->sides[j].local;
			status.ends[j].remote = flow->known ? flow->heard : flow->said;
			status.ends[j].packets = stream->ends[j].packets;
			status.ends[j].refused = stream->ends[j].refused;
		}
		visit(context, &status);
	}
}
