/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/sip_sockets.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define PORT 5060

static bool in_namespace;
static uint8_t octets[SIP_MESSAGE_MAXIMUM];

static int start(void **state)
{
	(void)state;
	in_namespace = namespace_enter();
	return 0;
}

static struct hit own_hit(void)
{
	struct hit own;
	assert_int_equal(hit_parse("2001:22::eeee", &own), HIPHOP_OK);
	return own;
}

static struct endpoint at(const char *text, uint16_t port)
{
	struct endpoint endpoint = {.port = port};
	assert_int_equal(address_parse(text, &endpoint.address), HIPHOP_OK);
	return endpoint;
}

static void open_or_skip(struct sip_sockets *sockets)
{
	struct hit own = own_hit();
	if (!in_namespace)
		skip();
	sip_sockets_start(sockets);
	/* Addresses in local networks, one of each family, that are not there yet. */
	struct address later4 = at("192.168.10.1", 0).address, later6 = at("fd00::1", 0).address;
	assert_int_equal(sip_sockets_add(sockets, &later4), HIPHOP_OK);
	assert_int_equal(sip_sockets_add(sockets, &later6), HIPHOP_OK);
	assert_int_equal(sip_sockets_open(sockets, &own, PORT, NULL), HIPHOP_OK);
}

static void wait_for(int descriptor, short events)
{
	struct pollfd wait = {.fd = descriptor, .events = events};
	assert_int_equal(poll(&wait, 1, 5000), 1);
}

static void all_places_are_open(void **state)
{
	(void)state;
	struct sip_sockets sockets, second;
	struct endpoint taken;
	struct hit own = own_hit();
	open_or_skip(&sockets);
	for (size_t i = 0; i < 5; i++) {
		assert_true(sockets.places[i].datagram >= 0);
		assert_true(sockets.places[i].listener >= 0);
		assert_int_equal(sockets.places[i].local.port, PORT);
	}
	sip_sockets_start(&second);
	assert_int_equal(sip_sockets_open(&second, &own, PORT, &taken), HIPHOP_EXISTS);
	assert_int_equal(taken.port, PORT);
	sip_sockets_close(&sockets);
}

static void only_an_added_place_is_taken(void **state)
{
	(void)state;
	struct sip_sockets sockets, second;
	struct endpoint taken, loopback = at("127.0.0.7", PORT);
	struct hit own = own_hit();
	open_or_skip(&sockets);
	sip_sockets_close(&sockets);
	assert_int_equal(sip_sockets_add(&sockets, &loopback.address), HIPHOP_OK);
	assert_int_equal(sip_sockets_open(&sockets, &own, PORT, NULL), HIPHOP_OK);
	sip_sockets_start(&second);
	close(sockets.places[0].datagram);
	close(sockets.places[0].listener);
	close(sockets.places[1].datagram);
	close(sockets.places[1].listener);
	close(sockets.places[2].datagram);
	close(sockets.places[2].listener);
	for (size_t i = 0; i < 3; i++)
		sockets.places[i].datagram = sockets.places[i].listener = -1;
	assert_int_equal(sip_sockets_add(&second, &loopback.address), HIPHOP_OK);
	assert_int_equal(sip_sockets_open(&second, &own, PORT, &taken), HIPHOP_EXISTS);
	assert_true(endpoint_equal(&taken, &loopback));
	for (size_t i = 0; i < SIP_MORE_PLACES; i++)
		assert_int_equal(sip_sockets_add(&second, &loopback.address), HIPHOP_OK);
	assert_int_equal(sip_sockets_add(&second, &loopback.address), HIPHOP_LIMITED);
	sip_sockets_close(&sockets);
}

static void datagrams(void **state)
{
	(void)state;
	struct sip_sockets sockets;
	struct endpoint remote, anywhere = {0}, to = at("127.0.0.1", PORT), place = at("127.0.0.1", PORT);
	size_t length;
	open_or_skip(&sockets);
	assert_false(sip_datagram_receive(&sockets, 2, &remote, octets, &length));
	sip_datagram_send(&sockets, &place, &to, (const uint8_t *)"one", 3);
	sip_datagram_send(&sockets, &anywhere, &to, (const uint8_t *)"two", 3);
	for (int i = 0; i < 2; i++) {
		wait_for(sockets.places[2].datagram, POLLIN);
		assert_true(sip_datagram_receive(&sockets, 2, &remote, octets, &length));
		assert_int_equal(length, 3);
		assert_memory_equal(octets, i ? "two" : "one", 3);
		assert_int_equal(remote.port, PORT);
	}
	assert_int_equal(sockets.send_errors, 0);
	struct endpoint stranger = at("192.0.2.1", PORT);
	sip_datagram_send(&sockets, &stranger, &to, (const uint8_t *)"x", 1);
	assert_int_equal(sockets.send_errors, 1);
	sip_sockets_close(&sockets);
}

static void connect_pair(struct sip_sockets *sockets, struct sip_stream *ours, struct sip_stream *theirs)
{
	struct endpoint local = at("127.0.0.5", 0), remote = at("127.0.0.1", PORT);
	assert_int_equal(sip_stream_connect(ours, &local, &remote), HIPHOP_OK);
	assert_true(sip_stream_wants_write(ours));
	wait_for(ours->descriptor, POLLOUT);
	assert_int_equal(sip_stream_finish_connect(ours), HIPHOP_OK);
	wait_for(sockets->places[2].listener, POLLIN);
	assert_int_equal(sip_stream_accept(sockets, 2, theirs), HIPHOP_OK);
}

static void streams_from_the_right_address(void **state)
{
	(void)state;
	struct sip_sockets sockets;
	struct sip_stream ours, theirs;
	char text[ENDPOINT_TEXT_SIZE];
	size_t length;
	open_or_skip(&sockets);
	assert_int_equal(sip_stream_accept(&sockets, 2, &theirs), HIPHOP_NOT_FOUND);
	connect_pair(&sockets, &ours, &theirs);
	assert_string_equal(address_format(&theirs.remote.address, text), "127.0.0.5");
	assert_int_equal(theirs.local.port, PORT);
	assert_int_equal(theirs.remote.port, ours.local.port);
	assert_int_equal(sip_stream_write(&ours, (const uint8_t *)"hello", 5), HIPHOP_OK);
	wait_for(theirs.descriptor, POLLIN);
	assert_int_equal(sip_stream_read(&theirs, octets, sizeof octets, &length), HIPHOP_OK);
	assert_int_equal(length, 5);
	assert_int_equal(sip_stream_read(&theirs, octets, sizeof octets, &length), HIPHOP_OK);
	assert_int_equal(length, 0);
	sip_stream_close(&ours);
	wait_for(theirs.descriptor, POLLIN);
	assert_int_equal(sip_stream_read(&theirs, octets, sizeof octets, &length), HIPHOP_NOT_FOUND);
	sip_stream_close(&theirs);
	sip_sockets_close(&sockets);
}

static void a_backlog_is_kept_in_order_and_bounded(void **state)
{
	(void)state;
	struct sip_sockets sockets;
	struct sip_stream ours, theirs;
	static uint8_t block[16384];
	size_t sent = 0, got = 0, length;
	open_or_skip(&sockets);
	connect_pair(&sockets, &ours, &theirs);
	hiphop_error error = HIPHOP_OK;
	while (!error) {
		for (size_t i = 0; i < sizeof block; i++)
			block[i] = (uint8_t)((sent + i) * 31 >> 5);
		error = sip_stream_write(&ours, block, sizeof block);
		sent += error ? 0 : sizeof block;
		assert_true(sent < 64 * 1024 * 1024);
	}
	assert_int_equal(error, HIPHOP_TOO_LARGE);
	assert_true(ours.backlog_length <= SIP_STREAM_BACKLOG);
	while (got < sent) {
		assert_int_equal(sip_stream_flush(&ours), HIPHOP_OK);
		wait_for(theirs.descriptor, POLLIN);
		assert_int_equal(sip_stream_read(&theirs, octets, sizeof octets, &length), HIPHOP_OK);
		for (size_t i = 0; i < length; i++, got++)
			if (octets[i] != (uint8_t)(got * 31 >> 5))
				fail_msg("octet %zu is wrong", got);
	}
	assert_false(sip_stream_wants_write(&ours));
	sip_stream_close(&ours);
	sip_stream_close(&theirs);
	sip_sockets_close(&sockets);
}

static void a_refused_connection(void **state)
{
	(void)state;
	struct sip_stream stream;
	struct endpoint local = {0}, remote = at("127.0.0.1", 9);
	if (!in_namespace)
		skip();
	hiphop_error error = sip_stream_connect(&stream, &local, &remote);
	if (!error) {
		wait_for(stream.descriptor, POLLOUT);
		error = sip_stream_finish_connect(&stream);
	}
	assert_int_equal(error, HIPHOP_SYSTEM);
	sip_stream_close(&stream);
}

static void too_many_are_turned_away(void **state)
{
	(void)state;
	struct sip_sockets sockets;
	struct sip_stream ours;
	struct endpoint local = {0}, remote = at("127.0.0.1", PORT);
	size_t length;
	open_or_skip(&sockets);
	assert_false(sip_stream_reject(&sockets, 2));
	assert_int_equal(sip_stream_connect(&ours, &local, &remote), HIPHOP_OK);
	wait_for(sockets.places[2].listener, POLLIN);
	assert_true(sip_stream_reject(&sockets, 2));
	wait_for(ours.descriptor, POLLIN);
	assert_int_not_equal(sip_stream_read(&ours, octets, sizeof octets, &length), HIPHOP_OK);
	sip_stream_close(&ours);
	sip_sockets_close(&sockets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_places_are_open),
		cmocka_unit_test(only_an_added_place_is_taken),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(streams_from_the_right_address),
		cmocka_unit_test(a_backlog_is_kept_in_order_and_bounded),
		cmocka_unit_test(a_refused_connection),
		cmocka_unit_test(too_many_are_turned_away),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
