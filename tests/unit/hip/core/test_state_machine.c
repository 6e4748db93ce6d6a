/* SPDX-License-Identifier: MIT */
/*
 * Every cell of tables 2 to 9 of RFC 7401: a real host is brought into the state, has the event, and is seen to answer
 * and to move as the RFC says. What is expected is copied from the RFC here, not from the table of the program.
 */
#include "host_network.h"

#include "hip/core/state_table.h"

/* The host that is looked at and its peer; then hosts with the same identities, of which it knows nothing: they make
 * packets that are good in themselves. */
enum { PEER_TWIN = 2, OWN_TWIN = 3, OTHER_PEER_TWIN = 4, OTHER_OWN_TWIN = 5, HOSTS = 6 };

struct stage {
	struct network *network;
	size_t own, peer;
	struct flying good[64];  /* of the peer, by type: such as the state could get */
	struct flying other[64]; /* of twins: of another exchange or session */
	unsigned answered[64];
	bool holding; /* what the peer sends is kept, not delivered */
};

static packet_fate hold(struct network *network, struct flying *packet)
{
	struct stage *stage = network->fate_context;

	if (packet->from == stage->own)
		stage->answered[flying_type(packet)]++;
	if (!stage->holding || packet->from != stage->peer)
		return FATE_PASS;
	stage->good[flying_type(packet)] = *packet;
	return FATE_LOSE;
}

static packet_fate keep_all(struct network *network, struct flying *packet)
{
	struct stage *stage = network->fate_context;

	if (packet->from == PEER_TWIN || packet->from == OTHER_PEER_TWIN)
		stage->other[flying_type(packet)] = *packet;
	return FATE_PASS;
}

static void become(struct network *network, size_t twin, size_t of)
{
	struct network_host *self = &network->hosts[twin];

	network_crash(network, twin);
	self->configuration.identity = network->hosts[of].identity;
	/* Its R1s are newer than those of the peer itself. */
	self->configuration.r1_generation = 100;
	network_boot(network, twin);
}

static void twins_connect(struct stage *stage, size_t from, size_t to)
{
	struct network *network = stage->network;
	struct endpoint endpoint = network_endpoint(network, to);
	const struct hit *hit = host_identity_hit(network->hosts[to].configuration.identity);

	assert_int_equal(host_learn_locator(network->hosts[from].host, hit, &endpoint, true), HIPHOP_OK);
	assert_int_equal(host_connect(network->hosts[from].host, network->now, hit), HIPHOP_OK);
	network_drain(network, &network->hosts[from]);
}

static struct flying *first(struct network *network)
{
	struct flying *packet = network->flying;

	assert_non_null(packet);
	network->flying = packet->next;
	return packet;
}

static void deliver_next(struct network *network)
{
	struct flying *packet = first(network);

	network_arrive(network, packet);
	free(packet);
}

static void forget_next(struct network *network)
{
	free(first(network));
}

/* One packet of each type from the twins of the peer, with its signature and, where it can be, meant for this host. */
static void make_others(struct stage *stage)
{
	struct network *network = stage->network;
	struct host *peer, *own;

	network->fate = keep_all;
	twins_connect(stage, OTHER_OWN_TWIN, OTHER_PEER_TWIN);
	network_run(network, SECONDS(1));
	peer = network->hosts[OTHER_PEER_TWIN].host;
	own = network->hosts[OTHER_OWN_TWIN].host;
	network->hosts[OTHER_PEER_TWIN].sent[stage->own] = network->now;
	network_run(network, SECONDS(3));
	const struct endpoint there = network_endpoint(network, OTHER_OWN_TWIN),
			      here = network_endpoint(network, OTHER_PEER_TWIN);
	host_unknown_spi(peer, network->now, &here, &there, 4711);
	host_learn_locator(peer, &network->hosts[stage->own].hit, &there, true);
	host_unknown_spi(peer, network->now, &here, &there, 4711);
	network_drain(network, &network->hosts[OTHER_PEER_TWIN]);
	assert_int_equal(host_close(own, network->now, &network->hosts[stage->peer].hit), HIPHOP_OK);
	network_drain(network, &network->hosts[OTHER_OWN_TWIN]);
	network_run(network, SECONDS(1));
	/* Then a CLOSE of the peer's twin, which has another association by now. */
	twins_connect(stage, OTHER_OWN_TWIN, OTHER_PEER_TWIN);
	network_run(network, SECONDS(1));
	assert_int_equal(host_close(peer, network->now, &network->hosts[stage->own].hit), HIPHOP_OK);
	network_drain(network, &network->hosts[OTHER_PEER_TWIN]);
	network_run(network, SECONDS(1));
	/* An R1 for this host, and an I1 and an I2 that answers its R1. */
	twins_connect(stage, OWN_TWIN, PEER_TWIN);
	deliver_next(network);
	forget_next(network);
	twins_connect(stage, PEER_TWIN, stage->own);
	deliver_next(network);
	deliver_next(network);
	forget_next(network);
	network_crash(network, OWN_TWIN);
	network_crash(network, PEER_TWIN);
	network_crash(network, OTHER_OWN_TWIN);
	network_crash(network, OTHER_PEER_TWIN);
	for (uint8_t type = HIP_PACKET_I1; type <= HIP_PACKET_R2; type++)
		assert_true(stage->other[type].length > 0);
	assert_true(stage->other[HIP_PACKET_UPDATE].length > 0);
	assert_true(stage->other[HIP_PACKET_NOTIFY].length > 0);
	assert_true(stage->other[HIP_PACKET_CLOSE].length > 0);
	assert_true(stage->other[HIP_PACKET_CLOSE_ACK].length > 0);
}

static struct stage *stage_make(bool own_is_greater)
{
	struct stage *stage = calloc(1, sizeof *stage);
	struct network *network = network_make(HOSTS, TRANSPORT_UDP);

	assert_non_null(stage);
	stage->network = network;
	stage->own =
		(memcmp(network->hosts[0].hit.octets, network->hosts[1].hit.octets, HIT_LENGTH) > 0) == own_is_greater
			? 0
			: 1;
	stage->peer = 1 - stage->own;
	become(network, PEER_TWIN, stage->peer);
	become(network, OTHER_PEER_TWIN, stage->peer);
	become(network, OWN_TWIN, stage->own);
	become(network, OTHER_OWN_TWIN, stage->own);
	network->fate_context = stage;
	make_others(stage);
	network->fate = hold;
	network_introduce(network, stage->own, stage->peer);
	network_introduce(network, stage->peer, stage->own);
	return stage;
}

static void stage_free(struct stage *stage)
{
	network_free(stage->network);
	free(stage);
}

static host_state shown(struct stage *stage)
{
	return network_state(stage->network, stage->own, stage->peer);
}

/* ---- into each state ---- */

/* Whatever the peer could send by now, kept: an UPDATE, a NOTIFY and a CLOSE that fit the keys. */
static void let_peer_speak(struct stage *stage)
{
	struct network *network = stage->network;
	struct host *peer = network->hosts[stage->peer].host;
	const struct endpoint here = network_endpoint(network, stage->peer),
			      there = network_endpoint(network, stage->own);

	stage->holding = true;
	network_run(network, MILLISECONDS(100));
	network->hosts[stage->peer].sent[stage->own] = network->now;
	network_run(network, MILLISECONDS(3500));
	host_unknown_spi(peer, network->now, &here, &there, 4711);
	network_drain(network, &network->hosts[stage->peer]);
	assert_int_equal(host_close(peer, network->now, &network->hosts[stage->own].hit), HIPHOP_OK);
	network_drain(network, &network->hosts[stage->peer]);
	assert_true(stage->good[HIP_PACKET_UPDATE].length && stage->good[HIP_PACKET_NOTIFY].length &&
		    stage->good[HIP_PACKET_CLOSE].length);
}

static void to_unassociated(struct stage *stage)
{
	(void)stage;
}

static void to_i1_sent(struct stage *stage)
{
	network_connect(stage->network, stage->own, stage->peer);
	forget_next(stage->network);
}

static void to_i2_sent(struct stage *stage)
{
	network_connect(stage->network, stage->own, stage->peer);
	deliver_next(stage->network);
	deliver_next(stage->network);
	stage->holding = true;
	deliver_next(stage->network);
	assert_true(stage->good[HIP_PACKET_R2].length > 0);
}

static void to_r2_sent(struct stage *stage)
{
	network_connect(stage->network, stage->peer, stage->own);
	network_run(stage->network, MILLISECONDS(100));
	let_peer_speak(stage);
}

static void to_established(struct stage *stage)
{
	network_connect(stage->network, stage->own, stage->peer);
	network_run(stage->network, MILLISECONDS(100));
	let_peer_speak(stage);
}

static void to_closing(struct stage *stage)
{
	to_established(stage);
	host_close(
		stage->network->hosts[stage->own].host, stage->network->now, &stage->network->hosts[stage->peer].hit);
	network_drain(stage->network, &stage->network->hosts[stage->own]);
	deliver_next(stage->network);
	assert_true(stage->good[HIP_PACKET_CLOSE_ACK].length > 0);
}

static void hand(struct stage *stage, const struct flying *packet)
{
	const struct host_arrival arrival = {.local = packet->destination, .remote = packet->source};

	host_input(
		stage->network->hosts[stage->own].host, stage->network->now, &arrival, packet->octets, packet->length);
	network_drain(stage->network, &stage->network->hosts[stage->own]);
}

static void to_closed(struct stage *stage)
{
	to_closing(stage);
	hand(stage, &stage->good[HIP_PACKET_CLOSE]);
}

static void to_failed(struct stage *stage)
{
	network_crash(stage->network, stage->peer);
	network_connect(stage->network, stage->own, stage->peer);
	network_run(stage->network, SECONDS(16));
}

static void (*const drivers[])(struct stage *stage) = {
	[HOST_UNASSOCIATED] = to_unassociated,
	[HOST_I1_SENT] = to_i1_sent,
	[HOST_I2_SENT] = to_i2_sent,
	[HOST_R2_SENT] = to_r2_sent,
	[HOST_ESTABLISHED] = to_established,
	[HOST_CLOSING] = to_closing,
	[HOST_CLOSED] = to_closed,
	[HOST_FAILED] = to_failed,
};

/* ---- events ---- */

static struct stage *stage_in(host_state state, bool own_is_greater)
{
	struct stage *stage = stage_make(own_is_greater);

	drivers[state](stage);
	if (shown(stage) != state)
		fail_msg("%s is %s", host_state_name(state), host_state_name(shown(stage)));
	memset(stage->answered, 0, sizeof stage->answered);
	return stage;
}

static uint64_t drops(const struct stage *stage)
{
	uint64_t sum = 0;

	for (int i = 0; i < HOST_COUNTER_COUNT; i++) {
		if (!strncmp(host_counter_name((host_counter)i), "drop_", 5))
			sum += host_counter_value(stage->network->hosts[stage->own].host, (host_counter)i);
	}
	return sum;
}

static unsigned all_answers(const struct stage *stage)
{
	unsigned sum = 0;

	for (size_t i = 0; i < 64; i++)
		sum += stage->answered[i];
	return sum;
}

/* A cell: what is sent (0: nothing), and the state after it. */
struct cell {
	uint8_t answer;
	host_state next;
	bool taken; /* processed, though nothing is sent */
};

#define SENDS(what, after)                                                                                             \
	{                                                                                                              \
		HIP_PACKET_##what, HOST_##after, true                                                                  \
	}
#define TAKES(after)                                                                                                   \
	{                                                                                                              \
		0, HOST_##after, true                                                                                  \
	}
#define DROPS(after)                                                                                                   \
	{                                                                                                              \
		0, HOST_##after, false                                                                                 \
	}

static const struct {
	uint8_t type;
	struct cell cells[8]; /* in the order of the states */
} packet_rows[] = {
	{HIP_PACKET_I1, {SENDS(R1, UNASSOCIATED), SENDS(R1, I1_SENT), SENDS(R1, I2_SENT), SENDS(R1, R2_SENT),
				SENDS(R1, ESTABLISHED), SENDS(R1, CLOSING), SENDS(R1, CLOSED), SENDS(R1, FAILED)}},
	{HIP_PACKET_R1, {DROPS(UNASSOCIATED), SENDS(I2, I2_SENT), SENDS(I2, I2_SENT), DROPS(R2_SENT),
				DROPS(ESTABLISHED), DROPS(CLOSING), DROPS(CLOSED), DROPS(FAILED)}},
	{HIP_PACKET_I2, {SENDS(R2, R2_SENT), SENDS(R2, R2_SENT), SENDS(R2, R2_SENT), SENDS(R2, R2_SENT),
				SENDS(R2, R2_SENT), SENDS(R2, R2_SENT), SENDS(R2, R2_SENT), SENDS(R2, R2_SENT)}},
	{HIP_PACKET_R2, {DROPS(UNASSOCIATED), DROPS(I1_SENT), TAKES(ESTABLISHED), DROPS(R2_SENT), DROPS(ESTABLISHED),
				DROPS(CLOSING), DROPS(CLOSED), DROPS(FAILED)}},
	{HIP_PACKET_UPDATE, {DROPS(UNASSOCIATED), DROPS(I1_SENT), DROPS(I2_SENT), SENDS(UPDATE, ESTABLISHED),
				    SENDS(UPDATE, ESTABLISHED), DROPS(CLOSING), DROPS(CLOSED), DROPS(FAILED)}},
	{HIP_PACKET_NOTIFY, {DROPS(UNASSOCIATED), DROPS(I1_SENT), TAKES(I2_SENT), TAKES(R2_SENT), TAKES(ESTABLISHED),
				    DROPS(CLOSING), DROPS(CLOSED), DROPS(FAILED)}},
	{HIP_PACKET_CLOSE,
		{DROPS(UNASSOCIATED), DROPS(I1_SENT), SENDS(CLOSE_ACK, CLOSED), SENDS(CLOSE_ACK, CLOSED),
			SENDS(CLOSE_ACK, CLOSED), SENDS(CLOSE_ACK, CLOSED), SENDS(CLOSE_ACK, CLOSED), DROPS(FAILED)}},
	{HIP_PACKET_CLOSE_ACK, {DROPS(UNASSOCIATED), DROPS(I1_SENT), DROPS(I2_SENT), DROPS(R2_SENT), DROPS(ESTABLISHED),
				       TAKES(UNASSOCIATED), TAKES(UNASSOCIATED), DROPS(FAILED)}},
};

static const struct flying *packet_for(struct stage *stage, uint8_t type)
{
	bool from_elsewhere = type == HIP_PACKET_I1 || type == HIP_PACKET_R1 || type == HIP_PACKET_I2;

	if (!from_elsewhere && stage->good[type].length)
		return &stage->good[type];
	assert_true(stage->other[type].length > 0);
	return &stage->other[type];
}

static void check_packet(host_state state, uint8_t type, struct cell expected, bool own_is_greater)
{
	struct stage *stage = stage_in(state, own_is_greater);
	uint64_t before;

	if (state == HOST_I2_SENT && type != HIP_PACKET_R2 && type <= HIP_PACKET_CLOSE_ACK && type >= HIP_PACKET_UPDATE)
		let_peer_speak(stage);
	memset(stage->answered, 0, sizeof stage->answered);
	before = drops(stage);
	hand(stage, packet_for(stage, type));
	/* A puzzle may take another slice. */
	network_run(stage->network, MILLISECONDS(5));
	if (shown(stage) != expected.next || all_answers(stage) != (expected.answer != 0) ||
		(expected.answer && !stage->answered[expected.answer]) ||
		drops(stage) - before != (expected.taken ? 0 : 1))
		fail_msg("%s in %s (own HIT %s): %u answers, now %s, %llu dropped", hip_packet_type_name(type),
			host_state_name(state), own_is_greater ? "greater" : "smaller", all_answers(stage),
			host_state_name(shown(stage)), (unsigned long long)(drops(stage) - before));
	stage_free(stage);
}

/* conforms: RFC7401-6.7-5 RFC7401-6.7-7 RFC7401-6.7-8 RFC7401-6.8-1 RFC7401-6.8-2 RFC7401-6.8-3 RFC7401-6.8-5 */
/* conforms: RFC7401-6.8-7 RFC7401-6.8-23 RFC7401-6.9-1 RFC7401-6.9-5 RFC7401-6.10-1 RFC7401-5.3.7-2 RFC7401-6.13-2 */
static void packets(void **unused)
{
	(void)unused;
	for (size_t row = 0; row < sizeof packet_rows / sizeof packet_rows[0]; row++) {
		for (host_state state = HOST_UNASSOCIATED; state <= HOST_FAILED; state++)
			check_packet(state, packet_rows[row].type, packet_rows[row].cells[state], true);
	}
}

/* conforms: RFC7401-6.7-7 RFC7401-6.9-5 */
static void the_smaller_hit_gives_way(void **unused)
{
	(void)unused;
	/* no R1; but its own I1 goes where this one came from */
	check_packet(HOST_I1_SENT, HIP_PACKET_I1, (struct cell){HIP_PACKET_I1, HOST_I1_SENT, false}, false);
	/* no R2; but its own I2 goes where this one came from */
	check_packet(HOST_I2_SENT, HIP_PACKET_I2, (struct cell){HIP_PACKET_I2, HOST_I2_SENT, false}, false);
	/* and nowhere else */
	check_packet(HOST_I2_SENT, HIP_PACKET_I1, (struct cell)SENDS(R1, I2_SENT), false);
	check_packet(HOST_I1_SENT, HIP_PACKET_I2, (struct cell)SENDS(R2, R2_SENT), false);
	check_packet(HOST_ESTABLISHED, HIP_PACKET_I2, (struct cell)SENDS(R2, R2_SENT), false);
	check_packet(HOST_R2_SENT, HIP_PACKET_I2, (struct cell)SENDS(R2, R2_SENT), false);
}

/* ---- wishes and timers ---- */

static void check_wish(host_state state, bool closes, struct cell expected)
{
	struct stage *stage = stage_in(state, true);
	struct network_host *own = &stage->network->hosts[stage->own];
	const struct hit *peer = &stage->network->hosts[stage->peer].hit;

	if (closes)
		host_close(own->host, stage->network->now, peer);
	else
		host_connect(own->host, stage->network->now, peer);
	network_drain(stage->network, own);
	if (shown(stage) != expected.next || all_answers(stage) != (expected.answer != 0) ||
		(expected.answer && !stage->answered[expected.answer]))
		fail_msg("%s in %s: %u packets, now %s", closes ? "close" : "connect", host_state_name(state),
			all_answers(stage), host_state_name(shown(stage)));
	stage_free(stage);
}

static void wishes(void **unused)
{
	static const struct cell connect[] = {SENDS(I1, I1_SENT), DROPS(I1_SENT), DROPS(I2_SENT), DROPS(R2_SENT),
		DROPS(ESTABLISHED), SENDS(I1, I1_SENT), SENDS(I1, I1_SENT), SENDS(I1, I1_SENT)};
	static const struct cell leave[] = {DROPS(UNASSOCIATED), DROPS(UNASSOCIATED), DROPS(UNASSOCIATED),
		SENDS(CLOSE, CLOSING), SENDS(CLOSE, CLOSING), DROPS(CLOSING), DROPS(CLOSED), DROPS(FAILED)};

	(void)unused;
	for (host_state state = HOST_UNASSOCIATED; state <= HOST_FAILED; state++) {
		check_wish(state, false, connect[state]);
		check_wish(state, true, leave[state]);
	}
}

/* Runs until the state is another one, the peer silent; how many of `type` went out until then. */
static unsigned wait_for(host_state state, host_state next, uint8_t type)
{
	struct stage *stage = stage_in(state, true);
	unsigned sent;

	if (stage->network->hosts[stage->peer].host)
		network_crash(stage->network, stage->peer);
	for (unsigned i = 0; i < 6000 && shown(stage) == state; i++)
		network_run(stage->network, MILLISECONDS(100));
	assert_string_equal(host_state_name(shown(stage)), host_state_name(next));
	sent = stage->answered[type];
	stage_free(stage);
	return sent;
}

/* conforms: RFC7401-6.6-2 RFC7401-6.6-3 RFC7401-6.6-4 RFC7401-6.8-21 RFC7401-6.8-22 */
static void timers(void **unused)
{
	(void)unused;
	assert_int_equal(wait_for(HOST_I1_SENT, HOST_FAILED, HIP_PACKET_I1), 3);
	assert_int_equal(wait_for(HOST_I2_SENT, HOST_FAILED, HIP_PACKET_I2), 3);
	assert_int_equal(wait_for(HOST_R2_SENT, HOST_ESTABLISHED, HIP_PACKET_R2), 0);
	assert_true(wait_for(HOST_CLOSING, HOST_UNASSOCIATED, HIP_PACKET_CLOSE) >= 4);
	assert_int_equal(wait_for(HOST_CLOSED, HOST_UNASSOCIATED, HIP_PACKET_CLOSE_ACK), 0);
	assert_int_equal(wait_for(HOST_FAILED, HOST_UNASSOCIATED, HIP_PACKET_I1), 0);
}

static void data_moves_r2_sent_on(void **unused)
{
	struct stage *stage = stage_in(HOST_R2_SENT, true);

	(void)unused;
	stage->network->hosts[stage->own].heard[stage->peer] = stage->network->now;
	network_run(stage->network, SECONDS(2));
	assert_int_equal(shown(stage), HOST_ESTABLISHED);
	assert_int_equal(all_answers(stage), 0);
	stage_free(stage);
}

/* conforms: RFC7402-3.3.7-2 */
static void the_unused_is_closed(void **unused)
{
	struct network *network;

	(void)unused;
	network = network_make(2, TRANSPORT_UDP);
	network->hosts[0].configuration.unused_lifetime = SECONDS(20);
	network_crash(network, 0);
	network_boot(network, 0);
	network_associate(network, 0, 1);
	network_run(network, SECONDS(18));
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	network_run(network, SECONDS(5));
	assert_true(network->hosts[0].out_of_type[HIP_PACKET_CLOSE] > 0);
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
	assert_int_equal(network_state(network, 1, 0), HOST_CLOSED);
	network_free(network);
}

/* ---- the table itself ---- */

static void every_cell_is_there(void **unused)
{
	unsigned cells = 0, actions[STATE_ACTIONS] = {0};

	(void)unused;
	for (host_state state = HOST_UNASSOCIATED; state <= HOST_FAILED; state++) {
		for (state_event event = STATE_EVENT_I1; event < STATE_EVENTS; event++) {
			const struct state_rule *rule = state_table_rule(state, event);

			assert_int_not_equal(rule->action, STATE_UNDEFINED);
			assert_true(rule->action < STATE_ACTIONS);
			assert_true(strlen(rule->section) > 0);
			assert_true(strlen(state_event_name(event)) > 0);
			/* What is dropped moves nothing. */
			if (rule->action == STATE_DROP)
				assert_int_equal(rule->next, state);
			actions[rule->action]++;
			if (rule->compares_hits)
				actions[rule->if_smaller]++;
			cells++;
		}
	}
	for (int action = STATE_DROP; action < STATE_ACTIONS; action++)
		assert_true(actions[action] > 0);
	assert_int_equal(cells, 8 * STATE_EVENTS);
	assert_int_equal(state_table_rule((host_state)99, STATE_EVENT_I1)->action, STATE_DROP);
	assert_int_equal(state_table_rule(HOST_ESTABLISHED, STATE_EVENTS)->action, STATE_DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_there),
		cmocka_unit_test(packets),
		cmocka_unit_test(the_smaller_hit_gives_way),
		cmocka_unit_test(wishes),
		cmocka_unit_test(timers),
		cmocka_unit_test(data_moves_r2_sent_on),
		cmocka_unit_test(the_unused_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
