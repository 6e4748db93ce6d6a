/* SPDX-License-Identifier: MIT */
/* Where sealed packets go: credit towards unverified addresses, further ways, and what is told of ways. */
#include "hip/esp/beet.h"
#include "hip/esp/esp.h"

#include "tests/unit/cmocka.h"
#include "tests/unit/failing_allocation.h"

#include <stdlib.h>
#include <string.h>

#define TCP   6
#define UDP   17
#define ICMP6 58
#define NOW   SECONDS(1000)
#define SPI   1000

/* Alice and Bob; Alice has the route that is looked at, and the addresses are those of ends(). */
struct fixture {
	struct hit alice_hit, bob_hit;
	struct seeded_random generator;
	struct random_source random;
	struct esp *alice, *bob;
	struct packet packet;
};

static struct endpoint at(uint8_t last)
{
	return (struct endpoint){.address = {{[10] = 255, 255, 192, 0, 2, last}}, .port = 10500};
}

static void install(struct fixture *fixture, uint32_t spi, uint16_t suite)
{
	struct esp_keys one = {.suite = suite}, two = {.suite = suite};
	struct esp_pair alice = {.peer = fixture->bob_hit,
		.local = at(1),
		.remote = at(2),
		.spi_in = spi,
		.spi_out = spi + 1,
		.keys_in = &one,
		.keys_out = &two};
	struct esp_pair bob = {.peer = fixture->alice_hit,
		.local = at(2),
		.remote = at(1),
		.spi_in = spi + 1,
		.spi_out = spi,
		.keys_in = &two,
		.keys_out = &one};

	memset(one.encryption, 1, sizeof one.encryption);
	memset(one.authentication, 2, sizeof one.authentication);
	memset(two.encryption, (int)spi, sizeof two.encryption);
	memset(two.authentication, 4, sizeof two.authentication);
	assert_int_equal(esp_install(fixture->alice, &alice), HIPHOP_OK);
	assert_int_equal(esp_install(fixture->bob, &bob), HIPHOP_OK);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	assert_non_null(fixture);
	assert_int_equal(hit_parse("2001:22::a", &fixture->alice_hit), HIPHOP_OK);
	assert_int_equal(hit_parse("2001:22::b", &fixture->bob_hit), HIPHOP_OK);
	fixture->random = seeded_random_start(&fixture->generator, 1);
	assert_int_equal(esp_create(&fixture->alice_hit, &fixture->random, &fixture->alice), HIPHOP_OK);
	assert_int_equal(esp_create(&fixture->bob_hit, &fixture->random, &fixture->bob), HIPHOP_OK);
	install(fixture, SPI, 8);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	esp_free(fixture->alice);
	esp_free(fixture->bob);
	free(fixture);
	return 0;
}

/* An inner packet of Alice or Bob; its ports are `flow`. */
static struct packet *inner(struct fixture *fixture, bool of_alice, uint8_t protocol, uint16_t flow, size_t payload)
{
	uint8_t octets[PACKET_DATA_MAXIMUM] = {0};
	const struct hit *from = of_alice ? &fixture->alice_hit : &fixture->bob_hit;
	const struct hit *to = of_alice ? &fixture->bob_hit : &fixture->alice_hit;

	beet_write(octets, protocol, (uint16_t)payload, from, to);
	octets[BEET_INNER_HEADER_LENGTH] = (uint8_t)(flow >> 8);
	octets[BEET_INNER_HEADER_LENGTH + 1] = (uint8_t)flow;
	packet_reset(&fixture->packet);
	assert_int_equal(
		packet_fill(&fixture->packet, PACKET_INNER, octets, BEET_INNER_HEADER_LENGTH + payload), HIPHOP_OK);
	return &fixture->packet;
}

/* Turns a packet round: where it was sent from is where it comes from. */
static void cross(struct packet *packet)
{
	const struct endpoint local = packet->local;

	packet->local = packet->remote;
	packet->remote = local;
}

/* Bob says something, which comes to Alice from `remote` to `local`. Returns its octets on the wire. */
static size_t bob_sends(
	struct fixture *fixture, instant now, uint8_t remote, uint8_t local, packet_kind kind, size_t payload)
{
	struct packet *packet = inner(fixture, false, UDP, 7, payload);
	size_t length;

	if (kind != PACKET_INNER) {
		packet->kind = (uint16_t)kind;
		packet->peer = fixture->alice_hit;
	}
	esp_seal_packet(fixture->bob, now, packet);
	assert_int_equal(packet->kind, PACKET_ESP);
	length = packet->length;
	packet->local = at(local);
	packet->remote = at(remote);
	esp_open_packet(fixture->alice, now, packet);
	assert_int_equal(packet->kind, kind);
	return length;
}

/* Bob asks or answers whether a path works. */
static void bob_probes(struct fixture *fixture, instant now, uint8_t remote, uint8_t local)
{
	static const uint8_t octets[ESP_PROBE_LENGTH];
	struct packet *packet = &fixture->packet;

	packet_reset(packet);
	assert_int_equal(packet_fill(packet, PACKET_PROBE, octets, sizeof octets), HIPHOP_OK);
	packet->peer = fixture->alice_hit;
	esp_seal_packet(fixture->bob, now, packet);
	assert_int_equal(packet->kind, PACKET_ESP);
	packet->local = at(local);
	packet->remote = at(remote);
	esp_open_packet(fixture->alice, now, packet);
	assert_int_equal(packet->kind, PACKET_PROBE);
}

static void alice_goes_to(struct fixture *fixture, uint8_t local, uint8_t remote, bool unverified)
{
	const struct esp_route route = {.first = {at(local), at(remote)}, .unverified = unverified};

	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
}

/* The next notice of one of these kinds; what is not among them is passed over. */
static bool told(struct esp *esp, unsigned kinds, struct esp_notice *notice)
{
	while (esp_next_notice(esp, notice)) {
		if (notice->kind & kinds)
			return true;
	}
	return false;
}

static unsigned count_told(struct esp *esp, unsigned kinds)
{
	struct esp_notice notice;
	unsigned count = 0;

	while (told(esp, kinds, &notice))
		count++;
	return count;
}

/* ---- credit ---- */

/* conforms: RFC8046-5.6.1-1 RFC8046-5.6.1-2 RFC8046-5.6.1-3 RFC8046-5.6.1-4 RFC8046-5.6-1 RFC8046-3.2.1-2 */
static void no_more_goes_to_an_unverified_address_than_came(void **state)
{
	struct fixture *fixture = *state;
	size_t came = 0, went = 0, missed = 0;

	for (unsigned i = 0; i < 20; i++)
		came += bob_sends(fixture, NOW, 2, 1, PACKET_INNER, 100);
	assert_int_equal(esp_credit(fixture->alice, &fixture->bob_hit, NOW), came);
	alice_goes_to(fixture, 1, 66, true);
	for (unsigned i = 0; i < 300; i++) {
		struct packet *packet = inner(fixture, true, i % 2 ? TCP : UDP, (uint16_t)i, 10 * i);

		esp_seal_packet(fixture->alice, NOW + i, packet);
		if (packet->kind == PACKET_ESP)
			went += packet->length;
		else
			missed++;
	}
	assert_true(went <= came - ESP_CREDIT_OF_CHECKS && went > came - ESP_CREDIT_OF_CHECKS - 400);
	assert_int_equal(esp_credit(fixture->alice, &fixture->bob_hit, NOW + 300), came - went);
	assert_true(missed > 200);
	assert_int_equal(esp_counter_value(fixture->alice, ESP_COUNT_BEYOND_CREDIT), missed);
	/* What comes now is credit again. */
	came += bob_sends(fixture, NOW, 2, 1, PACKET_INNER, 1000);
	esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 1, 1000));
	assert_int_equal(fixture->packet.kind, PACKET_ESP);
	went += fixture->packet.length;
	assert_true(went <= came);
	/* What data leaves is for checks. */
	assert_true(esp_spend_credit(fixture->alice, &fixture->bob_hit, NOW, ESP_CREDIT_OF_CHECKS));
}

static void what_is_beyond_credit_is_whole_and_goes_later(void **state)
{
	struct fixture *fixture = *state;
	uint8_t before[400];
	struct packet *packet;
	size_t length;

	alice_goes_to(fixture, 1, 66, true);
	packet = inner(fixture, true, UDP, 1, 200);
	length = packet->length;
	memcpy(before, packet_data(packet), length);
	esp_seal_packet(fixture->alice, NOW, packet);
	assert_int_equal(packet->kind, PACKET_MISS);
	assert_true(hit_equal(&packet->peer, &fixture->bob_hit));
	assert_int_equal(packet->length, length);
	assert_memory_equal(packet_data(packet), before, length);
	alice_goes_to(fixture, 1, 66, false);
	packet->kind = PACKET_INNER;
	esp_seal_packet(fixture->alice, NOW, packet);
	assert_int_equal(packet->kind, PACKET_ESP);
	esp_open_packet(fixture->bob, NOW, packet);
	assert_int_equal(packet->kind, PACKET_INNER);
	assert_memory_equal(packet_data(packet), before, length);
}

/* HIP inside ESP has retransmissions of its own; it is no way round the credit. */
static void hip_inside_is_within_credit_too(void **state)
{
	struct fixture *fixture = *state;

	alice_goes_to(fixture, 1, 66, true);
	inner(fixture, true, UDP, 1, 200);
	fixture->packet.kind = PACKET_CONTROL;
	fixture->packet.peer = fixture->bob_hit;
	esp_seal_packet(fixture->alice, NOW, &fixture->packet);
	assert_int_equal(fixture->packet.kind, PACKET_DROPPED);
	assert_int_equal(esp_counter_value(fixture->alice, ESP_COUNT_BEYOND_CREDIT), 1);
}

static void verified_addresses_cost_nothing(void **state)
{
	struct fixture *fixture = *state;
	const size_t came = bob_sends(fixture, NOW, 2, 1, PACKET_INNER, 100);

	for (unsigned i = 0; i < 10; i++) {
		esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 1, 500));
		assert_int_equal(fixture->packet.kind, PACKET_ESP);
	}
	assert_int_equal(esp_credit(fixture->alice, &fixture->bob_hit, NOW), came);
}

/* What cannot be verified, or has come before, is nothing from the peer. */
static void what_is_forged_or_replayed_is_no_credit(void **state)
{
	struct fixture *fixture = *state;
	struct packet again;
	uint64_t credit;

	esp_seal_packet(fixture->bob, NOW, inner(fixture, false, UDP, 1, 300));
	cross(&fixture->packet);
	again = fixture->packet;
	esp_open_packet(fixture->alice, NOW, &fixture->packet);
	credit = esp_credit(fixture->alice, &fixture->bob_hit, NOW);
	for (unsigned i = 0; i < 100; i++) {
		fixture->packet = again;
		esp_open_packet(fixture->alice, NOW, &fixture->packet);
		assert_int_equal(fixture->packet.kind, PACKET_DROPPED);
	}
	esp_seal_packet(fixture->bob, NOW, inner(fixture, false, UDP, 1, 300));
	packet_data(&fixture->packet)[60] ^= 1;
	esp_open_packet(fixture->alice, NOW, &fixture->packet);
	assert_int_equal(fixture->packet.kind, PACKET_DROPPED);
	assert_int_equal(esp_credit(fixture->alice, &fixture->bob_hit, NOW), credit);
	assert_int_equal(count_told(fixture->alice, ESP_NOTICE_ELSEWHERE), 0);
}

/* A question is answered with as many octets, which may go to anybody: it pays for nothing else. */
static void questions_are_no_credit(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < 100; i++)
		bob_probes(fixture, NOW, 2, 1);
	assert_int_equal(esp_credit(fixture->alice, &fixture->bob_hit, NOW), 0);
}

/* Seven eighths every five seconds (RFC 8046 section 5.6.2). */
static void credit_ages(void **state)
{
	struct fixture *fixture = *state;
	uint64_t credit, expected;

	for (unsigned i = 0; i < 100; i++)
		bob_sends(fixture, NOW, 2, 1, PACKET_INNER, 1000);
	expected = credit = esp_credit(fixture->alice, &fixture->bob_hit, NOW);
	assert_true(credit > 100000);
	assert_int_equal(esp_credit(fixture->alice, &fixture->bob_hit, NOW + SECONDS(5) - 1), credit);
	for (unsigned i = 1; i <= 20; i++) {
		expected = expected * 7 / 8;
		assert_int_equal(esp_credit(fixture->alice, &fixture->bob_hit, NOW + i * SECONDS(5)), expected);
	}
	/* All at once is the same as step by step. */
	assert_in_range(esp_credit(fixture->alice, &fixture->bob_hit, NOW + SECONDS(200)), 0, expected / 8);
	assert_int_equal(esp_credit(fixture->alice, &fixture->bob_hit, NOW + SECONDS(100000)), 0);
	bob_sends(fixture, NOW + SECONDS(100000), 2, 1, PACKET_INNER, 1000);
	assert_true(esp_credit(fixture->alice, &fixture->bob_hit, NOW + SECONDS(100000)) > 1000);
}

/* Who sends slowly for long has no more than some seconds' worth. */
static void credit_cannot_be_saved_up(void **state)
{
	struct fixture *fixture = *state;
	size_t one = 0;

	for (unsigned i = 0; i < 7200; i++)
		one = bob_sends(fixture, NOW + i * SECONDS(1), 2, 1, PACKET_INNER, 1000);
	assert_true(esp_credit(fixture->alice, &fixture->bob_hit, NOW + 7200 * SECONDS(1)) < 41 * one);
}

/* ---- several ways ---- */

static struct esp_route three_ways(esp_ways_use use)
{
	return (struct esp_route){
		.first = {at(1), at(2)}, .use = use, .more_count = 2, .more = {{at(11), at(12)}, {at(21), at(22)}}};
}

static void flows_are_spread_and_keep_their_way(void **state)
{
	struct fixture *fixture = *state;
	const struct esp_route route = three_ways(ESP_WAYS_SPREAD);
	unsigned by_way[32] = {0};

	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
	for (uint16_t flow = 0; flow < 300; flow++) {
		uint8_t way = 0;

		for (size_t size = 10; size < 1000; size += 300) {
			struct packet *packet =
				inner(fixture, true, flow % 2 ? TCP : UDP, (uint16_t)(flow + 1024), size);
			uint8_t last;

			esp_seal_packet(fixture->alice, NOW, packet);
			assert_int_equal(packet->kind, PACKET_ESP);
			assert_int_equal(packet->copy, 0);
			last = packet->remote.address.octets[15];
			assert_int_equal(packet->local.address.octets[15], last - 1);
			assert_true(!way || way == last);
			way = last;
		}
		by_way[way]++;
	}
	assert_in_range(by_way[2], 60, 140);
	assert_in_range(by_way[12], 60, 140);
	assert_in_range(by_way[22], 60, 140);
	assert_int_equal(by_way[2] + by_way[12] + by_way[22], 300);
}

/* Without ports a flow is what the flow label says. */
static void what_has_no_ports_is_one_flow(void **state)
{
	struct fixture *fixture = *state;
	const struct esp_route route = three_ways(ESP_WAYS_SPREAD);
	bool seen[32] = {false};

	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
	for (uint16_t i = 0; i < 50; i++) {
		esp_seal_packet(fixture->alice, NOW, inner(fixture, true, ICMP6, i, 64));
		seen[fixture->packet.remote.address.octets[15]] = true;
	}
	assert_int_equal(seen[2] + seen[12] + seen[22], 1);
	for (uint8_t label = 0; label < 50; label++) {
		inner(fixture, true, ICMP6, 0, 64);
		packet_data(&fixture->packet)[3] = label;
		esp_seal_packet(fixture->alice, NOW, &fixture->packet);
		seen[fixture->packet.remote.address.octets[15]] = true;
	}
	assert_int_equal(seen[2] + seen[12] + seen[22], 3);
}

/* HIP inside ESP has no flow: it goes the first way. */
static void hip_goes_the_first_way(void **state)
{
	struct fixture *fixture = *state;
	const struct esp_route route = three_ways(ESP_WAYS_SPREAD);

	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
	for (uint16_t i = 0; i < 20; i++) {
		inner(fixture, true, UDP, i, 64);
		fixture->packet.kind = PACKET_CONTROL;
		fixture->packet.peer = fixture->bob_hit;
		esp_seal_packet(fixture->alice, NOW, &fixture->packet);
		assert_int_equal(fixture->packet.remote.address.octets[15], 2);
	}
}

static void small_datagrams_go_twice_and_come_once(void **state)
{
	struct fixture *fixture = *state;
	const struct esp_route route = three_ways(ESP_WAYS_DUPLICATE);
	struct esp_way way;
	struct packet copy;

	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
	esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 5004, 180));
	assert_true(fixture->packet.copy);
	assert_int_equal(fixture->packet.remote.address.octets[15], 2);
	assert_true(esp_copy_way(fixture->alice, &fixture->packet, &way));
	assert_int_equal(way.local.address.octets[15], 11);
	assert_int_equal(way.remote.address.octets[15], 12);
	copy = fixture->packet;
	copy.local = way.remote;
	copy.remote = way.local;
	/* The copy is faster here. */
	esp_open_packet(fixture->bob, NOW, &copy);
	assert_int_equal(copy.kind, PACKET_INNER);
	cross(&fixture->packet);
	esp_open_packet(fixture->bob, NOW, &fixture->packet);
	assert_int_equal(fixture->packet.kind, PACKET_DROPPED);
	assert_int_equal(esp_counter_value(fixture->bob, ESP_COUNT_DROP_REPLAYED), 1);
	assert_int_equal(esp_counter_value(fixture->bob, ESP_COUNT_OPENED), 1);
}

static void what_is_large_or_a_stream_goes_once(void **state)
{
	struct fixture *fixture = *state;
	const struct esp_route route = three_ways(ESP_WAYS_DUPLICATE);
	struct esp_way way;

	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
	esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 5004, 360));
	assert_true(esp_copy_way(fixture->alice, &fixture->packet, &way));
	esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 5004, 361));
	assert_false(esp_copy_way(fixture->alice, &fixture->packet, &way));
	esp_seal_packet(fixture->alice, NOW, inner(fixture, true, TCP, 443, 20));
	assert_false(esp_copy_way(fixture->alice, &fixture->packet, &way));
	/* Nor is a packet that was not sealed copied. */
	inner(fixture, true, UDP, 5004, 100);
	fixture->packet.copy = 1;
	assert_false(esp_copy_way(fixture->alice, &fixture->packet, &way));
}

static void a_new_route_leaves_nothing_of_the_old(void **state)
{
	struct fixture *fixture = *state;
	struct esp_route route = three_ways(ESP_WAYS_SPREAD);

	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
	for (unsigned way = 0; way < 2; way++) {
		route = three_ways(ESP_WAYS_FIRST);
		route.more_count = way ? 2 : 0;
		assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
		for (uint16_t flow = 0; flow < 50; flow++) {
			esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, flow, 100));
			assert_int_equal(fixture->packet.remote.address.octets[15], 2);
			assert_int_equal(fixture->packet.copy, 0);
		}
		route = three_ways(ESP_WAYS_SPREAD);
		assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
	}
	/* More than there is room for. */
	route.more_count = 99;
	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_OK);
	assert_int_equal(esp_set_route(fixture->alice, 12345, &route), HIPHOP_NOT_FOUND);
}

/* All pairs with a peer go one way, the newest too (RFC 7402 section 3.3.2). */
static void a_pair_on_standby_leaves_the_route(void **state)
{
	struct fixture *fixture = *state;
	struct esp_keys keys = {.suite = 8};
	const struct esp_pair standby = {.peer = fixture->bob_hit,
		.local = at(91),
		.remote = at(92),
		.spi_in = 5000,
		.spi_out = 5001,
		.keys_in = &keys,
		.keys_out = &keys,
		.standby = true};

	alice_goes_to(fixture, 3, 4, true);
	bob_sends(fixture, NOW, 4, 3, PACKET_INNER, 1400);
	assert_int_equal(esp_install(fixture->alice, &standby), HIPHOP_OK);
	assert_int_equal(esp_use(fixture->alice, 5000), HIPHOP_OK);
	assert_int_equal(esp_remove(fixture->alice, SPI), HIPHOP_OK);
	esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 1, 100));
	assert_int_equal(fixture->packet.kind, PACKET_ESP);
	assert_int_equal(fixture->packet.remote.address.octets[15], 4);
	/* Still unverified: new keys are no answer. */
	esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 1, 1000));
	assert_int_equal(fixture->packet.kind, PACKET_MISS);
}

/* ---- notices ---- */

static void packets_from_elsewhere_are_told(void **state)
{
	struct fixture *fixture = *state;
	const struct endpoint local = at(1), remote = at(77);
	struct esp_notice notice;

	bob_sends(fixture, NOW, 2, 1, PACKET_INNER, 100);
	assert_false(told(fixture->alice, ESP_NOTICE_ELSEWHERE, &notice));
	bob_sends(fixture, NOW, 77, 1, PACKET_INNER, 100);
	assert_true(told(fixture->alice, ESP_NOTICE_ELSEWHERE, &notice));
	assert_int_equal(notice.spi_in, SPI);
	assert_true(endpoint_equal(&notice.way.local, &local));
	assert_true(endpoint_equal(&notice.way.remote, &remote));
	/* To another address of ours is elsewhere as well. */
	bob_sends(fixture, NOW + SECONDS(1), 2, 9, PACKET_INNER, 100);
	assert_true(told(fixture->alice, ESP_NOTICE_ELSEWHERE, &notice));
	assert_int_equal(notice.way.local.address.octets[15], 9);
	/* A question too. */
	bob_probes(fixture, NOW + SECONDS(2), 78, 1);
	assert_int_equal(count_told(fixture->alice, ESP_NOTICE_ELSEWHERE), 1);
}

/* Whatever a peer, or who sends its packets on, makes of its addresses. */
static void elsewhere_is_not_told_of_each(void **state)
{
	struct fixture *fixture = *state;
	unsigned notices = 0;

	for (unsigned i = 0; i < 10000; i++) {
		bob_sends(fixture, NOW + i * MILLISECONDS(1), (uint8_t)(3 + i % 200), 1, PACKET_INNER, 10);
		notices += count_told(fixture->alice, ESP_NOTICE_ELSEWHERE);
	}
	assert_in_range(notices, 150, 201);
}

/* One way is told once and for a while not again; but a host that has missed it learns it yet. */
static void the_same_elsewhere_is_told_now_and_then(void **state)
{
	struct fixture *fixture = *state;
	unsigned notices = 0;

	for (unsigned i = 0; i < 10000; i++) {
		bob_sends(fixture, NOW + i * MILLISECONDS(1), 77, 1, PACKET_INNER, 10);
		notices += count_told(fixture->alice, ESP_NOTICE_ELSEWHERE);
	}
	assert_in_range(notices, 5, 11);
}

static void the_first_packet_after_a_change_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct esp_notice notice;

	bob_sends(fixture, NOW, 2, 1, PACKET_INNER, 100);
	assert_int_equal(count_told(fixture->alice, ESP_NOTICE_RESUMED), 0);
	alice_goes_to(fixture, 1, 3, false);
	/* A question is no traffic. */
	bob_probes(fixture, NOW + MILLISECONDS(100), 3, 1);
	assert_int_equal(count_told(fixture->alice, ESP_NOTICE_RESUMED), 0);
	bob_sends(fixture, NOW + MILLISECONDS(250), 3, 1, PACKET_INNER, 100);
	assert_true(told(fixture->alice, ESP_NOTICE_RESUMED, &notice));
	assert_int_equal(notice.gap, MILLISECONDS(250));
	bob_sends(fixture, NOW + SECONDS(1), 3, 1, PACKET_INNER, 100);
	assert_int_equal(count_told(fixture->alice, ESP_NOTICE_RESUMED), 0);
}

static void nothing_before_is_no_gap(void **state)
{
	struct fixture *fixture = *state;
	struct esp_notice notice;

	alice_goes_to(fixture, 1, 3, false);
	bob_sends(fixture, NOW, 3, 1, PACKET_INNER, 100);
	assert_true(told(fixture->alice, ESP_NOTICE_RESUMED, &notice));
	assert_int_equal(notice.gap, 0);
}

static void who_watches_is_told_of_the_next_packet(void **state)
{
	struct fixture *fixture = *state;

	esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 1, 10));
	assert_int_equal(count_told(fixture->alice, ESP_NOTICE_SENDS), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(esp_watch(fixture->alice, SPI), HIPHOP_OK);
		assert_int_equal(count_told(fixture->alice, ESP_NOTICE_SENDS), 0);
		for (unsigned j = 0; j < 5; j++)
			esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, 1, 10));
		assert_int_equal(count_told(fixture->alice, ESP_NOTICE_SENDS), 1);
	}
	assert_int_equal(esp_watch(fixture->alice, 12345), HIPHOP_NOT_FOUND);
}

/* A pair that goes takes its notices with it. */
static void nothing_is_told_of_what_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct esp_notice notice;

	bob_sends(fixture, NOW, 77, 1, PACKET_INNER, 100);
	alice_goes_to(fixture, 1, 77, false);
	bob_sends(fixture, NOW, 77, 1, PACKET_INNER, 100);
	assert_int_equal(esp_remove(fixture->alice, SPI), HIPHOP_OK);
	assert_false(esp_next_notice(fixture->alice, &notice));
}

static void what_is_heard_on_the_route(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(esp_heard_on_route(fixture->alice, &fixture->bob_hit), 0);
	bob_sends(fixture, NOW, 2, 1, PACKET_INNER, 100);
	assert_int_equal(esp_heard_on_route(fixture->alice, &fixture->bob_hit), NOW);
	bob_sends(fixture, NOW + 1, 3, 1, PACKET_INNER, 100);
	bob_sends(fixture, NOW + 2, 2, 9, PACKET_INNER, 100);
	assert_int_equal(esp_heard_on_route(fixture->alice, &fixture->bob_hit), NOW);
	bob_probes(fixture, NOW + 3, 2, 1);
	assert_int_equal(esp_heard_on_route(fixture->alice, &fixture->bob_hit), NOW + 3);
	alice_goes_to(fixture, 1, 3, false);
	assert_int_equal(esp_heard_on_route(fixture->alice, &fixture->bob_hit), 0);
	assert_int_equal(esp_heard_on_route(fixture->alice, &fixture->alice_hit), 0);
	assert_int_equal(esp_credit(fixture->alice, &fixture->alice_hit, NOW), 0);
}

/* ---- without memory ---- */

static void without_memory_the_first_way_is_taken(void **state)
{
	struct fixture *fixture = *state;
	struct esp_route route = three_ways(ESP_WAYS_SPREAD);

	route.first.remote = at(33);
	failing_allocation_after(0);
	assert_int_equal(esp_set_route(fixture->alice, SPI, &route), HIPHOP_NO_MEMORY);
	failing_allocation_stop();
	for (uint16_t flow = 0; flow < 20; flow++) {
		esp_seal_packet(fixture->alice, NOW, inner(fixture, true, UDP, flow, 10));
		assert_int_equal(fixture->packet.kind, PACKET_ESP);
		assert_int_equal(fixture->packet.remote.address.octets[15], 33);
	}
}

static void without_memory_packets_come_and_nothing_is_told(void **state)
{
	struct fixture *fixture = *state;

	/* AES-GCM of OpenSSL needs no memory for a packet, behind the first. */
	install(fixture, 3000, 13);
	bob_sends(fixture, NOW, 2, 1, PACKET_INNER, 100);
	esp_seal_packet(fixture->bob, NOW, inner(fixture, false, UDP, 7, 100));
	fixture->packet.local = at(1);
	fixture->packet.remote = at(77);
	failing_allocation_after(0);
	esp_open_packet(fixture->alice, NOW, &fixture->packet);
	failing_allocation_stop();
	assert_int_equal(fixture->packet.kind, PACKET_INNER);
	assert_int_equal(count_told(fixture->alice, ESP_NOTICE_ELSEWHERE), 0);
	/* Then there is some. */
	bob_sends(fixture, NOW, 77, 1, PACKET_INNER, 100);
	assert_int_equal(count_told(fixture->alice, ESP_NOTICE_ELSEWHERE), 1);
}

#define ROUTE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROUTE_TEST(no_more_goes_to_an_unverified_address_than_came),
		ROUTE_TEST(what_is_beyond_credit_is_whole_and_goes_later),
		ROUTE_TEST(hip_inside_is_within_credit_too),
		ROUTE_TEST(verified_addresses_cost_nothing),
		ROUTE_TEST(what_is_forged_or_replayed_is_no_credit),
		ROUTE_TEST(questions_are_no_credit),
		ROUTE_TEST(credit_ages),
		ROUTE_TEST(credit_cannot_be_saved_up),
		ROUTE_TEST(flows_are_spread_and_keep_their_way),
		ROUTE_TEST(what_has_no_ports_is_one_flow),
		ROUTE_TEST(hip_goes_the_first_way),
		ROUTE_TEST(small_datagrams_go_twice_and_come_once),
		ROUTE_TEST(what_is_large_or_a_stream_goes_once),
		ROUTE_TEST(a_new_route_leaves_nothing_of_the_old),
		ROUTE_TEST(a_pair_on_standby_leaves_the_route),
		ROUTE_TEST(packets_from_elsewhere_are_told),
		ROUTE_TEST(elsewhere_is_not_told_of_each),
		ROUTE_TEST(the_same_elsewhere_is_told_now_and_then),
		ROUTE_TEST(the_first_packet_after_a_change_is_told),
		ROUTE_TEST(nothing_before_is_no_gap),
		ROUTE_TEST(who_watches_is_told_of_the_next_packet),
		ROUTE_TEST(nothing_is_told_of_what_is_gone),
		ROUTE_TEST(what_is_heard_on_the_route),
		ROUTE_TEST(without_memory_the_first_way_is_taken),
		ROUTE_TEST(without_memory_packets_come_and_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
