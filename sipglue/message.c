/* SPDX-License-Identifier: MIT */
#include "sipglue/message.h"

#include "sipglue/library_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char no_body_tail[] = "Content-Length: 0\r\n\r\n";

static void be_silent(const char *file, int line, osip_trace_level_t level, const char *format, va_list arguments)
{
	(void)file, (void)line, (void)level, (void)format, (void)arguments;
}

hiphop_error uri_copy(const osip_uri_t *uri, osip_uri_t **copy)
{
	library_memory_watch();
	if (osip_uri_clone(uri, copy) == OSIP_SUCCESS && !library_memory_failed())
		return HIPHOP_OK;
	osip_uri_free(*copy);
	*copy = NULL;
	return HIPHOP_NO_MEMORY;
}

void message_library_start(void)
{
	library_memory_start();
	parser_init();
	osip_trace_initialize_func(END_TRACE_LEVEL, be_silent);
}

hiphop_error number_parse(const char *text, uint64_t maximum, uint64_t *number)
{
	uint64_t value = 0;
	size_t digits = 0;
	while (*text == ' ' || *text == '\t')
		text++;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (++digits > 18)
			return HIPHOP_MALFORMED;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	while (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n')
		text++;
	if (digits == 0 || *text != 0 || value > maximum)
		return HIPHOP_MALFORMED;
	*number = value;
	return HIPHOP_OK;
}

/* ---- The bounded look at a head ---- */

/** The octets of the line at `start`, its line end included; 0 when the line end is not there yet. */
static size_t line_length(const uint8_t *octets, size_t length, size_t start)
{
	const uint8_t *end = memchr(octets + start, '\n', length - start);
	return end ? (size_t)(end - octets) - start + 1 : 0;
}

static bool line_is_empty(const uint8_t *line, size_t length)
{
	return length == 1 || (length == 2 && line[0] == '\r');
}

/** Where the value starts when `line` is a Content-Length header (or its short form "l"), else 0. */
static size_t content_length_value(const uint8_t *line, size_t length)
{
	size_t name = 0;
	if (length > 14 && strncasecmp((const char *)line, "content-length", 14) == 0)
		name = 14;
	else if (length > 1 && (line[0] == 'l' || line[0] == 'L'))
		name = 1;
	size_t colon = name;
	while (name && colon < length && (line[colon] == ' ' || line[colon] == '\t'))
		colon++;
	return name && colon < length && line[colon] == ':' ? colon + 1 : 0;
}

static hiphop_error take_content_length(const uint8_t *line, size_t length, size_t value, struct message_frame *frame)
{
	char text[24] = {0};
	uint64_t number;
	if (length - value >= sizeof text)
		return HIPHOP_MALFORMED;
	memcpy(text, line + value, length - value);
	if (number_parse(text, UINT32_MAX, &number) != HIPHOP_OK || (frame->has_length && number != frame->body_length))
		return HIPHOP_MALFORMED;
	frame->has_length = true;
	frame->body_length = (size_t)number;
	return HIPHOP_OK;
}

hiphop_error message_scan(const uint8_t *octets, size_t length, struct message_frame *frame)
{
	size_t position = 0, lines = 0, commas = 0;
	memset(frame, 0, sizeof *frame);
	while (position < length) {
		size_t line = line_length(octets, length, position);
		size_t seen = line ? line : length - position;
		if (position + seen > MESSAGE_HEAD_MAXIMUM || ++lines > MESSAGE_LINES_MAXIMUM)
			return HIPHOP_TOO_LARGE;
		if (line == 0)
			return HIPHOP_OK;
		const uint8_t *text = octets + position;
		for (size_t i = 0; i < line; i++) {
			commas += text[i] == ',';
			if (text[i] == 0)
				return HIPHOP_MALFORMED;
		}
		if (commas > MESSAGE_COMMAS_MAXIMUM)
			return HIPHOP_TOO_LARGE;
		position += line;
		size_t value = content_length_value(text, line);
		if (value && take_content_length(text, line, value, frame) != HIPHOP_OK)
			return HIPHOP_MALFORMED;
		if (line_is_empty(text, line)) {
			frame->head_length = position;
			return frame->body_length > SIP_MESSAGE_MAXIMUM - position ? HIPHOP_TOO_LARGE : HIPHOP_OK;
		}
	}
	return HIPHOP_OK;
}

/** The head without Content-Length lines (the body goes its own way), with a zero at its end. */
static char *copy_head(const uint8_t *octets, size_t head_length, size_t *copied)
{
	char *head = malloc(head_length + 1);
	size_t position = 0;
	*copied = 0;
	while (head && position < head_length) {
		size_t line = line_length(octets, head_length, position);
		if (!content_length_value(octets + position, line)) {
			memcpy(head + *copied, octets + position, line);
			*copied += line;
		}
		position += line;
	}
	if (head)
		head[*copied] = 0;
	return head;
}

/* ---- Parse ---- */

static bool party_is_good(const osip_from_t *party)
{
	return party && party->url && party->url->scheme;
}

static bool cseq_is_good(const osip_message_t *osip)
{
	uint64_t number;
	if (!osip->cseq || !osip->cseq->method || !osip->cseq->number)
		return false;
	return number_parse(osip->cseq->number, INT32_MAX, &number) == HIPHOP_OK;
}

static bool vias_are_good(const osip_message_t *osip)
{
	int count = osip_list_size(&osip->vias);
	if (count < 1 || count > MESSAGE_VIAS_MAXIMUM)
		return false;
	for (int i = 0; i < count; i++) {
		const osip_via_t *via = osip_list_get(&osip->vias, i);
		if (!via->host || !via->protocol || !via->version)
			return false;
	}
	return true;
}

/** The mandatory headers of RFC 3261 section 8.1.1. */
static bool is_complete(const osip_message_t *osip)
{
	if (MSG_IS_REQUEST(osip) && (!osip->sip_method || !osip->req_uri || !osip->req_uri->scheme))
		return false;
	if (MSG_IS_RESPONSE(osip) && (osip->status_code < 100 || osip->status_code > 699))
		return false;
	if (!osip->sip_version || !osip->call_id || !osip->call_id->number)
		return false;
	return party_is_good(osip->from) && party_is_good(osip->to) && cseq_is_good(osip) && vias_are_good(osip);
}

static hiphop_error parse_head(struct message *message, const uint8_t *octets, size_t head_length)
{
	size_t length;
	char *head = copy_head(octets, head_length, &length);
	if (!head)
		return HIPHOP_NO_MEMORY;
	library_memory_watch();
	int result = osip_message_init(&message->osip);
	if (result == OSIP_SUCCESS)
		result = osip_message_parse(message->osip, head, length);
	free(head);
	if (result == OSIP_NOMEM || library_memory_failed())
		return HIPHOP_NO_MEMORY;
	return result == OSIP_SUCCESS && is_complete(message->osip) ? HIPHOP_OK : HIPHOP_MALFORMED;
}

static hiphop_error set_body(struct message *message, const uint8_t *body, size_t length)
{
	if (length == 0)
		return HIPHOP_OK;
	message->body = malloc(length);
	if (!message->body)
		return HIPHOP_NO_MEMORY;
	memcpy(message->body, body, length);
	message->body_length = length;
	return HIPHOP_OK;
}

hiphop_error message_parse(const uint8_t *octets, size_t length, struct message **message)
{
	struct message_frame frame;
	hiphop_error error = message_scan(octets, length, &frame);
	if (error)
		return error;
	if (frame.head_length == 0)
		return HIPHOP_TRUNCATED;
	size_t body = frame.has_length ? frame.body_length : length - frame.head_length;
	if (body > length - frame.head_length)
		return HIPHOP_TRUNCATED;
	struct message *made = calloc(1, sizeof *made);
	if (!made)
		return HIPHOP_NO_MEMORY;
	error = parse_head(made, octets, frame.head_length);
	if (!error)
		error = set_body(made, octets + frame.head_length, body);
	if (error)
		message_free(made);
	else
		*message = made;
	return error;
}

hiphop_error message_clone(const struct message *message, struct message **copy)
{
	struct message *made = calloc(1, sizeof *made);
	library_memory_watch();
	if (!made || osip_message_clone(message->osip, &made->osip) != OSIP_SUCCESS || library_memory_failed() ||
		set_body(made, message->body, message->body_length) != HIPHOP_OK) {
		message_free(made);
		return HIPHOP_NO_MEMORY;
	}
	*copy = made;
	return HIPHOP_OK;
}

void message_free(struct message *message)
{
	if (!message)
		return;
	osip_message_free(message->osip);
	free(message->body);
	free(message);
}

/* ---- Print ---- */

hiphop_error message_print(const struct message *message, struct buffer *out)
{
	char *text = NULL;
	char length_line[48];
	size_t length = 0, tail = sizeof no_body_tail - 1;
	osip_message_force_update(message->osip);
	if (osip_message_to_str(message->osip, &text, &length) != OSIP_SUCCESS)
		return HIPHOP_NO_MEMORY;
	if (length < tail || memcmp(text + length - tail, no_body_tail, tail) != 0) {
		osip_free(text);
		return HIPHOP_MALFORMED;
	}
	length -= tail;
	size_t line =
		(size_t)snprintf(length_line, sizeof length_line, "Content-Length: %zu\r\n\r\n", message->body_length);
	out->length = length + line + message->body_length;
	out->data = out->length <= SIP_MESSAGE_MAXIMUM ? malloc(out->length) : NULL;
	if (out->data) {
		memcpy(out->data, text, length);
		memcpy(out->data + length, length_line, line);
		if (message->body_length)
			memcpy(out->data + length + line, message->body, message->body_length);
	}
	osip_free(text);
	if (out->data)
		return HIPHOP_OK;
	return out->length > SIP_MESSAGE_MAXIMUM ? HIPHOP_TOO_LARGE : HIPHOP_NO_MEMORY;
}

/* ---- Build ---- */

static int clone_via(void *from, void **to)
{
	return osip_via_clone(from, (osip_via_t **)to);
}

static int clone_route(void *from, void **to)
{
	return osip_route_clone(from, (osip_route_t **)to);
}

/** From, To, Call-ID, and CSeq with the method `method`. */
static bool copy_identity(osip_message_t *to, const osip_message_t *from, const osip_to_t *party, const char *method)
{
	if (osip_from_clone(from->from, &to->from) != 0 || osip_to_clone(party, &to->to) != 0)
		return false;
	if (osip_call_id_clone(from->call_id, &to->call_id) != 0 || osip_cseq_clone(from->cseq, &to->cseq) != 0)
		return false;
	osip_free(to->cseq->method);
	to->cseq->method = osip_strdup(method);
	return to->cseq->method != NULL;
}

static struct message *message_new(void)
{
	struct message *made = calloc(1, sizeof *made);
	if (made && osip_message_init(&made->osip) == OSIP_SUCCESS) {
		osip_message_set_version(made->osip, osip_strdup("SIP/2.0"));
		if (made->osip->sip_version)
			return made;
	}
	message_free(made);
	return NULL;
}

hiphop_error message_response(const struct message *request, int status, const char *to_tag, struct message **response)
{
	library_memory_watch();
	struct message *made = message_new();
	if (!made)
		return HIPHOP_NO_MEMORY;
	const osip_message_t *from = request->osip;
	const char *reason = osip_message_get_reason(status);
	osip_message_set_status_code(made->osip, status);
	osip_message_set_reason_phrase(made->osip, osip_strdup(reason ? reason : "Error"));
	bool good = copy_identity(made->osip, from, from->to, from->cseq->method) && made->osip->reason_phrase;
	good = good && osip_list_clone(&from->vias, &made->osip->vias, clone_via) == 0;
	if (good && to_tag && *message_tag(made->osip->to) == 0)
		good = parameter_set(&made->osip->to->gen_params, "tag", to_tag) == HIPHOP_OK;
	if (!good || library_memory_failed()) {
		message_free(made);
		return HIPHOP_NO_MEMORY;
	}
	*response = made;
	return HIPHOP_OK;
}

/** ACK and CANCEL: the Request-URI, top Via and Routes of the request they belong to. */
static hiphop_error same_hop_request(
	const struct message *request, const osip_to_t *to, const char *method, struct message **out)
{
	library_memory_watch();
	struct message *made = message_new();
	if (!made)
		return HIPHOP_NO_MEMORY;
	const osip_message_t *from = request->osip;
	osip_via_t *via = NULL;
	osip_message_set_method(made->osip, osip_strdup(method));
	bool good = made->osip->sip_method && osip_uri_clone(from->req_uri, &made->osip->req_uri) == 0;
	good = good && copy_identity(made->osip, from, to, method);
	good = good && osip_list_clone(&from->routes, &made->osip->routes, clone_route) == 0;
	good = good && osip_via_clone(message_via(request, 0), &via) == 0;
	if (good && osip_list_add(&made->osip->vias, via, 0) < 0) {
		osip_via_free(via);
		good = false;
	}
	good = good && message_add_header(made, "Max-Forwards", "70") == HIPHOP_OK;
	if (!good || library_memory_failed()) {
		message_free(made);
		return HIPHOP_NO_MEMORY;
	}
	*out = made;
	return HIPHOP_OK;
}

hiphop_error message_ack(const struct message *invite, const struct message *response, struct message **ack)
{
	return same_hop_request(invite, response->osip->to, "ACK", ack);
}

hiphop_error message_cancel(const struct message *request, struct message **cancel)
{
	return same_hop_request(request, request->osip->to, "CANCEL", cancel);
}

/* ---- Look and edit ---- */

bool message_is_request(const struct message *message)
{
	return MSG_IS_REQUEST(message->osip);
}

bool message_is(const struct message *message, const char *method)
{
	return MSG_IS_REQUEST(message->osip) && strcmp(message->osip->sip_method, method) == 0;
}

const char *message_method(const struct message *message)
{
	return message->osip->cseq->method;
}

osip_via_t *message_via(const struct message *message, int index)
{
	return osip_list_get(&message->osip->vias, index);
}

const char *message_header(const struct message *message, const char *name)
{
	osip_header_t *header = NULL;
	osip_message_header_get_byname(message->osip, name, 0, &header);
	if (!header)
		return NULL;
	return header->hvalue ? header->hvalue : "";
}

hiphop_error message_add_header(struct message *message, const char *name, const char *value)
{
	return osip_message_set_header(message->osip, name, value) == OSIP_SUCCESS ? HIPHOP_OK : HIPHOP_NO_MEMORY;
}

void message_remove_header(struct message *message, const char *name)
{
	osip_list_t *headers = &message->osip->headers;
	for (int i = osip_list_size(headers) - 1; i >= 0; i--) {
		osip_header_t *header = osip_list_get(headers, i);
		if (header->hname && strcasecmp(header->hname, name) == 0) {
			osip_list_remove(headers, i);
			osip_header_free(header);
		}
	}
}

static osip_generic_param_t *parameter_find(osip_list_t *parameters, const char *name)
{
	for (int i = 0; i < osip_list_size(parameters); i++) {
		osip_generic_param_t *parameter = osip_list_get(parameters, i);
		if (parameter->gname && strcasecmp(parameter->gname, name) == 0)
			return parameter;
	}
	return NULL;
}

const char *parameter_value(osip_list_t *parameters, const char *name)
{
	const osip_generic_param_t *parameter = parameter_find(parameters, name);
	if (!parameter)
		return NULL;
	return parameter->gvalue ? parameter->gvalue : "";
}

hiphop_error parameter_set(osip_list_t *parameters, const char *name, const char *value)
{
	char *copy = value ? osip_strdup(value) : NULL;
	if (value && !copy)
		return HIPHOP_NO_MEMORY;
	osip_generic_param_t *parameter = parameter_find(parameters, name);
	if (parameter) {
		osip_free(parameter->gvalue);
		parameter->gvalue = copy;
		return HIPHOP_OK;
	}
	char *name_copy = osip_strdup(name);
	if (name_copy && osip_generic_param_add(parameters, name_copy, copy) == OSIP_SUCCESS)
		return HIPHOP_OK;
	osip_free(name_copy);
	osip_free(copy);
	return HIPHOP_NO_MEMORY;
}

const char *message_tag(osip_from_t *party)
{
	const char *tag = parameter_value(&party->gen_params, "tag");
	return tag ? tag : "";
}

void message_call_id(const struct message *message, char text[static SIP_TEXT_SIZE])
{
	const osip_call_id_t *id = message->osip->call_id;
	snprintf(text, SIP_TEXT_SIZE, "%s%s%s", id->number, id->host ? "@" : "", id->host ? id->host : "");
}

uint32_t message_cseq(const struct message *message)
{
	uint64_t number = 0;
	number_parse(message->osip->cseq->number, INT32_MAX, &number);
	return (uint32_t)number;
}
