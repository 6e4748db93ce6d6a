/* SPDX-License-Identifier: MIT */
/**
 * A HIP packet taken apart into its parameters, changed as the fuzzer says, put together again, and protected with the
 * true keys of its sender.
 */
#ifndef HIPHOP_TESTS_FUZZ_PACKET_FORGE_H
#define HIPHOP_TESTS_FUZZ_PACKET_FORGE_H

#include "tests/fuzz/hip_types.h"
#include "tests/fuzz/hostile_world.h"

#define FORGE_PARAMETERS 40
#define FORGE_CONTENTS   1100

struct forged_parameter {
	uint16_t type, length;
	uint8_t contents[FORGE_CONTENTS];
};

struct forge {
	uint8_t header[HIP_HEADER_LENGTH];
	size_t count;
	struct forged_parameter parameters[FORGE_PARAMETERS];
	size_t payload_length;
	uint8_t payload[HOST_DATA_MAXIMUM];
	bool unsorted, without_mac, without_signature, bad_checksum;
};

/* ---- apart ---- */

static inline struct forged_parameter *forge_add(
	struct forge *forge, uint16_t type, const void *contents, size_t length)
{
	struct forged_parameter *made = &forge->parameters[forge->count];

	if (forge->count == FORGE_PARAMETERS || length > FORGE_CONTENTS)
		return NULL;
	forge->count++;
	memset(made, 0, sizeof *made);
	made->type = type;
	made->length = (uint16_t)length;
	if (contents && length)
		memcpy(made->contents, contents, length);
	return made;
}

static inline bool forge_open(struct forge *forge, const uint8_t *octets, size_t length)
{
	struct packet_view view;

	memset(forge, 0, offsetof(struct forge, parameters));
	forge->unsorted = forge->without_mac = forge->without_signature = forge->bad_checksum = false;
	forge->payload_length = 0;
	if (packet_parse(octets, length, &view))
		return false;
	memcpy(forge->header, octets, HIP_HEADER_LENGTH);
	for (size_t i = 0; i < view.parameters.count; i++)
		forge_add(forge, view.parameters.items[i].type, view.parameters.items[i].contents.data,
			view.parameters.items[i].contents.length);
	if (view.payload.length <= sizeof forge->payload) {
		forge->payload_length = view.payload.length;
		if (view.payload.length)
			memcpy(forge->payload, view.payload.data, view.payload.length);
	}
	return true;
}

static inline struct forged_parameter *forge_find(struct forge *forge, uint16_t type)
{
	for (size_t i = 0; i < forge->count; i++) {
		if (forge->parameters[i].type == type)
			return &forge->parameters[i];
	}
	return NULL;
}

static inline void forge_remove(struct forge *forge, size_t index)
{
	forge->count--;
	memmove(&forge->parameters[index], &forge->parameters[index + 1],
		(forge->count - index) * sizeof forge->parameters[0]);
}

/* ---- together ---- */

static inline void forge_sort(struct forge *forge)
{
	for (size_t i = 1; i < forge->count; i++) {
		struct forged_parameter moved = forge->parameters[i];
		size_t place = i;

		for (; place && forge->parameters[place - 1].type > moved.type; place--)
			forge->parameters[place] = forge->parameters[place - 1];
		forge->parameters[place] = moved;
	}
}

/* Writes the parameters from `first` on; returns the octets. Stops where the packet is full. */
static inline size_t forge_write_parameters(const struct forge *forge, size_t first, uint8_t *out, size_t capacity)
{
	size_t position = 0;

	for (size_t i = first; i < forge->count; i++) {
		const struct forged_parameter *parameter = &forge->parameters[i];
		size_t total = 11u + parameter->length - (parameter->length + 3u) % 8u;

		if (total > capacity - position)
			break;
		memset(out + position, 0, total);
		out[position] = (uint8_t)(parameter->type >> 8);
		out[position + 1] = (uint8_t)parameter->type;
		out[position + 2] = (uint8_t)(parameter->length >> 8);
		out[position + 3] = (uint8_t)parameter->length;
		memcpy(out + position + 4, parameter->contents, parameter->length);
		position += total;
	}
	return position;
}

static inline void forge_close(struct forge *forge, struct parcel *parcel)
{
	size_t length;

	if (!forge->unsorted)
		forge_sort(forge);
	memcpy(parcel->octets, forge->header, HIP_HEADER_LENGTH);
	length = HIP_HEADER_LENGTH +
		 forge_write_parameters(forge, 0, parcel->octets + HIP_HEADER_LENGTH, HIP_PARAMETERS_MAXIMUM);
	parcel->octets[1] = (uint8_t)(length / 8 - 1);
	if (forge->payload_length > sizeof parcel->octets - length)
		forge->payload_length = sizeof parcel->octets - length;
	memcpy(parcel->octets + length, forge->payload, forge->payload_length);
	parcel->length = length + forge->payload_length;
}

/* ---- protection ---- */

/* The keys that the sender of this packet has for it, or NULL. */
static inline const struct exchange_keys *forge_keys(struct world *world, const struct parcel *parcel)
{
	struct world_host *self = &world->hosts[parcel->from];
	const struct association *association;
	struct hit receiver;

	memcpy(receiver.octets, parcel->octets + 24, HIT_LENGTH);
	association = association_find(self->host, &receiver);
	if (!association)
		return NULL;
	if ((parcel->octets[2] & 0x7f) == HIP_PACKET_I2 && association->initiation &&
		association->initiation->acceptance)
		return &association->initiation->acceptance->keys;
	return association->session ? &association->session->keys : NULL;
}

static inline uint8_t *forge_place(uint8_t *octets, const struct parameter_view *view, size_t skip, size_t length)
{
	if (!view || view->contents.length != skip + length)
		return NULL;
	return octets + (view->contents.data - octets) + skip;
}

static inline void forge_mac(struct world *world, struct parcel *parcel)
{
	const struct exchange_keys *keys = forge_keys(world, parcel);
	struct packet_view view;
	struct coverage coverage;
	uint8_t host_id[700], *place;
	struct packet_builder builder;
	size_t length, host_id_length;

	if (!keys || packet_parse(parcel->octets, parcel->length, &view))
		return;
	length = hash_length(keys->rhash);
	place = forge_place(parcel->octets, packet_find(&view, PARAMETER_HIP_MAC), 0, length);
	if (place && !coverage_of_mac(&view, &coverage))
		hmac_spans(keys->rhash, (struct span){keys->outgoing.integrity, length}, coverage.spans, coverage.count,
			place);
	place = forge_place(parcel->octets, packet_find(&view, PARAMETER_HIP_MAC_2), 0, length);
	packet_builder_start_inner(&builder, host_id, sizeof host_id);
	packet_add_host_id(&builder, world_identity(parcel->from));
	if (place && !packet_builder_finish(&builder, &host_id_length) &&
		!coverage_of_mac_2(&view, (struct span){host_id, host_id_length}, &coverage))
		hmac_spans(keys->rhash, (struct span){keys->outgoing.integrity, length}, coverage.spans, coverage.count,
			place);
}

static inline void forge_payload_mic(struct parcel *parcel)
{
	struct packet_view view;
	const struct parameter_view *mic;
	uint8_t digest[HASH_LENGTH_MAXIMUM], *place;
	hash_algorithm hash;

	if (packet_parse(parcel->octets, parcel->length, &view))
		return;
	hash = rhash_of_suite(hit_suite(&view.sender));
	mic = packet_find(&view, PARAMETER_PAYLOAD_MIC);
	place = forge_place(parcel->octets, mic, 12, hash_length(hash));
	if (!place || hash_spans(hash, &view.payload, 1, digest))
		return;
	memcpy(place, digest, hash_length(hash));
	parameter_payload_end(view.payload, place - 8);
}

static inline void forge_signature(struct parcel *parcel)
{
	const struct host_identity *identity = world_identity(parcel->from);
	size_t length = host_identity_signature_length(identity);
	struct packet_view view;
	struct coverage coverage;
	uint8_t *place;

	if (packet_parse(parcel->octets, parcel->length, &view))
		return;
	place = forge_place(parcel->octets, packet_find(&view, PARAMETER_HIP_SIGNATURE), 2, length);
	if (place && !coverage_of_signature(&view, &coverage))
		host_identity_sign(identity, coverage.spans, coverage.count, place);
	place = forge_place(parcel->octets, packet_find(&view, PARAMETER_HIP_SIGNATURE_2), 2, length);
	if (place && !coverage_of_signature_2(&view, &coverage))
		host_identity_sign(identity, coverage.spans, coverage.count, place);
}

static inline void forge_checksum(struct world *world, struct parcel *parcel)
{
	struct address source = parcel->source.address, destination = parcel->destination.address;
	hip_carrier carrier = parcel->source.transport == TRANSPORT_UDP ? HIP_CARRIER_UDP : HIP_CARRIER_IP;

	if (parcel->sealed) {
		source = hit_as_address(&world->hosts[parcel->from].hit);
		destination = hit_as_address(&parcel->to);
		carrier = HIP_CARRIER_ESP;
	}
	(void)packet_set_checksum(parcel->octets, parcel->length, carrier, &source, &destination);
}

static inline void forge_protect(struct world *world, const struct forge *forge, struct parcel *parcel)
{
	forge_payload_mic(parcel);
	if (!forge->without_mac)
		forge_mac(world, parcel);
	if (!forge->without_signature)
		forge_signature(parcel);
	if (!forge->bad_checksum)
		forge_checksum(world, parcel);
}

/* ---- ENCRYPTED ---- */

/* Moves one parameter into ENCRYPTED, with the keys of the association. */
static inline void forge_encrypt(struct world *world, struct forge *forge, size_t index, const struct parcel *parcel)
{
	const struct exchange_keys *keys = forge_keys(world, parcel);
	struct forge inner = {.count = 1};
	uint8_t plain[FORGE_CONTENTS + 16], sealed[FORGE_CONTENTS + 64] = {0};
	struct span key;
	size_t length;

	if (!keys || !keys->cipher)
		return;
	inner.parameters[0] = forge->parameters[index];
	length = forge_write_parameters(&inner, 0, plain, sizeof plain);
	key = (struct span){keys->outgoing.encryption, keys->cipher->key_length};
	if (4 + hip_cipher_sealed_length(keys->cipher, length) > FORGE_CONTENTS ||
		hip_cipher_seal(keys->cipher, key, &world->random, (struct span){plain, length}, sealed + 4))
		return;
	forge_remove(forge, index);
	forge_add(forge, PARAMETER_ENCRYPTED, sealed, 4 + hip_cipher_sealed_length(keys->cipher, length));
}

#endif
