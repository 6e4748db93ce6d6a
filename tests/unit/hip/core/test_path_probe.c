/* SPDX-License-Identifier: MIT */
/* The question inside ESP whether a path works: how soon a dead one is left, and what may be an answer. */
#include "mobile_network.h"

/* Two hosts with two links each, all four paths found. */
static struct network *make(void)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_set_addresses(network, 1, "192.0.2.2 198.51.100.2");
	network_associate(network, 0, 1);
	network_run(network, SECONDS(5));
	assert_int_equal(mobile_path_count(network, 0, 1), 4);
	assert_true(mobile_session(network, 0, 1)->mobility->answers_questions);
	assert_true(mobile_session(network, 1, 0)->mobility->answers_questions);
	return network;
}

/* Traffic both ways every 20 ms, as in a call. */
static void talk(struct network *network, duration span)
{
	const instant end = network->now + span;

	while (network->now < end) {
		network_esp(network, 0, 1);
		network_esp(network, 1, 0);
		network_run(network, MILLISECONDS(20));
	}
}

static bool is(const struct address *address, const char *text)
{
	char buffer[ENDPOINT_TEXT_SIZE];

	return strcmp(address_format(address, buffer), text) == 0;
}

/* Nothing passes at the first link of host 0, in either direction, and nobody is told. */
static bool first_link_is_dead(struct network *network, const struct address *source, const struct address *destination)
{
	(void)network;
	return !is(source, "192.0.2.1") && !is(destination, "192.0.2.1");
}

static bool first_link_is_dumb(struct network *network, const struct address *source, const struct address *destination)
{
	(void)network, (void)destination;
	return !is(source, "192.0.2.1");
}

static bool nothing_passes(struct network *network, const struct address *source, const struct address *destination)
{
	(void)network, (void)source, (void)destination;
	return false;
}

static bool still_there(struct network *network)
{
	return is(&network_outbound(&network->hosts[0], &network->hosts[1].hit)->local.address, "192.0.2.1") ||
	       is(&network_outbound(&network->hosts[1], &network->hosts[0].hit)->remote.address, "192.0.2.1");
}

/* ---- a path that dies ---- */

/* Within three round trips of 20 ms and 200 ms. */
static void a_dead_path_is_left_soon(void **state)
{
	(void)state;
	for (unsigned dumb = 0; dumb < 2; dumb++) {
		struct network *network = make();
		instant died;

		talk(network, SECONDS(5));
		mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
		network->passes = dumb ? first_link_is_dumb : first_link_is_dead;
		died = network->now;
		while (still_there(network)) {
			talk(network, MILLISECONDS(20));
			/* Another path by the same link may have been tried before. */
			assert_true(network->now - died < 2 * MILLISECONDS(60 + 200));
		}
		assert_true(network_esp(network, 0, 1));
		assert_true(network_esp(network, 1, 0));
		talk(network, SECONDS(5));
		assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
		assert_true(network->hosts[0].handovers + network->hosts[1].handovers <= 4);
		network_free(network);
	}
}

static void the_reason_is_told(void **state)
{
	struct network *network = make();

	(void)state;
	talk(network, SECONDS(5));
	network->passes = first_link_is_dead;
	talk(network, SECONDS(1));
	assert_string_equal(network->hosts[0].handover.reason, "silent");
	assert_string_equal(mobile_state(network, 0, 1, "192.0.2.1", "192.0.2.2"), "SILENT");
	network_free(network);
}

/* Back again it must show for a while that it works. */
static void it_comes_back(void **state)
{
	struct network *network = make();
	struct link_address links[2];

	(void)state;
	links[0] = network_link("192.0.2.1");
	links[0].preference = LINK_PREFER;
	links[1] = network_link("198.51.100.1");
	network_set_links(network, 0, links, 2);
	talk(network, SECONDS(5));
	network->passes = first_link_is_dead;
	talk(network, SECONDS(2));
	assert_true(is(&mobile_session(network, 0, 1)->local.address, "198.51.100.1"));
	network->passes = NULL;
	talk(network, SECONDS(2));
	assert_true(is(&mobile_session(network, 0, 1)->local.address, "198.51.100.1"));
	talk(network, SECONDS(12));
	assert_true(is(&mobile_session(network, 0, 1)->local.address, "192.0.2.1"));
	assert_string_equal(network->hosts[0].handover.reason, "better path");
	network_free(network);
}

/* All are silent: one is used all the same, and when they work again, so does it all. */
static void all_paths_die(void **state)
{
	struct network *network = make();

	(void)state;
	talk(network, SECONDS(5));
	network->passes = nothing_passes;
	talk(network, SECONDS(5));
	network->passes = NULL;
	talk(network, SECONDS(3));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	assert_int_equal(network->hosts[0].failed + network->hosts[1].failed, 0);
	network_free(network);
}

/* ---- what it costs ---- */

static void silence_is_not_asked(void **state)
{
	struct network *network = make();
	unsigned before;

	(void)state;
	network_run(network, SECONDS(10));
	before = network->hosts[0].probes + network->hosts[1].probes;
	network_run(network, SECONDS(600));
	/* Three other paths of each end, every 15 s, and the answers. */
	assert_true(network->hosts[0].probes + network->hosts[1].probes - before <= 2 * 2 * 3 * 600 / 15 + 50);
	network_free(network);
}

/* While the peer is heard every 20 ms, the path in use is not asked. */
static void traffic_is_answer_enough(void **state)
{
	struct network *network = make();
	unsigned before;

	(void)state;
	talk(network, SECONDS(5));
	before = network->hosts[0].probes + network->hosts[1].probes;
	talk(network, SECONDS(60));
	/* Three other paths of each end, every 3 s, and the answers; and this one each second, to measure it. */
	assert_true(network->hosts[0].probes + network->hosts[1].probes - before <= 2 * 2 * (3 * 60 / 3 + 60) + 50);
	network_free(network);
}

/* One direction only: nothing comes back, so it is asked, but no more than 25 times a second. */
static void a_one_way_stream(void **state)
{
	struct network *network = make();
	unsigned before = network->hosts[0].probes;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		network_esp(network, 0, 1);
		network_run(network, MILLISECONDS(20));
	}
	assert_in_range(network->hosts[0].probes - before, 60, 60 * 26 + 60);
	assert_int_equal(network->hosts[0].handovers, 0);
	network_free(network);
}

static void dear_links_are_asked_seldom(void **state)
{
	struct network *network = make();
	struct link_address links[2];
	unsigned before;

	(void)state;
	links[0] = network_link("192.0.2.1");
	links[1] = network_link("198.51.100.1");
	links[1].metered = true;
	network_set_links(network, 0, links, 2);
	network_run(network, SECONDS(1));
	before = network->hosts[0].probes + network->hosts[1].probes;
	talk(network, SECONDS(60));
	/* By host 0: one path every 3 s, two every 15 s. Host 1 does not know: three every 3 s. Each may make the other
	 * end ask on the path in use, and all are answered. */
	assert_true(network->hosts[0].probes + network->hosts[1].probes - before <= 2 * 2 * (20 + 2 * 4 + 3 * 20));
	network_free(network);
}

static void one_path_is_never_asked(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	talk(network, SECONDS(20));
	assert_int_equal(network->hosts[0].probes + network->hosts[1].probes, 0);
	network_free(network);
}

/* ---- what is measured ---- */

static void round_trips_are_measured(void **state)
{
	struct network *network = make();
	struct host_path_view view;

	(void)state;
	talk(network, SECONDS(30));
	for (size_t i = 0; host_path_at(network->hosts[0].host, &network->hosts[1].hit, i, &view); i++) {
		assert_in_range(view.round_trip, MILLISECONDS(19), MILLISECONDS(22));
		assert_int_equal(view.loss, 0);
		if (!view.current)
			assert_true(network->now - view.heard < SECONDS(4));
	}
	network_free(network);
}

static bool every_other_is_lost_at_the_second_link(
	struct network *network, const struct address *source, const struct address *destination)
{
	(void)destination;
	return !is(source, "198.51.100.1") || network->fate_counter++ % 2;
}

static void loss_is_measured(void **state)
{
	struct network *network = make();
	struct host_path_view view;

	(void)state;
	network->passes = every_other_is_lost_at_the_second_link;
	talk(network, SECONDS(120));
	assert_true(mobile_path(network, 0, 1, "198.51.100.1", "192.0.2.2", &view));
	assert_in_range(view.loss, 150, 850);
	assert_true(mobile_path(network, 0, 1, "192.0.2.1", "198.51.100.2", &view));
	assert_int_equal(view.loss, 0);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	network_free(network);
}

/* ---- questions and answers ---- */

static unsigned ask(struct network *network, const struct hit *peer, const uint8_t octets[HOST_PROBE_LENGTH],
	struct host_effect *answer)
{
	struct network_host *self = &network->hosts[0];
	const struct endpoint local = mobile_endpoint("198.51.100.1"), remote = mobile_endpoint("203.0.113.2");
	static uint8_t answered[HOST_PROBE_LENGTH];
	unsigned answers = 0;
	struct host_effect effect;

	host_probe_input(self->host, network->now, peer, &local, &remote, octets);
	while (host_next_effect(self->host, &effect)) {
		answers++;
		*answer = effect;
		/* What is behind pointers lives no longer than the effect. */
		answer->octets = memcpy(answered, effect.octets, HOST_PROBE_LENGTH);
	}
	return answers;
}

static const uint8_t question[HOST_PROBE_LENGTH] = {'H', 'i', 'P', 'p', 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};

static void a_question_is_answered_where_it_came_from(void **state)
{
	struct network *network = make();
	const struct endpoint local = mobile_endpoint("198.51.100.1"), remote = mobile_endpoint("203.0.113.2");
	struct host_effect answer;

	(void)state;
	assert_int_equal(ask(network, &network->hosts[1].hit, question, &answer), 1);
	assert_int_equal(answer.kind, HOST_SEND_PROBE);
	assert_int_equal(answer.length, HOST_PROBE_LENGTH);
	assert_true(endpoint_equal(&answer.local, &local));
	assert_true(endpoint_equal(&answer.remote, &remote));
	assert_memory_equal(answer.octets, question, 4);
	assert_int_equal(answer.octets[4], 2);
	assert_memory_equal(answer.octets + 8, question + 8, 8);
	/* It is not known as a path by that. */
	assert_string_equal(mobile_state(network, 0, 1, "", "203.0.113.2"), "");
	network_free(network);
}

static void what_is_no_question_is_not_answered(void **state)
{
	struct network *network = make();
	struct network *stranger = network_make(2, TRANSPORT_UDP);
	uint8_t octets[HOST_PROBE_LENGTH];
	struct host_effect answer;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		memcpy(octets, question, sizeof octets);
		octets[i] ^= 0x40;
		assert_int_equal(ask(network, &network->hosts[1].hit, octets, &answer), 0);
	}
	/* Of somebody unknown, and in an association that has no SAs. */
	assert_int_equal(ask(stranger, &network->hosts[0].hit, question, &answer), 0);
	network_introduce(stranger, 0, 1);
	network_connect(stranger, 0, 1);
	assert_int_equal(ask(stranger, &stranger->hosts[1].hit, question, &answer), 0);
	network_free(stranger);
	assert_int_equal(host_close(network->hosts[0].host, network->now, &network->hosts[1].hit), HIPHOP_OK);
	network_drain(network, &network->hosts[0]);
	assert_int_equal(ask(network, &network->hosts[1].hit, question, &answer), 0);
	network_free(network);
}

/* An answer to nothing, to what was answered, or to what another path asked too long ago. */
static void answers_that_nobody_asked_for(void **state)
{
	struct network *network = make();
	struct path *path;
	uint8_t octets[HOST_PROBE_LENGTH];
	struct host_effect effect;
	instant heard;
	uint64_t nonce;

	(void)state;
	talk(network, SECONDS(1));
	memcpy(octets, question, sizeof octets);
	octets[4] = 2;
	path = &mobile_session(network, 0, 1)->mobility->paths.items[1];
	path->state = PATH_SILENT;
	path->next_try = INSTANT_NEVER;
	heard = path->heard;
	assert_int_equal(ask(network, &network->hosts[1].hit, octets, &effect), 0);
	assert_int_equal(path->state, PATH_SILENT);
	assert_int_equal(path->heard, heard);
	/* Nor is the nonce zero of a place without question one. */
	memset(path->questions, 0, sizeof path->questions);
	memset(octets + 8, 0, 8);
	ask(network, &network->hosts[1].hit, octets, &effect);
	assert_int_equal(path->state, PATH_SILENT);
	/* A true one works, once. */
	path->questions[0].nonce = nonce = 0x0123456789abcdef;
	path->questions[0].sent = network->now;
	memcpy(octets + 8, &nonce, sizeof nonce);
	ask(network, &network->hosts[1].hit, octets, &effect);
	assert_int_equal(path->state, PATH_ACTIVE);
	path->state = PATH_SILENT;
	ask(network, &network->hosts[1].hit, octets, &effect);
	assert_int_equal(path->state, PATH_SILENT);
	network_free(network);
}

/* Someone who has caught a question sends it again from everywhere: ESP has dropped it before (hip/esp/esp.c); the peer
 * itself gets one answer for each of its questions. */
static void as_many_answers_as_questions(void **state)
{
	struct network *network = make();
	struct host_effect answer;
	unsigned answers = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		answers += ask(network, &network->hosts[1].hit, question, &answer);
	assert_int_equal(answers, 1000);
	network_free(network);
}

/* ---- a peer that does not know it ---- */

/* Its paths are found by UPDATE alone, and it is asked once behind each check, and no more. */
static void a_peer_that_knows_no_questions(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network->probes_are_unknown = true;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_set_addresses(network, 1, "192.0.2.2 198.51.100.2");
	network_associate(network, 0, 1);
	network_run(network, SECONDS(5));
	assert_string_equal(mobile_state(network, 0, 1, "198.51.100.1", "192.0.2.2"), "ACTIVE");
	talk(network, SECONDS(60));
	assert_true(network->hosts[0].probes < 10);
	/* Silence is noticed by what is older: UPDATEs that are not answered. */
	network->passes = first_link_is_dead;
	talk(network, SECONDS(30));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* It likes its second link, and tells nobody. */
static void like_the_second_in_secret(struct network *network)
{
	struct path_set *set = &mobile_session(network, 1, 0)->mobility->paths;
	struct address local = network_link("198.51.100.2").address, remote = network_link("198.51.100.1").address;
	struct host *peer = network->hosts[1].host;

	for (size_t i = 0; i < set->count; i++) {
		if (address_equal(&set->items[i].local.address, &local) &&
			address_equal(&set->items[i].remote.address, &remote))
			set->items[i].preference = LINK_PREFER;
	}
	handover_settle(peer, network->now, association_find(peer, &network->hosts[0].hit));
	network_drain(network, &network->hosts[1]);
}

/* There is no silence, for it is heard; what goes out by the first link is lost. */
static void such_a_peer_is_heard_elsewhere(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	unsigned updates;
	instant died;

	(void)state;
	network->probes_are_unknown = true;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_set_addresses(network, 1, "192.0.2.2 198.51.100.2");
	network_associate(network, 0, 1);
	network_run(network, SECONDS(5));
	like_the_second_in_secret(network);
	talk(network, SECONDS(20));
	updates = network->hosts[0].out_of_type[HIP_PACKET_UPDATE];
	talk(network, SECONDS(60));
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	mobile_goes(network, 1, 0, "198.51.100.2", "198.51.100.1");
	/* Each end checks its path, and answers the other, once in five seconds or so. */
	assert_in_range(network->hosts[0].out_of_type[HIP_PACKET_UPDATE] - updates, 10, 28);
	network->passes = first_link_is_dead;
	died = network->now;
	while (!network_esp(network, 0, 1)) {
		talk(network, MILLISECONDS(100));
		assert_true(network->now - died < SECONDS(12));
	}
	assert_true(is(&mobile_session(network, 0, 1)->local.address, "198.51.100.1"));
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_path_is_left_soon),
		cmocka_unit_test(the_reason_is_told),
		cmocka_unit_test(it_comes_back),
		cmocka_unit_test(all_paths_die),
		cmocka_unit_test(silence_is_not_asked),
		cmocka_unit_test(traffic_is_answer_enough),
		cmocka_unit_test(a_one_way_stream),
		cmocka_unit_test(dear_links_are_asked_seldom),
		cmocka_unit_test(one_path_is_never_asked),
		cmocka_unit_test(round_trips_are_measured),
		cmocka_unit_test(loss_is_measured),
		cmocka_unit_test(a_question_is_answered_where_it_came_from),
		cmocka_unit_test(what_is_no_question_is_not_answered),
		cmocka_unit_test(answers_that_nobody_asked_for),
		cmocka_unit_test(as_many_answers_as_questions),
		cmocka_unit_test(a_peer_that_knows_no_questions),
		cmocka_unit_test(such_a_peer_is_heard_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
