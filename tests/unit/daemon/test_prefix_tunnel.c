/* SPDX-License-Identifier: MIT */
/** What is carried for prefixes, what is dropped and why: seen from a router (it announces) and from a host. */
#include "daemon/prefix_tunnel.h"
#include "hip/base/random.h"
#include "hip/esp/beet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct hit self = {{0x20, 0x01, 0, 0x22, [15] = 1}}, second = {{0x20, 0x01, 0, 0x22, [15] = 2}};
static const struct hit router = {{0x20, 0x01, 0, 0x22, [15] = 7}}, stranger = {{0x20, 0x01, 0, 0x22, [15] = 9}};

/* A host that has accepted what lies behind the router, and what lies behind the stranger inside that; and announces
 * what lies behind itself. */
static struct prefix_tunnel tunnel;
static struct packet packet;

static void add(struct prefix_table *table, const char *text, const struct hit *owner)
{
	struct ip_prefix prefix;

	assert_int_equal(ip_prefix_parse(text, &prefix), HIPHOP_OK);
	assert_int_equal(prefix_table_add(table, &prefix, owner), HIPHOP_OK);
}

static int start(void **state)
{
	(void)state;
	memset(&tunnel, 0, sizeof tunnel);
	tunnel.mtu = ip_prefix_tunnel_mtu(1400);
	tunnel.port = 10500;
	tunnel.own[0] = self;
	tunnel.own[1] = second;
	tunnel.own_count = 2;
	add(&tunnel.accepted, "2001:db8:100::/48", &router);
	add(&tunnel.accepted, "2001:db8:100:5::/64", &stranger);
	add(&tunnel.accepted, "10.1.0.0/16", &router);
	add(&tunnel.announced, "2001:db8:200::/48", &self);
	add(&tunnel.announced, "10.2.0.0/16", &self);
	assert_int_equal(address_parse("2001:db8:200::1", &tunnel.addresses[0]), HIPHOP_OK);
	assert_int_equal(address_parse("10.2.0.1", &tunnel.addresses[1]), HIPHOP_OK);
	tunnel.address_count = 2;
	return 0;
}

/* The text of an address, or of one of the HITs above by its name. */
static struct address place(const char *text)
{
	static const struct {
		const char *name;
		const struct hit *hit;
	} names[] = {{"self", &self}, {"second", &second}, {"router", &router}, {"stranger", &stranger}};
	struct address address;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text, names[i].name) == 0) {
			memcpy(address.octets, names[i].hit->octets, HIT_LENGTH);
			return address;
		}
	}
	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	return address;
}

/* Makes `packet` one of `length` octets: IPv4 where `from` has dots only. */
static void make(const char *from, const char *to, uint8_t protocol, size_t length)
{
	struct address source = place(from), destination = place(to);
	bool ipv4 = strchr(from, '.') && !strchr(from, ':');
	uint8_t *octets;

	packet_reset(&packet);
	packet.kind = PACKET_INNER;
	packet.length = (uint16_t)length;
	octets = packet_data(&packet);
	memset(octets, 0x5a, length);
	if (ipv4) {
		const uint8_t header[20] = {
			0x45, 0xb9, (uint8_t)(length >> 8), (uint8_t)length, 0, 0, 0x40, 0, 60, protocol};
		memcpy(octets, header, sizeof header);
		memcpy(octets + 12, source.octets + 12, 4);
		memcpy(octets + 16, destination.octets + 12, 4);
	} else {
		const uint8_t header[8] = {
			0x6b, 0x95, 0x12, 0x34, (uint8_t)((length - 40) >> 8), (uint8_t)(length - 40), protocol, 60};
		memcpy(octets, header, sizeof header);
		memcpy(octets + 8, source.octets, 16);
		memcpy(octets + 24, destination.octets, 16);
	}
}

static prefix_verdict look_out(struct prefix_way *way)
{
	*way = (struct prefix_way){0};
	return prefix_tunnel_look_out(&tunnel, packet_data(&packet), packet.length, way);
}

static void outbound_packets_find_their_way(void **state)
{
	static const struct {
		const char *from, *to;
		prefix_verdict verdict;
		const struct hit *by, *peer;
		prefix_counter cause;
	} cases[] = {
		/* From HIT to HIT nothing changes. */
		{"self", "router", PREFIX_PASS, NULL, NULL, 0},
		/* From this host to an accepted prefix; the longest one decides, and the identity is that of the
		   source. */
		{"self", "2001:db8:100::7", PREFIX_CARRY, &self, &router, 0},
		{"self", "2001:db8:100:5::7", PREFIX_CARRY, &self, &stranger, 0},
		{"second", "2001:db8:100::7", PREFIX_CARRY, &second, &router, 0},
		/* From what lies behind this host to an accepted prefix, and to any HIT. */
		{"2001:db8:200:1::9", "2001:db8:100::7", PREFIX_CARRY, &self, &router, 0},
		{"2001:db8:200:1::9", "stranger", PREFIX_CARRY, &self, &stranger, 0},
		{"10.2.3.4", "10.1.2.3", PREFIX_CARRY, &self, &router, 0},
		/* From elsewhere. */
		{"2001:db8:300::1", "2001:db8:100::7", PREFIX_DROP, NULL, NULL, PREFIX_COUNT_DROP_OUT_SOURCE},
		{"192.0.2.1", "10.1.2.3", PREFIX_DROP, NULL, NULL, PREFIX_COUNT_DROP_OUT_SOURCE},
		{"router", "2001:db8:100::7", PREFIX_DROP, NULL, NULL, PREFIX_COUNT_DROP_OUT_SOURCE},
		{"2001:db8:300::1", "stranger", PREFIX_PASS, NULL, NULL, 0},
		/* To elsewhere. */
		{"self", "2001:db8:300::1", PREFIX_PASS, NULL, NULL, 0},
		{"10.2.3.4", "10.3.2.3", PREFIX_PASS, NULL, NULL, 0},
		{"self", "2001:db8:200::9", PREFIX_PASS, NULL, NULL, 0},
		/* What looks like IPv4 is none. */
		{"self", "::ffff:10.1.2.3", PREFIX_PASS, NULL, NULL, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix_way way;
		(void)start(state);
		make(cases[i].from, cases[i].to, 6, 60);
		prefix_verdict verdict = look_out(&way);
		if (verdict != cases[i].verdict)
			fail_msg("%s to %s: %d", cases[i].from, cases[i].to, verdict);
		if (verdict == PREFIX_CARRY) {
			assert_true(hit_equal(&way.from, cases[i].by));
			assert_true(hit_equal(&way.to, cases[i].peer));
		}
		if (verdict == PREFIX_DROP) {
			assert_int_equal(way.cause, cases[i].cause);
			assert_int_equal(tunnel.counters[way.cause], 1);
		}
	}
}

static void what_is_too_long_does_not_go_in(void **state)
{
	struct prefix_way way;

	(void)state;
	make("self", "2001:db8:100::7", 6, 1360);
	assert_int_equal(look_out(&way), PREFIX_CARRY);
	make("self", "2001:db8:100::7", 6, 1361);
	assert_int_equal(look_out(&way), PREFIX_DROP);
	assert_int_equal(way.cause, PREFIX_COUNT_DROP_OUT_TOO_LARGE);
	make("2001:db8:200::9", "stranger", 6, 1361);
	assert_int_equal(look_out(&way), PREFIX_DROP);
	make("10.2.0.9", "10.1.0.9", 6, 1361);
	assert_int_equal(look_out(&way), PREFIX_DROP);
	/* HIT to HIT has the whole of the device. */
	make("self", "router", 6, 1400);
	assert_int_equal(look_out(&way), PREFIX_PASS);
}

static void a_tunnel_in_a_tunnel_is_not_forged(void **state)
{
	struct prefix_way way;

	(void)state;
	make("self", "router", 41, 100);
	assert_int_equal(look_out(&way), PREFIX_DROP);
	assert_int_equal(way.cause, PREFIX_COUNT_DROP_OUT_NESTED);
	make("self", "router", 4, 100);
	assert_int_equal(look_out(&way), PREFIX_DROP);
	/* A device may have tunnels of its own. */
	make("2001:db8:200::9", "router", 41, 100);
	assert_int_equal(look_out(&way), PREFIX_CARRY);
}

static void own_underlay_packets_do_not_go_round(void **state)
{
	static const struct {
		const char *from, *to;
		uint8_t protocol, port; /* 1: of the underlay */
		prefix_verdict verdict;
	} cases[] = {
		{"self", "2001:db8:100::1", 17, 1, PREFIX_DROP},
		{"self", "2001:db8:100::1", 17, 0, PREFIX_CARRY},
		{"self", "2001:db8:100::1", 50, 0, PREFIX_DROP},
		{"self", "2001:db8:100::1", 139, 0, PREFIX_DROP},
		{"10.2.0.1", "10.1.0.1", 17, 1, PREFIX_DROP},
		{"10.2.0.1", "10.1.0.1", 50, 1, PREFIX_DROP},
		{"2001:db8:200::1", "2001:db8:100::1", 17, 1, PREFIX_DROP},
		/* That of a host behind this one goes its way. */
		{"10.2.0.2", "10.1.0.1", 17, 1, PREFIX_CARRY},
		{"2001:db8:200::2", "2001:db8:100::1", 50, 1, PREFIX_CARRY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix_way way;
		make(cases[i].from, cases[i].to, cases[i].protocol, 100);
		uint8_t *transport = packet_data(&packet) + (packet_data(&packet)[0] >> 4 == 4 ? 20 : 40);
		transport[0] = cases[i].port ? 10500 >> 8 : 0;
		transport[1] = 10500 & 255;
		prefix_verdict verdict = look_out(&way);
		if (verdict != cases[i].verdict)
			fail_msg("case %zu: %d", i, verdict);
		if (verdict == PREFIX_DROP)
			assert_int_equal(way.cause, PREFIX_COUNT_DROP_OUT_UNDERLAY);
	}
}

static void wrapping_puts_a_header_in_front(void **state)
{
	static const char *const from[] = {"2001:db8:200::9", "10.2.0.9"}, *const to[] = {
										   "2001:db8:100::7", "10.1.0.7"};
	static const uint8_t next_header[] = {41, 4};
	uint8_t before[100];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct prefix_way way;
		struct beet_header header;
		size_t length;
		make(from[i], to[i], 6, sizeof before);
		memcpy(before, packet_data(&packet), sizeof before);
		assert_int_equal(look_out(&way), PREFIX_CARRY);
		prefix_tunnel_wrap(&tunnel, &packet, &way);
		assert_int_equal(packet.length, sizeof before + IP_PREFIX_TUNNEL_OVERHEAD);
		assert_int_equal(beet_read(packet_data(&packet), packet.length, &header), HIPHOP_OK);
		assert_true(hit_equal(&header.source, &self));
		assert_true(hit_equal(&header.destination, &router));
		assert_int_equal(header.next_header, next_header[i]);
		/* The traffic class, ECN with it, is that of the packet. */
		assert_int_equal((packet_data(&packet)[0] & 15) << 4 | packet_data(&packet)[1] >> 4, 0xb9);
		assert_memory_equal(packet_data(&packet) + 40, before, sizeof before);
		assert_ptr_equal(
			prefix_tunnel_inner(packet_data(&packet), packet.length, &length), packet_data(&packet) + 40);
		assert_int_equal(length, sizeof before);
		prefix_tunnel_unwrap(&tunnel, &packet);
		assert_int_equal(packet.length, sizeof before);
		assert_memory_equal(packet_data(&packet), before, sizeof before);
		assert_null(prefix_tunnel_inner(packet_data(&packet), packet.length, &length));
	}
	assert_int_equal(tunnel.counters[PREFIX_COUNT_OUT], 2);
	assert_int_equal(tunnel.counters[PREFIX_COUNT_IN], 2);
}

/* `packet` as it comes out of ESP, in a packet from `peer` to the own HIT `local`. */
static prefix_verdict look_in(const struct hit *peer, const struct hit *local)
{
	uint8_t version = packet_data(&packet)[0] >> 4;

	packet.offset = (uint16_t)(packet.offset - 40);
	beet_write(packet_data(&packet), version == 4 ? 4 : 41, packet.length, peer, local);
	packet.length = (uint16_t)(packet.length + 40);
	return prefix_tunnel_look_in(&tunnel, peer, packet_data(&packet), packet.length);
}

static void inbound_packets_pass_by_policy_alone(void **state)
{
	static const struct {
		const struct hit *peer, *local;
		const char *from, *to;
		prefix_verdict verdict;
		prefix_counter cause;
	} cases[] = {
		/* A device behind the router answers this host. */
		{&router, &self, "2001:db8:100::7", "self", PREFIX_CARRY, 0},
		{&router, &second, "2001:db8:100::7", "second", PREFIX_CARRY, 0},
		/* Its source is not the router's, or is that of another host by the longer prefix. */
		{&router, &self, "2001:db8:300::7", "self", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "2001:db8:100:5::7", "self", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&stranger, &self, "2001:db8:100::7", "self", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&stranger, &self, "2001:db8:100:5::7", "self", PREFIX_CARRY, 0},
		{&router, &self, "2001:db8:200::7", "self", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		/* A HIT in the place of an address: the peer's own, another's, our own. */
		{&router, &self, "router", "self", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "stranger", "self", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "self", "self", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		/* To a HIT of ours that it was not sent to, to another's, to somewhere else, to loopback. */
		{&router, &self, "2001:db8:100::7", "second", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		{&router, &self, "2001:db8:100::7", "stranger", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		{&router, &self, "2001:db8:100::7", "2001:db8:300::7", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		{&router, &self, "2001:db8:100::7", "2001:db8:100::8", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		{&router, &self, "2001:db8:100::7", "::1", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		{&router, &self, "2001:db8:100::7", "ff02::1", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		{&router, &self, "10.1.0.7", "127.0.0.1", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		{&router, &self, "10.1.0.7", "255.255.255.255", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		/* To what lies behind this host: from the peer's HIT, or from what is accepted from that peer. */
		{&router, &self, "router", "2001:db8:200::9", PREFIX_CARRY, 0},
		{&stranger, &self, "stranger", "2001:db8:200::9", PREFIX_CARRY, 0},
		{&router, &self, "2001:db8:100::7", "2001:db8:200::9", PREFIX_CARRY, 0},
		{&router, &self, "10.1.0.7", "10.2.0.9", PREFIX_CARRY, 0},
		{&stranger, &self, "10.1.0.7", "10.2.0.9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "stranger", "2001:db8:200::9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "self", "2001:db8:200::9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "2001:db8:200::1", "2001:db8:200::9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "::", "2001:db8:200::9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "::1", "2001:db8:200::9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		{&router, &self, "127.0.0.1", "10.2.0.9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_SOURCE},
		/* A further identity is not to be told by what lies behind the first. */
		{&router, &second, "router", "2001:db8:200::9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		{&router, &second, "2001:db8:100::7", "2001:db8:200::9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_DESTINATION},
		/* IPv4 in disguise. */
		{&router, &self, "::ffff:10.1.0.7", "2001:db8:200::9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_MALFORMED},
		{&router, &self, "2001:db8:100::7", "::ffff:10.2.0.9", PREFIX_DROP, PREFIX_COUNT_DROP_IN_MALFORMED},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)start(state);
		make(cases[i].from, cases[i].to, 6, 60);
		prefix_verdict verdict = look_in(cases[i].peer, cases[i].local);
		if (verdict != cases[i].verdict)
			fail_msg("case %zu, %s to %s: %d", i, cases[i].from, cases[i].to, verdict);
		for (int cause = 0; cause < PREFIX_COUNTER_COUNT; cause++)
			assert_int_equal(
				tunnel.counters[cause], verdict == PREFIX_DROP && cause == (int)cases[i].cause);
	}
}

static void other_inner_packets_are_left_alone(void **state)
{
	(void)state;
	make("router", "self", 6, 60);
	assert_int_equal(prefix_tunnel_look_in(&tunnel, &router, packet_data(&packet), packet.length), PREFIX_PASS);
	make("router", "self", 58, 60);
	assert_int_equal(prefix_tunnel_look_in(&tunnel, &router, packet_data(&packet), packet.length), PREFIX_PASS);
}

/* A right packet with one field of its inner header wrong. */
static void broken_inner_headers_are_dropped(void **state)
{
	static const struct {
		bool ipv4;
		size_t place;
		uint8_t value;
	} cases[] = {
		{true, 0, 0x44}, /* header too short */
		{true, 0, 0x4f}, /* and too long */
		{true, 0, 0x65}, /* not the version that the next header says */
		{true, 0, 0x05},
		{true, 3, 55}, /* length: one less, one more, less than a header, much more */
		{true, 3, 57},
		{true, 3, 19},
		{true, 2, 0xff},
		{false, 0, 0x40},
		{false, 0, 0x50},
		{false, 5, 15}, /* length */
		{false, 5, 17},
		{false, 4, 0xff},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)start(state);
		make(cases[i].ipv4 ? "10.1.0.7" : "2001:db8:100::7", cases[i].ipv4 ? "10.2.0.9" : "2001:db8:200::9", 6,
			56);
		assert_int_equal(look_in(&router, &self), PREFIX_CARRY);
		packet_data(&packet)[40 + cases[i].place] = cases[i].value;
		if (prefix_tunnel_look_in(&tunnel, &router, packet_data(&packet), packet.length) != PREFIX_DROP)
			fail_msg("case %zu", i);
		assert_int_equal(tunnel.counters[PREFIX_COUNT_DROP_IN_MALFORMED], 1);
	}
}

/* At every length, in memory of just that length. */
static void cut_packets_are_dropped(void **state)
{
	static const char *const from[] = {"2001:db8:100::7", "10.1.0.7"}, *const to[] = {
										   "2001:db8:200::9", "10.2.0.9"};

	for (size_t family = 0; family < 2; family++) {
		for (size_t length = 40; length < 100; length++) {
			(void)start(state);
			make(from[family], to[family], 6, 60);
			assert_int_equal(look_in(&router, &self), PREFIX_CARRY);
			uint8_t *exact = malloc(length);
			assert_non_null(exact);
			memcpy(exact, packet_data(&packet), length);
			exact[5] = (uint8_t)(length - 40); /* ESP makes the outer length right */
			assert_int_equal(prefix_tunnel_look_in(&tunnel, &router, exact, length), PREFIX_DROP);
			assert_int_equal(tunnel.counters[PREFIX_COUNT_DROP_IN_MALFORMED], 1);
			free(exact);
		}
	}
}

/* Of all random packets only those are carried that are from and to where they may be. */
static void random_packets_do_not_get_through(void **state)
{
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 17);

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t octets[100];
		struct prefix_way way;
		size_t length = 40 + random_below(&random, 61);
		random_fill(&random, octets, sizeof octets);
		beet_write(octets, random_below(&random, 2) ? 41 : 4, (uint16_t)(length - 40), &router, &self);
		if (length > 44) {
			octets[40] = octets[6] == 41 ? 0x60 : 0x45;
			octets[42] = octets[44] = 0;
			octets[octets[6] == 41 ? 45 : 43] = (uint8_t)(length - (octets[6] == 41 ? 80 : 40));
		}
		assert_int_equal(prefix_tunnel_look_in(&tunnel, &router, octets, length), PREFIX_DROP);
		assert_int_not_equal(prefix_tunnel_look_out(&tunnel, octets + 40, length - 40, &way), PREFIX_CARRY);
	}
}

static void each_counter_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < PREFIX_COUNTER_COUNT; i++)
		assert_true(strncmp(prefix_counter_name((prefix_counter)i), "prefix_", 7) == 0);
	assert_string_equal(prefix_counter_name(PREFIX_COUNTER_COUNT), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(outbound_packets_find_their_way, start),
		cmocka_unit_test_setup(what_is_too_long_does_not_go_in, start),
		cmocka_unit_test_setup(a_tunnel_in_a_tunnel_is_not_forged, start),
		cmocka_unit_test_setup(own_underlay_packets_do_not_go_round, start),
		cmocka_unit_test_setup(wrapping_puts_a_header_in_front, start),
		cmocka_unit_test_setup(inbound_packets_pass_by_policy_alone, start),
		cmocka_unit_test_setup(other_inner_packets_are_left_alone, start),
		cmocka_unit_test_setup(broken_inner_headers_are_dropped, start),
		cmocka_unit_test_setup(cut_packets_are_dropped, start),
		cmocka_unit_test_setup(random_packets_do_not_get_through, start),
		cmocka_unit_test(each_counter_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
