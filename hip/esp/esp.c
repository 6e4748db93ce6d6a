/* SPDX-License-Identifier: MIT */
#include "hip/esp/beet.h"
#include "hip/esp/esp.h"
#include "hip/esp/security_association.h"

#include "hip/base/bytes.h"

#include <stdlib.h>
#include <string.h>

struct esp {
	struct hit self;
	struct security_association_table table;
	uint64_t counters[ESP_COUNTER_COUNT];
};

hiphop_error esp_create(const struct hit *self, const struct random_source *random, struct esp **out)
{
	struct esp *esp = calloc(1, sizeof(*esp));

	if (!esp)
		return HIPHOP_NO_MEMORY;
	esp->self = *self;
	security_associations_start(&esp->table, random);
	*out = esp;
	return HIPHOP_OK;
}

void esp_free(struct esp *esp)
{
	if (!esp)
		return;
	security_associations_free(&esp->table);
	free(esp);
}

hiphop_error esp_install(struct esp *esp, const struct esp_pair *pair)
{
	return security_association_add(&esp->table, pair);
}

hiphop_error esp_set_route(struct esp *esp, uint32_t spi_in, const struct esp_route *route)
{
	struct security_association *pair = security_association_by_spi(&esp->table, spi_in);

	return pair ? route_set(&pair->peer->route, route) : HIPHOP_NOT_FOUND;
}

hiphop_error esp_watch(struct esp *esp, uint32_t spi_in)
{
	struct security_association *pair = security_association_by_spi(&esp->table, spi_in);

	if (!pair)
		return HIPHOP_NOT_FOUND;
	pair->peer->watched = true;
	return HIPHOP_OK;
}

hiphop_error esp_use(struct esp *esp, uint32_t spi_in)
{
	return security_association_use(&esp->table, spi_in);
}

hiphop_error esp_remove(struct esp *esp, uint32_t spi_in)
{
	return security_association_remove(&esp->table, spi_in);
}

bool esp_has_spi(const struct esp *esp, uint32_t spi)
{
	return security_association_by_spi(&esp->table, spi) != NULL;
}

bool esp_has_peer(const struct esp *esp, const struct hit *peer)
{
	return security_association_peer_find(&esp->table, peer) != NULL;
}

static void drop(struct esp *esp, struct packet *packet, esp_counter cause)
{
	packet->kind = PACKET_DROPPED;
	esp->counters[cause]++;
}

/* ---- sealing ---- */

/* Adds padding, pad length and next header (RFC 4303 section 2.4) behind the payload; returns the length in all. */
static size_t add_trailer(uint8_t *payload, size_t length, size_t block_length, uint8_t next_header)
{
	size_t padding = (block_length - (length + 2) % block_length) % block_length;

	for (size_t i = 0; i < padding; i++)
		payload[length + i] = (uint8_t)(i + 1);
	payload[length + padding] = (uint8_t)padding;
	payload[length + padding + 1] = next_header;
	return length + padding + 2;
}

/* Octets on the wire of a payload. */
static size_t sealed_length(const struct esp_suite *suite, size_t payload)
{
	size_t block = suite->block_length;

	return ESP_HEADER_LENGTH + suite->iv_length + (payload + 2 + block - 1) / block * block + suite->icv_length;
}

static bool fits(const struct packet *packet, const struct esp_suite *suite)
{
	return packet->offset >= ESP_HEADER_LENGTH + suite->iv_length &&
	       (size_t)packet->offset + packet->length + suite->block_length + 2 + suite->icv_length <=
		       sizeof(packet->octets);
}

/* Seals the packet's data, which is the ESP payload by now. */
static bool seal_payload(struct esp *esp, struct security_association *pair, struct packet *packet, uint8_t next_header)
{
	const struct esp_suite *suite = esp_cipher_suite(pair->seal);
	size_t head = ESP_HEADER_LENGTH + suite->iv_length;
	size_t payload;

	if (!fits(packet, suite)) {
		drop(esp, packet, ESP_COUNT_DROP_TOO_LARGE);
		return false;
	}
	payload = add_trailer(packet_data(packet), packet->length, suite->block_length, next_header);
	packet->offset = (uint16_t)(packet->offset - head);
	if (esp_cipher_seal(pair->seal, pair->spi_out, ++pair->sequence_out, packet_data(packet), payload)) {
		drop(esp, packet, ESP_COUNT_DROP_NO_SA);
		return false;
	}
	packet->length = (uint16_t)(head + payload + suite->icv_length);
	packet->kind = PACKET_ESP;
	pair->octets_out += payload;
	return true;
}

static void seal_traffic(struct esp *esp, instant now, struct security_association_peer *peer, struct packet *packet,
	uint8_t next_header)
{
	struct security_association *pair = peer->pairs[0];
	size_t inner = packet->length;

	if (!seal_payload(esp, pair, packet, next_header))
		return;
	route_sent(&peer->route, packet->length);
	peer->sent = now;
	peer->octets_out += inner;
	esp->counters[ESP_COUNT_SEALED]++;
	if (!peer->watched)
		return;
	peer->watched = false;
	lifetime_tell_again(&esp->table, pair, ESP_NOTICE_SENDS);
}

static bool may_seal(struct esp *esp, const struct security_association_peer *peer)
{
	struct security_association *pair = peer->pairs[0];

	return !lifetime_look_out(pair) || lifetime_may_seal(&esp->table, pair);
}

/* The packet waits until the peer has answered where it is said to be. */
static void hold_back(struct esp *esp, struct packet *packet, const struct hit *peer)
{
	packet->kind = PACKET_MISS;
	packet->peer = *peer;
	esp->counters[ESP_COUNT_BEYOND_CREDIT]++;
}

static void seal_for(struct esp *esp, instant now, struct security_association_peer *peer, struct packet *packet,
	const struct beet_header *header)
{
	size_t length = sealed_length(esp_cipher_suite(peer->pairs[0]->seal), header->payload_length);

	if (!route_choose(&peer->route, now, packet, packet_data(packet), length)) {
		hold_back(esp, packet, &header->destination);
		return;
	}
	packet->peer = header->destination;
	packet->offset = (uint16_t)(packet->offset + BEET_INNER_HEADER_LENGTH);
	packet->length = header->payload_length;
	seal_traffic(esp, now, peer, packet, header->next_header);
}

static void seal_inner(struct esp *esp, instant now, struct packet *packet)
{
	struct beet_header header;
	struct security_association_peer *peer;

	if (beet_read(packet_data(packet), packet->length, &header)) {
		drop(esp, packet, ESP_COUNT_DROP_MALFORMED);
	} else if (!hit_is_host(&header.destination) || hit_equal(&header.destination, &esp->self)) {
		drop(esp, packet, ESP_COUNT_DROP_NOT_FOR_HIT);
	} else if (!hit_equal(&header.source, &esp->self)) {
		drop(esp, packet, ESP_COUNT_DROP_NOT_OURS);
	} else if (header.next_header == BEET_PROTOCOL_HIP) {
		drop(esp, packet, ESP_COUNT_DROP_RESERVED);
	} else if (!(peer = security_association_peer_find(&esp->table, &header.destination)) || !may_seal(esp, peer)) {
		packet->kind = PACKET_MISS;
		packet->peer = header.destination;
		esp->counters[ESP_COUNT_MISS]++;
	} else {
		seal_for(esp, now, peer, packet, &header);
	}
}

static void seal_control(struct esp *esp, instant now, struct packet *packet)
{
	struct security_association_peer *peer = security_association_peer_find(&esp->table, &packet->peer);

	if (!peer || !may_seal(esp, peer))
		drop(esp, packet, ESP_COUNT_DROP_NO_SA);
	else if (!route_choose(&peer->route, now, packet, NULL,
			 sealed_length(esp_cipher_suite(peer->pairs[0]->seal), packet->length)))
		drop(esp, packet, ESP_COUNT_BEYOND_CREDIT);
	else
		seal_traffic(esp, now, peer, packet, BEET_PROTOCOL_HIP);
}

/* A probe goes where it says, and is no traffic. */
static void seal_probe(struct esp *esp, struct packet *packet)
{
	struct security_association_peer *peer = security_association_peer_find(&esp->table, &packet->peer);

	if (!peer || !may_seal(esp, peer))
		drop(esp, packet, ESP_COUNT_DROP_NO_SA);
	else if (seal_payload(esp, peer->pairs[0], packet, BEET_PROTOCOL_NONE))
		esp->counters[ESP_COUNT_PROBES_OUT]++;
}

void esp_seal_packet(struct esp *esp, instant now, struct packet *packet)
{
	if (packet->kind == PACKET_INNER)
		seal_inner(esp, now, packet);
	else if (packet->kind == PACKET_CONTROL)
		seal_control(esp, now, packet);
	else if (packet->kind == PACKET_PROBE)
		seal_probe(esp, packet);
}

void esp_seal(struct esp *esp, instant now, struct packet_vector *vector)
{
	for (size_t i = 0; i < vector->count; i++)
		esp_seal_packet(esp, now, &vector->packets[i]);
}

/* ---- opening ---- */

/* Takes padding, pad length and next header off. RFC 4303 section 2.4 wants the padding octets checked. */
static hiphop_error take_trailer(const uint8_t *payload, size_t *length, uint8_t *next_header)
{
	size_t padding;

	if (*length < 2)
		return HIPHOP_TRUNCATED;
	*next_header = payload[*length - 1];
	padding = payload[*length - 2];
	if (padding + 2 > *length)
		return HIPHOP_MALFORMED;
	*length -= padding + 2;
	for (size_t i = 0; i < padding; i++) {
		if (payload[*length + i] != i + 1)
			return HIPHOP_MALFORMED;
	}
	return HIPHOP_OK;
}

/* What a dummy packet (RFC 4303 section 2.6) may be: a probe. Any other has done its work by being heard. */
static void deliver_dummy(struct esp *esp, struct packet *packet)
{
	if (packet->length == ESP_PROBE_LENGTH) {
		packet->kind = PACKET_PROBE;
		esp->counters[ESP_COUNT_PROBES_IN]++;
	} else {
		packet->kind = PACKET_DROPPED;
	}
}

/* Turns an authenticated payload into an inner packet, a HIP packet or a probe. */
static void deliver(struct esp *esp, instant now, struct security_association *pair, struct packet *packet,
	const uint8_t *payload, size_t length)
{
	size_t outer = packet->length;
	uint8_t next_header;

	if (take_trailer(payload, &length, &next_header) || payload - packet->octets < BEET_INNER_HEADER_LENGTH) {
		drop(esp, packet, ESP_COUNT_DROP_MALFORMED);
		return;
	}
	route_heard(&esp->table, now, pair, packet, outer, next_header == BEET_PROTOCOL_NONE);
	packet->offset = (uint16_t)(payload - packet->octets);
	packet->length = (uint16_t)length;
	packet->peer = pair->peer->hit;
	if (next_header == BEET_PROTOCOL_NONE) {
		deliver_dummy(esp, packet);
		return;
	}
	pair->peer->heard = now;
	pair->peer->octets_in += length;
	esp->counters[ESP_COUNT_OPENED]++;
	if (next_header == BEET_PROTOCOL_HIP) {
		packet->kind = PACKET_CONTROL;
		return;
	}
	packet->offset = (uint16_t)(packet->offset - BEET_INNER_HEADER_LENGTH);
	packet->length = (uint16_t)(length + BEET_INNER_HEADER_LENGTH);
	beet_write(packet_data(packet), next_header, (uint16_t)length, &pair->peer->hit, &esp->self);
	packet->kind = PACKET_INNER;
}

static void open_esp(struct esp *esp, instant now, struct packet *packet)
{
	struct reader reader = reader_over(packet_data(packet), packet->length);
	uint32_t spi = reader_u32(&reader);
	uint32_t low = reader_u32(&reader);
	struct security_association *pair;
	uint64_t sequence;
	uint8_t *payload;
	size_t length;

	if (reader_status(&reader)) {
		drop(esp, packet, ESP_COUNT_DROP_MALFORMED);
		return;
	}
	pair = security_association_by_spi(&esp->table, spi);
	if (!pair) {
		esp->counters[ESP_COUNT_DROP_UNKNOWN_SPI]++;
		return;
	}
	sequence = replay_window_infer(&pair->window, low);
	if (!replay_window_is_fresh(&pair->window, sequence)) {
		drop(esp, packet, ESP_COUNT_DROP_REPLAYED);
		return;
	}
	if (esp_cipher_open(pair->open, sequence, packet_data(packet), packet->length, &payload, &length)) {
		drop(esp, packet, ESP_COUNT_DROP_ICV);
		return;
	}
	replay_window_accept(&pair->window, sequence);
	pair->packets_in++;
	pair->octets_in += length;
	if (lifetime_look_in(pair) && !lifetime_may_open(&esp->table, pair)) {
		drop(esp, packet, ESP_COUNT_DROP_EXPIRED);
		return;
	}
	deliver(esp, now, pair, packet, payload, length);
}

void esp_open_packet(struct esp *esp, instant now, struct packet *packet)
{
	if (packet->kind == PACKET_ESP)
		open_esp(esp, now, packet);
}

void esp_open(struct esp *esp, instant now, struct packet_vector *vector)
{
	for (size_t i = 0; i < vector->count; i++)
		esp_open_packet(esp, now, &vector->packets[i]);
}

/* ---- views ---- */

void esp_traffic(const struct esp *esp, const struct hit *hit, instant *sent, instant *heard)
{
	const struct security_association_peer *peer = security_association_peer_find(&esp->table, hit);

	*sent = peer ? peer->sent : 0;
	*heard = peer ? peer->heard : 0;
}

instant esp_heard_on_route(const struct esp *esp, const struct hit *hit)
{
	const struct security_association_peer *peer = security_association_peer_find(&esp->table, hit);

	return peer ? peer->route.heard : 0;
}

uint64_t esp_credit(const struct esp *esp, const struct hit *hit, instant now)
{
	struct security_association_peer *peer = security_association_peer_find(&esp->table, hit);

	return peer ? route_credit(&peer->route, now) : 0;
}

bool esp_spend_credit(struct esp *esp, const struct hit *hit, instant now, size_t octets)
{
	struct security_association_peer *peer = security_association_peer_find(&esp->table, hit);

	if (!peer || route_credit(&peer->route, now) < octets)
		return false;
	peer->route.credit -= octets;
	return true;
}

bool esp_copy_way(const struct esp *esp, const struct packet *packet, struct esp_way *way)
{
	const struct security_association_peer *peer;

	if (packet->kind != PACKET_ESP || !packet->copy)
		return false;
	peer = security_association_peer_find(&esp->table, &packet->peer);
	if (!peer || !peer->route.extras || !peer->route.extras->count)
		return false;
	*way = peer->route.extras->ways[0];
	return true;
}

bool esp_volume(const struct esp *esp, const struct hit *hit, uint64_t *octets_in, uint64_t *octets_out)
{
	const struct security_association_peer *peer = security_association_peer_find(&esp->table, hit);

	*octets_in = peer ? peer->octets_in : 0;
	*octets_out = peer ? peer->octets_out : 0;
	return peer != NULL;
}

bool esp_usage(const struct esp *esp, uint32_t spi_in, struct esp_usage *usage)
{
	const struct security_association *pair = security_association_by_spi(&esp->table, spi_in);

	*usage = (struct esp_usage){0};
	if (!pair)
		return false;
	usage->packets_in = pair->packets_in;
	usage->packets_out = pair->sequence_out;
	usage->octets_in = pair->octets_in;
	usage->octets_out = pair->octets_out;
	return true;
}

bool esp_next_notice(struct esp *esp, struct esp_notice *notice)
{
	return lifetime_next_notice(&esp->table, notice);
}

uint64_t esp_counter_value(const struct esp *esp, esp_counter counter)
{
	return (unsigned)counter < ESP_COUNTER_COUNT ? esp->counters[counter] : 0;
}

const char *esp_counter_name(esp_counter counter)
{
#define ESP_COUNTER_NAME(name, text) text,
	static const char *const names[] = {ESP_COUNTERS(ESP_COUNTER_NAME)};
#undef ESP_COUNTER_NAME

	return (unsigned)counter < ESP_COUNTER_COUNT ? names[counter] : "";
}
