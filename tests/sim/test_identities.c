/* SPDX-License-Identifier: MIT */
/* Hosts with more than one identity, one of them anonymous; and opportunistic mode as the configuration has it. */
#include "tests/sim/simulation.h"

#include "hip/wire/constants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PING_LIMIT SECONDS(20)

/* ---- looking and asking ---- */

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* The association of a host between these two HITs, in the words of `peers`; NULL without one. */
static json_t *association_between(
	struct simulation *simulation, size_t host, const struct hit *local, const struct hit *peer)
{
	json_t *status = node_status(simulation->hosts[host].node, simulation->now), *association, *found = NULL;
	char local_text[HIT_TEXT_SIZE], peer_text[HIT_TEXT_SIZE];
	size_t i;

	hit_format(local, local_text);
	hit_format(peer, peer_text);
	json_array_foreach(json_object_get(status, "associations"), i, association)
	{
		if (strcmp(text_at(association, "local_hit"), local_text) == 0 &&
			strcmp(text_at(association, "hit"), peer_text) == 0)
			found = json_incref(association);
	}
	json_decref(status);
	return found;
}

static bool are_associated(struct simulation *simulation, size_t host, const struct hit *local, const struct hit *peer)
{
	json_t *association = association_between(simulation, host, local, peer);
	bool usable = strcmp(text_at(association, "path"), "direct") == 0;

	json_decref(association);
	return usable;
}

static json_t *ping(struct simulation *simulation, size_t host, const struct hit *from, const struct hit *to)
{
	char from_text[HIT_TEXT_SIZE], to_text[HIT_TEXT_SIZE];

	return simulation_ask(simulation, host,
		json_pack("{s:s, s:s, s:s}", "command", "ping", "target", hit_format(to, to_text), "from",
			hit_format(from, from_text)),
		PING_LIMIT);
}

static bool answers(struct simulation *simulation, size_t host, const struct hit *from, const struct hit *to)
{
	return json_is_true(json_object_get(ping(simulation, host, from, to), "ok"));
}

static struct hit first_hit(const struct simulation *simulation, size_t host)
{
	return *host_identity_hit(simulation->hosts[host].identity);
}

static bool has_joined(struct simulation *simulation, size_t host)
{
	json_t *status = node_status(simulation->hosts[host].node, simulation->now);
	bool joined = json_is_true(json_object_get(json_object_get(status, "overlay"), "joined"));

	json_decref(status);
	return joined;
}

static bool all_have_joined(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->host_count; i++) {
		if (simulation->hosts[i].node && !has_joined(simulation, i))
			return false;
	}
	return true;
}

static void boot_all(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->host_count; i++)
		simulation_boot(simulation, i);
	assert_true(simulation_run_until(simulation, SECONDS(60), all_have_joined));
}

/* Lets `host` know by configuration where `other` is under these HITs. */
static void tell_where(struct simulation *simulation, size_t host, size_t other, const struct hit *hits, size_t count)
{
	struct configuration *configuration = &simulation->hosts[host].configuration;

	free(configuration->hosts);
	configuration->hosts = calloc(count, sizeof(*configuration->hosts));
	assert_non_null(configuration->hosts);
	configuration->host_count = count;
	for (size_t i = 0; i < count; i++) {
		configuration->hosts[i].hit = hits[i];
		configuration->hosts[i].endpoint.address = simulation->hosts[other].address;
		configuration->hosts[i].endpoint.port = configuration->port;
	}
}

/* ---- several identities ---- */

struct three {
	struct simulation simulation;
	struct hit hits[3]; /* of host 1: first, second, anonymous */
	struct hit peer;    /* of host 0 */
};

static void start_three(struct three *three)
{
	simulation_start(&three->simulation, 1, 2);
	three->peer = first_hit(&three->simulation, 0);
	three->hits[0] = first_hit(&three->simulation, 1);
	three->hits[1] = simulation_add_identity(&three->simulation, 1, NULL, false);
	three->hits[2] = simulation_add_identity(&three->simulation, 1, NULL, true);
}

/* conforms: RFC7401-7-1 RFC7401-7-2 */
static void a_host_has_three_identities(void **state)
{
	struct three three;

	(void)state;
	start_three(&three);
	boot_all(&three.simulation);
	for (size_t i = 0; i < 3; i++) {
		json_t *association;

		assert_true(answers(&three.simulation, 1, &three.hits[i], &three.peer));
		assert_true(are_associated(&three.simulation, 1, &three.hits[i], &three.peer));
		association = association_between(&three.simulation, 0, &three.peer, &three.hits[i]);
		assert_non_null(association);
		assert_int_equal(json_is_true(json_object_get(association, "anonymous")), i == 2);
		json_decref(association);
		/* The way back, over the association that stands. */
		assert_true(answers(&three.simulation, 0, &three.peer, &three.hits[i]));
	}
	simulation_free(&three.simulation);
}

/* conforms: RFC7401-7-1 */
static void each_identity_answers(void **state)
{
	struct three three;

	(void)state;
	start_three(&three);
	tell_where(&three.simulation, 0, 1, three.hits, 3);
	boot_all(&three.simulation);
	for (size_t i = 0; i < 3; i++) {
		assert_true(answers(&three.simulation, 0, &three.peer, &three.hits[i]));
		assert_true(are_associated(&three.simulation, 1, &three.hits[i], &three.peer));
	}
	simulation_free(&three.simulation);
}

static void only_the_first_is_in_the_overlay(void **state)
{
	struct three three;
	char first[HIT_TEXT_SIZE];
	json_t *status, *members;

	(void)state;
	start_three(&three);
	boot_all(&three.simulation);
	for (size_t i = 0; i < 3; i++)
		assert_true(answers(&three.simulation, 1, &three.hits[i], &three.peer));
	simulation_run(&three.simulation, SECONDS(30));
	status = node_status(three.simulation.hosts[0].node, three.simulation.now);
	members = json_object_get(json_object_get(status, "overlay"), "members");
	assert_int_equal(json_array_size(members), 1);
	assert_string_equal(text_at(json_array_get(members, 0), "hit"), hit_format(&three.hits[0], first));
	json_decref(status);
	assert_true(has_joined(&three.simulation, 1));
	simulation_free(&three.simulation);
}

static void identities_are_listed(void **state)
{
	struct three three;
	char text[HIT_TEXT_SIZE];
	json_t *answer, *list;

	(void)state;
	start_three(&three);
	assert_int_equal(domain_identifier_from_text(
				 "second.example.com", &three.simulation.hosts[1].configuration.more[0].name),
		HIPHOP_OK);
	boot_all(&three.simulation);
	answer = simulation_ask(&three.simulation, 1, json_pack("{s:s}", "command", "id"), SECONDS(1));
	list = json_object_get(answer, "identities");
	assert_int_equal(json_array_size(list), 3);
	for (size_t i = 0; i < 3; i++) {
		json_t *identity = json_array_get(list, i);

		assert_string_equal(text_at(identity, "hit"), hit_format(&three.hits[i], text));
		assert_int_equal(json_is_true(json_object_get(identity, "anonymous")), i == 2);
		assert_string_equal(text_at(identity, "name"), i == 1 ? "second.example.com" : "");
	}
	assert_true(answers(&three.simulation, 1, &three.hits[1], &three.peer));
	answer = association_between(&three.simulation, 0, &three.peer, &three.hits[1]);
	assert_string_equal(text_at(answer, "claimed_name"), "second.example.com");
	json_decref(answer);
	simulation_free(&three.simulation);
}

static void what_cannot_be_pinged(void **state)
{
	struct three three;

	(void)state;
	start_three(&three);
	boot_all(&three.simulation);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(
			text_at(ping(&three.simulation, 1, &three.hits[0], &three.hits[i]), "code"), "refused");
	assert_string_equal(text_at(ping(&three.simulation, 1, &three.peer, &three.peer), "code"), "not found");
	simulation_free(&three.simulation);
}

/* conforms: RFC7401-5.1.2-1 RFC7401-6.8-17 */
static void an_anonymous_identity_is_stored_nowhere(void **state)
{
	struct three three;

	(void)state;
	start_three(&three);
	three.simulation.keep_state = true;
	tell_where(&three.simulation, 0, 1, three.hits, 3);
	boot_all(&three.simulation);
	assert_true(answers(&three.simulation, 1, &three.hits[2], &three.peer));
	assert_true(answers(&three.simulation, 0, &three.peer, &three.hits[2]));
	simulation_run(&three.simulation, SECONDS(5));
	assert_true(simulation_keeps(&three.simulation, 0, &three.hits[0]));
	assert_false(simulation_keeps(&three.simulation, 0, &three.hits[2]));
	assert_false(simulation_keeps(&three.simulation, 1, &three.hits[2]));
	simulation_free(&three.simulation);
}

/* ---- in an overlay where one knows few others ---- */

/* A host that `host` has no association with, or none when it knows all. */
static size_t stranger_to(struct simulation *simulation, size_t host)
{
	struct hit self = first_hit(simulation, host);

	for (size_t i = 0; i < simulation->host_count; i++) {
		struct hit other = first_hit(simulation, i);
		json_t *association = association_between(simulation, host, &self, &other);
		bool known = association != NULL;

		json_decref(association);
		if (i != host && !known)
			return i;
	}
	return simulation->host_count;
}

#define LATE 12

static void the_first_finds_peers_for_the_second_alone(void **state)
{
	struct simulation simulation;
	struct hit first, second, anonymous, peer;
	size_t stranger;

	(void)state;
	simulation_start(&simulation, 1, LATE + 1);
	first = first_hit(&simulation, LATE);
	second = simulation_add_identity(&simulation, LATE, NULL, false);
	anonymous = simulation_add_identity(&simulation, LATE, NULL, true);
	for (size_t i = 0; i < LATE; i++)
		simulation_boot(&simulation, i);
	assert_true(simulation_run_until(&simulation, SECONDS(60), all_have_joined));
	simulation_run(&simulation, SECONDS(10));
	/* A client meets few. */
	simulation.hosts[LATE].configuration.client = true;
	simulation_boot(&simulation, LATE);
	assert_true(simulation_run_until(&simulation, SECONDS(60), all_have_joined));
	stranger = stranger_to(&simulation, LATE);
	assert_true(stranger < simulation.host_count);
	peer = first_hit(&simulation, stranger);
	/* The anonymous one does not make the first show itself. */
	assert_false(answers(&simulation, LATE, &anonymous, &peer));
	assert_false(are_associated(&simulation, LATE, &first, &peer));
	assert_true(answers(&simulation, LATE, &second, &peer));
	assert_true(are_associated(&simulation, LATE, &first, &peer));
	assert_true(are_associated(&simulation, stranger, &peer, &second));
	/* What the first knows by now needs no packet of its own. */
	assert_true(answers(&simulation, LATE, &anonymous, &peer));
	simulation_free(&simulation);
}

static void a_peer_that_nobody_finds(void **state)
{
	struct three three;
	struct hit nobody;

	(void)state;
	start_three(&three);
	boot_all(&three.simulation);
	assert_int_equal(hit_parse("2001:22:1234:5678:9abc:def0:1234:5678", &nobody), HIPHOP_OK);
	for (size_t i = 0; i < 3; i++)
		assert_false(answers(&three.simulation, 1, &three.hits[i], &nobody));
	simulation_free(&three.simulation);
}

/* ---- opportunistic mode ---- */

/* Host 1 knows where host 0 is, and not its HIT. */
static void start_nameless(struct simulation *simulation)
{
	simulation_start(simulation, 1, 2);
	memset(&simulation->hosts[1].configuration.bootstrap->hit, 0, sizeof(struct hit));
}

static bool second_joins_with(opportunistic_choice first, opportunistic_choice second)
{
	struct simulation simulation;
	bool joined;

	start_nameless(&simulation);
	simulation.hosts[0].configuration.opportunistic = (uint8_t)first;
	simulation.hosts[1].configuration.opportunistic = (uint8_t)second;
	simulation_boot(&simulation, 0);
	simulation_boot(&simulation, 1);
	simulation_run(&simulation, SECONDS(20));
	joined = are_associated(&simulation, 1, host_identity_hit(simulation.hosts[1].identity),
		host_identity_hit(simulation.hosts[0].identity));
	/* Who may not ask sends nothing. */
	if (second == OPPORTUNISTIC_ANSWER || second == OPPORTUNISTIC_NEVER)
		assert_int_equal(simulation.hosts[1].sent, 0);
	simulation_free(&simulation);
	return joined;
}

static void opportunistic_mode_is_a_choice(void **state)
{
	(void)state;
	for (int first = OPPORTUNISTIC_BOTH; first <= OPPORTUNISTIC_NEVER; first++) {
		for (int second = OPPORTUNISTIC_BOTH; second <= OPPORTUNISTIC_NEVER; second++) {
			bool answers_it = first == OPPORTUNISTIC_BOTH || first == OPPORTUNISTIC_ANSWER;
			bool asks = second == OPPORTUNISTIC_BOTH || second == OPPORTUNISTIC_ASK;

			assert_int_equal(second_joins_with((opportunistic_choice)first, (opportunistic_choice)second),
				answers_it && asks);
		}
	}
}

static struct host_identity *rsa_identity(void)
{
	struct host_identity *identity;

	assert_int_equal(host_identity_generate(HOST_IDENTITY_RSA_2048, &identity), HIPHOP_OK);
	return identity;
}

/* Asked by RSA, the identity that is RSA answers; not the first, and no anonymous one. */
/* conforms: RFC7401-4.1.8-1 */
static void the_suite_of_the_initiator_answers(void **state)
{
	struct simulation simulation;
	struct hit asker, first, rsa;

	(void)state;
	start_nameless(&simulation);
	first = first_hit(&simulation, 0);
	simulation_add_identity(&simulation, 0, rsa_identity(), true);
	rsa = simulation_add_identity(&simulation, 0, rsa_identity(), false);
	host_identity_free(simulation.hosts[1].identity);
	simulation.hosts[1].identity = rsa_identity();
	asker = first_hit(&simulation, 1);
	simulation_boot(&simulation, 0);
	simulation_boot(&simulation, 1);
	simulation_run(&simulation, SECONDS(5));
	assert_true(are_associated(&simulation, 1, &asker, &rsa));
	assert_false(are_associated(&simulation, 1, &asker, &first));
	simulation_free(&simulation);
}

/* Asked by a suite that it does not have, a host answers by the one that everybody must have. */
/* conforms: RFC7401-6.7-9 */
static void without_the_suite_of_the_initiator_rsa_answers(void **state)
{
	static const struct algorithm_list suites = {
		.ids = {HIT_SUITE_ECDSA_SHA384, HIT_SUITE_RSA_DSA_SHA256, HIT_SUITE_ECDSA_LOW_SHA1}, .count = 3};
	struct simulation simulation;
	struct hit asker, rsa;

	(void)state;
	start_nameless(&simulation);
	rsa = simulation_add_identity(&simulation, 0, rsa_identity(), false);
	simulation.hosts[0].configuration.hit_suites = simulation.hosts[1].configuration.hit_suites = suites;
	host_identity_free(simulation.hosts[1].identity);
	assert_int_equal(host_identity_generate(HOST_IDENTITY_ECDSA_LOW, &simulation.hosts[1].identity), HIPHOP_OK);
	asker = first_hit(&simulation, 1);
	simulation_boot(&simulation, 0);
	simulation_boot(&simulation, 1);
	simulation_run(&simulation, SECONDS(5));
	assert_true(are_associated(&simulation, 1, &asker, &rsa));
	simulation_free(&simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_has_three_identities),
		cmocka_unit_test(each_identity_answers),
		cmocka_unit_test(only_the_first_is_in_the_overlay),
		cmocka_unit_test(identities_are_listed),
		cmocka_unit_test(what_cannot_be_pinged),
		cmocka_unit_test(an_anonymous_identity_is_stored_nowhere),
		cmocka_unit_test(the_first_finds_peers_for_the_second_alone),
		cmocka_unit_test(a_peer_that_nobody_finds),
		cmocka_unit_test(opportunistic_mode_is_a_choice),
		cmocka_unit_test(the_suite_of_the_initiator_answers),
		cmocka_unit_test(without_the_suite_of_the_initiator_rsa_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
