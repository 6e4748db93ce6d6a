/* SPDX-License-Identifier: MIT */
#include "sipglue/via.h"

#include "sipglue/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char cookie[] = "z9hG4bK";

hiphop_error via_mark_source(const struct message *request, const struct path *from)
{
	char text[ENDPOINT_TEXT_SIZE], port[8];
	struct address sent_by;
	osip_via_t *via = message_via(request, 0);
	bool asked = parameter_value(&via->via_params, "rport") != NULL;
	bool same = place_literal(via->host, &sent_by) && address_equal(&sent_by, &from->remote.address);
	hiphop_error error = HIPHOP_OK;
	if (!same || asked)
		error = parameter_set(&via->via_params, "received", address_format(&from->remote.address, text));
	snprintf(port, sizeof port, "%u", from->remote.port);
	if (!error && asked)
		error = parameter_set(&via->via_params, "rport", port);
	return error;
}

struct path via_response_path(const struct message *request, const struct path *from)
{
	struct path path = *from;
	const osip_via_t *via = message_via(request, 0);
	uint16_t port;
	if (parameter_value((osip_list_t *)&via->via_params, "rport"))
		return path;
	/* The port of the Via is used even for a stream: where a new one goes if this one has closed (section 18.2.2).
	 */
	if (place_port(via->port, SIP_PORT, &port))
		path.remote.port = port;
	return path;
}

uint64_t via_routing_mark(const struct sip *sip, const struct message *request)
{
	char call_id[SIP_TEXT_SIZE], *text = NULL;
	const osip_message_t *osip = request->osip;
	uint64_t mark = message_cseq(request);
	message_call_id(request, call_id);
	if (osip_uri_to_str(osip->req_uri, &text) == OSIP_SUCCESS)
		mark = mark * 31 + engine_hash(sip, text);
	osip_free(text);
	mark = mark * 31 + engine_hash(sip, call_id);
	mark = mark * 31 + engine_hash(sip, message_tag(osip->from));
	mark = mark * 31 + engine_hash(sip, message_tag(osip->to));
	for (int i = 0; i < osip_list_size(&osip->routes); i++) {
		text = NULL;
		if (osip_route_to_str(osip_list_get(&osip->routes, i), &text) == OSIP_SUCCESS)
			mark = mark * 31 + engine_hash(sip, text);
		osip_free(text);
	}
	return mark;
}

hiphop_error via_push(
	const struct sip *sip, struct message *request, const struct path *path, uint64_t id, uint64_t mark)
{
	char address[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE + 128];
	osip_via_t *via = NULL;
	bool ipv4 = address_is_ipv4(&path->local.address);
	address_format(&path->local.address, address);
	snprintf(text, sizeof text, "SIP/2.0/%s %s%s%s:%u;rport;branch=%s%016llx%016llx", path->stream ? "TCP" : "UDP",
		ipv4 ? "" : "[", address, ipv4 ? "" : "]", sip->port, cookie, (unsigned long long)id,
		(unsigned long long)mark);
	if (osip_via_init(&via) == OSIP_SUCCESS && osip_via_parse(via, text) == OSIP_SUCCESS &&
		osip_list_add(&request->osip->vias, via, 0) >= 0)
		return HIPHOP_OK;
	osip_via_free(via);
	return HIPHOP_NO_MEMORY;
}

void via_pop(struct message *message)
{
	osip_via_t *via = message_via(message, 0);
	if (!via)
		return;
	osip_list_remove(&message->osip->vias, 0);
	osip_via_free(via);
}

/** The two halves of a branch made by via_push; false for any other. */
static bool parse_branch(const osip_via_t *via, uint64_t *id, uint64_t *mark)
{
	const char *branch = parameter_value((osip_list_t *)&via->via_params, "branch");
	size_t prefix = sizeof cookie - 1;
	char half[17] = {0};
	if (!branch || strlen(branch) != prefix + 32 || strncmp(branch, cookie, prefix) != 0)
		return false;
	if (strspn(branch + prefix, "0123456789abcdef") != 32)
		return false;
	memcpy(half, branch + prefix, 16);
	*id = strtoull(half, NULL, 16);
	memcpy(half, branch + prefix + 16, 16);
	*mark = strtoull(half, NULL, 16);
	return true;
}

bool via_transaction_id(const struct message *response, uint64_t *id)
{
	uint64_t mark;
	return parse_branch(message_via(response, 0), id, &mark);
}

bool via_is_loop(const struct message *request, uint64_t mark)
{
	uint64_t id, seen;
	for (int i = 0; i < osip_list_size(&request->osip->vias); i++)
		if (parse_branch(message_via(request, i), &id, &seen) && seen == mark)
			return true;
	return false;
}
