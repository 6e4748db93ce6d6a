/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/network_setup.h"
#include "kernel-helpers/tunnel_device.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static bool in_namespace;
static struct packet_vector *vector;

static int start(void **state)
{
	(void)state;
	in_namespace = namespace_enter();
	vector = calloc(1, sizeof *vector);
	return !vector;
}

static int stop(void **state)
{
	(void)state;
	free(vector);
	return 0;
}

static void open_or_skip(struct tunnel_device *tunnel)
{
	if (!in_namespace || tunnel_device_open("hiptest1", tunnel))
		skip();
}

static void names(void **state)
{
	(void)state;
	assert_true(tunnel_name_is_valid("hip0"));
	assert_true(tunnel_name_is_valid("a-b_c.d9"));
	assert_false(tunnel_name_is_valid(""));
	assert_false(tunnel_name_is_valid("."));
	assert_false(tunnel_name_is_valid(".."));
	assert_false(tunnel_name_is_valid("a/b"));
	assert_false(tunnel_name_is_valid("hip%d"));
	assert_false(tunnel_name_is_valid("sixteen-letters-"));
	struct tunnel_device tunnel;
	assert_int_equal(tunnel_device_open("a/b", &tunnel), HIPHOP_INVALID_ARGUMENT);
}

static void packets_go_in_and_out(void **state)
{
	(void)state;
	struct tunnel_device tunnel;
	struct hit own;
	const char *step;
	open_or_skip(&tunnel);
	assert_int_equal(hit_parse("2001:22::cccc", &own), HIPHOP_OK);
	network_enable_ipv6("hiptest1");
	assert_int_equal(network_setup("hiptest1", 1400, &own, 1, &step), HIPHOP_OK);
	assert_int_equal(tunnel_read(&tunnel, vector), 0);
	int sender = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
	memcpy(&to.sin6_addr, own.octets, 16);
	to.sin6_addr.s6_addr[15] = 0xdd;
	for (int i = 0; i < 3; i++)
		assert_int_equal(sendto(sender, "abc", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
	struct pollfd wait = {.fd = tunnel.descriptor, .events = POLLIN};
	assert_int_equal(poll(&wait, 1, 5000), 1);
	assert_int_equal(tunnel_read(&tunnel, vector), 3);
	struct packet *packet = &vector->packets[0];
	assert_int_equal(packet->kind, PACKET_INNER);
	assert_int_equal(packet->length, 40 + 8 + 3);
	assert_int_equal(packet->offset, PACKET_HEADROOM);
	assert_int_equal(packet_data(packet)[0] >> 4, 6);
	assert_memory_equal(packet_data(packet) + 8, own.octets, 16);
	vector->packets[1].kind = PACKET_DROPPED;
	vector->packets[2].length = 0;
	tunnel_write(&tunnel, vector);
	assert_int_equal(tunnel.written_packets, 1);
	assert_int_equal(tunnel.dropped_packets, 1);
	close(sender);
	tunnel_device_close(&tunnel);
	assert_int_equal(if_nametoindex("hiptest1"), 0);
	network_setup_undo();
}

static void a_device_of_another_sort_is_named(void **state)
{
	(void)state;
	struct tunnel_device tunnel;
	open_or_skip(&tunnel);
	struct tunnel_device other;
	assert_int_equal(tunnel_device_open("lo", &other), HIPHOP_EXISTS);
	assert_non_null(strstr(tunnel_open_trouble(HIPHOP_EXISTS, EBUSY), "exists already"));
	assert_non_null(strstr(tunnel_open_trouble(HIPHOP_REFUSED, EACCES), "0600"));
	assert_non_null(strstr(tunnel_open_trouble(HIPHOP_REFUSED, EPERM), "CAP_NET_ADMIN"));
	tunnel_device_close(&tunnel);
}

static void setup_of_a_missing_device(void **state)
{
	(void)state;
	struct hit own;
	const char *step = "";
	if (!in_namespace)
		skip();
	assert_int_equal(hit_parse("2001:22::cccc", &own), HIPHOP_OK);
	assert_int_equal(network_setup("hiptest9", 1400, &own, 1, &step), HIPHOP_NOT_FOUND);
	assert_string_equal(step, "device");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(packets_go_in_and_out),
		cmocka_unit_test(a_device_of_another_sort_is_named),
		cmocka_unit_test(setup_of_a_missing_device),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
