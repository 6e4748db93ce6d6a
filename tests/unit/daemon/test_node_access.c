/* SPDX-License-Identifier: MIT */
#include "daemon/node_access.h"

#include "daemon/node_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct hit alice = {{0x20, 0x01, 0x00, 0x22, 1}};
static const struct hit bob = {{0x20, 0x01, 0x00, 0x22, 2}};

/* A node that knows alice by hand, and has bob pinned. */
struct world {
	struct configuration configuration;
	struct configured_host hosts[1];
	struct host_identity *identity;
	struct seeded_random generator;
	struct random_source random;
	struct node *node;
};

static bool no_source(void *context, const struct address *remote, struct address *source)
{
	(void)context;
	(void)remote;
	(void)source;
	return false;
}

static int start(void **state)
{
	static struct world world;
	struct node_environment environment = {
		.configuration = &world.configuration, .random = &world.random, .source_address = no_source};

	memset(&world, 0, sizeof world);
	world.random = seeded_random_start(&world.generator, 1);
	assert_int_equal(configuration_default(&world.configuration), HIPHOP_OK);
	strcpy(world.hosts[0].name, "alice.example.com");
	world.hosts[0].hit = alice;
	free(world.configuration.hosts);
	world.configuration.hosts = world.hosts;
	world.configuration.host_count = 1;
	assert_int_equal(host_identity_from_seed(&world.random, &world.identity), HIPHOP_OK);
	environment.identity = world.identity;
	assert_int_equal(node_create(&environment, SECONDS(1), 1000000, &world.node), HIPHOP_OK);
	assert_int_equal(node_pin_set(world.node, "bob@example.com", &bob), HIPHOP_OK);
	*state = &world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;

	node_free(world->node);
	host_identity_free(world->identity);
	world->configuration.hosts = NULL;
	configuration_free(&world->configuration);
	return 0;
}

static bool is_let_in_as(struct world *world, const struct hit *peer, const char *name)
{
	struct host_claim claim = {.proved = true};

	assert_int_equal(domain_identifier_from_text(name, &claim.name), HIPHOP_OK);
	return node_may_associate(world->node, SECONDS(1), peer, &claim);
}

static void a_name_stands_for_one_hit(void **state)
{
	struct world *world = *state;

	assert_true(is_let_in_as(world, &alice, "alice.example.com"));
	assert_false(is_let_in_as(world, &bob, "alice.example.com"));
	assert_true(is_let_in_as(world, &bob, "bob@example.com"));
	assert_true(is_let_in_as(world, &bob, "bob@EXAMPLE.com"));
	assert_false(is_let_in_as(world, &alice, "bob@example.com"));
	assert_true(is_let_in_as(world, &alice, "anybody.example.com"));
	assert_true(is_let_in_as(world, &alice, ""));
	assert_int_equal(world->node->policy.counters[ASSOCIATE_NAME], 2);
}

/* A word of a host about itself opens nothing. */
static void a_domain_identifier_is_no_proof(void **state)
{
	struct world *world = *state;
	static const struct hit carol = {{0x20, 0x01, 0x00, 0x22, 3}};
	struct access_rule rule;
	char complaint[128];

	assert_int_equal(
		access_rule_parse("allow with carol@example.com", &rule, complaint, sizeof complaint), HIPHOP_OK);
	assert_int_equal(access_insert(world->node->access, 0, &rule), HIPHOP_OK);
	assert_int_equal(access_rule_parse("deny associate", &rule, complaint, sizeof complaint), HIPHOP_OK);
	assert_int_equal(access_insert(world->node->access, 1, &rule), HIPHOP_OK);
	json_decref(node_access_apply(world->node, SECONDS(1)));
	assert_false(is_let_in_as(world, &carol, "carol@example.com"));
	assert_int_equal(node_pin_set(world->node, "carol@example.com", &carol), HIPHOP_OK);
	node_access_name_known(world->node, SECONDS(1), "carol@example.com");
	assert_true(is_let_in_as(world, &carol, ""));
}

/* Who reaches us through the overlay is of it, once proved; whom we begin with may turn out to be. */
static void the_overlay_makes_members(void **state)
{
	struct world *world = *state;
	struct access_rule rule;
	char complaint[128];
	struct host_claim direct = {.proved = true}, over_overlay = {.over_overlay = true}, ours = {.ours = true};

	assert_int_equal(access_rule_parse("deny with strangers", &rule, complaint, sizeof complaint), HIPHOP_OK);
	assert_int_equal(access_insert(world->node->access, 0, &rule), HIPHOP_OK);
	assert_false(node_may_associate(world->node, SECONDS(1), &alice, &direct));
	assert_true(node_may_associate(world->node, SECONDS(1), &alice, &ours));
	assert_true(node_may_associate(world->node, SECONDS(1), &alice, &over_overlay));
	assert_false(node_may_associate(world->node, SECONDS(1), &alice, &direct));
	over_overlay.proved = true;
	assert_true(node_may_associate(world->node, SECONDS(1), &alice, &over_overlay));
	assert_true(node_may_associate(world->node, SECONDS(1), &alice, &direct));
	assert_false(node_may_associate(world->node, SECONDS(1), &bob, &direct));
}

/* A certificate is asked for once there was an occasion to show it, and counts when it is valid. */
static void rules_ask_for_certificates(void **state)
{
	static const struct {
		bool proved;
		host_certificate_state state;
		host_permission permission;
	} cases[] = {
		{false, HOST_CERTIFICATE_UNKNOWN, HOST_UNCERTIFIED},
		{true, HOST_CERTIFICATE_PENDING, HOST_UNCERTIFIED},
		{true, HOST_CERTIFICATE_NONE, HOST_UNCERTIFIED},
		{true, HOST_CERTIFICATE_INVALID, HOST_UNCERTIFIED},
		{true, HOST_CERTIFICATE_VALID, HOST_ALLOWED},
	};
	struct world *world = *state;
	static const struct hit peer = {{0x20, 0x01, 0x00, 0x22, 0xcc}};
	const char *const words[] = {"deny with bob", "allow with certified", "deny with anyone"};
	const struct host_claim valid = {.proved = true, .certificate = HOST_CERTIFICATE_VALID};
	struct access_rule rule;
	char complaint[128];

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(access_rule_parse(words[i], &rule, complaint, sizeof complaint), HIPHOP_OK);
		rule.hit = bob;
		assert_int_equal(access_insert(world->node->access, i, &rule), HIPHOP_OK);
	}
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct host_claim claim = {.proved = cases[i].proved, .certificate = cases[i].state};

		assert_int_equal(node_may_associate(world->node, SECONDS(1), &peer, &claim), cases[i].permission);
	}
	/* Those that are left when all was shown. */
	assert_int_equal(world->node->policy.counters[ASSOCIATE_UNCERTIFIED], 2);
	/* A rule that comes first, or is against all, is not bought off. */
	assert_int_equal(node_may_associate(world->node, SECONDS(1), &bob, &valid), HOST_DENIED);
	assert_int_equal(access_remove(world->node->access, 1), HIPHOP_OK);
	assert_int_equal(node_may_associate(world->node, SECONDS(1), &peer, &valid), HOST_DENIED);
}

static void what_is_remembered_of_members_is_bounded(void **state)
{
	struct world *world = *state;
	struct hit peer = alice;
	const struct host_claim claim = {.proved = true, .over_overlay = true};

	for (uint32_t i = 0; i < NODE_MET_MAXIMUM + 100; i++) {
		peer.octets[14] = (uint8_t)(i >> 8);
		peer.octets[15] = (uint8_t)i;
		assert_true(node_may_associate(world->node, SECONDS(1), &peer, &claim));
	}
	assert_int_equal(world->node->policy.met.count, NODE_MET_MAXIMUM);
	assert_non_null(map_get(&world->node->policy.met, &peer));
	assert_null(map_get(&world->node->policy.met, &alice));
}

/* How many events of this name wait to be told; they are taken out. `suppressed` adds up what was left out. */
static size_t take_events(struct world *world, const char *name, json_int_t *suppressed)
{
	struct node_effect effect;
	size_t count = 0;

	while (node_next_effect(world->node, &effect)) {
		json_t *event = effect.kind == NODE_REPLY ? json_loads(effect.text, 0, NULL) : NULL;
		const char *text = json_string_value(json_object_get(event, "event"));

		if (text && strcmp(text, name) == 0) {
			count++;
			*suppressed += json_integer_value(json_object_get(event, "suppressed"));
		}
		json_decref(event);
	}
	return count;
}

static void refusals_are_told_now_and_then(void **state)
{
	struct world *world = *state;
	const struct host_claim claim = {.proved = false};
	json_int_t suppressed = 0;
	struct access_rule rule;
	char complaint[128];
	json_t *monitor = json_pack("{s:s}", "command", "monitor");

	node_command(world->node, SECONDS(1), 7, monitor);
	json_decref(monitor);
	assert_int_equal(access_rule_parse("deny associate", &rule, complaint, sizeof complaint), HIPHOP_OK);
	assert_int_equal(access_insert(world->node->access, 0, &rule), HIPHOP_OK);
	for (int i = 0; i < 1000; i++)
		assert_false(node_may_associate(world->node, SECONDS(1), &alice, &claim));
	assert_int_equal(take_events(world, "refused", &suppressed), 20);
	assert_false(node_may_associate(world->node, SECONDS(5), &alice, &claim));
	assert_int_equal(take_events(world, "refused", &suppressed), 1);
	assert_int_equal(suppressed, 980);
	assert_int_equal(world->node->policy.counters[ASSOCIATE_BY_RULE], 1001);
}

static void stored_rules_come_back_in_order(void **state)
{
	struct world *world = *state;
	static const char text[] =
		"deny associate with bob@example.com\nthis is no rule\n\nallow in tcp/22 from anyone\n";
	struct node_record record = {"access", "rules", (const uint8_t *)text, sizeof text - 1, 0};
	const struct access_rule *rules;
	json_t *trouble = json_array();
	size_t count;

	node_restore(world->node, &record);
	node_start(world->node, SECONDS(1));
	rules = access_rules(world->node->access, &count);
	assert_int_equal(access_own_count(world->node->access), 2);
	assert_true(hit_equal(&rules[0].hit, &bob));
	assert_int_equal(rules[1].first_port, 22);
	assert_int_equal(count, 5);
	node_access_trouble(world->node, trouble);
	assert_int_equal(json_array_size(trouble), 0);
	json_decref(trouble);
}

static void a_rule_about_nobody_is_trouble(void **state)
{
	struct world *world = *state;
	static const char text[] = "deny associate with dave@example.com\n";
	struct node_record record = {"access", "rules", (const uint8_t *)text, sizeof text - 1, 0};
	json_t *trouble = json_array();

	node_restore(world->node, &record);
	node_start(world->node, SECONDS(1));
	node_access_trouble(world->node, trouble);
	assert_int_equal(json_array_size(trouble), 1);
	assert_non_null(strstr(json_string_value(json_array_get(trouble, 0)), "dave@example.com stands for no HIT"));
	json_decref(trouble);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_stands_for_one_hit, start, stop),
		cmocka_unit_test_setup_teardown(a_domain_identifier_is_no_proof, start, stop),
		cmocka_unit_test_setup_teardown(the_overlay_makes_members, start, stop),
		cmocka_unit_test_setup_teardown(rules_ask_for_certificates, start, stop),
		cmocka_unit_test_setup_teardown(what_is_remembered_of_members_is_bounded, start, stop),
		cmocka_unit_test_setup_teardown(refusals_are_told_now_and_then, start, stop),
		cmocka_unit_test_setup_teardown(stored_rules_come_back_in_order, start, stop),
		cmocka_unit_test_setup_teardown(a_rule_about_nobody_is_trouble, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
