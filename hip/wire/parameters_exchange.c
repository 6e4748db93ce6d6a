/* SPDX-License-Identifier: MIT */
/* The parameters of the base exchange (RFC 7401 section 5.2), and the opaque ones. */
#include "hip/wire/parameters.h"

#include "hip/wire/parameter_io.h"

#include <string.h>

hiphop_error parameter_r1_counter_read(const struct parameter_view *view, struct parameter_r1_counter *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_R1_COUNTER, &reader);

	if (error)
		return error;
	out->reserved = reader_u32(&reader);
	out->counter = reader_u64(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_r1_counter_write(struct packet_builder *builder, const struct parameter_r1_counter *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_R1_COUNTER, 12);

	writer_u32(&writer, in->reserved);
	writer_u64(&writer, in->counter);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_puzzle_read(const struct parameter_view *view, struct parameter_puzzle *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_PUZZLE, &reader);

	if (error)
		return error;
	out->difficulty = reader_u8(&reader);
	out->lifetime = reader_u8(&reader);
	reader_copy(&reader, out->opaque, sizeof out->opaque);
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	out->random_length = reader_left(&reader);
	if (out->random_length > PUZZLE_RANDOM_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	reader_copy(&reader, out->random_i, out->random_length);
	return out->random_length ? HIPHOP_OK : HIPHOP_TRUNCATED;
}

hiphop_error parameter_puzzle_write(struct packet_builder *builder, const struct parameter_puzzle *in)
{
	struct writer writer;

	if (in->random_length > PUZZLE_RANDOM_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, PARAMETER_PUZZLE, 4 + in->random_length);
	writer_u8(&writer, in->difficulty);
	writer_u8(&writer, in->lifetime);
	writer_copy(&writer, in->opaque, sizeof in->opaque);
	writer_copy(&writer, in->random_i, in->random_length);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_puzzle_renew(uint8_t *r1, size_t length, const struct hit *receiver,
	const uint8_t opaque[static 2], const uint8_t *random_i, size_t random_length)
{
	struct packet_view view;
	const struct parameter_view *puzzle;
	hiphop_error error = packet_parse(r1, length, &view);
	uint8_t *contents;

	if (error)
		return error;
	puzzle = packet_find(&view, PARAMETER_PUZZLE);
	if (!puzzle || puzzle->contents.length != 4 + random_length)
		return HIPHOP_INVALID_ARGUMENT;
	contents = r1 + puzzle->offset + 4;
	memcpy(contents + 2, opaque, 2);
	memcpy(contents + 4, random_i, random_length);
	memcpy(r1 + HIP_HEADER_LENGTH - HIT_LENGTH, receiver->octets, HIT_LENGTH);
	return HIPHOP_OK;
}

hiphop_error parameter_solution_read(const struct parameter_view *view, struct parameter_solution *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_SOLUTION, &reader);

	if (error)
		return error;
	out->difficulty = reader_u8(&reader);
	reader_skip(&reader, 1);
	reader_copy(&reader, out->opaque, sizeof out->opaque);
	if (reader_status(&reader) || !reader_left(&reader))
		return HIPHOP_TRUNCATED;
	if (reader_left(&reader) % 2)
		return HIPHOP_MALFORMED;
	out->random_length = reader_left(&reader) / 2;
	if (out->random_length > PUZZLE_RANDOM_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	reader_copy(&reader, out->random_i, out->random_length);
	reader_copy(&reader, out->solution_j, out->random_length);
	return reader_status(&reader);
}

hiphop_error parameter_solution_write(struct packet_builder *builder, const struct parameter_solution *in)
{
	struct writer writer;

	if (in->random_length > PUZZLE_RANDOM_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, PARAMETER_SOLUTION, 4 + 2 * in->random_length);
	writer_u8(&writer, in->difficulty);
	writer_u8(&writer, 0);
	writer_copy(&writer, in->opaque, sizeof in->opaque);
	writer_copy(&writer, in->random_i, in->random_length);
	writer_copy(&writer, in->solution_j, in->random_length);
	return parameter_end(builder, &writer);
}

static hiphop_error read_octet_list(const struct parameter_view *view, uint16_t type, struct parameter_octet_list *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, type, &reader);

	out->count = 0;
	if (error)
		return error;
	while (reader_left(&reader) && out->count < OCTET_LIST_MAXIMUM)
		out->items[out->count++] = reader_u8(&reader);
	return out->count ? HIPHOP_OK : HIPHOP_TRUNCATED;
}

static hiphop_error write_octet_list(
	struct packet_builder *builder, uint16_t type, const struct parameter_octet_list *in)
{
	if (!in->count || in->count > OCTET_LIST_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	return packet_builder_add(builder, type, in->items, in->count);
}

hiphop_error parameter_dh_group_list_read(const struct parameter_view *view, struct parameter_octet_list *out)
{
	return read_octet_list(view, PARAMETER_DH_GROUP_LIST, out);
}

hiphop_error parameter_dh_group_list_write(struct packet_builder *builder, const struct parameter_octet_list *in)
{
	return write_octet_list(builder, PARAMETER_DH_GROUP_LIST, in);
}

hiphop_error parameter_hit_suite_list_read(const struct parameter_view *view, struct parameter_octet_list *out)
{
	return read_octet_list(view, PARAMETER_HIT_SUITE_LIST, out);
}

hiphop_error parameter_hit_suite_list_write(struct packet_builder *builder, const struct parameter_octet_list *in)
{
	return write_octet_list(builder, PARAMETER_HIT_SUITE_LIST, in);
}

hiphop_error parameter_diffie_hellman_read(const struct parameter_view *view, struct parameter_diffie_hellman *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_DIFFIE_HELLMAN, &reader);

	if (error)
		return error;
	out->group = reader_u8(&reader);
	out->public_value = reader_vector16(&reader);
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	return reader_left(&reader) ? HIPHOP_MALFORMED : HIPHOP_OK;
}

hiphop_error parameter_diffie_hellman_write(struct packet_builder *builder, const struct parameter_diffie_hellman *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_DIFFIE_HELLMAN, 3 + in->public_value.length);

	writer_u8(&writer, in->group);
	writer_u16(&writer, (uint16_t)in->public_value.length);
	writer_copy(&writer, in->public_value.data, in->public_value.length);
	return parameter_end(builder, &writer);
}

/* HIP_CIPHER has no reserved field, the two others have 16 bits of it. */
static size_t suite_list_reserved(uint16_t type)
{
	return type == PARAMETER_HIP_CIPHER ? 0 : 2;
}

static hiphop_error read_suite_list(const struct parameter_view *view, uint16_t type, struct parameter_suite_list *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, type, &reader);

	out->count = 0;
	if (error)
		return error;
	reader_skip(&reader, suite_list_reserved(type));
	if (reader_status(&reader) || !reader_left(&reader))
		return HIPHOP_TRUNCATED;
	return parameter_read_u16_list(&reader, out->items, SUITE_LIST_MAXIMUM, &out->count);
}

static hiphop_error write_suite_list(
	struct packet_builder *builder, uint16_t type, const struct parameter_suite_list *in)
{
	size_t reserved = suite_list_reserved(type);
	struct writer writer;

	if (!in->count || in->count > SUITE_LIST_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, type, reserved + 2 * in->count);
	writer_zero(&writer, reserved);
	for (size_t i = 0; i < in->count; i++)
		writer_u16(&writer, in->items[i]);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_hip_cipher_read(const struct parameter_view *view, struct parameter_suite_list *out)
{
	return read_suite_list(view, PARAMETER_HIP_CIPHER, out);
}

hiphop_error parameter_hip_cipher_write(struct packet_builder *builder, const struct parameter_suite_list *in)
{
	return write_suite_list(builder, PARAMETER_HIP_CIPHER, in);
}

hiphop_error parameter_esp_transform_read(const struct parameter_view *view, struct parameter_suite_list *out)
{
	return read_suite_list(view, PARAMETER_ESP_TRANSFORM, out);
}

hiphop_error parameter_esp_transform_write(struct packet_builder *builder, const struct parameter_suite_list *in)
{
	return write_suite_list(builder, PARAMETER_ESP_TRANSFORM, in);
}

hiphop_error parameter_nat_traversal_mode_read(const struct parameter_view *view, struct parameter_suite_list *out)
{
	return read_suite_list(view, PARAMETER_NAT_TRAVERSAL_MODE, out);
}

hiphop_error parameter_nat_traversal_mode_write(struct packet_builder *builder, const struct parameter_suite_list *in)
{
	return write_suite_list(builder, PARAMETER_NAT_TRAVERSAL_MODE, in);
}

hiphop_error parameter_transport_format_list_read(
	const struct parameter_view *view, struct parameter_transport_format_list *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_TRANSPORT_FORMAT_LIST, &reader);

	out->count = 0;
	if (error)
		return error;
	if (!reader_left(&reader))
		return HIPHOP_TRUNCATED;
	return parameter_read_u16_list(&reader, out->items, TYPE_LIST_MAXIMUM, &out->count);
}

hiphop_error parameter_transport_format_list_write(
	struct packet_builder *builder, const struct parameter_transport_format_list *in)
{
	struct writer writer;

	if (!in->count || in->count > TYPE_LIST_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, PARAMETER_TRANSPORT_FORMAT_LIST, 2 * in->count);
	for (size_t i = 0; i < in->count; i++)
		writer_u16(&writer, in->items[i]);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_host_id_read(const struct parameter_view *view, struct parameter_host_id *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_HOST_ID, &reader);
	uint16_t identity_length;
	uint16_t domain;

	if (error)
		return error;
	identity_length = reader_u16(&reader);
	domain = reader_u16(&reader);
	out->algorithm = reader_u16(&reader);
	out->host_identity = reader_span(&reader, identity_length);
	out->domain_identifier_type = (uint8_t)(domain >> 12);
	out->domain_identifier = reader_span(&reader, domain & 0x0fff);
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	if (out->domain_identifier_type == DOMAIN_IDENTIFIER_NONE && out->domain_identifier.length)
		return HIPHOP_MALFORMED;
	return reader_left(&reader) ? HIPHOP_MALFORMED : HIPHOP_OK;
}

hiphop_error parameter_host_id_write(struct packet_builder *builder, const struct parameter_host_id *in)
{
	size_t domain_length = in->domain_identifier.length;
	struct writer writer;

	if (domain_length > 0x0fff || in->domain_identifier_type > 0x0f)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, PARAMETER_HOST_ID, 6 + in->host_identity.length + domain_length);
	writer_u16(&writer, (uint16_t)in->host_identity.length);
	writer_u16(&writer, (uint16_t)(in->domain_identifier_type << 12 | domain_length));
	writer_u16(&writer, in->algorithm);
	writer_copy(&writer, in->host_identity.data, in->host_identity.length);
	writer_copy(&writer, in->domain_identifier.data, domain_length);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_encrypted_read(
	const struct parameter_view *view, size_t iv_length, struct parameter_encrypted *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_ENCRYPTED, &reader);

	if (error)
		return error;
	reader_skip(&reader, 4);
	out->iv = reader_span(&reader, iv_length);
	out->data = parameter_rest(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_encrypted_write(struct packet_builder *builder, const struct parameter_encrypted *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_ENCRYPTED, 4 + in->iv.length + in->data.length);

	writer_zero(&writer, 4);
	writer_copy(&writer, in->iv.data, in->iv.length);
	writer_copy(&writer, in->data.data, in->data.length);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_cert_read(const struct parameter_view *view, struct parameter_cert *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_CERT, &reader);

	if (error)
		return error;
	out->group = reader_u8(&reader);
	out->count = reader_u8(&reader);
	out->id = reader_u8(&reader);
	out->type = reader_u8(&reader);
	out->certificate = parameter_rest(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_cert_write(struct packet_builder *builder, const struct parameter_cert *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_CERT, 4 + in->certificate.length);

	writer_u8(&writer, in->group);
	writer_u8(&writer, in->count);
	writer_u8(&writer, in->id);
	writer_u8(&writer, in->type);
	writer_copy(&writer, in->certificate.data, in->certificate.length);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_notification_read(const struct parameter_view *view, struct parameter_notification *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_NOTIFICATION, &reader);

	if (error)
		return error;
	reader_skip(&reader, 2);
	out->type = reader_u16(&reader);
	out->data = parameter_rest(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_notification_write(struct packet_builder *builder, const struct parameter_notification *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_NOTIFICATION, 4 + in->data.length);

	writer_u16(&writer, 0);
	writer_u16(&writer, in->type);
	writer_copy(&writer, in->data.data, in->data.length);
	return parameter_end(builder, &writer);
}

static const uint16_t signature_types[] = {PARAMETER_HIP_SIGNATURE, PARAMETER_HIP_SIGNATURE_2};

hiphop_error parameter_signature_read(const struct parameter_view *view, struct parameter_signature *out)
{
	struct reader reader;
	hiphop_error error = parameter_open_any(view, signature_types, 2, &reader);

	if (error)
		return error;
	out->algorithm = reader_u16(&reader);
	out->signature = parameter_rest(&reader);
	return reader_status(&reader);
}

uint8_t *parameter_signature_reserve(struct packet_builder *builder, uint16_t type, uint16_t algorithm, size_t length)
{
	uint8_t *contents;

	if (!parameter_type_in(type, signature_types, 2)) {
		parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
		return NULL;
	}
	contents = packet_builder_reserve(builder, type, 2 + length);
	if (!contents)
		return NULL;
	contents[0] = (uint8_t)(algorithm >> 8);
	contents[1] = (uint8_t)algorithm;
	return contents + 2;
}

static const uint16_t opaque_types[] = {PARAMETER_ECHO_REQUEST_SIGNED, PARAMETER_ECHO_RESPONSE_SIGNED,
	PARAMETER_ECHO_REQUEST_UNSIGNED, PARAMETER_ECHO_RESPONSE_UNSIGNED, PARAMETER_HIP_MAC, PARAMETER_HIP_MAC_2,
	PARAMETER_RVS_HMAC, PARAMETER_RELAY_HMAC, PARAMETER_OVERLAY_ID, PARAMETER_TRANSACTION_ID};
#define OPAQUE_TYPES (sizeof opaque_types / sizeof opaque_types[0])

hiphop_error parameter_opaque_read(const struct parameter_view *view, struct span *out)
{
	struct reader reader;
	hiphop_error error = parameter_open_any(view, opaque_types, OPAQUE_TYPES, &reader);

	*out = parameter_rest(&reader);
	return error;
}

hiphop_error parameter_opaque_write(struct packet_builder *builder, uint16_t type, struct span in)
{
	if (!parameter_type_in(type, opaque_types, OPAQUE_TYPES))
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	return packet_builder_add(builder, type, in.data, in.length);
}
