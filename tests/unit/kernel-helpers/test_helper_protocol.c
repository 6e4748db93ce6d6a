/* SPDX-License-Identifier: MIT */
#include "hip/base/random.h"
#include "kernel-helpers/helper_protocol.h"
#include "kernel-helpers/underlay_sockets.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct helper_policy good_policy(void)
{
	struct helper_policy policy;
	memset(&policy, 0, sizeof policy);
	policy.magic = HELPER_MAGIC;
	strcpy(policy.tunnel_name, "hip0");
	policy.mtu = 1400;
	policy.port = 10500;
	assert_int_equal(hit_parse("2001:22::1", &policy.hit), HIPHOP_OK);
	return policy;
}

static struct helper_request good_request(helper_choice choice, uint16_t argument)
{
	return (struct helper_request){
		.magic = HELPER_MAGIC, .sequence = 1, .choice = (uint16_t)choice, .argument = argument};
}

static void policy_refuses_what_cannot_be(void **state)
{
	(void)state;
	struct helper_policy policy = good_policy(), out;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_OK);
	assert_int_equal(helper_policy_check(&policy, sizeof policy - 1, &out), HIPHOP_MALFORMED);
	assert_int_equal(helper_policy_check(&policy, sizeof policy + 1, &out), HIPHOP_MALFORMED);
	policy.magic++;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_MALFORMED);
	policy = good_policy();
	memset(policy.tunnel_name, 'a', sizeof policy.tunnel_name);
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_MALFORMED);
	policy = good_policy();
	strcpy(policy.tunnel_name, "../lo");
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy = good_policy();
	policy.mtu = 1279;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy = good_policy();
	policy.hit.octets[0] = 0xfe;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy = good_policy();
	policy.more_count = 1;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy.more[0] = policy.hit;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_OK);
	assert_int_equal(out.more_count, 1);
	policy.more[1] = policy.hit;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy = good_policy();
	for (size_t i = 0; i < HELPER_MORE_HITS_MAXIMUM; i++)
		policy.more[i] = policy.hit;
	policy.more_count = HELPER_MORE_HITS_MAXIMUM;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_OK);
	policy.more_count++;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_MALFORMED);
	policy = good_policy();
	policy.raw = 2;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_MALFORMED);
}

static void menu_is_followed(void **state)
{
	(void)state;
	struct helper_policy policy = good_policy();
	struct helper_request out;
	const struct {
		uint16_t choice, argument, raw;
		hiphop_error expected;
	} cases[] = {
		{HELPER_SETUP_NETWORK, 0, 0, HIPHOP_OK},
		{HELPER_SETUP_NETWORK, 1, 0, HIPHOP_REFUSED},
		{HELPER_OPEN_QUEUE, 0, 0, HIPHOP_OK},
		{HELPER_OPEN_QUEUE, 7, 0, HIPHOP_REFUSED},
		{HELPER_OPEN_UNDERLAY, UNDERLAY_UDP, 0, HIPHOP_OK},
		{HELPER_OPEN_UNDERLAY, UNDERLAY_UDP_CONTROL, 1, HIPHOP_REFUSED},
		{HELPER_OPEN_UNDERLAY, UNDERLAY_UDP_I1, 1, HIPHOP_REFUSED},
		{HELPER_OPEN_UNDERLAY, UNDERLAY_HIP_IPV4, 0, HIPHOP_REFUSED},
		{HELPER_OPEN_UNDERLAY, UNDERLAY_ESP_IPV6, 1, HIPHOP_OK},
		{HELPER_OPEN_UNDERLAY, UNDERLAY_SOCKETS, 1, HIPHOP_REFUSED},
		{HELPER_OPEN_UNDERLAY, 0xffff, 1, HIPHOP_REFUSED},
		{0, 0, 1, HIPHOP_UNSUPPORTED},
		{6, 0, 1, HIPHOP_UNSUPPORTED},
		{0xffff, 0, 1, HIPHOP_UNSUPPORTED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct helper_request request = good_request(cases[i].choice, cases[i].argument);
		policy.raw = cases[i].raw;
		assert_int_equal(helper_request_check(&policy, &request, sizeof request, &out), cases[i].expected);
	}
}

static void malformed_requests_are_refused(void **state)
{
	(void)state;
	struct helper_policy policy = good_policy();
	struct helper_request request = good_request(HELPER_SETUP_NETWORK, 0), out;
	for (size_t length = 0; length < sizeof request; length++)
		assert_int_equal(helper_request_check(&policy, &request, length, &out), HIPHOP_MALFORMED);
	assert_int_equal(helper_request_check(&policy, &request, sizeof request + 1, &out), HIPHOP_MALFORMED);
	request.reserved = 1;
	assert_int_equal(helper_request_check(&policy, &request, sizeof request, &out), HIPHOP_MALFORMED);
	request = good_request(HELPER_SETUP_NETWORK, 0);
	request.magic = 0;
	assert_int_equal(helper_request_check(&policy, &request, sizeof request, &out), HIPHOP_MALFORMED);
}

/* A number of the policy or of a request, set to what it must not be. */
struct broken_field {
	const char *name;
	size_t offset, length;
	uint64_t value;
	hiphop_error expected;
};

#define POLICY(field)  #field, offsetof(struct helper_policy, field), sizeof(((struct helper_policy *)0)->field)
#define REQUEST(field) #field, offsetof(struct helper_request, field), sizeof(((struct helper_request *)0)->field)

static void break_field(void *octets, const struct broken_field *field)
{
	/* Both ends are one program, so the numbers are in host order. */
	uint64_t value = field->value;
	memcpy((uint8_t *)octets + field->offset, &value, field->length < sizeof value ? field->length : sizeof value);
}

static void each_field_of_a_policy_is_checked(void **state)
{
	static const struct broken_field fields[] = {
		{POLICY(magic), 0, HIPHOP_MALFORMED}, {POLICY(magic), HELPER_MAGIC ^ 1, HIPHOP_MALFORMED},
		{POLICY(tunnel_name), 0, HIPHOP_REFUSED},        /* empty */
		{POLICY(tunnel_name), 0x2e, HIPHOP_REFUSED},     /* "." */
		{POLICY(tunnel_name), 0x2e2e, HIPHOP_REFUSED},   /* ".." */
		{POLICY(tunnel_name), 0x2f61, HIPHOP_REFUSED},   /* "a/" */
		{POLICY(tunnel_name), 0x2061, HIPHOP_REFUSED},   /* "a " */
		{POLICY(tunnel_name), 0x256425, HIPHOP_REFUSED}, /* "%d%": the kernel would number it */
		{POLICY(tunnel_name), 0xff61, HIPHOP_REFUSED}, {POLICY(mtu), 0, HIPHOP_REFUSED},
		{POLICY(mtu), 1279, HIPHOP_REFUSED}, {POLICY(mtu), 9001, HIPHOP_REFUSED},
		{POLICY(mtu), 65535, HIPHOP_REFUSED}, {POLICY(raw), 2, HIPHOP_MALFORMED},
		{POLICY(raw), 65535, HIPHOP_MALFORMED},
		{POLICY(more_count), 1, HIPHOP_REFUSED}, /* and no further HIT */
		{POLICY(more_count), HELPER_MORE_HITS_MAXIMUM + 1, HIPHOP_MALFORMED},
		{POLICY(more_count), 65535, HIPHOP_MALFORMED}, {POLICY(hit), 0, HIPHOP_REFUSED},
		{POLICY(hit), 0x000000fe, HIPHOP_REFUSED},  /* fe00:: */
		{POLICY(hit), 0x20000120, HIPHOP_REFUSED},  /* 2001:20::, a Resource-ID */
		{POLICY(hit), 0x30000120, HIPHOP_REFUSED},  /* 2001:30:: */
		{POLICY(hit), 0xb80d0120, HIPHOP_REFUSED},  /* 2001:db8:: */
		{POLICY(more), 0x000000fe, HIPHOP_REFUSED}, /* not counted, so it must be null */
		{POLICY(ipv4), 1, HIPHOP_REFUSED},          /* IPv6 */
		{POLICY(prefix_count), 1, HIPHOP_REFUSED},  /* and no prefix: the default route */
		{POLICY(prefix_count), HELPER_PREFIXES_MAXIMUM + 1, HIPHOP_MALFORMED},
		{POLICY(prefix_count), 65535, HIPHOP_MALFORMED}, {POLICY(reserved), 1, HIPHOP_MALFORMED},
		{POLICY(prefixes), 0xb80d0120, HIPHOP_REFUSED}, /* not counted */
	};
	struct helper_policy out;

	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct helper_policy policy = good_policy();
		break_field(&policy, &fields[i]);
		hiphop_error found = helper_policy_check(&policy, sizeof policy, &out);
		if (found != fields[i].expected)
			print_error("%s = %llx\n", fields[i].name, (unsigned long long)fields[i].value);
		assert_int_equal(found, fields[i].expected);
	}
}

static void each_field_of_each_request_is_checked(void **state)
{
	static const struct broken_field fields[] = {
		{REQUEST(magic), 0, HIPHOP_MALFORMED},
		{REQUEST(magic), HELPER_MAGIC ^ 0x80000000U, HIPHOP_MALFORMED},
		{REQUEST(choice), 0, HIPHOP_UNSUPPORTED},
		{REQUEST(choice), 6, HIPHOP_UNSUPPORTED},
		{REQUEST(choice), 0x101, HIPHOP_UNSUPPORTED},
		{REQUEST(argument), UNDERLAY_SOCKETS, HIPHOP_REFUSED},
		{REQUEST(argument), 0x100, HIPHOP_REFUSED},
		{REQUEST(argument), 0xffff, HIPHOP_REFUSED},
		{REQUEST(reserved), 1, HIPHOP_MALFORMED},
		{REQUEST(reserved), 0x80000000U, HIPHOP_MALFORMED},
		{REQUEST(prefix), 1, HIPHOP_MALFORMED}, /* it is about no route */
		{REQUEST(prefix), 0x8000000000000000U, HIPHOP_MALFORMED},
		{REQUEST(sequence), 0, HIPHOP_OK}, /* any number will do */
		{REQUEST(sequence), 0xffffffffU, HIPHOP_OK},
	};
	struct helper_policy policy = good_policy();
	struct helper_request out;

	(void)state;
	policy.raw = 1;
	for (helper_choice choice = HELPER_SETUP_NETWORK; choice <= HELPER_OPEN_QUEUE; choice++) {
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
			struct helper_request request = good_request(choice, 0);
			break_field(&request, &fields[i]);
			hiphop_error found = helper_request_check(&policy, &request, sizeof request, &out);
			if (found != fields[i].expected)
				print_error("choice %d, %s = %llx\n", choice, fields[i].name,
					(unsigned long long)fields[i].value);
			assert_int_equal(found, fields[i].expected);
		}
		for (size_t length = 0; length < 2 * sizeof out; length++) {
			uint8_t octets[2 * sizeof out] = {0};
			struct helper_request request = good_request(choice, 0);
			memcpy(octets, &request, sizeof request);
			assert_int_equal(helper_request_check(&policy, octets, length, &out),
				length == sizeof request ? HIPHOP_OK : HIPHOP_MALFORMED);
		}
	}
}

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix prefix;
	assert_int_equal(ip_prefix_parse(text, &prefix), HIPHOP_OK);
	return prefix;
}

static struct helper_policy policy_with_prefixes(void)
{
	struct helper_policy policy = good_policy();
	policy.prefix_count = 2;
	policy.prefixes[0] = prefix_of("2001:db8:100::/48");
	policy.prefixes[1] = prefix_of("10.1.0.0/16");
	return policy;
}

static struct helper_request route_request(helper_choice choice, const char *text)
{
	struct ip_prefix prefix = prefix_of(text);
	struct helper_request request = good_request(choice, prefix.length);
	request.prefix = prefix.address;
	return request;
}

static void a_policy_names_possible_prefixes_alone(void **state)
{
	static const char *const bad[] = {"::/0", "0.0.0.0/0", "2001:20::/28", "2001:22::1/128", "2000::/3",
		"fe80::/10", "::1/128", "ff00::/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"};
	struct helper_policy policy = policy_with_prefixes(), out;

	(void)state;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_OK);
	assert_int_equal(out.prefix_count, 2);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		policy.prefixes[1] = prefix_of(bad[i]);
		assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	}
	policy.prefixes[1] = prefix_of("10.1.0.0/16");
	policy.prefixes[1].length = 200;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy.prefixes[1] = prefix_of("10.1.0.0/16");
	policy.prefixes[1].address.octets[15] = 1; /* behind the length */
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy = policy_with_prefixes();
	policy.ipv4 = prefix_of("100.64.0.7/32").address;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_OK);
	policy.ipv4 = prefix_of("127.0.0.1/32").address;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy.ipv4 = prefix_of("0.0.0.0/32").address;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
	policy.ipv4 = prefix_of("2001:db8::7/128").address;
	assert_int_equal(helper_policy_check(&policy, sizeof policy, &out), HIPHOP_REFUSED);
}

static void routes_lie_inside_the_policy(void **state)
{
	static const struct {
		const char *prefix;
		hiphop_error expected;
	} cases[] = {
		{"2001:db8:100::/48", HIPHOP_OK},
		{"2001:db8:100:ff00::/56", HIPHOP_OK},
		{"2001:db8:100::1/128", HIPHOP_OK},
		{"10.1.0.0/16", HIPHOP_OK},
		{"10.1.255.255/32", HIPHOP_OK},
		{"2001:db8:100::/47", HIPHOP_REFUSED},
		{"2001:db8:101::/48", HIPHOP_REFUSED},
		{"10.0.0.0/15", HIPHOP_REFUSED},
		{"10.2.0.0/16", HIPHOP_REFUSED},
		{"::/0", HIPHOP_REFUSED},
		{"0.0.0.0/0", HIPHOP_REFUSED},
		{"2001:20::/28", HIPHOP_REFUSED},
		{"127.0.0.1/32", HIPHOP_REFUSED},
		{"192.0.2.0/24", HIPHOP_REFUSED},
	};
	struct helper_policy policy = policy_with_prefixes(), none = good_policy();
	struct helper_request out;

	(void)state;
	for (helper_choice choice = HELPER_ADD_ROUTE; choice <= HELPER_REMOVE_ROUTE; choice++) {
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			struct helper_request request = route_request(choice, cases[i].prefix);
			hiphop_error found = helper_request_check(&policy, &request, sizeof request, &out);
			if (found != cases[i].expected)
				fail_msg("%s gives %d", cases[i].prefix, found);
			assert_int_equal(helper_request_check(&none, &request, sizeof request, &out), HIPHOP_REFUSED);
		}
	}
}

static void each_field_of_a_route_is_checked(void **state)
{
	static const struct broken_field fields[] = {
		{REQUEST(magic), 0, HIPHOP_MALFORMED},
		{REQUEST(choice), HELPER_SETUP_NETWORK, HIPHOP_MALFORMED}, /* with a prefix */
		{REQUEST(choice), HELPER_OPEN_QUEUE, HIPHOP_MALFORMED},
		{REQUEST(choice), HELPER_OPEN_UNDERLAY, HIPHOP_MALFORMED},
		{REQUEST(choice), 6, HIPHOP_MALFORMED},
		{REQUEST(argument), 0, HIPHOP_REFUSED},
		{REQUEST(argument), 47, HIPHOP_REFUSED},
		{REQUEST(argument), 55, HIPHOP_REFUSED}, /* leaves a bit behind it */
		{REQUEST(argument), 129, HIPHOP_REFUSED},
		{REQUEST(argument), 255, HIPHOP_REFUSED},
		{REQUEST(argument), 256 + 56, HIPHOP_REFUSED},
		{REQUEST(argument), 65535, HIPHOP_REFUSED},
		{REQUEST(argument), 64, HIPHOP_OK},
		{REQUEST(reserved), 1, HIPHOP_MALFORMED},
		{REQUEST(prefix), 0, HIPHOP_REFUSED},
		{REQUEST(prefix), 0x20000120, HIPHOP_REFUSED}, /* 2001:20::, and what lies behind the length */
		{REQUEST(prefix), 0x01000100b80d0120U & 0xffffffffffffffffU, HIPHOP_REFUSED},
	};
	struct helper_policy policy = policy_with_prefixes();
	struct helper_request out;

	(void)state;
	for (helper_choice choice = HELPER_ADD_ROUTE; choice <= HELPER_REMOVE_ROUTE; choice++) {
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
			struct helper_request request = route_request(choice, "2001:db8:100:100::/56");
			break_field(&request, &fields[i]);
			hiphop_error found = helper_request_check(&policy, &request, sizeof request, &out);
			if (found != fields[i].expected)
				print_error("choice %d, %s = %llx\n", choice, fields[i].name,
					(unsigned long long)fields[i].value);
			assert_int_equal(found, fields[i].expected);
		}
		for (size_t length = 0; length < 2 * sizeof out; length++) {
			uint8_t octets[2 * sizeof out] = {0};
			struct helper_request request = route_request(choice, "10.1.2.0/24");
			memcpy(octets, &request, sizeof request);
			assert_int_equal(helper_request_check(&policy, octets, length, &out),
				length == sizeof request ? HIPHOP_OK : HIPHOP_MALFORMED);
		}
	}
}

static void random_octets_are_never_a_request(void **state)
{
	(void)state;
	struct helper_policy policy = good_policy();
	struct seeded_random generator;
	struct random_source source = seeded_random_start(&generator, 7);
	policy.raw = 1;
	for (int i = 0; i < 20000; i++) {
		struct helper_request request, out;
		random_fill(&source, &request, sizeof request);
		assert_int_not_equal(helper_request_check(&policy, &request, sizeof request, &out), HIPHOP_OK);
	}
}

static void descriptors_pass_and_long_messages_show(void **state)
{
	(void)state;
	int ends[2], pipe_ends[2], got;
	uint8_t octets[16];
	size_t length;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(helper_message_send(ends[0], "hello", 5, pipe_ends[1]), HIPHOP_OK);
	assert_int_equal(helper_message_receive(ends[1], octets, sizeof octets, &length, &got), HIPHOP_OK);
	assert_int_equal(length, 5);
	assert_true(got >= 0);
	assert_int_equal(write(got, "x", 1), 1);
	assert_int_equal(read(pipe_ends[0], octets, 1), 1);
	close(got);
	assert_int_equal(helper_message_send(ends[0], "a message longer than the room", 30, -1), HIPHOP_OK);
	assert_int_equal(helper_message_receive(ends[1], octets, sizeof octets, &length, &got), HIPHOP_OK);
	assert_int_equal(length, 30);
	assert_int_equal(got, -1);
	close(ends[0]);
	assert_int_equal(helper_message_receive(ends[1], octets, sizeof octets, &length, &got), HIPHOP_NOT_FOUND);
	close(ends[1]);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int i = 0; i < 256; i++)
		count += fcntl(i, F_GETFD) >= 0;
	return count;
}

static void send_descriptors(int channel, size_t count)
{
	union {
		struct cmsghdr align;
		uint8_t octets[CMSG_SPACE(8 * sizeof(int))];
	} room = {0};
	struct iovec part = {.iov_base = "x", .iov_len = 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room};
	int descriptors[8] = {0};

	message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(control), descriptors, count * sizeof(int));
	assert_int_equal(sendmsg(channel, &message, 0), 1);
}

static void no_descriptor_is_left_over(void **state)
{
	int ends[2], got;
	uint8_t octets[16];
	size_t length;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	unsigned before = open_descriptors();
	for (size_t count = 1; count <= 8; count++) {
		send_descriptors(ends[0], count);
		assert_int_equal(helper_message_receive(ends[1], octets, sizeof octets, &length, &got), HIPHOP_OK);
		assert_true(got >= 0);
		close(got);
		assert_int_equal(open_descriptors(), before);
	}
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_refuses_what_cannot_be),
		cmocka_unit_test(menu_is_followed),
		cmocka_unit_test(each_field_of_a_policy_is_checked),
		cmocka_unit_test(each_field_of_each_request_is_checked),
		cmocka_unit_test(a_policy_names_possible_prefixes_alone),
		cmocka_unit_test(routes_lie_inside_the_policy),
		cmocka_unit_test(each_field_of_a_route_is_checked),
		cmocka_unit_test(malformed_requests_are_refused),
		cmocka_unit_test(random_octets_are_never_a_request),
		cmocka_unit_test(descriptors_pass_and_long_messages_show),
		cmocka_unit_test(no_descriptor_is_left_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
