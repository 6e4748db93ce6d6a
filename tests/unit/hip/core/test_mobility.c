/* SPDX-License-Identifier: MIT */
/* A host whose own links change: what its peers are told, and that nothing breaks meanwhile. */
#include "mobile_network.h"

static struct network *make(void)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_associate(network, 0, 1);
	network_run(network, SECONDS(1));
	return network;
}

static unsigned updates_of(const struct network *network, size_t index)
{
	return network->hosts[index].out_of_type[HIP_PACKET_UPDATE];
}

/* ---- one address instead of another ---- */

/* conforms: RFC8046-5.2-1 RFC8046-3.2-1 */
static void a_new_address_is_used_and_told_at_once(void **state)
{
	(void)state;
	for (size_t mover = 0; mover < 2; mover++) {
		struct network *network = make();
		const size_t other = 1 - mover;
		const char *const old = other ? "192.0.2.2" : "192.0.2.1";

		network_set_addresses(network, mover, "198.51.100.7");
		network_run(network, MILLISECONDS(1));
		mobile_goes(network, mover, other, "198.51.100.7", old);
		assert_false(mobile_is_unverified(network, mover, other));
		assert_int_equal(updates_of(network, mover), 1);
		/* ESP gets there from the new address before any UPDATE. */
		assert_true(network_esp(network, mover, other));
		network_run(network, MILLISECONDS(40));
		mobile_goes(network, other, mover, old, "198.51.100.7");
		assert_true(network_esp(network, other, mover));
		network_run(network, SECONDS(5));
		assert_false(mobile_is_unverified(network, other, mover));
		assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
		assert_int_equal(network->hosts[0].usable, 1);
		assert_int_equal(network->hosts[mover].handovers, 1);
		assert_string_equal(network->hosts[mover].handover.reason, "link gone");
		assert_int_equal(network->hosts[other].handovers, 1);
		network_free(network);
	}
}

/* ESP_INFO with one SPI twice, what there is, the SPI in it, and both protections. */
/* conforms: RFC8046-4.3-1 RFC8046-5.2-5 RFC8047-4.2.4-1 RFC8047-5.1-4 RFC8047-5.1-5 */
static void what_the_peer_is_told(void **state)
{
	struct network *network = make();
	const struct endpoint new = mobile_endpoint("198.51.100.7"), peer = mobile_endpoint("192.0.2.2");
	const uint32_t spi = mobile_session(network, 0, 1)->spi_in;
	struct parameter_locator_set set;
	struct parameter_esp_info esp_info;
	struct packet_view view;
	struct catch catch;

	(void)state;
	catch_next(network, &catch, HIP_PACKET_UPDATE);
	network_set_addresses(network, 0, "198.51.100.7 198.51.100.8");
	network_run(network, MILLISECONDS(1));
	assert_true(catch.full);
	assert_true(endpoint_equal(&catch.packet.source, &new));
	assert_true(endpoint_equal(&catch.packet.destination, &peer));
	assert_int_equal(packet_parse(catch.packet.octets, catch.packet.length, &view), HIPHOP_OK);
	assert_int_equal(parameter_esp_info_read(packet_find(&view, PARAMETER_ESP_INFO), &esp_info), HIPHOP_OK);
	assert_int_equal(esp_info.old_spi, spi);
	assert_int_equal(esp_info.new_spi, spi);
	assert_int_equal(esp_info.keymat_index, 0);
	assert_int_equal(parameter_locator_set_read(packet_find(&view, PARAMETER_LOCATOR_SET), &set), HIPHOP_OK);
	assert_int_equal(set.count, 2);
	assert_true(address_equal(&set.items[0].address, &new.address));
	for (size_t i = 0; i < set.count; i++) {
		assert_int_equal(set.items[i].spi, spi);
		assert_int_equal(set.items[i].preferred, i == 0);
		assert_true(set.items[i].lifetime >= 60);
	}
	assert_non_null(packet_find(&view, PARAMETER_SEQ));
	assert_non_null(packet_find(&view, PARAMETER_HIP_MAC));
	assert_non_null(packet_find(&view, PARAMETER_HIP_SIGNATURE));
	network_free(network);
}

/* conforms: RFC8046-5.2-4 RFC8046-5.2-5 */
static void what_the_peer_is_told_over_plain_ip(void **state)
{
	struct network *network = network_make(2, TRANSPORT_IP);
	struct parameter_locator_set set;
	struct parameter_esp_info esp_info;
	struct packet_view view;
	struct catch catch;

	(void)state;
	network_associate(network, 0, 1);
	catch_next(network, &catch, HIP_PACKET_UPDATE);
	network_set_addresses(network, 0, "198.51.100.7");
	network_run(network, MILLISECONDS(1));
	assert_true(catch.full);
	assert_int_equal(packet_parse(catch.packet.octets, catch.packet.length, &view), HIPHOP_OK);
	assert_int_equal(parameter_esp_info_read(packet_find(&view, PARAMETER_ESP_INFO), &esp_info), HIPHOP_OK);
	assert_int_equal(parameter_locator_set_read(packet_find(&view, PARAMETER_LOCATOR_SET), &set), HIPHOP_OK);
	assert_int_equal(set.count, 1);
	assert_int_equal(set.items[0].type, LOCATOR_TYPE_SPI_ADDRESS);
	assert_int_equal(set.items[0].spi, esp_info.new_spi);
	assert_int_equal(esp_info.new_spi, mobile_session(network, 0, 1)->spi_in);
	assert_true(set.items[0].preferred);
	network->fate = NULL;
	network_run(network, SECONDS(3));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

/* conforms: RFC8046-5.2-3 RFC8047-5.1-2 RFC8047-5.1-3 */
static void what_is_nobodys_business_is_not_told(void **state)
{
	static const char *const private[] = {
		"127.0.0.1", "169.254.3.4", "fe80::1", "::1", "224.0.0.5", "255.255.255.255", "ff02::1", "2001:22::5"};
	struct network *network = make();
	struct parameter_locator_set set;
	struct link_address links[NETWORK_LINKS];
	struct packet_view view;
	struct catch catch;

	(void)state;
	catch_next(network, &catch, HIP_PACKET_UPDATE);
	links[0] = network_link("198.51.100.7");
	for (size_t i = 0; i + 1 < NETWORK_LINKS; i++)
		links[i + 1] = network_link(private[i]);
	network_set_links(network, 0, links, NETWORK_LINKS);
	network_run(network, MILLISECONDS(1));
	assert_true(catch.full);
	assert_int_equal(packet_parse(catch.packet.octets, catch.packet.length, &view), HIPHOP_OK);
	assert_int_equal(parameter_locator_set_read(packet_find(&view, PARAMETER_LOCATOR_SET), &set), HIPHOP_OK);
	assert_int_equal(set.count, 1);
	assert_true(address_equal(&set.items[0].address, &links[0].address));
	network_free(network);
}

/* A tunnel or a dear link is not what the peer should prefer, nor one that is to be avoided. */
/* conforms: RFC8047-5.1-1 */
static void the_most_liked_link_is_preferred(void **state)
{
	struct network *network = make();
	struct parameter_locator_set set;
	struct link_address links[3];

	(void)state;
	links[0] = network_link("198.51.100.1");
	links[0].preference = LINK_AVOID;
	links[1] = network_link("198.51.100.2");
	links[1].cost = 10;
	links[2] = network_link("198.51.100.3");
	network_set_links(network, 0, links, 3);
	candidates_offer(network->hosts[0].host, NULL, &set);
	assert_int_equal(set.count, 3);
	assert_true(address_equal(&set.items[0].address, &links[2].address));
	assert_true(set.items[0].preferred);
	assert_true(address_equal(&set.items[2].address, &links[0].address));
	assert_true(set.items[0].priority > set.items[1].priority && set.items[1].priority > set.items[2].priority);
	network_free(network);
}

static void nothing_new_is_not_told(void **state)
{
	struct network *network = make();

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		network_set_addresses(network, 0, "192.0.2.1");
		network_run(network, MILLISECONDS(200));
	}
	assert_int_equal(updates_of(network, 0), 0);
	/* Nor does it cost anything. */
	assert_null(mobile_session(network, 0, 1)->mobility);
	assert_null(mobile_session(network, 1, 0)->mobility);
	network_free(network);
}

static void a_second_link_is_told(void **state)
{
	struct network *network = make();

	(void)state;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_run(network, SECONDS(2));
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_string_equal(mobile_state(network, 0, 1, "198.51.100.1", "192.0.2.2"), "ACTIVE");
	assert_string_equal(mobile_state(network, 1, 0, "192.0.2.2", "198.51.100.1"), "ACTIVE");
	assert_int_equal(network->hosts[0].handovers + network->hosts[1].handovers, 0);
	/* The first goes: the second is there already, and verified. */
	network_set_addresses(network, 0, "198.51.100.1");
	network_run(network, MILLISECONDS(50));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	assert_false(mobile_is_unverified(network, 1, 0));
	network_free(network);
}

/* Two hosts with two links each know all four paths from the base exchange on. */
/* conforms: RFC8047-4.2.1-1 */
static void both_ends_have_two_links(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct host_path_view view;

	(void)state;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_set_addresses(network, 1, "192.0.2.2 198.51.100.2");
	network_associate(network, 0, 1);
	network_run(network, SECONDS(10));
	for (size_t a = 0; a < 2; a++) {
		assert_int_equal(mobile_path_count(network, a, 1 - a), 4);
		for (size_t i = 0; i < 4; i++) {
			assert_true(host_path_at(network->hosts[a].host, &network->hosts[1 - a].hit, i, &view));
			assert_string_equal(view.state, "ACTIVE");
		}
	}
	assert_int_equal(network->hosts[0].handovers + network->hosts[1].handovers, 0);
	network_free(network);
}

static packet_fate note_first_update(struct network *network, struct flying *packet)
{
	struct endpoint *destination = network->fate_context;

	if (packet->from == 0 && !packet->sealed && flying_type(packet) == HIP_PACKET_UPDATE && !destination->port)
		*destination = packet->destination;
	return FATE_PASS;
}

/* Each UPDATE takes its time; a call does not wait for the rest of the overlay. */
static void who_is_talked_to_is_told_first(void **state)
{
	(void)state;
	for (size_t busy = 1; busy < 5; busy++) {
		struct network *network = network_make(5, TRANSPORT_UDP);
		struct endpoint destination = {0}, expected = network_endpoint(network, busy);

		for (size_t i = 1; i < 5; i++)
			network_associate(network, 0, i);
		network_run_with_traffic(network, SECONDS(3), 0, busy);
		network->fate = note_first_update;
		network->fate_context = &destination;
		network_set_addresses(network, 0, "198.51.100.7");
		network_run_with_traffic(network, SECONDS(3), 0, busy);
		assert_true(endpoint_equal(&destination, &expected));
		for (size_t i = 1; i < 5; i++)
			assert_true(network_esp(network, 0, i) && network_esp(network, i, 0));
		network_free(network);
	}
}

static packet_fate note_r2(struct network *network, struct flying *packet)
{
	struct endpoint *destination = network->fate_context;

	if (flying_type(packet) == HIP_PACKET_R2)
		*destination = packet->destination;
	return FATE_PASS;
}

/* The locators in the I2 say where the Initiator likes to be; the R2 goes where the I2 came from. */
/* conforms: RFC8047-4.2.8-4 */
static void the_r2_goes_where_the_i2_came_from(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct link_address links[2] = {network_link("192.0.2.1"), network_link("198.51.100.1")};
	struct endpoint destination = {0};
	struct host_path_view view;

	(void)state;
	links[1].preference = LINK_PREFER;
	network_set_links(network, 0, links, 2);
	network->fate = note_r2;
	network->fate_context = &destination;
	network_associate(network, 0, 1);
	assert_true(address_equal(&destination.address, &links[0].address));
	network_run(network, SECONDS(5));
	assert_true(mobile_path(network, 1, 0, "", "198.51.100.1", &view));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

/* ---- loss ---- */

/* UPDATEs of host 0 to host 1 that are lost yet. */
static packet_fate lose_some(struct network *network, struct flying *packet)
{
	unsigned *left = network->fate_context;

	if (packet->from != 0 || packet->sealed || flying_type(packet) != HIP_PACKET_UPDATE || !*left)
		return FATE_PASS;
	--*left;
	return FATE_LOSE;
}

static void what_is_lost_is_told_again(void **state)
{
	(void)state;
	for (unsigned lost = 0; lost < 6; lost++) {
		struct network *network = make();
		unsigned left = lost;

		network->fate = lose_some;
		network->fate_context = &left;
		network_set_addresses(network, 0, "198.51.100.7");
		network_run(network, SECONDS(20));
		assert_int_equal(left, 0);
		mobile_goes(network, 1, 0, "192.0.2.2", "198.51.100.7");
		assert_true(network_esp(network, 1, 0));
		assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
		assert_false(mobile_session(network, 0, 1)->mobility->announcement.due);
		network_free(network);
	}
}

/* Nobody acknowledges it: another base exchange is tried, and its end is as for any peer that is gone. */
static void nobody_is_there_to_be_told(void **state)
{
	struct network *network = make();
	unsigned before;

	(void)state;
	network_crash(network, 1);
	network_set_addresses(network, 0, "198.51.100.7");
	network_run(network, SECONDS(60));
	assert_true(network->hosts[0].out_of_type[HIP_PACKET_I1] > 1);
	assert_in_range(updates_of(network, 0), 4, 16);
	before = sent_in_all(&network->hosts[0]);
	network_run(network, SECONDS(600));
	assert_true(sent_in_all(&network->hosts[0]) - before < 60);
	network_free(network);
}

/* A check of a new path must not take the Update ID of an announcement that was lost: the peer would take it for the
 * announcement, without its locators. */
static void a_check_does_not_pass_for_the_announcement(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set moved = mobile_set("198.51.100.2"), here = mobile_set("192.0.2.2");
	struct host_path_view view;
	unsigned left;

	(void)state;
	/* Credit for some checks. */
	for (unsigned i = 0; i < 8; i++)
		mobile_claim(network, 1, 0, &here);
	/* The peer moves; before its new locator is verified, so do we, and what tells so is lost twice. */
	left = 1;
	network->fate = lose_some;
	network->fate_context = &left;
	network->hosts[1].links[0] = network_link("198.51.100.2");
	network->hosts[1].link_count = 1;
	network->hosts[1].address = network->hosts[1].links[0].address;
	mobile_claim(network, 1, 0, &moved);
	left = 3;
	network_set_addresses(network, 0, "203.0.113.1 203.0.113.2");
	network_run(network, SECONDS(30));
	assert_int_equal(left, 0);
	assert_false(mobile_session(network, 0, 1)->mobility->announcement.due);
	assert_true(mobile_path(network, 1, 0, "", "203.0.113.1", &view));
	assert_true(mobile_path(network, 1, 0, "", "203.0.113.2", &view));
	assert_string_equal(mobile_state(network, 1, 0, "", "192.0.2.1"), "");
	network_free(network);
}

/* ---- both move at once ---- */

/* Neither knows where the other is now, but both have a neighbour that stayed. */
static void both_move_and_meet_over_the_overlay(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);

	(void)state;
	network->chain = true;
	network_associate(network, 0, 1);
	network_associate(network, 1, 2);
	network_associate(network, 0, 2);
	network_run(network, SECONDS(1));
	network_set_addresses(network, 0, "198.51.100.1");
	network_set_addresses(network, 2, "198.51.100.3");
	network_run(network, SECONDS(5));
	mobile_goes(network, 0, 2, "198.51.100.1", "198.51.100.3");
	mobile_goes(network, 2, 0, "198.51.100.3", "198.51.100.1");
	assert_true(network_esp(network, 0, 2));
	assert_true(network_esp(network, 2, 0));
	assert_false(mobile_is_unverified(network, 0, 2));
	/* By UPDATE, and without another base exchange. */
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 2);
	assert_int_equal(network->hosts[2].out_of_type[HIP_PACKET_I1], 0);
	assert_true(counted(network->hosts + 1, HOST_COUNT_FORWARDED) > 0);
	network_free(network);
}

/* Without a neighbour one of two links that stays is enough. */
static void both_move_and_one_link_stays(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_associate(network, 0, 1);
	network_run(network, SECONDS(2));
	network_set_addresses(network, 0, "203.0.113.1 198.51.100.1");
	network_set_addresses(network, 1, "203.0.113.2");
	network_run(network, SECONDS(10));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
	network_free(network);
}

/* ---- no link at all ---- */

/* A tunnel: nothing can be sent; when it is over, the association goes on. */
static void links_go_and_come_back(void **state)
{
	static const char *const after[] = {"192.0.2.1", "198.51.100.9"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct network *network = make();
		unsigned before;

		network_set_addresses(network, 0, "");
		before = sent_in_all(&network->hosts[0]);
		network_run(network, SECONDS(7));
		assert_true(sent_in_all(&network->hosts[0]) - before < 5);
		network_set_addresses(network, 0, after[i]);
		network_run(network, MILLISECONDS(100));
		assert_true(network_esp(network, 0, 1));
		assert_true(network_esp(network, 1, 0));
		mobile_goes(network, 1, 0, "192.0.2.2", after[i]);
		assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
		network_free(network);
	}
}

/* ---- many changes ---- */

/* 10000 changes in a minute, each to an address that never was: no answer ever finds us. */
/* conforms: RFC8046-5.2-2 */
static void links_that_flap(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *self = &network->hosts[0];
	unsigned before, deaf = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		network_crash(network, i);
		network->hosts[i].configuration.patience = SECONDS(180);
		network_boot(network, i);
	}
	network_associate(network, 0, 1);
	before = sent_in_all(self);
	for (unsigned i = 0; i < 10000; i++) {
		char text[64];

		snprintf(text, sizeof text, "198.51.%u.%u", 100 + i / 200 % 50, 1 + i % 200);
		network_set_addresses(network, 0, text);
		network_run(network, MILLISECONDS(6));
		deaf += !network_esp(network, 0, 1);
		assert_true(mobile_path_count(network, 0, 1) <= 2);
		assert_true(mobile_path_count(network, 1, 0) <= PATHS_MAXIMUM);
	}
	/* What we send is never lost: the new address is used at once. */
	assert_true(deaf < 10);
	/* Two announcements a second, five at once, tried again while nobody finds us. */
	assert_true(sent_in_all(self) - before < 1500);
	assert_true(sent_in_all(&network->hosts[1]) < 1500);
	assert_true(counted(self, HOST_COUNT_LOCATOR_SET_OUT) < 600);
	network_run(network, SECONDS(5));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	assert_int_equal(self->failed, 0);
	network_free(network);
}

/* Up and down, sixty seconds long, beside a link that is always there. */
static void a_link_that_comes_and_goes(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	unsigned lost = 0;

	(void)state;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_associate(network, 0, 1);
	network_run(network, SECONDS(2));
	for (unsigned i = 0; i < 1000; i++) {
		network_set_addresses(network, 0, i % 2 ? "192.0.2.1 198.51.100.1" : "198.51.100.1");
		network_run(network, MILLISECONDS(60));
		lost += !network_esp(network, 0, 1);
	}
	assert_int_equal(lost, 0);
	network_run(network, SECONDS(3));
	assert_true(network_esp(network, 1, 0));
	assert_true(sent_in_all(&network->hosts[0]) < 1000);
	assert_true(mobile_path_count(network, 0, 1) <= 2);
	network_free(network);
}

/* Many peers are not told in one instant. */
static void peers_are_told_one_after_the_other(void **state)
{
	struct network *network = network_make(8, TRANSPORT_UDP);
	instant last;

	(void)state;
	for (size_t i = 1; i < 8; i++)
		network_associate(network, 0, i);
	network_run(network, SECONDS(1));
	network_set_addresses(network, 0, "198.51.100.1");
	last = network->now;
	for (unsigned told = 0; told < 7;) {
		const unsigned before = updates_of(network, 0);

		network_run(network, NANOSECONDS(100000));
		assert_true(updates_of(network, 0) - before <= 1);
		told += updates_of(network, 0) - before;
		assert_true(network->now - last < MILLISECONDS(10));
	}
	network_run(network, SECONDS(2));
	for (size_t i = 1; i < 8; i++)
		assert_true(network_esp(network, i, 0));
	network_free(network);
}

/* ---- long after ---- */

/* Locators have an hour; the peer is told again before. */
static void told_again_before_the_lifetime_is_over(void **state)
{
	struct network *network = make();
	unsigned announced;

	(void)state;
	network_set_addresses(network, 0, "198.51.100.7 198.51.100.8");
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	announced = (unsigned)counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_OUT);
	network_run_with_traffic(network, SECONDS(3600), 0, 1);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_OUT), announced + 1);
	assert_string_equal(mobile_state(network, 1, 0, "", "198.51.100.8"), "ACTIVE");
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

/* ---- with other things under way ---- */

static void new_keys_during_a_move(void **state)
{
	(void)state;
	for (unsigned when = 0; when < 6; when++) {
		for (size_t mover = 0; mover < 2; mover++) {
			struct network *network = make();

			assert_int_equal(host_rekey(network->hosts[0].host, network->now, &network->hosts[1].hit, true),
				HIPHOP_OK);
			network_drain(network, &network->hosts[0]);
			network_run(network, when * MILLISECONDS(6));
			network_set_addresses(network, mover, "198.51.100.7");
			network_run_with_traffic(network, SECONDS(15), 0, 1);
			assert_true(network_esp(network, 0, 1));
			assert_true(network_esp(network, 1, 0));
			assert_int_equal(network->hosts[0].rekeyed, 1);
			assert_int_equal(network->hosts[1].rekeyed, 1);
			assert_int_equal(network_sa_count(&network->hosts[0]), 1);
			assert_int_equal(network_sa_count(&network->hosts[1]), 1);
			assert_int_equal(network->hosts[0].usable, 1);
			network_free(network);
		}
	}
}

/* conforms: RFC8046-5.4-4 */
static void new_keys_after_each_move(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	uint32_t spi;

	(void)state;
	network_crash(network, 0);
	network->hosts[0].configuration.rekey_on_move = true;
	network_boot(network, 0);
	network_associate(network, 0, 1);
	spi = mobile_session(network, 0, 1)->spi_in;
	network_set_addresses(network, 0, "198.51.100.7");
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	assert_int_equal(network->hosts[0].rekeyed, 1);
	assert_true(mobile_session(network, 0, 1)->spi_in != spi);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

/* The peer begins a new base exchange while we move: the new session goes on from wherever it began. */
static void a_base_exchange_during_a_move(void **state)
{
	(void)state;
	for (unsigned when = 0; when < 8; when++) {
		for (size_t mover = 0; mover < 2; mover++) {
			struct network *network = make();

			network_crash(network, 1 - mover);
			network_boot(network, 1 - mover);
			network_introduce(network, 1 - mover, mover);
			network_connect(network, 1 - mover, mover);
			network_run(network, when * MILLISECONDS(6));
			network_set_addresses(network, mover, "198.51.100.7");
			for (unsigned i = 0; i < 60 && !(network_esp(network, 0, 1) && network_esp(network, 1, 0)); i++)
				network_run(network, SECONDS(1));
			network_run_with_traffic(network, SECONDS(5), 0, 1);
			assert_true(network_esp(network, 0, 1));
			assert_true(network_esp(network, 1, 0));
			assert_int_equal(network_sa_count(&network->hosts[0]), 1);
			assert_int_equal(network_sa_count(&network->hosts[1]), 1);
			network_free(network);
		}
	}
}

/* Both sessions, the old one and that which renews it, move: what is on its way by the old keys still comes. */
static void a_renewal_during_a_handover(void **state)
{
	struct network *network = make();
	struct network_host *self = &network->hosts[0];
	struct association *association;

	(void)state;
	network_introduce(network, 1, 0);
	network_set_addresses(network, 0, "198.51.100.7");
	network_run(network, MILLISECONDS(5));
	association = association_find(self->host, &network->hosts[1].hit);
	assert_int_equal(initiator_begin(self->host, network->now, association), HIPHOP_OK);
	network_drain(network, self);
	network_run(network, MILLISECONDS(60));
	assert_non_null(association->retired);
	assert_int_equal(network_sa_count(self), 2);
	network_set_addresses(network, 0, "203.0.113.7");
	network_run_with_traffic(network, SECONDS(10), 0, 1);
	assert_null(association->retired);
	assert_int_equal(network_sa_count(self), 1);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	mobile_goes(network, 1, 0, "192.0.2.2", "203.0.113.7");
	assert_int_equal(self->failed, 0);
	network_free(network);
}

static void a_move_while_the_session_closes(void **state)
{
	struct network *network = make();

	(void)state;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.7");
	network_run(network, SECONDS(1));
	assert_int_equal(host_close(network->hosts[0].host, network->now, &network->hosts[1].hit), HIPHOP_OK);
	network_set_addresses(network, 0, "203.0.113.7");
	network_run(network, SECONDS(300));
	assert_int_equal(network_sa_count(&network->hosts[0]), 0);
	assert_int_equal(network->hosts[0].closed, 1);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_address_is_used_and_told_at_once),
		cmocka_unit_test(what_the_peer_is_told),
		cmocka_unit_test(what_the_peer_is_told_over_plain_ip),
		cmocka_unit_test(what_is_nobodys_business_is_not_told),
		cmocka_unit_test(the_most_liked_link_is_preferred),
		cmocka_unit_test(nothing_new_is_not_told),
		cmocka_unit_test(a_second_link_is_told),
		cmocka_unit_test(both_ends_have_two_links),
		cmocka_unit_test(who_is_talked_to_is_told_first),
		cmocka_unit_test(the_r2_goes_where_the_i2_came_from),
		cmocka_unit_test(what_is_lost_is_told_again),
		cmocka_unit_test(nobody_is_there_to_be_told),
		cmocka_unit_test(a_check_does_not_pass_for_the_announcement),
		cmocka_unit_test(both_move_and_meet_over_the_overlay),
		cmocka_unit_test(both_move_and_one_link_stays),
		cmocka_unit_test(links_go_and_come_back),
		cmocka_unit_test(links_that_flap),
		cmocka_unit_test(a_link_that_comes_and_goes),
		cmocka_unit_test(peers_are_told_one_after_the_other),
		cmocka_unit_test(told_again_before_the_lifetime_is_over),
		cmocka_unit_test(new_keys_during_a_move),
		cmocka_unit_test(new_keys_after_each_move),
		cmocka_unit_test(a_base_exchange_during_a_move),
		cmocka_unit_test(a_renewal_during_a_handover),
		cmocka_unit_test(a_move_while_the_session_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
