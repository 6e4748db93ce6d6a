/* SPDX-License-Identifier: MIT */
/* The base exchange and what follows it, between hosts on virtual time. */
#include "host_network.h"

static void exchange_by(uint16_t transport)
{
	struct network *network = network_make(2, transport);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];
	struct host_association_view view;

	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	assert_int_equal(network_state(network, 0, 1), HOST_I1_SENT);
	network_run(network, SECONDS(1));
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	assert_int_equal(network_state(network, 1, 0), HOST_R2_SENT);
	assert_int_equal(a->usable, 1);
	assert_int_equal(b->usable, 1);
	assert_true(a->last.initiator);
	assert_false(b->last.initiator);
	assert_int_equal(a->out_of_type[HIP_PACKET_I1], 1);
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 1);
	assert_int_equal(b->out_of_type[HIP_PACKET_R1], 1);
	assert_int_equal(b->out_of_type[HIP_PACKET_R2], 1);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_run(network, SECONDS(2));
	assert_int_equal(network_state(network, 1, 0), HOST_ESTABLISHED);
	assert_true(host_association_find(a->host, &b->hit, &view));
	assert_string_equal(view.path, "direct");
	assert_string_equal(view.suite, "aes-128-gcm-16");
	assert_int_equal(view.round_trip, 2 * NETWORK_LATENCY);
	assert_int_equal(view.overlay_hops, 0);
	network_free(network);
}

/* conforms: RFC7401-4-1 RFC7401-4.5.3-1 RFC7401-6.7-1 RFC7401-6.8-2 RFC7401-6.8-23 RFC7401-6.9-1 RFC7401-6.10-1 */
static void exchange_over_udp(void **state)
{
	(void)state;
	exchange_by(TRANSPORT_UDP);
}

/* conforms: RFC7401-4-1 RFC7401-4.5.3-1 RFC7401-6.7-1 RFC7401-6.8-2 RFC7401-6.8-23 RFC7401-6.9-1 RFC7401-6.10-1 */
static void exchange_over_ip(void **state)
{
	(void)state;
	exchange_by(TRANSPORT_IP);
}

/* ---- loss ---- */

static packet_fate lose_first_of_type(struct network *network, struct flying *packet)
{
	const uint8_t *type = network->fate_context;

	if (flying_type(packet) != *type || network->fate_counter++ > 0)
		return FATE_PASS;
	return FATE_LOSE;
}

/* conforms: RFC7401-6.6-4 RFC7401-6.8-22 */
static void one_packet_is_lost(void **state)
{
	static const uint8_t types[] = {HIP_PACKET_I1, HIP_PACKET_R1, HIP_PACKET_I2, HIP_PACKET_R2};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct network *network = network_make(2, TRANSPORT_UDP);
		uint8_t type = types[i];

		network->fate = lose_first_of_type;
		network->fate_context = &type;
		network_introduce(network, 0, 1);
		network_connect(network, 0, 1);
		network_run(network, SECONDS(3));
		assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
		assert_int_equal(network->hosts[0].usable, 1);
		assert_int_equal(network->hosts[1].usable, 1);
		assert_true(network_esp(network, 0, 1));
		assert_true(network_esp(network, 1, 0));
		network_free(network);
	}
}

static packet_fate lose_type(struct network *network, struct flying *packet)
{
	const uint8_t *type = network->fate_context;

	return flying_type(packet) == *type ? FATE_LOSE : FATE_PASS;
}

/* conforms: RFC7401-6.6-3 RFC7401-6.6-4 RFC7401-6.8-21 RFC7401-6.8-22 */
static void nobody_answers(void **state)
{
	static const uint8_t types[] = {HIP_PACKET_R1, HIP_PACKET_R2};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct network *network = network_make(2, TRANSPORT_UDP);
		uint8_t type = types[i];

		network->fate = lose_type;
		network->fate_context = &type;
		network_introduce(network, 0, 1);
		network_connect(network, 0, 1);
		network_run(network, SECONDS(20));
		assert_int_equal(network->hosts[0].failed, 1);
		assert_int_equal(network->hosts[0].last.reason, HIPHOP_TIMEOUT);
		assert_true(hit_equal(&network->hosts[0].last_peer, &network->hosts[1].hit));
		assert_int_equal(network_state(network, 0, 1), HOST_FAILED);
		assert_int_equal(
			network->hosts[0].out_of_type[types[i] == HIP_PACKET_R1 ? HIP_PACKET_I1 : HIP_PACKET_I2], 4);
		assert_int_equal(network_sa_count(&network->hosts[0]), 0);
		network_run(network, SECONDS(60));
		assert_int_equal(host_association_count(network->hosts[0].host), 0);
		network_free(network);
	}
}

/* A failed one is shown for a while, also when somebody tries again and has no way. */
static void a_failed_association_is_forgotten(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0];
	struct endpoint endpoint = network_endpoint(network, 1);
	uint8_t type = HIP_PACKET_R1;

	(void)state;
	network->fate = lose_type;
	network->fate_context = &type;
	assert_int_equal(host_learn_locator(a->host, &network->hosts[1].hit, &endpoint, false), HIPHOP_OK);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(20));
	assert_int_equal(network_state(network, 0, 1), HOST_FAILED);
	assert_int_equal(host_connect(a->host, network->now, &network->hosts[1].hit), HIPHOP_NOT_FOUND);
	assert_int_equal(network_state(network, 0, 1), HOST_FAILED);
	network_run(network, SECONDS(60));
	assert_int_equal(host_association_count(a->host), 0);
	network_free(network);
}

/* ---- two transports ---- */

static void give_both_transports(struct network *network, size_t index)
{
	network_crash(network, index);
	network->hosts[index].configuration.transports[0] = TRANSPORT_UDP;
	network->hosts[index].configuration.transports[1] = TRANSPORT_IP;
	network->hosts[index].configuration.transport_count = 2;
	network_boot(network, index);
}

static packet_fate lose_udp(struct network *network, struct flying *packet)
{
	(void)network;
	return !packet->sealed && packet->destination.transport == TRANSPORT_UDP ? FATE_LOSE : FATE_PASS;
}

static uint16_t transport_between(struct network *network, size_t a, size_t b)
{
	struct host_association_view view;

	assert_true(host_association_find(network->hosts[a].host, &network->hosts[b].hit, &view));
	assert_true(view.usable);
	return view.remote.transport;
}

static void the_second_transport_serves(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	give_both_transports(network, 0);
	give_both_transports(network, 1);
	network->fate = lose_udp;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(5));
	assert_int_equal(transport_between(network, 0, 1), TRANSPORT_IP);
	assert_int_equal(transport_between(network, 1, 0), TRANSPORT_IP);
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

static void the_first_transport_is_preferred(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	give_both_transports(network, 0);
	give_both_transports(network, 1);
	network_associate(network, 0, 1);
	assert_int_equal(transport_between(network, 0, 1), TRANSPORT_UDP);
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
	network_free(network);
}

/* Each peer by the transport that it has, whatever this host likes most. */
static void the_transport_is_chosen_per_peer(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);
	struct endpoint by_ip = {.address = network->hosts[2].address, .transport = TRANSPORT_IP};

	(void)state;
	give_both_transports(network, 0);
	network_crash(network, 2);
	network->hosts[2].configuration.transports[0] = TRANSPORT_IP;
	network_boot(network, 2);
	network_associate(network, 0, 1);
	assert_int_equal(host_learn_locator(network->hosts[0].host, &network->hosts[2].hit, &by_ip, true), HIPHOP_OK);
	network_connect(network, 0, 2);
	network_run(network, SECONDS(1));
	assert_int_equal(transport_between(network, 0, 1), TRANSPORT_UDP);
	assert_int_equal(transport_between(network, 0, 2), TRANSPORT_IP);
	network_free(network);
}

static void opportunism_falls_back(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint endpoint = network_endpoint(network, 1);

	(void)state;
	give_both_transports(network, 0);
	give_both_transports(network, 1);
	network->fate = lose_udp;
	assert_int_equal(host_connect_opportunistic(network->hosts[0].host, network->now, &endpoint), HIPHOP_OK);
	network_run(network, SECONDS(5));
	assert_int_equal(network->hosts[0].learnt_count, 1);
	assert_int_equal(transport_between(network, 0, 1), TRANSPORT_IP);
	network_free(network);
}

/* ---- who begins ---- */

static void both_begin_at_once(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_introduce(network, 0, 1);
	network_introduce(network, 1, 0);
	network_connect(network, 0, 1);
	network_connect(network, 1, 0);
	network_run(network, SECONDS(3));
	assert_int_equal(network->hosts[0].usable, 1);
	assert_int_equal(network->hosts[1].usable, 1);
	assert_int_equal(network_sa_count(&network->hosts[0]), 1);
	assert_int_equal(network_sa_count(&network->hosts[1]), 1);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

static packet_fate delay_first_i2(struct network *network, struct flying *packet)
{
	if (flying_type(packet) == HIP_PACKET_I2 && network->fate_counter++ == 0)
		packet->at += MILLISECONDS(5);
	return FATE_PASS;
}

/* The I1 of the greater one is answered before the smaller one begins itself, and its I2 is slow: both get their R1. */
/* conforms: RFC7401-6.9-5 */
static void both_send_i2_at_once(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	size_t smaller = hit_compare(&network->hosts[0].hit, &network->hosts[1].hit) < 0 ? 0 : 1;

	(void)state;
	network->fate = delay_first_i2;
	network_introduce(network, 0, 1);
	network_introduce(network, 1, 0);
	network_connect(network, 1 - smaller, smaller);
	network_run(network, MILLISECONDS(11));
	network_connect(network, smaller, 1 - smaller);
	network_run(network, SECONDS(3));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I2], 1);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_I2], 1);
	assert_int_equal(host_counter_value(network->hosts[smaller].host, HOST_COUNT_DROP_WRONG_STATE), 1);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	assert_true(network->hosts[smaller].last.initiator);
	assert_false(network->hosts[1 - smaller].last.initiator);
	network_run(network, SECONDS(10));
	assert_int_equal(network_sa_count(&network->hosts[0]), 1);
	assert_int_equal(network_sa_count(&network->hosts[1]), 1);
	network_free(network);
}

static void opportunistic(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint endpoint = network_endpoint(network, 1);
	struct network_host *a = &network->hosts[0];

	(void)state;
	assert_int_equal(host_connect_opportunistic(a->host, network->now, &endpoint), HIPHOP_OK);
	assert_int_equal(host_connect_opportunistic(a->host, network->now, &endpoint), HIPHOP_EXISTS);
	network_run(network, SECONDS(1));
	assert_int_equal(a->learnt_count, 1);
	assert_true(hit_equal(&a->learnt, &network->hosts[1].hit));
	assert_int_equal(a->usable, 1);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_crash(network, 1);
	assert_int_equal(host_connect_opportunistic(a->host, network->now, &endpoint), HIPHOP_OK);
	network_run(network, SECONDS(20));
	assert_true(a->failed > 0);
	network_free(network);
}

static void wishes_that_cannot_be(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct host *host = network->hosts[0].host;
	struct hit resource = resource_id_at(&network->hosts[1].hit);
	struct endpoint bad = network_endpoint(network, 1);

	(void)state;
	assert_int_equal(host_connect(host, network->now, &network->hosts[0].hit), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(host_connect(host, network->now, &resource), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(host_connect(host, network->now, &network->hosts[1].hit), HIPHOP_NOT_FOUND);
	assert_int_equal(host_close(host, network->now, &network->hosts[1].hit), HIPHOP_NOT_FOUND);
	assert_int_equal(host_association_count(host), 0);
	assert_int_equal(address_parse("2001:20::5", &bad.address), HIPHOP_OK);
	assert_int_equal(host_learn_locator(host, &network->hosts[1].hit, &bad, false), HIPHOP_REFUSED);
	network_free(network);
}

/* ---- who may ---- */

static void a_barred_host_gets_no_answer(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];

	(void)state;
	b->barred[0] = true;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(20));
	assert_int_equal(a->failed, 1);
	assert_int_equal(b->out_of_type[HIP_PACKET_R1], 0);
	assert_int_equal(b->out_of_type[HIP_PACKET_NOTIFY], 0);
	assert_int_equal(host_counter_value(b->host, HOST_COUNT_DROP_POLICY), 4);
	assert_int_equal(host_association_count(b->host), 0);
	network_introduce(network, 1, 0);
	assert_int_equal(host_connect(b->host, network->now, &a->hit), HIPHOP_REFUSED);
	assert_int_equal(host_association_count(b->host), 0);
	network_free(network);
}

static packet_fate bar_at_i2(struct network *network, struct flying *packet)
{
	if (flying_type(packet) == HIP_PACKET_I2)
		network->hosts[1].barred[0] = true;
	return FATE_PASS;
}

/* The I1 proves nothing; who is barred by the time of the proof is told so. */
/* conforms: RFC7401-6.9.1-2 */
static void a_barred_host_is_told_at_its_i2(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *b = &network->hosts[1];

	(void)state;
	network->fate = bar_at_i2;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(500));
	assert_int_equal(b->out_of_type[HIP_PACKET_R2], 0);
	assert_int_equal(b->out_of_type[HIP_PACKET_NOTIFY], 1);
	assert_int_equal(b->last_notification, NOTIFY_BLOCKED_BY_POLICY);
	assert_int_equal(host_association_count(b->host), 0);
	network_free(network);
}

static packet_fate bar_and_spoil_at_i2(struct network *network, struct flying *packet)
{
	if (flying_type(packet) == HIP_PACKET_I2)
		packet->octets[packet->length - 1] ^= 1;
	return bar_at_i2(network, packet);
}

/* Neither MAC nor signature of an I2 is looked at when its HIT is not wanted. */
static void a_barred_host_costs_no_diffie_hellman(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *b = &network->hosts[1];

	(void)state;
	network->fate = bar_and_spoil_at_i2;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(500));
	assert_int_equal(host_counter_value(b->host, HOST_COUNT_DROP_POLICY), 1);
	assert_int_equal(host_counter_value(b->host, HOST_COUNT_DROP_SIGNATURE), 0);
	assert_false(b->claim.proved);
	network_free(network);
}

static void a_claim_is_proved_by_signature_alone(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];
	char text[DOMAIN_IDENTIFIER_TEXT_SIZE];

	(void)state;
	assert_int_equal(domain_identifier_from_text("alice@example.com", &a->configuration.name), HIPHOP_OK);
	host_free(a->host);
	network_boot(network, 0);
	network_introduce(network, 0, 1);
	assert_int_equal(host_connect(a->host, network->now, &b->hit), HIPHOP_OK);
	assert_true(a->claim.ours);
	network_run(network, MILLISECONDS(500));
	assert_true(a->claim.proved && b->claim.proved);
	assert_false(a->claim.ours || b->claim.ours || b->claim.over_overlay);
	assert_true(domain_identifier_is_none(&a->claim.name));
	assert_string_equal(domain_identifier_format(&b->claim.name, text), "alice@example.com");
	network_free(network);
}

static void a_barred_host_is_not_adopted(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint endpoint = network_endpoint(network, 1);
	struct network_host *a = &network->hosts[0];

	(void)state;
	a->barred[1] = true;
	assert_int_equal(host_connect_opportunistic(a->host, network->now, &endpoint), HIPHOP_OK);
	network_run(network, SECONDS(20));
	assert_int_equal(a->learnt_count, 0);
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 0);
	assert_int_equal(a->failed, 1);
	network_free(network);
}

/* ---- what a Responder keeps ---- */

static packet_fate pass_i1_only(struct network *network, struct flying *packet)
{
	(void)network;
	return flying_type(packet) == HIP_PACKET_I1 ? FATE_PASS : FATE_LOSE;
}

/* conforms: RFC7401-6.7-5 */
static void no_state_for_an_i1(void **state)
{
	struct network *network = network_make(6, TRANSPORT_UDP);
	struct network_host *b = &network->hosts[0];

	(void)state;
	network->fate = pass_i1_only;
	for (size_t i = 1; i < network->count; i++) {
		network_introduce(network, i, 0);
		network_connect(network, i, 0);
	}
	network_run(network, SECONDS(12));
	assert_true(b->out_of_type[HIP_PACKET_R1] >= 5);
	assert_int_equal(host_association_count(b->host), 0);
	assert_int_equal(b->changes, 0);
	/* but for its R1s, which have been offered and will be made anew */
	assert_true(host_next_wake(b->host) > network->now + SECONDS(60));
	network_free(network);
}

/* conforms: RFC7401-5.3.1-1 RFC7401-6.7-3 RFC7401-6.7-4 RFC7401-8-1 */
static void i1_storm_is_limited(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *b = &network->hosts[1];
	uint8_t i1[64] = {59, 5, HIP_PACKET_I1, 0x21};
	struct host_arrival arrival = {.local = network_endpoint(network, 1), .remote = network_endpoint(network, 0)};

	(void)state;
	memcpy(i1 + 8, network->hosts[0].hit.octets, HIT_LENGTH);
	memcpy(i1 + 24, b->hit.octets, HIT_LENGTH);
	/* DH_GROUP_LIST with group 7 */
	memcpy(i1 + 40, (uint8_t[]){0x01, 0xff, 0, 1, 7, 0, 0, 0}, 8);
	for (int i = 0; i < 10000; i++)
		host_input(b->host, network->now, &arrival, i1, 48);
	network_drain(network, b);
	assert_in_range(b->out_of_type[HIP_PACKET_R1], 1, 250);
	assert_true(host_counter_value(b->host, HOST_COUNT_DROP_I1_RATE) >= 9750);
	assert_int_equal(host_association_count(b->host), 0);
	network_free(network);
}

/* A prefix that is over its own share leaves the share of all others alone. */
/* conforms: RFC7401-6.7-4 RFC7401-8-1 */
static void i1_storm_of_one_starves_nobody(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);
	struct network_host *b = &network->hosts[1];
	uint8_t i1[48] = {59, 5, HIP_PACKET_I1, 0x21};
	struct host_arrival arrival = {.local = network_endpoint(network, 1), .remote = network_endpoint(network, 0)};
	unsigned answered;

	(void)state;
	memcpy(i1 + 8, network->hosts[0].hit.octets, HIT_LENGTH);
	memcpy(i1 + 24, b->hit.octets, HIT_LENGTH);
	memcpy(i1 + 40, (uint8_t[]){0x01, 0xff, 0, 1, 7, 0, 0, 0}, 8);
	for (int i = 0; i < 10000; i++)
		host_input(b->host, network->now, &arrival, i1, sizeof(i1));
	network_drain(network, b);
	answered = (unsigned)b->out_of_type[HIP_PACKET_R1];
	arrival.remote = network_endpoint(network, 2);
	memcpy(i1 + 8, network->hosts[2].hit.octets, HIT_LENGTH);
	host_input(b->host, network->now, &arrival, i1, sizeof(i1));
	network_drain(network, b);
	assert_int_equal(b->out_of_type[HIP_PACKET_R1], answered + 1);
	network_free(network);
}

static packet_fate note_r1_counter(struct network *network, struct flying *packet)
{
	struct parameter_r1_counter counter;
	struct packet_view view;

	if (flying_type(packet) != HIP_PACKET_R1)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	assert_int_equal(parameter_r1_counter_read(packet_find(&view, PARAMETER_R1_COUNTER), &counter), HIPHOP_OK);
	*(uint64_t *)network->fate_context = counter.counter;
	return FATE_PASS;
}

/* RFC 7401 section 4.1.4: the generation grows, also over a reboot, when `now` begins anew. */
/* conforms: RFC7401-4.1.4-2 RFC7401-4.1.4-5 RFC7401-5.2.3-1 RFC7401-5.2.3-3 RFC7401-5.3.2-4 */
static void the_r1_generation_is_given(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	uint64_t counter = 0;

	(void)state;
	network_crash(network, 1);
	network->hosts[1].configuration.r1_generation = 1800000000;
	network_boot(network, 1);
	network->fate = note_r1_counter;
	network->fate_context = &counter;
	network_associate(network, 0, 1);
	assert_int_equal(counter, 1800000000);
	host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
	network_run(network, SECONDS(200));
	network_associate(network, 0, 1);
	assert_in_range(counter, 1800000001, 1800000200);
	network_free(network);
}

/* ---- the end ---- */

/* conforms: RFC7401-5.3.7-2 RFC7402-3.3.1-1 RFC7402-6.7-1 */
static void closing(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	assert_int_equal(host_close(network->hosts[0].host, network->now, &network->hosts[1].hit), HIPHOP_OK);
	network_run(network, MILLISECONDS(100));
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
	assert_int_equal(network_state(network, 1, 0), HOST_CLOSED);
	assert_int_equal(network_sa_count(&network->hosts[0]), 0);
	assert_int_equal(network_sa_count(&network->hosts[1]), 0);
	assert_int_equal(network->hosts[0].closed, 1);
	assert_int_equal(network->hosts[1].closed, 1);
	/* and again from the side that is still CLOSED */
	network_introduce(network, 1, 0);
	network_connect(network, 1, 0);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

static void closing_is_repeated(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	uint8_t type = HIP_PACKET_CLOSE_ACK;

	(void)state;
	network_associate(network, 0, 1);
	network->fate = lose_first_of_type;
	network->fate_context = &type;
	host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
	network_run(network, SECONDS(3));
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_CLOSE], 2);
	network_run(network, SECONDS(545)); /* five minutes and 2 MSL */
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	network_free(network);
}

static void both_close_at_once(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	host_close_all(network->hosts[0].host, network->now);
	host_close_all(network->hosts[1].host, network->now);
	network_run(network, SECONDS(100));
	assert_int_equal(host_association_count(network->hosts[0].host), 0);
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	assert_int_equal(network->hosts[0].closed, 1);
	assert_int_equal(network->hosts[1].closed, 1);
	network_free(network);
}

/* ---- bounds ---- */

static void associations_are_bounded(void **state)
{
	struct network *network = network_make(5, TRANSPORT_UDP);

	(void)state;
	network_crash(network, 0);
	network->hosts[0].configuration.associations = 3;
	network_boot(network, 0);
	for (size_t i = 1; i < 5; i++) {
		network_introduce(network, i, 0);
		network_connect(network, i, 0);
		network_run(network, SECONDS(1));
	}
	assert_int_equal(host_association_count(network->hosts[0].host), 3);
	assert_int_equal(network->hosts[0].usable, 3);
	assert_true(host_counter_value(network->hosts[0].host, HOST_COUNT_DROP_TOO_MANY) > 0);
	network_introduce(network, 0, 4);
	assert_int_equal(host_connect(network->hosts[0].host, network->now, &network->hosts[4].hit), HIPHOP_LIMITED);
	network_free(network);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(host_state_name(HOST_I1_SENT), "I1-SENT");
	assert_string_equal(host_state_name(HOST_FAILED), "E-FAILED");
	assert_string_equal(host_counter_name(HOST_COUNT_DROP_PUZZLE), "drop_puzzle");
	assert_string_equal(host_counter_name(HOST_COUNTER_COUNT), "");
}

static void wrong_configurations(void **state)
{
	struct network *network = network_make(1, TRANSPORT_UDP);
	struct host_configuration configuration = network->hosts[0].configuration;
	struct host *host;

	(void)state;
	configuration.dh_groups[0] = 99;
	configuration.dh_group_count = 1;
	assert_int_equal(host_create(&configuration, 0, &host), HIPHOP_UNSUPPORTED);
	configuration.dh_group_count = 0;
	configuration.identity = NULL;
	assert_int_equal(host_create(&configuration, 0, &host), HIPHOP_INVALID_ARGUMENT);
	assert_null(host);
	network_free(network);
}

/* Octets in the ENCRYPTED of the I2 to a Responder that takes part in an overlay, or not. */
static size_t encrypted_in_i2(bool overlay)
{
	struct network *network = network_make(2, TRANSPORT_IP);
	struct packet_view view;
	size_t length;

	network_crash(network, 1);
	network->hosts[1].configuration.overlay = overlay;
	network_boot(network, 1);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	while (!network->flying || flying_type(network->flying) != HIP_PACKET_I2)
		network_run(network, NETWORK_LATENCY);
	assert_int_equal(packet_parse(network->flying->octets, network->flying->length, &view), HIPHOP_OK);
	length = packet_find(&view, PARAMETER_ENCRYPTED)->contents.length;
	network_free(network);
	return length;
}

/* LOCATOR_SET is critical: who knows RFC 7401 alone would drop an I2 that has one. */
/* conforms: RFC7401-5.2.2-4 RFC7401-5.2.2-6 */
static void locators_go_to_those_who_know_them(void **state)
{
	const size_t host_id_alone = 4 + 16 + 96;

	(void)state;
	assert_int_equal(encrypted_in_i2(false), host_id_alone);
	assert_true(encrypted_in_i2(true) > host_id_alone);
}

/* The I2 that went before, until the test has it again. */
static packet_fate keep_i2_and_lose_r2(struct network *network, struct flying *packet)
{
	struct flying *kept = network->fate_context;

	if (flying_type(packet) == HIP_PACKET_I2)
		*kept = *packet;
	return flying_type(packet) == HIP_PACKET_R2 ? FATE_LOSE : FATE_PASS;
}

/* The Responder takes the exchange for complete and has its R2 no more, but the Initiator still waits. */
static void an_i2_that_comes_late_is_answered(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	static struct flying i2;

	(void)state;
	network->fate = keep_i2_and_lose_r2;
	network->fate_context = &i2;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(12));
	assert_int_equal(network_state(network, 1, 0), HOST_ESTABLISHED);
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	network->fate = NULL;
	network_arrive(network, &i2);
	network_run(network, MILLISECONDS(100));
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	assert_int_equal(network->hosts[1].usable, 1);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchange_over_udp),
		cmocka_unit_test(exchange_over_ip),
		cmocka_unit_test(an_i2_that_comes_late_is_answered),
		cmocka_unit_test(one_packet_is_lost),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(a_failed_association_is_forgotten),
		cmocka_unit_test(the_second_transport_serves),
		cmocka_unit_test(the_first_transport_is_preferred),
		cmocka_unit_test(the_transport_is_chosen_per_peer),
		cmocka_unit_test(opportunism_falls_back),
		cmocka_unit_test(both_begin_at_once),
		cmocka_unit_test(both_send_i2_at_once),
		cmocka_unit_test(opportunistic),
		cmocka_unit_test(wishes_that_cannot_be),
		cmocka_unit_test(a_barred_host_gets_no_answer),
		cmocka_unit_test(a_barred_host_is_told_at_its_i2),
		cmocka_unit_test(a_barred_host_costs_no_diffie_hellman),
		cmocka_unit_test(a_claim_is_proved_by_signature_alone),
		cmocka_unit_test(a_barred_host_is_not_adopted),
		cmocka_unit_test(no_state_for_an_i1),
		cmocka_unit_test(i1_storm_is_limited),
		cmocka_unit_test(i1_storm_of_one_starves_nobody),
		cmocka_unit_test(the_r1_generation_is_given),
		cmocka_unit_test(closing),
		cmocka_unit_test(closing_is_repeated),
		cmocka_unit_test(both_close_at_once),
		cmocka_unit_test(associations_are_bounded),
		cmocka_unit_test(names),
		cmocka_unit_test(wrong_configurations),
		cmocka_unit_test(locators_go_to_those_who_know_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
