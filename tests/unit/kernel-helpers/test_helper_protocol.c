/* SPDX-License-Identifier: MIT */
#include "hip/base/random.h"
#include "kernel-helpers/helper_protocol.h"
#include "kernel-helpers/underlay_sockets.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"

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
		{4, 0, 1, HIPHOP_UNSUPPORTED},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_refuses_what_cannot_be),
		cmocka_unit_test(menu_is_followed),
		cmocka_unit_test(malformed_requests_are_refused),
		cmocka_unit_test(random_octets_are_never_a_request),
		cmocka_unit_test(descriptors_pass_and_long_messages_show),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
