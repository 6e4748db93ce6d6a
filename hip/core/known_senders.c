/* SPDX-License-Identifier: MIT */
#include "hip/core/known_senders.h"

#include "hip/wire/parameters.h"

void known_senders_start(struct known_senders *senders, size_t maximum, const struct random_source *random)
{
	map_start(&senders->by_hit, HIT_LENGTH, random);
	senders->maximum = maximum;
}

void known_senders_free(struct known_senders *senders)
{
	struct map_walk walk = map_walk_start(&senders->by_hit);
	struct host_identity *identity;

	while ((identity = map_walk_next(&walk, NULL)) != NULL)
		host_identity_free(identity);
	map_free(&senders->by_hit);
}

/** Hashes before it parses: a HOST_ID of somebody else costs no key operation. */
static hiphop_error identity_from_packet(const struct packet_view *packet, struct host_identity **identity)
{
	struct parameter_host_id host_id;

	if (parameter_host_id_read(packet_find(packet, PARAMETER_HOST_ID), &host_id))
		return HIPHOP_BAD_IDENTITY;
	hiphop_error error = hit_check(&packet->sender, host_id.algorithm, host_id.host_identity);
	if (!error)
		error = host_identity_from_octets(host_id.algorithm, host_id.host_identity, identity);
	if (error && error != HIPHOP_NO_MEMORY)
		return HIPHOP_BAD_IDENTITY;
	return error;
}

/** A HOST_ID that comes along must be the sender's even when we know the sender: it is handed up as verified. */
static hiphop_error agrees(const struct packet_view *packet, const struct host_identity *identity)
{
	const struct parameter_view *parameter = packet_find(packet, PARAMETER_HOST_ID);
	struct parameter_host_id host_id;

	if (parameter == NULL)
		return HIPHOP_OK;
	const struct span known = host_identity_octets(identity);
	if (parameter_host_id_read(parameter, &host_id) || host_id.algorithm != host_identity_algorithm(identity) ||
		host_id.host_identity.length != known.length ||
		!bytes_equal_constant_time(host_id.host_identity.data, known.data, known.length))
		return HIPHOP_BAD_IDENTITY;
	return HIPHOP_OK;
}

hiphop_error known_senders_claim(
	struct known_senders *senders, const struct packet_view *packet, struct claimed_sender *claimed)
{
	*claimed = (struct claimed_sender){.identity = map_get(&senders->by_hit, packet->sender.octets)};
	if (claimed->identity != NULL)
		return agrees(packet, claimed->identity);
	claimed->fresh = true;
	return identity_from_packet(packet, &claimed->identity);
}

static void forget_oldest(struct known_senders *senders)
{
	struct map_walk walk = map_walk_start(&senders->by_hit);
	struct host_identity *identity = map_walk_next(&walk, NULL);

	if (identity == NULL)
		return;
	map_remove(&senders->by_hit, host_identity_hit(identity)->octets);
	host_identity_free(identity);
}

hiphop_error known_senders_remember(struct known_senders *senders, struct claimed_sender *claimed)
{
	if (!claimed->fresh)
		return HIPHOP_OK;
	if (senders->by_hit.count >= senders->maximum)
		forget_oldest(senders);
	if (map_put(&senders->by_hit, host_identity_hit(claimed->identity)->octets, claimed->identity)) {
		known_senders_dismiss(claimed);
		return HIPHOP_NO_MEMORY;
	}
	claimed->fresh = false;
	return HIPHOP_OK;
}

void known_senders_dismiss(struct claimed_sender *claimed)
{
	if (claimed->fresh)
		host_identity_free(claimed->identity);
	*claimed = (struct claimed_sender){0};
}
