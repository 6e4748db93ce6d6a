/* SPDX-License-Identifier: MIT */
#include "overlay/message.h"

#include "overlay/overlay.h"

#include <string.h>

struct hit reload_read_node(struct reader *reader)
{
	struct hit node = {0};

	reader_copy(reader, node.octets, sizeof(node.octets));
	return node;
}

struct hit reload_read_resource(struct reader *reader)
{
	struct span octets = reader_vector8(reader);
	struct hit resource = {{0}};

	if (octets.length == HIT_LENGTH)
		memcpy(resource.octets, octets.data, HIT_LENGTH);
	else
		reader->failed = true;
	return resource;
}

void reload_write_resource(struct writer *writer, const struct hit *resource)
{
	writer_u8(writer, HIT_LENGTH);
	writer_copy(writer, resource->octets, HIT_LENGTH);
}

static void write_vector(struct writer *writer, struct span octets, unsigned width)
{
	size_t mark = writer_begin_vector(writer, width);

	writer_copy(writer, octets.data, octets.length);
	writer_end_vector(writer, mark, width);
}

/* ---- Lists ---- */

bool reload_next_kind_values(struct reader *reader, struct reload_kind_values *values)
{
	if (reader->failed || reader_left(reader) == 0)
		return false;
	values->kind = reader_u32(reader);
	values->generation = reader_u64(reader);
	values->values = reader_vector32(reader);
	return !reader->failed;
}

size_t reload_begin_kind_values(struct writer *writer, uint32_t kind, uint64_t generation)
{
	writer_u32(writer, kind);
	writer_u64(writer, generation);
	return writer_begin_vector(writer, 4);
}

void reload_end_kind_values(struct writer *writer, size_t mark)
{
	writer_end_vector(writer, mark, 4);
}

bool reload_next_store_response(struct reader *reader, struct reload_store_response *response)
{
	if (reader->failed || reader_left(reader) == 0)
		return false;
	response->kind = reader_u32(reader);
	response->generation = reader_u64(reader);
	response->replicas = reader_vector16(reader);
	if (response->replicas.length % HIT_LENGTH)
		reader->failed = true;
	return !reader->failed;
}

void reload_write_store_response(
	struct writer *writer, uint32_t kind, uint64_t generation, const struct hit *replicas, size_t count)
{
	writer_u32(writer, kind);
	writer_u64(writer, generation);
	size_t mark = writer_begin_vector(writer, 2);
	for (size_t i = 0; i < count; i++)
		writer_copy(writer, replicas[i].octets, HIT_LENGTH);
	writer_end_vector(writer, mark, 2);
}

bool reload_next_specifier(struct reader *reader, struct reload_specifier *specifier)
{
	if (reader->failed || reader_left(reader) == 0)
		return false;
	specifier->kind = reader_u32(reader);
	specifier->generation = reader_u64(reader);
	specifier->model = reader_vector16(reader);
	return !reader->failed;
}

void reload_write_specifier(struct writer *writer, uint32_t kind, uint64_t generation, struct span model)
{
	writer_u32(writer, kind);
	writer_u64(writer, generation);
	write_vector(writer, model, 2);
}

bool reload_next_found(struct reader *reader, uint32_t *kind, struct hit *closest)
{
	if (reader->failed || reader_left(reader) == 0)
		return false;
	*kind = reader_u32(reader);
	struct span octets = reader_vector8(reader);
	memset(closest, 0, sizeof(*closest));
	if (octets.length == HIT_LENGTH)
		memcpy(closest->octets, octets.data, HIT_LENGTH);
	else if (octets.length)
		reader->failed = true;
	return !reader->failed;
}

void reload_write_found(struct writer *writer, uint32_t kind, const struct hit *closest)
{
	writer_u32(writer, kind);
	if (hit_is_null(closest))
		writer_u8(writer, 0);
	else
		reload_write_resource(writer, closest);
}

/* ---- Bodies ---- */

static void parse_ping_request(struct reader *body, struct reload_message *message)
{
	message->padding = reader_vector16(body);
}

static void write_ping_request(struct writer *writer, const struct reload_message *message)
{
	write_vector(writer, message->padding, 2);
}

static void parse_ping_answer(struct reader *body, struct reload_message *message)
{
	message->ping_answer.response_id = reader_u64(body);
	message->ping_answer.time = reader_u64(body);
}

static void write_ping_answer(struct writer *writer, const struct reload_message *message)
{
	writer_u64(writer, message->ping_answer.response_id);
	writer_u64(writer, message->ping_answer.time);
}

static void parse_node_request(struct reader *body, struct reload_message *message)
{
	message->join.node = reload_read_node(body);
	message->join.data = reader_vector16(body);
}

static void write_node_request(struct writer *writer, const struct reload_message *message)
{
	writer_copy(writer, message->join.node.octets, HIT_LENGTH);
	write_vector(writer, message->join.data, 2);
}

static void parse_vector_data(struct reader *body, struct reload_message *message)
{
	message->data = reader_vector16(body);
}

static void write_vector_data(struct writer *writer, const struct reload_message *message)
{
	write_vector(writer, message->data, 2);
}

static void parse_whole_data(struct reader *body, struct reload_message *message)
{
	message->data = reader_span(body, reader_left(body));
}

static void write_whole_data(struct writer *writer, const struct reload_message *message)
{
	writer_copy(writer, message->data.data, message->data.length);
}

static void parse_empty(struct reader *body, struct reload_message *message)
{
	(void)body;
	(void)message;
}

static void write_empty(struct writer *writer, const struct reload_message *message)
{
	(void)writer;
	(void)message;
}

static void parse_route_query(struct reader *body, struct reload_message *message)
{
	struct reload_route_query_request *query = &message->route_query;
	uint8_t send_update = reader_u8(body);

	query->send_update = send_update == 1;
	query->destination_type = reader_u8(body);
	struct span destination = reader_vector8(body);
	struct reader inner = reader_over(destination.data, destination.length);
	if (query->destination_type == RELOAD_DESTINATION_NODE)
		query->destination = reload_read_node(&inner);
	else if (query->destination_type == RELOAD_DESTINATION_RESOURCE)
		query->destination = reload_read_resource(&inner);
	else
		inner.failed = true;
	if (inner.failed || reader_left(&inner) || send_update > 1)
		body->failed = true;
	query->data = reader_vector16(body);
}

static void write_route_query(struct writer *writer, const struct reload_message *message)
{
	const struct reload_route_query_request *query = &message->route_query;

	writer_u8(writer, query->send_update);
	writer_u8(writer, query->destination_type);
	size_t mark = writer_begin_vector(writer, 1);
	if (query->destination_type == RELOAD_DESTINATION_NODE)
		writer_copy(writer, query->destination.octets, HIT_LENGTH);
	else
		reload_write_resource(writer, &query->destination);
	writer_end_vector(writer, mark, 1);
	write_vector(writer, query->data, 2);
}

static void check_kind_values(struct reader *body, struct span kinds)
{
	struct reader list = reader_over(kinds.data, kinds.length);
	struct reload_kind_values values;

	while (reload_next_kind_values(&list, &values))
		;
	if (list.failed)
		body->failed = true;
}

static void parse_store_request(struct reader *body, struct reload_message *message)
{
	message->store.resource = reload_read_resource(body);
	message->store.replica_number = reader_u8(body);
	message->store.kinds = reader_vector32(body);
	check_kind_values(body, message->store.kinds);
}

static void write_store_request(struct writer *writer, const struct reload_message *message)
{
	reload_write_resource(writer, &message->store.resource);
	writer_u8(writer, message->store.replica_number);
	write_vector(writer, message->store.kinds, 4);
}

static void parse_store_answer(struct reader *body, struct reload_message *message)
{
	struct reload_store_response response;

	message->kinds = reader_vector16(body);
	struct reader list = reader_over(message->kinds.data, message->kinds.length);
	while (reload_next_store_response(&list, &response))
		;
	if (list.failed)
		body->failed = true;
}

static void parse_fetch_request(struct reader *body, struct reload_message *message)
{
	struct reload_specifier specifier;

	message->fetch.resource = reload_read_resource(body);
	message->fetch.specifiers = reader_vector16(body);
	struct reader list = reader_over(message->fetch.specifiers.data, message->fetch.specifiers.length);
	while (reload_next_specifier(&list, &specifier))
		;
	if (list.failed)
		body->failed = true;
}

static void write_fetch_request(struct writer *writer, const struct reload_message *message)
{
	reload_write_resource(writer, &message->fetch.resource);
	write_vector(writer, message->fetch.specifiers, 2);
}

static void parse_values_answer(struct reader *body, struct reload_message *message)
{
	message->kinds = reader_vector32(body);
	check_kind_values(body, message->kinds);
}

static void write_values_answer(struct writer *writer, const struct reload_message *message)
{
	write_vector(writer, message->kinds, 4);
}

static void write_list16(struct writer *writer, const struct reload_message *message)
{
	write_vector(writer, message->kinds, 2);
}

static void parse_find_request(struct reader *body, struct reload_message *message)
{
	message->find.resource = reload_read_resource(body);
	message->find.kinds = reader_vector8(body);
	if (message->find.kinds.length % 4)
		body->failed = true;
}

static void write_find_request(struct writer *writer, const struct reload_message *message)
{
	reload_write_resource(writer, &message->find.resource);
	write_vector(writer, message->find.kinds, 1);
}

static void parse_find_answer(struct reader *body, struct reload_message *message)
{
	uint32_t kind;
	struct hit closest;

	message->kinds = reader_vector16(body);
	struct reader list = reader_over(message->kinds.data, message->kinds.length);
	while (reload_next_found(&list, &kind, &closest))
		;
	if (list.failed)
		body->failed = true;
}

static void parse_error(struct reader *body, struct reload_message *message)
{
	message->error.code = reader_u16(body);
	message->error.information = reader_vector16(body);
}

static void write_error(struct writer *writer, const struct reload_message *message)
{
	writer_u16(writer, message->error.code);
	write_vector(writer, message->error.information, 2);
}

struct message_format {
	uint16_t code;
	const char *name;
	void (*parse)(struct reader *body, struct reload_message *message);
	void (*write)(struct writer *writer, const struct reload_message *message);
};

static const struct message_format formats[] = {
	{RELOAD_STORE_REQUEST, "store_req", parse_store_request, write_store_request},
	{RELOAD_STORE_ANSWER, "store_ans", parse_store_answer, write_list16},
	{RELOAD_FETCH_REQUEST, "fetch_req", parse_fetch_request, write_fetch_request},
	{RELOAD_FETCH_ANSWER, "fetch_ans", parse_values_answer, write_values_answer},
	{RELOAD_FIND_REQUEST, "find_req", parse_find_request, write_find_request},
	{RELOAD_FIND_ANSWER, "find_ans", parse_find_answer, write_list16},
	{RELOAD_JOIN_REQUEST, "join_req", parse_node_request, write_node_request},
	{RELOAD_JOIN_ANSWER, "join_ans", parse_vector_data, write_vector_data},
	{RELOAD_LEAVE_REQUEST, "leave_req", parse_node_request, write_node_request},
	{RELOAD_LEAVE_ANSWER, "leave_ans", parse_empty, write_empty},
	{RELOAD_UPDATE_REQUEST, "update_req", parse_whole_data, write_whole_data},
	{RELOAD_UPDATE_ANSWER, "update_ans", parse_empty, write_empty},
	{RELOAD_ROUTE_QUERY_REQUEST, "route_query_req", parse_route_query, write_route_query},
	{RELOAD_ROUTE_QUERY_ANSWER, "route_query_ans", parse_whole_data, write_whole_data},
	{RELOAD_PING_REQUEST, "ping_req", parse_ping_request, write_ping_request},
	{RELOAD_PING_ANSWER, "ping_ans", parse_ping_answer, write_ping_answer},
	{RELOAD_STAT_REQUEST, "stat_req", parse_fetch_request, write_fetch_request},
	{RELOAD_STAT_ANSWER, "stat_ans", parse_values_answer, write_values_answer},
	{RELOAD_ERROR, "error", parse_error, write_error},
};

static const struct message_format *format_of(uint16_t code)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i].code == code)
			return &formats[i];
	return NULL;
}

const char *reload_message_name(uint16_t code)
{
	const struct message_format *format = format_of(code);

	return format ? format->name : "unknown";
}

bool reload_is_request(uint16_t code)
{
	return code < 0x8000 && code % 2 == 1;
}

uint16_t reload_peek_code(const uint8_t *octets, size_t length)
{
	struct reader reader = reader_over(octets, length);

	return reader_u16(&reader);
}

/* ---- The whole message ---- */

static void parse_one_extension(struct reader *list, struct reload_message *message)
{
	uint16_t type = reader_u16(list);
	uint8_t critical = reader_u8(list);
	struct span octets = reader_vector32(list);
	struct reader contents = reader_over(octets.data, octets.length);

	if (critical > 1) {
		list->failed = true;
	} else if (type == RELOAD_EXTENSION_COPIES) {
		message->has_copies = true;
		message->copies = reader_u8(&contents);
		message->tombstone_s = reader_u32(&contents);
		list->failed |= contents.failed;
	} else if (type == RELOAD_EXTENSION_PARTIAL) {
		message->partial = true;
	} else if (critical) {
		message->unknown_critical_extension = true;
	}
}

static void write_extensions(struct writer *writer, const struct reload_message *message)
{
	size_t list = writer_begin_vector(writer, 4);

	if (message->has_copies) {
		writer_u16(writer, RELOAD_EXTENSION_COPIES);
		writer_u8(writer, 0);
		size_t mark = writer_begin_vector(writer, 4);
		writer_u8(writer, message->copies);
		writer_u32(writer, message->tombstone_s);
		writer_end_vector(writer, mark, 4);
	}
	if (message->partial) {
		writer_u16(writer, RELOAD_EXTENSION_PARTIAL);
		writer_u8(writer, 0);
		writer_u32(writer, 0);
	}
	writer_end_vector(writer, list, 4);
}

hiphop_error reload_message_parse(const uint8_t *octets, size_t length, struct reload_message *message)
{
	memset(message, 0, sizeof(*message));
	if (length > OVERLAY_MESSAGE_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	struct reader reader = reader_over(octets, length);
	message->code = reader_u16(&reader);
	struct span body = reader_vector32(&reader);
	struct span extensions = reader_vector32(&reader);
	if (reader.failed)
		return HIPHOP_TRUNCATED;
	if (reader_left(&reader))
		return HIPHOP_MALFORMED;
	const struct message_format *format = format_of(message->code);
	if (!format)
		return HIPHOP_UNSUPPORTED;
	struct reader inner = reader_over(body.data, body.length);
	format->parse(&inner, message);
	struct reader list = reader_over(extensions.data, extensions.length);
	while (!list.failed && reader_left(&list))
		parse_one_extension(&list, message);
	if (inner.failed || reader_left(&inner) || list.failed)
		return HIPHOP_MALFORMED;
	return HIPHOP_OK;
}

hiphop_error reload_message_write(struct writer *writer, const struct reload_message *message)
{
	const struct message_format *format = format_of(message->code);

	if (!format)
		return HIPHOP_UNSUPPORTED;
	writer_u16(writer, message->code);
	size_t body = writer_begin_vector(writer, 4);
	format->write(writer, message);
	writer_end_vector(writer, body, 4);
	write_extensions(writer, message);
	return writer_status(writer);
}
