/* SPDX-License-Identifier: MIT */
/* UPDATEs with a nonce: when they go out, and what is an answer. Host 0 asks, at 198.51.100.2 where host 1 may be. */
#include "mobile_network.h"

#define CLAIMED "198.51.100.2"

static struct network *make(void)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_associate(network, 0, 1);
	network_run(network, SECONDS(1));
	/* Something to spend. */
	for (unsigned i = 0; i < 8; i++) {
		const struct parameter_locator_set set = mobile_set("192.0.2.2");

		mobile_claim(network, 1, 0, &set);
	}
	return network;
}

/* ---- going out ---- */

struct record {
	unsigned count;
	instant at[64];
	struct flying first, last;
};

/* What host 0 sends to the claimed locator is kept and lost. */
static packet_fate keep(struct network *network, struct flying *packet)
{
	struct record *record = network->fate_context;
	const struct endpoint claimed = mobile_endpoint(CLAIMED);

	if (packet->from != 0 || !endpoint_equal(&packet->destination, &claimed))
		return FATE_PASS;
	if (!record->count)
		record->first = *packet;
	record->last = *packet;
	if (record->count < 64)
		record->at[record->count] = network->now;
	record->count++;
	return FATE_LOSE;
}

static void claim(struct network *network, struct record *record, const char *text)
{
	const struct parameter_locator_set set = mobile_set(text);

	memset(record, 0, sizeof *record);
	network->fate = keep;
	network->fate_context = record;
	mobile_claim(network, 1, 0, &set);
	network_run(network, MILLISECONDS(1));
}

static void a_check_is_sent_ever_more_seldom(void **state)
{
	struct network *network = make();
	static struct record record;
	duration gap;

	(void)state;
	claim(network, &record, "192.0.2.2 " CLAIMED);
	assert_int_equal(record.count, 1);
	mobile_session(network, 0, 1)->credit = 20000;
	network_run(network, SECONDS(20));
	assert_in_range(record.count, 6, 12);
	assert_in_range(record.at[1] - record.at[0], MILLISECONDS(99), MILLISECONDS(101));
	for (unsigned i = 2; i < 6; i++) {
		gap = record.at[i] - record.at[i - 1];
		assert_true(gap > record.at[i - 1] - record.at[i - 2] || gap == SECONDS(4));
	}
	assert_string_equal(mobile_state(network, 0, 1, "", CLAIMED), "SILENT");
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_CHECKS_FAILED), 1);
	/* What the peer lists may come to life yet. */
	network_run(network, SECONDS(240));
	assert_in_range(record.count, 10, 20);
	assert_string_equal(mobile_state(network, 0, 1, "", CLAIMED), "SILENT");
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	network_free(network);
}

static void one_that_was_only_observed_is_forgotten(void **state)
{
	struct network *network = make();
	struct network_host *self = &network->hosts[0];
	const struct endpoint local = mobile_endpoint("192.0.2.1"), remote = mobile_endpoint(CLAIMED);
	static struct record record;

	(void)state;
	network->fate = keep;
	network->fate_context = &record;
	memset(&record, 0, sizeof record);
	host_note_elsewhere(self->host, network->now, mobile_session(network, 0, 1)->spi_in, &local, &remote);
	network_drain(network, self);
	network_run(network, SECONDS(60));
	assert_in_range(record.count, 4, 7);
	assert_string_equal(mobile_state(network, 0, 1, "", CLAIMED), "");
	network_free(network);
}

/* conforms: RFC8046-3.2.1-1 RFC8046-4.3-1 */
static void what_a_check_has(void **state)
{
	struct network *network = make();
	const uint32_t spi = mobile_session(network, 0, 1)->spi_in;
	static struct record record;
	struct parameter_esp_info esp_info;
	struct packet_view view, next;
	uint32_t seq, again;

	(void)state;
	claim(network, &record, "192.0.2.2 " CLAIMED);
	network_run(network, SECONDS(1));
	assert_int_equal(packet_parse(record.first.octets, record.first.length, &view), HIPHOP_OK);
	assert_int_equal(packet_parse(record.last.octets, record.last.length, &next), HIPHOP_OK);
	assert_int_equal(parameter_esp_info_read(packet_find(&view, PARAMETER_ESP_INFO), &esp_info), HIPHOP_OK);
	assert_int_equal(esp_info.old_spi, spi);
	assert_int_equal(esp_info.new_spi, spi);
	assert_int_equal(packet_find(&view, PARAMETER_ECHO_REQUEST_SIGNED)->contents.length, PATH_NONCE_LENGTH);
	assert_non_null(packet_find(&view, PARAMETER_HIP_MAC));
	assert_non_null(packet_find(&view, PARAMETER_HIP_SIGNATURE));
	/* The same Update ID again, with the same nonce: an answer to an earlier try is an answer. */
	assert_int_equal(parameter_number_read(packet_find(&view, PARAMETER_SEQ), &seq), HIPHOP_OK);
	assert_int_equal(parameter_number_read(packet_find(&next, PARAMETER_SEQ), &again), HIPHOP_OK);
	assert_int_equal(seq, again);
	assert_memory_equal(packet_find(&view, PARAMETER_ECHO_REQUEST_SIGNED)->contents.data,
		packet_find(&next, PARAMETER_ECHO_REQUEST_SIGNED)->contents.data, PATH_NONCE_LENGTH);
	network_free(network);
}

/* ---- answers ---- */

static uint32_t seq_of(const struct flying *packet)
{
	struct packet_view view;
	uint32_t seq;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	assert_int_equal(parameter_number_read(packet_find(&view, PARAMETER_SEQ), &seq), HIPHOP_OK);
	return seq;
}

static void nonce_of(const struct flying *packet, uint8_t nonce[PATH_NONCE_LENGTH])
{
	struct packet_view view;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	memcpy(nonce, packet_find(&view, PARAMETER_ECHO_REQUEST_SIGNED)->contents.data, PATH_NONCE_LENGTH);
}

/* Host 1 says this to a check; whether the locator is verified then. */
static bool verifies(struct network *network, const struct update *update, unsigned spoil)
{
	struct host_path_view view;
	struct flying made, forged;

	mobile_update(network, 1, 0, update, &made);
	forge(network, &made, NULL, 0, spoil, &forged);
	mobile_arrive(network, 0, &forged, NULL);
	assert_true(mobile_path(network, 0, 1, "", CLAIMED, &view));
	return strcmp(view.state, "ACTIVE") == 0;
}

/* conforms: RFC8046-5.4-1 RFC8046-5.1-1 */
static void only_the_nonce_with_its_acknowledgment_is_an_answer(void **state)
{
	struct network *network = make();
	static struct record record;
	uint8_t nonce[PATH_NONCE_LENGTH], wrong[PATH_NONCE_LENGTH], longer[PATH_NONCE_LENGTH + 1];
	uint32_t seq;

	(void)state;
	claim(network, &record, "192.0.2.2 " CLAIMED);
	network_run(network, SECONDS(1));
	assert_true(record.count >= 2);
	seq = seq_of(&record.last);
	nonce_of(&record.last, nonce);
	memcpy(wrong, nonce, sizeof wrong);
	wrong[PATH_NONCE_LENGTH - 1] ^= 1;
	memcpy(longer, nonce, sizeof nonce);
	longer[PATH_NONCE_LENGTH] = 0;
	assert_false(verifies(network, &(struct update){.has_ack = true, .ack = seq}, 0));
	assert_false(
		verifies(network, &(struct update){.has_ack = true, .ack = seq, .response = {wrong, sizeof wrong}}, 0));
	assert_false(verifies(
		network, &(struct update){.has_ack = true, .ack = seq, .response = {longer, sizeof longer}}, 0));
	assert_false(verifies(network, &(struct update){.has_ack = true, .ack = seq, .response = {nonce, 7}}, 0));
	assert_false(verifies(
		network, &(struct update){.has_ack = true, .ack = seq + 1, .response = {nonce, sizeof nonce}}, 0));
	assert_false(verifies(network,
		&(struct update){
			.has_seq = true, .seq = mobile_next_id(network, 1, 0), .response = {nonce, sizeof nonce}},
		0));
	assert_false(verifies(
		network, &(struct update){.has_ack = true, .ack = seq, .response = {nonce, sizeof nonce}}, SPOIL_MAC));
	assert_false(verifies(network, &(struct update){.has_ack = true, .ack = seq, .response = {nonce, sizeof nonce}},
		SPOIL_SIGNATURE));
	assert_true(
		verifies(network, &(struct update){.has_ack = true, .ack = seq, .response = {nonce, sizeof nonce}}, 0));
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_CHECKS_ANSWERED), 1);
	network_free(network);
}

/* What was taken back in the meantime is not verified by the answer. */
static void an_answer_for_a_locator_that_is_no_more(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set without = mobile_set("192.0.2.2");
	static struct record record;
	uint8_t nonce[PATH_NONCE_LENGTH];
	struct host_path_view view;
	struct flying made;
	struct update update;

	(void)state;
	claim(network, &record, "192.0.2.2 " CLAIMED);
	nonce_of(&record.last, nonce);
	update = (struct update){.has_ack = true, .ack = seq_of(&record.last), .response = {nonce, sizeof nonce}};
	mobile_claim(network, 1, 0, &without);
	mobile_update(network, 1, 0, &update, &made);
	mobile_arrive(network, 0, &made, NULL);
	network_run(network, SECONDS(1));
	assert_false(mobile_path(network, 0, 1, "", CLAIMED, &view));
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_CHECKS_ANSWERED), 0);
	network_free(network);
}

/* ---- long ways ---- */

/* To and from the claimed locator it takes its time. */
static packet_fate take_time(struct network *network, struct flying *packet)
{
	const struct endpoint claimed = mobile_endpoint(CLAIMED);

	if (endpoint_equal(&packet->destination, &claimed) || endpoint_equal(&packet->source, &claimed))
		packet->at += *(const duration *)network->fate_context / 2;
	return FATE_PASS;
}

static void an_answer_that_comes_late(void **state)
{
	static const unsigned round_trips[] = {200, 700, 1200, 3000};

	(void)state;
	for (size_t i = 0; i < sizeof round_trips / sizeof round_trips[0]; i++) {
		struct network *network = make();
		const struct parameter_locator_set set = mobile_set("192.0.2.2 " CLAIMED);
		duration round_trip = MILLISECONDS(round_trips[i]);
		struct host_path_view view;

		network->hosts[1].links[0] = network_link("192.0.2.2");
		network->hosts[1].links[1] = network_link(CLAIMED);
		network->hosts[1].link_count = 2;
		network->fate = take_time;
		network->probes_are_unknown = true;
		network->fate_context = &round_trip;
		mobile_claim(network, 1, 0, &set);
		network_run(network, SECONDS(8));
		assert_true(mobile_path(network, 0, 1, "", CLAIMED, &view));
		assert_string_equal(view.state, "ACTIVE");
		/* After several tries nobody knows which of them was answered. */
		assert_true(!view.round_trip ||
			    (view.round_trip >= round_trip && view.round_trip < round_trip + MILLISECONDS(100)));
		network_free(network);
	}
}

/* ---- credit and rates ---- */

/* Without credit nothing goes out; with credit that comes later it does. */
/* conforms: RFC8046-5.6-1 */
static void a_check_waits_for_credit(void **state)
{
	struct network *network = make();
	static struct record record;
	unsigned before;

	(void)state;
	mobile_session(network, 0, 1)->credit = 0;
	claim(network, &record, "192.0.2.2 " CLAIMED);
	before = record.count;
	mobile_session(network, 0, 1)->credit = 0;
	network_run(network, SECONDS(60));
	assert_int_equal(record.count, before);
	assert_true(counted(&network->hosts[0], HOST_COUNT_CHECKS_BEYOND_CREDIT) >= 20);
	/* It is no failure of the path. */
	assert_string_equal(mobile_state(network, 0, 1, "", CLAIMED), "UNVERIFIED");
	mobile_session(network, 0, 1)->credit = 300;
	network_run(network, SECONDS(2));
	assert_int_equal(record.count, before + 1);
	network_free(network);
}

/* One that is prepared and cannot go takes no Update ID: two packets with one would be processed once. */
static void an_update_id_is_taken_when_it_goes(void **state)
{
	struct network *network = make();
	struct association *association = association_find(network->hosts[0].host, &network->hosts[1].hit);
	struct session *session = association->session;
	static struct record record;
	struct path *path;
	uint32_t next;
	size_t place;

	(void)state;
	claim(network, &record, "192.0.2.2 " CLAIMED);
	place = session->mobility->paths.count - 1u;
	path = &session->mobility->paths.items[place];
	session->mobility->announcement.due = true;
	session->mobility->announcement.tries = 1;
	session->mobility->announcement.update = path->check.update = 4711;
	path->check.tries = 1;
	next = session->own_update;
	session->credit = 0;
	assert_false(path_check_send(network->hosts[0].host, network->now, association, place, NULL, NULL, false));
	assert_int_equal(session->own_update, next);
	assert_int_equal(path->check.update, 4711);
	session->credit = 1000;
	assert_true(path_check_send(network->hosts[0].host, network->now, association, place, NULL, NULL, false));
	assert_int_equal(session->own_update, next + 1);
	assert_int_equal(path->check.update, next);
	assert_int_equal(path->check.tries, 2);
	network_free(network);
}

/* A locator that was verified once costs nothing on other paths. */
static void a_verified_locator_needs_no_credit(void **state)
{
	struct network *network = make();

	(void)state;
	mobile_session(network, 0, 1)->credit = 0;
	network_set_addresses(network, 0, "192.0.2.1 203.0.113.1");
	mobile_session(network, 0, 1)->credit = 0;
	network_run(network, SECONDS(1));
	assert_string_equal(mobile_state(network, 0, 1, "203.0.113.1", "192.0.2.2"), "ACTIVE");
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_CHECKS_BEYOND_CREDIT), 0);
	network_free(network);
}

/* However often the peer says something, credit has an end. */
static void credit_has_an_end(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = mobile_set("192.0.2.2");

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		mobile_claim(network, 1, 0, &set);
		network_run(network, MILLISECONDS(100));
	}
	assert_in_range(mobile_session(network, 0, 1)->credit, 10000, 20000);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_is_sent_ever_more_seldom),
		cmocka_unit_test(one_that_was_only_observed_is_forgotten),
		cmocka_unit_test(what_a_check_has),
		cmocka_unit_test(only_the_nonce_with_its_acknowledgment_is_an_answer),
		cmocka_unit_test(an_answer_for_a_locator_that_is_no_more),
		cmocka_unit_test(an_answer_that_comes_late),
		cmocka_unit_test(a_check_waits_for_credit),
		cmocka_unit_test(an_update_id_is_taken_when_it_goes),
		cmocka_unit_test(a_verified_locator_needs_no_credit),
		cmocka_unit_test(credit_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
