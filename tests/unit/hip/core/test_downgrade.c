/* SPDX-License-Identifier: MIT */
/* Somebody on the way, or the other end itself, wants worse algorithms than both ends have (RFC 7401 section 4.1.7). */
#include "host_network.h"

#include "hip/wire/coverage.h"

/* ---- changing a list in a packet ---- */

struct attack {
	uint8_t type;              /* of packet */
	uint16_t parameter;        /* whose contents are changed */
	size_t place, length;      /* in the contents */
	uint8_t octets[8];         /* what stands there then */
	struct host_identity *key; /* signs R1 again when it is not NULL */
	unsigned times;            /* how often; 0: always */
	unsigned done;
};

static void sign_r1_again(struct flying *packet, const struct host_identity *key)
{
	struct packet_view view;
	struct coverage coverage;
	const struct parameter_view *signature;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	assert_int_equal(coverage_of_signature_2(&view, &coverage), HIPHOP_OK);
	signature = packet_find(&view, PARAMETER_HIP_SIGNATURE_2);
	/* behind Type, Length and the algorithm */
	assert_int_equal(
		host_identity_sign(key, coverage.spans, coverage.count, packet->octets + signature->offset + 6),
		HIPHOP_OK);
}

static packet_fate commit_attack(struct network *network, struct flying *packet)
{
	struct attack *attack = network->fate_context;
	const struct parameter_view *parameter;
	struct packet_view view;

	if (flying_type(packet) != attack->type || (attack->times && attack->done >= attack->times))
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	parameter = packet_find(&view, attack->parameter);
	assert_non_null(parameter);
	assert_true(attack->place + attack->length <= parameter->contents.length);
	memcpy(packet->octets + parameter->offset + 4 + attack->place, attack->octets, attack->length);
	if (attack->key)
		sign_r1_again(packet, attack->key);
	attack->done++;
	return FATE_PASS;
}

/* ---- two hosts that can do much, the best first ---- */

static void give_lists(struct host_configuration *configuration)
{
	static const uint8_t groups[] = {7, 8, 11, 3};

	memcpy(configuration->dh_groups, groups, sizeof groups);
	configuration->dh_group_count = sizeof groups;
	memcpy(configuration->hip_ciphers, (uint8_t[]){4, 2}, 2);
	configuration->hip_cipher_count = 2;
	memcpy(configuration->esp_suites, (uint8_t[]){13, 9, 8, 1}, 4);
	configuration->esp_suite_count = 4;
}

static struct network *make_hosts(packet_fate (*fate)(struct network *network, struct flying *packet), void *context)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	for (size_t i = 0; i < 2; i++) {
		network_crash(network, i);
		give_lists(&network->hosts[i].configuration);
		network_boot(network, i);
	}
	network->fate = fate;
	network->fate_context = context;
	network_introduce(network, 0, 1);
	return network;
}

static struct network *make_pair(struct attack *attack)
{
	struct network *network = make_hosts(commit_attack, attack);

	network_connect(network, 0, 1);
	return network;
}

static uint64_t counted(struct network *network, size_t index, host_counter counter)
{
	return host_counter_value(network->hosts[index].host, counter);
}

static void expect_refusal(struct network *network, hiphop_error reason)
{
	network_run(network, SECONDS(20));
	assert_int_equal(network->hosts[0].usable, 0);
	assert_int_equal(network->hosts[0].failed, 1);
	assert_int_equal(network->hosts[0].last.reason, reason);
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I2], 0);
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
}

/* ---- the list of the I1, which nothing protects ---- */

/* Each of its other groups, also when it could be the Responder's own choice. */
/* conforms: RFC7401-4.1.3-1 RFC7401-6.8-14 RFC7401-6.6-1 */
static void a_changed_list_in_every_i1(void **state)
{
	static const uint8_t groups[] = {8, 11, 3};

	(void)state;
	for (size_t i = 0; i < sizeof groups; i++) {
		struct attack attack = {.type = HIP_PACKET_I1, .parameter = PARAMETER_DH_GROUP_LIST, .length = 4};
		struct network *network;

		memset(attack.octets, groups[i], 4);
		network = make_pair(&attack);
		expect_refusal(network, HIPHOP_DOWNGRADED);
		assert_true(counted(network, 0, HOST_COUNT_DROP_DOWNGRADE) > 0);
		network_free(network);
	}
}

/* The Responder's order counts, so another order of the same groups changes nothing. */
static void another_order_in_the_i1_does_not_matter(void **state)
{
	struct attack attack = {
		.type = HIP_PACKET_I1, .parameter = PARAMETER_DH_GROUP_LIST, .length = 4, .octets = {3, 11, 8, 7}};
	struct network *network = make_pair(&attack);
	struct host_association_view view;

	(void)state;
	network_run(network, SECONDS(1));
	assert_true(host_association_find(network->hosts[0].host, &network->hosts[1].hit, &view));
	assert_string_equal(view.dh_group, "p-256");
	assert_int_equal(counted(network, 0, HOST_COUNT_DROP_DOWNGRADE), 0);
	network_free(network);
}

/* All the octets of an I1's list, as it left. */
struct watched_list {
	size_t count;
	struct parameter_octet_list lists[8];
	struct attack attack;
};

static packet_fate watch_i1(struct network *network, struct flying *packet)
{
	struct watched_list *watched = network->fate_context;
	struct packet_view view;
	packet_fate fate;

	if (flying_type(packet) == HIP_PACKET_I1) {
		assert_true(watched->count < 8);
		assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
		assert_int_equal(parameter_dh_group_list_read(packet_find(&view, PARAMETER_DH_GROUP_LIST),
					 &watched->lists[watched->count++]),
			HIPHOP_OK);
	}
	network->fate_context = &watched->attack;
	fate = commit_attack(network, packet);
	network->fate_context = watched;
	return fate;
}

static struct network *make_watched_pair(struct watched_list *watched)
{
	struct network *network = make_hosts(watch_i1, watched);

	watched->attack = (struct attack){.type = HIP_PACKET_I1,
		.parameter = PARAMETER_DH_GROUP_LIST,
		.length = 4,
		.octets = {3, 3, 3, 3},
		.times = watched->attack.times};
	network_connect(network, 0, 1);
	return network;
}

/* An exchange sends so many I1s and no more, whatever is done to them, and never a shorter list. */
/* conforms: RFC7401-6.8-15 RFC7401-4.1.3-1 */
static void restarts_are_few_and_ask_for_no_less(void **state)
{
	struct watched_list watched = {.count = 0};
	struct network *network = make_watched_pair(&watched);

	(void)state;
	expect_refusal(network, HIPHOP_DOWNGRADED);
	assert_int_equal(watched.count, 6); /* four tries, two restarts */
	assert_int_equal(counted(network, 0, HOST_COUNT_DOWNGRADE_RESTARTS), 2);
	assert_int_equal(counted(network, 0, HOST_COUNT_DROP_DOWNGRADE), 6);
	for (size_t i = 0; i < watched.count; i++) {
		assert_int_equal(watched.lists[i].count, 4);
		assert_memory_equal(watched.lists[i].items, ((uint8_t[]){7, 8, 11, 3}), 4);
	}
	network_free(network);
}

/* Once the attacker is gone, the restarted exchange stands, without waiting for a timer. */
static void a_restart_outlives_the_attack(void **state)
{
	struct watched_list watched = {.attack = {.times = 1}};
	struct network *network = make_watched_pair(&watched);
	struct host_association_view view;

	(void)state;
	network_run(network, MILLISECONDS(500));
	assert_int_equal(watched.count, 2);
	assert_true(host_association_find(network->hosts[0].host, &network->hosts[1].hit, &view));
	assert_true(view.usable);
	assert_string_equal(view.dh_group, "p-256");
	assert_int_equal(counted(network, 0, HOST_COUNT_DROP_DOWNGRADE), 1);
	network_free(network);
}

/* ---- an R1 of the same host that was caught elsewhere ---- */

struct caught {
	struct flying r1;
	bool full;
	struct attack attack;
};

static packet_fate catch_r1(struct network *network, struct flying *packet)
{
	struct caught *caught = network->fate_context;

	if (flying_type(packet) == HIP_PACKET_R1 && !caught->full) {
		caught->r1 = *packet;
		caught->full = true;
	}
	network->fate_context = &caught->attack;
	commit_attack(network, packet);
	network->fate_context = caught;
	return FATE_PASS;
}

/* It is well signed and for us, and its group is not the best; it must not end an exchange that goes well. */
/* conforms: RFC7401-6.8-13 */
static void an_old_r1_with_another_group_ends_nothing(void **state)
{
	struct caught caught = {.attack = {.type = HIP_PACKET_I1,
					.parameter = PARAMETER_DH_GROUP_LIST,
					.length = 4,
					.octets = {3, 3, 3, 3},
					.times = 1}};
	struct network *network = make_hosts(catch_r1, &caught);
	struct host_arrival arrival;

	(void)state;
	network_associate(network, 0, 1);
	assert_true(caught.full);
	network_crash(network, 0);
	network_boot(network, 0);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	arrival = (struct host_arrival){.local = caught.r1.destination, .remote = caught.r1.source};
	for (size_t i = 0; i < 20; i++)
		host_input(network->hosts[0].host, network->now, &arrival, caught.r1.octets, caught.r1.length);
	network_drain(network, &network->hosts[0]);
	assert_int_equal(counted(network, 0, HOST_COUNT_DROP_DOWNGRADE), 20);
	assert_int_equal(counted(network, 0, HOST_COUNT_DOWNGRADE_RESTARTS), 2);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	assert_int_equal(network->hosts[0].failed, 0);
	network_free(network);
}

/* ---- the lists of the R1, which its signature protects ---- */

static const struct attack list_attacks[] = {
	{.type = HIP_PACKET_R1, .parameter = PARAMETER_DH_GROUP_LIST, .length = 1, .octets = {3}},
	{.type = HIP_PACKET_R1, .parameter = PARAMETER_HIP_CIPHER, .length = 4, .octets = {0, 2, 0, 2}},
	{.type = HIP_PACKET_R1, .parameter = PARAMETER_HIT_SUITE_LIST, .length = 1, .octets = {0x30}},
	{.type = HIP_PACKET_R1, .parameter = PARAMETER_ESP_TRANSFORM, .place = 2, .length = 6, .octets = {0, 1, 0, 1}},
	{.type = HIP_PACKET_R1, .parameter = PARAMETER_TRANSPORT_FORMAT_LIST, .length = 2, .octets = {8, 2}},
};

/* conforms: RFC7401-4.1.3-2 RFC7401-4.1.3-3 */
static void a_changed_r1_is_ignored_in_silence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof list_attacks / sizeof list_attacks[0]; i++) {
		struct attack attack = list_attacks[i];
		struct network *network = make_pair(&attack);

		expect_refusal(network, HIPHOP_TIMEOUT);
		assert_int_equal(counted(network, 0, HOST_COUNT_DROP_SIGNATURE), 4);
		assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_NOTIFY], 0);
		/* only the timer sent them */
		assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 4);
		network_free(network);
	}
}

/* One such packet among good ones does no harm. */
static void a_good_r1_behind_a_changed_one_is_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof list_attacks / sizeof list_attacks[0]; i++) {
		struct attack attack = list_attacks[i];
		struct network *network;

		attack.times = 1;
		network = make_pair(&attack);
		network_run(network, SECONDS(3));
		assert_true(network_esp(network, 0, 1));
		network_free(network);
	}
}

/* ---- a Responder that lies in what it signs ---- */

struct lie {
	struct attack attack;
	hiphop_error reason;
	uint16_t told; /* 0: nothing */
};

static void expect_lie_is_refused(const struct lie *lie, size_t number)
{
	struct attack attack = lie->attack;
	struct network *network = make_pair(&attack);

	/* In flight after make_pair there is only an I1. */
	attack.key = network->hosts[1].identity;
	expect_refusal(network, lie->reason);
	assert_int_equal(counted(network, 0, HOST_COUNT_DROP_SIGNATURE), 0);
	if (network->hosts[0].last_notification != lie->told)
		fail_msg("lie %zu: told %u", number, network->hosts[0].last_notification);
	network_free(network);
}

/* conforms: RFC7401-6.8-12 RFC7401-6.8-14 RFC7401-5.2.10-1 RFC7401-5.2.8-5 RFC7401-5.2.11-2 RFC7402-3.3.5-4 */
static void a_lying_responder_is_refused(void **state)
{
	static const struct lie lies[] = {
		/* a group that is not the first in common */
		{{.type = HIP_PACKET_R1, .parameter = PARAMETER_DH_GROUP_LIST, .length = 4, .octets = {8, 7, 11, 3}},
			HIPHOP_DOWNGRADED, 0},
		{{.type = HIP_PACKET_R1, .parameter = PARAMETER_DH_GROUP_LIST, .length = 1, .octets = {3}},
			HIPHOP_DOWNGRADED, 0},
		/* no group in common, although that of DIFFIE_HELLMAN is one of ours */
		{{.type = HIP_PACKET_R1, .parameter = PARAMETER_DH_GROUP_LIST, .length = 4, .octets = {4, 9, 10, 99}},
			HIPHOP_NO_PROPOSAL, NOTIFY_NO_DH_PROPOSAL_CHOSEN},
		/* HIT Suites: not ours; ours, but in the wrong four bits */
		{{.type = HIP_PACKET_R1, .parameter = PARAMETER_HIT_SUITE_LIST, .length = 2, .octets = {0x30, 0x10}},
			HIPHOP_NO_PROPOSAL, NOTIFY_UNSUPPORTED_HIT_SUITE},
		{{.type = HIP_PACKET_R1, .parameter = PARAMETER_HIT_SUITE_LIST, .length = 2, .octets = {0x20, 0x12}},
			HIPHOP_NO_PROPOSAL, NOTIFY_UNSUPPORTED_HIT_SUITE},
		/* HIP ciphers: NULL, and one that nobody has */
		{{.type = HIP_PACKET_R1, .parameter = PARAMETER_HIP_CIPHER, .length = 4, .octets = {0, 1, 0, 3}},
			HIPHOP_NO_PROPOSAL, NOTIFY_NO_HIP_PROPOSAL_CHOSEN},
		/* ESP suites: none that encrypts */
		{{.type = HIP_PACKET_R1,
			 .parameter = PARAMETER_ESP_TRANSFORM,
			 .place = 2,
			 .length = 8,
			 .octets = {0, 7, 0, 14, 0, 15, 0, 2}},
			HIPHOP_NO_PROPOSAL, NOTIFY_NO_ESP_PROPOSAL_CHOSEN},
		/* no transport format that we have; its parameter is of no use then */
		{{.type = HIP_PACKET_R1,
			 .parameter = PARAMETER_TRANSPORT_FORMAT_LIST,
			 .length = 2,
			 .octets = {0x08, 0x02}},
			HIPHOP_NO_PROPOSAL, NOTIFY_NO_ESP_PROPOSAL_CHOSEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
		expect_lie_is_refused(&lies[i], i);
}

/* The Responder's order of ciphers and suites counts: re-signed with another order, another one is agreed. */
static void the_order_of_the_responder_counts(void **state)
{
	struct attack attack = {.type = HIP_PACKET_R1,
		.parameter = PARAMETER_ESP_TRANSFORM,
		.place = 2,
		.length = 8,
		.octets = {0, 9, 0, 13, 0, 8, 0, 1}};
	struct network *network = make_pair(&attack);
	struct host_association_view view;

	(void)state;
	attack.key = network->hosts[1].identity;
	network_run(network, SECONDS(1));
	assert_true(host_association_find(network->hosts[0].host, &network->hosts[1].hit, &view));
	assert_string_equal(view.suite, esp_suite_by_id(ESP_SUITE_AES_256_CBC_HMAC_SHA256)->name);
	network_free(network);
}

/* ---- opportunistic ---- */

static void a_downgrade_of_an_opportunistic_exchange(void **state)
{
	struct attack attack = {
		.type = HIP_PACKET_I1, .parameter = PARAMETER_DH_GROUP_LIST, .length = 4, .octets = {3, 3, 3, 3}};
	struct network *network = make_hosts(commit_attack, &attack);
	struct endpoint endpoint = network_endpoint(network, 1);

	(void)state;
	assert_int_equal(host_connect_opportunistic(network->hosts[0].host, network->now, &endpoint), HIPHOP_OK);
	expect_refusal(network, HIPHOP_DOWNGRADED);
	assert_int_equal(network->hosts[0].learnt_count, 0);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_list_in_every_i1),
		cmocka_unit_test(another_order_in_the_i1_does_not_matter),
		cmocka_unit_test(restarts_are_few_and_ask_for_no_less),
		cmocka_unit_test(a_restart_outlives_the_attack),
		cmocka_unit_test(an_old_r1_with_another_group_ends_nothing),
		cmocka_unit_test(a_changed_r1_is_ignored_in_silence),
		cmocka_unit_test(a_good_r1_behind_a_changed_one_is_followed),
		cmocka_unit_test(a_lying_responder_is_refused),
		cmocka_unit_test(the_order_of_the_responder_counts),
		cmocka_unit_test(a_downgrade_of_an_opportunistic_exchange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
