/* SPDX-License-Identifier: MIT */
#include "daemon/access.h"

#include "tests/unit/failing_allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { TCP = 6, UDP = 17, ICMP6 = 58, FRAGMENT = 44, DESTINATION = 60 };

static const struct hit alice = {{0x20, 0x01, 0x00, 0x22, 1}};
static const struct hit bob = {{0x20, 0x01, 0x00, 0x22, 2}};
static const struct hit self = {{0x20, 0x01, 0x00, 0x22, 9}};

struct made_packet {
	uint8_t octets[128];
	size_t length;
};

static struct made_packet make(uint8_t protocol, uint16_t source, uint16_t destination)
{
	struct made_packet packet = {.length = 48};

	packet.octets[0] = 0x60;
	packet.octets[6] = protocol;
	/* Whichever way it goes: the end of the peer does not matter. */
	memcpy(packet.octets + 8, self.octets, HIT_LENGTH);
	memcpy(packet.octets + 24, self.octets, HIT_LENGTH);
	if (protocol == ICMP6) {
		packet.octets[40] = (uint8_t)source;
		packet.octets[44] = (uint8_t)(destination >> 8);
		packet.octets[45] = (uint8_t)destination;
	} else {
		packet.octets[40] = (uint8_t)(source >> 8);
		packet.octets[41] = (uint8_t)source;
		packet.octets[42] = (uint8_t)(destination >> 8);
		packet.octets[43] = (uint8_t)destination;
	}
	return packet;
}

/* Puts an 8-octet extension header before the transport header. */
static struct made_packet with_extension(uint8_t header, uint16_t fragment_field, struct made_packet packet)
{
	memmove(packet.octets + 48, packet.octets + 40, 8);
	memset(packet.octets + 40, 0, 8);
	packet.octets[40] = packet.octets[6];
	packet.octets[6] = header;
	packet.octets[42] = (uint8_t)(fragment_field >> 8);
	packet.octets[43] = (uint8_t)fragment_field;
	packet.length += 8;
	return packet;
}

static bool is_alice(void *context, const struct hit *peer)
{
	(void)context;
	return hit_equal(peer, &alice);
}

static struct hit hit_of(void *context, const char *name)
{
	(void)context;
	if (strcmp(name, "alice") == 0)
		return alice;
	return strcmp(name, "bob") == 0 ? bob : (struct hit){{0}};
}

/* Rules of the configuration, in words; alice is the only member of the overlay. */
static struct access *make_access(const char *const *texts, size_t count)
{
	static const struct access_membership membership = {.is_member = is_alice};
	static struct seeded_random generator;
	static struct random_source random;
	struct access_rule rules[8];
	struct access *access;
	char complaint[128];

	random = seeded_random_start(&generator, 1);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(access_rule_parse(texts[i], &rules[i], complaint, sizeof complaint), HIPHOP_OK);
	assert_int_equal(access_create(5060, &membership, &random, &access), HIPHOP_OK);
	assert_int_equal(access_configure(access, rules, count), HIPHOP_OK);
	access_resolve_names(access, hit_of, NULL);
	return access;
}

/* As `hiphop access allow` and `deny` do. */
static void give(struct access *access, const char *text)
{
	struct access_rule rule;
	char complaint[128];

	assert_int_equal(access_rule_parse(text, &rule, complaint, sizeof complaint), HIPHOP_OK);
	assert_int_equal(access_insert(access, 0, &rule), HIPHOP_OK);
	access_resolve_names(access, hit_of, NULL);
}

static bool comes_in(struct access *access, instant now, const struct hit *peer, struct made_packet packet)
{
	struct access_refusal refusal;

	return access_inbound(access, now, peer, packet.octets, packet.length, &refusal);
}

static bool goes_out(struct access *access, instant now, const struct hit *peer, struct made_packet packet)
{
	struct access_refusal refusal;

	return access_outbound(access, now, peer, packet.octets, packet.length, &refusal);
}

static const char *const defaults[] = {"allow in icmp6", "allow in sip", "allow in calls"};

static void test_defaults(void **state)
{
	(void)state;
	struct access *access = make_access(defaults, 3);

	assert_true(comes_in(access, 1, &alice, make(ICMP6, 128, 7)));
	assert_true(comes_in(access, 1, &alice, make(UDP, 9999, 5060)));
	assert_true(comes_in(access, 1, &alice, make(TCP, 9999, 5060)));
	assert_false(comes_in(access, 1, &alice, make(TCP, 9999, 22)));
	assert_false(comes_in(access, 1, &alice, make(UDP, 5060, 53)));
	assert_int_equal(access_refused(access), 2);
	access_free(access);
}

static void test_answers_pass_for_their_time_and_peer(void **state)
{
	(void)state;
	struct access *access = make_access(NULL, 0);

	goes_out(access, SECONDS(1), &bob, make(UDP, 4000, 53));
	assert_true(comes_in(access, SECONDS(100), &bob, make(UDP, 53, 4000)));
	assert_false(comes_in(access, SECONDS(100), &alice, make(UDP, 53, 4000)));
	assert_false(comes_in(access, SECONDS(100), &bob, make(TCP, 53, 4000)));
	assert_false(comes_in(access, SECONDS(100), &bob, make(UDP, 54, 4000)));
	assert_true(comes_in(access, SECONDS(279), &bob, make(UDP, 53, 4000)));
	assert_false(comes_in(access, SECONDS(460), &bob, make(UDP, 53, 4000)));
	access_free(access);
}

static struct made_packet between(const struct hit *source, const struct hit *destination, struct made_packet packet)
{
	memcpy(packet.octets + 8, source->octets, HIT_LENGTH);
	memcpy(packet.octets + 24, destination->octets, HIT_LENGTH);
	return packet;
}

/* What one identity of this host has begun lets nothing in to another. */
static void test_answers_pass_to_the_identity_that_asked(void **state)
{
	(void)state;
	static const struct hit first = {{0x20, 0x01, 0x00, 0x22, 3}}, second = {{0x20, 0x01, 0x00, 0x22, 4}};
	struct access *access = make_access(NULL, 0);

	goes_out(access, SECONDS(1), &bob, between(&second, &bob, make(UDP, 4000, 53)));
	assert_true(comes_in(access, SECONDS(2), &bob, between(&bob, &second, make(UDP, 53, 4000))));
	assert_false(comes_in(access, SECONDS(2), &bob, between(&bob, &first, make(UDP, 53, 4000))));
	access_free(access);
}

static void test_echo_reply_passes_but_echo_request_is_no_answer(void **state)
{
	(void)state;
	struct access *access = make_access(NULL, 0);

	goes_out(access, 1, &bob, make(ICMP6, 128, 77));
	assert_true(comes_in(access, 2, &bob, make(ICMP6, 129, 77)));
	assert_false(comes_in(access, 2, &bob, make(ICMP6, 129, 78)));
	assert_false(comes_in(access, 2, &bob, make(ICMP6, 128, 77)));
	access_free(access);
}

/* An error that quotes `quoted`, a packet that went the other way. */
static struct made_packet make_error(struct made_packet quoted)
{
	struct made_packet packet = {.length = 48 + 48};

	packet.octets[0] = 0x60;
	packet.octets[6] = ICMP6;
	packet.octets[40] = 2;
	memcpy(packet.octets + 48, quoted.octets, 48);
	return packet;
}

static void test_errors_pass_with_the_flow_they_quote(void **state)
{
	(void)state;
	struct access *access = make_access(NULL, 0);

	assert_true(goes_out(access, 1, &bob, make(UDP, 4000, 53)));
	assert_true(comes_in(access, 2, &bob, make_error(make(UDP, 4000, 53))));
	assert_false(comes_in(access, 2, &alice, make_error(make(UDP, 4000, 53))));
	assert_false(comes_in(access, 2, &bob, make_error(make(UDP, 4001, 53))));
	assert_false(comes_in(access, 2, &bob, make(ICMP6, 2, 0)));
	access_free(access);
}

static void test_both_may_ping_with_one_identifier(void **state)
{
	(void)state;
	struct access *access = make_access(defaults, 3);

	assert_true(goes_out(access, 1, &bob, make(ICMP6, 128, 77)));
	assert_true(comes_in(access, 2, &bob, make(ICMP6, 128, 77)));
	give(access, "deny in icmp6 from bob");
	assert_false(comes_in(access, 3, &bob, make(ICMP6, 128, 77)));
	assert_true(comes_in(access, 3, &bob, make(ICMP6, 129, 77)));
	access_free(access);
}

static void test_rules_by_port_and_hit(void **state)
{
	(void)state;
	static const char *const rules[] = {"allow in tcp/22 from alice", "allow in udp/69"};
	struct access *access = make_access(rules, 2);

	assert_true(comes_in(access, 1, &alice, make(TCP, 1, 22)));
	assert_false(comes_in(access, 1, &bob, make(TCP, 1, 22)));
	assert_false(comes_in(access, 1, &alice, make(UDP, 1, 22)));
	assert_true(comes_in(access, 1, &bob, make(UDP, 1, 69)));
	access_free(access);
}

static void test_media_is_open_while_calls_last(void **state)
{
	(void)state;
	struct access *access = make_access(defaults, 3);

	assert_false(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	assert_int_equal(access_media(access, &bob, 9000, true), HIPHOP_OK);
	assert_int_equal(access_media(access, &bob, 9000, true), HIPHOP_OK);
	assert_true(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	assert_false(comes_in(access, 1, &alice, make(UDP, 1, 9000)));
	assert_false(comes_in(access, 1, &bob, make(TCP, 1, 9000)));
	access_media(access, &bob, 9000, false);
	assert_true(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	access_media(access, &bob, 9000, false);
	assert_false(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	access_free(access);
}

/* What lies behind this host is opened by ports, not by what opens the host's own proxy and calls. */
static void test_sip_and_calls_are_of_the_host_itself(void **state)
{
	(void)state;
	static const struct hit device = {{0x20, 0x01, 0x0d, 0xb8, 1}};
	struct access *access = make_access(defaults, 3);

	assert_int_equal(access_media(access, &bob, 9000, true), HIPHOP_OK);
	assert_true(comes_in(access, 1, &bob, make(UDP, 1, 9000)));
	assert_false(comes_in(access, 1, &bob, between(&bob, &device, make(UDP, 1, 9000))));
	assert_false(comes_in(access, 1, &bob, between(&bob, &device, make(UDP, 1, 5060))));
	assert_false(comes_in(access, 1, &bob, between(&bob, &device, make(TCP, 1, 5060))));
	assert_true(comes_in(access, 1, &bob, between(&bob, &device, make(ICMP6, 128, 7))));
	give(access, "allow in tcp/80 from bob");
	assert_true(comes_in(access, 1, &bob, between(&bob, &device, make(TCP, 1, 80))));
	assert_false(comes_in(access, 1, &alice, between(&alice, &device, make(TCP, 1, 80))));
	/* What a device has begun is answered, to that device. */
	assert_true(goes_out(access, 1, &bob, between(&device, &bob, make(UDP, 4000, 53))));
	assert_true(comes_in(access, 1, &bob, between(&bob, &device, make(UDP, 53, 4000))));
	assert_false(comes_in(access, 1, &bob, between(&bob, &self, make(UDP, 53, 4000))));
	access_free(access);
}

static void test_fragments_and_extension_headers(void **state)
{
	(void)state;
	struct access *access = make_access(defaults, 3);
	struct made_packet cut = make(UDP, 1, 5060);

	assert_true(comes_in(access, 1, &bob, with_extension(FRAGMENT, 1, make(UDP, 1, 5060))));
	assert_false(comes_in(access, 1, &bob, with_extension(FRAGMENT, 1, make(UDP, 1, 53))));
	assert_true(comes_in(access, 1, &bob, with_extension(FRAGMENT, 8, make(UDP, 1, 53))));
	assert_true(comes_in(access, 1, &bob, with_extension(DESTINATION, 0, make(UDP, 1, 5060))));
	for (size_t length = 0; length < 44; length++) {
		cut.length = length;
		assert_false(comes_in(access, 1, &bob, cut));
	}
	access_free(access);
}

static void test_a_peer_pushes_out_its_own_flows_only(void **state)
{
	(void)state;
	struct access *access = make_access(NULL, 0);

	goes_out(access, 1, &alice, make(UDP, 1, 2));
	for (uint32_t i = 0; i < ACCESS_PEER_FLOW_MAXIMUM + 10; i++)
		goes_out(access, 1, &bob, make(UDP, (uint16_t)i, 9));
	assert_false(comes_in(access, 1, &bob, make(UDP, 9, 0)));
	assert_true(comes_in(access, 1, &bob, make(UDP, 9, 10)));
	assert_true(comes_in(access, 1, &alice, make(UDP, 2, 1)));
	access_free(access);
}

static void test_the_table_is_bounded(void **state)
{
	(void)state;
	struct access *access = make_access(NULL, 0);
	struct hit peer = alice;

	goes_out(access, 1, &bob, make(UDP, 1, 2));
	for (uint32_t i = 0; i < ACCESS_FLOW_MAXIMUM; i++) {
		peer.octets[14] = (uint8_t)(i >> 8);
		peer.octets[15] = (uint8_t)i;
		goes_out(access, 1, &peer, make(UDP, 1, 2));
	}
	assert_false(comes_in(access, 1, &bob, make(UDP, 2, 1)));
	assert_true(comes_in(access, 1, &peer, make(UDP, 2, 1)));
	access_forget_peer(access, &peer);
	assert_false(comes_in(access, 1, &peer, make(UDP, 2, 1)));
	access_free(access);
}

static void test_the_first_rule_that_fits_decides(void **state)
{
	(void)state;
	static const char *const rules[] = {"deny in tcp/22 from bob", "allow in tcp/22 from members",
		"allow in tcp/22-25 from bob", "deny out udp/53 to strangers"};
	struct access *access = make_access(rules, 4);
	struct access_refusal refusal;
	struct made_packet packet = make(TCP, 1, 22);
	size_t count;

	assert_true(comes_in(access, 1, &alice, packet));
	assert_false(access_inbound(access, 1, &bob, packet.octets, packet.length, &refusal));
	assert_int_equal(refusal.cause, ACCESS_COUNT_IN_BY_RULE);
	assert_int_equal(refusal.rule, 0);
	assert_int_equal(refusal.subject.port, 22);
	assert_true(comes_in(access, 1, &bob, make(TCP, 1, 25)));
	packet = make(TCP, 1, 26);
	assert_false(access_inbound(access, 1, &bob, packet.octets, packet.length, &refusal));
	assert_int_equal(refusal.cause, ACCESS_COUNT_IN_UNLISTED);
	assert_true(goes_out(access, 1, &alice, make(UDP, 1, 53)));
	packet = make(UDP, 1, 53);
	assert_false(access_outbound(access, 1, &bob, packet.octets, packet.length, &refusal));
	assert_int_equal(refusal.cause, ACCESS_COUNT_OUT_BY_RULE);
	assert_int_equal(access_rules(access, &count)[0].matched, 1);
	assert_int_equal(access_rules(access, &count)[1].matched, 1);
	assert_int_equal(count, 4);
	assert_int_equal(access_refused(access), 2);
	access_free(access);
}

/* What is known to pass is not held against the rules again, however many there are. */
static void test_a_flow_is_decided_once(void **state)
{
	(void)state;
	static const char *const rules[] = {"allow in tcp/22"};
	struct access *access = make_access(rules, 1);
	size_t count;

	for (int i = 0; i < 100; i++)
		assert_true(comes_in(access, SECONDS(1) * (instant)(i + 1), &bob, make(TCP, 1, 22)));
	assert_int_equal(access_rules(access, &count)[0].matched, 1);
	access_free(access);
}

static void test_a_change_ends_the_flows_of_those_it_names(void **state)
{
	(void)state;
	static const char *const rules[] = {"allow in tcp/22"};
	struct access *access = make_access(rules, 1);
	struct access_refusal refusal;
	struct made_packet packet = make(TCP, 1, 22);

	assert_true(comes_in(access, 1, &alice, packet));
	assert_true(comes_in(access, 1, &bob, packet));
	goes_out(access, 1, &bob, make(UDP, 4000, 53));
	/* In general: no new flows, but nobody is cut off. */
	give(access, "deny in any from anyone");
	assert_true(comes_in(access, 2, &alice, packet));
	assert_true(comes_in(access, 2, &bob, packet));
	assert_false(comes_in(access, 2, &bob, make(TCP, 2, 22)));
	/* By name: those end that bob began, and only those. */
	give(access, "deny in any from bob");
	assert_true(comes_in(access, 3, &alice, packet));
	assert_false(access_inbound(access, 3, &bob, packet.octets, packet.length, &refusal));
	assert_int_equal(refusal.cause, ACCESS_COUNT_FLOW_ENDED);
	assert_true(comes_in(access, 3, &bob, make(UDP, 53, 4000)));
	/* Both back: what went on is still known, what was ended may begin again. */
	assert_int_equal(access_remove(access, 0), HIPHOP_OK);
	assert_int_equal(access_remove(access, 0), HIPHOP_OK);
	assert_int_equal(access_remove(access, 0), HIPHOP_INVALID_ARGUMENT);
	assert_true(comes_in(access, 4, &bob, packet));
	assert_int_equal(access_counter_value(access, ACCESS_COUNT_FLOW_ENDED), 1);
	access_free(access);
}

/* Found by fuzzing: the place behind the last of no rules. */
static void test_a_flow_outlives_the_last_rule(void **state)
{
	struct access *access = make_access((const char *[]){"allow tcp/80"}, 1);
	struct made_packet packet = make(TCP, 4000, 80);
	struct access_refusal refusal;

	(void)state;
	assert_true(access_inbound(access, SECONDS(1), &alice, packet.octets, packet.length, &refusal));
	assert_int_equal(access_configure(access, NULL, 0), HIPHOP_OK);
	assert_true(access_inbound(access, SECONDS(1), &alice, packet.octets, packet.length, &refusal));
	access_free(access);
}

static void test_a_configuration_replaces_its_own_rules_only(void **state)
{
	(void)state;
	static const char *const rules[] = {"allow in tcp/22", "allow in tcp/23"};
	struct access *access = make_access(rules, 2);
	struct access_rule next;
	char complaint[128];
	size_t count;

	give(access, "deny with bob");
	assert_true(comes_in(access, 1, &alice, make(TCP, 1, 23)));
	assert_int_equal(access_rule_parse("allow in tcp/23", &next, complaint, sizeof complaint), HIPHOP_OK);
	assert_int_equal(access_configure(access, &next, 1), HIPHOP_OK);
	assert_int_equal(access_rules(access, &count)[1].matched, 1);
	assert_int_equal(count, 2);
	assert_int_equal(access_own_count(access), 1);
	assert_true(access_rules(access, &count)[0].deny);
	assert_false(comes_in(access, 2, &alice, make(TCP, 1, 22)));
	assert_int_equal(access_insert(access, 2, &next), HIPHOP_INVALID_ARGUMENT);
	for (size_t i = 1; i < ACCESS_OWN_MAXIMUM; i++)
		assert_int_equal(access_insert(access, 0, &next), HIPHOP_OK);
	assert_int_equal(access_insert(access, 0, &next), HIPHOP_LIMITED);
	access_free(access);
}

/* conforms: RFC7401-7-4 */
static void test_who_may_associate(void **state)
{
	(void)state;
	static const char *const rules[] = {"deny with bob", "allow with members", "deny associate"};
	static const struct access_membership membership = {.is_member = is_alice};
	static const struct hit carol = {{0x20, 0x01, 0x00, 0x22, 3}};
	struct access *access = make_access(rules, 3);

	assert_int_equal(access_associate(access, &bob, &membership), 0);
	assert_int_equal(access_associate(access, &alice, &membership), 1);
	assert_int_equal(access_associate(access, &carol, &membership), 2);
	access_free(access);
}

static const char *const both[] = {"allow in tcp/22", "deny in tcp"};

/* What a filter does with so many allocations; NULL when it could not be made. */
static struct access *run_short_of_memory(unsigned allowed)
{
	static const struct access_membership membership = {.is_member = is_alice};
	static struct seeded_random generator;
	static struct random_source random;
	struct access_rule rules[2];
	struct access *access = NULL;
	char complaint[128];

	random = seeded_random_start(&generator, 1);
	for (size_t i = 0; i < 2; i++)
		access_rule_parse(both[i], &rules[i], complaint, sizeof complaint);
	failing_allocation_after(allowed);
	if (!access_create(5060, &membership, &random, &access)) {
		(void)access_configure(access, rules, 2);
		(void)access_insert(access, 0, &rules[1]);
		goes_out(access, 1, &bob, make(UDP, 4000, 53));
		(void)access_media(access, &bob, 9000, true);
	}
	failing_allocation_stop();
	return access;
}

static void test_without_memory_nothing_is_half_done(void **state)
{
	(void)state;
	bool complete = false;

	for (unsigned allowed = 0; !complete; allowed++) {
		struct access *access = run_short_of_memory(allowed);
		size_t count;

		if (!access)
			continue;
		(void)access_rules(access, &count);
		assert_true(count == access_own_count(access) || count == access_own_count(access) + 2);
		/* A packet of ours passes all the same; what it began may be forgotten. */
		assert_true(goes_out(access, 2, &bob, make(UDP, 4000, 53)));
		assert_true(comes_in(access, 3, &bob, make(UDP, 53, 4000)));
		assert_int_equal(access_media(access, &bob, 9000, true), HIPHOP_OK);
		complete = count == 3 && allowed > 20;
		access_free(access);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_answers_pass_for_their_time_and_peer),
		cmocka_unit_test(test_answers_pass_to_the_identity_that_asked),
		cmocka_unit_test(test_echo_reply_passes_but_echo_request_is_no_answer),
		cmocka_unit_test(test_rules_by_port_and_hit),
		cmocka_unit_test(test_media_is_open_while_calls_last),
		cmocka_unit_test(test_sip_and_calls_are_of_the_host_itself),
		cmocka_unit_test(test_fragments_and_extension_headers),
		cmocka_unit_test(test_errors_pass_with_the_flow_they_quote),
		cmocka_unit_test(test_both_may_ping_with_one_identifier),
		cmocka_unit_test(test_a_peer_pushes_out_its_own_flows_only),
		cmocka_unit_test(test_the_table_is_bounded),
		cmocka_unit_test(test_the_first_rule_that_fits_decides),
		cmocka_unit_test(test_a_flow_is_decided_once),
		cmocka_unit_test(test_a_change_ends_the_flows_of_those_it_names),
		cmocka_unit_test(test_a_flow_outlives_the_last_rule),
		cmocka_unit_test(test_a_configuration_replaces_its_own_rules_only),
		cmocka_unit_test(test_who_may_associate),
		cmocka_unit_test(test_without_memory_nothing_is_half_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
