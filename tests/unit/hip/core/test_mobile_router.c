/* SPDX-License-Identifier: MIT */
/* Hosts on board of a mobile router, and their peers. */
#include "router_world.h"

enum { HOST, PEER, ROUTER, OTHER, SECOND, FIRST_OF_MANY };

/* A router with one uplink, two hosts on board and a peer in the world. */
static struct world *start(void)
{
	struct world *world = world_make(5);

	world_serve(world, ROUTER);
	world_link(world, HOST, "wlan0", "10.1.0.2");
	world_link(world, OTHER, "wlan0", "10.1.0.3");
	world_link(world, PEER, "eth0", "192.0.2.1");
	world_link(world, ROUTER, "uplink", "198.51.100.1");
	world_link(world, ROUTER, "inside", "10.1.0.1");
	for (size_t i = HOST; i <= OTHER; i++)
		world_boot(world, i);
	return world;
}

static void come_on_board(struct world *world, size_t host)
{
	world_board(world, host, ROUTER, "10.1.0.1");
	world_run(world, SECONDS(2));
	assert_int_equal(world_router(world, host).state, HOST_ROUTER_REGISTERED);
}

static struct world *start_with_association(void)
{
	struct world *world = start();

	come_on_board(world, HOST);
	world_connect(world, HOST, PEER, "192.0.2.1");
	world_run(world, SECONDS(2));
	return world;
}

static struct endpoint where(struct world *world, size_t from, size_t to)
{
	struct world_sa *sa = world_outbound(&world->hosts[from], &world->hosts[to].hit);

	assert_non_null(sa);
	return sa->sa.remote;
}

static bool is_at(struct endpoint endpoint, const char *address)
{
	const struct address expected = world_address(address);

	return address_equal(&endpoint.address, &expected);
}

static void test_on_board(void **state)
{
	struct world *world = start_with_association();
	struct host_router_view host = world_router(world, HOST), router = world_router(world, ROUTER);
	struct host_boarder_view boarder;
	unsigned hops = 0;

	(void)state;
	assert_int_equal(host.locator_count, 1);
	assert_true(is_at(host.locators[0], "198.51.100.1"));
	assert_int_equal(host.tickets, 1);
	assert_int_equal(host.confirmed, 1);
	assert_true(router.serves);
	assert_int_equal(router.boarders, 1);
	assert_int_equal(router.delegations, 1);
	assert_true(host_boarder_at(world->hosts[ROUTER].host, 0, &boarder));
	assert_true(hit_equal(&boarder.hit, &world->hosts[HOST].hit));
	assert_int_equal(boarder.unconfirmed, 0);
	assert_false(host_boarder_at(world->hosts[ROUTER].host, 1, &boarder));
	/* The peer knows the router's place alone, and the router hands on. */
	assert_true(is_at(where(world, PEER, HOST), "198.51.100.1"));
	assert_true(is_at(where(world, HOST, PEER), "10.1.0.1"));
	assert_true(world_esp(world, HOST, PEER, &hops) && hops == 1);
	assert_true(world_esp(world, PEER, HOST, &hops) && hops == 1);
	world_free(world);
}

static void test_peer_begins(void **state)
{
	struct world *world = start();

	(void)state;
	come_on_board(world, HOST);
	world_connect(world, PEER, HOST, "198.51.100.1");
	world_run(world, SECONDS(2));
	assert_true(world_talk(world, HOST, PEER));
	assert_int_equal(world_router(world, HOST).confirmed, 1);
	world_free(world);
}

static void test_router_moves(void **state)
{
	struct world *world = start_with_association();
	uint64_t host_out = world->hosts[HOST].packets;

	(void)state;
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	/* One and a half round trips. */
	world_run(world, 3 * WORLD_OUTSIDE + MILLISECONDS(1));
	assert_true(is_at(where(world, PEER, HOST), "203.0.113.7"));
	assert_true(world_talk(world, HOST, PEER));
	assert_int_equal(world_counter(world, ROUTER, HOST_COUNT_PROXY_MOVES), 1);
	world_run(world, SECONDS(3));
	assert_true(is_at(world_router(world, HOST).locators[0], "203.0.113.7"));
	/* All that the host did was to acknowledge that. */
	assert_int_equal(world->hosts[HOST].packets, host_out + 1);
	world_free(world);
}

static void test_tunnel(void **state)
{
	struct world *world = start_with_association();

	(void)state;
	world_relink(world, ROUTER, "uplink", NULL);
	world_run(world, SECONDS(20));
	assert_false(world_esp(world, HOST, PEER, NULL));
	assert_int_equal(world_router(world, HOST).locator_count, 0);
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, 3 * WORLD_OUTSIDE + MILLISECONDS(1));
	assert_true(world_talk(world, HOST, PEER));
	world_free(world);
}

static struct router_dealings *dealings(struct world *world, size_t a, size_t b)
{
	return association_find(world->hosts[a].host, &world->hosts[b].hit)->dealings;
}

/* ---- what is caught, kept and made up ---- */

struct catch
{
	struct world_packet kept[8];
	size_t count;
};

static bool keep_proxies(struct world *world, struct world_packet *packet)
{
	struct catch *catch = world->context;
	struct world_packet *kept;

	if (packet->spi || world_type(packet) != HIP_PACKET_UPDATE_PROXY || catch->count == 8)
		return true;
	kept = &catch->kept[catch->count++];
	*kept = *packet;
	kept->octets = malloc(packet->length);
	memcpy(kept->octets, packet->octets, packet->length);
	return true;
}

static void put_in(struct world *world, size_t to, const struct world_packet *packet, const char *from)
{
	struct host_arrival arrival = {.local = packet->destination, .remote = packet->source};

	arrival.remote.address = world_address(from);
	host_input(world->hosts[to].host, world->now, &arrival, packet->octets, packet->length);
	world_drain(&world->hosts[to]);
}

static void free_kept(struct catch *catch)
{
	while (catch->count)
		free(catch->kept[--catch->count].octets);
}

static void test_replayed(void **state)
{
	struct world *world = start_with_association();
	struct catch catch = {.count = 0};
	uint64_t out, replayed = 0;
	size_t octets;

	(void)state;
	world->fate = keep_proxies;
	world->context = &catch;
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, SECONDS(1));
	assert_int_equal(catch.count, 3);
	world_relink(world, ROUTER, "uplink", "203.0.113.8");
	world_run(world, SECONDS(1));
	/* Where the router was before, said again by whoever caught it; and the answer to a check that is over. */
	out = world->hosts[PEER].packets;
	put_in(world, PEER, &catch.kept[0], "192.0.2.66");
	put_in(world, PEER, &catch.kept[2], "192.0.2.66");
	replayed =
		world_counter(world, PEER, HOST_COUNT_DROP_REPLAYED) + world_counter(world, PEER, HOST_COUNT_DROP_ECHO);
	assert_int_equal(replayed, 2);
	assert_int_equal(world->hosts[PEER].packets, out);
	/* The newest may only be repeated: it is acknowledged once more, by a smaller packet. */
	octets = world->hosts[PEER].octets;
	put_in(world, PEER, &catch.kept[3], "192.0.2.66");
	assert_int_equal(world->hosts[PEER].packets, out + 1);
	assert_true(world->hosts[PEER].octets - octets < catch.kept[3].length);
	/* A check that is replayed to the router is for the SEQ before: nobody answers. */
	out = world_counter(world, ROUTER, HOST_COUNT_UPDATE_PROXY_OUT);
	put_in(world, ROUTER, &catch.kept[1], "192.0.2.66");
	assert_int_equal(world_counter(world, ROUTER, HOST_COUNT_UPDATE_PROXY_OUT), out);
	world_run(world, SECONDS(1));
	assert_true(is_at(where(world, PEER, HOST), "203.0.113.8"));
	free_kept(&catch);
	world_free(world);
}

/* Every octet changed, under a right length: nothing is believed, and nobody is told. */
static void test_forged(void **state)
{
	struct world *world = start_with_association();
	struct catch catch = {.count = 0};
	uint64_t out;

	(void)state;
	world->fate = keep_proxies;
	world->context = &catch;
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, SECONDS(1));
	world->fate = NULL;
	out = world->hosts[PEER].packets;
	for (size_t i = 0; i < catch.kept[0].length - 4; i++) {
		catch.kept[0].octets[i] ^= 0x01;
		put_in(world, PEER, &catch.kept[0], "203.0.113.66");
		catch.kept[0].octets[i] ^= 0x01;
	}
	assert_int_equal(world->hosts[PEER].packets, out);
	assert_true(world_counter(world, PEER, HOST_COUNT_DROP_MAC) > 50);
	assert_true(is_at(where(world, PEER, HOST), "203.0.113.7"));
	free_kept(&catch);
	world_free(world);
}

/* An UPDATE-PROXY as the router makes it, with any SEQ and locator. */
static void tell_peer(
	struct world *world, const struct delegated *ticket, uint32_t sequence, const char *locator, const char *from)
{
	struct parameter_locator_set set = {.count = 1};
	struct world_packet packet = {.source = {.port = 10500}, .destination = {.port = 10500}};
	uint8_t octets[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;

	set.items[0] = (struct locator){.address = world_address(locator),
		.lifetime = 60,
		.port = 10500,
		.protocol = 17,
		.type = LOCATOR_TYPE_TRANSPORT_ADDRESS,
		.preferred = true};
	packet.destination.address = world_address("192.0.2.1");
	packet_builder_start(
		&builder, octets, sizeof octets, HIP_PACKET_UPDATE_PROXY, 0, &ticket->what.owner, &ticket->what.peer);
	parameter_locator_set_write(&builder, &set);
	parameter_number_write(&builder, PARAMETER_SEQ, sequence);
	assert_int_equal(
		ticket_protect(&builder, ticket->what.grant.id, ticket->what.grant.key, &packet.length), HIPHOP_OK);
	packet.octets = octets;
	put_in(world, PEER, &packet, from);
}

static struct delegated ticket_of(struct world *world)
{
	struct map_walk walk = map_walk_start(&world->hosts[ROUTER].host->router.service.on_board.tickets);
	const struct delegated *ticket = map_walk_next(&walk, NULL);

	assert_non_null(ticket);
	return *ticket;
}

static bool count_to_victim(struct world *world, struct world_packet *packet)
{
	const struct address victim = world_address("192.0.2.99");

	if (address_equal(&packet->destination.address, &victim))
		*(size_t *)world->context += packet->length;
	return true;
}

/* A router that lies about its place: data and checks go there within credit alone, and what is true is found again. */
static void test_victim_as_locator(void **state)
{
	struct world *world = start_with_association();
	const struct delegated ticket = ticket_of(world);
	size_t octets = 0;

	(void)state;
	world->fate = count_to_victim;
	world->context = &octets;
	tell_peer(world, &ticket, 100, "192.0.2.99", "192.0.2.99");
	assert_true(world_outbound(&world->hosts[PEER], &world->hosts[HOST].hit)->sa.route.unverified);
	world_run(world, SECONDS(60));
	/* Hardly more than the I2 of the host had. */
	assert_true(octets > 0 && octets < 1700);
	assert_true(is_at(where(world, PEER, HOST), "198.51.100.1"));
	assert_true(world_talk(world, HOST, PEER));
	world_free(world);
}

static void test_places_that_cannot_be(void **state)
{
	static const char *const places[] = {"127.0.0.1", "224.0.0.1", "fe80::1", "::", "255.255.255.255"};
	struct world *world = start_with_association();
	const struct delegated ticket = ticket_of(world);

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		tell_peer(world, &ticket, 100 + (uint32_t)i, places[i], "198.51.100.1");
	world_run(world, SECONDS(20));
	assert_true(is_at(where(world, PEER, HOST), "198.51.100.1"));
	world_free(world);
}

static void test_ticket_is_over(void **state)
{
	struct world *world = start_with_association();
	const struct delegated ticket = ticket_of(world);
	uint64_t dropped;

	(void)state;
	/* The host is suddenly no more, and so gives no more time. */
	world_crash(world, HOST);
	world_crash(world, ROUTER);
	association_find(world->hosts[PEER].host, &world->hosts[HOST].hit)->held = true;
	dropped = world_counter(world, PEER, HOST_COUNT_DROP_TICKET);
	world->now += SECONDS(TICKET_LIFETIME_MAXIMUM);
	tell_peer(world, &ticket, 100, "203.0.113.9", "203.0.113.9");
	assert_int_equal(world_counter(world, PEER, HOST_COUNT_DROP_TICKET), dropped + 1);
	world_free(world);
}

static void test_leaving(void **state)
{
	struct world *world = start_with_association();
	const struct delegated ticket = ticket_of(world);
	uint64_t dropped;

	(void)state;
	host_use_router(world->hosts[HOST].host, world->now, NULL);
	world_run(world, MILLISECONDS(500));
	assert_int_equal(world_router(world, HOST).state, HOST_ROUTER_LEAVING);
	assert_int_equal(world_router(world, HOST).tickets, 0);
	world_run(world, SECONDS(1));
	assert_int_equal(world_router(world, HOST).state, HOST_ROUTER_NONE);
	assert_int_equal(world_router(world, ROUTER).boarders, 0);
	assert_int_equal(world_router(world, ROUTER).delegations, 0);
	assert_false(world_esp(world, PEER, HOST, NULL));
	dropped = world_counter(world, PEER, HOST_COUNT_DROP_TICKET);
	tell_peer(world, &ticket, 100, "203.0.113.9", "203.0.113.9");
	assert_int_equal(world_counter(world, PEER, HOST_COUNT_DROP_TICKET), dropped + 1);
	world_free(world);
}

/* The host has its associations before it comes on board, and takes them along when it leaves. */
static void test_on_and_off(void **state)
{
	struct world *world = start();

	(void)state;
	world_relink(world, HOST, "wlan0", "192.0.2.50");
	world_connect(world, HOST, PEER, "192.0.2.1");
	world_run(world, SECONDS(2));
	assert_true(is_at(where(world, PEER, HOST), "192.0.2.50"));
	world_relink(world, HOST, "wlan0", "10.1.0.2");
	world_board(world, HOST, ROUTER, "10.1.0.1");
	world_run(world, SECONDS(3));
	assert_true(is_at(where(world, PEER, HOST), "198.51.100.1"));
	assert_true(world_talk(world, HOST, PEER));
	assert_int_equal(world_router(world, HOST).confirmed, 1);
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, SECONDS(1));
	assert_true(world_talk(world, HOST, PEER));
	/* It gets off, and the ticket is over. */
	world_relink(world, HOST, "wlan0", "192.0.2.51");
	world_run(world, SECONDS(3));
	assert_true(is_at(where(world, PEER, HOST), "192.0.2.51"));
	assert_true(world_talk(world, HOST, PEER));
	assert_false(dealings(world, PEER, HOST)->held.valid);
	assert_int_equal(world_router(world, HOST).tickets, 0);
	world_free(world);
}

/* A peer that acknowledges, and knows nothing of tickets: the host itself tells it where it is. */
static void test_peer_without_tickets(void **state)
{
	struct world *world = start_with_association();

	(void)state;
	ticket_forget(&dealings(world, PEER, HOST)->held);
	own_ticket_acknowledged(
		world->hosts[HOST].host, association_find(world->hosts[HOST].host, &world->hosts[PEER].hit), false);
	assert_int_equal(world_router(world, HOST).confirmed, 0);
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, SECONDS(1));
	assert_true(is_at(where(world, PEER, HOST), "203.0.113.7"));
	assert_true(world_talk(world, HOST, PEER));
	world_free(world);
}

/* The peer has lost the ticket, and the host does not know: the router finds out. */
static void test_peer_lost_the_ticket(void **state)
{
	struct world *world = start_with_association();

	(void)state;
	ticket_forget(&dealings(world, PEER, HOST)->held);
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, SECONDS(6));
	assert_true(is_at(where(world, PEER, HOST), "203.0.113.7"));
	assert_true(dealings(world, PEER, HOST)->held.valid);
	world_relink(world, ROUTER, "uplink", "203.0.113.8");
	world_run(world, SECONDS(1));
	assert_true(is_at(where(world, PEER, HOST), "203.0.113.8"));
	world_free(world);
}

static void test_two_uplinks(void **state)
{
	struct world *world = start_with_association();

	(void)state;
	world_link(world, ROUTER, "second", "203.0.113.9");
	host_set_links(
		world->hosts[ROUTER].host, world->now, world->hosts[ROUTER].links, world->hosts[ROUTER].link_count);
	world_run(world, SECONDS(2));
	assert_int_equal(world_router(world, HOST).locator_count, 2);
	assert_true(world_talk(world, HOST, PEER));
	/* The first one goes: the second was checked before. */
	world_relink(world, ROUTER, "uplink", NULL);
	world_run(world, WORLD_OUTSIDE + MILLISECONDS(1));
	assert_true(is_at(where(world, PEER, HOST), "203.0.113.9"));
	assert_false(world_outbound(&world->hosts[PEER], &world->hosts[HOST].hit)->sa.route.unverified);
	assert_true(world_talk(world, HOST, PEER));
	world_free(world);
}

/* ---- SPIs ---- */

static void test_new_keys(void **state)
{
	struct world *world = start_with_association();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
			host_rekey(world->hosts[HOST].host, world->now, &world->hosts[PEER].hit, i), HIPHOP_OK);
		world_drain(&world->hosts[HOST]);
		for (size_t step = 0; step < 40; step++) {
			world_run(world, MILLISECONDS(5));
			assert_true(world_talk(world, HOST, PEER));
		}
		world_run(world, SECONDS(5));
		assert_true(world_talk(world, HOST, PEER));
	}
	assert_int_equal(world_router(world, ROUTER).delegations, 1);
	world_free(world);
}

/* The next random SPI of the second host is one that the first one has: here the router is told so. */
static void test_colliding_spi(void **state)
{
	struct world *world = start_with_association();
	struct on_board *table = &world->hosts[ROUTER].host->router.service.on_board;
	struct association *association;
	struct world_sa *sa;
	struct delegated *first, *stolen;
	uint32_t wanted;

	(void)state;
	come_on_board(world, OTHER);
	world_connect(world, OTHER, PEER, "192.0.2.1");
	/* As soon as it has an SPI, the ticket of the first host has it too. */
	while (!(sa = world_outbound(&world->hosts[OTHER], &world->hosts[PEER].hit)))
		world_run(world, MILLISECONDS(1));
	first = on_board_ticket(table, ticket_of(world).what.grant.id);
	wanted = sa->sa.spi_in;
	stolen = map_get(&table->inward, &wanted);
	assert_null(stolen);
	assert_int_equal(map_put(&table->inward, &wanted, first), HIPHOP_OK);
	world_run(world, SECONDS(5));
	assert_true(world_counter(world, ROUTER, HOST_COUNT_DELEGATION_REFUSED) >= 1);
	association = association_find(world->hosts[OTHER].host, &world->hosts[PEER].hit);
	assert_int_not_equal(association->session->spi_in, wanted);
	assert_true(world_talk(world, OTHER, PEER));
	assert_true(world_talk(world, HOST, PEER));
	map_remove(&table->inward, &wanted);
	world_free(world);
}

/* ---- who may come, and how long ---- */

static void test_refused(void **state)
{
	struct world *world = start();

	(void)state;
	world->hosts[ROUTER].refuses = true;
	world_board(world, HOST, ROUTER, "10.1.0.1");
	world_run(world, SECONDS(5));
	assert_int_equal(world_router(world, HOST).state, HOST_ROUTER_REFUSED);
	assert_int_equal(world_router(world, HOST).failure, REGISTRATION_FAILED_CREDENTIALS_REQUIRED);
	assert_int_equal(world_counter(world, ROUTER, HOST_COUNT_BOARDING_REFUSED), 1);
	/* It is asked again after a while. */
	world->hosts[ROUTER].refuses = false;
	world_run(world, SECONDS(70));
	assert_int_equal(world_router(world, HOST).state, HOST_ROUTER_REGISTERED);
	world_free(world);
}

static void test_no_router(void **state)
{
	struct world *world = start();

	(void)state;
	world->hosts[ROUTER].host->configuration.mobile_router = false;
	world_board(world, HOST, ROUTER, "10.1.0.1");
	world_run(world, SECONDS(5));
	assert_int_equal(world_router(world, HOST).state, HOST_ROUTER_REFUSED);
	assert_int_equal(world_router(world, HOST).failure, REGISTRATION_FAILED_UNAVAILABLE);
	world_free(world);
}

/* From outside nobody boards. */
static void test_not_from_outside(void **state)
{
	struct world *world = start();

	(void)state;
	world_board(world, PEER, ROUTER, "198.51.100.1");
	world_run(world, SECONDS(5));
	assert_int_equal(world_router(world, PEER).state, HOST_ROUTER_REFUSED);
	assert_int_equal(world_router(world, ROUTER).boarders, 0);
	world_free(world);
}

static void test_long_journey(void **state)
{
	struct world *world = start_with_association();

	(void)state;
	association_find(world->hosts[HOST].host, &world->hosts[PEER].hit)->held = true;
	association_find(world->hosts[PEER].host, &world->hosts[HOST].hit)->held = true;
	association_find(world->hosts[ROUTER].host, &world->hosts[HOST].hit)->held = true;
	association_find(world->hosts[HOST].host, &world->hosts[ROUTER].hit)->held = true;
	for (unsigned hour = 0; hour < 5; hour++) {
		world_run(world, SECONDS(3600));
		assert_int_equal(world_router(world, HOST).state, HOST_ROUTER_REGISTERED);
		assert_int_equal(world_router(world, HOST).confirmed, 1);
		assert_true(world_talk(world, HOST, PEER));
	}
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, SECONDS(1));
	assert_true(is_at(where(world, PEER, HOST), "203.0.113.7"));
	world_free(world);
}

static void test_router_restarts(void **state)
{
	struct world *world = start_with_association();

	(void)state;
	world_crash(world, ROUTER);
	world_run(world, SECONDS(2));
	world_boot(world, ROUTER);
	/* Somebody wants to talk all the time. */
	for (unsigned i = 0; i < 60; i++) {
		world_run(world, SECONDS(1));
		if (!world_talk(world, HOST, PEER))
			(void)host_connect(world->hosts[HOST].host, world->now, &world->hosts[PEER].hit);
		world_drain(&world->hosts[HOST]);
	}
	assert_int_equal(world_router(world, HOST).state, HOST_ROUTER_REGISTERED);
	assert_true(world_talk(world, HOST, PEER));
	world_free(world);
}

/* ---- several on board ---- */

static void test_two_on_board_talk(void **state)
{
	struct world *world = start();
	unsigned hops;

	(void)state;
	come_on_board(world, HOST);
	come_on_board(world, OTHER);
	world_connect(world, HOST, OTHER, "198.51.100.1");
	world_run(world, SECONDS(2));
	assert_true(world_esp(world, HOST, OTHER, &hops) && hops == 1);
	assert_true(world_esp(world, OTHER, HOST, &hops) && hops == 1);
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, SECONDS(5));
	assert_true(world_talk(world, HOST, OTHER));
	world_free(world);
}

/* A second router on board of the first, and the host on board of that. */
static struct world *start_nested(void)
{
	struct world *world = start();

	world_serve(world, SECOND);
	world_link(world, SECOND, "uplink", "10.1.0.9");
	world_link(world, SECOND, "inside", "10.2.0.1");
	world_boot(world, SECOND);
	world_relink(world, HOST, "wlan0", "10.2.0.2");
	world_board(world, SECOND, ROUTER, "10.1.0.1");
	world_run(world, SECONDS(2));
	assert_int_equal(world_router(world, SECOND).state, HOST_ROUTER_REGISTERED);
	world_board(world, HOST, SECOND, "10.2.0.1");
	world_run(world, SECONDS(2));
	assert_int_equal(world_router(world, HOST).state, HOST_ROUTER_REGISTERED);
	world_connect(world, HOST, PEER, "192.0.2.1");
	world_run(world, SECONDS(3));
	return world;
}

static void test_nested(void **state)
{
	struct world *world = start_nested();
	unsigned hops;

	(void)state;
	assert_true(is_at(world_router(world, HOST).locators[0], "198.51.100.1"));
	assert_int_equal(world_router(world, ROUTER).boarders, 2);
	assert_int_equal(world_router(world, ROUTER).delegations, 1);
	assert_true(is_at(where(world, PEER, HOST), "198.51.100.1"));
	assert_true(world_esp(world, HOST, PEER, &hops) && hops == 2);
	assert_true(world_esp(world, PEER, HOST, &hops) && hops == 2);
	/* The outer one moves. */
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, 3 * WORLD_OUTSIDE + MILLISECONDS(1));
	assert_true(world_talk(world, HOST, PEER));
	world_run(world, SECONDS(3));
	assert_true(is_at(world_router(world, HOST).locators[0], "203.0.113.7"));
	world_free(world);
}

static void test_nested_leaves_the_outer(void **state)
{
	struct world *world = start_nested();

	(void)state;
	for (unsigned i = 1; i < 4; i++) {
		char text[32];

		snprintf(text, sizeof text, "203.0.113.%u", i);
		world_relink(world, ROUTER, "uplink", text);
		world_run(world, SECONDS(2));
	}
	/* The inner one has an uplink of its own now. */
	world_relink(world, SECOND, "uplink", "192.0.2.200");
	world_run(world, SECONDS(5));
	assert_true(is_at(where(world, PEER, HOST), "192.0.2.200"));
	assert_true(world_talk(world, HOST, PEER));
	world_free(world);
}

static void test_peer_closes(void **state)
{
	struct world *world = start_with_association();

	(void)state;
	host_close(world->hosts[PEER].host, world->now, &world->hosts[HOST].hit);
	world_run(world, SECONDS(2));
	assert_int_equal(world_router(world, ROUTER).delegations, 0);
	assert_int_equal(world_router(world, HOST).tickets, 0);
	world_free(world);
}

/* ---- who is no guest ---- */

/* Packets from outside with the address of a host on board are not of that host. */
static void test_forged_on_board_address(void **state)
{
	struct world *world = start_with_association();
	struct host *router = world->hosts[ROUTER].host;
	const struct world_sa *sa = world_outbound(&world->hosts[HOST], &world->hosts[PEER].hit);
	struct host_esp_hop hop = {.local = {.address = world_address("198.51.100.1"), .port = 10500},
		.remote = {.address = world_address("10.1.0.2"), .port = 10500},
		.spi = sa->sa.spi_out,
		.length = 100};

	(void)state;
	assert_false(host_forward_esp(router, world->now, &hop));
	hop.local.address = world_address("10.1.0.1");
	assert_true(host_forward_esp(router, world->now, &hop));
	world_free(world);
}

/* ESP with the SPI of a host on board, but from somewhere else than its peer. */
static void test_esp_of_a_stranger(void **state)
{
	struct world *world = start_with_association();
	const struct world_sa *sa = world_outbound(&world->hosts[PEER], &world->hosts[HOST].hit);
	struct host_esp_hop hop = {.local = {.address = world_address("198.51.100.1"), .port = 10500},
		.remote = {.address = world_address("192.0.2.66"), .port = 10500},
		.spi = sa->sa.spi_out,
		.length = 100};

	(void)state;
	assert_false(host_forward_esp(world->hosts[ROUTER].host, world->now, &hop));
	assert_int_equal(world_counter(world, ROUTER, HOST_COUNT_DROP_RELAYED_ESP), 1);
	world_free(world);
}

/* A flood of made-up packets for a host on board, from all over: it gets a few, and those of its peer all. */
static void test_flood_of_strangers(void **state)
{
	struct world *world = start_with_association();
	struct world_packet packet = {.source = {.port = 10500}, .destination = {.port = 10500}};
	uint64_t relayed = world_counter(world, ROUTER, HOST_COUNT_RELAYED_HIP);
	uint8_t octets[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;

	(void)state;
	packet.destination.address = world_address("198.51.100.1");
	packet_builder_start(&builder, octets, sizeof octets, HIP_PACKET_NOTIFY, 0, &world->hosts[OTHER].hit,
		&world->hosts[HOST].hit);
	assert_int_equal(packet_builder_finish(&builder, &packet.length), HIPHOP_OK);
	packet.octets = octets;
	for (unsigned i = 0; i < 1000; i++)
		put_in(world, ROUTER, &packet, "192.0.2.66");
	assert_int_equal(world_counter(world, ROUTER, HOST_COUNT_RELAYED_HIP) - relayed, ON_BOARD_STRANGE_BURST);
	assert_int_equal(world_counter(world, ROUTER, HOST_COUNT_DROP_RELAY_RATE), 1000 - ON_BOARD_STRANGE_BURST);
	assert_int_equal(host_rekey(world->hosts[PEER].host, world->now, &world->hosts[HOST].hit, false), HIPHOP_OK);
	world_run(world, MILLISECONDS(500));
	assert_true(world_talk(world, HOST, PEER));
	assert_int_equal(world_counter(world, PEER, HOST_COUNT_REKEY_DONE), 1);
	world_free(world);
}

/* The proof on a small scale: all in one and a half round trips. */
static void test_many_at_once(void **state)
{
	enum { MANY = 40 };
	struct world *world = world_make(FIRST_OF_MANY + MANY);
	char text[32];

	(void)state;
	world_serve(world, ROUTER);
	world_link(world, PEER, "eth0", "192.0.2.1");
	world_link(world, ROUTER, "uplink", "198.51.100.1");
	world_link(world, ROUTER, "inside", "10.1.0.1");
	world_boot(world, PEER);
	world_boot(world, ROUTER);
	for (size_t i = FIRST_OF_MANY; i < FIRST_OF_MANY + MANY; i++) {
		snprintf(text, sizeof text, "10.1.1.%zu", i);
		world_link(world, i, "wlan0", text);
		world_boot(world, i);
		world_board(world, i, ROUTER, "10.1.0.1");
		world_run(world, MILLISECONDS(100));
		world_connect(world, i, PEER, "192.0.2.1");
		world_run(world, MILLISECONDS(100));
	}
	world_run(world, SECONDS(2));
	assert_int_equal(world_router(world, ROUTER).delegations, MANY);
	world_relink(world, ROUTER, "uplink", "203.0.113.7");
	world_run(world, 3 * WORLD_OUTSIDE + MILLISECONDS(5));
	for (size_t i = FIRST_OF_MANY; i < FIRST_OF_MANY + MANY; i++) {
		assert_false(world_outbound(&world->hosts[PEER], &world->hosts[i].hit)->sa.route.unverified);
		assert_true(is_at(where(world, PEER, i), "203.0.113.7"));
		assert_true(world_talk(world, i, PEER));
	}
	world_free(world);
}

/* ---- a bad net ---- */

static bool lose_a_third(struct world *world, struct world_packet *packet)
{
	(void)packet;
	return random_below(&world->random, 3) != 0;
}

static void test_losses(void **state)
{
	struct world *world = start_with_association();
	bool talked = false;

	(void)state;
	world->fate = lose_a_third;
	for (unsigned i = 1; i < 20; i++) {
		char text[32];

		snprintf(text, sizeof text, "203.0.113.%u", i);
		world_relink(world, ROUTER, "uplink", text);
		talked = false;
		for (unsigned step = 0; step < 100 && !talked; step++) {
			world_run(world, MILLISECONDS(100));
			talked = world_talk(world, HOST, PEER);
		}
		assert_true(talked);
	}
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_board),
		cmocka_unit_test(test_peer_begins),
		cmocka_unit_test(test_router_moves),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_replayed),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_victim_as_locator),
		cmocka_unit_test(test_places_that_cannot_be),
		cmocka_unit_test(test_ticket_is_over),
		cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_on_and_off),
		cmocka_unit_test(test_peer_without_tickets),
		cmocka_unit_test(test_peer_lost_the_ticket),
		cmocka_unit_test(test_two_uplinks),
		cmocka_unit_test(test_new_keys),
		cmocka_unit_test(test_colliding_spi),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_router),
		cmocka_unit_test(test_not_from_outside),
		cmocka_unit_test(test_long_journey),
		cmocka_unit_test(test_router_restarts),
		cmocka_unit_test(test_two_on_board_talk),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_nested_leaves_the_outer),
		cmocka_unit_test(test_peer_closes),
		cmocka_unit_test(test_forged_on_board_address),
		cmocka_unit_test(test_esp_of_a_stranger),
		cmocka_unit_test(test_flood_of_strangers),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
