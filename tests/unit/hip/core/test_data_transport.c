/* SPDX-License-Identifier: MIT */
#include "overlay_chain.h"

#include "tests/unit/failing_allocation.h"

#include "hip/core/data_packet.h"
#include "hip/core/packet_signature.h"

static struct hit resource(uint8_t number)
{
	return (struct hit){{0x20, 0x01, 0x00, 0x20, [15] = number}};
}

#define TRANSACTION UINT64_C(0x1122334455667701)

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

/** A request of `fields` for `to`, straight from `from`, as the receiver's engine sees it. */
static hiphop_error hand_over(struct chain *chain, const struct host_identity *from, size_t to,
	const struct data_packet *fields, const struct hit *neighbour)
{
	struct buffer octets = {0};
	struct packet_view view;

	assert_int_equal(data_packet_build(fields, from, &octets), HIPHOP_OK);
	assert_int_equal(packet_parse(octets.data, octets.length, &view), HIPHOP_OK);
	hiphop_error error = data_transport_input(chain->hosts[to].transport, chain->now, &view, neighbour);
	buffer_free(&octets);
	return error;
}

static struct data_packet request_for(const struct hit *receiver, uint32_t sequence)
{
	return (struct data_packet){
		.receiver = *receiver,
		.has_sequence = true,
		.sequence = sequence,
		.transaction = TRANSACTION + sequence,
		.overlay_id = CHAIN_OVERLAY,
		.ttl = 10,
		.content = {(const uint8_t *)"some content", 12},
	};
}

/** Takes the effects of a host and keeps the last packet that it wants to send. */
static unsigned take_sends(struct chain_host *host, struct data_packet *sent, struct hit *first_hop)
{
	static uint8_t octets[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct data_transport_effect effect;
	struct packet_view view;
	unsigned sends = 0;

	while (data_transport_next_effect(host->transport, &effect)) {
		if (effect.kind != DATA_TRANSPORT_SEND)
			continue;
		sends++;
		memcpy(octets, effect.octets, effect.length);
		assert_int_equal(packet_parse(octets, effect.length, &view), HIPHOP_OK);
		assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
		if (view.type == HIP_PACKET_DATA)
			assert_int_equal(data_packet_read(&view, &host->hit, sent), HIPHOP_OK);
		if (first_hop != NULL)
			*first_hop = effect.has_first_hop ? effect.first_hop : (struct hit){{0}};
	}
	return sends;
}

static struct data_route list_of(const struct chain *chain, size_t first)
{
	struct data_route route = {.flags = ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW, .count = 2};

	route.hits[0] = chain->hosts[first].hit;
	route.hits[1] = chain->hosts[first + 1].hit;
	return route;
}

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

/* ---- tampering -----------------------------------------------------------------------------------------------------
 */

struct covered {
	size_t signed_end; /* octets before this are signed, the checksum apart */
	size_t payload;    /* where the payload starts */
	size_t total;
};

static struct covered coverage_of_packet(const struct buffer *packet)
{
	struct packet_view view;

	assert_int_equal(packet_parse(packet->data, packet->length, &view), HIPHOP_OK);
	const struct parameter_view *signature = packet_find(&view, PARAMETER_HIP_SIGNATURE);
	return (struct covered){
		.signed_end = (size_t)(signature->contents.data + signature->contents.length - packet->data),
		.payload = view.octets.length,
		.total = packet->length,
	};
}

static bool is_protected(const struct covered *covered, size_t offset)
{
	bool is_checksum = offset == 4 || offset == 5;

	return (offset < covered->signed_end && !is_checksum) || offset >= covered->payload;
}

/** Every octet of a message with every parameter, one bit changed: none is taken, and the true one is at the end. */
static void test_no_changed_octet_is_taken(void **state)
{
	(void)state;
	struct chain *chain =
		chain_make_with(4, (struct data_transport_settings){.per_neighbour = 1000000, .per_sender = 1000000});
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[3];
	struct data_packet message = request_for(&owner->hit, 5), sent;
	struct buffer packet = {0};
	struct packet_view view;

	message.route = list_of(chain, 1);
	message.acknowledged = (struct parameter_sequence_list){.count = 2, .items = {77, 78}};
	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	const struct covered covered = coverage_of_packet(&packet);
	for (size_t offset = 0; offset < covered.total; offset++) {
		if (!is_protected(&covered, offset))
			continue;
		packet.data[offset] ^= (uint8_t)(1U << (offset % 8));
		if (!packet_parse(packet.data, packet.length, &view))
			assert_true(
				data_transport_input(owner->transport, chain->now, &view, &asker->hit) != HIPHOP_OK);
		packet.data[offset] ^= (uint8_t)(1U << (offset % 8));
		if (chain_count(chain, 3, DATA_COUNT_RECEIVED) != 0)
			fail_msg("octet %zu was changed and the message taken", offset);
	}
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_MIC) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_IDENTITY) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_SIGNATURE) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_OTHER_OVERLAY) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_MALFORMED) > 0);
	take_sends(owner, &sent, NULL);
	assert_int_equal(packet_parse(packet.data, packet.length, &view), HIPHOP_OK);
	assert_int_equal(data_transport_input(owner->transport, chain->now, &view, &asker->hit), HIPHOP_OK);
	buffer_free(&packet);
	chain_free(chain);
}

/** Also of a sender whose identity is known, whose HOST_ID is then not parsed again. */
static void test_no_changed_octet_of_a_known_sender_is_taken(void **state)
{
	(void)state;
	struct chain *chain =
		chain_make_with(2, (struct data_transport_settings){.per_neighbour = 1000000, .per_sender = 1000000});
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	struct data_packet message = request_for(&owner->hit, 5);
	struct buffer packet = {0};
	struct packet_view view;

	assert_int_equal(hand_over(chain, asker->identity, 1, &message, &asker->hit), HIPHOP_OK);
	message.sequence++;
	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	const struct covered covered = coverage_of_packet(&packet);
	for (size_t offset = 0; offset < covered.total; offset++) {
		if (!is_protected(&covered, offset))
			continue;
		packet.data[offset] ^= 0x10;
		if (!packet_parse(packet.data, packet.length, &view))
			assert_true(
				data_transport_input(owner->transport, chain->now, &view, &asker->hit) != HIPHOP_OK);
		packet.data[offset] ^= 0x10;
		if (chain_count(chain, 1, DATA_COUNT_RECEIVED) != 1)
			fail_msg("octet %zu was changed and the message taken", offset);
	}
	buffer_free(&packet);
	chain_free(chain);
}

static void test_every_parameter_that_must_be_there_is_missed(void **state)
{
	(void)state;
	static const uint16_t needed[] = {PARAMETER_SEQ_DATA, PARAMETER_PAYLOAD_MIC, PARAMETER_TRANSACTION_ID,
		PARAMETER_OVERLAY_ID, PARAMETER_HIP_SIGNATURE, PARAMETER_HOST_ID};
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	const struct data_packet message = request_for(&owner->hit, 5);
	struct buffer packet = {0};
	struct packet_view whole, view;

	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	assert_int_equal(packet_parse(packet.data, packet.length, &whole), HIPHOP_OK);
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		uint8_t octets[2048];
		struct packet_builder builder;
		size_t length;
		packet_builder_start(
			&builder, octets, sizeof octets, HIP_PACKET_DATA, 0, &whole.sender, &whole.receiver);
		for (size_t j = 0; j < whole.parameters.count; j++)
			if (whole.parameters.items[j].type != needed[i])
				packet_builder_add_encoded(&builder, whole.parameters.items[j].encoded);
		packet_builder_payload(&builder, HIP_NEXT_HEADER_RELOAD, whole.payload.data, whole.payload.length);
		assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
		assert_int_equal(packet_parse(octets, length, &view), HIPHOP_OK);
		assert_true(data_transport_input(owner->transport, chain->now, &view, &asker->hit) != HIPHOP_OK);
	}
	assert_int_equal(chain_count(chain, 1, DATA_COUNT_RECEIVED), 0);
	buffer_free(&packet);
	chain_free(chain);
}

static void test_a_sender_once_known_may_leave_out_its_host_id(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	struct data_packet message = request_for(&owner->hit, 5);
	uint8_t octets[2048];
	struct packet_builder builder;
	struct packet_view view;
	size_t length;

	/* A bare acknowledgement without HOST_ID, signed like any other. */
	packet_builder_start(&builder, octets, sizeof octets, HIP_PACKET_DATA, 0, &asker->hit, &owner->hit);
	packet_builder_add(&builder, PARAMETER_ACK_DATA, (uint8_t[]){0, 0, 0, 1}, 4);
	packet_builder_add(&builder, PARAMETER_TRANSACTION_ID, "abcdefgh", 8);
	packet_builder_add(&builder, PARAMETER_OVERLAY_ID, (uint8_t[]){0x0b, 0xad, 0xca, 0xfe}, 4);
	packet_reserve_signature(&builder, asker->identity);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_sign(octets, length, asker->identity), HIPHOP_OK);
	assert_int_equal(packet_parse(octets, length, &view), HIPHOP_OK);

	assert_int_equal(data_transport_input(owner->transport, chain->now, &view, &asker->hit), HIPHOP_BAD_IDENTITY);
	assert_int_equal(hand_over(chain, asker->identity, 1, &message, &asker->hit), HIPHOP_OK);
	assert_int_equal(data_transport_input(owner->transport, chain->now, &view, &asker->hit), HIPHOP_NOT_FOUND);
	chain_free(chain);
}

static void test_a_bad_signature_is_told_at_a_limited_rate(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	const struct data_packet message = request_for(&owner->hit, 5);
	struct data_transport_effect effect;
	struct parameter_notification notification;
	struct buffer packet = {0};
	struct packet_view view, notify;
	unsigned told = 0;

	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	packet.data[coverage_of_packet(&packet).signed_end - 1] ^= 1;
	assert_int_equal(packet_parse(packet.data, packet.length, &view), HIPHOP_OK);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(
			data_transport_input(owner->transport, chain->now, &view, &asker->hit), HIPHOP_BAD_SIGNATURE);
	while (data_transport_next_effect(owner->transport, &effect)) {
		told++;
		assert_int_equal(effect.kind, DATA_TRANSPORT_SEND);
		assert_true(hit_equal(&effect.first_hop, &asker->hit));
		assert_int_equal(packet_parse(effect.octets, effect.length, &notify), HIPHOP_OK);
		assert_int_equal(
			parameter_notification_read(packet_find(&notify, PARAMETER_NOTIFICATION), &notification),
			HIPHOP_OK);
		assert_int_equal(notification.type, NOTIFY_AUTHENTICATION_FAILED);
	}
	assert_in_range(told, 1, 30);
	buffer_free(&packet);
	chain_free(chain);
}

/* ---- the packet that the document shows -------------------------------------------------------------------------- */

/** The example of docs/hipv2-mapping.md section 18, octet for octet. */
static const uint8_t shown[] = {
	0xfd,
	0x25,
	0x20,
	0x21,
	0x00,
	0x00,
	0x00,
	0x00,
	0x20,
	0x01,
	0x00,
	0x22,
	0x4c,
	0x25,
	0x23,
	0x7d,
	0x49,
	0x60,
	0x37,
	0xaf,
	0x5d,
	0x3b,
	0x35,
	0x33,
	0x20,
	0x01,
	0x00,
	0x20,
	0x7b,
	0x24,
	0x6c,
	0x6e,
	0x49,
	0x2e,
	0x19,
	0xe3,
	0xc8,
	0xcb,
	0x00,
	0xd4,
	0x02,
	0xc1,
	0x00,
	0x48,
	0x00,
	0x42,
	0x00,
	0x00,
	0x00,
	0x07,
	0x00,
	0x01,
	0x3c,
	0x02,
	0x64,
	0xe2,
	0x84,
	0x1f,
	0x9a,
	0x49,
	0x05,
	0x65,
	0xc5,
	0x10,
	0x34,
	0x50,
	0x8a,
	0x4f,
	0x27,
	0x35,
	0x69,
	0xa4,
	0xbf,
	0x28,
	0x45,
	0xad,
	0xdd,
	0x6b,
	0xa7,
	0x01,
	0x2f,
	0x42,
	0xc9,
	0x0e,
	0xc9,
	0xe7,
	0xc7,
	0xa8,
	0x6e,
	0xe8,
	0x63,
	0x9f,
	0x64,
	0x7a,
	0x30,
	0xd3,
	0x0b,
	0x12,
	0x39,
	0x6e,
	0x0a,
	0xdf,
	0xb3,
	0x46,
	0x49,
	0x0a,
	0x9e,
	0xef,
	0xb0,
	0x89,
	0xf6,
	0x09,
	0xc4,
	0x47,
	0xe5,
	0x94,
	0x00,
	0x00,
	0x00,
	0x00,
	0x11,
	0x81,
	0x00,
	0x04,
	0x00,
	0x00,
	0x01,
	0x01,
	0x11,
	0xe1,
	0x00,
	0x3c,
	0xfd,
	0x00,
	0x00,
	0x00,
	0x00,
	0x02,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x27,
	0x26,
	0xe7,
	0x00,
	0x7b,
	0x07,
	0xed,
	0x42,
	0x49,
	0xef,
	0x8c,
	0xf1,
	0x70,
	0xc0,
	0xf7,
	0xdb,
	0x14,
	0x3d,
	0x42,
	0xe3,
	0xc9,
	0x5d,
	0xf8,
	0x25,
	0xd2,
	0x72,
	0x18,
	0x99,
	0x9b,
	0xb7,
	0x4d,
	0x26,
	0x5b,
	0x2b,
	0x42,
	0xb7,
	0x44,
	0x04,
	0x21,
	0x62,
	0x60,
	0x86,
	0xb8,
	0xd8,
	0x53,
	0xc8,
	0xbf,
	0x41,
	0x11,
	0xe4,
	0x00,
	0x08,
	0x11,
	0x22,
	0x33,
	0x44,
	0x55,
	0x66,
	0x77,
	0x88,
	0x00,
	0x00,
	0x00,
	0x00,
	0x11,
	0xf0,
	0x00,
	0x04,
	0x0b,
	0xad,
	0xca,
	0xfe,
	0xf1,
	0x01,
	0x00,
	0x42,
	0x00,
	0x07,
	0xf9,
	0xb6,
	0x37,
	0x5d,
	0x82,
	0xdb,
	0x09,
	0xf5,
	0xf2,
	0xe6,
	0x89,
	0x2c,
	0xb0,
	0xf9,
	0x94,
	0xb8,
	0xb3,
	0x1d,
	0x75,
	0x06,
	0xcd,
	0x83,
	0xfe,
	0x1b,
	0xa8,
	0xc1,
	0x27,
	0x80,
	0x1a,
	0xb5,
	0x88,
	0x8e,
	0x4c,
	0x5f,
	0x30,
	0x9a,
	0x6a,
	0x96,
	0x89,
	0xef,
	0x00,
	0xa1,
	0xc4,
	0x31,
	0x3e,
	0x30,
	0xf3,
	0x85,
	0x62,
	0x6f,
	0x00,
	0xa5,
	0xe0,
	0x2e,
	0xc9,
	0x36,
	0x4b,
	0x6f,
	0xf8,
	0xe5,
	0x64,
	0xba,
	0xee,
	0x84,
	0x00,
	0x00,
	0xfa,
	0x0b,
	0x00,
	0x04,
	0x00,
	0x64,
	0x00,
	0x00,
	0xfa,
	0x11,
	0x00,
	0x04,
	0xc0,
	0x00,
	0x00,
	0x00,
	0x00,
	0x17,
	0x00,
	0x00,
	0x00,
	0x02,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
};

static void test_the_packet_of_the_document_is_taken(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct packet_view view;
	struct data_transport_effect effect;

	assert_int_equal(packet_parse(shown, sizeof shown, &view), HIPHOP_OK);
	assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
	assert_int_equal(
		data_transport_input(chain->hosts[1].transport, chain->now, &view, &chain->hosts[0].hit), HIPHOP_OK);
	assert_true(data_transport_next_effect(chain->hosts[1].transport, &effect));
	assert_int_equal(effect.kind, DATA_TRANSPORT_DELIVER);
	assert_int_equal(effect.transaction, UINT64_C(0x1122334455667788));
	assert_int_equal(effect.content_length, 12);
	assert_int_equal(effect.ttl, 100);
	chain_free(chain);
}

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
		cmocka_unit_test(test_no_changed_octet_is_taken),
		cmocka_unit_test(test_no_changed_octet_of_a_known_sender_is_taken),
		cmocka_unit_test(test_every_parameter_that_must_be_there_is_missed),
		cmocka_unit_test(test_a_sender_once_known_may_leave_out_its_host_id),
		cmocka_unit_test(test_a_bad_signature_is_told_at_a_limited_rate),
		cmocka_unit_test(test_the_packet_of_the_document_is_taken),
		cmocka_unit_test(test_one_sender_has_a_rate),
		cmocka_unit_test(test_a_forged_sender_costs_the_neighbour_not_the_sender),
		cmocka_unit_test(test_one_sender_cannot_push_out_what_others_sent),
		cmocka_unit_test(test_own_messages_are_bounded),
		cmocka_unit_test(test_who_acknowledges_no_answer_gets_no_more),
		cmocka_unit_test(test_more_senders_than_identities_kept),
		cmocka_unit_test(test_no_memory_sends_nothing_by_half),
		cmocka_unit_test(test_no_memory_takes_nothing_by_half),
		cmocka_unit_test(test_no_memory_only_delays_what_is_due),
		cmocka_unit_test(test_bad_arguments_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
