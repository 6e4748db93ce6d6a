/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/route_question.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <stdlib.h>

static bool ready;
static struct route_asker asker = {.descriptor = -1};

static int start(void **state)
{
	(void)state;
	ready = namespace_enter() &&
		system("for l in a b c; do ip link add ${l}0 type veth peer name ${l}1 && ip link set ${l}1 up &&"
		       " ip link set ${l}0 up || exit 1; done;"
		       " ip addr add 192.0.2.1/24 dev a0 && ip addr add 198.51.100.1/24 dev b0 &&"
		       " ip addr add 2001:db8:a::1/64 dev a0 nodad && ip addr add 2001:db8:b::1/64 dev b0 nodad &&"
		       " ip route add default via 192.0.2.254 && ip route add default via 198.51.100.254 metric 9 &&"
		       " ip -6 route add default via 2001:db8:a::fe metric 1 &&"
		       " ip -6 route add default via 2001:db8:b::fe metric 9 &&"
		       " ip -6 route add 2001:db8:e::/64 nexthop via 2001:db8:a::fe nexthop via 2001:db8:b::fe &&"
		       " ip route add unreachable 203.0.113.128/25 && ip route add blackhole 203.0.113.64/26") == 0;
	return ready && route_asker_open(&asker);
}

static int stop(void **state)
{
	(void)state;
	route_asker_close(&asker);
	return asker.descriptor != -1;
}

static void the_kernel_answers(void **state)
{
	(void)state;
	static const struct {
		const char *local, *remote, *interface;
		const char *answer; /* NULL: no route */
		bool to_others;
		const char *source;
	} cases[] = {
		{NULL, "203.0.113.1", NULL, "a0", true, NULL},
		{"198.51.100.1", "203.0.113.1", NULL, "a0", true, NULL},
		{"198.51.100.1", "203.0.113.1", "b0", "b0", true, NULL},
		{"198.51.100.1", "198.51.100.9", NULL, "b0", true, NULL},
		/* "It may be on the link" is no route. */
		{"192.0.2.1", "203.0.113.1", "c0", NULL, false, NULL},
		{NULL, "203.0.113.200", NULL, NULL, false, NULL},
		{NULL, "203.0.113.65", NULL, NULL, false, NULL},
		{"192.0.2.1", "198.51.100.1", NULL, "lo", false, NULL},
		{NULL, "127.0.0.1", NULL, "lo", false, NULL},
		{NULL, "192.0.2.255", NULL, "a0", false, NULL},
		{NULL, "2001:db8:c::9", NULL, "a0", true, "2001:db8:a::1"},
		{NULL, "2001:db8:c::9", "b0", "b0", true, "2001:db8:b::1"},
		/* Not the one asked for. */
		{"2001:db8:b::1", "2001:db8:c::9", "b0", "a0", true, NULL},
		{NULL, "2001:db8:c::9", "c0", NULL, false, NULL},
		{NULL, "2001:db8:b::1", NULL, "lo", false, NULL},
	};
	if (!ready)
		skip();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct route_question question = {0};
		struct route_answer answer;
		char text[ENDPOINT_TEXT_SIZE];
		if (cases[i].local)
			assert_int_equal(address_parse(cases[i].local, &question.local), HIPHOP_OK);
		assert_int_equal(address_parse(cases[i].remote, &question.remote), HIPHOP_OK);
		question.interface = cases[i].interface ? if_nametoindex(cases[i].interface) : 0;
		bool found = route_ask(&asker, &question, &answer);
		if (found != (cases[i].answer != NULL))
			fail_msg("case %zu: a route %s", i, found ? "by some interface" : "is missing");
		if (!found)
			continue;
		if (answer.interface != if_nametoindex(cases[i].answer) || answer.to_others != cases[i].to_others)
			fail_msg("case %zu: by %u, to others %d", i, answer.interface, answer.to_others);
		assert_false(answer.dealt_out);
		if (cases[i].source)
			assert_string_equal(address_format(&answer.source, text), cases[i].source);
	}
}

static void an_entry_with_several_next_hops(void **state)
{
	(void)state;
	struct route_question question = {.about_entry = true};
	struct route_answer answer;
	if (!ready)
		skip();
	assert_int_equal(address_parse("2001:db8:e::9", &question.remote), HIPHOP_OK);
	assert_true(route_ask(&asker, &question, &answer));
	assert_true(answer.dealt_out);
	assert_int_equal(address_parse("2001:db8:c::9", &question.remote), HIPHOP_OK);
	assert_true(route_ask(&asker, &question, &answer));
	assert_false(answer.dealt_out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_answers),
		cmocka_unit_test(an_entry_with_several_next_hops),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
