/* SPDX-License-Identifier: MIT */
/* Locators in R1, I2 and R2 (RFC 8047 section 4.2.8), and in UPDATEs that say something else as well (RFC 8046
 * section 5.3). */
#include "mobile_network.h"

#define NEW_SPI 0xabcdef01

/* Host 1 has both addresses; the kernel chooses the first. It tells nobody by itself. */
static void peer_has_two(struct network *network)
{
	struct network_host *peer = &network->hosts[1];

	peer->links[0] = network_link("192.0.2.2");
	peer->links[1] = network_link("198.51.100.2");
	peer->link_count = 2;
}

/* An exchange of host 0 up to the first packet of that type, which is caught. */
static struct network *begin(struct catch *catch, uint8_t type)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	peer_has_two(network);
	catch_in_exchange(network, catch, type);
	return network;
}

/* What was caught, with this LOCATOR_SET. */
static void with_locators(struct network *network, const struct flying *caught, const struct parameter_locator_set *set,
	struct flying *forged)
{
	struct parameter_list list;
	struct packet_builder builder;
	uint8_t octets[256];
	size_t length;
	struct change change = {.type = PARAMETER_LOCATOR_SET};
	const struct parameter_view *view;

	packet_builder_start_inner(&builder, octets, sizeof octets);
	parameter_locator_set_write(&builder, set);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(parameters_parse(octets, length, &list), HIPHOP_OK);
	view = parameters_find(&list, PARAMETER_LOCATOR_SET);
	change.contents = view->contents.data;
	change.length = view->contents.length;
	forge(network, caught, &change, 1, 0, forged);
}

/* Its LOCATOR_SET says something else. */
static void change_locators(struct flying *packet)
{
	struct packet_view view;
	const struct parameter_view *set;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	set = packet_find(&view, PARAMETER_LOCATOR_SET);
	assert_non_null(set);
	packet->octets[set->offset + set->encoded.length - 1] ^= 1;
}

/* ---- R1 ---- */

/* conforms: RFC8047-4.2.8-2 RFC8047-5.2-1 RFC8046-5.4-2 */
static void the_i2_goes_to_the_preferred_locator_of_the_r1(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_R1);
	struct parameter_locator_set set = mobile_set("198.51.100.2 192.0.2.2");
	struct flying forged;
	struct host_path_view view;

	(void)state;
	set.items[0].preferred = true;
	with_locators(network, &catch.packet, &set, &forged);
	catch_next(network, &catch, HIP_PACKET_I2);
	deliver(network, &forged);
	network_run(network, MILLISECONDS(5));
	assert_true(catch.full);
	assert_true(address_equal(&catch.packet.destination.address, &set.items[0].address));
	network->fate = NULL;
	mobile_arrive(network, 1, &catch.packet, NULL);
	network_run(network, MILLISECONDS(30));
	/* Without a check it is good for data. */
	mobile_goes(network, 0, 1, "192.0.2.1", "198.51.100.2");
	assert_false(mobile_is_unverified(network, 0, 1));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_UPDATE], 0);
	/* The other one is checked. */
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	assert_true(mobile_path(network, 0, 1, "", "192.0.2.2", &view));
	assert_string_equal(view.state, "ACTIVE");
	assert_true(network->hosts[0].out_of_type[HIP_PACKET_UPDATE] > 0);
	network_free(network);
}

/* conforms: RFC8047-4.2.8-1 */
static void the_locators_of_an_r1_are_signed(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_R1);
	const struct parameter_locator_set set = mobile_set("198.51.100.2");
	struct flying good, bad;

	(void)state;
	with_locators(network, &catch.packet, &set, &good);
	bad = good;
	change_locators(&bad);
	deliver(network, &bad);
	network_run(network, MILLISECONDS(20));
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_DROP_SIGNATURE), 1);
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I2], 0);
	deliver(network, &good);
	network_run(network, MILLISECONDS(20));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I2], 1);
	network_free(network);
}

/* ---- I2 ---- */

/* conforms: RFC8047-4.2.8-3 RFC8047-5.2-1 */
static void the_locators_of_an_i2_are_signed(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I2);
	const struct parameter_locator_set set = mobile_set("192.0.2.1 198.51.100.77");
	struct endpoint known[HOST_LOCATORS_MAXIMUM];
	struct host *responder = network->hosts[1].host;
	struct flying good, bad;

	(void)state;
	with_locators(network, &catch.packet, &set, &good);
	bad = good;
	change_locators(&bad);
	forge_mac(&network->hosts[0], forge_keys(network, 0, 1), PARAMETER_HIP_MAC, &bad, 0);
	deliver(network, &bad);
	assert_int_equal(counted(&network->hosts[1], HOST_COUNT_DROP_SIGNATURE), 1);
	assert_int_equal(network_state(network, 1, 0), HOST_UNASSOCIATED);
	assert_int_equal(host_locators(responder, &network->hosts[0].hit, known, HOST_LOCATORS_MAXIMUM), 0);
	network->now += SECONDS(1);
	deliver(network, &good);
	assert_int_equal(network_state(network, 1, 0), HOST_R2_SENT);
	assert_in_range(host_locators(responder, &network->hosts[0].hit, known, HOST_LOCATORS_MAXIMUM), 2, 3);
	network_free(network);
}

static void open_locators(struct network *network, const struct flying *i2, struct parameter_locator_set *set)
{
	const struct exchange_keys *keys = forge_keys(network, 0, 1);
	struct parameter_encrypted encrypted;
	struct parameter_list inner;
	struct packet_view view;
	static uint8_t plain[NETWORK_MAXIMUM];
	size_t length;

	assert_int_equal(packet_parse(i2->octets, i2->length, &view), HIPHOP_OK);
	assert_int_equal(
		parameter_encrypted_read(packet_find(&view, PARAMETER_ENCRYPTED), keys->cipher->iv_length, &encrypted),
		HIPHOP_OK);
	assert_int_equal(
		hip_cipher_open(keys->cipher, (struct span){keys->outgoing.encryption, keys->cipher->key_length},
			(struct span){encrypted.iv.data, encrypted.iv.length + encrypted.data.length}, plain, &length),
		HIPHOP_OK);
	assert_int_equal(parameters_parse(plain, length, &inner), HIPHOP_OK);
	assert_int_equal(parameter_locator_set_read(parameters_find(&inner, PARAMETER_LOCATOR_SET), set), HIPHOP_OK);
}

/* Even when the configuration likes another one. */
/* conforms: RFC8047-4.2.8-5 */
static void the_preferred_locator_of_an_i2_is_its_source(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct link_address links[2] = {network_link("192.0.2.1"), network_link("198.51.100.1")};
	struct parameter_locator_set set;
	struct catch catch;

	(void)state;
	links[1].preference = LINK_PREFER;
	network_set_links(network, 0, links, 2);
	catch_next(network, &catch, HIP_PACKET_I2);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_true(catch.full);
	open_locators(network, &catch.packet, &set);
	assert_int_equal(set.count, 2);
	for (size_t i = 0; i < set.count; i++)
		assert_int_equal(
			set.items[i].preferred, address_equal(&set.items[i].address, &catch.packet.source.address));
	network_free(network);
}

/* ---- R2 ---- */

/* conforms: RFC8047-5.2-1 RFC8047-5.2-4 */
static void an_r2_may_list_locators(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_R2);
	const struct parameter_locator_set set = mobile_set("198.51.100.2 192.0.2.2");
	struct flying forged;

	(void)state;
	with_locators(network, &catch.packet, &set, &forged);
	deliver(network, &forged);
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_string_equal(mobile_state(network, 0, 1, "", "198.51.100.2"), "UNVERIFIED");
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	assert_string_equal(mobile_state(network, 0, 1, "", "198.51.100.2"), "ACTIVE");
	mobile_goes(network, 0, 1, "192.0.2.1", "198.51.100.2");
	network_free(network);
}

/* What the R1 listed and the R2 does not is no more. */
static void an_r2_takes_back_what_the_r1_listed(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_R1);
	const struct parameter_locator_set more = mobile_set("192.0.2.2 203.0.113.9"), less = mobile_set("192.0.2.2");
	struct mobile_tally tally;
	struct flying forged;

	(void)state;
	with_locators(network, &catch.packet, &more, &forged);
	catch_next(network, &catch, HIP_PACKET_R2);
	deliver(network, &forged);
	network_run(network, MILLISECONDS(100));
	assert_true(catch.full);
	mobile_watch(network, &tally, 0, "203.0.113.9");
	with_locators(network, &catch.packet, &less, &forged);
	deliver(network, &forged);
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	assert_string_equal(mobile_state(network, 0, 1, "", "203.0.113.9"), "");
	assert_int_equal(tally.packets, 0);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	network_free(network);
}

static void an_r2_may_list_what_cannot_be(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_R2);
	const struct parameter_locator_set set = mobile_set("127.0.0.1 255.255.255.255");
	struct flying forged;

	(void)state;
	with_locators(network, &catch.packet, &set, &forged);
	deliver(network, &forged);
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

/* ---- UPDATE: with a rekeying ---- */

static struct network *associated(void)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_associate(network, 0, 1);
	network_run(network, SECONDS(1));
	return network;
}

/* Host 1 goes elsewhere and asks for a new pair with the same UPDATE. What host 0 answers is lost. */
static void move_and_rekey(struct network *network, uint32_t old_spi, uint32_t new_spi, struct catch *catch)
{
	const struct parameter_esp_info esp_info = {
		.keymat_index = (uint16_t)mobile_session(network, 1, 0)->keys.keymat.index,
		.old_spi = old_spi,
		.new_spi = new_spi};
	struct parameter_locator_set set = mobile_set("198.51.100.2");
	const struct update update = {
		.has_seq = true, .seq = mobile_next_id(network, 1, 0), .set = &set, .esp_info = &esp_info};
	struct flying packet;

	set.items[0].spi = new_spi;
	network->hosts[1].address = network_link("198.51.100.2").address;
	mobile_update(network, 1, 0, &update, &packet);
	catch_next(network, catch, HIP_PACKET_UPDATE);
	mobile_arrive(network, 0, &packet, NULL);
	network_run(network, MILLISECONDS(1));
}

/* A request that nobody may make changes no locators either. */
/* conforms: RFC8046-5.3-4 RFC8047-5.2-2 */
static void the_pair_comes_before_the_locators(void **state)
{
	struct network *network = associated();
	uint32_t spi = mobile_session(network, 1, 0)->spi_in;
	struct catch catch;

	(void)state;
	move_and_rekey(network, spi, 7, &catch);
	move_and_rekey(network, 0, spi, &catch);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 0);
	assert_int_equal(network_sa_count(&network->hosts[0]), 1);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	move_and_rekey(network, spi, NEW_SPI, &catch);
	assert_true(catch.full);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 1);
	assert_int_equal(network_sa_count(&network->hosts[0]), 2);
	assert_true(mobile_path_count(network, 0, 1) >= 1);
	network_free(network);
}

static bool has_pair_to(struct network_host *self, uint32_t spi_out)
{
	for (size_t i = 0; i < NETWORK_SAS; i++) {
		if (self->sas[i].spi_in && self->sas[i].spi_out == spi_out)
			return true;
	}
	return false;
}

/* conforms: RFC8046-5.3-5 */
static void a_peer_may_ask_for_one_more_pair(void **state)
{
	struct network *network = associated();
	struct network_host *self = &network->hosts[0];
	struct parameter_sequence_list acks;
	struct parameter_esp_info esp_info;
	struct packet_view view;
	struct catch catch;

	(void)state;
	move_and_rekey(network, 0, NEW_SPI, &catch);
	assert_true(catch.full);
	assert_int_equal(packet_parse(catch.packet.octets, catch.packet.length, &view), HIPHOP_OK);
	assert_int_equal(parameter_sequence_list_read(packet_find(&view, PARAMETER_ACK), &acks), HIPHOP_OK);
	assert_true(parameter_sequence_list_has(&acks, mobile_session(network, 1, 0)->own_update - 1));
	assert_int_equal(parameter_esp_info_read(packet_find(&view, PARAMETER_ESP_INFO), &esp_info), HIPHOP_OK);
	assert_non_null(network_inbound(self, esp_info.new_spi));
	assert_true(has_pair_to(self, NEW_SPI));
	assert_int_equal(network_sa_count(self), 2);
	network_free(network);
}

/* ---- UPDATE: with a HOST_ID ---- */

static void with_host_id(struct network *network, const struct flying *caught, const struct host_identity *identity,
	struct flying *forged)
{
	uint8_t octets[HOST_IDENTITY_OCTETS_MAXIMUM + 32];
	struct span encoded = forge_host_id(identity, octets, sizeof octets);
	struct parameter_list list;
	const struct parameter_view *view;

	assert_int_equal(parameters_parse(encoded.data, encoded.length, &list), HIPHOP_OK);
	view = parameters_find(&list, PARAMETER_HOST_ID);
	forge(network, caught,
		&(struct change){
			.type = PARAMETER_HOST_ID, .contents = view->contents.data, .length = view->contents.length},
		1, 0, forged);
}

/* conforms: RFC8046-4.3-2 */
static void a_host_id_must_be_that_of_the_association(void **state)
{
	struct network *network = associated();
	const struct parameter_locator_set set = mobile_set("198.51.100.2");
	const struct update update = {.has_seq = true, .seq = mobile_next_id(network, 1, 0), .set = &set};
	struct flying plain, own, other;

	(void)state;
	network->hosts[1].address = network_link("198.51.100.2").address;
	mobile_update(network, 1, 0, &update, &plain);
	with_host_id(network, &plain, network->hosts[0].identity, &other);
	deliver(network, &other);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_DROP_IDENTITY), 1);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 0);
	with_host_id(network, &plain, network->hosts[1].identity, &own);
	deliver(network, &own);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_DROP_IDENTITY), 1);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 1);
	network_free(network);
}

/* ---- where packets come from ---- */

/* While nothing changes, ESP to the peer comes from one address, though there are two that measure alike. */
/* conforms: RFC8047-4.3-2 */
static void what_goes_to_one_address_comes_from_one(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint local, remote;

	(void)state;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_set_addresses(network, 1, "192.0.2.2 198.51.100.2");
	network_associate(network, 0, 1);
	local = network_outbound(&network->hosts[0], &network->hosts[1].hit)->local;
	remote = network_outbound(&network->hosts[0], &network->hosts[1].hit)->remote;
	for (int i = 0; i < 60; i++) {
		const struct host_sa *sa = network_outbound(&network->hosts[0], &network->hosts[1].hit);

		network_run_with_traffic(network, SECONDS(1), 0, 1);
		assert_true(endpoint_equal(&sa->local, &local));
		assert_true(endpoint_equal(&sa->remote, &remote));
		assert_int_equal(sa->route.more_count, 0);
	}
	assert_int_equal(network->hosts[0].handovers, 0);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_i2_goes_to_the_preferred_locator_of_the_r1),
		cmocka_unit_test(the_locators_of_an_r1_are_signed),
		cmocka_unit_test(the_locators_of_an_i2_are_signed),
		cmocka_unit_test(the_preferred_locator_of_an_i2_is_its_source),
		cmocka_unit_test(an_r2_may_list_locators),
		cmocka_unit_test(an_r2_takes_back_what_the_r1_listed),
		cmocka_unit_test(an_r2_may_list_what_cannot_be),
		cmocka_unit_test(the_pair_comes_before_the_locators),
		cmocka_unit_test(a_peer_may_ask_for_one_more_pair),
		cmocka_unit_test(a_host_id_must_be_that_of_the_association),
		cmocka_unit_test(what_goes_to_one_address_comes_from_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
