/* SPDX-License-Identifier: MIT */
#include "sipglue/calls.h"

#include "sipglue/media_relay.h"
#include "sipglue/place.h"
#include "sipglue/sdp_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Phones of this host that may take part in one call (forks, and both ends of a call inside the host). */
#define CALL_PHONES_MAXIMUM 4

struct call {
	TAILQ_ENTRY(call) link;
	char call_id[SIP_TEXT_SIZE];
	char caller[SIP_TEXT_SIZE], callee[SIP_TEXT_SIZE];
	struct hit peer;
	bool answered;
	unsigned ringing; /* branches of the first INVITE without final response */
	instant started;
	struct endpoint phones[CALL_PHONES_MAXIMUM];
	size_t phone_count;
	bool open; /* SIP_MEDIA_OPEN was said */
	struct sip_media_port ports[SIP_MEDIA_PORTS_MAXIMUM];
	size_t port_count;
	struct relay_list relays; /* for each pair of ends that needs one */
	struct deadline deadline;
};

struct hit calls_peer(const struct sip *sip, const struct address *from, const struct address *to)
{
	if (!place_is_own(sip, from))
		return place_hit(from);
	return place_is_own(sip, to) ? sip->self : place_hit(to);
}

static struct call *call_find(
	const struct sip *sip, const struct message *message, const struct path *from, const struct path *to)
{
	char call_id[SIP_TEXT_SIZE];
	struct hit peer = calls_peer(sip, &from->remote.address, &to->remote.address);
	struct call *each;
	message_call_id(message, call_id);
	TAILQ_FOREACH(each, &sip->calls, link)
	if (strcmp(each->call_id, call_id) == 0 && hit_equal(&each->peer, &peer))
		return each;
	return NULL;
}

static void copy_uri(const osip_uri_t *uri, char text[static SIP_TEXT_SIZE])
{
	char *printed = NULL;
	text[0] = 0;
	if (osip_uri_to_str(uri, &printed) == OSIP_SUCCESS)
		snprintf(text, SIP_TEXT_SIZE, "%s", printed);
	osip_free(printed);
}

static void tell(struct sip *sip, const struct call *call, sip_event event, int status)
{
	effect_push(sip, &(struct sip_effect){.kind = SIP_EVENT,
				 .event = event,
				 .status = (uint16_t)status,
				 .aor = call->callee,
				 .contact = call->caller,
				 .call_id = call->call_id,
				 .hit = call->peer});
}

/** One other host may have a quarter of all. */
static bool is_over_limit(const struct sip *sip, const struct hit *peer)
{
	size_t count = 0;
	const struct call *call;
	TAILQ_FOREACH(call, &sip->calls, link)
	count += hit_equal(&call->peer, peer);
	return sip->call_count >= sip->limits.calls ||
	       (!hit_equal(peer, &sip->self) && count >= (sip->limits.calls + 3) / 4);
}

static struct call *call_new(
	struct sip *sip, const struct message *request, const struct path *from, const struct path *to)
{
	struct hit peer = calls_peer(sip, &from->remote.address, &to->remote.address);
	if (is_over_limit(sip, &peer) || engine_admit_deadlines(sip, 1) != HIPHOP_OK) {
		sip->counters.limited++;
		return NULL;
	}
	struct call *made = calloc(1, sizeof *made);
	if (!made) {
		sip->deadlines_admitted--;
		return NULL;
	}
	message_call_id(request, made->call_id);
	copy_uri(request->osip->from->url, made->caller);
	copy_uri(request->osip->to->url, made->callee);
	made->peer = peer;
	made->started = sip->now;
	LIST_INIT(&made->relays);
	TAILQ_INSERT_TAIL(&sip->calls, made, link);
	sip->call_count++;
	tell(sip, made, SIP_EVENT_CALL_STARTED, 0);
	return made;
}

static void call_free(struct sip *sip, struct call *call)
{
	if (call->open)
		effect_push(sip,
			&(struct sip_effect){.kind = SIP_MEDIA_CLOSE, .call_id = call->call_id, .hit = call->peer});
	relays_free(sip, &call->relays, NULL);
	engine_retire_deadline(sip, &call->deadline);
	TAILQ_REMOVE(&sip->calls, call, link);
	sip->call_count--;
	free(call);
}

static void call_end(struct sip *sip, struct call *call, sip_event event, int status)
{
	tell(sip, call, event, status);
	call_free(sip, call);
}

void calls_free(struct sip *sip)
{
	while (!TAILQ_EMPTY(&sip->calls))
		call_free(sip, TAILQ_FIRST(&sip->calls));
}

void call_deadline(struct sip *sip, struct call *call)
{
	call_end(sip, call, SIP_EVENT_CALL_ENDED, 0);
}

/* ---- What our phone says ---- */

static void note_phone(const struct sip *sip, struct call *call, const struct message *message)
{
	struct path path;
	const osip_contact_t *contact = osip_list_get(&message->osip->contacts, 0);
	if (!contact || !contact->url || !place_uri_path(sip, contact->url, &path))
		return;
	if (!place_is_own(sip, &path.remote.address) || place_uri_is_proxy(sip, contact->url))
		return;
	for (size_t i = 0; i < call->phone_count; i++)
		if (endpoint_equal(&call->phones[i], &path.remote))
			return;
	if (call->phone_count < CALL_PHONES_MAXIMUM)
		call->phones[call->phone_count++] = path.remote;
}

static void note_media(struct sip *sip, struct call *call, const struct message *message)
{
	struct sip_media_port ports[SIP_MEDIA_PORTS_MAXIMUM] = {0};
	size_t count;
	if (hit_equal(&call->peer, &sip->self) || !sdp_media_ports(message, ports, &count))
		return;
	if (call->open && call->port_count == count && memcmp(call->ports, ports, sizeof ports) == 0)
		return;
	memcpy(call->ports, ports, sizeof ports);
	call->port_count = count;
	call->open = true;
	struct sip_effect effect = {
		.kind = SIP_MEDIA_OPEN, .call_id = call->call_id, .hit = call->peer, .port_count = count};
	memcpy(effect.ports, ports, sizeof ports);
	effect_push(sip, &effect);
}

static void note(struct sip *sip, struct call *call, const struct message *message, const struct path *from)
{
	engine_set_deadline(sip, &call->deadline, DEADLINE_CALL, call, CALL_IDLE_LIMIT);
	if (!place_is_own(sip, &from->remote.address))
		return;
	note_phone(sip, call, message);
	note_media(sip, call, message);
}

/* ---- Media that is relayed ---- */

/** Rewrites the SDP of a message of the call, when the media between its ends is relayed. */
static hiphop_error relay_media(
	struct sip *sip, struct call *call, struct message *message, const struct path *from, const struct path *to)
{
	struct buffer written;
	unsigned side = 0;
	struct relay *relay = relay_find(&call->relays, from, to, &side);
	hiphop_error error = HIPHOP_OK;
	if (!relay && message_is(message, "INVITE") && relay_is_needed(sip, from, to))
		error = relay_make(sip, &call->relays, call->call_id, from, to, &relay);
	if (error || !relay || !sdp_is_body(message))
		return error;
	error = relay_describe(sip, relay, side, (struct span){message->body, message->body_length}, &written);
	if (error)
		return error;
	free(message->body);
	message->body = written.data;
	message->body_length = written.length;
	return HIPHOP_OK;
}

/** The phone that answered has the call; what was prepared for others goes. */
static void keep_relay(struct sip *sip, struct call *call, const struct path *from, const struct path *to)
{
	unsigned side;
	relays_free(sip, &call->relays, relay_find(&call->relays, from, to, &side));
}

/* ---- What passes ---- */

static bool answers_invite(const struct message *message)
{
	return strcmp(message_method(message), "INVITE") == 0;
}

hiphop_error calls_request(struct sip *sip, struct message *request, const struct path *from, const struct path *to)
{
	struct call *call = call_find(sip, request, from, to);
	bool first = message_is(request, "INVITE") && *message_tag(request->osip->to) == 0;
	if (!call && first)
		call = call_new(sip, request, from, to);
	if (!call)
		return first && relay_is_needed(sip, from, to) ? HIPHOP_LIMITED : HIPHOP_OK;
	if (message_is(request, "BYE")) {
		call_end(sip, call, SIP_EVENT_CALL_ENDED, 0);
		return HIPHOP_OK;
	}
	if (first)
		call->ringing++;
	hiphop_error error = relay_media(sip, call, request, from, to);
	if (!error)
		note(sip, call, request, from);
	return error;
}

/** One branch of the first INVITE is over without success. */
static void branch_over(struct sip *sip, struct call *call, int status)
{
	if (call->ringing)
		call->ringing--;
	if (!call->answered && call->ringing == 0)
		call_end(sip, call, SIP_EVENT_CALL_FAILED, status);
}

void calls_response(struct sip *sip, struct message *response, const struct path *from, const struct path *to)
{
	struct call *call = call_find(sip, response, from, to);
	int status = response->osip->status_code;
	bool invite = answers_invite(response);
	if (!call)
		return;
	if (invite && status >= 300) {
		branch_over(sip, call, status);
		return;
	}
	/* One that cannot be read goes on as it is: without media, but the caller hears of it and can end the call. */
	if (relay_media(sip, call, response, from, to) != HIPHOP_OK)
		log_write(sip->log, LOG_LEVEL_DEBUG, "the media of an answer cannot be relayed");
	note(sip, call, response, from);
	if (invite && status >= 200 && !call->answered) {
		call->answered = true;
		keep_relay(sip, call, from, to);
		tell(sip, call, SIP_EVENT_CALL_ANSWERED, status);
	}
}

void calls_branch_failed(
	struct sip *sip, const struct message *request, const struct path *from, const struct path *to, int status)
{
	struct call *call = call_find(sip, request, from, to);
	if (call && message_is(request, "INVITE"))
		branch_over(sip, call, status);
}

bool calls_know(const struct sip *sip, const struct message *message, const struct hit *peer)
{
	char call_id[SIP_TEXT_SIZE];
	const struct call *call;
	message_call_id(message, call_id);
	TAILQ_FOREACH(call, &sip->calls, link)
	if (strcmp(call->call_id, call_id) == 0 && hit_equal(&call->peer, peer))
		return true;
	return false;
}

bool calls_reach(const struct sip *sip, const struct hit *peer, const struct path *path)
{
	const struct call *call;
	TAILQ_FOREACH(call, &sip->calls, link)
	for (size_t i = 0; hit_equal(&call->peer, peer) && i < call->phone_count; i++)
		if (endpoint_equal(&call->phones[i], &path->remote))
			return true;
	return false;
}

void sip_walk_calls(const struct sip *sip, instant now,
	void (*visit)(void *context, const struct sip_call_status *status), void *context)
{
	const struct call *call;
	TAILQ_FOREACH(call, &sip->calls, link)
	{
		struct sip_call_status status = {.call_id = call->call_id,
			.caller = call->caller,
			.callee = call->callee,
			.peer = call->peer,
			.answered = call->answered,
			.age_s = (uint32_t)((now - call->started) / SECONDS(1))};
		visit(context, &status);
	}
}
