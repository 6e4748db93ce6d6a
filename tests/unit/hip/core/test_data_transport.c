/* SPDX-License-Identifier: MIT */
#include "overlay_chain.h"

#include "hip/core/data_packet.h"
#include "hip/core/packet_signature.h"

static struct hit resource(uint8_t number)
{
	return (struct hit){{0x20, 0x01, 0x00, 0x20, [15] = number}};
}

/* ---- requests and answers over several hops ---------------------------------------------------------------------- */

static void test_a_resource_is_asked_and_answers(void **state)
{
	(void)state;
	struct chain *chain = chain_make(5);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[4];
	const struct hit key = resource(9);

	owner->answers = true;
	chain_ask(chain, &key, TRANSACTION, "fetch it");
	/* There, back, and the acknowledgement of the answer, which waits for nothing. */
	chain_run(chain, chain->now + 12 * CHAIN_LATENCY);
	assert_int_equal(data_transport_outstanding(owner->transport), 0);
	chain_run(chain, chain->now + SECONDS(60));

	assert_int_equal(owner->requests, 1);
	assert_int_equal(owner->last.hops, 4);
	assert_int_equal(owner->last.ttl, RELAY_TTL_DEFAULT - 3);
	assert_int_equal(owner->last.transaction, TRANSACTION);
	assert_true(hit_equal(&owner->last.sender, &asker->hit));
	assert_true(hit_equal(&owner->last.receiver, &key));
	assert_true(hit_equal(&owner->last.previous_hop, &chain->hosts[3].hit));
	assert_int_equal(owner->last.route.count, 3);
	assert_true(hit_equal(&owner->last.route.hits[0], &chain->hosts[3].hit));
	assert_int_equal(owner->last.content_length, 8);
	assert_memory_equal(owner->content, "fetch it", 8);
	const struct span identity = host_identity_octets(asker->identity);
	assert_int_equal(owner->last.identity_length, identity.length);
	assert_memory_equal(owner->identity_octets, identity.data, identity.length);
	assert_int_equal(owner->last.algorithm, host_identity_algorithm(asker->identity));

	assert_int_equal(asker->answered, 1);
	assert_int_equal(asker->last.hops, 4);
	assert_int_equal(asker->last.transaction, TRANSACTION);
	assert_true(hit_equal(&asker->last.sender, &owner->hit)); /* from its HIT, not from the Resource-ID */
	assert_memory_equal(asker->content, "answer", 6);
	/* Request, answer with the acknowledgement on it, acknowledgement of the answer: three packets, four hops. */
	assert_int_equal(chain->crossed, 12);
	assert_int_equal(chain_count(chain, 4, DATA_COUNT_BARE_ACK_SENT), 0);
	assert_int_equal(chain_count(chain, 0, DATA_COUNT_BARE_ACK_SENT), 1);
	assert_int_equal(chain_count(chain, 0, DATA_COUNT_RETRANSMITTED), 0);
	assert_int_equal(asker->failures + owner->failures, 0);
	assert_int_equal(data_transport_outstanding(asker->transport), 0);
	assert_int_equal(data_transport_outstanding(owner->transport), 0);
	assert_true(chain_next(chain) == INSTANT_NEVER); /* all is forgotten in the end */
	chain_free(chain);
}

static void test_without_an_answer_the_acknowledgement_goes_alone(void **state)
{
	(void)state;
	struct chain *chain = chain_make(3);
	instant asked = chain->now;

	chain_ask(chain, &chain->hosts[2].hit, TRANSACTION, "tell");
	chain_run(chain, asked + 2 * CHAIN_LATENCY + MILLISECONDS(49));
	assert_int_equal(chain_count(chain, 2, DATA_COUNT_BARE_ACK_SENT), 0);
	chain_run(chain, asked + 2 * CHAIN_LATENCY + MILLISECONDS(50));
	assert_int_equal(chain_count(chain, 2, DATA_COUNT_BARE_ACK_SENT), 1);
	chain_run(chain, asked + SECONDS(60));
	assert_int_equal(chain->hosts[2].requests, 1);
	assert_int_equal(chain_count(chain, 0, DATA_COUNT_ACKNOWLEDGED), 1);
	assert_int_equal(chain->hosts[0].failures, 0);
	assert_int_equal(chain->crossed, 4);
	chain_free(chain);
}

static void test_a_late_answer_acknowledges_too(void **state)
{
	(void)state;
	struct chain *chain = chain_make(3);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[2];

	chain_ask(chain, &owner->hit, TRANSACTION, "think");
	chain_run(chain, chain->now + SECONDS(2));
	assert_int_equal(data_transport_send(owner->transport, chain->now, &asker->hit, TRANSACTION, NULL, 0,
				 (const uint8_t *)"done", 4),
		HIPHOP_OK);
	chain_run(chain, chain->now + SECONDS(60));
	assert_int_equal(asker->answered, 1);
	assert_memory_equal(asker->content, "done", 4);
	assert_int_equal(owner->failures, 0);
	chain_free(chain);
}

static void test_neighbours_need_no_list(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);

	chain->hosts[1].answers = true;
	chain_ask(chain, &chain->hosts[1].hit, TRANSACTION, "hello");
	chain_run(chain, chain->now + SECONDS(60));
	assert_int_equal(chain->hosts[1].last.hops, 1);
	assert_int_equal(chain->hosts[1].last.route.count, 0);
	assert_int_equal(chain->hosts[0].answered, 1);
	assert_int_equal(chain->crossed, 3);
	chain_free(chain);
}

static void test_a_host_may_be_responsible_itself(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	const struct hit key = resource(1);

	chain->owner = 0;
	chain->hosts[0].answers = true;
	chain_ask(chain, &key, TRANSACTION, "my own");
	chain_run(chain, chain->now + SECONDS(60));
	assert_int_equal(chain->hosts[0].requests, 1);
	assert_int_equal(chain->hosts[0].answered, 1);
	assert_int_equal(chain->hosts[0].failures, 0);
	assert_int_equal(chain->crossed, 0);
	chain_free(chain);
}

static void test_a_given_route_is_taken(void **state)
{
	(void)state;
	struct chain *chain = chain_make(4);
	struct data_route route = {.flags = ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW, .count = 2};

	chain->broken = true; /* the topology knows nothing: only the list leads there */
	chain->hosts[3].answers = true;
	route.hits[0] = chain->hosts[1].hit;
	route.hits[1] = chain->hosts[2].hit;
	assert_int_equal(data_transport_send(chain->hosts[0].transport, chain->now, &chain->hosts[3].hit, TRANSACTION,
				 &route, 0, (const uint8_t *)"x", 1),
		HIPHOP_OK);
	chain_run(chain, chain->now + SECONDS(60));
	assert_int_equal(chain->hosts[3].requests, 1);
	assert_int_equal(chain->hosts[0].answered, 1);
	assert_int_equal(chain->hosts[3].failures + chain->hosts[0].failures, 0);
	chain_free(chain);
}

static void test_contents_of_all_sizes(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 7, 8, 9, 900, 4096, DATA_TRANSPORT_CONTENT_MAXIMUM};
	static uint8_t content[DATA_TRANSPORT_CONTENT_MAXIMUM + 1];
	struct chain *chain = chain_make(4);

	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		assert_int_equal(data_transport_send(chain->hosts[0].transport, chain->now, &chain->hosts[3].hit, i,
					 NULL, 0, content, sizes[i]),
			HIPHOP_OK);
		chain_run(chain, chain->now + SECONDS(1));
		assert_int_equal(chain->hosts[3].last.content_length, sizes[i]);
		assert_memory_equal(chain->hosts[3].content, content, sizes[i]);
	}
	assert_int_equal(data_transport_send(chain->hosts[0].transport, chain->now, &chain->hosts[3].hit, 99, NULL, 0,
				 content, sizeof content),
		HIPHOP_TOO_LARGE);
	chain_free(chain);
}

/* ---- what gets lost -----------------------------------------------------------------------------------------------
 */

static link_fate lose_all(struct chain *chain, struct flying *packet)
{
	(void)chain;
	(void)packet;
	return LINK_LOSE;
}

static void test_five_tries_with_growing_pauses(void **state)
{
	(void)state;
	static const unsigned sent_at[] = {0, 500, 1500, 3500, 7500}; /* milliseconds */
	struct chain *chain = chain_make(2);
	instant start = chain->now;

	chain->fate = lose_all;
	chain_ask(chain, &chain->hosts[1].hit, TRANSACTION, "anybody?");
	for (unsigned i = 0; i < 5; i++) {
		if (i > 0) {
			chain_run(chain, start + MILLISECONDS(sent_at[i]) - 1);
			assert_int_equal(chain->crossed, i);
		}
		chain_run(chain, start + MILLISECONDS(sent_at[i]));
		assert_int_equal(chain->crossed, i + 1);
	}
	chain_run(chain, start + MILLISECONDS(15500) - 1);
	assert_int_equal(chain->hosts[0].failures, 0);
	chain_run(chain, start + SECONDS(100));
	assert_int_equal(chain->crossed, 5);
	assert_int_equal(chain->hosts[0].again, 4);
	assert_int_equal(chain->hosts[0].failures, 1);
	assert_int_equal(chain->hosts[0].failure, HIPHOP_TIMEOUT);
	assert_int_equal(chain->hosts[0].failed_transaction, TRANSACTION);
	assert_int_equal(data_transport_outstanding(chain->hosts[0].transport), 0);
	chain_free(chain);
}

/** Loses the packets whose place in the order of crossing is a set bit of chain->counter. */
static link_fate lose_marked(struct chain *chain, struct flying *packet)
{
	(void)packet;
	return chain->crossed <= 32 && chain->counter >> (chain->crossed - 1) & 1 ? LINK_LOSE : LINK_PASS;
}

/** Whichever of the first crossings are lost, two neighbours deliver request and answer once each. */
static void test_any_early_loss_heals(void **state)
{
	(void)state;
	for (unsigned lost = 0; lost < 64; lost++) {
		struct chain *chain = chain_make(2);
		chain->counter = lost;
		chain->fate = lose_marked;
		chain->hosts[1].answers = true;
		chain_ask(chain, &chain->hosts[1].hit, TRANSACTION, "once");
		chain_run(chain, chain->now + SECONDS(60));
		if (lost != 63 && (lost & 0x1f) != 0x1f) {
			assert_int_equal(chain->hosts[1].requests, 1);
			assert_int_equal(chain->hosts[0].answered, 1);
			assert_int_equal(chain->hosts[0].failures, 0);
		}
		assert_int_equal(data_transport_outstanding(chain->hosts[0].transport), 0);
		assert_int_equal(data_transport_outstanding(chain->hosts[1].transport), 0);
		chain_free(chain);
	}
}

static link_fate lose_and_double(struct chain *chain, struct flying *packet)
{
	uint32_t drawn = random_below(&chain->random, 100);

	packet->at += MILLISECONDS(random_below(&chain->random, 40)); /* they overtake each other */
	return drawn < 5 ? LINK_LOSE : drawn < 20 ? LINK_DOUBLE : LINK_PASS;
}

static void test_many_requests_over_bad_links_come_once(void **state)
{
	(void)state;
	struct chain *chain = chain_make(4);
	const struct hit key = resource(3);

	chain->fate = lose_and_double;
	chain->hosts[3].answers = true;
	for (unsigned i = 0; i < 100; i++) {
		chain_ask(chain, &key, i, "request");
		chain_run(chain, chain->now + MILLISECONDS(20));
	}
	chain_run(chain, chain->now + SECONDS(60));
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(chain->hosts[3].per_transaction[i], 1);
		assert_int_equal(chain->hosts[0].per_transaction[i], 1);
	}
	assert_int_equal(chain->hosts[0].failures, 0);
	assert_true(chain_count(chain, 0, DATA_COUNT_RETRANSMITTED) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DUPLICATE) > 0);
	chain_free(chain);
}

static void test_slow_paths_stretch_the_timeout(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);

	chain->latency = MILLISECONDS(900);
	for (unsigned i = 0; i < 6; i++) {
		chain_ask(chain, &chain->hosts[1].hit, i, "far away");
		chain_run(chain, chain->now + SECONDS(20));
	}
	uint64_t before = chain_count(chain, 0, DATA_COUNT_RETRANSMITTED);
	assert_true(before > 0);
	chain_ask(chain, &chain->hosts[1].hit, 9, "far away");
	chain_run(chain, chain->now + SECONDS(20));
	assert_int_equal(chain_count(chain, 0, DATA_COUNT_RETRANSMITTED), before);
	chain_free(chain);
}

/* ---- repeated requests ---------------------------------------------------------------------------------------------
 */

static void test_a_repeated_request_gets_its_answer_by_the_new_way(void **state)
{
	(void)state;
	struct chain *chain = chain_make(8);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[7];
	struct data_packet request = request_for(&owner->hit, 5), sent;
	struct data_transport_effect effect;
	struct hit first_hop;

	/* A list to the receiver gives the reversed list back: enough to come by two ways. */
	request.route = list_of(chain, 2);
	assert_int_equal(hand_over(chain, asker->identity, 7, &request, &chain->hosts[3].hit), HIPHOP_OK);
	assert_true(data_transport_next_effect(owner->transport, &effect));
	assert_int_equal(effect.kind, DATA_TRANSPORT_DELIVER);
	assert_int_equal(data_transport_send(owner->transport, chain->now, &effect.sender, effect.transaction, NULL, 0,
				 (const uint8_t *)"the answer", 10),
		HIPHOP_OK);
	assert_int_equal(take_sends(owner, &sent, &first_hop), 1);
	uint32_t sequence = sent.sequence;
	assert_int_equal(sent.acknowledged.count, 1);
	assert_int_equal(sent.acknowledged.items[0], 5);
	assert_true(hit_equal(&first_hop, &chain->hosts[3].hit));

	request.route = list_of(chain, 5);
	assert_int_equal(hand_over(chain, asker->identity, 7, &request, &chain->hosts[6].hit), HIPHOP_EXISTS);
	assert_int_equal(take_sends(owner, &sent, &first_hop), 1);
	assert_int_equal(sent.sequence, sequence); /* the same message */
	assert_int_equal(sent.content.length, 10);
	assert_memory_equal(sent.content.data, "the answer", 10);
	assert_int_equal(sent.acknowledged.items[0], 5);
	assert_true(hit_equal(&first_hop, &chain->hosts[6].hit));
	assert_int_equal(sent.route.count, 2); /* read at the owner: the way back is the list reversed */
	assert_true(hit_equal(&sent.route.hits[1], &chain->hosts[6].hit));
	chain_free(chain);
}

static void test_a_repeated_request_without_answer_is_acknowledged_again(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	struct data_packet request = request_for(&owner->hit, 5), sent;

	assert_int_equal(hand_over(chain, asker->identity, 1, &request, &asker->hit), HIPHOP_OK);
	assert_int_equal(hand_over(chain, asker->identity, 1, &request, &asker->hit), HIPHOP_EXISTS);
	assert_int_equal(take_sends(owner, &sent, NULL), 0); /* still waiting for an answer to ride on */
	data_transport_tick(owner->transport, chain->now + MILLISECONDS(50));
	assert_int_equal(take_sends(owner, &sent, NULL), 1);
	assert_false(sent.has_sequence);
	assert_int_equal(sent.acknowledged.items[0], 5);
	assert_int_equal(sent.transaction, request.transaction);
	assert_int_equal(hand_over(chain, asker->identity, 1, &request, &asker->hit), HIPHOP_EXISTS);
	assert_int_equal(take_sends(owner, &sent, NULL), 1);
	assert_int_equal(chain_count(chain, 1, DATA_COUNT_RECEIVED), 1);
	assert_int_equal(chain_count(chain, 1, DATA_COUNT_DUPLICATE), 2);

	/* The same number with another content is another message. */
	request.content.length--;
	assert_int_equal(hand_over(chain, asker->identity, 1, &request, &asker->hit), HIPHOP_OK);
	chain_free(chain);
}

/* ---- acknowledgements ----------------------------------------------------------------------------------------------
 */

static void test_only_who_knows_the_transaction_acknowledges(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0], *other = &chain->hosts[1];
	struct data_packet acknowledgement = {
		.receiver = asker->hit, .overlay_id = CHAIN_OVERLAY, .ttl = 1, .transaction = TRANSACTION + 1};
	struct data_packet sent;

	chain_ask(chain, &other->hit, TRANSACTION, "request");
	assert_int_equal(take_sends(asker, &sent, NULL), 1);
	acknowledgement.acknowledged.count = 2;
	acknowledgement.acknowledged.items[0] = sent.sequence - 1;
	acknowledgement.acknowledged.items[1] = sent.sequence;
	assert_int_equal(hand_over(chain, other->identity, 0, &acknowledgement, &other->hit), HIPHOP_NOT_FOUND);
	assert_int_equal(data_transport_outstanding(asker->transport), 1);
	acknowledgement.transaction = TRANSACTION;
	assert_int_equal(hand_over(chain, other->identity, 0, &acknowledgement, &other->hit), HIPHOP_OK);
	assert_int_equal(data_transport_outstanding(asker->transport), 0);
	assert_int_equal(hand_over(chain, other->identity, 0, &acknowledgement, &other->hit), HIPHOP_NOT_FOUND);
	assert_int_equal(take_sends(asker, &sent, NULL), 0); /* an acknowledgement is never acknowledged */
	assert_int_equal(chain_count(chain, 0, DATA_COUNT_DROP_STRAY_ACK), 2);
	chain_free(chain);
}

/* ---- hop counts and lists ------------------------------------------------------------------------------------------
 */

static void test_too_few_hops_are_told(void **state)
{
	(void)state;
	struct chain *chain = chain_make(6);

	assert_int_equal(data_transport_send(chain->hosts[0].transport, chain->now, &chain->hosts[5].hit, TRANSACTION,
				 NULL, 2, (const uint8_t *)"x", 1),
		HIPHOP_OK);
	chain_run(chain, chain->now + SECONDS(60));
	assert_int_equal(chain->hosts[5].requests, 0);
	assert_int_equal(chain->hosts[3].relay_drops[RELAY_CAUSE_TTL_EXCEEDED], 5);
	assert_int_equal(chain->hosts[0].failures, 1);
	assert_int_equal(chain->hosts[0].failure, HIPHOP_NOT_FOUND);
	chain_free(chain);
}

static void test_no_way_is_told(void **state)
{
	(void)state;
	struct chain *chain = chain_make(4);

	chain->broken = true;
	chain_ask(chain, &chain->hosts[3].hit, TRANSACTION, "x");
	chain_run(chain, chain->now + SECONDS(60));
	assert_int_equal(chain->hosts[0].failures, 1);
	assert_int_equal(chain->hosts[0].failure, HIPHOP_NOT_FOUND);
	chain_free(chain);
}

static void run_long_chain(size_t hosts, struct chain **out)
{
	struct chain *chain = chain_make_with(hosts, (struct data_transport_settings){.ttl = 100});

	chain->hosts[hosts - 1].answers = true;
	chain_ask(chain, &chain->hosts[hosts - 1].hit, TRANSACTION, "far");
	chain_run(chain, chain->now + SECONDS(60));
	*out = chain;
}

static void test_32_forwarders_are_the_most(void **state)
{
	(void)state;
	struct chain *chain;

	run_long_chain(34, &chain);
	assert_int_equal(chain->hosts[33].requests, 1);
	assert_int_equal(chain->hosts[33].last.hops, 33);
	assert_int_equal(chain->hosts[33].last.route.count, 32);
	assert_int_equal(chain->hosts[0].answered, 1);
	chain_free(chain);

	run_long_chain(35, &chain);
	assert_int_equal(chain->hosts[34].requests, 0);
	assert_int_equal(chain->hosts[33].relay_drops[RELAY_CAUSE_VIA_FULL], 5);
	assert_int_equal(chain->hosts[0].failure, HIPHOP_TIMEOUT);
	chain_free(chain);
}

/* ---- arguments -----------------------------------------------------------------------------------------------------
 */

static void test_bad_arguments_are_refused(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct data_transport *transport = chain->hosts[0].transport, *none = NULL;
	const struct hit nowhere = {{0xfe, 0x80, [15] = 1}}, there = chain->hosts[1].hit;
	struct data_route route = {.count = 33};
	const uint8_t content[] = "x";

	assert_int_equal(data_transport_send(transport, 0, &nowhere, 1, NULL, 0, content, 1), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(data_transport_send(transport, 0, &there, 1, NULL, 0, content, 0), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(data_transport_send(transport, 0, &there, 1, NULL, 0, NULL, 1), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(data_transport_send(transport, 0, &there, 1, &route, 0, content, 1), HIPHOP_INVALID_ARGUMENT);
	route.count = 1;
	assert_int_equal(data_transport_send(transport, 0, &there, 1, &route, 0, content, 1), HIPHOP_INVALID_ARGUMENT);
	const struct data_transport_settings empty = {0};
	assert_int_equal(data_transport_create(&empty, &none), HIPHOP_INVALID_ARGUMENT);
	data_transport_free(NULL);
	for (int i = 0; i < DATA_COUNT_COUNT; i++)
		assert_true(data_transport_counter_name((data_transport_counter)i)[0] != 0);
	assert_string_equal(data_transport_counter_name(DATA_COUNT_COUNT), "");
	chain_free(chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_resource_is_asked_and_answers),
		cmocka_unit_test(test_without_an_answer_the_acknowledgement_goes_alone),
		cmocka_unit_test(test_a_late_answer_acknowledges_too),
		cmocka_unit_test(test_neighbours_need_no_list),
		cmocka_unit_test(test_a_host_may_be_responsible_itself),
		cmocka_unit_test(test_a_given_route_is_taken),
		cmocka_unit_test(test_contents_of_all_sizes),
		cmocka_unit_test(test_five_tries_with_growing_pauses),
		cmocka_unit_test(test_any_early_loss_heals),
		cmocka_unit_test(test_many_requests_over_bad_links_come_once),
		cmocka_unit_test(test_slow_paths_stretch_the_timeout),
		cmocka_unit_test(test_a_repeated_request_gets_its_answer_by_the_new_way),
		cmocka_unit_test(test_a_repeated_request_without_answer_is_acknowledged_again),
		cmocka_unit_test(test_only_who_knows_the_transaction_acknowledges),
		cmocka_unit_test(test_too_few_hops_are_told),
		cmocka_unit_test(test_no_way_is_told),
		cmocka_unit_test(test_32_forwarders_are_the_most),
		cmocka_unit_test(test_bad_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
