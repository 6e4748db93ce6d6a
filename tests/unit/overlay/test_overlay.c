/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "network.h"
#include "overlay/message.h"
#include "overlay/signed_value.h"

static uint64_t next_token = 1;

static struct network *ring_of(unsigned count, uint64_t seed, unsigned loss_permille)
{
	struct network *network = network_start(count, seed);

	network->loss_permille = loss_permille;
	network->verbose = getenv("OVERLAY_VERBOSE") != NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned i = 0; i < count; i++)
		network_create_overlay(network, i, OVERLAY_PEER);
	return network;
}

static struct hit resource_of(struct network *network, const char *name)
{
	struct hit resource;

	assert_int_equal(overlay_resource_id_of_name(network->nodes[0].overlay, name, &resource), HIPHOP_OK);
	return resource;
}

static const struct result *wait_for(struct network *network, uint64_t token)
{
	for (unsigned i = 0; i < 120 && !network_result(network, token); i++)
		network_run(network, MILLISECONDS(500));
	const struct result *result = network_result(network, token);
	assert_non_null(result);
	return result;
}

static const struct result *store(
	struct network *network, unsigned n, uint32_t kind, const char *name, const char *value, bool keep)
{
	struct hit resource = resource_of(network, name);
	uint64_t token = next_token++;

	network->result_count = 0;
	assert_int_equal(overlay_store(network->nodes[n].overlay, network->now, WALL(network), token, kind, &resource,
				 (const uint8_t *)value, strlen(value), 3600, keep),
		HIPHOP_OK);
	drain(network, n);
	return wait_for(network, token);
}

static const struct result *fetch(struct network *network, unsigned n, uint32_t kind, const char *name)
{
	struct hit resource = resource_of(network, name);
	uint64_t token = next_token++;

	network->result_count = 0;
	assert_int_equal(overlay_fetch(network->nodes[n].overlay, network->now, token, kind, &resource), HIPHOP_OK);
	drain(network, n);
	return wait_for(network, token);
}

static unsigned joined(const struct network *network)
{
	unsigned count = 0;

	for (unsigned i = 0; i < network->count; i++)
		count += network->nodes[i].alive && overlay_is_joined(network->nodes[i].overlay);
	return count;
}

static void converges(struct network *network, unsigned seconds)
{
	duration took = network_converge(network, SECONDS(seconds));

	if (network->verbose)
		printf("converged after %.1f s, %llu messages, %llu hops, %llu connects\n", (double)took / 1e9,
			(unsigned long long)network->messages, (unsigned long long)network->hops,
			(unsigned long long)network->connects);
	assert_int_equal(wrong_successors(network), 0);
	network_run(network, SECONDS(20));
	assert_int_equal(wrong_successors(network), 0);
}

static void one_node_is_a_ring(void **state)
{
	(void)state;
	struct network *network = ring_of(1, 1, 0);
	struct overlay_status status;

	network_run(network, SECONDS(5));
	overlay_get_status(network->nodes[0].overlay, &status);
	assert_true(status.joined);
	assert_int_equal(status.members, 0);
	assert_int_equal(store(network, 0, OVERLAY_KIND_PUT, "key", "value", true)->error, HIPHOP_OK);
	const struct result *result = fetch(network, 0, OVERLAY_KIND_PUT, "key");
	assert_int_equal(result->error, HIPHOP_OK);
	assert_int_equal(result->value_count, 1);
	assert_string_equal(result->value[0], "value");
	assert_true(hit_equal(&result->owner[0], &network->nodes[0].hit));
	assert_int_equal(fetch(network, 0, OVERLAY_KIND_PUT, "other key")->error, HIPHOP_NOT_FOUND);
	network_free(network);
}

static void two_nodes_that_name_each_other_join(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 6; seed++) {
		struct network *network = network_start(2, seed);
		network->nodes[0].bootstrap[0] = 1;
		network_create_overlay(network, 0, OVERLAY_PEER);
		assert_false(overlay_is_joined(network->nodes[0].overlay));
		network_create_overlay(network, 1, OVERLAY_PEER);
		converges(network, 60);
		assert_int_equal(joined(network), 2);
		assert_int_equal(store(network, 0, OVERLAY_KIND_PUT, "key", "zero", true)->error, HIPHOP_OK);
		assert_int_equal(store(network, 1, OVERLAY_KIND_PUT, "key", "one", true)->error, HIPHOP_OK);
		assert_int_equal(fetch(network, 0, OVERLAY_KIND_PUT, "key")->value_count, 2);
		network_free(network);
	}
}

static void many_nodes_join(unsigned count, uint64_t seed, unsigned loss_permille, unsigned seconds)
{
	struct network *network = ring_of(count, seed, loss_permille);
	char name[32];

	converges(network, seconds);
	assert_int_equal(joined(network), count);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		assert_int_equal(store(network, (i * 5) % count, OVERLAY_KIND_PUT, name, name, true)->error, HIPHOP_OK);
	}
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		const struct result *result = fetch(network, (i * 11 + 3) % count, OVERLAY_KIND_PUT, name);
		assert_int_equal(result->error, HIPHOP_OK);
		assert_string_equal(result->value[0], name);
	}
	network_free(network);
}

static void sixteen_nodes_join(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 4; seed++)
		many_nodes_join(16, seed, 0, 60);
}

static void sixteen_nodes_join_over_bad_links(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 4; seed++)
		many_nodes_join(16, seed, 100, 180);
}

static void sixty_four_nodes_join_at_once(void **state)
{
	(void)state;
	many_nodes_join(64, 5, 20, 180);
}

/* ---- Round a neighbour that does not hear us ---- */

/* A packet from one node to another that it must not hand over itself. */
static void goes_round(const struct network *network, unsigned from, unsigned to)
{
	const struct hit *destination = &network->nodes[to].hit;
	unsigned previous = from, at;
	struct hit next;

	assert_int_equal(overlay_next_hop(network->nodes[from].overlay, destination, destination, &next), OVERLAY_HOP);
	at = (unsigned)node_of(network, &next);
	assert_int_not_equal(at, to);
	for (unsigned hops = 0; at != to; hops++) {
		assert_true(hops < network->count);
		assert_true(network->associated[previous][at]);
		assert_int_not_equal(at, from);
		assert_int_equal(
			overlay_next_hop(network->nodes[at].overlay, destination, &network->nodes[previous].hit, &next),
			OVERLAY_HOP);
		previous = at;
		at = (unsigned)node_of(network, &next);
	}
}

static void a_neighbour_is_reached_through_others(void **state)
{
	static const unsigned counts[] = {3, 8, 32};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct network *network = ring_of(counts[i], 21 + i, 0);

		converges(network, 180);
		for (unsigned from = 0; from < counts[i]; from++) {
			for (unsigned to = 0; to < counts[i]; to++) {
				if (network->associated[from][to])
					goes_round(network, from, to);
			}
		}
		network_free(network);
	}
}

/* Of two there is nobody else. */
static void nobody_is_there_to_go_round(void **state)
{
	struct network *network = ring_of(2, 21, 0);
	struct hit next;

	(void)state;
	converges(network, 60);
	assert_int_equal(
		overlay_next_hop(network->nodes[0].overlay, &network->nodes[1].hit, &network->nodes[1].hit, &next),
		OVERLAY_NO_ROUTE);
	network_free(network);
}

/* ---- Deaths ---- */

static void stores_eight(struct network *network)
{
	char name[32];

	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		assert_int_equal(store(network, i, OVERLAY_KIND_PUT, name, name, false)->error, HIPHOP_OK);
	}
}

static unsigned living(const struct network *network, unsigned start)
{
	while (!network->nodes[start % network->count].alive)
		start++;
	return start % network->count;
}

static void finds_eight(struct network *network)
{
	char name[32];

	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		const struct result *result = fetch(network, living(network, i * 11 + 3), OVERLAY_KIND_PUT, name);
		assert_int_equal(result->error, HIPHOP_OK);
		assert_int_equal(result->value_count, 1);
		assert_string_equal(result->value[0], name);
	}
}

static unsigned holder_of(struct network *network, const char *name)
{
	const struct result *result = fetch(network, living(network, 1), OVERLAY_KIND_PUT, name);

	assert_int_equal(result->error, HIPHOP_OK);
	return (unsigned)node_of(network, &result->answering);
}

/* The record itself is not refreshed here (not kept), so only replicas can save it. */
static void values_survive_their_holders(void **state)
{
	(void)state;
	struct network *network = ring_of(16, 11, 10);

	converges(network, 60);
	stores_eight(network);
	network_run(network, SECONDS(2));
	for (unsigned death = 0; death < 6; death++) {
		network_kill(network, holder_of(network, "key 3"));
		/* At once: whoever is next in the ring has a copy. */
		const struct result *result = fetch(network, living(network, death + 5), OVERLAY_KIND_PUT, "key 3");
		assert_int_equal(result->error, HIPHOP_OK);
		assert_string_equal(result->value[0], "key 3");
		network_run(network, SECONDS(25));
	}
	converges(network, 60);
	finds_eight(network);
	network_free(network);
}

static void two_die_at_once(void **state)
{
	(void)state;
	struct network *network = ring_of(24, 12, 0);

	converges(network, 60);
	stores_eight(network);
	network_run(network, SECONDS(2));
	unsigned first = holder_of(network, "key 2");
	unsigned second = true_successor(network, first);
	network_kill(network, first);
	network_kill(network, second);
	converges(network, 90);
	finds_eight(network);
	network_free(network);
}

static void leaving_hands_everything_over(void **state)
{
	(void)state;
	struct network *network = ring_of(12, 13, 0);

	converges(network, 60);
	stores_eight(network);
	for (unsigned i = 2; i < 8; i++) {
		uint64_t token = next_token++;
		network->result_count = 0;
		assert_int_equal(overlay_leave(network->nodes[i].overlay, network->now, token), HIPHOP_OK);
		drain(network, i);
		assert_int_equal(wait_for(network, token)->error, HIPHOP_OK);
		network_kill(network, i);
		finds_eight(network);
	}
	converges(network, 60);
	network_free(network);
}

static void a_new_node_gets_what_it_is_responsible_for(void **state)
{
	(void)state;
	struct network *network = network_start(12, 14);

	for (unsigned i = 0; i < 8; i++)
		network_create_overlay(network, i, OVERLAY_PEER);
	network_run(network, SECONDS(20));
	stores_eight(network);
	for (unsigned i = 8; i < 12; i++) {
		network_create_overlay(network, i, OVERLAY_PEER);
		for (unsigned look = 0; look < 8; look++) {
			network_run(network, MILLISECONDS(250));
			finds_eight(network);
		}
	}
	converges(network, 60);
	finds_eight(network);
	network_free(network);
}

/* ---- Connections that nobody needs ---- */

static bool has_in_tables(struct network *network, unsigned a, unsigned b)
{
	struct overlay_status status;

	overlay_get_status(network->nodes[a].overlay, &status);
	for (size_t i = 0; i < status.neighbour_count; i++) {
		const struct overlay_neighbour *neighbour = &status.neighbours[i];
		if (hit_equal(&neighbour->hit, &network->nodes[b].hit))
			return neighbour->successor || neighbour->predecessor || neighbour->finger;
	}
	return false;
}

struct connections {
	unsigned pairs, unneeded, most; /* most: of one node; the bootstrap peer of all is not looked at */
};

static struct connections count_connections(struct network *network)
{
	struct connections connections = {0};

	for (unsigned a = 1; a < network->count; a++) {
		unsigned own = 0;
		for (unsigned b = 1; b < network->count; b++) {
			if (!network->nodes[a].alive || !network->associated[a][b])
				continue;
			own++;
			connections.pairs += b < a;
			connections.unneeded += b < a && !has_in_tables(network, a, b) && !has_in_tables(network, b, a);
		}
		connections.most = own > connections.most ? own : connections.most;
	}
	if (network->verbose)
		printf("%u connections, %u needed by neither, at most %u of one node; %llu connects, %llu releases, "
		       "%llu closes, %llu messages\n",
			connections.pairs, connections.unneeded, connections.most,
			(unsigned long long)network->connects, (unsigned long long)network->releases,
			(unsigned long long)network->closes, (unsigned long long)network->messages);
	return connections;
}

/* `average` of a node: 8 neighbours, the fingers out, and as many in. A node behind a wide gap is the finger of many.
 */
static void ring_of_few_connections(unsigned count, uint64_t seed, unsigned average, unsigned most)
{
	struct network *network = ring_of(count, seed, 10);

	converges(network, 120);
	stores_eight(network);
	count_connections(network);
	network_run(network, SECONDS(500));
	struct connections early = count_connections(network);
	assert_true(network->closes > 0 || early.unneeded == 0);
	assert_int_equal(wrong_successors(network), 0);
	assert_int_equal(joined(network), count);
	finds_eight(network);
	/* It stays as it is: nothing is closed and opened again. */
	uint64_t connects = network->connects;
	network_run(network, SECONDS(900));
	struct connections late = count_connections(network);
	assert_in_range(network->connects - connects, 0, count / 4);
	assert_in_range(late.most, 1, most);
	assert_in_range(2 * late.pairs / (count - 1), 1, average);
	assert_in_range(late.unneeded, 0, late.pairs / 20);
	assert_int_equal(network->parted, 0);
	assert_int_equal(wrong_successors(network), 0);
	finds_eight(network);
	/* With so few connections deaths are repaired as well. */
	for (unsigned i = 3; i < count; i += 8)
		network_kill(network, i);
	converges(network, 120);
	for (unsigned i = 0; i < 4; i++) {
		network_kill(network, holder_of(network, "key 2"));
		network_run(network, SECONDS(30));
		finds_eight(network);
	}
	converges(network, 60);
	network_free(network);
}

static void surplus_connections_are_let_go(void **state)
{
	(void)state;
	ring_of_few_connections(16, 24, 12, 14);
	ring_of_few_connections(64, 25, 17, 36);
}

/* ---- Splits ---- */

static void a_split_heals(void **state)
{
	(void)state;
	struct network *network = ring_of(20, 15, 0);

	converges(network, 60);
	stores_eight(network);
	for (unsigned i = 0; i < 20; i++)
		network->nodes[i].side = i % 2;
	converges(network, 180);
	char name[32];
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "late %u", i);
		assert_int_equal(store(network, i, OVERLAY_KIND_PUT, name, name, true)->error, HIPHOP_OK);
	}
	for (unsigned i = 0; i < 20; i++)
		network->nodes[i].side = 0;
	converges(network, 180);
	finds_eight(network);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "late %u", i);
		assert_int_equal(fetch(network, i + 9, OVERLAY_KIND_PUT, name)->error, HIPHOP_OK);
	}
	network_free(network);
}

/* Two rings that have never heard of each other, then one node learns of the other ring. */
static void two_rings_merge(void **state)
{
	(void)state;
	struct network *network = network_start(24, 16);

	for (unsigned i = 0; i < 24; i++) {
		network->nodes[i].bootstrap[0] = i % 2 ? (i == 1 ? -1 : 1) : (i ? 0 : -1);
		network->nodes[i].side = i % 2;
		network_create_overlay(network, i, OVERLAY_PEER);
	}
	converges(network, 60);
	for (unsigned i = 0; i < 24; i++)
		network->nodes[i].side = 0;
	network->nodes[7].bootstrap[1] = 0;
	converges(network, 120);
	network_free(network);
}

/* ---- Names ---- */

#define NAMES OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME

static void a_name_belongs_to_who_came_first(void **state)
{
	(void)state;
	struct network *network = ring_of(10, 17, 0);

	converges(network, 60);
	assert_int_equal(store(network, 2, NAMES, "sip:bob@example.com", "two", true)->error, HIPHOP_OK);
	assert_int_equal(store(network, 3, NAMES, "sip:bob@example.com", "three", true)->error, HIPHOP_REFUSED);
	assert_int_equal(store(network, 2, NAMES, "sip:bob@example.com", "two again", true)->error, HIPHOP_OK);
	const struct result *result = fetch(network, 5, NAMES, "sip:bob@example.com");
	assert_int_equal(result->value_count, 1);
	assert_string_equal(result->value[0], "two again");
	assert_true(hit_equal(&result->owner[0], &network->nodes[2].hit));
	/* Removed, the name still keeps others out. */
	struct hit resource = resource_of(network, "sip:bob@example.com");
	uint64_t token = next_token++;
	network->result_count = 0;
	assert_int_equal(
		overlay_remove(network->nodes[2].overlay, network->now, WALL(network), token, NAMES, &resource),
		HIPHOP_OK);
	drain(network, 2);
	assert_int_equal(wait_for(network, token)->error, HIPHOP_OK);
	assert_int_equal(fetch(network, 5, NAMES, "sip:bob@example.com")->error, HIPHOP_NOT_FOUND);
	assert_int_equal(store(network, 3, NAMES, "sip:bob@example.com", "three", false)->error, HIPHOP_REFUSED);
	assert_int_equal(store(network, 2, NAMES, "sip:bob@example.com", "back", true)->error, HIPHOP_OK);
	network_free(network);
}

static void two_claims_meet(void **state)
{
	(void)state;
	struct network *network = network_start(9, 18);

	/* Node 8 is alone, the others are a ring; both give the same name away. */
	for (unsigned i = 0; i < 9; i++) {
		network->nodes[i].side = i == 8;
		network_create_overlay(network, i, OVERLAY_PEER);
	}
	network_run(network, SECONDS(20));
	assert_int_equal(store(network, 8, NAMES, "sip:bob@example.com", "eight", true)->error, HIPHOP_OK);
	assert_int_equal(store(network, 3, NAMES, "sip:bob@example.com", "three", true)->error, HIPHOP_OK);
	network_run(network, SECONDS(2));
	network->nodes[8].side = 0;
	converges(network, 60);
	network_run(network, SECONDS(120));
	for (unsigned i = 0; i < 9; i++) {
		const struct result *result = fetch(network, i, NAMES, "sip:bob@example.com");
		assert_int_equal(result->value_count, 1);
		assert_string_equal(result->value[0], "three");
	}
	network_free(network);
}

/* A message of our own making, from one node to another. */
static void send_raw(struct network *network, unsigned from, unsigned to, const struct reload_message *message)
{
	uint8_t octets[OVERLAY_MESSAGE_MAXIMUM];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct packet_path path = {.count = 1, .node = {(uint16_t)from}};
	struct overlay_arrival arrival = {.sender = network->nodes[from].hit,
		.receiver = network->nodes[to].hit,
		.transaction = next_token++,
		.hops = 1,
		.route = &path,
		.route_length = sizeof(path)};

	assert_int_equal(reload_message_write(&writer, message), HIPHOP_OK);
	overlay_input(network->nodes[to].overlay, network->now, WALL(network), &arrival, octets, writer.position);
	drain(network, to);
}

/* A stranger that calls its claim a replica on very many peers does not get the name. */
static void a_loud_stranger_does_not_get_the_name(void **state)
{
	(void)state;
	struct network *network = ring_of(8, 22, 0);
	struct hit resource;
	struct fake_identity thief;
	struct overlay_crypto crypto = fake_crypto(&thief);
	struct buffer signed_octets;
	uint8_t octets[1024];
	struct writer writer = writer_over(octets, sizeof(octets));

	converges(network, 60);
	store(network, 2, NAMES, "sip:bob@example.com", "two", true);
	resource = resource_of(network, "sip:bob@example.com");
	struct hit thief_hit = fake_identity_start(&thief, 999999);
	struct unsigned_value value = {.kind = kind_find(NAMES),
		.resource = resource,
		.storage_time = WALL(network) + 1000,
		.key = {thief_hit.octets, HIT_LENGTH},
		.exists = true,
		.value = {(const uint8_t *)"thief", 5}};
	assert_int_equal(signed_value_make(&value, &crypto, &signed_octets), HIPHOP_OK);
	size_t mark = reload_begin_kind_values(&writer, NAMES, 1);
	stored_data_write(&writer, value.storage_time, 3600, (struct span){signed_octets.data, signed_octets.length});
	reload_end_kind_values(&writer, mark);
	struct reload_message message = {.code = RELOAD_STORE_REQUEST,
		.store = {.resource = resource, .replica_number = 1, .kinds = {octets, writer.position}},
		.has_copies = true,
		.copies = 255};
	struct hit stranger = network->nodes[5].hit;
	network->nodes[5].hit = thief_hit; /* as sender of the message only */
	for (unsigned i = 0; i < 8; i++)
		if (i != 5)
			send_raw(network, 5, i, &message);
	network->nodes[5].hit = stranger;
	network_run(network, SECONDS(30));
	assert_string_equal(fetch(network, 6, NAMES, "sip:bob@example.com")->value[0], "two");
	buffer_free(&signed_octets);
	network_free(network);
}

/* ---- Bounds ---- */

static uint64_t refused_by(struct network *network, unsigned n)
{
	struct overlay_status status;

	overlay_get_status(network->nodes[n].overlay, &status);
	return status.refused;
}

/* The code of the Error that node `n` answers, or 0. The answer is looked at, not sent. */
static uint16_t error_for(struct network *network, unsigned n, const struct reload_message *message)
{
	static uint8_t octets[OVERLAY_MESSAGE_MAXIMUM];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct overlay_arrival arrival = {.sender = network->nodes[1].hit, .hops = 1, .route = "r", .route_length = 1};
	struct reload_message answer;
	struct overlay_effect effect;
	uint16_t code = 0;

	assert_int_equal(reload_message_write(&writer, message), HIPHOP_OK);
	overlay_input(network->nodes[n].overlay, network->now, WALL(network), &arrival, octets, writer.position);
	while (overlay_next_effect(network->nodes[n].overlay, &effect))
		if (effect.type == OVERLAY_ANSWER &&
			!reload_message_parse(effect.answer.contents, effect.answer.length, &answer) &&
			answer.code == RELOAD_ERROR)
			code = answer.error.code;
	return code;
}

static void one_message_makes_little_work(void **state)
{
	(void)state;
	struct network *network = ring_of(2, 26, 0);
	struct hit resource = resource_id_at(&network->nodes[0].hit);
	uint8_t octets[512];
	struct writer writer = writer_over(octets, sizeof(octets));

	converges(network, 60);
	reload_write_specifier(&writer, OVERLAY_KIND_PUT, 0, (struct span){(const uint8_t *)"\0", 2});
	struct reload_message message = {
		.code = RELOAD_STAT_REQUEST, .fetch = {.resource = resource, .specifiers = {octets, writer.position}}};
	assert_int_equal(error_for(network, 0, &message), 0);
	message.fetch.specifiers.length *= 2;
	memcpy(octets + writer.position, octets, writer.position);
	assert_int_equal(error_for(network, 0, &message), RELOAD_ERROR_INVALID_MESSAGE);
	memset(octets, 0, sizeof(octets));
	message = (struct reload_message){
		.code = RELOAD_FIND_REQUEST, .find = {.resource = resource, .kinds = {octets, 16 * 4}}};
	assert_int_equal(error_for(network, 0, &message), 0);
	message.find.kinds.length += 4;
	assert_int_equal(error_for(network, 0, &message), RELOAD_ERROR_INVALID_MESSAGE);
	network_free(network);
}

/* However many names strangers have, together they have one rate; a neighbour is heard all the same. */
static void strangers_share_a_rate(void **state)
{
	(void)state;
	struct network *network = ring_of(2, 27, 0);
	struct reload_message ping = {.code = RELOAD_PING_REQUEST};
	struct hit neighbour = network->nodes[1].hit;
	unsigned answered = 0;

	converges(network, 60);
	for (unsigned i = 0; i < 6000; i++) {
		uint64_t refused = refused_by(network, 0);
		network->nodes[1].hit.octets[14] = (uint8_t)(i >> 8);
		network->nodes[1].hit.octets[15] = (uint8_t)i;
		(void)error_for(network, 0, &ping);
		answered += refused_by(network, 0) == refused;
	}
	assert_in_range(answered, 3000, 4200); /* the burst, and a neighbour's own */
	network->nodes[1].hit = neighbour;
	uint64_t refused = refused_by(network, 0);
	(void)error_for(network, 0, &ping);
	assert_int_equal(refused_by(network, 0), refused);
	network_free(network);
}

/* ---- Restarts ---- */

static void a_restarted_node_is_back_in_the_ring(void **state)
{
	(void)state;
	struct network *network = ring_of(10, 23, 10);

	converges(network, 60);
	stores_eight(network);
	network_run(network, SECONDS(2));
	for (unsigned i = 0; i < 5; i++) {
		/* Its neighbours have not noticed yet; the associations are new from both sides. */
		overlay_free(network->nodes[i].overlay);
		for (unsigned j = 0; j < network->count; j++)
			network->associated[i][j] = network->associated[j][i] = false;
		network->nodes[i].bootstrap[0] = 9;
		network_create_overlay(network, i, OVERLAY_PEER);
		network_run(network, SECONDS(20));
	}
	converges(network, 60);
	finds_eight(network);
	network_free(network);
}

/* ---- Other requests ---- */

static void ping_trace_stat_find(void **state)
{
	(void)state;
	struct network *network = ring_of(32, 19, 0);
	struct hit resource;
	uint64_t token = next_token++;

	converges(network, 60);
	network->result_count = 0;
	overlay_ping(network->nodes[3].overlay, network->now, token, &network->nodes[30].hit);
	drain(network, 3);
	const struct result *result = wait_for(network, token);
	assert_int_equal(result->error, HIPHOP_OK);
	assert_true(hit_equal(&result->answering, &network->nodes[30].hit));
	assert_true(result->hops >= 1 && result->hops < 8);

	store(network, 4, OVERLAY_KIND_PUT, "key", "value", false);
	resource = resource_of(network, "key");
	unsigned holder = holder_of(network, "key");
	network->result_count = 0;
	overlay_trace(network->nodes[5].overlay, network->now, 1000, &resource);
	overlay_stat(network->nodes[5].overlay, network->now, 1001, OVERLAY_KIND_PUT, &resource);
	overlay_find(network->nodes[5].overlay, network->now, 1002, OVERLAY_KIND_PUT, &resource);
	drain(network, 5);
	result = wait_for(network, 1000);
	assert_int_equal(result->error, HIPHOP_OK);
	assert_true(result->path_length >= 1);
	assert_true(hit_equal(&result->path[result->path_length - 1], &network->nodes[holder].hit));
	result = wait_for(network, 1001);
	assert_int_equal(result->error, HIPHOP_OK);
	assert_true(hit_equal(&result->owner[0], &network->nodes[4].hit));
	result = wait_for(network, 1002);
	assert_int_equal(result->error, HIPHOP_OK);
	assert_true(hit_equal(&result->resource, &resource));
	network_free(network);
}

static void a_client_stores_and_fetches(void **state)
{
	(void)state;
	struct network *network = network_start(10, 20);

	for (unsigned i = 0; i < 9; i++)
		network_create_overlay(network, i, OVERLAY_PEER);
	network_run(network, SECONDS(20));
	network_create_overlay(network, 9, OVERLAY_CLIENT);
	network_run(network, SECONDS(20));
	assert_true(overlay_is_joined(network->nodes[9].overlay));
	assert_int_equal(store(network, 9, OVERLAY_KIND_PUT, "key", "from a client", true)->error, HIPHOP_OK);
	assert_string_equal(fetch(network, 4, OVERLAY_KIND_PUT, "key")->value[0], "from a client");
	assert_string_equal(fetch(network, 9, OVERLAY_KIND_PUT, "key")->value[0], "from a client");
	struct overlay_status status;
	for (unsigned i = 0; i < 9; i++) {
		overlay_get_status(network->nodes[i].overlay, &status);
		for (size_t j = 0; j < status.neighbour_count; j++)
			assert_false(status.neighbours[j].member &&
				     hit_equal(&status.neighbours[j].hit, &network->nodes[9].hit));
	}
	/* Others reach it through the peer that it attached to: the one responsible for its place. */
	uint64_t token = next_token++;
	overlay_ping(network->nodes[3].overlay, network->now, token, &network->nodes[9].hit);
	drain(network, 3);
	assert_int_equal(wait_for(network, token)->error, HIPHOP_OK);
	network_free(network);
}

static void kept_values_outlive_their_lifetime(void **state)
{
	(void)state;
	struct network *network = ring_of(6, 21, 0);

	converges(network, 60);
	store(network, 2, OVERLAY_KIND_PUT, "kept", "kept", true);
	store(network, 2, OVERLAY_KIND_PUT, "not kept", "not kept", false);
	for (unsigned i = 0; i < 8; i++)
		network_run(network, SECONDS(1000));
	assert_int_equal(fetch(network, 4, OVERLAY_KIND_PUT, "kept")->error, HIPHOP_OK);
	assert_int_equal(fetch(network, 4, OVERLAY_KIND_PUT, "not kept")->error, HIPHOP_NOT_FOUND);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_node_is_a_ring),
		cmocka_unit_test(two_nodes_that_name_each_other_join),
		cmocka_unit_test(a_neighbour_is_reached_through_others),
		cmocka_unit_test(nobody_is_there_to_go_round),
		cmocka_unit_test(sixteen_nodes_join),
		cmocka_unit_test(sixteen_nodes_join_over_bad_links),
		cmocka_unit_test(sixty_four_nodes_join_at_once),
		cmocka_unit_test(values_survive_their_holders),
		cmocka_unit_test(two_die_at_once),
		cmocka_unit_test(leaving_hands_everything_over),
		cmocka_unit_test(a_new_node_gets_what_it_is_responsible_for),
		cmocka_unit_test(surplus_connections_are_let_go),
		cmocka_unit_test(a_split_heals),
		cmocka_unit_test(two_rings_merge),
		cmocka_unit_test(a_name_belongs_to_who_came_first),
		cmocka_unit_test(two_claims_meet),
		cmocka_unit_test(a_loud_stranger_does_not_get_the_name),
		cmocka_unit_test(one_message_makes_little_work),
		cmocka_unit_test(strangers_share_a_rate),
		cmocka_unit_test(a_restarted_node_is_back_in_the_ring),
		cmocka_unit_test(ping_trace_stat_find),
		cmocka_unit_test(a_client_stores_and_fetches),
		cmocka_unit_test(kept_values_outlive_their_lifetime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
