/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation_internal.h"

#include "hip/wire/framing.h"

#include <stdlib.h>
#include <string.h>

/* `from` of a packet that a test has put on the way itself. */
#define NO_HOST 0xffff

/* A datagram on its way. */
struct in_flight {
	instant at;
	uint64_t order;
	struct endpoint source, destination; /* outside of the NATs, if it goes through any */
	size_t realm;                        /* of these addresses */
	size_t from;
	uint16_t kind;
	size_t length;
	uint8_t octets[];
};

/* Where one arrives. */
struct arrival {
	size_t host;
	struct simulation_link *link;
	struct endpoint local; /* as the receiver sees it */
};

/* ---- packets under way, a heap ---- */

static bool earlier(const struct in_flight *a, const struct in_flight *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_push(struct simulation *simulation, struct in_flight *datagram)
{
	size_t slot = simulation->in_flight_count++;

	if (slot == simulation->in_flight_capacity) {
		simulation->in_flight_capacity = slot ? 2 * slot : 256;
		simulation->heap =
			realloc(simulation->heap, simulation->in_flight_capacity * sizeof(*simulation->heap));
		assert_non_null(simulation->heap);
	}
	while (slot && earlier(datagram, simulation->heap[(slot - 1) / 2])) {
		simulation->heap[slot] = simulation->heap[(slot - 1) / 2];
		slot = (slot - 1) / 2;
	}
	simulation->heap[slot] = datagram;
}

static struct in_flight *heap_pop(struct simulation *simulation)
{
	struct in_flight *first = simulation->heap[0];
	struct in_flight *last = simulation->heap[--simulation->in_flight_count];
	size_t slot = 0;

	for (;;) {
		size_t child = 2 * slot + 1;

		if (child >= simulation->in_flight_count)
			break;
		if (child + 1 < simulation->in_flight_count &&
			earlier(simulation->heap[child + 1], simulation->heap[child]))
			child++;
		if (!earlier(simulation->heap[child], last))
			break;
		simulation->heap[slot] = simulation->heap[child];
		slot = child;
	}
	simulation->heap[slot] = last;
	return first;
}

instant simulation_next_arrival(const struct simulation *simulation)
{
	return simulation->in_flight_count ? simulation->heap[0]->at : INSTANT_NEVER;
}

/* ---- beginning and end ---- */

void simulation_network_start(struct simulation *simulation)
{
	simulation->hash_random = seeded_random_start(&simulation->hash_generator, simulation->seed);
	map_start(&simulation->owners, 1 + sizeof(struct address), &simulation->hash_random);
	map_start(&simulation->nobody, sizeof(struct address), &simulation->hash_random);
	for (size_t i = 0; i < simulation->host_count; i++)
		map_start(&simulation->hosts[i].traffic, sizeof(struct address), &simulation->hash_random);
}

static void free_traffic(struct map *map)
{
	struct map_walk walk = map_walk_start(map);
	struct simulation_traffic *traffic;

	while ((traffic = map_walk_next(&walk, NULL)))
		free(traffic);
	map_free(map);
}

void simulation_network_free(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->in_flight_count; i++)
		free(simulation->heap[i]);
	free(simulation->heap);
	for (size_t i = 0; i < simulation->host_count; i++)
		free_traffic(&simulation->hosts[i].traffic);
	free_traffic(&simulation->nobody);
	map_free(&simulation->owners);
}

/* ---- counting ---- */

static struct simulation_traffic *traffic_with(struct map *map, const struct address *address)
{
	struct simulation_traffic *traffic = map_get(map, address->octets);

	if (!traffic) {
		traffic = calloc(1, sizeof(*traffic));
		assert_non_null(traffic);
		traffic->address = *address;
		assert_int_equal(map_put(map, address->octets, traffic), HIPHOP_OK);
	}
	return traffic;
}

static bool is_esp(packet_kind kind, const uint8_t *octets, size_t length)
{
	return kind == PACKET_ESP || (kind == PACKET_DATAGRAM && framing_classify(octets, length, NULL) == FRAMING_ESP);
}

static void count(struct simulation_octets *octets, bool esp, size_t length)
{
	*(esp ? &octets->esp : &octets->hip) += length;
}

struct simulation_traffic simulation_traffic_with(
	const struct simulation *simulation, size_t host, const struct address *address)
{
	const struct simulation_traffic *traffic = map_get(&simulation->hosts[host].traffic, address->octets);

	return traffic ? *traffic : (struct simulation_traffic){.address = *address};
}

struct simulation_octets simulation_sent_to_nobody(const struct simulation *simulation, const struct address *address)
{
	const struct simulation_traffic *traffic = map_get(&simulation->nobody, address->octets);

	return traffic ? traffic->sent : (struct simulation_octets){0};
}

/* ---- the way of a packet ---- */

static struct simulation_link *arrive_at_link(
	struct simulation *simulation, const struct owner *owner, struct arrival *arrival)
{
	arrival->host = owner->host;
	arrival->link = &simulation->hosts[owner->host].links[owner->link];
	return arrival->link;
}

/* Where a packet arrives now. `*nobody` says whether it is lost because nobody has the address. */
static bool find_arrival(
	struct simulation *simulation, const struct in_flight *datagram, struct arrival *arrival, bool *nobody)
{
	struct simulation_nat *nat;
	struct owner owner, inner;

	arrival->local = datagram->destination;
	*nobody = !simulation_owner(simulation, datagram->realm, &datagram->destination.address, &owner);
	if (*nobody)
		return false;
	if (owner.nat == 0)
		return arrive_at_link(simulation, &owner, arrival);
	nat = &simulation->nats[owner.nat - 1];
	if (!simulation_nat_in(nat, simulation->now, &datagram->source, datagram->destination.port, &arrival->local) ||
		!simulation_owner(simulation, owner.nat, &arrival->local.address, &inner)) {
		nat->refused++;
		return false;
	}
	return arrive_at_link(simulation, &inner, arrival);
}

/* The packet leaves its link: gets the source that others see. False when it cannot. */
static bool leave_by(struct simulation *simulation, const struct simulation_host *from,
	const struct simulation_link *link, struct in_flight *datagram)
{
	struct endpoint inner = datagram->destination;
	struct owner owner;

	inner.address = link->known.address;
	inner.port = datagram->destination.transport == TRANSPORT_UDP ? from->configuration.port : 0;
	datagram->source = inner;
	/* What is claimed goes out with a forged source, past the NAT. */
	datagram->realm = link->claimed ? WORLD : link->nat;
	if (datagram->realm == WORLD ||
		simulation_owner(simulation, datagram->realm, &datagram->destination.address, &owner))
		return true;
	datagram->realm = WORLD;
	return simulation_nat_out(
		&simulation->nats[link->nat - 1], simulation->now, &inner, &datagram->destination, &datagram->source);
}

static bool draw(struct simulation *simulation, uint32_t per_mille)
{
	return per_mille != 0 && random_below(&simulation->random, 1000) < per_mille;
}

static duration draw_up_to(struct simulation *simulation, duration most)
{
	return most ? random_u64(&simulation->random) % most : 0;
}

/* Whether the way to where it arrives loses it; counts what goes to nobody. */
static bool is_lost(struct simulation *simulation, const struct simulation_host *from, struct in_flight *datagram,
	struct arrival *arrival)
{
	const struct simulation_host *to;
	bool nobody;

	if (!find_arrival(simulation, datagram, arrival, &nobody)) {
		if (nobody)
			count(&traffic_with(&simulation->nobody, &datagram->destination.address)->sent,
				is_esp((packet_kind)datagram->kind, datagram->octets, datagram->length),
				datagram->length);
		return true;
	}
	to = &simulation->hosts[arrival->host];
	if (to->cut_off || (from && (from->cut_off || from->partition != to->partition)))
		return true;
	return draw(simulation, arrival->link->loss_per_mille);
}

static void set_off(struct simulation *simulation, struct in_flight *datagram, const struct simulation_link *by,
	const struct simulation_link *to)
{
	datagram->at = simulation->now + simulation->delay + draw_up_to(simulation, simulation->jitter) +
		       (by ? by->delay + draw_up_to(simulation, by->jitter) : 0) + to->delay +
		       draw_up_to(simulation, to->jitter);
	datagram->order = simulation->next_order++;
	heap_push(simulation, datagram);
}

static struct in_flight *datagram_of(packet_kind kind, const uint8_t *octets, size_t length)
{
	struct in_flight *datagram = malloc(sizeof(*datagram) + length);

	assert_non_null(datagram);
	memset(datagram, 0, sizeof(*datagram));
	datagram->kind = (uint16_t)kind;
	datagram->length = length;
	memcpy(datagram->octets, octets, length);
	return datagram;
}

static void note_sent(struct simulation *simulation, struct simulation_host *from, struct packet *packet,
	const struct endpoint *source)
{
	bool esp = is_esp((packet_kind)packet->kind, packet_data(packet), packet->length);

	count(&traffic_with(&from->traffic, &packet->remote.address)->sent, esp, packet->length);
	if (simulation->observer)
		simulation->observer(simulation, from->index, source, packet, esp);
}

/* True when the packet is on its way, which it then owns. */
static bool send_by(struct simulation *simulation, struct simulation_host *from, const struct simulation_link *link,
	struct packet *packet, struct in_flight *datagram)
{
	struct arrival arrival;
	bool left;

	datagram->destination = packet->remote;
	datagram->from = from->index;
	left = leave_by(simulation, from, link, datagram);
	note_sent(simulation, from, packet, &datagram->source);
	if (!left || link->silent_out || draw(simulation, link->loss_per_mille) ||
		is_lost(simulation, from, datagram, &arrival))
		return false;
	set_off(simulation, datagram, link, arrival.link);
	return true;
}

void simulation_send(struct simulation *simulation, struct simulation_host *from, struct packet *packet)
{
	const struct simulation_link *link = simulation_link_for(from, &packet->local.address, &packet->remote.address);
	struct in_flight *datagram = datagram_of((packet_kind)packet->kind, packet_data(packet), packet->length);
	/* Drawn for each packet, whatever becomes of it, so that a run does not depend on it. */
	bool lost = random_below(&simulation->random, 1000) < simulation->loss_per_mille;

	from->sent++;
	if (!link || lost || !send_by(simulation, from, link, packet, datagram)) {
		simulation->lost++;
		free(datagram);
	}
}

void simulation_inject(struct simulation *simulation, const struct endpoint *source, const struct endpoint *destination,
	packet_kind kind, const uint8_t *octets, size_t length)
{
	struct in_flight *datagram = datagram_of(kind, octets, length);
	struct arrival arrival;

	datagram->source = *source;
	datagram->destination = *destination;
	datagram->from = NO_HOST;
	if (is_lost(simulation, NULL, datagram, &arrival)) {
		simulation->lost++;
		free(datagram);
		return;
	}
	set_off(simulation, datagram, NULL, arrival.link);
}

/* ---- arriving ---- */

static void mix(struct simulation *simulation, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		simulation->trace = (simulation->trace ^ (value >> (8 * i) & 0xff)) * UINT64_C(0x100000001b3);
}

static void hand_in(struct simulation *simulation, struct simulation_host *host, const struct endpoint *local,
	const struct in_flight *datagram)
{
	struct packet *packet;

	simulation->delivered++;
	host->received++;
	count(&traffic_with(&host->traffic, &datagram->source.address)->received,
		is_esp((packet_kind)datagram->kind, datagram->octets, datagram->length), datagram->length);
	simulation->vector->count = 0;
	packet = packet_vector_add(simulation->vector);
	assert_int_equal(
		packet_fill(packet, (packet_kind)datagram->kind, datagram->octets, datagram->length), HIPHOP_OK);
	packet->local = *local;
	packet->remote = datagram->source;
	CALL(node_input_underlay(host->node, simulation->now, simulation->vector));
	simulation_drain(simulation, host);
}

void simulation_arrive(struct simulation *simulation)
{
	struct in_flight *datagram = heap_pop(simulation);
	struct simulation_host *host;
	struct arrival arrival;
	bool nobody;

	simulation->now = datagram->at;
	/* The one it was for may have gone meanwhile. */
	if (find_arrival(simulation, datagram, &arrival, &nobody) && !arrival.link->silent_in) {
		host = &simulation->hosts[arrival.host];
		mix(simulation, datagram->at);
		mix(simulation, datagram->from);
		mix(simulation, arrival.host);
		mix(simulation, datagram->length);
		if (host->node && !host->suspended)
			hand_in(simulation, host, &arrival.local, datagram);
	} else {
		simulation->lost++;
	}
	free(datagram);
}
