/* SPDX-License-Identifier: MIT */
/**
 * The kernel helper's end of its channel: any messages, with and without descriptors. What would change the kernel is
 * replaced and checks that the policy was kept.
 */
#include "kernel-helpers/helper.h"
#include "kernel-helpers/network_setup.h"
#include "kernel-helpers/prefix_routes.h"
#include "kernel-helpers/underlay_sockets.h"
#include "tests/fuzz/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#define QUEUES   2
#define MESSAGES 64

static struct helper_policy policy; /* that the helper must keep to; magic 0: none */
static unsigned queues_attached;

/* ---- in the place of the kernel (see FUZZ_LINK_helper in the Makefile) ---- */

hiphop_error __wrap_network_setup(
	const char *name, uint16_t mtu, const struct hit *hits, size_t count, const char **step);
hiphop_error __wrap_network_setup(
	const char *name, uint16_t mtu, const struct hit *hits, size_t count, const char **step)
{
	CHECK(policy.magic && !strcmp(name, policy.tunnel_name) && mtu == policy.mtu);
	CHECK(count == 1u + policy.more_count && hit_equal(&hits[0], &policy.hit));
	for (size_t i = 0; i < policy.more_count; i++)
		CHECK(hit_equal(&hits[1 + i], &policy.more[i]));
	*step = "a step with a name that is longer than the answer has room for";
	return mtu & 1 ? HIPHOP_SYSTEM : HIPHOP_OK;
}

void __wrap_network_setup_undo(void);
void __wrap_network_setup_undo(void)
{
	CHECK(policy.magic);
}

static void check_settings(const struct prefix_route_settings *settings, const struct ip_prefix *prefix)
{
	bool ipv4 = ip_prefix_is_ipv4(prefix), inside = false;

	CHECK(policy.magic && !strcmp(settings->tunnel_name, policy.tunnel_name));
	CHECK(settings->mtu == ip_prefix_tunnel_mtu(policy.mtu));
	CHECK(!memcmp(settings->source.octets, ipv4 ? policy.ipv4.octets : policy.hit.octets, HIT_LENGTH));
	CHECK(!ip_prefix_trouble(prefix));
	for (size_t i = 0; i < policy.prefix_count; i++)
		inside |= ip_prefix_is_inside(prefix, &policy.prefixes[i]);
	CHECK(inside);
}

hiphop_error __wrap_prefix_route_add(const struct prefix_route_settings *settings, const struct ip_prefix *prefix);
hiphop_error __wrap_prefix_route_add(const struct prefix_route_settings *settings, const struct ip_prefix *prefix)
{
	check_settings(settings, prefix);
	return prefix->address.octets[15] & 1 ? HIPHOP_EXISTS : HIPHOP_OK;
}

hiphop_error __wrap_prefix_route_remove(const struct prefix_route_settings *settings, const struct ip_prefix *prefix);
hiphop_error __wrap_prefix_route_remove(const struct prefix_route_settings *settings, const struct ip_prefix *prefix)
{
	check_settings(settings, prefix);
	return HIPHOP_OK;
}

hiphop_error __wrap_prefix_address_add(const char *name, const struct address *ipv4);
hiphop_error __wrap_prefix_address_add(const char *name, const struct address *ipv4)
{
	CHECK(policy.magic && !strcmp(name, policy.tunnel_name) && address_equal(ipv4, &policy.ipv4));
	CHECK(address_is_ipv4(ipv4) && !address_is_unspecified(ipv4));
	return HIPHOP_OK;
}

static hiphop_error give(struct underlay_sockets *sockets, underlay_socket which)
{
	sockets->descriptors[which] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return HIPHOP_OK;
}

hiphop_error __wrap_underlay_open_udp(struct underlay_sockets *sockets, uint16_t port);
hiphop_error __wrap_underlay_open_udp(struct underlay_sockets *sockets, uint16_t port)
{
	CHECK(policy.magic && port == policy.port);
	return give(sockets, UNDERLAY_UDP);
}

hiphop_error __wrap_underlay_open_raw(struct underlay_sockets *sockets, underlay_socket which);
hiphop_error __wrap_underlay_open_raw(struct underlay_sockets *sockets, underlay_socket which)
{
	CHECK(policy.magic && policy.raw == 1 && which > UNDERLAY_UDP && which < UNDERLAY_SOCKETS);
	return give(sockets, which);
}

hiphop_error __wrap_tunnel_queue_attach(int descriptor, const char *name);
hiphop_error __wrap_tunnel_queue_attach(int descriptor, const char *name)
{
	(void)descriptor;
	CHECK(policy.magic && !strcmp(name, policy.tunnel_name));
	queues_attached++;
	return HIPHOP_OK;
}

/* ---- the other end ---- */

static const struct ip_prefix good_prefixes[] = {
	{{{0x20, 0x01, 0x0d, 0xb8, 1}}, 48},
	{{{[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1}}, 112},
	{{{0xfd}}, 8},
};
#define GOOD_PREFIXES (sizeof good_prefixes / sizeof *good_prefixes)

/* Up to three descriptors come along, where none belong. */
static void put_descriptors(struct msghdr *message, size_t count)
{
	static union {
		struct cmsghdr align;
		uint8_t octets[CMSG_SPACE(3 * sizeof(int))];
	} room;
	static const int descriptors[3];

	if (!count)
		return;
	message->msg_control = &room;
	message->msg_controllen = CMSG_SPACE(count * sizeof(int));
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(control), descriptors, count * sizeof(int));
}

/* A prefix in one of the policy, or beside it. */
static void put_prefix(struct fuzz_input *input, struct helper_request *request)
{
	uint8_t choice = input_u8(input);
	const struct ip_prefix *prefix = &good_prefixes[choice % GOOD_PREFIXES];

	request->prefix = prefix->address;
	request->argument = prefix->length;
	if (choice & 128) {
		request->argument = (uint16_t)(request->argument + input_u8(input) % 32);
		request->prefix.octets[input_u8(input) % 16] = input_u8(input);
	}
}

/* One message: as it is in the input, or a right one with a few octets changed. */
static void say(struct fuzz_input *input, int channel, bool first)
{
	uint8_t choice = input_u8(input), octets[sizeof(struct helper_policy) + 300] = {0};
	struct helper_policy good_policy = {.magic = HELPER_MAGIC, .tunnel_name = "hip0", .mtu = 1400, .port = 10500};
	struct helper_request request = {.magic = HELPER_MAGIC, .choice = (uint16_t)(choice >> 4 & 7)};
	size_t length;
	const uint8_t *raw;

	good_policy.hit = (struct hit){{0x20, 0x01, 0, 0x22, [15] = 1}};
	good_policy.raw = choice >> 7;
	good_policy.prefix_count = GOOD_PREFIXES;
	memcpy(good_policy.prefixes, good_prefixes, sizeof good_prefixes);
	if (choice & 16)
		good_policy.ipv4 = (struct address){{[10] = 0xff, [11] = 0xff, 10, 1, 0, 7}};
	if (choice & 1) {
		raw = input_octets(input, input_u8(input), &length);
		if (length)
			memcpy(octets, raw, length);
	} else if (first) {
		length = sizeof good_policy;
		memcpy(octets, &good_policy, length);
	} else {
		length = sizeof request;
		request.argument = choice & 8 ? input_u16(input) : input_u8(input) & 7;
		if (request.choice == HELPER_ADD_ROUTE || request.choice == HELPER_REMOVE_ROUTE)
			put_prefix(input, &request);
		memcpy(octets, &request, length);
	}
	if (choice & 2 && length) {
		size_t place = input_u8(input) % length;
		octets[place] = input_u8(input);
	}
	if (first && helper_policy_check(octets, length, &policy))
		memset(&policy, 0, sizeof policy);
	struct iovec part = {.iov_base = octets, .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	size_t descriptors = choice & 4 ? input_u8(input) % 4 : 0;
	put_descriptors(&message, descriptors);
	if (first && descriptors)
		memset(&policy, 0, sizeof policy);
	(void)sendmsg(channel, &message, MSG_NOSIGNAL);
}

static void hear(int channel)
{
	struct helper_answer answer;
	size_t length;
	int descriptor;

	while (!helper_message_receive(channel, &answer, sizeof answer, &length, &descriptor)) {
		CHECK(length == sizeof answer && answer.magic == HELPER_MAGIC);
		CHECK(memchr(answer.step, 0, sizeof answer.step));
		CHECK(descriptor < 0 || !answer.error);
		if (descriptor >= 0)
			close(descriptor);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	int ends[2], queues[QUEUES] = {-1, -1}, before, after;

	memset(&policy, 0, sizeof policy);
	queues_attached = 0;
	before = dup(0);
	close(before);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	for (int i = 0; i < QUEUES; i++)
		queues[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/* All is said before it serves: what it cannot answer any more must not stop it. */
	for (unsigned i = 0; i < MESSAGES && (!i || !input_is_over(&input)); i++)
		say(&input, ends[0], i == 0);
	shutdown(ends[0], SHUT_WR);
	helper_serve(ends[1], queues, QUEUES);
	CHECK(queues_attached <= QUEUES);
	close(ends[1]);
	hear(ends[0]);
	close(ends[0]);
	/* Those that were given out are closed. */
	for (unsigned i = queues_attached; i < QUEUES; i++)
		close(queues[i]);
	after = dup(0);
	close(after);
	CHECK(after == before);
	return 0;
}
