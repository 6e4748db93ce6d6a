/* SPDX-License-Identifier: MIT */
/**
 * A host with two uplinks, a0 and b0, and default routes by both, of which that by a0 is the better one; and with d0,
 * whose addresses are reached by a0. What leaves by an uplink is seen at the other end of its cable.
 */
#include "kernel-helpers/socket_address.h"
#include "kernel-helpers/underlay_sockets.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>

#define A_IPV4 "192.0.2.1"
#define B_IPV4 "198.51.100.1"
#define D_IPV4 "192.0.2.129"
#define A_IPV6 "2001:db8:a::1"
#define B_IPV6 "2001:db8:b::1"
#define D_IPV6 "2001:db8:d::1"
/** A second address of b0, which the kernel would not choose: it is farther from PEER_IPV6. */
#define B_SECOND  "2600::1"
#define PEER_IPV4 "203.0.113.9"
#define PEER_IPV6 "2001:db8:c::9"
#define LAST_PORT 9

static const char set_up[] =
	"for l in a b d; do ip link add ${l}0 type veth peer name ${l}1 && ip link set ${l}0 up && ip link set ${l}1 "
	"up || "
	"exit 1; done;"
	" ip addr add " A_IPV4 "/25 dev a0 && ip addr add " B_IPV4 "/24 dev b0 && ip addr add " D_IPV4 "/32 dev d0 &&"
	" ip addr add " A_IPV6 "/64 dev a0 nodad && ip addr add " B_IPV6 "/64 dev b0 nodad &&"
	" ip addr add " B_SECOND "/64 dev b0 nodad && ip addr add " D_IPV6 "/128 dev d0 nodad &&"
	" ip neigh add 192.0.2.126 lladdr 02:00:00:00:00:01 dev a0 nud permanent &&"
	" ip neigh add 198.51.100.254 lladdr 02:00:00:00:00:01 dev b0 nud permanent &&"
	" ip neigh add 2001:db8:a::fe lladdr 02:00:00:00:00:01 dev a0 nud permanent &&"
	" ip neigh add 2001:db8:b::fe lladdr 02:00:00:00:00:01 dev b0 nud permanent &&"
	" ip route add default via 192.0.2.126 dev a0 metric 100 &&"
	" ip route add default via 198.51.100.254 dev b0 metric 200 &&"
	" ip route add default via 2001:db8:a::fe dev a0 metric 100 &&"
	" ip route add default via 2001:db8:b::fe dev b0 metric 200";

static bool ready;
static struct packet_vector *out, *in;
static struct underlay_sockets sockets;
static int cable_a, cable_b;

/** Sees what comes out at the far end. */
static int open_cable(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int cable = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_ALL));
	address.sll_ifindex = (int)if_nametoindex(name);
	if (cable < 0 || bind(cable, (struct sockaddr *)&address, sizeof address) < 0)
		return -1;
	return cable;
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/** As the loop does after a change. */
static void tell_links(void)
{
	static const struct {
		const char *name, *address;
	} known[] = {{"a0", A_IPV4}, {"a0", A_IPV6}, {"b0", B_IPV4}, {"b0", B_IPV6}, {"b0", B_SECOND}, {"d0", D_IPV4},
		{"d0", D_IPV6}};
	struct link_address links[sizeof known / sizeof *known] = {0};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		assert_int_equal(address_parse(known[i].address, &links[i].address), HIPHOP_OK);
		links[i].interface = if_nametoindex(known[i].name);
	}
	underlay_set_links(&sockets, links, sizeof known / sizeof *known);
}

static int start(void **state)
{
	(void)state;
	ready = namespace_enter() && system(set_up) == 0 && (cable_a = open_cable("a1")) >= 0 &&
		(cable_b = open_cable("b1")) >= 0;
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

static void open_sockets(void)
{
	underlay_sockets_start(&sockets);
	assert_int_equal(underlay_open_udp(&sockets, 0), HIPHOP_OK);
	for (int which = UNDERLAY_HIP_IPV4; which < UNDERLAY_SOCKETS; which++)
		if (!sockets.ipv4_only || which == UNDERLAY_HIP_IPV4 || which == UNDERLAY_ESP_IPV4)
			assert_int_equal(underlay_open_raw(&sockets, (underlay_socket)which), HIPHOP_OK);
	assert_int_equal(underlay_open_routes(&sockets), HIPHOP_OK);
	tell_links();
}

static void add(packet_kind kind, const char *local, const char *remote, const void *data, size_t length)
{
	struct packet *packet = packet_vector_add(out);
	assert_non_null(packet);
	assert_int_equal(packet_fill(packet, kind, data, length), HIPHOP_OK);
	assert_int_equal(address_parse(local, &packet->local.address), HIPHOP_OK);
	assert_int_equal(address_parse(remote, &packet->remote.address), HIPHOP_OK);
	packet->remote.port = LAST_PORT;
}

/** Whether a packet between these came out there; all that waits is taken. */
static bool came_out(int cable, const char *local, const char *remote)
{
	struct address source, destination;
	uint8_t octets[2048];
	bool found = false;
	ssize_t got;
	assert_int_equal(address_parse(local, &source), HIPHOP_OK);
	assert_int_equal(address_parse(remote, &destination), HIPHOP_OK);
	while ((got = recv(cable, octets, sizeof octets, MSG_DONTWAIT)) > 0) {
		if (octets[0] >> 4 == 4 && got >= 20)
			found |= memcmp(octets + 12, source.octets + 12, 4) == 0 &&
				 memcmp(octets + 16, destination.octets + 12, 4) == 0;
		else if (octets[0] >> 4 == 6 && got >= 40)
			found |= memcmp(octets + 8, source.octets, 16) == 0 &&
				 memcmp(octets + 24, destination.octets, 16) == 0;
	}
	return found;
}

/** 'a' or 'b', whichever a packet of this kind leaves by; '-' when by none, '?' when by both. */
static char leaves_by(packet_kind kind, const char *local, const char *remote)
{
	out->count = 0;
	add(kind, local, remote, "0123456789abcdef0123456789abcdef", 32);
	underlay_send(&sockets, out);
	bool a = came_out(cable_a, local, remote), b = came_out(cable_b, local, remote);
	return a && b ? '?' : a ? 'a' : b ? 'b' : '-';
}

static void by_the_interface_of_the_source(void **state)
{
	(void)state;
	if (!ready)
		skip();
	static const struct {
		const char *local, *remote;
		char expected;
	} cases[] = {
		{A_IPV4, PEER_IPV4, 'a'},
		{B_IPV4, PEER_IPV4, 'b'},
		{A_IPV6, PEER_IPV6, 'a'},
		{B_IPV6, PEER_IPV6, 'b'},
		/* on the links themselves */
		{B_IPV4, "198.51.100.254", 'b'},
		{B_IPV6, "2001:db8:b::fe", 'b'},
		/* there is no route by d0 */
		{D_IPV4, PEER_IPV4, 'a'},
		{D_IPV6, PEER_IPV6, 'a'},
	};
	static const packet_kind kinds[] = {PACKET_DATAGRAM, PACKET_HIP, PACKET_ESP};
	open_sockets();
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			char found = leaves_by(kinds[k], cases[i].local, cases[i].remote);
			if (found != cases[i].expected)
				fail_msg("kind %d from %s to %s left by %c", kinds[k], cases[i].local, cases[i].remote,
					found);
		}
	assert_int_equal(sockets.send_errors, 0);
	assert_int_equal(sockets.unbound_messages, 0);
	underlay_sockets_close(&sockets);
}

/** The addresses of a0 are gone, its routes are not yet, and they have the lower metric. */
static void routes_outlive_addresses(void **state)
{
	struct link_address left[2] = {{.interface = if_nametoindex("b0")}, {.interface = if_nametoindex("b0")}};
	(void)state;
	if (!ready)
		skip();
	assert_int_equal(address_parse(B_IPV4, &left[0].address), HIPHOP_OK);
	assert_int_equal(address_parse(B_IPV6, &left[1].address), HIPHOP_OK);
	open_sockets();
	underlay_set_links(&sockets, left, 2);
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'b');
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV6, PEER_IPV6), 'b');
	assert_int_equal(sockets.send_errors, 0);
	underlay_sockets_close(&sockets);
}

static void as_the_kernel_likes_when_nothing_is_known(void **state)
{
	(void)state;
	if (!ready)
		skip();
	open_sockets();
	underlay_set_links(&sockets, NULL, 0);
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'a');
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV6, PEER_IPV6), 'a');
	underlay_sockets_close(&sockets);
	/* Nor when the kernel cannot be asked. */
	underlay_sockets_start(&sockets);
	assert_int_equal(underlay_open_udp(&sockets, 0), HIPHOP_OK);
	tell_links();
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'a');
	underlay_sockets_close(&sockets);
}

/* With a source IPv6 goes by the least metric alone, so an address that it would not choose needs a rule. */
static void the_second_address_of_an_interface(void **state)
{
	(void)state;
	if (!ready)
		skip();
	open_sockets();
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_SECOND, PEER_IPV6), 'a');
	run("ip -6 rule add from " B_SECOND " lookup 77 && ip -6 route add default via 2001:db8:b::fe dev b0 table 77");
	tell_links();
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_SECOND, PEER_IPV6), 'b');
	run("ip -6 rule del from " B_SECOND " lookup 77");
	underlay_sockets_close(&sockets);
}

/* One default route with two next hops: the kernel deals flows out, each family by a hash of its own. */
static void routes_with_several_next_hops(void **state)
{
	(void)state;
	char peer[32];
	if (!ready)
		skip();
	run("ip -6 route flush default && ip -6 route add default metric 100 nexthop via 2001:db8:a::fe dev a0"
	    " nexthop via 2001:db8:b::fe dev b0 && ip -4 route flush default && ip route add default"
	    " nexthop via 192.0.2.126 dev a0 nexthop via 198.51.100.254 dev b0");
	open_sockets();
	for (unsigned i = 1; i < 32; i++) {
		snprintf(peer, sizeof peer, "2001:db8:c::%x", i);
		assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV6, peer), 'b');
		assert_int_equal(leaves_by(PACKET_ESP, A_IPV6, peer), 'a');
		snprintf(peer, sizeof peer, "203.0.113.%u", i);
		assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, peer), 'b');
		assert_int_equal(leaves_by(PACKET_ESP, A_IPV4, peer), 'a');
	}
	run("ip -6 route flush default && ip -4 route flush default && "
	    "ip route add default via 192.0.2.126 dev a0 metric 100 && "
	    "ip route add default via 198.51.100.254 dev b0 metric 200 && "
	    "ip -6 route add default via 2001:db8:a::fe dev a0 metric 100 && "
	    "ip -6 route add default via 2001:db8:b::fe dev b0 metric 200");
	underlay_sockets_close(&sockets);
}

static void to_another_address_of_our_own(void **state)
{
	(void)state;
	static const char *const ends[][2] = {{B_IPV4, A_IPV4}, {A_IPV4, B_IPV4}, {B_IPV6, A_IPV6}, {A_IPV6, B_IPV6},
		{B_IPV4, "127.0.0.1"}, {A_IPV4, D_IPV4}};
	if (!ready)
		skip();
	open_sockets();
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct pollfd wait = {.fd = sockets.descriptors[UNDERLAY_UDP], .events = POLLIN};
		out->count = 0;
		add(PACKET_DATAGRAM, ends[i][0], ends[i][1], "hello", 5);
		out->packets[0].remote.port = sockets.port;
		underlay_send(&sockets, out);
		assert_int_equal(poll(&wait, 1, 5000), 1);
		assert_int_equal(underlay_receive(&sockets, UNDERLAY_UDP, in), 1);
		assert_true(address_equal(&in->packets[0].remote.address, &out->packets[0].local.address));
	}
	underlay_sockets_close(&sockets);
}

static void routes_come_and_go(void **state)
{
	(void)state;
	if (!ready)
		skip();
	open_sockets();
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'b');
	run("ip route del default dev b0");
	tell_links();
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'a');
	run("ip route add 203.0.113.0/24 via 198.51.100.254 dev b0 metric 300 &&"
	    " ip route add 203.0.113.0/24 via 192.0.2.126 dev a0");
	tell_links();
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'b');
	run("ip route del 203.0.113.0/24 dev a0 && ip route del 203.0.113.0/24 dev b0 &&"
	    " ip route add default via 198.51.100.254 dev b0 metric 200");
	tell_links();
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'b');
	/* As between a change and the news of it: the way that was known is none any more. */
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV6, PEER_IPV6), 'b');
	run("ip -6 route del default dev b0");
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV6, PEER_IPV6), 'a');
	assert_int_equal(sockets.unbound_messages, 1);
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV6, PEER_IPV6), 'a');
	assert_int_equal(sockets.unbound_messages, 1);
	run("ip -6 route add default via 2001:db8:b::fe dev b0 metric 200");
	run("ip link set b0 down");
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'a');
	assert_int_equal(sockets.unbound_messages, 2);
	assert_int_equal(sockets.send_errors, 0);
	run("ip link set b0 up && ip neigh replace 198.51.100.254 lladdr 02:00:00:00:00:01 dev b0 nud permanent &&"
	    " ip neigh replace 2001:db8:b::fe lladdr 02:00:00:00:00:01 dev b0 nud permanent &&"
	    " ip addr replace " B_IPV6 "/64 dev b0 nodad && ip addr replace " B_SECOND "/64 dev b0 nodad &&"
	    " ip route replace default via 198.51.100.254 dev b0 metric 200 &&"
	    " ip route replace default via 2001:db8:b::fe dev b0 metric 200");
	underlay_sockets_close(&sockets);
}

/* Runs that the kernel cuts take the way of their first. */
static void runs_of_datagrams(void **state)
{
	(void)state;
	static const char *const sources[] = {A_IPV4, B_IPV4, B_IPV6, A_IPV6};
	static const uint8_t octets[1000] = {1};
	if (!ready)
		skip();
	open_sockets();
	out->count = 0;
	for (size_t i = 0; i < PACKET_VECTOR_MAXIMUM; i++) {
		const char *source = sources[i * 4 / PACKET_VECTOR_MAXIMUM];
		add(PACKET_DATAGRAM, source, strchr(source, ':') ? PEER_IPV6 : PEER_IPV4, octets, sizeof octets);
	}
	underlay_send(&sockets, out);
	size_t counts[2] = {0};
	for (size_t i = 0; i < 2; i++) {
		uint8_t got[70000];
		ssize_t length;
		while ((length = recv(i ? cable_b : cable_a, got, sizeof got, MSG_DONTWAIT)) > 0)
			/* The cable may carry a run as one packet. */
			if (length >= 1000)
				counts[i] += ((size_t)length - 28) / sizeof octets;
	}
	assert_int_equal(counts[0], PACKET_VECTOR_MAXIMUM / 2);
	assert_int_equal(counts[1], PACKET_VECTOR_MAXIMUM / 2);
	assert_int_equal(sockets.sent_packets, PACKET_VECTOR_MAXIMUM);
	underlay_sockets_close(&sockets);
}

static void many_peers_push_each_other_out(void **state)
{
	(void)state;
	char peer[32];
	if (!ready)
		skip();
	open_sockets();
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(peer, sizeof peer, "203.0.%u.%u", i / 250, i % 250 + 1);
		assert_int_equal(leaves_by(PACKET_DATAGRAM, i % 2 ? A_IPV4 : B_IPV4, peer), i % 2 ? 'a' : 'b');
	}
	underlay_sockets_close(&sockets);
}

static void a_host_without_ipv6(void **state)
{
	(void)state;
	if (!ready || !namespace_write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1") ||
		!namespace_write("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1"))
		skip();
	open_sockets();
	assert_int_equal(leaves_by(PACKET_DATAGRAM, B_IPV4, PEER_IPV4), 'b');
	assert_int_equal(leaves_by(PACKET_DATAGRAM, A_IPV4, PEER_IPV4), 'a');
	underlay_sockets_close(&sockets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_interface_of_the_source),
		cmocka_unit_test(routes_outlive_addresses),
		cmocka_unit_test(as_the_kernel_likes_when_nothing_is_known),
		cmocka_unit_test(the_second_address_of_an_interface),
		cmocka_unit_test(routes_with_several_next_hops),
		cmocka_unit_test(to_another_address_of_our_own),
		cmocka_unit_test(routes_come_and_go),
		cmocka_unit_test(runs_of_datagrams),
		cmocka_unit_test(many_peers_push_each_other_out),
		cmocka_unit_test(a_host_without_ipv6),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
