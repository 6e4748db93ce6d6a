/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hip/core/packet_signature.h"
#include "hip/core/relay.h"
#include "hip/wire/builder.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"

#define OVERLAY 0x01020304

/* ---- packets to decide about ------------------------------------------------------------------------------------ */

static struct hit host(uint8_t number)
{
	return (struct hit){{0x20, 0x01, 0x00, 0x22, [15] = number}};
}

static struct hit resource(uint8_t number)
{
	return (struct hit){{0x20, 0x01, 0x00, 0x20, [15] = number}};
}

/** A list of hosts by their numbers; count -1: no such parameter. */
struct hosts {
	int count;
	uint16_t flags;
	uint8_t numbers[ROUTE_HITS_MAXIMUM];
};

#define NO_LIST                                                                                                        \
	{                                                                                                              \
		.count = -1                                                                                            \
	}
#define STRICT (ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW)

struct example {
	uint8_t type;
	struct hit sender, receiver;
	int overlay_octets; /* length of OVERLAY_ID; -1: none */
	uint32_t overlay;
	int ttl; /* -1: none */
	struct hosts destination, via;
	const char *payload;
};

/** An I1 from host 1, which has gone through 2 to this host, 3, for host 9. */
static struct example plain(void)
{
	return (struct example){
		.type = HIP_PACKET_I1,
		.sender = host(1),
		.receiver = host(9),
		.overlay_octets = 4,
		.overlay = OVERLAY,
		.ttl = 8,
		.destination = NO_LIST,
		.via = {.count = 1, .flags = STRICT, .numbers = {2}},
	};
}

static struct parameter_route route_of(const struct hosts *hosts)
{
	struct parameter_route route = {.flags = hosts->flags, .count = (size_t)hosts->count};

	for (int i = 0; i < hosts->count; i++)
		route.hits[i] = host(hosts->numbers[i]);
	return route;
}

static uint8_t octets[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];

static size_t build(const struct example *example)
{
	struct packet_builder builder;
	uint8_t overlay[8] = {0};
	struct writer writer = writer_over(overlay, sizeof overlay);
	size_t length = 0;

	writer_u32(&writer, example->overlay);
	packet_builder_start(&builder, octets, sizeof octets, example->type, 0, &example->sender, &example->receiver);
	parameter_opaque_write(&builder, PARAMETER_TRANSACTION_ID, (struct span){(const uint8_t *)"abcdefgh", 8});
	if (example->overlay_octets >= 0)
		parameter_opaque_write(
			&builder, PARAMETER_OVERLAY_ID, (struct span){overlay, (size_t)example->overlay_octets});
	if (example->destination.count >= 0) {
		const struct parameter_route route = route_of(&example->destination);
		parameter_route_write(&builder, PARAMETER_ROUTE_DST, &route);
	}
	if (example->ttl >= 0)
		parameter_overlay_ttl_write(&builder, (uint16_t)example->ttl);
	if (example->via.count >= 0) {
		const struct parameter_route route = route_of(&example->via);
		parameter_route_write(&builder, PARAMETER_ROUTE_VIA, &route);
	}
	if (example->payload != NULL)
		packet_builder_payload(&builder, HIP_NEXT_HEADER_RELOAD, example->payload, strlen(example->payload));
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	return length;
}

static struct packet_view view;

static const struct packet_view *parsed(const struct example *example)
{
	size_t length = build(example);

	assert_int_equal(packet_parse(octets, length, &view), HIPHOP_OK);
	return &view;
}

/* ---- the place: host 3 ------------------------------------------------------------------------------------------- */

static struct {
	overlay_route answer;
	struct hit next;
	struct hit arrived_from;
	unsigned asked;
	uint8_t neighbours[8]; /* numbers, 0 ends */
} table;

static overlay_route next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	(void)context;
	(void)destination;
	table.arrived_from = arrived_from != NULL ? *arrived_from : (struct hit){{0}};
	table.asked++;
	*next = table.next;
	return table.answer;
}

static bool is_neighbour(void *context, const struct hit *hit)
{
	(void)context;
	for (size_t i = 0; i < sizeof table.neighbours && table.neighbours[i] != 0; i++)
		if (hit->octets[15] == table.neighbours[i])
			return true;
	return false;
}

static struct relay_place place;

static int set_up(void **state)
{
	(void)state;
	memset(&table, 0, sizeof table);
	table.answer = OVERLAY_HOP;
	table.next = host(4);
	place = (struct relay_place){.self = host(3), .overlay = true, .overlay_id = OVERLAY, .next_hop = next_hop};
	return 0;
}

static struct relay_decision decide(const struct example *example, uint8_t neighbour)
{
	struct relay_decision decision;
	const struct hit from = host(neighbour);

	relay_decide(parsed(example), &place, neighbour != 0 ? &from : NULL, &decision);
	return decision;
}

static void expect_deliver(const struct example *example, uint8_t neighbour)
{
	assert_int_equal(decide(example, neighbour).verdict, RELAY_DELIVER);
}

static void expect_forward(const struct example *example, uint8_t neighbour, uint8_t next)
{
	struct relay_decision decision = decide(example, neighbour);
	const struct hit hit = host(next);

	assert_int_equal(decision.verdict, RELAY_FORWARD);
	assert_true(hit_equal(&decision.next, &hit));
}

static void expect_drop(const struct example *example, uint8_t neighbour, relay_cause cause)
{
	struct relay_decision decision = decide(example, neighbour);

	assert_int_equal(decision.verdict, RELAY_DROP);
	assert_int_equal(decision.cause, cause);
	assert_true(relay_cause_text(cause)[0] != 0);
}

/** Drop and NOTIFY; and no NOTIFY about a NOTIFY. */
static void expect_notify(struct example *example, uint8_t neighbour, relay_cause cause, uint16_t notification)
{
	struct relay_decision decision = decide(example, neighbour);

	assert_int_equal(decision.verdict, RELAY_NOTIFY);
	assert_int_equal(decision.cause, cause);
	assert_int_equal(decision.notification, notification);
	example->type = HIP_PACKET_NOTIFY;
	expect_drop(example, neighbour, cause);
}

/* ---- the decision ------------------------------------------------------------------------------------------------ */

static void test_without_overlay_id_only_own_packets(void **state)
{
	(void)state;
	struct example example = plain();

	example.overlay_octets = -1;
	expect_drop(&example, 2, RELAY_CAUSE_NOT_FOR_US);
	example.receiver = host(3);
	expect_deliver(&example, 2);
}

static void test_other_overlays_are_dropped(void **state)
{
	(void)state;
	struct example example = plain();

	example.overlay = OVERLAY + 1;
	expect_drop(&example, 2, RELAY_CAUSE_OTHER_OVERLAY);
	example.receiver = host(3);
	expect_drop(&example, 2, RELAY_CAUSE_OTHER_OVERLAY);
	example.overlay = OVERLAY;
	example.overlay_octets = 8;
	expect_drop(&example, 2, RELAY_CAUSE_OTHER_OVERLAY);
	example.overlay_octets = 4;
	place.overlay = false;
	expect_drop(&example, 2, RELAY_CAUSE_OTHER_OVERLAY);
	place.overlay = true;
	expect_deliver(&example, 2);
	assert_int_equal(table.asked, 0);
}

static void test_the_topology_leads(void **state)
{
	(void)state;
	struct example example = plain();

	expect_forward(&example, 2, 4);
	assert_int_equal(table.asked, 1);
	assert_int_equal(table.arrived_from.octets[15], 2);
	example.via = (struct hosts)NO_LIST;
	expect_forward(&example, 2, 4);
	table.answer = OVERLAY_NO_ROUTE;
	expect_notify(&example, 2, RELAY_CAUSE_NEXT_HOP_UNKNOWN, NOTIFY_UNKNOWN_NEXT_HOP);
	place.next_hop = NULL;
	expect_drop(&example, 2, RELAY_CAUSE_NEXT_HOP_UNKNOWN);
}

static void test_a_resource_is_for_the_one_responsible(void **state)
{
	(void)state;
	struct example example = plain();

	table.answer = OVERLAY_SELF;
	example.receiver = resource(9);
	expect_deliver(&example, 2);
	expect_deliver(&example, 0);
	example.ttl = 0; /* the final recipient does not look at it */
	expect_deliver(&example, 2);
	/* A host that is not there has nobody who stands in for it. */
	example.receiver = host(9);
	expect_notify(&example, 2, RELAY_CAUSE_NEXT_HOP_UNKNOWN, NOTIFY_UNKNOWN_NEXT_HOP);
}

static void test_the_next_hop_must_be_a_neighbour(void **state)
{
	(void)state;
	struct example example = plain();

	place.is_neighbour = is_neighbour;
	expect_notify(&example, 2, RELAY_CAUSE_NEXT_HOP_UNKNOWN, NOTIFY_UNKNOWN_NEXT_HOP);
	table.neighbours[0] = 4;
	example = plain();
	expect_forward(&example, 2, 4);
}

static void test_a_list_is_followed_without_the_topology(void **state)
{
	(void)state;
	struct example example = plain();

	example.via = (struct hosts)NO_LIST;
	example.destination = (struct hosts){.count = 4, .flags = STRICT, .numbers = {2, 3, 5, 6}};
	expect_forward(&example, 2, 5);
	example.destination = (struct hosts){.count = 2, .flags = STRICT, .numbers = {2, 3}};
	expect_forward(&example, 2, 9);
	example.ttl = -1; /* the list bounds the way */
	expect_forward(&example, 2, 9);
	assert_int_equal(table.asked, 0);
}

static void test_lists_without_us_or_with_repetitions_are_invalid(void **state)
{
	(void)state;
	static const struct hosts lists[] = {
		{.count = 2, .flags = STRICT, .numbers = {2, 5}},
		{.count = 3, .flags = STRICT, .numbers = {3, 2, 3}},
		{.count = 4, .flags = STRICT, .numbers = {2, 3, 5, 2}},
	};
	struct example example = plain();

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		example.destination = lists[i];
		expect_drop(&example, 2, RELAY_CAUSE_ROUTE_INVALID);
	}
	assert_int_equal(table.asked, 0);
}

static void test_an_own_packet_starts_before_its_list(void **state)
{
	(void)state;
	struct example example = plain();

	example.sender = host(3);
	example.via.count = 0;
	expect_forward(&example, 0, 4);
	example.destination = (struct hosts){.count = 2, .flags = STRICT, .numbers = {5, 6}};
	expect_forward(&example, 0, 5);
	example.destination.numbers[1] = 3;
	expect_drop(&example, 0, RELAY_CAUSE_ROUTE_INVALID);
}

static void test_only_without_must_follow_may_hops_be_skipped(void **state)
{
	(void)state;
	struct example example = plain();

	place.is_neighbour = is_neighbour;
	memcpy(table.neighbours, (uint8_t[]){5, 6, 7}, 3);
	example.destination = (struct hosts){.count = 4, .flags = STRICT, .numbers = {3, 5, 6, 8}};
	expect_forward(&example, 2, 5);
	example.destination.flags = ROUTE_FLAG_SYMMETRIC;
	expect_forward(&example, 2, 6);
	table.neighbours[3] = 9;
	expect_forward(&example, 2, 9);
	/* Never backwards: 5 lies before us in this list. */
	table.neighbours[3] = 0;
	example.destination = (struct hosts){.count = 3, .flags = 0, .numbers = {5, 3, 8}};
	expect_notify(&example, 2, RELAY_CAUSE_NEXT_HOP_UNKNOWN, NOTIFY_UNKNOWN_NEXT_HOP);
}

static void test_a_list_that_ends_at_a_resource(void **state)
{
	(void)state;
	struct example example = plain();

	example.receiver = resource(9);
	example.destination = (struct hosts){.count = 2, .flags = STRICT, .numbers = {2, 3}};
	expect_notify(&example, 2, RELAY_CAUSE_NEXT_HOP_UNKNOWN, NOTIFY_UNKNOWN_NEXT_HOP);
	table.answer = OVERLAY_SELF;
	expect_deliver(&example, 2);
}

static void test_hops_are_counted_down(void **state)
{
	(void)state;
	struct example example = plain();

	example.ttl = 0;
	expect_notify(&example, 2, RELAY_CAUSE_TTL_EXCEEDED, NOTIFY_OVERLAY_TTL_EXCEEDED);
	example = plain();
	example.ttl = RELAY_TTL_MAXIMUM + 1;
	expect_notify(&example, 2, RELAY_CAUSE_TTL_EXCEEDED, NOTIFY_OVERLAY_TTL_EXCEEDED);
	example = plain();
	example.ttl = 1;
	expect_forward(&example, 2, 4);
	example.ttl = -1;
	expect_drop(&example, 2, RELAY_CAUSE_TTL_MISSING);
}

static void test_made_up_via_lists_go_nowhere(void **state)
{
	(void)state;
	struct example example = plain();

	expect_drop(&example, 5, RELAY_CAUSE_VIA_FORGED); /* ends in 2, but 5 handed it over */
	example.via.count = 0;
	expect_drop(&example, 2, RELAY_CAUSE_VIA_FORGED); /* nobody forwarded it, but 1 sent it */
	expect_forward(&example, 1, 4);
	example.receiver = host(3);
	expect_drop(&example, 2, RELAY_CAUSE_VIA_FORGED);
	expect_deliver(&example, 1);
}

static void test_what_was_here_does_not_come_again(void **state)
{
	(void)state;
	struct example example = plain();

	example.via = (struct hosts){.count = 2, .flags = STRICT, .numbers = {3, 2}};
	expect_drop(&example, 2, RELAY_CAUSE_LOOP);
	example = plain();
	example.sender = host(3);
	expect_drop(&example, 2, RELAY_CAUSE_LOOP);
	example = plain();
	example.via = (struct hosts){.count = 2, .flags = STRICT, .numbers = {5, 2}};
	for (size_t i = 0; i < 3; i++) {
		table.next = host((uint8_t[]){1, 2, 5}[i]); /* the sender, the neighbour, an earlier hop */
		expect_drop(&example, 2, RELAY_CAUSE_LOOP);
	}
	table.next = host(3);
	expect_drop(&example, 2, RELAY_CAUSE_LOOP);
}

static void fill(struct hosts *hosts, int count, uint8_t last)
{
	hosts->count = count;
	for (int i = 0; i < count; i++)
		hosts->numbers[i] = (uint8_t)(100 + i);
	hosts->numbers[count - 1] = last;
}

static void test_a_33rd_hop_is_refused(void **state)
{
	(void)state;
	struct example example = plain();

	fill(&example.via, 31, 2);
	expect_forward(&example, 2, 4);
	fill(&example.via, 32, 2);
	expect_drop(&example, 2, RELAY_CAUSE_VIA_FULL);
	example.receiver = host(3);
	expect_deliver(&example, 2);
}

static void test_a_list_of_33_is_invalid(void **state)
{
	(void)state;
	struct example example = plain();
	struct packet_builder builder;
	struct relay_decision decision;
	const struct hit neighbour = host(2);
	uint8_t list[4 + 33 * HIT_LENGTH] = {0};
	size_t length;

	for (uint8_t i = 0; i < 33; i++) {
		const struct hit hit = host(i == 7 ? 3 : (uint8_t)(100 + i));
		memcpy(list + 4 + i * HIT_LENGTH, hit.octets, HIT_LENGTH);
	}
	packet_builder_start(&builder, octets, sizeof octets, HIP_PACKET_I1, 0, &example.sender, &example.receiver);
	packet_builder_add(&builder, PARAMETER_OVERLAY_ID, (uint8_t[]){1, 2, 3, 4}, 4);
	packet_builder_add(&builder, PARAMETER_ROUTE_DST, list, sizeof list);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(octets, length, &view), HIPHOP_OK);
	relay_decide(&view, &place, &neighbour, &decision);
	assert_int_equal(decision.verdict, RELAY_DROP);
	assert_int_equal(decision.cause, RELAY_CAUSE_ROUTE_INVALID);
}

/* ---- the outgoing copy ------------------------------------------------------------------------------------------- */

static uint8_t copy[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];

static void test_the_copy_counts_down_and_records(void **state)
{
	(void)state;
	struct example example = plain();
	const struct hit self = host(3), next = host(4);
	const struct address source = hit_as_address(&self), destination = hit_as_address(&next);
	struct parameter_route via;
	uint16_t ttl;
	size_t length, copied;

	example.type = HIP_PACKET_DATA;
	example.payload = "what follows the header";
	length = build(&example);
	uint8_t before[sizeof octets];
	memcpy(before, octets, sizeof octets);
	assert_int_equal(relay_forward(octets, length, &self, &next, copy, sizeof copy, &copied), HIPHOP_OK);
	assert_memory_equal(octets, before, sizeof octets);
	assert_int_equal(copied, length + HIT_LENGTH);
	assert_int_equal(packet_verify_checksum(copy, copied, HIP_CARRIER_ESP, &source, &destination), HIPHOP_OK);
	assert_int_equal(packet_parse(copy, copied, &view), HIPHOP_OK);
	assert_int_equal(parameter_overlay_ttl_read(packet_find(&view, PARAMETER_OVERLAY_TTL), &ttl), HIPHOP_OK);
	assert_int_equal(ttl, 7);
	assert_int_equal(parameter_route_read(packet_find(&view, PARAMETER_ROUTE_VIA), &via), HIPHOP_OK);
	assert_int_equal(via.count, 2);
	assert_true(hit_equal(&via.hits[1], &self));
	assert_int_equal(via.flags, STRICT);
	assert_int_equal(view.payload.length, strlen(example.payload));
	assert_memory_equal(view.payload.data, example.payload, view.payload.length);
}

static void test_the_copy_of_a_packet_that_records_nothing(void **state)
{
	(void)state;
	struct example example = plain();
	const struct hit self = host(3), next = host(4);
	size_t length, copied;

	example.via = (struct hosts)NO_LIST;
	example.ttl = -1;
	length = build(&example);
	assert_int_equal(relay_forward(octets, length, &self, &next, copy, sizeof copy, &copied), HIPHOP_OK);
	assert_int_equal(copied, length);
}

static void test_a_copy_that_does_not_fit(void **state)
{
	(void)state;
	struct example example = plain();
	const struct hit self = host(3), next = host(4);
	size_t copied = 0, length = build(&example);

	assert_int_equal(relay_forward(octets, length, &self, &next, copy, length + HIT_LENGTH, &copied), HIPHOP_OK);
	assert_int_equal(
		relay_forward(octets, length, &self, &next, copy, length + HIT_LENGTH - 1, &copied), HIPHOP_TOO_LARGE);
	assert_int_equal(relay_forward(octets, length, &self, &next, copy, length - 1, &copied), HIPHOP_TOO_LARGE);
	fill(&example.via, 32, 2);
	length = build(&example);
	assert_int_equal(relay_forward(octets, length, &self, &next, copy, sizeof copy, &copied), HIPHOP_TOO_LARGE);
	assert_int_equal(relay_forward(octets, 12, &self, &next, copy, sizeof copy, &copied), HIPHOP_MALFORMED);
}

/* ---- the way back ------------------------------------------------------------------------------------------------ */

static void expect_back(const struct example *example, const uint8_t *numbers, size_t count, uint16_t flags)
{
	struct data_route back;
	const struct hit neighbour = host(77);
	struct hit first;

	relay_route_back(parsed(example), &place.self, &back);
	assert_int_equal(back.count, count);
	for (size_t i = 0; i < count; i++) {
		const struct hit hit = host(numbers[i]);
		assert_true(hit_equal(&back.hits[i], &hit));
	}
	if (count > 0)
		assert_int_equal(back.flags, flags);
	first = relay_first_hop(&back, &neighbour);
	assert_int_equal(first.octets[15], count > 0 ? numbers[0] : 77);
}

static void test_the_way_back_is_the_via_reversed(void **state)
{
	(void)state;
	struct example example = plain();

	example.via = (struct hosts){.count = 3, .flags = STRICT, .numbers = {7, 6, 2}};
	expect_back(&example, (uint8_t[]){2, 6, 7}, 3, STRICT);
	example.via.flags = ROUTE_FLAG_SYMMETRIC;
	expect_back(&example, (uint8_t[]){2, 6, 7}, 3, ROUTE_FLAG_SYMMETRIC);
	example.via.count = 0;
	expect_back(&example, NULL, 0, 0);
	example.via.count = -1;
	expect_back(&example, NULL, 0, 0);
}

static void test_the_way_back_of_what_has_a_list(void **state)
{
	(void)state;
	struct example example = plain();

	example.via = (struct hosts)NO_LIST;
	example.destination = (struct hosts){.count = 4, .flags = STRICT, .numbers = {7, 6, 3, 5}};
	expect_back(&example, (uint8_t[]){6, 7}, 2, STRICT);
	example.destination = (struct hosts){.count = 3, .flags = STRICT, .numbers = {7, 6, 5}};
	expect_back(&example, (uint8_t[]){5, 6, 7}, 3, STRICT); /* we are the receiver */
}

/* ---- NOTIFY -------------------------------------------------------------------------------------------------------
 */

static struct host_identity *identity_of_seed(uint64_t seed)
{
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, seed);
	struct host_identity *identity = NULL;

	assert_int_equal(host_identity_from_seed(&random, &identity), HIPHOP_OK);
	return identity;
}

static void test_a_notify_tells_what_was_rejected(void **state)
{
	(void)state;
	struct host_identity *identity = identity_of_seed(1);
	struct example example = plain();
	struct packet_view rejected;
	struct parameter_notification notification;
	struct parameter_list described;
	struct parameter_route back;
	size_t length, notify_length;

	place.self = *host_identity_hit(identity);
	example.via = (struct hosts){.count = 2, .flags = STRICT, .numbers = {7, 2}};
	length = build(&example);
	assert_int_equal(packet_parse(octets, length, &rejected), HIPHOP_OK);
	assert_int_equal(relay_notification(&rejected, NOTIFY_OVERLAY_TTL_EXCEEDED, identity, &place, copy,
				 RELAY_NOTIFICATION_MAXIMUM, &notify_length),
		HIPHOP_OK);

	assert_int_equal(packet_parse(copy, notify_length, &view), HIPHOP_OK);
	assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
	assert_int_equal(view.type, HIP_PACKET_NOTIFY);
	assert_true(hit_equal(&view.sender, &place.self));
	assert_true(hit_equal(&view.receiver, &example.sender));
	assert_int_equal(packet_verify_signature(&view, identity), HIPHOP_OK);
	assert_non_null(packet_find(&view, PARAMETER_HOST_ID));
	assert_non_null(packet_find(&view, PARAMETER_OVERLAY_TTL));
	assert_int_equal(parameter_route_read(packet_find(&view, PARAMETER_ROUTE_DST), &back), HIPHOP_OK);
	assert_int_equal(back.count, 2);
	assert_int_equal(back.hits[0].octets[15], 2);

	assert_int_equal(
		parameter_notification_read(packet_find(&view, PARAMETER_NOTIFICATION), &notification), HIPHOP_OK);
	assert_int_equal(notification.type, NOTIFY_OVERLAY_TTL_EXCEEDED);
	assert_memory_equal(notification.data.data, octets, HIP_HEADER_LENGTH);
	assert_int_equal(parameters_parse(notification.data.data + HIP_HEADER_LENGTH,
				 notification.data.length - HIP_HEADER_LENGTH, &described),
		HIPHOP_OK);
	assert_non_null(parameters_find(&described, PARAMETER_TRANSACTION_ID));
	host_identity_free(identity);
}

static void test_a_notify_about_an_unknown_next_hop_has_the_list(void **state)
{
	(void)state;
	struct host_identity *identity = identity_of_seed(1);
	struct example example = plain();
	struct packet_view rejected;
	struct parameter_notification notification;
	struct parameter_list described;
	size_t length, notify_length;

	place.self = *host_identity_hit(identity);
	fill(&example.destination, 32, 9);
	length = build(&example);
	assert_int_equal(packet_parse(octets, length, &rejected), HIPHOP_OK);
	assert_int_equal(relay_notification(&rejected, NOTIFY_UNKNOWN_NEXT_HOP, identity, &place, copy,
				 RELAY_NOTIFICATION_MAXIMUM, &notify_length),
		HIPHOP_OK);
	assert_int_equal(packet_parse(copy, notify_length, &view), HIPHOP_OK);
	assert_int_equal(
		parameter_notification_read(packet_find(&view, PARAMETER_NOTIFICATION), &notification), HIPHOP_OK);
	assert_int_equal(parameters_parse(notification.data.data + HIP_HEADER_LENGTH,
				 notification.data.length - HIP_HEADER_LENGTH, &described),
		HIPHOP_OK);
	assert_non_null(parameters_find(&described, PARAMETER_ROUTE_DST));

	/* And no NOTIFY about that. */
	assert_int_equal(relay_notification(&view, NOTIFY_UNKNOWN_NEXT_HOP, identity, &place, octets,
				 RELAY_NOTIFICATION_MAXIMUM, &notify_length),
		HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(
		relay_notification(&rejected, NOTIFY_UNKNOWN_NEXT_HOP, identity, &place, copy, 100, &notify_length),
		HIPHOP_TOO_LARGE);
	host_identity_free(identity);
}

/* ---- rates --------------------------------------------------------------------------------------------------------
 */

static void test_one_neighbour_cannot_make_us_forward_without_end(void **state)
{
	(void)state;
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 1);
	struct relay_rates *rates = NULL;
	const struct hit a = host(1), b = host(2);
	unsigned passed = 0, notified = 0;

	assert_int_equal(relay_rates_create(10, &random, &rates), HIPHOP_OK);
	for (unsigned i = 0; i < 100; i++) {
		passed += relay_may_forward(rates, &a, SECONDS(1));
		notified += relay_may_notify(rates, &a, SECONDS(1));
	}
	assert_int_equal(passed, 20);
	assert_int_equal(notified, RELAY_NOTIFICATIONS_BURST);
	assert_true(relay_may_forward(rates, &b, SECONDS(1)));
	assert_true(relay_may_forward(rates, &a, SECONDS(2)));
	relay_rates_free(rates);
	relay_rates_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_without_overlay_id_only_own_packets, set_up),
		cmocka_unit_test_setup(test_other_overlays_are_dropped, set_up),
		cmocka_unit_test_setup(test_the_topology_leads, set_up),
		cmocka_unit_test_setup(test_a_resource_is_for_the_one_responsible, set_up),
		cmocka_unit_test_setup(test_the_next_hop_must_be_a_neighbour, set_up),
		cmocka_unit_test_setup(test_a_list_is_followed_without_the_topology, set_up),
		cmocka_unit_test_setup(test_lists_without_us_or_with_repetitions_are_invalid, set_up),
		cmocka_unit_test_setup(test_an_own_packet_starts_before_its_list, set_up),
		cmocka_unit_test_setup(test_only_without_must_follow_may_hops_be_skipped, set_up),
		cmocka_unit_test_setup(test_a_list_that_ends_at_a_resource, set_up),
		cmocka_unit_test_setup(test_hops_are_counted_down, set_up),
		cmocka_unit_test_setup(test_made_up_via_lists_go_nowhere, set_up),
		cmocka_unit_test_setup(test_what_was_here_does_not_come_again, set_up),
		cmocka_unit_test_setup(test_a_33rd_hop_is_refused, set_up),
		cmocka_unit_test_setup(test_a_list_of_33_is_invalid, set_up),
		cmocka_unit_test_setup(test_the_copy_counts_down_and_records, set_up),
		cmocka_unit_test_setup(test_the_copy_of_a_packet_that_records_nothing, set_up),
		cmocka_unit_test_setup(test_a_copy_that_does_not_fit, set_up),
		cmocka_unit_test_setup(test_the_way_back_is_the_via_reversed, set_up),
		cmocka_unit_test_setup(test_the_way_back_of_what_has_a_list, set_up),
		cmocka_unit_test_setup(test_a_notify_tells_what_was_rejected, set_up),
		cmocka_unit_test_setup(test_a_notify_about_an_unknown_next_hop_has_the_list, set_up),
		cmocka_unit_test_setup(test_one_neighbour_cannot_make_us_forward_without_end, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
