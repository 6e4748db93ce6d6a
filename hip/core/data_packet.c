/* SPDX-License-Identifier: MIT */
#include "hip/core/data_packet.h"

#include "hip/core/packet_signature.h"
#include "hip/core/relay.h"
#include "hip/wire/builder.h"

#include <string.h>

/* ---- building -------------------------------------------------------------------------------------------------- */

static hiphop_error add_mic(struct packet_builder *builder, const struct host_identity *identity, struct span content)
{
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	struct parameter_payload_mic mic = {.next_header = HIP_NEXT_HEADER_RELOAD};
	hash_algorithm hash = host_identity_rhash(identity);

	hiphop_error error = hash_spans(hash, &content, 1, digest);
	if (error)
		return error;
	parameter_payload_end(content, mic.payload_end);
	mic.mic = (struct span){digest, hash_length(hash)};
	return parameter_payload_mic_write(builder, &mic);
}

static hiphop_error add_numbers(struct packet_builder *builder, const struct data_packet *fields)
{
	if (fields->has_sequence)
		parameter_number_write(builder, PARAMETER_SEQ_DATA, fields->sequence);
	if (fields->acknowledged.count > 0)
		parameter_sequence_list_write(builder, PARAMETER_ACK_DATA, &fields->acknowledged);
	return builder->error;
}

static hiphop_error add_identifiers(struct packet_builder *builder, const struct data_packet *fields)
{
	uint8_t transaction[8], overlay[4];
	struct writer writer = writer_over(transaction, sizeof transaction);

	writer_u64(&writer, fields->transaction);
	writer = writer_over(overlay, sizeof overlay);
	writer_u32(&writer, fields->overlay_id);
	parameter_opaque_write(builder, PARAMETER_TRANSACTION_ID, (struct span){transaction, sizeof transaction});
	return parameter_opaque_write(builder, PARAMETER_OVERLAY_ID, (struct span){overlay, sizeof overlay});
}

static hiphop_error add_destination(struct packet_builder *builder, const struct data_route *route)
{
	struct parameter_route list = {.flags = route->flags, .count = route->count};

	if (route->count == 0)
		return HIPHOP_OK;
	memcpy(list.hits, route->hits, route->count * sizeof list.hits[0]);
	return parameter_route_write(builder, PARAMETER_ROUTE_DST, &list);
}

static hiphop_error add_unsigned(struct packet_builder *builder, const struct data_packet *fields)
{
	static const struct parameter_route empty = {.flags = ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW};

	parameter_overlay_ttl_write(builder, fields->ttl);
	if (fields->route.count == 0)
		parameter_route_write(builder, PARAMETER_ROUTE_VIA, &empty);
	return builder->error;
}

/** The builder keeps its first error; only what does not go through it is checked on the way. */
static hiphop_error build_into(const struct data_packet *fields, const struct host_identity *identity, uint8_t *out,
	size_t capacity, size_t *length)
{
	struct packet_builder builder;

	packet_builder_start(
		&builder, out, capacity, HIP_PACKET_DATA, 0, host_identity_hit(identity), &fields->receiver);
	packet_add_host_id(&builder, identity);
	add_numbers(&builder, fields);
	if (fields->has_sequence) {
		hiphop_error error = add_mic(&builder, identity, fields->content);
		if (error)
			return error;
	}
	add_identifiers(&builder, fields);
	add_destination(&builder, &fields->route);
	packet_reserve_signature(&builder, identity);
	add_unsigned(&builder, fields);
	if (fields->has_sequence)
		packet_builder_payload(&builder, HIP_NEXT_HEADER_RELOAD, fields->content.data, fields->content.length);
	return packet_builder_finish(&builder, length);
}

hiphop_error data_packet_build(
	const struct data_packet *fields, const struct host_identity *identity, struct buffer *octets)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	size_t length;

	hiphop_error error = build_into(fields, identity, packet, sizeof packet, &length);
	if (!error)
		error = packet_sign(packet, length, identity);
	return error ? error : buffer_copy(octets, packet, length);
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static hiphop_error read_numbers(const struct packet_view *packet, struct data_packet *fields)
{
	hiphop_error error = parameter_number_read(packet_find(packet, PARAMETER_SEQ_DATA), &fields->sequence);
	fields->has_sequence = !error;
	if (error && error != HIPHOP_NOT_FOUND)
		return error;

	error = parameter_sequence_list_read(packet_find(packet, PARAMETER_ACK_DATA), &fields->acknowledged);
	if (error == HIPHOP_NOT_FOUND)
		return fields->has_sequence ? HIPHOP_OK : HIPHOP_MALFORMED;
	return error;
}

static hiphop_error read_identifiers(const struct packet_view *packet, struct data_packet *fields)
{
	struct span transaction, overlay;

	if (parameter_opaque_read(packet_find(packet, PARAMETER_TRANSACTION_ID), &transaction) ||
		parameter_opaque_read(packet_find(packet, PARAMETER_OVERLAY_ID), &overlay))
		return HIPHOP_MALFORMED;
	if (transaction.length != 8 || overlay.length != 4)
		return HIPHOP_MALFORMED;
	struct reader reader = reader_over(transaction.data, transaction.length);
	fields->transaction = reader_u64(&reader);
	reader = reader_over(overlay.data, overlay.length);
	fields->overlay_id = reader_u32(&reader);
	return HIPHOP_OK;
}

static hiphop_error read_payload(const struct packet_view *packet, struct data_packet *fields)
{
	struct parameter_payload_mic mic;

	if (!fields->has_sequence)
		return HIPHOP_OK;
	if (packet->payload.length == 0)
		return HIPHOP_MALFORMED;
	hiphop_error error = parameter_payload_mic_read(packet_find(packet, PARAMETER_PAYLOAD_MIC), &mic);
	if (error || mic.mic.length > sizeof fields->mic)
		return HIPHOP_MALFORMED;
	memcpy(fields->mic, mic.mic.data, mic.mic.length);
	fields->content = packet->payload;
	return HIPHOP_OK;
}

hiphop_error data_packet_read(const struct packet_view *packet, const struct hit *self, struct data_packet *fields)
{
	memset(fields, 0, sizeof *fields);
	if (packet->type != HIP_PACKET_DATA || !hit_is_host(&packet->sender))
		return HIPHOP_MALFORMED;
	fields->sender = packet->sender;
	fields->receiver = packet->receiver;
	if (read_numbers(packet, fields) || read_identifiers(packet, fields) || read_payload(packet, fields))
		return HIPHOP_MALFORMED;
	hiphop_error error = parameter_overlay_ttl_read(packet_find(packet, PARAMETER_OVERLAY_TTL), &fields->ttl);
	if (error && error != HIPHOP_NOT_FOUND)
		return HIPHOP_MALFORMED;
	relay_route_back(packet, self, &fields->route);
	return HIPHOP_OK;
}

static hiphop_error verify_one_mic(
	const struct packet_view *packet, const struct parameter_view *parameter, struct span digest)
{
	struct parameter_payload_mic mic;
	uint8_t end[8];

	if (parameter_payload_mic_read(parameter, &mic))
		return HIPHOP_BAD_MAC;
	if (mic.next_header != packet->next_header)
		return HIPHOP_UNSUPPORTED;
	parameter_payload_end(packet->payload, end);
	if (memcmp(end, mic.payload_end, sizeof end) != 0 || mic.mic.length != digest.length ||
		!bytes_equal_constant_time(mic.mic.data, digest.data, digest.length))
		return HIPHOP_BAD_MAC;
	return HIPHOP_OK;
}

hiphop_error data_packet_verify_mic(const struct packet_view *packet)
{
	hash_algorithm hash = rhash_of_suite(hit_suite(&packet->sender));
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	const struct parameter_view *parameter;

	if (packet->next_header != HIP_NEXT_HEADER_RELOAD)
		return HIPHOP_UNSUPPORTED;
	hiphop_error error = hash_spans(hash, &packet->payload, 1, digest);
	for (size_t i = 0; !error && (parameter = packet_find_nth(packet, PARAMETER_PAYLOAD_MIC, i)) != NULL; i++)
		error = verify_one_mic(packet, parameter, (struct span){digest, hash_length(hash)});
	return error;
}
