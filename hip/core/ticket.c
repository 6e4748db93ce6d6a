/* SPDX-License-Identifier: MIT */
#include "hip/core/ticket.h"

#include "hip/crypto/hash.h"
#include "hip/wire/coverage.h"

#include <string.h>

void ticket_make(const struct random_source *random, struct ticket_grant *grant)
{
	random_fill(random, grant->id, sizeof grant->id);
	random_fill(random, grant->key, sizeof grant->key);
	grant->lifetime = TICKET_LIFETIME_MAXIMUM;
}

void ticket_forget(struct held_ticket *held)
{
	bytes_wipe(held, sizeof *held);
}

static bool has_id(const struct held_ticket *held, const uint8_t id[static TICKET_ID_LENGTH])
{
	return held->valid && memcmp(held->id, id, TICKET_ID_LENGTH) == 0;
}

void ticket_take(struct held_ticket *held, instant now, const struct ticket_grant *grant)
{
	uint32_t lifetime = grant->lifetime < TICKET_LIFETIME_MAXIMUM ? grant->lifetime : TICKET_LIFETIME_MAXIMUM;

	if (!lifetime) {
		if (has_id(held, grant->id))
			ticket_forget(held);
		return;
	}
	if (!has_id(held, grant->id)) {
		ticket_forget(held);
		held->valid = true;
		memcpy(held->id, grant->id, sizeof held->id);
		memcpy(held->key, grant->key, sizeof held->key);
	}
	held->expires = instant_after(now, SECONDS(lifetime));
}

bool ticket_is(const struct held_ticket *held, instant now, const uint8_t id[static TICKET_ID_LENGTH])
{
	return has_id(held, id) && now < held->expires;
}

ticket_sequence ticket_judge(const struct held_ticket *held, uint32_t sequence)
{
	if (!held->was_used || sequence > held->sequence)
		return TICKET_SEQUENCE_NEW;
	return sequence == held->sequence ? TICKET_SEQUENCE_AGAIN : TICKET_SEQUENCE_OLD;
}

void ticket_note(struct held_ticket *held, uint32_t sequence)
{
	held->was_used = true;
	held->sequence = sequence;
}

/* ---- UPDATE-PROXY ---- */

hiphop_error ticket_protect(struct packet_builder *builder, const uint8_t id[static TICKET_ID_LENGTH],
	const uint8_t key[static TICKET_KEY_LENGTH], size_t *length)
{
	struct packet_view view;
	struct coverage coverage;
	uint8_t *place;
	hiphop_error error;

	parameter_ticket_id_write(builder, id);
	place = packet_builder_reserve(builder, PARAMETER_HIP_MAC, hash_length(HASH_SHA256));
	error = packet_builder_finish(builder, length);
	if (!error)
		error = packet_parse(builder->writer.data, *length, &view);
	if (!error)
		error = coverage_of_mac(&view, &coverage);
	if (error)
		return error;
	return hmac_spans(HASH_SHA256, (struct span){key, TICKET_KEY_LENGTH}, coverage.spans, coverage.count, place);
}

hiphop_error ticket_verify(const struct packet_view *view, const uint8_t key[static TICKET_KEY_LENGTH])
{
	struct coverage coverage;
	struct span mac;
	hiphop_error error = coverage_of_mac(view, &coverage);

	if (!error)
		error = parameter_opaque_read(packet_find(view, PARAMETER_HIP_MAC), &mac);
	if (error)
		return HIPHOP_BAD_MAC;
	return hmac_verify(HASH_SHA256, (struct span){key, TICKET_KEY_LENGTH}, coverage.spans, coverage.count, mac);
}
