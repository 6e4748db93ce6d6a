/* SPDX-License-Identifier: MIT */
#include "tests/sim/moves.h"

#include "daemon/node_internal.h"
#include "hip/core/path.h"
#include "hip/wire/framing.h"
#include "hip/wire/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Who says to have an address. */
struct owner_of_address {
	struct address address;
	size_t host;
	bool claimed;
};

/* ---- the judge ---- */

void moves_note_address(struct moves *moves, size_t host, const struct address *address, bool claimed)
{
	struct owner_of_address *owner = map_get(&moves->owners, address->octets);

	if (owner)
		return;
	owner = calloc(1, sizeof(*owner));
	assert_non_null(owner);
	*owner = (struct owner_of_address){*address, host, claimed};
	assert_int_equal(map_put(&moves->owners, address->octets, owner), HIPHOP_OK);
}

/* What a host has got from another, wherever that was then or said to be. */
static struct simulation_octets received_from(const struct moves *moves, size_t host, size_t peer)
{
	struct map_walk walk = map_walk_start(&moves->owners);
	struct simulation_octets sum = {0, 0};
	const struct owner_of_address *owner;

	while ((owner = map_walk_next(&walk, NULL))) {
		struct simulation_octets received;

		if (owner->host != peer)
			continue;
		received = simulation_traffic_with(&moves->simulation, host, &owner->address).received;
		sum.hip += received.hip;
		sum.esp += received.esp;
	}
	return sum;
}

/* The type of a HIP packet; 0 for others. */
static unsigned hip_type(const struct packet *packet)
{
	struct span contents = {packet_data((struct packet *)packet), packet->length};

	if (packet->kind == PACKET_DATAGRAM &&
		framing_classify(packet_data((struct packet *)packet), packet->length, &contents) != FRAMING_HIP)
		return 0;
	return contents.length > 2 ? contents.data[2] & 0x7f : 0;
}

static bool has_answered(const struct moves *moves, size_t host, const struct owner_of_address *owner)
{
	struct simulation_octets received = simulation_traffic_with(&moves->simulation, host, &owner->address).received;

	return !owner->claimed && received.hip + received.esp > 0;
}

static void condemn(struct moves *moves, size_t from, const struct owner_of_address *to, const char *what,
	uint64_t sent, uint64_t received)
{
	char address[ENDPOINT_TEXT_SIZE];

	if (moves->verdict[0])
		return;
	snprintf(moves->verdict, sizeof(moves->verdict),
		"%.3f s: host %zu has sent %llu octets of %s to addresses of host %zu without an answer, had %llu (%s)",
		(double)moves->simulation.now / 1e9, from, (unsigned long long)sent, what, to->host,
		(unsigned long long)received, address_format(&to->address, address));
}

/* UPDATEs that came through the overlay are inside the ESP of others. Those with a LOCATOR_SET are not longer. */
static uint64_t through_overlay(const struct moves *moves, size_t host)
{
	return 250 * moves_count(moves, host, HOST_COUNT_LOCATOR_SET_IN);
}

static void judge(
	struct moves *moves, size_t from, const struct owner_of_address *to, const struct packet *packet, bool esp)
{
	struct moves_unanswered *unanswered = &moves->unanswered[from][to->host];
	unsigned type = esp ? 0 : hip_type(packet);
	struct simulation_octets received;

	if (type == HIP_PACKET_I1 || type == HIP_PACKET_I2) {
		unanswered->exchange += packet->length;
		return;
	}
	*(esp ? &unanswered->sent.esp : &unanswered->sent.hip) += packet->length;
	received = received_from(moves, from, to->host);
	if (unanswered->sent.esp > received.esp)
		condemn(moves, from, to, "ESP", unanswered->sent.esp, received.esp);
	received.hip += through_overlay(moves, from);
	if (unanswered->sent.esp + unanswered->sent.hip > received.esp + received.hip)
		condemn(moves, from, to, "HIP and ESP", unanswered->sent.esp + unanswered->sent.hip,
			received.esp + received.hip);
}

static void observe(struct simulation *simulation, size_t from, const struct endpoint *source,
	const struct packet *packet, bool esp)
{
	struct moves *moves = simulation->observer_context;
	const struct owner_of_address *to = map_get(&moves->owners, packet->remote.address.octets);

	moves->octets[from] += packet->length;
	if (!esp && hip_type(packet)) {
		moves->hip_packets[from]++;
		moves->hip_octets[from] += packet->length;
	}
	if (!to && !moves->verdict[0]) {
		char address[ENDPOINT_TEXT_SIZE];

		snprintf(moves->verdict, sizeof(moves->verdict), "host %zu sends to %s, which nobody has ever had",
			from, address_format(&packet->remote.address, address));
	} else if (to && !has_answered(moves, from, to)) {
		judge(moves, from, to, packet, esp);
	}
	if (moves->also)
		moves->also(simulation, from, source, packet, esp);
}

/* ---- addresses and links ---- */

static struct address make_address(struct moves *moves, size_t host, bool ipv4, bool claimed)
{
	struct address address = {{0x20, 0x01, 0x0d, 0xb8, 0x01}};
	uint32_t number = ++moves->addresses;

	if (ipv4)
		address = simulation_address("198.18.0.0");
	address.octets[13] |= (uint8_t)(number >> 16);
	address.octets[14] = (uint8_t)(number >> 8);
	address.octets[15] = (uint8_t)number;
	moves_note_address(moves, host, &address, claimed);
	return address;
}

struct address moves_new_address(struct moves *moves, size_t host, bool ipv4)
{
	return make_address(moves, host, ipv4, false);
}

struct address moves_new_victim(struct moves *moves, size_t host, bool ipv4)
{
	return make_address(moves, host, ipv4, true);
}

size_t moves_add_link(struct moves *moves, size_t host, const char *name, struct simulation_link link)
{
	if (address_is_unspecified(&link.known.address))
		link.known.address = moves_new_address(moves, host, false);
	moves_note_address(moves, host, &link.known.address, link.claimed);
	link.known.interface = moves->next_interface++;
	snprintf(link.known.name, sizeof(link.known.name), "%s", name);
	return simulation_link_add(&moves->simulation, host, &link);
}

void moves_change(struct moves *moves, size_t host, size_t link, bool ipv4)
{
	struct address address = moves_new_address(moves, host, ipv4);

	simulation_link_change(&moves->simulation, host, link, &address);
}

size_t moves_claim(struct moves *moves, size_t host, struct address address, link_preference preference)
{
	struct simulation_link link = {
		.claimed = true, .known = {.address = address, .preference = (uint8_t)preference}};

	return moves_add_link(moves, host, "claim", link);
}

size_t moves_add_nat(struct moves *moves, size_t host, bool ipv4, nat_filter filter, duration idle)
{
	struct address address = moves_new_address(moves, host, ipv4);

	return simulation_nat_add(&moves->simulation, &address, filter, idle);
}

/* ---- beginning and end ---- */

static void name_first_link(struct moves *moves, size_t host)
{
	struct link_address *known = &moves->simulation.hosts[host].links[0].known;

	known->interface = moves->next_interface++;
	snprintf(known->name, sizeof(known->name), "wifi");
	moves_note_address(moves, host, &known->address, false);
}

static struct address second_address(size_t host)
{
	struct address address = simulation_address("192.0.2.0");

	address.octets[15] = (uint8_t)(host + 1);
	return address;
}

/* Both addresses of the root are known to all. */
static void add_bootstrap(struct simulation_host *host)
{
	struct configuration *configuration = &host->configuration;
	struct configured_bootstrap *both = realloc(configuration->bootstrap, 2 * sizeof(*both));

	assert_non_null(both);
	both[1] = both[0];
	both[1].endpoint.address = second_address(ROOT);
	configuration->bootstrap = both;
	configuration->bootstrap_count = 2;
}

static void make_host(struct moves *moves, size_t host)
{
	struct simulation_link second = {.known = {.address = second_address(host)}};

	name_first_link(moves, host);
	if (host == ROOT || host >= MOVES_TALKERS_END)
		moves_add_link(moves, host, "ether", second);
	if (host != ROOT)
		add_bootstrap(&moves->simulation.hosts[host]);
}

static void put_in_nat(struct moves *moves, size_t host)
{
	size_t nat = moves_add_nat(moves, host, false, NAT_FILTERS_ENDPOINTS, SECONDS(60));
	struct address inner = moves_new_address(moves, host, false);

	simulation_link_set_nat(&moves->simulation, host, 0, nat, &inner);
}

static void boot(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->host_count; i++) {
		simulation_boot(simulation, i);
		simulation_run(simulation, MILLISECONDS(100));
	}
	assert_true(simulation_run_until(simulation, SECONDS(60), simulation_all_joined));
}

void moves_start(struct moves *moves, const struct moves_setup *setup)
{
	struct simulation *simulation = &moves->simulation;
	size_t hosts = setup->hosts ? setup->hosts : 4;
	duration interval = setup->interval ? setup->interval : MOVES_INTERVAL;

	memset(moves, 0, sizeof(*moves));
	assert_true(hosts >= MOVES_TALKERS_END && hosts <= MOVES_HOSTS);
	simulation_start(simulation, setup->seed ? setup->seed : simulation_seed(), hosts);
	simulation->delay = setup->round_trip ? setup->round_trip / 2 : MILLISECONDS(10);
	map_start(&moves->owners, sizeof(struct address), &simulation->hash_random);
	moves->next_interface = 1;
	for (size_t i = 0; i < hosts; i++) {
		make_host(moves, i);
		simulation->hosts[i].configuration.path_mode = (uint8_t)setup->mode;
	}
	if (setup->alice_in_nat)
		put_in_nat(moves, ALICE);
	boot(simulation);
	assert_int_equal(simulation_stream_start(simulation, ALICE, BOB, interval), TO_BOB);
	assert_int_equal(simulation_stream_start(simulation, BOB, ALICE, interval), TO_ALICE);
	/* The judge begins where there is an association to move. */
	simulation_run(simulation, SECONDS(5) + interval / 2);
	assert_true(simulation_is_associated(simulation, ALICE, BOB));
	simulation->observer = observe;
	simulation->observer_context = moves;
	moves_measure(moves);
}

void moves_free(struct moves *moves)
{
	struct map_walk walk = map_walk_start(&moves->owners);
	void *owner;

	while ((owner = map_walk_next(&walk, NULL)))
		free(owner);
	map_free(&moves->owners);
	simulation_free(&moves->simulation);
}

void moves_end(struct moves *moves)
{
	const char *beyond = moves_beyond_bounds(moves);
	char verdict[sizeof(moves->verdict)];

	memcpy(verdict, moves->verdict, sizeof(verdict));
	moves_free(moves);
	if (verdict[0])
		fail_msg("%s", verdict);
	if (beyond)
		fail_msg("%s", beyond);
}

/* ---- looking ---- */

void moves_measure(struct moves *moves)
{
	simulation_stream_measure(&moves->simulation, TO_BOB);
	simulation_stream_measure(&moves->simulation, TO_ALICE);
}

static bool brings(const struct moves *moves, size_t stream, uint64_t percent)
{
	const struct simulation_stream *measured = &moves->simulation.streams[stream];

	return measured->sent && measured->received * 100 >= measured->sent * percent;
}

bool moves_flows(struct moves *moves, duration length, uint64_t percent)
{
	moves_measure(moves);
	simulation_run(&moves->simulation, length);
	return brings(moves, TO_BOB, percent) && brings(moves, TO_ALICE, percent);
}

bool moves_converge(struct moves *moves, duration limit, duration *took)
{
	instant began = moves->simulation.now, before = began;

	while (before <= began + limit) {
		if (moves_flows(moves, MILLISECONDS(500), 40)) {
			if (took)
				*took = before - began;
			return true;
		}
		before = moves->simulation.now;
	}
	return false;
}

static const struct host *host_of(const struct moves *moves, size_t host)
{
	const struct node *node = moves->simulation.hosts[host].node;

	return node ? node->locals[0].host : NULL;
}

bool moves_association(struct moves *moves, size_t host, size_t peer, struct host_association_view *view)
{
	return host_association_find(
		host_of(moves, host), host_identity_hit(moves->simulation.hosts[peer].identity), view);
}

bool moves_current(struct moves *moves, size_t host, size_t peer, struct host_path_view *view)
{
	const struct hit *hit = host_identity_hit(moves->simulation.hosts[peer].identity);

	for (size_t i = 0; host_path_at(host_of(moves, host), hit, i, view); i++) {
		if (view->current)
			return true;
	}
	return false;
}

uint32_t moves_handovers(struct moves *moves)
{
	struct host_association_view a, b;

	if (!moves_association(moves, ALICE, BOB, &a) || !moves_association(moves, BOB, ALICE, &b))
		return 0;
	return a.handover.count + b.handover.count;
}

uint64_t moves_count(const struct moves *moves, size_t host, host_counter counter)
{
	return host_counter_value(host_of(moves, host), counter);
}

/* ---- bounds ---- */

static const char *association_beyond_bounds(const struct host *host, const struct host_association_view *view)
{
	struct host_path_view path;
	size_t paths = 0;

	while (host_path_at(host, &view->peer, paths, &path))
		paths++;
	if (paths > PATHS_MAXIMUM)
		return "too many paths";
	return view->locator_count > HOST_LOCATORS_MAXIMUM ? "too many locators" : NULL;
}

const char *moves_beyond_bounds(struct moves *moves)
{
	for (size_t i = 0; i < moves->simulation.host_count; i++) {
		const struct host *host = host_of(moves, i);
		struct host_association_view view;

		if (!host)
			continue;
		if (host_association_count(host) > moves->simulation.host_count - 1)
			return "too many associations";
		for (size_t j = 0; host_association_at(host, j, &view); j++) {
			const char *beyond = association_beyond_bounds(host, &view);

			if (beyond)
				return beyond;
		}
	}
	return NULL;
}
