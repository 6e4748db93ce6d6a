/* SPDX-License-Identifier: MIT */
/* The parameters of paths: ESP (RFC 7402), mobility (RFC 8046), NAT traversal (RFC 9028), rendezvous (RFC 8004) and
 * registration (RFC 8003). */
#include "hip/wire/parameters.h"

#include "hip/wire/parameter_io.h"

#define IP_PROTOCOL_UDP 17

hiphop_error parameter_esp_info_read(const struct parameter_view *view, struct parameter_esp_info *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_ESP_INFO, &reader);

	if (error)
		return error;
	reader_skip(&reader, 2);
	out->keymat_index = reader_u16(&reader);
	out->old_spi = reader_u32(&reader);
	out->new_spi = reader_u32(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_esp_info_write(struct packet_builder *builder, const struct parameter_esp_info *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_ESP_INFO, 12);

	writer_u16(&writer, 0);
	writer_u16(&writer, in->keymat_index);
	writer_u32(&writer, in->old_spi);
	writer_u32(&writer, in->new_spi);
	return parameter_end(builder, &writer);
}

/* Traffic type, locator type, length, flags, lifetime. */
#define LOCATOR_HEADER_LENGTH 8
#define LOCATOR_PREFERRED     0x01

/* Octets of the Locator field of a type, or 0 when we do not know it. */
static size_t locator_field_length(uint8_t type)
{
	static const uint8_t lengths[] = {
		[LOCATOR_TYPE_ADDRESS] = 16,
		[LOCATOR_TYPE_SPI_ADDRESS] = 20,
		[LOCATOR_TYPE_TRANSPORT_ADDRESS] = 28,
	};

	return type < sizeof lengths ? lengths[type] : 0;
}

static void read_locator_field(struct reader *reader, struct locator *out)
{
	if (out->type == LOCATOR_TYPE_TRANSPORT_ADDRESS) {
		out->port = reader_u16(reader);
		out->protocol = reader_u8(reader);
		out->kind = reader_u8(reader);
		out->priority = reader_u32(reader);
	}
	if (out->type != LOCATOR_TYPE_ADDRESS)
		out->spi = reader_u32(reader);
	reader_copy(reader, out->address.octets, sizeof out->address.octets);
}

/* Reads one locator; `*known` says whether it is one that we can use. */
static hiphop_error read_locator(struct reader *reader, struct locator *out, bool *known)
{
	struct reader field;
	size_t length;

	*out = (struct locator){0};
	out->traffic = reader_u8(reader);
	out->type = reader_u8(reader);
	length = 4u * reader_u8(reader);
	out->preferred = reader_u8(reader) & LOCATOR_PREFERRED;
	out->lifetime = reader_u32(reader);
	field = reader_over(reader->data + reader->position, length);
	reader_skip(reader, length);
	if (reader_status(reader))
		return HIPHOP_TRUNCATED;
	*known = locator_field_length(out->type) && out->traffic <= LOCATOR_TRAFFIC_DATA;
	if (!*known)
		return HIPHOP_OK;
	if (length != locator_field_length(out->type) || !out->lifetime)
		return HIPHOP_MALFORMED;
	read_locator_field(&field, out);
	return reader_status(&field);
}

hiphop_error parameter_locator_set_read(const struct parameter_view *view, struct parameter_locator_set *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_LOCATOR_SET, &reader);

	out->count = out->ignored = 0;
	out->unknown_preferred = (struct span){NULL, 0};
	while (!error && reader_left(&reader)) {
		size_t began = reader.position;
		struct locator locator;
		bool known = false;

		error = read_locator(&reader, &locator, &known);
		if (!error && !known && locator.preferred && !out->unknown_preferred.data)
			out->unknown_preferred = (struct span){reader.data + began, reader.position - began};
		if (error || !known) {
			out->ignored += !error;
			continue;
		}
		if (out->count == LOCATOR_SET_MAXIMUM)
			return HIPHOP_TOO_LARGE;
		out->items[out->count++] = locator;
	}
	return error;
}

static void write_locator(struct writer *writer, const struct locator *in)
{
	writer_u8(writer, in->traffic);
	writer_u8(writer, in->type);
	writer_u8(writer, (uint8_t)(locator_field_length(in->type) / 4));
	writer_u8(writer, in->preferred ? LOCATOR_PREFERRED : 0);
	writer_u32(writer, in->lifetime);
	if (in->type == LOCATOR_TYPE_TRANSPORT_ADDRESS) {
		writer_u16(writer, in->port);
		writer_u8(writer, in->protocol);
		writer_u8(writer, in->kind);
		writer_u32(writer, in->priority);
	}
	if (in->type != LOCATOR_TYPE_ADDRESS)
		writer_u32(writer, in->spi);
	writer_copy(writer, in->address.octets, sizeof in->address.octets);
}

hiphop_error parameter_locator_set_write(struct packet_builder *builder, const struct parameter_locator_set *in)
{
	struct writer writer;
	size_t length = 0;

	if (in->count > LOCATOR_SET_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	for (size_t i = 0; i < in->count; i++) {
		if (!locator_field_length(in->items[i].type) || !in->items[i].lifetime)
			return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
		length += LOCATOR_HEADER_LENGTH + locator_field_length(in->items[i].type);
	}
	writer = parameter_begin(builder, PARAMETER_LOCATOR_SET, length);
	for (size_t i = 0; i < in->count; i++)
		write_locator(&writer, &in->items[i]);
	return parameter_end(builder, &writer);
}

static const uint16_t transport_address_types[] = {PARAMETER_REG_FROM, PARAMETER_RELAY_FROM, PARAMETER_RELAY_TO,
	PARAMETER_RELAYED_ADDRESS, PARAMETER_MAPPED_ADDRESS};
#define TRANSPORT_ADDRESS_TYPES (sizeof transport_address_types / sizeof transport_address_types[0])

static uint8_t protocol_of(const struct endpoint *endpoint)
{
	return endpoint->transport == TRANSPORT_UDP ? IP_PROTOCOL_UDP : 0;
}

hiphop_error parameter_transport_address_read(const struct parameter_view *view, struct endpoint *out)
{
	struct reader reader;
	hiphop_error error = parameter_open_any(view, transport_address_types, TRANSPORT_ADDRESS_TYPES, &reader);
	uint8_t protocol;

	if (error)
		return error;
	out->port = reader_u16(&reader);
	protocol = reader_u8(&reader);
	reader_skip(&reader, 1);
	reader_copy(&reader, out->address.octets, sizeof out->address.octets);
	out->transport = protocol == IP_PROTOCOL_UDP ? TRANSPORT_UDP : TRANSPORT_IP;
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	return protocol == IP_PROTOCOL_UDP || protocol == 0 ? HIPHOP_OK : HIPHOP_UNSUPPORTED;
}

hiphop_error parameter_transport_address_write(struct packet_builder *builder, uint16_t type, const struct endpoint *in)
{
	struct writer writer;

	if (!parameter_type_in(type, transport_address_types, TRANSPORT_ADDRESS_TYPES))
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, type, 20);
	writer_u16(&writer, in->port);
	writer_u8(&writer, protocol_of(in));
	writer_u8(&writer, 0);
	writer_copy(&writer, in->address.octets, sizeof in->address.octets);
	return parameter_end(builder, &writer);
}

static const uint16_t address_types[] = {PARAMETER_FROM, PARAMETER_VIA_RVS};

hiphop_error parameter_address_read(const struct parameter_view *view, struct address *out)
{
	struct reader reader;
	hiphop_error error = parameter_open_any(view, address_types, 2, &reader);

	if (error)
		return error;
	reader_copy(&reader, out->octets, sizeof out->octets);
	return reader_status(&reader);
}

hiphop_error parameter_address_write(struct packet_builder *builder, uint16_t type, const struct address *in)
{
	if (!parameter_type_in(type, address_types, 2))
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	return packet_builder_add(builder, type, in->octets, sizeof in->octets);
}

hiphop_error parameter_peer_permission_read(const struct parameter_view *view, struct parameter_peer_permission *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_PEER_PERMISSION, &reader);
	uint8_t protocol;

	if (error)
		return error;
	out->relayed.port = reader_u16(&reader);
	out->peer.port = reader_u16(&reader);
	protocol = reader_u8(&reader);
	reader_skip(&reader, 3);
	reader_copy(&reader, out->relayed.address.octets, sizeof out->relayed.address.octets);
	reader_copy(&reader, out->peer.address.octets, sizeof out->peer.address.octets);
	out->outbound_spi = reader_u32(&reader);
	out->inbound_spi = reader_u32(&reader);
	out->relayed.transport = out->peer.transport = TRANSPORT_UDP;
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	return protocol == IP_PROTOCOL_UDP ? HIPHOP_OK : HIPHOP_UNSUPPORTED;
}

hiphop_error parameter_peer_permission_write(struct packet_builder *builder, const struct parameter_peer_permission *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_PEER_PERMISSION, 48);

	writer_u16(&writer, in->relayed.port);
	writer_u16(&writer, in->peer.port);
	writer_u8(&writer, IP_PROTOCOL_UDP);
	writer_zero(&writer, 3);
	writer_copy(&writer, in->relayed.address.octets, sizeof in->relayed.address.octets);
	writer_copy(&writer, in->peer.address.octets, sizeof in->peer.address.octets);
	writer_u32(&writer, in->outbound_spi);
	writer_u32(&writer, in->inbound_spi);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_transport_mode_read(const struct parameter_view *view, struct parameter_transport_mode *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_HIP_TRANSPORT_MODE, &reader);

	out->modes.count = 0;
	if (error)
		return error;
	out->port = reader_u16(&reader);
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	return parameter_read_u16_list(&reader, out->modes.items, SUITE_LIST_MAXIMUM, &out->modes.count);
}

hiphop_error parameter_transport_mode_write(struct packet_builder *builder, const struct parameter_transport_mode *in)
{
	struct writer writer;

	if (in->modes.count > SUITE_LIST_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, PARAMETER_HIP_TRANSPORT_MODE, 2 + 2 * in->modes.count);
	writer_u16(&writer, in->port);
	for (size_t i = 0; i < in->modes.count; i++)
		writer_u16(&writer, in->modes.items[i]);
	return parameter_end(builder, &writer);
}

static const uint16_t registration_types[] = {
	PARAMETER_REG_INFO, PARAMETER_REG_REQUEST, PARAMETER_REG_RESPONSE, PARAMETER_REG_FAILED};

hiphop_error parameter_registration_read(const struct parameter_view *view, struct parameter_registration *out)
{
	struct reader reader;
	hiphop_error error = parameter_open_any(view, registration_types, 4, &reader);

	out->count = 0;
	if (error)
		return error;
	out->value = reader_u8(&reader);
	out->maximum = view->type == PARAMETER_REG_INFO ? reader_u8(&reader) : 0;
	while (reader_left(&reader) && !reader.failed && out->count < REGISTRATION_LIST_MAXIMUM)
		out->types[out->count++] = reader_u8(&reader);
	return reader_status(&reader);
}

hiphop_error parameter_registration_write(
	struct packet_builder *builder, uint16_t type, const struct parameter_registration *in)
{
	bool has_maximum = type == PARAMETER_REG_INFO;
	struct writer writer;

	if (!parameter_type_in(type, registration_types, 4) || in->count > REGISTRATION_LIST_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, type, (has_maximum ? 2 : 1) + in->count);
	writer_u8(&writer, in->value);
	if (has_maximum)
		writer_u8(&writer, in->maximum);
	writer_copy(&writer, in->types, in->count);
	return parameter_end(builder, &writer);
}
