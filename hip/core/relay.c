/* SPDX-License-Identifier: MIT */
#include "hip/core/relay.h"

#include "hip/core/packet_signature.h"
#include "hip/core/rate_table.h"
#include "hip/wire/builder.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"
#include "hip/wire/relay_edit.h"

#include <stdlib.h>
#include <string.h>

static const char *const cause_texts[] = {
#define RELAY_CAUSE_TEXT(name, text) text,
	RELAY_CAUSES(RELAY_CAUSE_TEXT)
#undef RELAY_CAUSE_TEXT
};

const char *relay_cause_text(relay_cause cause)
{
	return (size_t)cause < sizeof cause_texts / sizeof cause_texts[0] ? cause_texts[cause] : "";
}

/* ---- the decision ---------------------------------------------------------------------------------------------- */

/** What the rules look at, read once. */
struct overlay_facts {
	const struct packet_view *packet;
	const struct relay_place *place;
	const struct hit *neighbour; /**< NULL: own packet */
	bool has_destination, has_via, has_ttl;
	uint16_t ttl;
	struct parameter_route destination, via;
};

static void deliver(struct relay_decision *decision)
{
	*decision = (struct relay_decision){.verdict = RELAY_DELIVER};
}

static void drop(struct relay_decision *decision, relay_cause cause)
{
	*decision = (struct relay_decision){.verdict = RELAY_DROP, .cause = cause};
}

static void drop_and_notify(
	const struct overlay_facts *facts, struct relay_decision *decision, relay_cause cause, uint16_t notification)
{
	drop(decision, cause);
	if (facts->packet->type == HIP_PACKET_NOTIFY)
		return;
	decision->verdict = RELAY_NOTIFY;
	decision->notification = notification;
}

static void forward(struct relay_decision *decision, const struct hit *next)
{
	*decision = (struct relay_decision){.verdict = RELAY_FORWARD, .next = *next};
}

static bool route_contains(const struct parameter_route *route, const struct hit *hit)
{
	for (size_t i = 0; i < route->count; i++)
		if (hit_equal(&route->hits[i], hit))
			return true;
	return false;
}

static bool route_repeats(const struct parameter_route *route)
{
	for (size_t i = 0; i < route->count; i++)
		for (size_t j = 0; j < i; j++)
			if (hit_equal(&route->hits[i], &route->hits[j]))
				return true;
	return false;
}

/** True when OVERLAY_ID is there and names the overlay of `place`. */
static bool is_of_overlay(const struct packet_view *packet, const struct relay_place *place)
{
	struct span identifier;

	if (!place->overlay || parameter_opaque_read(packet_find(packet, PARAMETER_OVERLAY_ID), &identifier))
		return false;
	struct reader reader = reader_over(identifier.data, identifier.length);
	return identifier.length == 4 && reader_u32(&reader) == place->overlay_id;
}

static hiphop_error read_route(
	const struct packet_view *packet, uint16_t type, bool *present, struct parameter_route *route)
{
	const struct parameter_view *parameter = packet_find(packet, type);

	*present = parameter != NULL;
	return *present ? parameter_route_read(parameter, route) : HIPHOP_OK;
}

static hiphop_error read_facts(const struct packet_view *packet, const struct relay_place *place,
	const struct hit *neighbour, struct overlay_facts *facts)
{
	facts->packet = packet;
	facts->place = place;
	facts->neighbour = neighbour;

	hiphop_error error = read_route(packet, PARAMETER_ROUTE_DST, &facts->has_destination, &facts->destination);
	if (!error)
		error = read_route(packet, PARAMETER_ROUTE_VIA, &facts->has_via, &facts->via);
	const struct parameter_view *ttl = packet_find(packet, PARAMETER_OVERLAY_TTL);
	facts->has_ttl = ttl != NULL;
	if (!error && facts->has_ttl)
		error = parameter_overlay_ttl_read(ttl, &facts->ttl);
	return error;
}

/** An honest chain makes each forwarder add itself, so the end of ROUTE_VIA is who handed the packet over. That keeps a
 *  made-up list from steering our signed answer (RFC 6028 section 6.1). */
static bool via_is_honest(const struct overlay_facts *facts)
{
	if (!facts->has_via || facts->neighbour == NULL)
		return true;
	const struct hit *last = facts->via.count > 0 ? &facts->via.hits[facts->via.count - 1] : &facts->packet->sender;
	return hit_equal(last, facts->neighbour);
}

static bool has_been_here(const struct overlay_facts *facts)
{
	if (facts->neighbour == NULL)
		return false;
	return hit_equal(&facts->packet->sender, &facts->place->self) ||
	       (facts->has_via && route_contains(&facts->via, &facts->place->self));
}

static bool is_neighbour(const struct relay_place *place, const struct hit *hit, bool without_answer)
{
	return place->is_neighbour != NULL ? place->is_neighbour(place->context, hit) : without_answer;
}

static overlay_route ask_next_hop(const struct overlay_facts *facts, struct hit *next)
{
	const struct relay_place *place = facts->place;

	if (place->next_hop == NULL)
		return OVERLAY_NO_ROUTE;
	return place->next_hop(place->context, &facts->packet->receiver, facts->neighbour, next);
}

static bool receiver_is_resource(const struct overlay_facts *facts)
{
	return !hit_is_host(&facts->packet->receiver);
}

/** Finds where this host stands in ROUTE_DST: the index of the HIT after it. False when the list is invalid. */
static bool find_own_step(const struct overlay_facts *facts, size_t *step)
{
	const struct parameter_route *route = &facts->destination;
	const struct hit *self = &facts->place->self;

	if (route_repeats(route))
		return false;
	if (facts->neighbour == NULL) {
		*step = 0;
		return !route_contains(route, self);
	}
	for (size_t i = 0; i < route->count; i++) {
		if (hit_equal(&route->hits[i], self)) {
			*step = i + 1;
			return true;
		}
	}
	return false;
}

/** The HIT to hand it to: the one at `step` (the receiver past the end), or a later one if the flags allow it. */
static struct hit choose_step(const struct overlay_facts *facts, size_t step)
{
	const struct parameter_route *route = &facts->destination;
	const struct hit *receiver = &facts->packet->receiver;

	if ((route->flags & ROUTE_FLAG_MUST_FOLLOW) == 0) {
		if (!receiver_is_resource(facts) && is_neighbour(facts->place, receiver, false))
			return *receiver;
		for (size_t i = route->count; i > step; i--)
			if (is_neighbour(facts->place, &route->hits[i - 1], false))
				return route->hits[i - 1];
	}
	return step < route->count ? route->hits[step] : *receiver;
}

static void decide_by_list(const struct overlay_facts *facts, struct relay_decision *decision)
{
	size_t step = 0;
	struct hit ignored;

	if (!find_own_step(facts, &step)) {
		drop(decision, RELAY_CAUSE_ROUTE_INVALID);
		return;
	}
	if (step == facts->destination.count && receiver_is_resource(facts)) {
		if (ask_next_hop(facts, &ignored) == OVERLAY_SELF)
			deliver(decision);
		else
			drop_and_notify(facts, decision, RELAY_CAUSE_NEXT_HOP_UNKNOWN, NOTIFY_UNKNOWN_NEXT_HOP);
		return;
	}
	struct hit next = choose_step(facts, step);
	forward(decision, &next);
}

static bool would_go_back(const struct overlay_facts *facts, const struct hit *next)
{
	if (hit_equal(next, &facts->place->self))
		return true;
	if (facts->neighbour == NULL)
		return false;
	return hit_equal(next, facts->neighbour) || hit_equal(next, &facts->packet->sender) ||
	       (facts->has_via && route_contains(&facts->via, next));
}

static void decide_by_topology(const struct overlay_facts *facts, struct relay_decision *decision)
{
	struct hit next = {{0}};
	overlay_route answer = ask_next_hop(facts, &next);

	if (answer == OVERLAY_SELF && receiver_is_resource(facts))
		deliver(decision);
	else if (answer != OVERLAY_HOP)
		drop_and_notify(facts, decision, RELAY_CAUSE_NEXT_HOP_UNKNOWN, NOTIFY_UNKNOWN_NEXT_HOP);
	else if (would_go_back(facts, &next))
		drop(decision, RELAY_CAUSE_LOOP);
	else
		forward(decision, &next);
}

/** The bounds on a packet that would be forwarded: hop count, list length, and that the hop exists. */
static void bound_forwarding(const struct overlay_facts *facts, struct relay_decision *decision)
{
	bool own = facts->neighbour == NULL;

	if (!own && facts->has_ttl && (facts->ttl == 0 || facts->ttl > RELAY_TTL_MAXIMUM))
		drop_and_notify(facts, decision, RELAY_CAUSE_TTL_EXCEEDED, NOTIFY_OVERLAY_TTL_EXCEEDED);
	else if (!own && !facts->has_ttl && !facts->has_destination)
		drop(decision, RELAY_CAUSE_TTL_MISSING);
	else if (!own && facts->has_via && facts->via.count >= ROUTE_HITS_MAXIMUM)
		drop(decision, RELAY_CAUSE_VIA_FULL);
	else if (!is_neighbour(facts->place, &decision->next, true))
		drop_and_notify(facts, decision, RELAY_CAUSE_NEXT_HOP_UNKNOWN, NOTIFY_UNKNOWN_NEXT_HOP);
}

/** The rules for a packet of our overlay. */
static void decide_in_overlay(const struct overlay_facts *facts, struct relay_decision *decision)
{
	if (!via_is_honest(facts)) {
		drop(decision, RELAY_CAUSE_VIA_FORGED);
		return;
	}
	if (has_been_here(facts)) {
		drop(decision, RELAY_CAUSE_LOOP);
		return;
	}
	if (hit_equal(&facts->packet->receiver, &facts->place->self)) {
		deliver(decision);
		return;
	}
	if (facts->has_destination)
		decide_by_list(facts, decision);
	else
		decide_by_topology(facts, decision);
	if (decision->verdict == RELAY_FORWARD)
		bound_forwarding(facts, decision);
}

void relay_decide(const struct packet_view *packet, const struct relay_place *place, const struct hit *neighbour,
	struct relay_decision *decision)
{
	struct overlay_facts facts;

	if (packet_find(packet, PARAMETER_OVERLAY_ID) == NULL) {
		if (hit_equal(&packet->receiver, &place->self))
			deliver(decision);
		else
			drop(decision, RELAY_CAUSE_NOT_FOR_US);
		return;
	}
	if (!is_of_overlay(packet, place))
		drop(decision, RELAY_CAUSE_OTHER_OVERLAY);
	else if (read_facts(packet, place, neighbour, &facts))
		drop(decision, RELAY_CAUSE_ROUTE_INVALID);
	else
		decide_in_overlay(&facts, decision);
}

/* ---- the outgoing copy ----------------------------------------------------------------------------------------- */

hiphop_error relay_forward(const uint8_t *octets, size_t length, const struct hit *self, const struct hit *next,
	uint8_t *out, size_t capacity, size_t *out_length)
{
	if (length > capacity)
		return HIPHOP_TOO_LARGE;
	memcpy(out, octets, length);

	/* A packet need not have either parameter: then there is nothing to count down, or to record. */
	hiphop_error error = relay_decrement_ttl(out, length);
	if (error && error != HIPHOP_NOT_FOUND)
		return error == HIPHOP_TOO_LARGE ? error : HIPHOP_MALFORMED;
	error = relay_append_via(out, &length, capacity, self);
	if (error && error != HIPHOP_NOT_FOUND)
		return error == HIPHOP_TOO_LARGE ? error : HIPHOP_MALFORMED;
	if (length > HIP_PACKET_WITH_PAYLOAD_MAXIMUM)
		return HIPHOP_TOO_LARGE;

	const struct address source = hit_as_address(self), destination = hit_as_address(next);
	error = packet_set_checksum(out, length, HIP_CARRIER_ESP, &source, &destination);
	if (error)
		return error;
	*out_length = length;
	return HIPHOP_OK;
}

/* ---- the way back ---------------------------------------------------------------------------------------------- */

static void reverse_into(const struct parameter_route *list, size_t count, uint16_t flags, struct data_route *route)
{
	route->flags = flags;
	route->count = (uint8_t)count;
	for (size_t i = 0; i < count; i++)
		route->hits[i] = list->hits[count - 1 - i];
}

void relay_route_back(const struct packet_view *packet, const struct hit *self, struct data_route *route)
{
	struct parameter_route list;
	bool present;

	memset(route, 0, sizeof *route);
	if (!read_route(packet, PARAMETER_ROUTE_VIA, &present, &list) && present) {
		reverse_into(&list, list.count, list.flags, route);
		return;
	}
	if (!read_route(packet, PARAMETER_ROUTE_DST, &present, &list) && present) {
		size_t before = 0;
		while (before < list.count && !hit_equal(&list.hits[before], self))
			before++;
		reverse_into(&list, before, list.flags, route);
	}
}

struct hit relay_first_hop(const struct data_route *route, const struct hit *neighbour)
{
	return route->count > 0 ? route->hits[0] : *neighbour;
}

/* ---- NOTIFY ---------------------------------------------------------------------------------------------------- */

static void write_encoded(struct writer *writer, const struct parameter_view *parameter)
{
	if (parameter != NULL)
		writer_copy(writer, parameter->encoded.data, parameter->encoded.length);
}

/** The Notification Data: what the sender needs to know its packet again. */
static void describe_rejected(struct writer *writer, const struct packet_view *rejected)
{
	writer_copy(writer, rejected->octets.data, HIP_HEADER_LENGTH);
	write_encoded(writer, packet_find(rejected, PARAMETER_TRANSACTION_ID));
	write_encoded(writer, packet_find(rejected, PARAMETER_ROUTE_DST));
}

static hiphop_error add_route(struct packet_builder *builder, const struct data_route *route)
{
	struct parameter_route list = {.flags = route->flags, .count = route->count};

	if (route->count == 0)
		return HIPHOP_OK;
	memcpy(list.hits, route->hits, route->count * sizeof list.hits[0]);
	return parameter_route_write(builder, PARAMETER_ROUTE_DST, &list);
}

static void write_overlay_id(uint8_t octets[static 4], uint32_t overlay_id)
{
	struct writer writer = writer_over(octets, 4);

	writer_u32(&writer, overlay_id);
}

static hiphop_error build_notification(struct packet_builder *builder, const struct parameter_notification *contents,
	const struct host_identity *identity, uint32_t overlay_id, const struct data_route *back)
{
	uint8_t overlay[4];

	write_overlay_id(overlay, overlay_id);
	/* The builder keeps its first error; finish gives it. */
	packet_add_host_id(builder, identity);
	parameter_notification_write(builder, contents);
	parameter_opaque_write(builder, PARAMETER_OVERLAY_ID, (struct span){overlay, sizeof overlay});
	add_route(builder, back);
	packet_reserve_signature(builder, identity);
	return parameter_overlay_ttl_write(builder, RELAY_TTL_DEFAULT);
}

hiphop_error relay_notification(const struct packet_view *rejected, uint16_t notification,
	const struct host_identity *identity, const struct relay_place *place, uint8_t *out, size_t capacity,
	size_t *out_length)
{
	uint8_t data[HIP_PARAMETERS_MAXIMUM];
	struct writer writer = writer_over(data, sizeof data);
	struct packet_builder builder;
	struct data_route back;

	if (rejected->type == HIP_PACKET_NOTIFY || !hit_is_host(&rejected->sender))
		return HIPHOP_INVALID_ARGUMENT;
	describe_rejected(&writer, rejected);
	hiphop_error error = writer_status(&writer);
	if (error)
		return error;
	relay_route_back(rejected, &place->self, &back);
	const struct parameter_notification contents = {notification, {data, writer.position}};

	packet_builder_start(&builder, out, capacity, HIP_PACKET_NOTIFY, 0, &place->self, &rejected->sender);
	build_notification(&builder, &contents, identity, place->overlay_id, &back);
	error = packet_builder_finish(&builder, out_length);
	return error ? error : packet_sign(out, *out_length, identity);
}

/* ---- rates ----------------------------------------------------------------------------------------------------- */

struct relay_rates {
	struct rate_table *forwards;
	struct rate_table *notifications;
};

hiphop_error relay_rates_create(
	uint32_t forwards_per_second, const struct random_source *random, struct relay_rates **rates)
{
	uint32_t forwards = forwards_per_second != 0 ? forwards_per_second : RELAY_FORWARDS_PER_SECOND;
	uint32_t burst = forwards <= UINT32_MAX / 2 ? 2 * forwards : UINT32_MAX;

	struct relay_rates *made = calloc(1, sizeof *made);
	if (made == NULL)
		return HIPHOP_NO_MEMORY;
	hiphop_error error = rate_table_create(forwards, burst, RELAY_NEIGHBOURS_MAXIMUM, random, &made->forwards);
	if (!error)
		error = rate_table_create(RELAY_NOTIFICATIONS_PER_SECOND, RELAY_NOTIFICATIONS_BURST,
			RELAY_NEIGHBOURS_MAXIMUM, random, &made->notifications);
	if (error) {
		relay_rates_free(made);
		return error;
	}
	*rates = made;
	return HIPHOP_OK;
}

void relay_rates_free(struct relay_rates *rates)
{
	if (rates == NULL)
		return;
	rate_table_free(rates->forwards);
	rate_table_free(rates->notifications);
	free(rates);
}

bool relay_may_forward(struct relay_rates *rates, const struct hit *neighbour, instant now)
{
	return rate_table_take(rates->forwards, neighbour, now);
}

bool relay_may_notify(struct relay_rates *rates, const struct hit *neighbour, instant now)
{
	return rate_table_take(rates->notifications, neighbour, now);
}
