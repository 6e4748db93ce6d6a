/* SPDX-License-Identifier: MIT */
/* Whole base exchanges, and ESP both ways behind them, with every algorithm there is. */
#include "host_network.h"

#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/esp_cipher.h"
#include "hip/crypto/hip_cipher.h"
#include "hip/crypto/hit_suite.h"

/* ---- identities, made once: RSA takes its time ---- */

static const host_identity_kind kinds[] = {
	HOST_IDENTITY_ECDSA_P256, HOST_IDENTITY_RSA_2048, HOST_IDENTITY_ECDSA_LOW, HOST_IDENTITY_ECDSA_P384};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static struct host_identity *identities[KIND_COUNT + 1];

static int make_identities(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++)
		assert_int_equal(host_identity_generate(kinds[i], &identities[i]), HIPHOP_OK);
	return host_identity_generate(kinds[0], &identities[KIND_COUNT]);
}

static int free_identities(void **state)
{
	(void)state;
	for (size_t i = 0; i <= KIND_COUNT; i++)
		host_identity_free(identities[i]);
	return 0;
}

/* ---- two hosts of one mind ---- */

static void lend_identity(struct network *network, size_t index, struct host_identity *identity)
{
	struct network_host *self = &network->hosts[index];

	host_identity_free(self->identity);
	self->identity = NULL;
	self->hit = *host_identity_hit(identity);
	self->configuration.identity = identity;
}

struct algorithms {
	struct host_identity *initiator, *responder; /* NULL: those of the network */
	uint8_t dh_group, hip_cipher, esp_suite;     /* 0: the defaults */
};

static void demand(struct host_configuration *configuration, const struct algorithms *algorithms)
{
	memcpy(configuration->hit_suites, (uint8_t[]){2, 1, 3}, 3);
	configuration->hit_suite_count = 3;
	configuration->dh_groups[0] = algorithms->dh_group;
	configuration->dh_group_count = algorithms->dh_group != 0;
	configuration->hip_ciphers[0] = algorithms->hip_cipher;
	configuration->hip_cipher_count = algorithms->hip_cipher != 0;
	configuration->esp_suites[0] = algorithms->esp_suite;
	configuration->esp_suite_count = algorithms->esp_suite != 0;
	/* ESP without encryption is for hosts outside overlays. */
	configuration->overlay = false;
}

static struct network *make_pair(const struct algorithms *algorithms)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	for (size_t i = 0; i < 2; i++) {
		struct host_identity *identity = i == 0 ? algorithms->initiator : algorithms->responder;

		network_crash(network, i);
		if (identity)
			lend_identity(network, i, identity);
		demand(&network->hosts[i].configuration, algorithms);
		network_boot(network, i);
	}
	return network;
}

/* ---- ESP with the keys of the SAs ---- */

#define PAYLOAD_LENGTH 64

static void send_esp(struct network *network, size_t from, size_t to)
{
	const struct host_sa *out = network_outbound(&network->hosts[from], &network->hosts[to].hit);
	const struct host_sa *in;
	struct esp_cipher *sealer, *opener;
	uint8_t packet[256], expected[PAYLOAD_LENGTH], *payload;
	size_t length;

	assert_non_null(out);
	in = network_inbound(&network->hosts[to], out->spi_out);
	assert_non_null(in);
	assert_int_equal(out->suite, in->suite);
	assert_int_equal(esp_cipher_new(&out->keys_out, ESP_SEAL, &sealer), HIPHOP_OK);
	assert_int_equal(esp_cipher_new(&in->keys_in, ESP_OPEN, &opener), HIPHOP_OK);
	memset(expected, (int)(0x40 + from), sizeof expected);
	memcpy(packet + ESP_HEADER_LENGTH + esp_cipher_suite(sealer)->iv_length, expected, sizeof expected);
	length = ESP_HEADER_LENGTH + esp_cipher_suite(sealer)->iv_length + PAYLOAD_LENGTH +
		 esp_cipher_suite(sealer)->icv_length;
	assert_int_equal(esp_cipher_seal(sealer, out->spi_out, 1, packet, PAYLOAD_LENGTH), HIPHOP_OK);
	assert_int_equal(esp_cipher_open(opener, 1, packet, length, &payload, &length), HIPHOP_OK);
	assert_int_equal(length, PAYLOAD_LENGTH);
	assert_memory_equal(payload, expected, PAYLOAD_LENGTH);
	esp_cipher_free(sealer);
	esp_cipher_free(opener);
}

static void check_agreed(struct network *network, size_t a, size_t b, const struct algorithms *algorithms)
{
	struct host_association_view view;

	assert_true(host_association_find(network->hosts[a].host, &network->hosts[b].hit, &view));
	assert_true(view.usable);
	if (algorithms->dh_group)
		assert_string_equal(view.dh_group, diffie_hellman_group_by_id(algorithms->dh_group)->name);
	if (algorithms->hip_cipher)
		assert_string_equal(view.hip_cipher, hip_cipher_by_id(algorithms->hip_cipher)->name);
	if (algorithms->esp_suite)
		assert_string_equal(view.suite, esp_suite_by_id(algorithms->esp_suite)->name);
}

static void associate_and_talk(struct network *network, const struct algorithms *algorithms)
{
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(1));
	check_agreed(network, 0, 1, algorithms);
	check_agreed(network, 1, 0, algorithms);
	send_esp(network, 0, 1);
	send_esp(network, 1, 0);
}

static void run_exchange(const struct algorithms *algorithms)
{
	struct network *network = make_pair(algorithms);

	associate_and_talk(network, algorithms);
	network_free(network);
}

/* Each kind of identity answers in each group, and begins in each: the Initiator is of the kind after the Responder's.
 */
/* conforms: RFC7401-5.2.7-2 RFC7401-5.2.7-3 RFC7401-5.2.7-4 RFC7401-5.2.9-2 RFC7401-5.2.9-3 RFC7401-5.2.9-4 */
static void every_identity_with_every_group(void **state)
{
	const struct diffie_hellman_group *group;

	(void)state;
	for (size_t g = 0; (group = diffie_hellman_group_at(g)); g++) {
		for (size_t kind = 0; kind < KIND_COUNT; kind++)
			run_exchange(&(struct algorithms){.initiator = identities[(kind + 1) % KIND_COUNT],
				.responder = identities[kind],
				.dh_group = group->id});
	}
}

/* ---- HIP ciphers ---- */

/* Notes where the first parameter stands in ENCRYPTED when it can be seen there. */
static packet_fate look_into_encrypted(struct network *network, struct flying *packet)
{
	bool *in_the_clear = network->fate_context;
	const struct parameter_view *encrypted;
	struct packet_view view;
	uint16_t first;

	if (flying_type(packet) != HIP_PACKET_I2)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	encrypted = packet_find(&view, PARAMETER_ENCRYPTED);
	assert_non_null(encrypted);
	first = (uint16_t)(encrypted->contents.data[4] << 8 | encrypted->contents.data[5]);
	*in_the_clear = first == PARAMETER_LOCATOR_SET || first == PARAMETER_HOST_ID;
	return FATE_PASS;
}

/* conforms: RFC7401-5.2.8-4 RFC7401-5.3.2-11 */
static void every_hip_cipher(void **state)
{
	const struct hip_cipher *cipher;

	(void)state;
	for (size_t i = 0; (cipher = hip_cipher_at(i)); i++) {
		const struct algorithms algorithms = {.hip_cipher = (uint8_t)cipher->id};
		struct network *network = make_pair(&algorithms);
		bool in_the_clear = false;

		network->fate = look_into_encrypted;
		network->fate_context = &in_the_clear;
		associate_and_talk(network, &algorithms);
		/* Right behind Reserved: the NULL cipher has no IV. */
		assert_int_equal(in_the_clear, cipher->id == HIP_CIPHER_NULL);
		network_free(network);
	}
}

/* ---- ESP suites ---- */

/* conforms: RFC7402-3.3.5-1 RFC7402-3.3.5-2 RFC7402-5.1.2-4 RFC7402-5.2.1.1-1 */
static void every_esp_suite(void **state)
{
	const struct esp_suite *suite;
	size_t count = 0;

	(void)state;
	for (; (suite = esp_suite_at(count)); count++)
		run_exchange(&(struct algorithms){.esp_suite = (uint8_t)suite->id});
	assert_int_equal(count, 10);
}

static void no_esp_suite_without_encryption_in_an_overlay(void **state)
{
	const struct esp_suite *suite;
	struct host_configuration configuration;
	struct network *network = network_make(1, TRANSPORT_UDP);
	struct host *host;

	(void)state;
	for (size_t i = 0; (suite = esp_suite_at(i)); i++) {
		configuration = network->hosts[0].configuration;
		configuration.esp_suites[0] = (uint8_t)suite->id;
		configuration.esp_suite_count = 1;
		assert_int_equal(host_create(&configuration, network->now, &host),
			esp_suite_encrypts(suite) ? HIPHOP_OK : HIPHOP_INVALID_ARGUMENT);
		host_free(host);
	}
	network_free(network);
}

/* ---- what is offered ---- */

struct lists {
	struct parameter_octet_list groups, hit_suites;
	struct parameter_suite_list ciphers, esp_suites;
	struct parameter_transport_format_list formats;
};

static packet_fate read_lists(struct network *network, struct flying *packet)
{
	struct lists *lists = network->fate_context;
	struct packet_view view;

	if (flying_type(packet) != HIP_PACKET_R1)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	assert_false(parameter_dh_group_list_read(packet_find(&view, PARAMETER_DH_GROUP_LIST), &lists->groups));
	assert_false(parameter_hit_suite_list_read(packet_find(&view, PARAMETER_HIT_SUITE_LIST), &lists->hit_suites));
	assert_false(parameter_hip_cipher_read(packet_find(&view, PARAMETER_HIP_CIPHER), &lists->ciphers));
	assert_false(parameter_esp_transform_read(packet_find(&view, PARAMETER_ESP_TRANSFORM), &lists->esp_suites));
	assert_false(parameter_transport_format_list_read(
		packet_find(&view, PARAMETER_TRANSPORT_FORMAT_LIST), &lists->formats));
	return FATE_PASS;
}

static bool offers_suite(const struct parameter_suite_list *list, uint16_t id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == id)
			return true;
	}
	return false;
}

/* conforms: RFC7401-5.2.8-3 RFC7401-5.2.8-5 RFC7401-6.7-10 RFC7402-5.1.2-3 */
static void nothing_weak_is_offered_by_default(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct lists lists = {.groups = {.count = 0}};

	(void)state;
	network->fate = read_lists;
	network->fate_context = &lists;
	network_associate(network, 0, 1);
	for (size_t i = 0; i < lists.groups.count; i++)
		assert_null(diffie_hellman_group_by_id(lists.groups.items[i])->weakness);
	for (size_t i = 0; i < lists.hit_suites.count; i++) {
		assert_int_equal(lists.hit_suites.items[i] & 0x0f, 0);
		assert_null(hit_suite_by_id(lists.hit_suites.items[i] >> 4)->weakness);
	}
	for (size_t i = 0; i < lists.ciphers.count; i++)
		assert_null(hip_cipher_by_id(lists.ciphers.items[i])->weakness);
	for (size_t i = 0; i < lists.esp_suites.count; i++)
		assert_null(esp_suite_by_id(lists.esp_suites.items[i])->weakness);
	/* and what every implementation has is */
	assert_true(offers_suite(&lists.ciphers, HIP_CIPHER_AES_128_CBC));
	assert_true(offers_suite(&lists.esp_suites, ESP_SUITE_AES_128_CBC_HMAC_SHA256));
	assert_non_null(memchr(lists.hit_suites.items, HIT_SUITE_RSA_DSA_SHA256 << 4, lists.hit_suites.count));
	assert_int_equal(lists.formats.count, 1);
	assert_int_equal(lists.formats.items[0], PARAMETER_ESP_TRANSFORM);
	network_free(network);
}

/* conforms: RFC7401-5.2.6-1 RFC7401-5.2.6-2 */
static void lists_are_offered_as_they_were_given(void **state)
{
	static const uint8_t groups[] = {9, 3, 11, 10, 4, 8, 7}, suites[] = {12, 10, 1, 9, 11, 8};
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct lists lists = {.groups = {.count = 0}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct host_configuration *configuration = &network->hosts[i].configuration;

		network_crash(network, i);
		configuration->dh_group_count = sizeof groups;
		memcpy(configuration->dh_groups, groups, sizeof groups);
		configuration->esp_suite_count = sizeof suites;
		memcpy(configuration->esp_suites, suites, sizeof suites);
		configuration->hip_cipher_count = 3;
		memcpy(configuration->hip_ciphers, (uint8_t[]){4, 1, 2}, 3);
		configuration->hit_suite_count = 3;
		memcpy(configuration->hit_suites, (uint8_t[]){3, 2, 1}, 3);
		network_boot(network, i);
	}
	network->fate = read_lists;
	network->fate_context = &lists;
	network_associate(network, 0, 1);
	assert_int_equal(lists.groups.count, sizeof groups);
	assert_memory_equal(lists.groups.items, groups, sizeof groups);
	assert_memory_equal(lists.hit_suites.items, ((uint8_t[]){0x30, 0x20, 0x10}), 3);
	for (size_t i = 0; i < sizeof suites; i++)
		assert_int_equal(lists.esp_suites.items[i], suites[i]);
	assert_int_equal(lists.ciphers.items[0], HIP_CIPHER_AES_256_CBC);
	check_agreed(network, 0, 1, &(struct algorithms){.dh_group = 9, .hip_cipher = 4, .esp_suite = 12});
	network_free(network);
}

static void bad_lists_are_refused(void **state)
{
	static const struct {
		uint8_t hit_suites[2], dh_groups[2], hip_ciphers[2], esp_suites[2];
		hiphop_error error;
	} lists[] = {
		{{2, 1}, {7, 7}, {2, 4}, {13, 8}, HIPHOP_INVALID_ARGUMENT},
		{{2, 1}, {7, 5}, {2, 4}, {13, 8}, HIPHOP_UNSUPPORTED},
		{{2, 1}, {7, 8}, {2, 3}, {13, 8}, HIPHOP_UNSUPPORTED},
		{{2, 1}, {7, 8}, {2, 4}, {13, 2}, HIPHOP_UNSUPPORTED},
		{{2, 4}, {7, 8}, {2, 4}, {13, 8}, HIPHOP_UNSUPPORTED},
		{{1, 3}, {7, 8}, {2, 4}, {13, 8}, HIPHOP_REFUSED}, /* not its own HIT Suite */
		{{2, 1}, {7, 8}, {2, 4}, {13, 8}, HIPHOP_OK},
	};
	struct network *network = network_make(1, TRANSPORT_UDP);
	struct host *host;

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct host_configuration configuration = network->hosts[0].configuration;

		configuration.hit_suite_count = configuration.dh_group_count = configuration.hip_cipher_count =
			configuration.esp_suite_count = 2;
		memcpy(configuration.hit_suites, lists[i].hit_suites, 2);
		memcpy(configuration.dh_groups, lists[i].dh_groups, 2);
		memcpy(configuration.hip_ciphers, lists[i].hip_ciphers, 2);
		memcpy(configuration.esp_suites, lists[i].esp_suites, 2);
		assert_int_equal(host_create(&configuration, network->now, &host), lists[i].error);
		host_free(host);
	}
	network_free(network);
}

/* ---- weak identities ---- */

/* conforms: RFC7401-6.8-12 RFC7401-6.9-3 */
static void a_weak_identity_needs_to_be_allowed(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct host *host;

	(void)state;
	network_crash(network, 0);
	lend_identity(network, 0, identities[2]);
	assert_int_equal(host_create(&network->hosts[0].configuration, network->now, &host), HIPHOP_REFUSED);
	network->hosts[0].configuration.hit_suite_count = 3;
	memcpy(network->hosts[0].configuration.hit_suites, (uint8_t[]){2, 1, 3}, 3);
	network_boot(network, 0);
	/* it may be willing, but the others are not: neither to begin … */
	assert_int_equal(
		host_connect(network->hosts[1].host, network->now, &network->hosts[0].hit), HIPHOP_NO_PROPOSAL);
	/* … nor to answer */
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(20));
	assert_int_equal(network->hosts[0].failed, 1);
	assert_int_equal(network->hosts[0].last.reason, HIPHOP_NO_PROPOSAL);
	assert_int_equal(network->hosts[0].last_notification, NOTIFY_UNSUPPORTED_HIT_SUITE);
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	network_free(network);
}

/* conforms: RFC7401-4.1.8-2 */
static void a_weak_responder_is_not_taken_opportunistically(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint endpoint;

	(void)state;
	network_crash(network, 1);
	lend_identity(network, 1, identities[2]);
	network->hosts[1].configuration.hit_suite_count = 3;
	memcpy(network->hosts[1].configuration.hit_suites, (uint8_t[]){2, 1, 3}, 3);
	network_boot(network, 1);
	endpoint = network_endpoint(network, 1);
	assert_int_equal(host_connect_opportunistic(network->hosts[0].host, network->now, &endpoint), HIPHOP_OK);
	network_run(network, SECONDS(20));
	assert_int_equal(network->hosts[0].learnt_count, 0);
	assert_true(host_counter_value(network->hosts[0].host, HOST_COUNT_DROP_UNSUPPORTED) > 0);
	assert_int_equal(host_association_count(network->hosts[0].host), 0);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_identity_with_every_group),
		cmocka_unit_test(every_hip_cipher),
		cmocka_unit_test(every_esp_suite),
		cmocka_unit_test(no_esp_suite_without_encryption_in_an_overlay),
		cmocka_unit_test(nothing_weak_is_offered_by_default),
		cmocka_unit_test(lists_are_offered_as_they_were_given),
		cmocka_unit_test(bad_lists_are_refused),
		cmocka_unit_test(a_weak_identity_needs_to_be_allowed),
		cmocka_unit_test(a_weak_responder_is_not_taken_opportunistically),
	};

	return cmocka_run_group_tests(tests, make_identities, free_identities);
}
