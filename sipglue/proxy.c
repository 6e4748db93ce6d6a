/* SPDX-License-Identifier: MIT */
#include "sipglue/proxy.h"

#include "sipglue/calls.h"
#include "sipglue/forking.h"
#include "sipglue/place.h"
#include "sipglue/registrar.h"
#include "sipglue/route.h"
#include "sipglue/targets.h"
#include "sipglue/transaction.h"
#include "sipglue/via.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How often one name may point to another. */
#define REDIRECTS_MAXIMUM 3

static const char allowed_here[] = "REGISTER, OPTIONS";

/* ---- Validation, section 16.3 ---- */

static int check_max_forwards(const struct message *request)
{
	uint64_t hops;
	const char *value = message_header(request, "max-forwards");
	if (!value)
		return 0;
	if (number_parse(value, 255, &hops) != HIPHOP_OK)
		return 400;
	return hops == 0 ? 483 : 0;
}

static int validate(const struct message *request, uint64_t mark)
{
	const osip_message_t *osip = request->osip;
	if (strcasecmp(osip->sip_version, "SIP/2.0") != 0)
		return 505;
	if (strcmp(osip->cseq->method, osip->sip_method) != 0)
		return 400;
	if (!place_uri_is_sip(osip->req_uri))
		return 416;
	if (!osip->req_uri->host || osip_list_size(&osip->routes) > SIP_FORKS_MAXIMUM * 4)
		return 400;
	int status = check_max_forwards(request);
	if (status)
		return status;
	return via_is_loop(request, mark) ? 482 : 0;
}

/* ---- Requests for ourselves ---- */

static void answer_options(struct sip *sip, struct transaction *transaction)
{
	struct message *response = NULL;
	hiphop_error error = message_response(transaction->request, 200, transaction->to_tag, &response);
	if (!error)
		error = message_add_header(response, "Allow", allowed_here);
	if (!error)
		error = message_add_header(response, "Accept", "application/sdp");
	if (!error)
		error = transaction_respond(sip, transaction, response);
	message_free(response);
	if (error)
		transaction_answer(sip, transaction, 500, NULL, NULL);
}

static bool has_needed_body(const struct message *request)
{
	const char *disposition = message_header(request, "content-disposition");
	return request->body_length > 0 && !(disposition && strstr(disposition, "optional"));
}

/** As a server, section 8.2: extensions and bodies that we do not know are refused. True when answered. */
static bool refuse_as_server(struct sip *sip, struct transaction *transaction)
{
	const char *require = message_header(transaction->request, "require");
	if (require)
		transaction_answer(sip, transaction, 420, "Unsupported", require);
	else if (has_needed_body(transaction->request))
		transaction_answer(sip, transaction, 415, "Accept", "");
	return require || transaction_is_final(transaction);
}

/** True when the Request-URI names this proxy and no user of it. */
static bool is_for_us(const struct sip *sip, const struct message *request)
{
	const osip_uri_t *uri = request->osip->req_uri;
	bool user = uri->username && *uri->username;
	bool ours = place_uri_is_proxy(sip, uri) || place_uri_in_domain(sip, uri);
	return ours && (!user || message_is(request, "REGISTER"));
}

static void serve(struct sip *sip, struct transaction *transaction, const struct message *request)
{
	bool registers = message_is(request, "REGISTER"), asks = message_is(request, "OPTIONS");
	if (!registers && !asks) {
		bool name = place_uri_in_domain(sip, request->osip->req_uri);
		transaction_answer(sip, transaction, name ? 484 : 405, name ? NULL : "Allow", allowed_here);
		return;
	}
	if (refuse_as_server(sip, transaction))
		return;
	if (registers)
		registrar_request(sip, transaction);
	else
		answer_options(sip, transaction);
}

/* ---- On the way ---- */

static void start_lookup(struct sip *sip, struct response_context *context)
{
	context_wait_for(sip, context, WAIT_LOOKUP);
	effect_push(sip, &(struct sip_effect){.kind = SIP_RESOLVE, .token = context->token, .aor = context->aor});
}

static void find_and_forward(struct sip *sip, struct response_context *context)
{
	int status = targets_find(
		sip, context->request, &context->source, &context->targets, context->aor, &context->from_cache);
	if (status == TARGETS_LOOKUP)
		start_lookup(sip, context);
	else if (status == TARGETS_READY)
		context_forward(sip, context);
	else
		context_answer(sip, context, status);
}

/** Whether the From of a request from another host is its own. 0 = yes or not our business, 403, or -1 with the name to
 * ask for. */
static int check_caller(
	const struct sip *sip, const struct message *request, const struct path *source, char aor[static SIP_TEXT_SIZE])
{
	const osip_uri_t *from = request->osip->from->url;
	struct hit peer = place_hit(&source->remote.address);
	struct address literal;
	if (place_is_own(sip, &source->remote.address) || !from->host)
		return 0;
	if (*message_tag(request->osip->to) && calls_know(sip, request, &peer))
		return 0;
	if (place_literal(from->host, &literal))
		return address_equal(&literal, &source->remote.address) ? 0 : 403;
	if (strcasecmp(from->host, sip->domain) != 0)
		return 0;
	if (place_aor(from, sip->domain, aor) != HIPHOP_OK)
		return 403;
	return caller_is_verified(sip, aor, &peer) ? 0 : -1;
}

static void begin(struct sip *sip, struct response_context *context)
{
	int status = check_caller(sip, context->request, &context->source, context->aor);
	if (status == 0) {
		find_and_forward(sip, context);
		return;
	}
	if (status > 0) {
		context_answer(sip, context, status);
		return;
	}
	context_wait_for(sip, context, WAIT_CALLER);
	effect_push(sip, &(struct sip_effect){.kind = SIP_VERIFY_CALLER,
				 .token = context->token,
				 .aor = context->aor,
				 .hit = place_hit(&context->source.remote.address)});
}

void sip_caller_verified(struct sip *sip, instant now, uint64_t token, hiphop_error error)
{
	sip->now = now;
	struct response_context *context = context_take_token(sip, token, WAIT_CALLER);
	if (!context)
		return;
	if (error) {
		context_answer(sip, context, error == HIPHOP_TIMEOUT ? 504 : 403);
		return;
	}
	struct hit peer = place_hit(&context->source.remote.address);
	caller_keep(sip, context->aor, &peer);
	find_and_forward(sip, context);
}

/** The overlay says that the name is another one (sip_registration_uri, RFC 7904 section 3.2). */
static void follow_name(struct sip *sip, struct response_context *context, const char *aor)
{
	char text[SIP_TEXT_SIZE + 8];
	osip_uri_t *uri = NULL;
	snprintf(text, sizeof text, "sip:%s", aor);
	if (++context->redirects > REDIRECTS_MAXIMUM) {
		context_answer(sip, context, 482);
		return;
	}
	if (osip_uri_init(&uri) != OSIP_SUCCESS || osip_uri_parse(uri, text) != OSIP_SUCCESS ||
		!place_uri_in_domain(sip, uri)) {
		osip_uri_free(uri);
		context_answer(sip, context, 404);
		return;
	}
	osip_uri_free(context->request->osip->req_uri);
	context->request->osip->req_uri = uri;
	find_and_forward(sip, context);
}

static int status_of_lookup(hiphop_error error)
{
	switch (error) {
	case HIPHOP_NOT_FOUND:
		return 404;
	case HIPHOP_REFUSED:
		return 403;
	case HIPHOP_TIMEOUT:
		return 504;
	default:
		return 500;
	}
}

void sip_resolved(struct sip *sip, instant now, uint64_t token, hiphop_error error, const struct sip_target *targets,
	size_t count)
{
	struct hit hits[SIP_FORKS_MAXIMUM];
	size_t hit_count = 0;
	const char *other = NULL;
	sip->now = now;
	struct response_context *context = context_take_token(sip, token, WAIT_LOOKUP);
	if (!context)
		return;
	if (error) {
		context_answer(sip, context, status_of_lookup(error));
		return;
	}
	for (size_t i = 0; i < count && hit_count < SIP_FORKS_MAXIMUM; i++) {
		if (targets[i].aor)
			other = other ? other : targets[i].aor;
		else
			hits[hit_count++] = targets[i].hit;
	}
	if (hit_count == 0 && other) {
		follow_name(sip, context, other);
		return;
	}
	lookup_keep(sip, context->aor, hits, hit_count);
	int status = targets_hosts(sip, hits, hit_count, &context->targets);
	if (status == TARGETS_READY)
		context_forward(sip, context);
	else
		context_answer(sip, context, status);
}

/** The context of a request that is to be forwarded. */
static void open_context(struct sip *sip, struct transaction *transaction, struct message *request, uint64_t mark)
{
	struct response_context *context;
	if (message_is(request, "INVITE"))
		transaction_answer(sip, transaction, 100, NULL, NULL);
	if (context_make(sip, transaction, request, mark, &context) != HIPHOP_OK)
		transaction_answer(sip, transaction, 500, NULL, NULL);
	else
		begin(sip, context);
}

void proxy_request(struct sip *sip, struct transaction *transaction)
{
	struct message *request = NULL;
	uint64_t mark = via_routing_mark(sip, transaction->request);
	int status = validate(transaction->request, mark);
	const char *proxy_require = message_header(transaction->request, "proxy-require");
	if (status || proxy_require) {
		transaction_answer(
			sip, transaction, status ? status : 420, status ? NULL : "Unsupported", proxy_require);
		return;
	}
	if (message_clone(transaction->request, &request) != HIPHOP_OK || route_preprocess(sip, request) != HIPHOP_OK) {
		message_free(request);
		transaction_answer(sip, transaction, 500, NULL, NULL);
	} else if (is_for_us(sip, request) && !route_top(request)) {
		serve(sip, transaction, request);
		message_free(request);
	} else if (message_is(request, "REGISTER")) {
		/* Registrations of this host are for this domain alone. */
		message_free(request);
		bool own = place_is_own(sip, &transaction->source.remote.address);
		transaction_answer(sip, transaction, own ? 404 : 403, NULL, NULL);
	} else {
		open_context(sip, transaction, request, mark);
	}
}

void proxy_cancel(struct sip *sip, struct transaction *transaction)
{
	struct transaction *invite = transaction_find_cancelled(sip, transaction->request);
	if (!invite) {
		/* Nothing is ever forwarded without a transaction here, so there is nothing to cancel further on. */
		transaction_answer(sip, transaction, 481, NULL, NULL);
		return;
	}
	memcpy(transaction->to_tag, invite->to_tag, sizeof transaction->to_tag);
	transaction_answer(sip, transaction, 200, NULL, NULL);
	if (invite->owner && !transaction_is_final(invite))
		context_cancel(sip, invite->owner);
}
