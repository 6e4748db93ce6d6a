/* SPDX-License-Identifier: MIT */
/* What the DATA transport does when there is too much of something, or no memory. */
#include "overlay_chain.h"

#include "tests/unit/failing_allocation.h"

#include "hip/core/data_packet.h"
#include "hip/core/packet_signature.h"

/* ---- limits --------------------------------------------------------------------------------------------------------
 */

static void test_one_sender_has_a_rate(void **state)
{
	(void)state;
	struct chain *chain = chain_make_with(3, (struct data_transport_settings){.per_sender = 10});
	struct chain_host *owner = &chain->hosts[2];
	struct data_packet message = request_for(&owner->hit, 0);
	unsigned taken = 0;

	for (; message.sequence < 100; message.sequence++)
		taken += hand_over(chain, chain->hosts[0].identity, 2, &message, &chain->hosts[1].hit) == HIPHOP_OK;
	assert_int_equal(taken, 20);
	assert_int_equal(chain_count(chain, 2, DATA_COUNT_DROP_RATE), 80);
	/* The neighbour who handed it over is another sender. */
	assert_int_equal(hand_over(chain, chain->hosts[1].identity, 2, &message, &chain->hosts[1].hit), HIPHOP_OK);
	chain_free(chain);
}

static void test_a_forged_sender_costs_the_neighbour_not_the_sender(void **state)
{
	(void)state;
	struct chain *chain =
		chain_make_with(3, (struct data_transport_settings){.per_neighbour = 10, .per_sender = 10});
	struct chain_host *owner = &chain->hosts[2];
	struct data_packet message = request_for(&owner->hit, 0);
	struct buffer packet = {0};
	struct packet_view view;

	assert_int_equal(data_packet_build(&message, chain->hosts[0].identity, &packet), HIPHOP_OK);
	packet.data[coverage_of_packet(&packet).signed_end - 1] ^= 1;
	assert_int_equal(packet_parse(packet.data, packet.length, &view), HIPHOP_OK);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(data_transport_input(owner->transport, chain->now, &view, &chain->hosts[1].hit),
			HIPHOP_BAD_SIGNATURE);
	assert_int_equal(
		data_transport_input(owner->transport, chain->now, &view, &chain->hosts[1].hit), HIPHOP_LIMITED);
	assert_int_equal(hand_over(chain, chain->hosts[0].identity, 2, &message, &chain->hosts[0].hit), HIPHOP_OK);
	buffer_free(&packet);
	chain_free(chain);
}

static void test_one_sender_cannot_push_out_what_others_sent(void **state)
{
	(void)state;
	struct chain *chain =
		chain_make_with(3, (struct data_transport_settings){.remembered = 16, .per_sender = 1000});
	struct chain_host *owner = &chain->hosts[2];
	struct data_packet quiet = request_for(&owner->hit, 1), loud = request_for(&owner->hit, 0);
	struct data_packet sent;

	assert_int_equal(hand_over(chain, chain->hosts[0].identity, 2, &quiet, &chain->hosts[1].hit), HIPHOP_OK);
	for (; loud.sequence < 100; loud.sequence++)
		assert_int_equal(hand_over(chain, chain->hosts[1].identity, 2, &loud, &chain->hosts[1].hit), HIPHOP_OK);
	assert_int_equal(hand_over(chain, chain->hosts[0].identity, 2, &quiet, &chain->hosts[1].hit), HIPHOP_EXISTS);
	/* What was forgotten before its acknowledgement went was acknowledged then. */
	assert_int_equal(take_sends(owner, &sent, NULL), 100 - 15);
	chain_free(chain);
}

static void test_own_messages_are_bounded(void **state)
{
	(void)state;
	struct chain *chain = chain_make_with(2, (struct data_transport_settings){.outstanding = 4});

	for (unsigned i = 0; i < 4; i++)
		chain_ask(chain, &chain->hosts[1].hit, i, "x");
	assert_int_equal(data_transport_send(chain->hosts[0].transport, chain->now, &chain->hosts[1].hit, 9, NULL, 0,
				 (const uint8_t *)"x", 1),
		HIPHOP_LIMITED);
	chain_run(chain, chain->now + SECONDS(1));
	chain_ask(chain, &chain->hosts[1].hit, 9, "x");
	chain_free(chain);
}

static void test_who_acknowledges_no_answer_gets_no_more(void **state)
{
	(void)state;
	struct chain *chain = chain_make_with(3, (struct data_transport_settings){.per_sender = 1000});
	struct chain_host *owner = &chain->hosts[2];
	struct data_packet message = request_for(&owner->hit, 0);
	unsigned answered = 0;

	for (unsigned i = 0; i < 100; i++, message.sequence++, message.transaction++) {
		assert_int_equal(
			hand_over(chain, chain->hosts[0].identity, 2, &message, &chain->hosts[1].hit), HIPHOP_OK);
		answered += data_transport_send(owner->transport, chain->now, &chain->hosts[0].hit, message.transaction,
				    NULL, 0, (const uint8_t *)"x", 1) == HIPHOP_OK;
	}
	assert_int_equal(answered, DATA_TRANSPORT_ANSWERS_EACH);
	assert_int_equal(hand_over(chain, chain->hosts[1].identity, 2, &message, &chain->hosts[1].hit), HIPHOP_OK);
	assert_int_equal(data_transport_send(owner->transport, chain->now, &chain->hosts[1].hit, message.transaction,
				 NULL, 0, (const uint8_t *)"x", 1),
		HIPHOP_OK);
	chain_free(chain);
}

static void test_more_senders_than_identities_kept(void **state)
{
	(void)state;
	struct chain *chain = chain_make_with(6, (struct data_transport_settings){.identities = 2});
	struct data_packet message = request_for(&chain->hosts[5].hit, 0);

	for (unsigned round = 0; round < 3; round++, message.sequence++)
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(hand_over(chain, chain->hosts[i].identity, 5, &message, &chain->hosts[4].hit),
				HIPHOP_OK);
	chain_free(chain);
}

/* ---- no memory ------------------------------------------------------------------------------------------------- */

static void test_no_memory_sends_nothing_by_half(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct data_transport *transport = chain->hosts[0].transport;
	struct data_transport_effect effect;
	hiphop_error error = HIPHOP_NO_MEMORY;

	for (unsigned allowed = 0; error; allowed++) {
		failing_allocation_after(allowed);
		error = data_transport_send(
			transport, chain->now, &chain->hosts[1].hit, TRANSACTION, NULL, 0, (const uint8_t *)"x", 1);
		failing_allocation_stop();
		assert_int_equal(data_transport_outstanding(transport), error ? 0 : 1);
		assert_int_equal(data_transport_next_effect(transport, &effect), !error);
	}
	assert_int_equal(chain_count(chain, 0, DATA_COUNT_SENT), 1);
	chain_free(chain);
}

static void test_no_memory_takes_nothing_by_half(void **state)
{
	(void)state;
	struct chain *chain =
		chain_make_with(2, (struct data_transport_settings){.per_neighbour = 1000000, .per_sender = 1000000});
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	const struct data_packet message = request_for(&owner->hit, 5);
	struct data_transport_effect effect;
	struct buffer packet = {0};
	struct packet_view view;
	hiphop_error error = HIPHOP_NO_MEMORY;

	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	assert_int_equal(packet_parse(packet.data, packet.length, &view), HIPHOP_OK);
	for (unsigned allowed = 0; error; allowed++) {
		unsigned deliveries = 0;
		failing_allocation_after(allowed);
		error = data_transport_input(owner->transport, chain->now, &view, &asker->hit);
		failing_allocation_stop();
		while (data_transport_next_effect(owner->transport, &effect))
			deliveries += effect.kind == DATA_TRANSPORT_DELIVER;
		assert_int_equal(deliveries, error ? 0 : 1);
		assert_int_equal(chain_count(chain, 1, DATA_COUNT_RECEIVED), deliveries);
	}
	buffer_free(&packet);
	chain_free(chain);
}

static void test_no_memory_only_delays_what_is_due(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0];
	struct data_transport_effect effect;
	unsigned sends = 0, failures = 0;

	chain_ask(chain, &chain->hosts[1].hit, TRANSACTION, "x");
	for (unsigned turn = 0; data_transport_next_wake(asker->transport) != INSTANT_NEVER; turn++) {
		if (turn % 2 == 0)
			failing_allocation_after(0);
		data_transport_tick(asker->transport, data_transport_next_wake(asker->transport));
		failing_allocation_stop();
		while (data_transport_next_effect(asker->transport, &effect)) {
			sends += effect.kind == DATA_TRANSPORT_SEND;
			failures += effect.kind == DATA_TRANSPORT_FAILED;
		}
	}
	assert_int_equal(sends, 5);
	assert_int_equal(failures, 1);
	chain_free(chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_sender_has_a_rate),
		cmocka_unit_test(test_a_forged_sender_costs_the_neighbour_not_the_sender),
		cmocka_unit_test(test_one_sender_cannot_push_out_what_others_sent),
		cmocka_unit_test(test_own_messages_are_bounded),
		cmocka_unit_test(test_who_acknowledges_no_answer_gets_no_more),
		cmocka_unit_test(test_more_senders_than_identities_kept),
		cmocka_unit_test(test_no_memory_sends_nothing_by_half),
		cmocka_unit_test(test_no_memory_takes_nothing_by_half),
		cmocka_unit_test(test_no_memory_only_delays_what_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
