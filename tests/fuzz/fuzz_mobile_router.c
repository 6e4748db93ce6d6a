/* SPDX-License-Identifier: MIT */
/**
 * A host on board, its router and a peer: what one of them that has all the keys may say to another, and what comes
 * from anybody to be handed on. The input is the contents; MAC and signature are right.
 */
#include <stdlib.h>

#define WORLD_REQUIRE(condition)                                                                                       \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#include "hip/wire/relay_edit.h"
#include "tests/fuzz/hip_types.h"
#include "tests/fuzz/input.h"
#include "tests/unit/hip/core/router_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOST, PEER, ROUTER, HOSTS };

static struct world *world;

static void start(void)
{
	world = world_of_three(HOST, PEER, ROUTER);
	world_run(world, SECONDS(1));
	world_connect(world, HOST, PEER, "192.0.2.1");
	world_run(world, SECONDS(2));
	WORLD_REQUIRE(world_talk(world, HOST, PEER) && world_router(world, HOST).confirmed == 1);
}

static struct association *association_of(size_t a, size_t b)
{
	return association_find(world->hosts[a].host, &world->hosts[b].hit);
}

static void put_in(size_t to, const char *local, const char *remote, const uint8_t *octets, size_t length)
{
	const struct host_arrival arrival = {.local = {.address = world_address(local), .port = 10500},
		.remote = {.address = world_address(remote), .port = 10500}};

	host_input(world->hosts[to].host, world->now, &arrival, octets, length);
	world_drain(&world->hosts[to]);
}

/* Parameters in ascending order from `least` up to below `most`, each of a type and with contents of the input. */
static void add_parameters(struct fuzz_input *input, struct packet_builder *builder, uint16_t least, uint16_t most)
{
	for (unsigned i = 0; i < 8 && !input_is_over(input); i++) {
		uint16_t type = forge_types[input_u8(input) % FORGE_TYPES];
		size_t got;
		const uint8_t *contents = input_octets(input, input_u8(input), &got);
		hiphop_error before = builder->error;

		if (type < least || type >= most)
			continue;
		(void)packet_builder_add(builder, type, contents, got);
		/* One that is out of order, or too much, is left out. */
		if (!before)
			builder->error = HIPHOP_OK;
	}
}

static const char *const addresses[HOSTS] = {"10.1.0.2", "192.0.2.1", "198.51.100.1"};

/* An UPDATE-PROXY under the right key: the router to the peer, or the other way round. */
static void update_proxy(struct fuzz_input *input, bool from_peer)
{
	struct map_walk walk = map_walk_start(&world->hosts[ROUTER].host->router.service.on_board.tickets);
	const struct delegated *ticket = map_walk_next(&walk, NULL);
	struct packet_builder builder;
	uint8_t octets[HIP_PACKET_MAXIMUM];
	size_t length;

	if (!ticket)
		return;
	packet_builder_start(&builder, octets, sizeof octets, HIP_PACKET_UPDATE_PROXY, 0,
		from_peer ? &ticket->what.peer : &ticket->what.owner,
		from_peer ? &ticket->what.owner : &ticket->what.peer);
	add_parameters(input, &builder, 0, PARAMETER_TICKET_ID);
	if (ticket_protect(&builder, ticket->what.grant.id, ticket->what.grant.key, &length))
		return;
	put_in(from_peer ? ROUTER : PEER, addresses[from_peer ? ROUTER : PEER], addresses[from_peer ? PEER : ROUTER],
		octets, length);
}

static void seal(const struct host *host, const struct exchange_keys *keys, const struct packet_builder *inner,
	struct packet_builder *builder)
{
	uint8_t sealed[HIP_PARAMETERS_MAXIMUM + HIP_CIPHER_OVERHEAD_MAXIMUM];
	size_t length = inner->writer.position, sealed_length = hip_cipher_sealed_length(keys->cipher, length);
	struct parameter_encrypted encrypted;

	if (!length || sealed_length > sizeof sealed ||
		hip_cipher_seal(keys->cipher, (struct span){keys->outgoing.encryption, keys->cipher->key_length},
			host->random, (struct span){inner->writer.data, length}, sealed))
		return;
	encrypted.iv = (struct span){sealed, keys->cipher->iv_length};
	encrypted.data = (struct span){sealed + keys->cipher->iv_length, sealed_length - keys->cipher->iv_length};
	parameter_encrypted_write(builder, &encrypted);
}

/* A signed UPDATE of one to another, with ENCRYPTED and what is behind that. */
static void update(struct fuzz_input *input, size_t from, size_t to)
{
	struct host *host = world->hosts[from].host;
	struct association *association = association_of(from, to);
	bool on_board = from != PEER && to != PEER;
	struct packet_builder inner;
	uint8_t plain[HIP_PARAMETERS_MAXIMUM];
	struct protection protection;
	struct outgoing out;

	if (!association || !association->session || association->session->state >= HOST_CLOSING)
		return;
	protection = session_protection(association->session);
	packet_builder_start_inner(&inner, plain, sizeof plain);
	add_parameters(input, &inner, PARAMETER_TICKET, PARAMETER_HIP_MAC);
	outgoing_start(host, &out, HIP_PACKET_UPDATE, &world->hosts[to].hit);
	parameter_number_write(&out.builder, PARAMETER_SEQ, association->session->own_update++);
	seal(host, &association->session->keys, &inner, &out.builder);
	add_parameters(input, &out.builder, PARAMETER_ENCRYPTED + 1, PARAMETER_HIP_MAC);
	if (outgoing_protect(host, &out, &protection) || outgoing_finish(&out))
		return;
	put_in(to, on_board && to == ROUTER ? "10.1.0.1" : addresses[to],
		on_board && from == ROUTER ? "10.1.0.1" : addresses[from], out.octets, out.length);
}

/* From a host on board to anywhere, and from anywhere to it. */
static void to_hand_on(struct fuzz_input *input)
{
	bool out = input_u8(input) & 1;
	struct endpoint to = {.port = 10500};
	uint8_t octets[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	size_t length;

	input_fill(input, to.address.octets, sizeof to.address.octets);
	packet_builder_start(&builder, octets, sizeof octets, forge_packet_types[input_u8(input) % FORGE_PACKET_TYPES],
		0, &world->hosts[out ? HOST : PEER].hit, &world->hosts[out ? PEER : HOST].hit);
	add_parameters(input, &builder, 0, UINT16_MAX);
	if (packet_builder_finish(&builder, &length))
		return;
	(void)relay_put_endpoint(octets, &length, sizeof octets, PARAMETER_RELAY_TO, &to);
	put_in(ROUTER, out ? "10.1.0.1" : "198.51.100.1", out ? "10.1.0.2" : "192.0.2.1", octets, length);
}

static void esp(struct fuzz_input *input)
{
	struct host_esp_hop hop = {.local = {.address = world_address("198.51.100.1"), .port = 10500},
		.remote = {.address = world_address(input_u8(input) & 1 ? "192.0.2.1" : "10.1.0.2"), .port = 10500},
		.spi = input_u32(input),
		.length = 100};

	if (host_forward_esp(world->hosts[ROUTER].host, world->now, &hop))
		WORLD_REQUIRE(hop.remote.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct host_router_view view;

	if (!world)
		start();
	switch (input_u8(&input) % 8) {
	case 0:
		update_proxy(&input, false);
		break;
	case 1:
		update_proxy(&input, true);
		break;
	case 2:
	case 3:
		update(&input, HOST, ROUTER);
		break;
	case 4:
		update(&input, ROUTER, HOST);
		break;
	case 5:
		update(&input, HOST, PEER);
		break;
	case 6:
		to_hand_on(&input);
		break;
	default:
		esp(&input);
	}
	world_run(world, MILLISECONDS(30));
	host_router(world->hosts[ROUTER].host, &view);
	WORLD_REQUIRE(view.boarders <= ON_BOARD_HOSTS_MAXIMUM && view.delegations <= ON_BOARD_TICKETS_MAXIMUM);
	/* What has closed or left is made anew, so that there is always something to say. */
	if (!association_of(HOST, PEER) || !view.boarders || !view.delegations) {
		world_free(world);
		world = NULL;
	}
	return 0;
}
