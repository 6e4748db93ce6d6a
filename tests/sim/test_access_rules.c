/* SPDX-License-Identifier: MIT */
/* Rules of access between whole nodes: by HIT, name, overlay, protocol and port, changed while they run. */
#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static json_t *ask(struct simulation *simulation, size_t host, json_t *request)
{
	json_t *answer = simulation_ask(simulation, host, request, SECONDS(30));

	assert_non_null(answer);
	return answer;
}

static bool is_ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

/* `rule` has one %s, or none, for the HIT of `about`. */
static json_t *give(struct simulation *simulation, size_t host, const char *before, size_t about, const char *after)
{
	char hit[HIT_TEXT_SIZE], rule[256];

	snprintf(rule, sizeof rule, "%s%s%s", before, simulation_hit(simulation, about, hit), after);
	return ask(simulation, host, json_pack("{s:s, s:s}", "command", "access-add", "rule", rule));
}

static bool pings(struct simulation *simulation, size_t from, size_t to)
{
	char hit[HIT_TEXT_SIZE];

	return is_ok(ask(simulation, from,
		json_pack("{s:s, s:s, s:i}", "command", "ping", "target", simulation_hit(simulation, to, hit),
			"timeout_ms", 20000)));
}

static json_int_t counter(struct simulation *simulation, size_t host, const char *name)
{
	json_t *status = node_status(simulation->hosts[host].node, simulation->now);
	json_int_t value = json_integer_value(json_object_get(json_object_get(status, "counters"), name));

	json_decref(status);
	return value;
}

static void start(struct simulation *simulation, size_t count)
{
	simulation_start(simulation, 1, count);
	simulation->keep_state = true;
	for (size_t i = 0; i < count; i++)
		simulation_boot(simulation, i);
	simulation_run(simulation, SECONDS(10));
}

/* conforms: RFC7401-7-4 */
static void test_a_denied_peer_is_closed_and_kept_out(void **state)
{
	(void)state;
	struct simulation simulation;
	json_t *answer;

	start(&simulation, 2);
	assert_true(pings(&simulation, 1, 0));
	answer = give(&simulation, 0, "deny ", 1, "");
	assert_true(is_ok(answer));
	assert_int_equal(json_array_size(json_object_get(answer, "closed")), 1);
	simulation_run(&simulation, SECONDS(1));
	assert_false(simulation_is_associated(&simulation, 0, 1));
	assert_false(simulation_is_associated(&simulation, 1, 0));
	assert_false(pings(&simulation, 1, 0));
	assert_false(pings(&simulation, 0, 1));
	assert_true(counter(&simulation, 0, "associate_refused_by_rule") > 0);
	/* An Initiator that is not let in costs no R1. */
	json_int_t before = counter(&simulation, 0, "r1_out");
	simulation_run(&simulation, SECONDS(30));
	assert_int_equal(counter(&simulation, 0, "r1_out"), before);
	/* Over a restart. */
	simulation_kill(&simulation, 0);
	simulation_boot(&simulation, 0);
	simulation_run(&simulation, SECONDS(10));
	assert_false(pings(&simulation, 1, 0));
	answer = give(&simulation, 0, "allow ", 1, "");
	assert_true(json_is_true(json_object_get(answer, "replaced")));
	assert_true(pings(&simulation, 1, 0));
	simulation_free(&simulation);
}

static void test_a_port_can_be_opened_and_closed(void **state)
{
	(void)state;
	struct simulation simulation;
	struct simulation_host *to;

	start(&simulation, 2);
	to = &simulation.hosts[0];
	assert_true(pings(&simulation, 1, 0));
	simulation_phone_send_to(&simulation, 1, 4000, 0, 7000, "one");
	simulation_run(&simulation, SECONDS(1));
	assert_int_equal(to->tunnel_packets, 0);
	assert_int_equal(counter(&simulation, 0, "access_refused_in_unlisted"), 1);
	assert_true(is_ok(give(&simulation, 0, "allow udp/6999-7001 from ", 1, "")));
	simulation_phone_send_to(&simulation, 1, 4000, 0, 7000, "two");
	simulation_run(&simulation, SECONDS(1));
	assert_int_equal(to->tunnel_packets, 1);
	/* What goes on goes on, unless its peer is named. */
	assert_true(is_ok(ask(&simulation, 0, json_pack("{s:s, s:b}", "command", "access-remove", "all", 1))));
	assert_true(
		is_ok(ask(&simulation, 0, json_pack("{s:s, s:s}", "command", "access-add", "rule", "deny in udp"))));
	simulation_phone_send_to(&simulation, 1, 4000, 0, 7000, "three");
	simulation_phone_send_to(&simulation, 1, 4001, 0, 7000, "new");
	simulation_run(&simulation, SECONDS(1));
	assert_int_equal(to->tunnel_packets, 2);
	assert_true(is_ok(give(&simulation, 0, "deny in udp from ", 1, "")));
	simulation_phone_send_to(&simulation, 1, 4000, 0, 7000, "four");
	simulation_run(&simulation, SECONDS(1));
	assert_int_equal(to->tunnel_packets, 2);
	assert_int_equal(counter(&simulation, 0, "access_refused_flow_ended"), 1);
	simulation_free(&simulation);
}

/* Host 0 is everybody's way in; the others keep strangers out, and know each other through the ring. */
static void test_members_are_told_from_strangers(void **state)
{
	(void)state;
	struct simulation simulation;
	struct configuration *stranger;

	simulation_start(&simulation, 1, 4);
	stranger = &simulation.hosts[3].configuration;
	/* A host of no overlay of ours, that knows where another one is. */
	strcpy(stranger->overlay_name, "elsewhere");
	stranger->bootstrap_count = 0;
	free(stranger->hosts);
	stranger->hosts = calloc(1, sizeof(*stranger->hosts));
	assert_non_null(stranger->hosts);
	stranger->host_count = 1;
	stranger->hosts->hit = *host_identity_hit(simulation.hosts[1].identity);
	stranger->hosts->endpoint.address = simulation.hosts[1].address;
	stranger->hosts->endpoint.port = simulation.hosts[1].configuration.port;
	for (size_t i = 0; i < 4; i++)
		simulation_boot(&simulation, i);
	simulation_run(&simulation, SECONDS(1));
	assert_true(is_ok(
		ask(&simulation, 1, json_pack("{s:s, s:s}", "command", "access-add", "rule", "deny with strangers"))));
	simulation_run(&simulation, SECONDS(20));
	assert_true(pings(&simulation, 2, 1));
	assert_true(pings(&simulation, 1, 2));
	assert_false(pings(&simulation, 3, 1));
	assert_true(is_ok(ask(&simulation, 1, json_pack("{s:s, s:i}", "command", "access-remove", "number", 1))));
	assert_true(pings(&simulation, 3, 1));
	/* And the other way round: an association of a stranger is closed, those of members are not. */
	json_t *answer =
		ask(&simulation, 1, json_pack("{s:s, s:s}", "command", "access-add", "rule", "deny with strangers"));
	assert_int_equal(json_array_size(json_object_get(answer, "closed")), 1);
	simulation_free(&simulation);
}

struct wrong {
	const char *command, *key, *value, *code, *says;
};

static void test_what_is_wrong_is_one_sentence(void **state)
{
	(void)state;
	static const struct wrong wrongs[] = {
		{"access-add", "rule", "deny tpc/22", "not found", "\"tpc/22\" is no kind of traffic"},
		{"access-add", "rule", "deny in tcp/99999", "malformed", "no traffic"},
		{"access-add", "rule", "deny bob@example.com", "not found", "not pinned to a HIT"},
		{"access-add", "nothing", "", "malformed", "needs a rule"},
		{"access-remove", "rule", "deny with members", "not found", "No rule given by command"},
		{"access-remove", "number", "x", "malformed", "whole number"},
	};
	struct simulation simulation;

	start(&simulation, 1);
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		const struct wrong *wrong = &wrongs[i];
		json_t *answer = ask(
			&simulation, 0, json_pack("{s:s, s:s}", "command", wrong->command, wrong->key, wrong->value));

		assert_false(is_ok(answer));
		assert_string_equal(json_string_value(json_object_get(answer, "code")), wrong->code);
		assert_non_null(strstr(json_string_value(json_object_get(answer, "error")), wrong->says));
	}
	json_t *answer = ask(&simulation, 0, json_pack("{s:s, s:i}", "command", "access-remove", "number", 1));
	assert_string_equal(json_string_value(json_object_get(answer, "code")), "refused");
	answer = ask(&simulation, 0,
		json_pack("{s:s, s:s, s:i}", "command", "access-add", "rule", "deny in tcp", "position", 3));
	assert_string_equal(json_string_value(json_object_get(answer, "code")), "malformed");
	simulation_free(&simulation);
}

static void test_a_name_is_its_pin(void **state)
{
	(void)state;
	struct simulation simulation;
	char first[HIT_TEXT_SIZE], second[HIT_TEXT_SIZE];
	json_t *answer;

	start(&simulation, 3);
	simulation_hit(&simulation, 1, first);
	simulation_hit(&simulation, 2, second);
	assert_true(pings(&simulation, 1, 0) && pings(&simulation, 2, 0));
	ask(&simulation, 0, json_pack("{s:s, s:s, s:s}", "command", "trust", "aor", "bob@Example.com", "hit", first));
	answer = ask(&simulation, 0,
		json_pack("{s:s, s:s}", "command", "access-add", "rule", "deny with sip:bob@example.COM"));
	assert_string_equal(json_string_value(json_object_get(answer, "rule")), "deny associate with bob@example.com");
	assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "closed"), 0)), first);
	assert_true(pings(&simulation, 2, 0));
	assert_false(pings(&simulation, 1, 0));
	/* The name moves, and with it the rule. */
	ask(&simulation, 0, json_pack("{s:s, s:s, s:s}", "command", "trust", "aor", "bob@example.com", "hit", second));
	assert_false(pings(&simulation, 2, 0));
	assert_true(pings(&simulation, 1, 0));
	simulation_free(&simulation);
}

static void test_the_configuration_is_taken_again(void **state)
{
	(void)state;
	struct simulation simulation;
	struct configuration next;
	json_t *answer, *rules;

	start(&simulation, 2);
	assert_true(pings(&simulation, 1, 0));
	assert_int_equal(configuration_default(&next), HIPHOP_OK);
	next.associate_listed = true;
	node_reload(simulation.hosts[0].node, simulation.now, 99, NULL, "The file is not there.");
	assert_true(simulation_is_associated(&simulation, 0, 1));
	node_reload(simulation.hosts[0].node, simulation.now, 99, &next, NULL);
	configuration_free(&next);
	simulation_run(&simulation, SECONDS(1));
	assert_false(simulation_is_associated(&simulation, 0, 1));
	answer = ask(&simulation, 0, json_pack("{s:s}", "command", "access"));
	rules = json_object_get(answer, "rules");
	assert_int_equal(json_array_size(rules), 3);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(answer, "otherwise"), "associate")), "listed");
	simulation_free(&simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_denied_peer_is_closed_and_kept_out),
		cmocka_unit_test(test_a_port_can_be_opened_and_closed),
		cmocka_unit_test(test_members_are_told_from_strangers),
		cmocka_unit_test(test_what_is_wrong_is_one_sentence),
		cmocka_unit_test(test_a_name_is_its_pin),
		cmocka_unit_test(test_the_configuration_is_taken_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
