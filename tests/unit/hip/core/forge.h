/* SPDX-License-Identifier: MIT */
/**
 * Packets of a host as they could have been: caught on their way, with parameters changed, left out or added, and then
 * protected again by the keys of their sender, so that only what was changed can be the reason for what happens.
 */
#ifndef HIPHOP_TESTS_FORGE_H
#define HIPHOP_TESTS_FORGE_H

#include "host_network.h"

#include "hip/core/host_internal.h"
#include "hip/core/packet_signature.h"

/* ---- catching ---- */

/** The first packet of a type, from any host; it does not arrive. */
struct catch
{
	uint8_t type;
	unsigned to_skip; /* of that type, which pass */
	bool full;
	struct flying packet;
};

static inline packet_fate catch_one(struct network *network, struct flying *packet)
{
	struct catch *catch = network->fate_context;

	if (catch->full || flying_type(packet) != catch->type)
		return FATE_PASS;
	if (catch->to_skip) {
		catch->to_skip--;
		return FATE_PASS;
	}
	catch->packet = *packet;
	catch->full = true;
	return FATE_LOSE;
}

static inline void catch_next(struct network *network, struct catch *catch, uint8_t type)
{
	*catch = (struct catch){.type = type};
	network->fate = catch_one;
	network->fate_context = catch;
}

/** Begins an exchange of host 0 with host 1 and catches the first packet of a type in it. */
static inline void catch_in_exchange(struct network *network, struct catch *catch, uint8_t type)
{
	catch_next(network, catch, type);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_true(catch->full);
	network->fate = NULL;
}

/** Where a packet goes. */
static inline struct network_host *target_of(struct network *network, const struct flying *packet)
{
	for (size_t i = 0; i < network->count; i++) {
		if (address_equal(&network->hosts[i].address, &packet->destination.address))
			return &network->hosts[i];
	}
	fail_msg("nobody is there");
	return NULL;
}

/** Lets it arrive, now. */
static inline void deliver(struct network *network, const struct flying *packet)
{
	struct network_host *to = target_of(network, packet);
	const struct host_arrival arrival = {.local = packet->destination, .remote = packet->source};

	host_input(to->host, network->now, &arrival, packet->octets, packet->length);
	network_drain(network, to);
}

/** All packets that a host has sent. */
static inline unsigned sent_in_all(const struct network_host *self)
{
	unsigned sum = 0;

	for (size_t type = 0; type < sizeof self->out_of_type / sizeof self->out_of_type[0]; type++)
		sum += self->out_of_type[type];
	return sum;
}

static inline uint64_t counted(const struct network_host *self, host_counter counter)
{
	return host_counter_value(self->host, counter);
}

/* ---- forging ---- */

/** One parameter of the forged packet: with these contents, in place of the one that is there; or without it. */
struct change {
	uint16_t type;
	const void *contents; /* NULL: it is left out */
	size_t length;
};

/** What is the same for all parameters of the forged packet. */
struct alteration {
	uint8_t header[8]; /* these bits of the header are turned over */
	bool padding;      /* it is not zero */
};

enum { SPOIL_MAC = 1, SPOIL_SIGNATURE = 2 };

/** The keys with which `from` protects packets to `to`. */
static inline const struct exchange_keys *forge_keys(struct network *network, size_t from, size_t to)
{
	const struct association *association = association_find(network->hosts[from].host, &network->hosts[to].hit);

	assert_non_null(association);
	if (association->session)
		return &association->session->keys;
	return &association->initiation->acceptance->keys;
}

static inline const struct change *change_of(const struct change *changes, size_t count, uint16_t type)
{
	for (size_t i = 0; i < count; i++) {
		if (changes[i].type == type)
			return &changes[i];
	}
	return NULL;
}

/* Those of the packet below `limit`, with the changes, in order; `from` is where they begin. */
static inline void forge_parameters(struct packet_builder *builder, const struct packet_view *view,
	const struct change *changes, size_t count, uint32_t from, uint32_t limit)
{
	for (uint32_t type = from; type < limit; type++) {
		const struct change *change = change_of(changes, count, (uint16_t)type);
		const struct parameter_view *old;

		if (change && change->contents)
			packet_builder_add(builder, change->type, change->contents, change->length);
		for (size_t nth = 0; !change && (old = packet_find_nth(view, (uint16_t)type, nth)); nth++)
			packet_builder_add_encoded(builder, old->encoded);
	}
}

static inline struct span forge_host_id(const struct host_identity *identity, uint8_t *octets, size_t capacity)
{
	struct packet_builder builder;
	size_t length;

	packet_builder_start_inner(&builder, octets, capacity);
	packet_add_host_id(&builder, identity);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	return (struct span){octets, length};
}

static inline void forge_mac(struct network_host *from, const struct exchange_keys *keys, uint16_t type,
	struct flying *forged, unsigned spoil)
{
	uint8_t host_id[HOST_IDENTITY_OCTETS_MAXIMUM + 32];
	const struct parameter_view *mac;
	struct packet_view view;
	struct coverage coverage;

	assert_int_equal(packet_parse(forged->octets, forged->length, &view), HIPHOP_OK);
	mac = packet_find(&view, type);
	if (type == PARAMETER_HIP_MAC)
		assert_int_equal(coverage_of_mac(&view, &coverage), HIPHOP_OK);
	else
		assert_int_equal(
			coverage_of_mac_2(&view, forge_host_id(from->identity, host_id, sizeof host_id), &coverage),
			HIPHOP_OK);
	assert_int_equal(hmac_spans(keys->rhash, (struct span){keys->outgoing.integrity, hash_length(keys->rhash)},
				 coverage.spans, coverage.count, forged->octets + mac->offset + 4),
		HIPHOP_OK);
	if (spoil & SPOIL_MAC)
		forged->octets[mac->offset + 4] ^= 1;
}

static inline void forge_signature(struct network_host *from, uint16_t type, struct flying *forged, unsigned spoil)
{
	const struct parameter_view *signature;
	struct packet_view view;
	struct coverage coverage;

	assert_int_equal(packet_parse(forged->octets, forged->length, &view), HIPHOP_OK);
	signature = packet_find(&view, type);
	if (type == PARAMETER_HIP_SIGNATURE)
		assert_int_equal(coverage_of_signature(&view, &coverage), HIPHOP_OK);
	else
		assert_int_equal(coverage_of_signature_2(&view, &coverage), HIPHOP_OK);
	assert_int_equal(host_identity_sign(from->identity, coverage.spans, coverage.count,
				 forged->octets + signature->offset + 6),
		HIPHOP_OK);
	if (spoil & SPOIL_SIGNATURE)
		forged->octets[signature->offset + 6] ^= 1;
}

/** Alters a packet that has not been protected yet. NULL: not at all. */
static inline void forge_alter(struct flying *forged, const struct alteration *alteration)
{
	struct packet_view view;

	if (!alteration)
		return;
	assert_int_equal(packet_parse(forged->octets, forged->length, &view), HIPHOP_OK);
	for (size_t i = 0; alteration->padding && i < view.parameters.count; i++) {
		const struct parameter_view *item = &view.parameters.items[i];

		for (size_t at = 4 + item->contents.length; at < item->encoded.length; at++)
			forged->octets[item->offset + at] = 0x5a;
	}
	for (size_t i = 0; i < sizeof alteration->header; i++)
		forged->octets[i] ^= alteration->header[i];
}

/**
 * Writes `original`, changed, altered and protected again, to `forged`. A MAC and a signature are there when they are
 * in the original. It must have come over UDP: the checksum stays zero.
 */
static inline void forge_altered(struct network *network, const struct flying *original, const struct change *changes,
	size_t count, unsigned spoil, const struct alteration *alteration, struct flying *forged)
{
	struct network_host *from = &network->hosts[original->from];
	size_t to = target_of(network, original)->index;
	size_t signature_length = host_identity_signature_length(from->identity);
	uint16_t algorithm = host_identity_algorithm(from->identity);
	uint16_t mac = 0, signature = 0;
	const struct exchange_keys *keys = NULL;
	struct packet_builder builder;
	struct packet_view view;

	assert_int_equal(packet_parse(original->octets, original->length, &view), HIPHOP_OK);
	for (size_t i = 0; i < view.parameters.count; i++) {
		uint16_t type = view.parameters.items[i].type;

		if (type == PARAMETER_HIP_MAC || type == PARAMETER_HIP_MAC_2)
			mac = type;
		if (type == PARAMETER_HIP_SIGNATURE || type == PARAMETER_HIP_SIGNATURE_2)
			signature = type;
	}
	*forged = *original;
	packet_builder_start(&builder, forged->octets, sizeof forged->octets, view.type, view.controls, &view.sender,
		&view.receiver);
	forge_parameters(&builder, &view, changes, count, 0, PARAMETER_HIP_MAC);
	if (mac) {
		keys = forge_keys(network, original->from, to);
		packet_builder_reserve(&builder, mac, hash_length(keys->rhash));
	}
	if (signature)
		parameter_signature_reserve(&builder, signature, algorithm, signature_length);
	forge_parameters(&builder, &view, changes, count, PARAMETER_HIP_SIGNATURE + 1, UINT16_MAX);
	assert_int_equal(packet_builder_finish(&builder, &forged->length), HIPHOP_OK);
	forge_alter(forged, alteration);
	if (mac)
		forge_mac(from, keys, mac, forged, spoil);
	if (signature)
		forge_signature(from, signature, forged, spoil);
}

static inline void forge(struct network *network, const struct flying *original, const struct change *changes,
	size_t count, unsigned spoil, struct flying *forged)
{
	forge_altered(network, original, changes, count, spoil, NULL, forged);
}

#endif
