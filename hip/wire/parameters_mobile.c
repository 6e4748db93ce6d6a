/* SPDX-License-Identifier: MIT */
/* The parameters of mobile routers, ours (docs/hipv2-mapping.md). */
#include "hip/wire/parameters.h"

#include "hip/wire/parameter_io.h"

#define PROTOCOL_UDP      17
#define ENDPOINT_LENGTH   20
#define GRANT_LENGTH      (TICKET_ID_LENGTH + 4 + TICKET_KEY_LENGTH)
#define DELEGATION_LENGTH (GRANT_LENGTH + 2 * HIT_LENGTH + 8)
#define SPI_LEAST         256 /* RFC 4303 section 2.1 */

/* An endpoint as in RELAY_TO (RFC 9028 section 5.6). */
static void read_endpoint(struct reader *reader, struct endpoint *out)
{
	out->port = reader_u16(reader);
	out->transport = reader_u8(reader) == PROTOCOL_UDP ? TRANSPORT_UDP : TRANSPORT_IP;
	reader_skip(reader, 1);
	reader_copy(reader, out->address.octets, sizeof out->address.octets);
}

static void write_endpoint(struct writer *writer, const struct endpoint *in)
{
	writer_u16(writer, in->port);
	writer_u8(writer, in->transport == TRANSPORT_UDP ? PROTOCOL_UDP : 0);
	writer_u8(writer, 0);
	writer_copy(writer, in->address.octets, sizeof in->address.octets);
}

/* ---- TICKET and DELEGATION ---- */

static void read_grant(struct reader *reader, struct ticket_grant *out)
{
	reader_copy(reader, out->id, sizeof out->id);
	out->lifetime = reader_u32(reader);
	reader_copy(reader, out->key, sizeof out->key);
}

static void write_grant(struct writer *writer, const struct ticket_grant *in)
{
	writer_copy(writer, in->id, sizeof in->id);
	writer_u32(writer, in->lifetime);
	writer_copy(writer, in->key, sizeof in->key);
}

hiphop_error parameter_ticket_read(const struct parameter_view *view, struct ticket_grant *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_TICKET, &reader);

	if (error)
		return error;
	read_grant(&reader, out);
	return reader_status(&reader);
}

hiphop_error parameter_ticket_write(struct packet_builder *builder, const struct ticket_grant *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_TICKET, GRANT_LENGTH);

	write_grant(&writer, in);
	return parameter_end(builder, &writer);
}

static bool makes_sense(const struct parameter_delegation *delegation)
{
	for (size_t i = 0; i < delegation->pair_count; i++) {
		if (delegation->pairs[i].spi_in < SPI_LEAST || delegation->pairs[i].spi_out < SPI_LEAST)
			return false;
	}
	return hit_is_host(&delegation->owner) && hit_is_host(&delegation->peer) &&
	       (!delegation->grant.lifetime || delegation->locator_count);
}

static void read_pairs_and_locators(struct reader *reader, struct parameter_delegation *out)
{
	for (size_t i = 0; i < out->pair_count; i++) {
		out->pairs[i].spi_in = reader_u32(reader);
		out->pairs[i].spi_out = reader_u32(reader);
	}
	for (size_t i = 0; i < out->locator_count; i++)
		read_endpoint(reader, &out->locators[i]);
}

hiphop_error parameter_delegation_read(const struct parameter_view *view, struct parameter_delegation *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_DELEGATION, &reader);

	out->pair_count = out->locator_count = 0;
	if (error)
		return error;
	read_grant(&reader, &out->grant);
	reader_copy(&reader, out->owner.octets, HIT_LENGTH);
	reader_copy(&reader, out->peer.octets, HIT_LENGTH);
	out->pair_count = reader_u8(&reader);
	out->locator_count = reader_u8(&reader);
	reader_skip(&reader, 2);
	out->sequence = reader_u32(&reader);
	if (out->pair_count > DELEGATION_PAIRS_MAXIMUM || out->locator_count > DELEGATION_LOCATORS_MAXIMUM) {
		out->pair_count = out->locator_count = 0;
		return HIPHOP_TOO_LARGE;
	}
	read_pairs_and_locators(&reader, out);
	if (reader_status(&reader))
		return HIPHOP_TRUNCATED;
	return makes_sense(out) ? HIPHOP_OK : HIPHOP_MALFORMED;
}

static size_t contents_length(const struct parameter_delegation *in)
{
	return DELEGATION_LENGTH + 8 * in->pair_count + ENDPOINT_LENGTH * in->locator_count;
}

size_t parameter_delegation_length(const struct parameter_delegation *in)
{
	return (4 + contents_length(in) + 7) / 8 * 8;
}

hiphop_error parameter_delegation_write(struct packet_builder *builder, const struct parameter_delegation *in)
{
	struct writer writer;

	if (in->pair_count > DELEGATION_PAIRS_MAXIMUM || in->locator_count > DELEGATION_LOCATORS_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, PARAMETER_DELEGATION, contents_length(in));
	write_grant(&writer, &in->grant);
	writer_copy(&writer, in->owner.octets, HIT_LENGTH);
	writer_copy(&writer, in->peer.octets, HIT_LENGTH);
	writer_u8(&writer, (uint8_t)in->pair_count);
	writer_u8(&writer, (uint8_t)in->locator_count);
	writer_u16(&writer, 0);
	writer_u32(&writer, in->sequence);
	for (size_t i = 0; i < in->pair_count; i++) {
		writer_u32(&writer, in->pairs[i].spi_in);
		writer_u32(&writer, in->pairs[i].spi_out);
	}
	for (size_t i = 0; i < in->locator_count; i++)
		write_endpoint(&writer, &in->locators[i]);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_delegation_refused_read(
	const struct parameter_view *view, struct parameter_delegation_refused *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_DELEGATION_REFUSED, &reader);

	if (error)
		return error;
	reader_copy(&reader, out->id, sizeof out->id);
	out->reason = reader_u8(&reader);
	reader_skip(&reader, 3);
	return reader_status(&reader);
}

hiphop_error parameter_delegation_refused_write(
	struct packet_builder *builder, const struct parameter_delegation_refused *in)
{
	struct writer writer = parameter_begin(builder, PARAMETER_DELEGATION_REFUSED, TICKET_ID_LENGTH + 4);

	writer_copy(&writer, in->id, sizeof in->id);
	writer_u8(&writer, in->reason);
	writer_zero(&writer, 3);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_ticket_id_read(const struct parameter_view *view, uint8_t id[static TICKET_ID_LENGTH])
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_TICKET_ID, &reader);

	if (error)
		return error;
	reader_copy(&reader, id, TICKET_ID_LENGTH);
	return reader_status(&reader);
}

hiphop_error parameter_ticket_id_write(struct packet_builder *builder, const uint8_t id[static TICKET_ID_LENGTH])
{
	return packet_builder_add(builder, PARAMETER_TICKET_ID, id, TICKET_ID_LENGTH);
}

/* ---- what router and host on board tell each other ---- */

hiphop_error parameter_router_locators_read(const struct parameter_view *view, struct parameter_router_locators *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_ROUTER_LOCATORS, &reader);

	out->count = 0;
	if (error)
		return error;
	reader_skip(&reader, 4);
	while (reader_left(&reader) && !reader.failed) {
		if (out->count == ROUTER_LOCATORS_MAXIMUM)
			return HIPHOP_TOO_LARGE;
		read_endpoint(&reader, &out->endpoints[out->count++]);
	}
	return reader_status(&reader);
}

hiphop_error parameter_router_locators_write(struct packet_builder *builder, const struct parameter_router_locators *in)
{
	struct writer writer;

	if (in->count > ROUTER_LOCATORS_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, PARAMETER_ROUTER_LOCATORS, 4 + ENDPOINT_LENGTH * in->count);
	writer_u32(&writer, 0);
	for (size_t i = 0; i < in->count; i++)
		write_endpoint(&writer, &in->endpoints[i]);
	return parameter_end(builder, &writer);
}

hiphop_error parameter_hosts_on_board_read(const struct parameter_view *view, struct parameter_hosts_on_board *out)
{
	struct reader reader;
	hiphop_error error = parameter_open(view, PARAMETER_HOSTS_ON_BOARD, &reader);

	out->count = 0;
	if (error)
		return error;
	out->left = reader_u8(&reader) != 0;
	reader_skip(&reader, 3);
	while (reader_left(&reader) && !reader.failed) {
		if (out->count == HOSTS_ON_BOARD_MAXIMUM)
			return HIPHOP_TOO_LARGE;
		reader_copy(&reader, out->hits[out->count++].octets, HIT_LENGTH);
	}
	return reader_status(&reader);
}

hiphop_error parameter_hosts_on_board_write(struct packet_builder *builder, const struct parameter_hosts_on_board *in)
{
	struct writer writer;

	if (in->count > HOSTS_ON_BOARD_MAXIMUM)
		return parameter_refuse(builder, HIPHOP_INVALID_ARGUMENT);
	writer = parameter_begin(builder, PARAMETER_HOSTS_ON_BOARD, 4 + HIT_LENGTH * in->count);
	writer_u8(&writer, in->left);
	writer_zero(&writer, 3);
	for (size_t i = 0; i < in->count; i++)
		writer_copy(&writer, in->hits[i].octets, HIT_LENGTH);
	return parameter_end(builder, &writer);
}
