/* SPDX-License-Identifier: MIT */
#include "daemon/access_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* What is written, and the same in full words. */
static const struct {
	const char *text, *full;
} good[] = {
	{"deny 2001:22::1", "deny associate with 2001:22::1"},
	{"deny bob", "deny associate with bob"},
	{"allow associate", "allow associate with anyone"},
	{"allow associate with members", "allow associate with members"},
	{"deny with strangers", "deny associate with strangers"},
	{"allow certified", "allow associate with certified"},
	{"deny with \"certified\"", "deny associate with \"certified\""},
	{"deny associate strangers", "deny associate with strangers"},
	{"allow tcp/22 from bob", "allow in tcp/22 from bob"},
	{"allow in tcp/22 from bob", "allow in tcp/22 from bob"},
	{"allow in tcp/22", "allow in tcp/22 from anyone"},
	{"allow in udp/5000-5100 from members", "allow in udp/5000-5100 from members"},
	{"allow in udp/5000-5000", "allow in udp/5000 from anyone"},
	{"deny in any from 2001:22::1", "deny in any from 2001:22::1"},
	{"deny out tcp/25", "deny out tcp/25 to anyone"},
	{"deny out any to bob@Example.com", "deny out any to bob@Example.com"},
	{"deny out any to sip:bob@example.com", "deny out any to bob@example.com"},
	{"allow icmp6", "allow in icmp6 from anyone"},
	{"allow in ip/132 from bob", "allow in ip/132 from bob"},
	{"allow in ip/6 from bob", "allow in tcp from bob"},
	{"allow sip from strangers", "allow in sip from strangers"},
	{"deny calls", "deny in calls from anyone"},
	{"  deny\t bob  ", "deny associate with bob"},
	{"deny with tcp", "deny associate with tcp"},
	{"deny \"members\"", "deny associate with \"members\""},
	{"deny \"my phone\"", "deny associate with \"my phone\""},
	{"deny with \"2001:22::1\"", "deny associate with \"2001:22::1\""},
	{"deny with \"a \\\"b\\\" \\\\ c\"", "deny associate with \"a \\\"b\\\" \\\\ c\""},
};

static void words_become_rules_and_words_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		char text[ACCESS_RULE_TEXT_SIZE], again[ACCESS_RULE_TEXT_SIZE], complaint[128] = "";
		struct access_rule rule, second;

		assert_int_equal(access_rule_parse(good[i].text, &rule, complaint, sizeof complaint), HIPHOP_OK);
		assert_string_equal(access_rule_format(&rule, text), good[i].full);
		assert_int_equal(access_rule_parse(text, &second, complaint, sizeof complaint), HIPHOP_OK);
		assert_string_equal(access_rule_format(&second, again), text);
		assert_true(access_rule_is_about_the_same(&rule, &second));
		assert_int_equal(rule.deny, second.deny);
	}
}

static const struct {
	const char *text, *says;
} bad[] = {
	{"", "must begin with"},
	{"   ", "must begin with"},
	{"permit bob", "must begin with"},
	{"\"deny\" bob", "must begin with"},
	{"deny", "does not say who"},
	{"deny with", "does not say who"},
	{"deny in", "is no traffic"},
	{"deny out bob", "\"bob\" is no traffic"},
	{"deny in bob", "\"bob\" is no traffic"},
	{"allow in tcp/0", "is no traffic"},
	{"allow in tcp/65536", "is no traffic"},
	{"allow in tcp/-1", "is no traffic"},
	{"allow in tcp/22x", "is no traffic"},
	{"allow in tcp/", "is no traffic"},
	{"allow in tcp/22-", "is no traffic"},
	{"allow in tcp/25-22", "is no traffic"},
	{"allow in tcp/000022", "is no traffic"},
	{"allow in ip/256", "is no traffic"},
	{"allow in icmp6/1", "is no traffic"},
	{"allow in tcp/22 to bob", "where \"from\" is expected"},
	{"allow out tcp/22 from bob", "where \"to\" is expected"},
	{"allow in tcp/22 from", "does not say who"},
	{"allow in tcp/22 from bob carol", "one word too many"},
	{"deny bob please", "one word too many"},
	{"deny 2001:20::1", "no HIT of a host"},
	{"deny \"bob", "not closed"},
	{"deny \"\"", "empty"},
	{"deny sip:", "empty"},
	{"deny bo\nb", "control character"},
	{"deny bo\033b", "control character"},
};

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char complaint[128] = "";
		struct access_rule rule;

		assert_int_equal(access_rule_parse(bad[i].text, &rule, complaint, sizeof complaint), HIPHOP_MALFORMED);
		if (!strstr(complaint, bad[i].says))
			fail_msg("%s: %s", bad[i].text, complaint);
	}
}

static void names_have_a_longest_length(void **state)
{
	(void)state;
	char text[2 * ACCESS_NAME_SIZE] = "deny ", complaint[128], full[ACCESS_RULE_TEXT_SIZE];
	struct access_rule rule;

	memset(text + 5, '"', ACCESS_NAME_SIZE - 1);
	text[5 + ACCESS_NAME_SIZE - 1] = 0;
	text[5] = 'x';
	assert_int_equal(access_rule_parse(text, &rule, complaint, sizeof complaint), HIPHOP_OK);
	access_rule_format(&rule, full);
	assert_int_equal(access_rule_parse(full, &rule, complaint, sizeof complaint), HIPHOP_OK);
	assert_string_equal(rule.name, text + 5);
	memset(text + 5, 'x', ACCESS_NAME_SIZE);
	text[5 + ACCESS_NAME_SIZE] = 0;
	assert_int_equal(access_rule_parse(text, &rule, complaint, sizeof complaint), HIPHOP_MALFORMED);
	assert_non_null(strstr(complaint, "too long"));
}

static const struct hit alice = {{0x20, 0x01, 0x00, 0x22, 1}};
static const struct hit bob = {{0x20, 0x01, 0x00, 0x22, 2}};

static bool is_alice(void *context, const struct hit *peer)
{
	(void)context;
	return hit_equal(peer, &alice);
}

#define IN(...)                                                                                                        \
	{                                                                                                              \
		.direction = ACCESS_IN, .peer = {{0x20, 0x01, 0x00, 0x22, 1}}, __VA_ARGS__                             \
	}
#define OUT(...)                                                                                                       \
	{                                                                                                              \
		.direction = ACCESS_OUT, .peer = {{0x20, 0x01, 0x00, 0x22, 1}}, __VA_ARGS__                            \
	}

/* A rule, a subject that alice is the peer of, and whether it fits. Alice is a member of the overlay. */
static const struct {
	const char *text;
	struct access_subject subject;
	bool fits;
} fitting[] = {
	{"allow in any", IN(.protocol = 132), true},
	{"allow in any", OUT(.protocol = 132), false},
	{"allow in any", {.direction = ACCESS_ASSOCIATE}, false},
	{"allow in tcp", IN(.protocol = 6, .port = 22), true},
	{"allow in tcp", IN(.protocol = 17, .port = 22), false},
	{"allow in tcp/22", IN(.protocol = 6, .port = 22), true},
	{"allow in tcp/22", IN(.protocol = 17, .port = 22), false},
	{"allow in tcp/22", IN(.protocol = 6, .port = 23), false},
	{"allow in udp/10-20", IN(.protocol = 17, .port = 10), true},
	{"allow in udp/10-20", IN(.protocol = 17, .port = 20), true},
	{"allow in udp/10-20", IN(.protocol = 17, .port = 9), false},
	{"allow in udp/10-20", IN(.protocol = 17, .port = 21), false},
	{"allow in icmp6", IN(.protocol = 58), true},
	{"allow in sip", IN(.protocol = 17, .port = 5060, .sip = true), true},
	{"allow in sip", IN(.protocol = 17, .port = 5061), false},
	{"allow in calls", IN(.protocol = 17, .port = 9000, .calls = true), true},
	{"allow in calls", IN(.protocol = 17, .port = 9000), false},
	{"allow in any from 2001:22:100::", IN(.protocol = 6), true},
	{"allow in any from 2001:22:200::", IN(.protocol = 6), false},
	{"allow in any from somebody", IN(.protocol = 6), false},
	{"allow in any from members", IN(.protocol = 6), true},
	{"allow in any from strangers", IN(.protocol = 6), false},
	{"allow in any from certified", IN(.protocol = 6), true},
	{"allow out tcp/25", OUT(.protocol = 6, .port = 25), true},
	{"allow out tcp/25", IN(.protocol = 6, .port = 25), false},
	{"deny associate", {.direction = ACCESS_ASSOCIATE}, true},
};

/* conforms: RFC7401-7-4 */
static void rules_fit_what_they_say(void **state)
{
	(void)state;
	const struct access_membership membership = {.is_member = is_alice, .is_certified = is_alice};

	for (size_t i = 0; i < sizeof fitting / sizeof *fitting; i++) {
		struct access_rule rule;
		char complaint[128];

		assert_int_equal(access_rule_parse(fitting[i].text, &rule, complaint, sizeof complaint), HIPHOP_OK);
		if (access_rule_fits(&rule, &fitting[i].subject, &membership) != fitting[i].fits)
			fail_msg("%s (%zu)", fitting[i].text, i);
	}
}

static void a_name_that_is_nobodys_fits_nobody(void **state)
{
	(void)state;
	const struct access_membership membership = {.is_member = is_alice};
	struct access_subject subject = {.direction = ACCESS_ASSOCIATE};
	struct access_rule rule;
	char complaint[128];

	assert_int_equal(access_rule_parse("deny with bob", &rule, complaint, sizeof complaint), HIPHOP_OK);
	assert_true(access_rule_names_one(&rule));
	assert_false(access_rule_fits(&rule, &subject, &membership));
	rule.hit = bob;
	assert_false(access_rule_fits(&rule, &subject, &membership));
	subject.peer = bob;
	assert_true(access_rule_fits(&rule, &subject, &membership));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_rules_and_words_again),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(names_have_a_longest_length),
		cmocka_unit_test(rules_fit_what_they_say),
		cmocka_unit_test(a_name_that_is_nobodys_fits_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
