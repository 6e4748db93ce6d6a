/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/media_sockets.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define PORT 20000

static bool in_namespace;
static struct media_vector vector;

static int start(void **state)
{
	(void)state;
	in_namespace = namespace_enter();
	return 0;
}

static struct endpoint at(const char *text, uint16_t port)
{
	struct endpoint endpoint = {.port = port};
	assert_int_equal(address_parse(text, &endpoint.address), HIPHOP_OK);
	return endpoint;
}

static void open_or_skip(struct media_sockets *sockets, const char *first, const char *second, uint16_t port)
{
	const struct endpoint sides[2] = {at(first, port), at(second, port)};
	if (!in_namespace)
		skip();
	assert_int_equal(media_sockets_open(sockets, sides), HIPHOP_OK);
}

static void send_to(int descriptor, struct endpoint to, size_t count, size_t length)
{
	memset(&vector, 0, sizeof vector);
	vector.count = count;
	for (size_t i = 0; i < count; i++) {
		vector.datagrams[i].remote = to;
		vector.datagrams[i].going = true;
		vector.datagrams[i].length = length;
		vector.datagrams[i].octets[0] = (uint8_t)i;
	}
	assert_int_equal(media_send(descriptor, &vector), 0);
}

static void wait_for(int descriptor)
{
	struct pollfd wait = {.fd = descriptor, .events = POLLIN};
	assert_int_equal(poll(&wait, 1, 5000), 1);
}

static void four_ports_at_two_addresses(void **state)
{
	(void)state;
	struct media_sockets sockets, phone;
	open_or_skip(&sockets, "127.0.0.1", "::1", PORT);
	open_or_skip(&phone, "127.0.0.2", "127.0.0.3", 4000);
	send_to(phone.descriptors[0][0], at("127.0.0.1", PORT), 1, 172);
	send_to(phone.descriptors[0][1], at("127.0.0.1", PORT + 1), 1, 60);
	for (size_t kind = 0; kind < 2; kind++) {
		struct endpoint from = at("127.0.0.2", (uint16_t)(4000 + kind));
		wait_for(sockets.descriptors[0][kind]);
		assert_true(media_receive(sockets.descriptors[0][kind], &vector));
		assert_int_equal(vector.count, 1);
		assert_int_equal(vector.datagrams[0].length, kind ? 60 : 172);
		assert_true(endpoint_equal(&vector.datagrams[0].remote, &from));
		assert_false(vector.datagrams[0].going);
	}
	assert_false(media_receive(sockets.descriptors[1][0], &vector));
	media_sockets_close(&sockets);
	media_sockets_close(&phone);
	assert_int_equal(sockets.descriptors[0][0], -1);
}

static void vectors(void **state)
{
	(void)state;
	struct media_sockets sockets, phone;
	open_or_skip(&sockets, "127.0.0.1", "::1", PORT);
	open_or_skip(&phone, "127.0.0.2", "127.0.0.3", 4000);
	send_to(phone.descriptors[0][0], at("127.0.0.1", PORT), MEDIA_VECTOR, 172);
	send_to(phone.descriptors[0][0], at("127.0.0.1", PORT), 1, 99);
	wait_for(sockets.descriptors[0][0]);
	assert_true(media_receive(sockets.descriptors[0][0], &vector));
	assert_int_equal(vector.count, MEDIA_VECTOR);
	/* Only what is going goes, to each its own end. */
	for (size_t i = 0; i < vector.count; i++) {
		assert_int_equal(vector.datagrams[i].octets[0], i);
		vector.datagrams[i].going = i % 8 == 3;
		vector.datagrams[i].remote = at("127.0.0.3", 4000);
	}
	assert_int_equal(media_send(sockets.descriptors[0][0], &vector), 0);
	wait_for(phone.descriptors[1][0]);
	assert_true(media_receive(phone.descriptors[1][0], &vector));
	assert_int_equal(vector.count, MEDIA_VECTOR / 8);
	assert_int_equal(vector.datagrams[1].octets[0], 11);
	assert_true(media_receive(sockets.descriptors[0][0], &vector));
	assert_int_equal(vector.count, 1);
	assert_int_equal(vector.datagrams[0].length, 99);
	media_sockets_close(&sockets);
	media_sockets_close(&phone);
}

static void what_is_too_long_is_nobodys(void **state)
{
	(void)state;
	static uint8_t octets[MEDIA_DATAGRAM + 1];
	struct media_sockets sockets, phone;
	open_or_skip(&sockets, "127.0.0.1", "::1", PORT);
	open_or_skip(&phone, "127.0.0.2", "127.0.0.3", 4000);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	assert_int_equal(sendto(phone.descriptors[0][0], octets, sizeof octets, 0, (struct sockaddr *)&to, sizeof to),
		sizeof octets);
	wait_for(sockets.descriptors[0][0]);
	assert_true(media_receive(sockets.descriptors[0][0], &vector));
	assert_int_equal(vector.datagrams[0].remote.port, 0);
	media_sockets_close(&sockets);
	media_sockets_close(&phone);
}

static void one_that_cannot_go_does_not_hold_up_the_rest(void **state)
{
	(void)state;
	struct media_sockets sockets, phone;
	open_or_skip(&sockets, "127.0.0.1", "::1", PORT);
	open_or_skip(&phone, "127.0.0.2", "127.0.0.3", 4000);
	memset(&vector, 0, sizeof vector);
	vector.count = 3;
	for (size_t i = 0; i < 3; i++) {
		/* From 127.0.0.1 there is no way to an IPv6 address. */
		vector.datagrams[i].remote = i == 1 ? at("::1", 4000) : at("127.0.0.2", 4000);
		vector.datagrams[i].going = true;
		vector.datagrams[i].length = 10;
	}
	assert_int_equal(media_send(sockets.descriptors[0][0], &vector), 1);
	wait_for(phone.descriptors[0][0]);
	assert_true(media_receive(phone.descriptors[0][0], &vector));
	assert_int_equal(vector.count, 2);
	media_sockets_close(&sockets);
	media_sockets_close(&phone);
}

static void a_port_that_is_taken(void **state)
{
	(void)state;
	struct media_sockets sockets, second;
	const struct endpoint sides[2] = {at("127.0.0.9", PORT), at("127.0.0.1", PORT + 1)};
	open_or_skip(&sockets, "127.0.0.1", "::1", PORT);
	assert_int_equal(media_sockets_open(&second, sides), HIPHOP_EXISTS);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(second.descriptors[i / 2][i % 2], -1);
	media_sockets_close(&sockets);
	/* All of it was closed again. */
	assert_int_equal(media_sockets_open(&second, sides), HIPHOP_OK);
	media_sockets_close(&second);
}

static void addresses_that_are_not_there_yet(void **state)
{
	(void)state;
	struct media_sockets sockets;
	open_or_skip(&sockets, "192.0.2.99", "2001:db8::99", PORT);
	media_sockets_close(&sockets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_ports_at_two_addresses),
		cmocka_unit_test(vectors),
		cmocka_unit_test(what_is_too_long_is_nobodys),
		cmocka_unit_test(one_that_cannot_go_does_not_hold_up_the_rest),
		cmocka_unit_test(a_port_that_is_taken),
		cmocka_unit_test(addresses_that_are_not_there_yet),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
