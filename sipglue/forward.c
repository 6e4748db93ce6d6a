/* SPDX-License-Identifier: MIT */
#include "sipglue/forward.h"

#include "sipglue/calls.h"
#include "sipglue/library_memory.h"
#include "sipglue/place.h"
#include "sipglue/route.h"
#include "sipglue/stream.h"
#include "sipglue/via.h"

#include <stdio.h>
#include <string.h>

/* Methods that may begin a dialog (RFC 3261, 6665, 3515). */
static const char *const dialog_methods[] = {"INVITE", "SUBSCRIBE", "NOTIFY", "REFER"};

static bool may_begin_dialog(const struct message *request)
{
	for (size_t i = 0; i < sizeof dialog_methods / sizeof *dialog_methods; i++)
		if (message_is(request, dialog_methods[i]))
			return true;
	return false;
}

static hiphop_error lessen_max_forwards(struct message *message)
{
	char text[8];
	uint64_t hops = 71;
	const char *value = message_header(message, "max-forwards");
	if (value && number_parse(value, 255, &hops) != HIPHOP_OK)
		hops = 71;
	snprintf(text, sizeof text, "%u", hops ? (unsigned)hops - 1 : 0);
	message_remove_header(message, "max-forwards");
	return message_add_header(message, "Max-Forwards", text);
}

static hiphop_error set_request_uri(struct message *message, const struct target *target)
{
	osip_uri_t *uri = NULL;
	if (!target->uri)
		return HIPHOP_OK;
	if (uri_copy(target->uri, &uri) != HIPHOP_OK)
		return HIPHOP_NO_MEMORY;
	osip_uri_free(message->osip->req_uri);
	message->osip->req_uri = uri;
	return HIPHOP_OK;
}

hiphop_error forward_build(const struct sip *sip, const struct message *request, const struct path *source,
	const struct target *target, uint64_t id, uint64_t mark, struct message **out)
{
	struct message *made = NULL;
	hiphop_error error = message_clone(request, &made);
	if (!error)
		error = set_request_uri(made, target);
	library_memory_watch();
	if (!error)
		error = lessen_max_forwards(made);
	if (!error && may_begin_dialog(made))
		error = route_record(sip, made, source, &target->path);
	if (!error)
		error = route_postprocess(made);
	if (!error)
		error = via_push(sip, made, &target->path, id, mark);
	if (!error && library_memory_failed())
		error = HIPHOP_NO_MEMORY;
	if (error)
		message_free(made);
	else
		*out = made;
	return error;
}

static void send_ack(struct sip *sip, const struct message *ack, const struct path *source, const struct target *target,
	uint64_t mark)
{
	struct message *made = NULL;
	struct buffer printed = {0};
	struct path path = target->path;
	hiphop_error error = forward_build(sip, ack, source, target, random_u64(sip->random), mark, &made);
	if (!error)
		error = calls_request(sip, made, source, &path);
	if (!error)
		error = message_print(made, &printed);
	if (!error)
		error = transport_send(sip, &path, (struct span){printed.data, printed.length});
	if (!error)
		sip->counters.forwarded++;
	buffer_free(&printed);
	message_free(made);
}

void forward_ack(struct sip *sip, struct message *ack, const struct path *source)
{
	char aor[SIP_TEXT_SIZE];
	struct target_set set;
	bool cached;
	uint64_t mark = via_routing_mark(sip, ack), hops = 70;
	const char *left = message_header(ack, "max-forwards");
	if (left && (number_parse(left, 255, &hops) != HIPHOP_OK || hops == 0))
		return;
	if (via_is_loop(ack, mark) || !place_uri_is_sip(ack->osip->req_uri) || route_preprocess(sip, ack) != HIPHOP_OK)
		return;
	if (targets_find(sip, ack, source, &set, aor, &cached) == TARGETS_READY)
		send_ack(sip, ack, source, &set.targets[0], mark);
	targets_free(&set);
}
