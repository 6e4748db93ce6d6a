/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/underlay_sockets.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <poll.h>
#include <stdlib.h>

static bool in_namespace;
static struct packet_vector *out, *in;

static int start(void **state)
{
	(void)state;
	in_namespace = namespace_enter();
	out = calloc(1, sizeof *out);
	in = calloc(1, sizeof *in);
	return !out || !in;
}

static int stop(void **state)
{
	(void)state;
	free(out);
	free(in);
	return 0;
}

static struct packet *add(
	packet_kind kind, const char *local, const char *remote, uint16_t port, const void *data, size_t length)
{
	struct packet *packet = packet_vector_add(out);
	assert_non_null(packet);
	assert_int_equal(packet_fill(packet, kind, data, length), HIPHOP_OK);
	if (local)
		assert_int_equal(address_parse(local, &packet->local.address), HIPHOP_OK);
	assert_int_equal(address_parse(remote, &packet->remote.address), HIPHOP_OK);
	packet->remote.port = port;
	return packet;
}

static size_t wait_and_receive(struct underlay_sockets *sockets, underlay_socket which)
{
	struct pollfd wait = {.fd = sockets->descriptors[which], .events = POLLIN};
	assert_int_equal(poll(&wait, 1, 5000), 1);
	return underlay_receive(sockets, which, in);
}

static void assert_address(const struct address *address, const char *text)
{
	char got[ENDPOINT_TEXT_SIZE];
	assert_string_equal(address_format(address, got), text);
}

static void udp_both_families_with_source(void **state)
{
	(void)state;
	struct underlay_sockets a, b;
	if (!in_namespace)
		skip();
	const struct {
		const char *local, *remote;
	} cases[] = {{"127.0.0.3", "127.0.0.2"}, {"::1", "::1"}, {NULL, "127.0.0.2"}};
	underlay_sockets_start(&a);
	underlay_sockets_start(&b);
	assert_int_equal(underlay_open_udp(&a, 0), HIPHOP_OK);
	assert_int_equal(underlay_open_udp(&b, 0), HIPHOP_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		out->count = 0;
		add(PACKET_DATAGRAM, cases[i].local, cases[i].remote, b.port, "hello", 5);
		underlay_send(&a, out);
		assert_int_equal(wait_and_receive(&b, UNDERLAY_UDP), 1);
		struct packet *packet = &in->packets[0];
		assert_int_equal(packet->kind, PACKET_DATAGRAM);
		assert_int_equal(packet->length, 5);
		assert_memory_equal(packet_data(packet), "hello", 5);
		assert_address(&packet->local.address, cases[i].remote);
		assert_int_equal(packet->local.port, b.port);
		assert_int_equal(packet->remote.port, a.port);
		if (cases[i].local)
			assert_address(&packet->remote.address, cases[i].local);
	}
	assert_int_equal(a.sent_packets, 3);
	assert_int_equal(a.send_errors, 0);
	assert_int_equal(underlay_receive(&b, UNDERLAY_UDP, in), 0);
	underlay_sockets_close(&a);
	underlay_sockets_close(&b);
}

static void a_whole_vector_and_large_packets(void **state)
{
	(void)state;
	struct underlay_sockets sockets;
	static uint8_t large[8192] = {0, 1}; /* four zero octets would be HIP */
	if (!in_namespace)
		skip();
	underlay_sockets_start(&sockets);
	assert_int_equal(underlay_open_udp(&sockets, 0), HIPHOP_OK);
	out->count = 0;
	for (int i = 0; i < PACKET_VECTOR_MAXIMUM; i++) {
		large[0] = (uint8_t)i;
		add(PACKET_DATAGRAM, NULL, "127.0.0.1", sockets.port, large, i % 2 ? sizeof large : 100);
	}
	underlay_send(&sockets, out);
	size_t got = 0;
	while (got < PACKET_VECTOR_MAXIMUM) {
		size_t now = wait_and_receive(&sockets, UNDERLAY_UDP);
		for (size_t i = 0; i < now; i++, got++) {
			assert_int_equal(packet_data(&in->packets[i])[0], got);
			assert_int_equal(in->packets[i].length, got % 2 ? sizeof large : 100);
		}
	}
	underlay_sockets_close(&sockets);
}

static void set_mtu(int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};
	int probe = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(ioctl(probe, SIOCSIFMTU, &request), 0);
	close(probe);
}

/* Receives `count` datagrams, which are numbered in their first octet, and checks their lengths. */
static void receive_run(struct underlay_sockets *sockets, const size_t *lengths, size_t count)
{
	for (size_t got = 0; got < count;) {
		size_t now = underlay_holds(sockets, UNDERLAY_UDP) ? underlay_receive(sockets, UNDERLAY_UDP, in)
								   : wait_and_receive(sockets, UNDERLAY_UDP);
		assert_true(now > 0 && now <= PACKET_VECTOR_MAXIMUM);
		for (size_t i = 0; i < now; i++, got++) {
			struct packet *packet = &in->packets[i];
			assert_true(got < count);
			assert_int_equal(packet->kind, PACKET_DATAGRAM);
			assert_int_equal(packet->length, lengths[got]);
			assert_int_equal(packet_data(packet)[0], got % 256);
			assert_int_equal(packet_data(packet)[packet->length - 1], got % 256);
			assert_int_equal(packet->local.port, sockets->port);
		}
	}
	assert_false(underlay_holds(sockets, UNDERLAY_UDP));
}

static void send_run_of(
	struct underlay_sockets *sockets, const char *to, const size_t *lengths, size_t count, uint8_t first)
{
	static uint8_t octets[PACKET_DATA_MAXIMUM];
	out->count = 0;
	for (size_t i = 0; i < count; i++) {
		memset(octets, (int)(first + i) % 256, lengths[i]);
		octets[1] = 1; /* four zero octets would be HIP */
		add(PACKET_DATAGRAM, NULL, to, sockets->port, octets, lengths[i]);
	}
	underlay_send(sockets, out);
}

/* Runs that the kernel cuts and joins, with every way for a run to end; and with a path too narrow for it to cut. */
static void runs_of_datagrams(void **state)
{
	(void)state;
	struct underlay_sockets sockets;
	const char *const ends[] = {"127.0.0.1", "::1"};
	const size_t sizes[] = {100, 1452, 1453, 2000, 9000};
	size_t lengths[2 * PACKET_VECTOR_MAXIMUM];
	if (!in_namespace)
		skip();
	underlay_sockets_start(&sockets);
	assert_int_equal(underlay_open_udp(&sockets, 0), HIPHOP_OK);
	assert_true(sockets.segmentation);
	for (size_t n = 0; n < 2 * 2 * sizeof sizes / sizeof *sizes; n++) {
		set_mtu(n / 2 % 2 ? 1500 : 65536);
		for (size_t i = 0; i < 2 * PACKET_VECTOR_MAXIMUM; i++)
			lengths[i] = i % 50 == 20 ? 60 : i % 50 == 30 ? 61 : sizes[n / 4];
		lengths[40] = 9000;
		send_run_of(&sockets, ends[n % 2], lengths, PACKET_VECTOR_MAXIMUM, 0);
		send_run_of(&sockets, ends[n % 2], lengths + PACKET_VECTOR_MAXIMUM, PACKET_VECTOR_MAXIMUM, 64);
		receive_run(&sockets, lengths, 2 * PACKET_VECTOR_MAXIMUM);
	}
	assert_int_equal(sockets.send_errors, 0);
	assert_int_equal(sockets.sent_packets, sockets.received_packets);
	assert_int_equal(sockets.dropped_packets, 0);
	set_mtu(65536);
	underlay_sockets_close(&sockets);
}

/* One vector for several peers: no run may take in what is another's. */
static void runs_to_several_peers(void **state)
{
	(void)state;
	struct underlay_sockets a, b;
	static const uint8_t octets[1000] = {1};
	size_t to_a = 0, to_b = 0;
	if (!in_namespace)
		skip();
	underlay_sockets_start(&a);
	underlay_sockets_start(&b);
	assert_int_equal(underlay_open_udp(&a, 0), HIPHOP_OK);
	assert_int_equal(underlay_open_udp(&b, 0), HIPHOP_OK);
	out->count = 0;
	for (size_t i = 0; i < PACKET_VECTOR_MAXIMUM; i++)
		add(PACKET_DATAGRAM, i % 4 < 2 ? "127.0.0.3" : NULL, i % 3 ? "127.0.0.1" : "::ffff:127.0.0.1",
			i % 8 < 5 ? a.port : b.port, octets, sizeof octets);
	underlay_send(&a, out);
	while (to_a < 40)
		to_a += wait_and_receive(&a, UNDERLAY_UDP);
	while (to_b < 24)
		to_b += wait_and_receive(&b, UNDERLAY_UDP);
	assert_int_equal(to_a, 40);
	assert_int_equal(to_b, 24);
	assert_int_equal(a.sent_packets, PACKET_VECTOR_MAXIMUM);
	underlay_sockets_close(&a);
	underlay_sockets_close(&b);
}

static void raw_protocols(void **state)
{
	(void)state;
	struct underlay_sockets sockets;
	if (!in_namespace)
		skip();
	const struct {
		underlay_socket which;
		packet_kind kind;
		const char *address;
	} cases[] = {
		{UNDERLAY_HIP_IPV4, PACKET_HIP, "127.0.0.1"},
		{UNDERLAY_HIP_IPV6, PACKET_HIP, "::1"},
		{UNDERLAY_ESP_IPV4, PACKET_ESP, "127.0.0.1"},
		{UNDERLAY_ESP_IPV6, PACKET_ESP, "::1"},
	};
	underlay_sockets_start(&sockets);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(underlay_open_raw(&sockets, cases[i].which), HIPHOP_OK);
		out->count = 0;
		add(cases[i].kind, i % 2 ? cases[i].address : NULL, cases[i].address, 0,
			"0123456789abcdef0123456789abcdef", 32);
		underlay_send(&sockets, out);
		assert_int_equal(wait_and_receive(&sockets, cases[i].which), 1);
		struct packet *packet = &in->packets[0];
		assert_int_equal(packet->kind, cases[i].kind);
		assert_int_equal(packet->length, 32);
		assert_memory_equal(packet_data(packet), "0123456789abcdef", 16);
		assert_int_equal(packet->remote.transport, TRANSPORT_IP);
		assert_int_equal(packet->remote.port, 0);
		assert_address(&packet->local.address, cases[i].address);
		assert_address(&packet->remote.address, cases[i].address);
	}
	underlay_sockets_close(&sockets);
}

/* What is sent to the UDP port and to protocol 139, by its first octets, and which socket has it. */
static void a_flood_fills_its_own_queue(void **state)
{
	(void)state;
	struct underlay_sockets sockets;
	if (!in_namespace)
		skip();
	static const uint8_t i1[44] = {0, 0, 0, 0, 59, 4, 1, 0x21}, i2[44] = {0, 0, 0, 0, 59, 4, 3, 0x21},
			     esp[44] = {0, 7, 1, 0}, foreign[44] = {0, 8, 1, 0}, keepalive[1] = {0xff};
	const struct {
		const uint8_t *octets;
		size_t length;
		underlay_socket udp, ipv4, ipv6; /* UNDERLAY_SOCKETS: not sent there */
	} cases[] = {
		{i1, sizeof i1, UNDERLAY_UDP_I1, UNDERLAY_HIP_IPV4_I1, UNDERLAY_HIP_IPV6_I1},
		{i2, sizeof i2, UNDERLAY_UDP_CONTROL, UNDERLAY_HIP_IPV4, UNDERLAY_HIP_IPV6},
		{esp, sizeof esp, UNDERLAY_UDP, UNDERLAY_SOCKETS, UNDERLAY_SOCKETS},
		{foreign, sizeof foreign, UNDERLAY_UDP_I1, UNDERLAY_SOCKETS, UNDERLAY_SOCKETS},
		{keepalive, sizeof keepalive, UNDERLAY_UDP, UNDERLAY_SOCKETS, UNDERLAY_SOCKETS},
	};
	underlay_sockets_start(&sockets);
	assert_int_equal(underlay_open_udp(&sockets, 0), HIPHOP_OK);
	underlay_mark_spis(&sockets, 0xff0000, 0x070000);
	for (int which = UNDERLAY_HIP_IPV4; which < UNDERLAY_SOCKETS; which++)
		assert_int_equal(underlay_open_raw(&sockets, (underlay_socket)which), HIPHOP_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		underlay_socket expected[] = {cases[i].udp, cases[i].udp, cases[i].ipv4, cases[i].ipv6};
		out->count = 0;
		add(PACKET_DATAGRAM, NULL, "127.0.0.1", sockets.port, cases[i].octets, cases[i].length);
		add(PACKET_DATAGRAM, NULL, "::1", sockets.port, cases[i].octets, cases[i].length);
		if (cases[i].ipv4 != UNDERLAY_SOCKETS) {
			add(PACKET_HIP, NULL, "127.0.0.1", 0, cases[i].octets + 4, cases[i].length - 4);
			add(PACKET_HIP, NULL, "::1", 0, cases[i].octets + 4, cases[i].length - 4);
		}
		underlay_send(&sockets, out);
		for (size_t n = 0; n < out->count; n++) {
			struct pollfd wait = {.fd = sockets.descriptors[expected[n]], .events = POLLIN};
			assert_int_equal(poll(&wait, 1, 5000), 1);
		}
		for (int which = 0; which < UNDERLAY_SOCKETS; which++) {
			size_t wanted = 0;
			for (size_t n = 0; n < out->count; n++)
				wanted += expected[n] == (underlay_socket)which;
			size_t got = underlay_receive(&sockets, (underlay_socket)which, in);
			while (got && got < wanted)
				got += wait_and_receive(&sockets, (underlay_socket)which);
			assert_int_equal(got, wanted);
		}
	}
	underlay_sockets_close(&sockets);
}

static void what_a_queue_loses_is_known(void **state)
{
	(void)state;
	struct underlay_sockets sockets;
	if (!in_namespace)
		skip();
	static const uint8_t i1[44] = {0, 0, 0, 0, 59, 4, 1, 0x21};
	underlay_sockets_start(&sockets);
	assert_int_equal(underlay_open_udp(&sockets, 0), HIPHOP_OK);
	assert_int_equal(underlay_queue_lost(&sockets, UNDERLAY_UDP_I1), 0);
	out->count = 0;
	while (out->count < PACKET_VECTOR_MAXIMUM)
		add(PACKET_DATAGRAM, NULL, "127.0.0.1", sockets.port, i1, sizeof i1);
	/* A queue has an end, wherever it is. */
	for (int i = 0; i < 5000 && !underlay_queue_lost(&sockets, UNDERLAY_UDP_I1); i++)
		underlay_send(&sockets, out);
	assert_true(underlay_queue_lost(&sockets, UNDERLAY_UDP_I1) > 0);
	assert_int_equal(underlay_queue_lost(&sockets, UNDERLAY_UDP), 0);
	assert_int_equal(underlay_queue_lost(&sockets, UNDERLAY_UDP_CONTROL), 0);
	assert_int_equal(underlay_queue_lost(&sockets, UNDERLAY_ESP_IPV4), 0);
	out->count = 0;
	add(PACKET_DATAGRAM, NULL, "127.0.0.1", sockets.port, "data all the same", 17);
	underlay_send(&sockets, out);
	assert_int_equal(wait_and_receive(&sockets, UNDERLAY_UDP), 1);
	underlay_sockets_close(&sockets);
}

static void failures_are_counted_and_the_rest_is_sent(void **state)
{
	(void)state;
	struct underlay_sockets sockets;
	if (!in_namespace)
		skip();
	underlay_sockets_start(&sockets);
	assert_int_equal(underlay_open_udp(&sockets, 0), HIPHOP_OK);
	out->count = 0;
	add(PACKET_DATAGRAM, NULL, "192.0.2.1", 9, "no route", 8);
	add(PACKET_DATAGRAM, "192.0.2.9", "127.0.0.1", 9, "not our address", 15);
	add(PACKET_DATAGRAM, "::1", "127.0.0.1", 9, "two families", 12);
	add(PACKET_HIP, NULL, "127.0.0.1", 0, "no socket", 9);
	add(PACKET_INNER, NULL, "127.0.0.1", 9, "not ours", 8);
	add(PACKET_DATAGRAM, NULL, "127.0.0.1", sockets.port, "this one", 8);
	underlay_send(&sockets, out);
	assert_int_equal(sockets.send_errors, 4);
	assert_int_equal(sockets.sent_packets, 1);
	assert_int_equal(wait_and_receive(&sockets, UNDERLAY_UDP), 1);
	assert_memory_equal(packet_data(&in->packets[0]), "this one", 8);
	underlay_sockets_close(&sockets);
}

static void oversize_datagrams_are_dropped(void **state)
{
	(void)state;
	struct underlay_sockets sockets;
	static uint8_t large[PACKET_DATA_MAXIMUM + 1] = {1};
	if (!in_namespace)
		skip();
	underlay_sockets_start(&sockets);
	assert_int_equal(underlay_open_udp(&sockets, 0), HIPHOP_OK);
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(sockets.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int sender = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(sendto(sender, large, sizeof large, 0, (struct sockaddr *)&to, sizeof to), sizeof large);
	assert_int_equal(sendto(sender, large, 0, 0, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(wait_and_receive(&sockets, UNDERLAY_UDP), 2);
	assert_int_equal(in->packets[0].kind, PACKET_DROPPED);
	assert_int_equal(in->packets[1].kind, PACKET_DATAGRAM);
	assert_int_equal(in->packets[1].length, 0);
	assert_int_equal(sockets.dropped_packets, 1);
	close(sender);
	underlay_sockets_close(&sockets);
}

static void a_taken_port_is_named(void **state)
{
	(void)state;
	struct underlay_sockets a, b;
	underlay_sockets_start(&a);
	underlay_sockets_start(&b);
	assert_int_equal(underlay_open_udp(&a, 0), HIPHOP_OK);
	assert_int_equal(underlay_open_udp(&b, a.port), HIPHOP_EXISTS);
	underlay_sockets_close(&a);
	underlay_sockets_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_both_families_with_source),
		cmocka_unit_test(a_whole_vector_and_large_packets),
		cmocka_unit_test(runs_of_datagrams),
		cmocka_unit_test(runs_to_several_peers),
		cmocka_unit_test(raw_protocols),
		cmocka_unit_test(a_flood_fills_its_own_queue),
		cmocka_unit_test(what_a_queue_loses_is_known),
		cmocka_unit_test(failures_are_counted_and_the_rest_is_sent),
		cmocka_unit_test(oversize_datagrams_are_dropped),
		cmocka_unit_test(a_taken_port_is_named),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
