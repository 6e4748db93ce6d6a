/* SPDX-License-Identifier: MIT */
/* Packets that were changed, repeated or chosen badly on the way: nothing may come of them. */
#include "host_network.h"

#include "hip/wire/builder.h"

/* ---- catching a packet and handing it over changed ---- */

struct trap {
	uint8_t type;
	struct flying caught;
	bool full;
};

static packet_fate catch_first(struct network *network, struct flying *packet)
{
	struct trap *trap = network->fate_context;

	if (trap->full || flying_type(packet) != trap->type)
		return FATE_PASS;
	trap->caught = *packet;
	trap->full = true;
	return FATE_LOSE;
}

static struct network_host *receiver_of(struct network *network, const struct flying *packet)
{
	for (size_t i = 0; i < network->count; i++) {
		if (address_equal(&network->hosts[i].address, &packet->destination.address))
			return &network->hosts[i];
	}
	fail();
	return NULL;
}

static void hand_over(struct network *network, const struct flying *packet, const uint8_t *octets, size_t length)
{
	struct network_host *to = receiver_of(network, packet);
	const struct host_arrival arrival = {.local = packet->destination, .remote = packet->source};

	host_input(to->host, network->now, &arrival, octets, length);
	network_drain(network, to);
}

/* What must not change. */
struct snapshot {
	size_t associations;
	host_state state;
	uint32_t spi_in;
	unsigned changes, sas;
};

static struct snapshot look(struct network_host *self, const struct hit *peer)
{
	struct host_association_view view = {.state = HOST_UNASSOCIATED};
	struct snapshot snapshot = {.associations = host_association_count(self->host),
		.changes = self->changes,
		.sas = network_sa_count(self)};

	host_association_find(self->host, peer, &view);
	snapshot.state = view.state;
	snapshot.spi_in = view.spi_in;
	return snapshot;
}

static bool is_same(const struct snapshot *a, const struct snapshot *b)
{
	return a->associations == b->associations && a->state == b->state && a->spi_in == b->spi_in &&
	       a->changes == b->changes && a->sas == b->sas;
}

/* Octets that neither MAC nor signature cover in this packet: in R1 Opaque and #I, and the last padding. */
static bool is_uncovered(const struct packet_view *view, size_t place)
{
	const struct parameter_view *puzzle = packet_find(view, PARAMETER_PUZZLE);
	const struct parameter_view *last = &view->parameters.items[view->parameters.count - 1];

	if (view->type == HIP_PACKET_R1 && puzzle && place >= puzzle->offset + 6U &&
		place < puzzle->offset + puzzle->encoded.length)
		return true;
	return place >= last->offset + 4U + last->contents.length;
}

static void change_every_octet(struct network *network, const struct trap *trap)
{
	struct network_host *to = receiver_of(network, &trap->caught);
	const struct hit *peer = &network->hosts[trap->caught.from].hit;
	uint8_t changed[NETWORK_MAXIMUM];
	struct packet_view view;
	struct snapshot before = look(to, peer), after;

	assert_int_equal(packet_parse(trap->caught.octets, trap->caught.length, &view), HIPHOP_OK);
	for (size_t place = 0; place < trap->caught.length; place++) {
		if (is_uncovered(&view, place))
			continue;
		memcpy(changed, trap->caught.octets, trap->caught.length);
		changed[place] ^= (uint8_t)(1U << (place % 8));
		/* Time goes on, so that it is not the rates that refuse. */
		network->now += MILLISECONDS(20);
		hand_over(network, &trap->caught, changed, trap->caught.length);
		after = look(to, peer);
		if (!is_same(&before, &after))
			fail_msg("octet %zu of %s", place, hip_packet_type_name(trap->type));
	}
	for (size_t length = 0; length < trap->caught.length; length++) {
		network->now += MILLISECONDS(20);
		hand_over(network, &trap->caught, trap->caught.octets, length);
		after = look(to, peer);
		assert_true(is_same(&before, &after));
	}
}

static void exchange_with_every_octet_changed(uint8_t type)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct trap trap = {.type = type};

	network->fate = catch_first;
	network->fate_context = &trap;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_true(trap.full);
	change_every_octet(network, &trap);
	/* The packet itself is still welcome. */
	hand_over(network, &trap.caught, trap.caught.octets, trap.caught.length);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

/* conforms: RFC7401-5.3.2-12 RFC7401-6.8-8 RFC7401-6.8-10 */
static void every_octet_of_r1(void **state)
{
	(void)state;
	exchange_with_every_octet_changed(HIP_PACKET_R1);
}

/* conforms: RFC7401-5.3.3-9 RFC7401-6.9-14 */
static void every_octet_of_i2(void **state)
{
	(void)state;
	exchange_with_every_octet_changed(HIP_PACKET_I2);
}

/* conforms: RFC7401-6.10-2 RFC7401-6.10-4 */
static void every_octet_of_r2(void **state)
{
	(void)state;
	exchange_with_every_octet_changed(HIP_PACKET_R2);
}

/* conforms: RFC7401-5.3.8-2 */
static void every_octet_of_close(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct trap trap = {.type = HIP_PACKET_CLOSE}, answer = {.type = HIP_PACKET_CLOSE_ACK};

	(void)state;
	network_associate(network, 0, 1);
	network->fate = catch_first;
	network->fate_context = &trap;
	host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
	network_drain(network, &network->hosts[0]);
	change_every_octet(network, &trap);
	network->fate_context = &answer;
	hand_over(network, &trap.caught, trap.caught.octets, trap.caught.length);
	assert_int_equal(network_state(network, 1, 0), HOST_CLOSED);
	change_every_octet(network, &answer);
	hand_over(network, &answer.caught, answer.caught.octets, answer.caught.length);
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
	network_free(network);
}

static void every_octet_of_update(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct trap trap = {.type = HIP_PACKET_UPDATE}, answer = {.type = HIP_PACKET_UPDATE};
	struct network_host *b = &network->hosts[1];

	(void)state;
	network_associate(network, 0, 1);
	network->fate = catch_first;
	network->fate_context = &trap;
	network->hosts[0].sent[1] = network->now + 1;
	network_run(network, SECONDS(3));
	assert_true(trap.full);
	change_every_octet(network, &trap);
	assert_int_equal(b->out_of_type[HIP_PACKET_UPDATE], 1); /* to the repetition that was not caught */
	network->fate_context = &answer;
	hand_over(network, &trap.caught, trap.caught.octets, trap.caught.length);
	assert_int_equal(b->out_of_type[HIP_PACKET_UPDATE], 2);
	change_every_octet(network, &answer);
	network_free(network);
}

/* ---- the puzzle ---- */

static packet_fate spoil_solution(struct network *network, struct flying *packet)
{
	struct packet_view view;
	const struct parameter_view *solution;

	if (flying_type(packet) != HIP_PACKET_I2)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	solution = packet_find(&view, PARAMETER_SOLUTION);
	/* in #J, behind Type, Length, #K, Reserved, Opaque and #I of 48 octets */
	packet->octets[solution->offset + 8U + 48U + network->fate_counter++] ^= 0xff;
	return FATE_PASS;
}

/* conforms: RFC7401-6.9-9 */
static void a_wrong_solution_costs_nothing(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *b = &network->hosts[1];

	(void)state;
	network_crash(network, 1);
	b->configuration.puzzle_difficulty = 16;
	network_boot(network, 1);
	network->fate = spoil_solution;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(30));
	assert_int_equal(host_counter_value(b->host, HOST_COUNT_DROP_PUZZLE), 4);
	assert_int_equal(host_association_count(b->host), 0);
	assert_int_equal(network->hosts[0].failed, 1);
	network_free(network);
}

/* ---- repeated packets ---- */

struct recorder {
	uint8_t type;
	size_t count;
	struct flying packets[4];
};

static packet_fate record(struct network *network, struct flying *packet)
{
	struct recorder *recorder = network->fate_context;

	if (flying_type(packet) == recorder->type && recorder->count < 4)
		recorder->packets[recorder->count++] = *packet;
	return FATE_PASS;
}

static void an_old_i2_changes_nothing(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *b = &network->hosts[1];
	struct recorder *recorder = calloc(1, sizeof *recorder);
	unsigned changes;

	(void)state;
	recorder->type = HIP_PACKET_I2;
	network->fate = record;
	network->fate_context = recorder;
	network_associate(network, 0, 1);
	/* the I2 of the present session is answered with the same R2 */
	hand_over(network, &recorder->packets[0], recorder->packets[0].octets, recorder->packets[0].length);
	assert_int_equal(b->out_of_type[HIP_PACKET_R2], 2);
	network_crash(network, 0);
	network_boot(network, 0);
	network_associate(network, 0, 1);
	assert_int_equal(recorder->count, 2);
	/* that of the one before is a replay, once it cannot just be late */
	network_run(network, SECONDS(3));
	changes = b->changes;
	hand_over(network, &recorder->packets[0], recorder->packets[0].octets, recorder->packets[0].length);
	assert_int_equal(host_counter_value(b->host, HOST_COUNT_DROP_REPLAYED), 1);
	assert_int_equal(b->changes, changes);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	free(recorder);
	network_free(network);
}

static void an_old_close_changes_nothing(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct recorder *recorder = calloc(1, sizeof *recorder);

	(void)state;
	recorder->type = HIP_PACKET_CLOSE;
	network->fate = record;
	network->fate_context = recorder;
	network_associate(network, 0, 1);
	host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
	network_run(network, SECONDS(1));
	network_associate(network, 0, 1);
	hand_over(network, &recorder->packets[0], recorder->packets[0].octets, recorder->packets[0].length);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	free(recorder);
	network_free(network);
}

/* conforms: RFC7401-6.8-1 RFC7401-6.8-3 RFC7401-6.8-5 RFC7401-6.8-7 */
static void unasked_packets_are_dropped(void **state)
{
	static const uint8_t types[] = {HIP_PACKET_R1, HIP_PACKET_R2, HIP_PACKET_I2};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct network *network = network_make(2, TRANSPORT_UDP);
		struct recorder *recorder = calloc(1, sizeof *recorder);
		struct network_host *to;

		recorder->type = types[i];
		network->fate = record;
		network->fate_context = recorder;
		network_associate(network, 0, 1);
		to = receiver_of(network, &recorder->packets[0]);
		network_crash(network, to->index);
		network_boot(network, to->index);
		hand_over(network, &recorder->packets[0], recorder->packets[0].octets, recorder->packets[0].length);
		assert_int_equal(host_association_count(to->host), 0);
		free(recorder);
		network_free(network);
	}
}

/* ---- choices ---- */

static packet_fate weaken_groups(struct network *network, struct flying *packet)
{
	struct packet_view view;
	const struct parameter_view *groups;

	(void)network;
	if (flying_type(packet) != HIP_PACKET_I1)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	groups = packet_find(&view, PARAMETER_DH_GROUP_LIST);
	memset(packet->octets + groups->offset + 4, DH_GROUP_NIST_P384, groups->contents.length);
	return FATE_PASS;
}

/* conforms: RFC7401-4.1.3-1 RFC7401-6.6-1 RFC7401-6.8-14 */
static void a_downgraded_group_is_noticed(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network->fate = weaken_groups;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(20));
	assert_true(host_counter_value(network->hosts[0].host, HOST_COUNT_DROP_DOWNGRADE) > 0);
	assert_int_equal(network->hosts[0].failed, 1);
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	network_free(network);
}

struct preferences {
	uint8_t groups[2], ciphers[2], suites[2];
};

static void prefer(struct network *network, size_t index, struct preferences preferences)
{
	struct host_configuration *configuration = &network->hosts[index].configuration;

	network_crash(network, index);
	memcpy(configuration->dh_groups, preferences.groups, 2);
	memcpy(configuration->hip_ciphers, preferences.ciphers, 2);
	memcpy(configuration->esp_suites, preferences.suites, 2);
	configuration->dh_group_count = configuration->esp_suite_count = 2;
	configuration->hip_cipher_count = preferences.ciphers[1] ? 2 : 1;
	network_boot(network, index);
}

/* conforms: RFC7401-5.2.6-1 RFC7401-5.2.6-2 */
static void the_best_in_common_is_chosen(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct host_association_view view;

	(void)state;
	prefer(network, 0, (struct preferences){{8, 3}, {2, 4}, {8, 13}});
	prefer(network, 1, (struct preferences){{7, 8}, {4, 2}, {9, 8}});
	network_associate(network, 0, 1);
	assert_true(host_association_find(network->hosts[0].host, &network->hosts[1].hit, &view));
	assert_string_equal(view.suite, esp_suite_by_id(ESP_SUITE_AES_128_CBC_HMAC_SHA256)->name);
	network_free(network);
}

static void nothing_in_common(void **state)
{
	static const struct preferences others[] = {
		{{8, 9}, {2, 4}, {13, 8}}, {{7, 3}, {1, 0}, {13, 8}}, {{7, 3}, {2, 4}, {12, 9}}};
	static const uint16_t told[] = {
		NOTIFY_NO_DH_PROPOSAL_CHOSEN, NOTIFY_NO_HIP_PROPOSAL_CHOSEN, NOTIFY_NO_ESP_PROPOSAL_CHOSEN};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct network *network = network_make(2, TRANSPORT_UDP);

		prefer(network, 0, (struct preferences){{7, 3}, {2, 4}, {13, 8}});
		prefer(network, 1, others[i]);
		network_introduce(network, 0, 1);
		network_connect(network, 0, 1);
		network_run(network, SECONDS(20));
		assert_int_equal(network->hosts[0].failed, 1);
		assert_int_equal(network->hosts[0].last_notification, told[i]);
		assert_int_equal(host_association_count(network->hosts[1].host), 0);
		network_free(network);
	}
}

/* ---- what the other end is told (RFC 7401 section 5.2.19) ---- */

struct spoiling {
	uint16_t parameter;
	size_t place; /* in its contents */
	uint8_t value;
	uint16_t told;
};

static packet_fate spoil_i2(struct network *network, struct flying *packet)
{
	const struct spoiling *spoiling = network->fate_context;
	struct packet_view view;

	if (flying_type(packet) != HIP_PACKET_I2)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	packet->octets[packet_find(&view, spoiling->parameter)->offset + 4 + spoiling->place] ^= spoiling->value;
	return FATE_PASS;
}

/* conforms: RFC7401-5.3.3-8 RFC7401-6.9-10 RFC7401-6.9-12 RFC7401-6.9-13 RFC7401-6.9-14 RFC7401-6.9.1-1
 * RFC7401-6.9.1-2 RFC7402-6.5-1 */
static void a_bad_i2_is_answered(void **state)
{
	static const struct spoiling spoilings[] = {
		{PARAMETER_DIFFIE_HELLMAN, 0, 7 ^ 9, NOTIFY_INVALID_DH_CHOSEN},
		{PARAMETER_DIFFIE_HELLMAN, 20, 1, 0},
		{PARAMETER_HIP_CIPHER, 1, 2 ^ 1, NOTIFY_INVALID_HIP_CIPHER_CHOSEN},
		{PARAMETER_TRANSPORT_FORMAT_LIST, 1, 1, NOTIFY_NO_ESP_PROPOSAL_CHOSEN},
		{PARAMETER_ESP_TRANSFORM, 3, 1, NOTIFY_INVALID_ESP_TRANSFORM_CHOSEN},
		{PARAMETER_HIP_TRANSPORT_MODE, 3, 1, NOTIFY_NO_VALID_HIP_TRANSPORT_MODE},
		{PARAMETER_HIP_MAC, 5, 1, NOTIFY_HIP_MAC_FAILED},
		{PARAMETER_HIP_SIGNATURE, 30, 1, NOTIFY_AUTHENTICATION_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof spoilings / sizeof spoilings[0]; i++) {
		struct network *network = network_make(2, TRANSPORT_UDP);
		struct spoiling spoiling = spoilings[i];

		network->fate = spoil_i2;
		network->fate_context = &spoiling;
		network_introduce(network, 0, 1);
		network_connect(network, 0, 1);
		network_run(network, MILLISECONDS(500));
		if (network->hosts[1].last_notification != spoiling.told)
			fail_msg("parameter %u: %u", spoiling.parameter, network->hosts[1].last_notification);
		assert_int_equal(host_association_count(network->hosts[1].host), 0);
		network_free(network);
	}
}

static void a_busy_responder_says_so(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);

	(void)state;
	network_crash(network, 0);
	network->hosts[0].configuration.i2_per_second = 1;
	network_boot(network, 0);
	for (size_t i = 1; i < 3; i++) {
		network_introduce(network, i, 0);
		network_connect(network, i, 0);
	}
	network_run(network, MILLISECONDS(500));
	assert_int_equal(network->hosts[0].usable, 1);
	assert_int_equal(network->hosts[0].last_notification, NOTIFY_RESPONDER_BUSY_PLEASE_RETRY);
	network_run(network, SECONDS(3));
	assert_int_equal(network->hosts[0].usable, 2);
	network_free(network);
}

static void accept_weak_identities(struct network *network)
{
	for (size_t i = 0; i < network->count; i++) {
		network_crash(network, i);
		memcpy(network->hosts[i].configuration.hit_suites, (uint8_t[]){2, 1, 3}, 3);
		network->hosts[i].configuration.hit_suite_count = 3;
		if (i != 1)
			network_boot(network, i);
	}
}

/* conforms: RFC7401-3-1 RFC7401-5.2.10-2 RFC7401-5.2.10-3 RFC7401-5.2.10-4 */
static void all_kinds_of_identities(void **state)
{
	(void)state;
	for (int kind = HOST_IDENTITY_ECDSA_P256; kind <= HOST_IDENTITY_ECDSA_LOW; kind++) {
		struct network *network = network_make(2, TRANSPORT_UDP);
		struct network_host *b = &network->hosts[1];

		if (kind == HOST_IDENTITY_RSA_3072)
			kind++;
		network_crash(network, 1);
		host_identity_free(b->identity);
		assert_int_equal(host_identity_generate((host_identity_kind)kind, &b->identity), HIPHOP_OK);
		b->hit = *host_identity_hit(b->identity);
		b->configuration.identity = b->identity;
		if (kind == HOST_IDENTITY_ECDSA_LOW)
			accept_weak_identities(network);
		network_boot(network, 1);
		network_associate(network, 0, 1);
		assert_int_equal(host_close(b->host, network->now, &network->hosts[0].hit), HIPHOP_OK);
		network_run(network, SECONDS(1));
		network_associate(network, 1, 0);
		network_free(network);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_of_r1),
		cmocka_unit_test(every_octet_of_i2),
		cmocka_unit_test(every_octet_of_r2),
		cmocka_unit_test(every_octet_of_close),
		cmocka_unit_test(every_octet_of_update),
		cmocka_unit_test(a_wrong_solution_costs_nothing),
		cmocka_unit_test(an_old_i2_changes_nothing),
		cmocka_unit_test(an_old_close_changes_nothing),
		cmocka_unit_test(unasked_packets_are_dropped),
		cmocka_unit_test(a_downgraded_group_is_noticed),
		cmocka_unit_test(the_best_in_common_is_chosen),
		cmocka_unit_test(nothing_in_common),
		cmocka_unit_test(a_bad_i2_is_answered),
		cmocka_unit_test(a_busy_responder_says_so),
		cmocka_unit_test(all_kinds_of_identities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
