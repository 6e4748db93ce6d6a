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

hiphop_error esp_move(struct esp *esp, uint32_t spi_in, const struct endpoint *local, const struct endpoint *remote)
{
	struct security_association *pair = security_association_by_spi(&esp->table, spi_in);

	if (!pair)
		return HIPHOP_NOT_FOUND;
	pair->local = *local;
	pair->remote = *remote;
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

/* Seals the packet's data, which is the ESP payload by now. */
static void seal_payload(struct esp *esp, instant now, struct security_association_peer *peer, struct packet *packet,
	uint8_t next_header)
{
	struct security_association *pair = peer->pairs[0];
	const struct esp_suite *suite = esp_cipher_suite(pair->seal);
	size_t head = ESP_HEADER_LENGTH + suite->iv_length;
	size_t inner = packet->length;
	size_t payload;

	if (packet->offset < head ||
		(size_t)packet->offset + packet->length + suite->block_length + 2 + suite->icv_length >
			sizeof(packet->octets)) {
		drop(esp, packet, ESP_COUNT_DROP_TOO_LARGE);
		return;
	}
	payload = add_trailer(packet_data(packet), packet->length, suite->block_length, next_header);
	packet->offset = (uint16_t)(packet->offset - head);
	if (esp_cipher_seal(pair->seal, pair->spi_out, ++pair->sequence_out, packet_data(packet), payload)) {
		drop(esp, packet, ESP_COUNT_DROP_NO_SA);
		return;
	}
	packet->length = (uint16_t)(head + payload + suite->icv_length);
	packet->kind = PACKET_ESP;
	packet->local = pair->local;
	packet->remote = pair->remote;
	peer->sent = now;
	peer->octets_out += inner;
	pair->octets_out += payload;
	esp->counters[ESP_COUNT_SEALED]++;
}

static bool may_seal(struct esp *esp, const struct security_association_peer *peer)
{
	struct security_association *pair = peer->pairs[0];

	return !lifetime_look_out(pair) || lifetime_may_seal(&esp->table, pair);
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
		packet->peer = header.destination;
		packet->offset = (uint16_t)(packet->offset + BEET_INNER_HEADER_LENGTH);
		packet->length = header.payload_length;
		seal_payload(esp, now, peer, packet, header.next_header);
	}
}

static void seal_control(struct esp *esp, instant now, struct packet *packet)
{
	struct security_association_peer *peer = security_association_peer_find(&esp->table, &packet->peer);

	if (peer && may_seal(esp, peer))
		seal_payload(esp, now, peer, packet, BEET_PROTOCOL_HIP);
	else
		drop(esp, packet, ESP_COUNT_DROP_NO_SA);
}

void esp_seal_packet(struct esp *esp, instant now, struct packet *packet)
{
	if (packet->kind == PACKET_INNER)
		seal_inner(esp, now, packet);
	else if (packet->kind == PACKET_CONTROL)
		seal_control(esp, now, packet);
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

/* Turns an authenticated payload into an inner packet or a HIP packet. */
static void deliver(struct esp *esp, struct security_association *pair, struct packet *packet, const uint8_t *payload,
	size_t length)
{
	uint8_t next_header;

	if (take_trailer(payload, &length, &next_header) || payload - packet->octets < BEET_INNER_HEADER_LENGTH) {
		drop(esp, packet, ESP_COUNT_DROP_MALFORMED);
		return;
	}
	packet->offset = (uint16_t)(payload - packet->octets);
	packet->length = (uint16_t)length;
	packet->peer = pair->peer->hit;
	pair->peer->octets_in += length;
	esp->counters[ESP_COUNT_OPENED]++;
	if (next_header == BEET_PROTOCOL_HIP) {
		packet->kind = PACKET_CONTROL;
		return;
	}
	if (next_header == BEET_PROTOCOL_NONE) {
		/* A dummy packet (RFC 4303 section 2.6): it has done its work by being heard. */
		packet->kind = PACKET_DROPPED;
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
	pair->peer->heard = now;
	deliver(esp, pair, packet, payload, length);
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
