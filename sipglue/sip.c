/* SPDX-License-Identifier: MIT */
#include "sipglue/sip.h"

#include "sipglue/bindings.h"
#include "sipglue/calls.h"
#include "sipglue/forking.h"
#include "sipglue/forward.h"
#include "sipglue/media_relay.h"
#include "sipglue/place.h"
#include "sipglue/proxy.h"
#include "sipglue/registrar.h"
#include "sipglue/stream.h"
#include "sipglue/transaction.h"
#include "sipglue/via.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMAIN_MAXIMUM 200

/* ---- What all parts use ---- */

hiphop_error engine_admit_deadlines(struct sip *sip, size_t count)
{
	hiphop_error error = deadline_heap_reserve(&sip->deadlines, sip->deadlines_admitted + count);
	if (!error)
		sip->deadlines_admitted += count;
	return error;
}

void engine_retire_deadline(struct sip *sip, struct deadline *deadline)
{
	deadline_cancel(&sip->deadlines, deadline);
	sip->deadlines_admitted--;
}

void engine_set_deadline(struct sip *sip, struct deadline *deadline, int kind, void *owner, duration after)
{
	deadline->kind = kind;
	deadline->owner = owner;
	deadline_set(&sip->deadlines, deadline, instant_after(sip->now, after));
}

uint64_t engine_hash(const struct sip *sip, const char *text)
{
	uint64_t hash = sip->hash_seed;
	for (; *text; text++) {
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3U;
		hash ^= hash >> 29;
	}
	return hash;
}

void engine_token_text(struct sip *sip, char text[static 17])
{
	snprintf(text, 17, "%016llx", (unsigned long long)random_u64(sip->random));
}

/* ---- Life ---- */

static void set_default(uint32_t *limit, uint32_t value)
{
	if (*limit == 0)
		*limit = value;
}

static void set_limits(struct sip_limits *limits)
{
	set_default(&limits->registrations, 256);
	set_default(&limits->transactions, 4096);
	set_default(&limits->transactions_peer, 512);
	set_default(&limits->calls, 256);
	set_default(&limits->connections, 128);
	set_default(&limits->minimum_expires_s, 60);
	set_default(&limits->maximum_expires_s, 7200);
	set_default(&limits->default_expires_s, 3600);
}

static void start_lists(struct sip *sip)
{
	for (size_t i = 0; i < SIP_BUCKETS; i++)
		TAILQ_INIT(&sip->transactions[i]);
	TAILQ_INIT(&sip->effects);
	TAILQ_INIT(&sip->contexts);
	TAILQ_INIT(&sip->stores);
	TAILQ_INIT(&sip->registrations);
	TAILQ_INIT(&sip->streams);
	TAILQ_INIT(&sip->calls);
	deadline_heap_start(&sip->deadlines);
}

hiphop_error sip_create(const struct sip_configuration *configuration, struct sip **sip)
{
	if (!configuration->domain || !*configuration->domain || !configuration->random ||
		strlen(configuration->domain) > DOMAIN_MAXIMUM || configuration->network_count > SIP_NETWORKS_MAXIMUM)
		return HIPHOP_INVALID_ARGUMENT;
	struct sip *made = calloc(1, sizeof *made);
	if (!made)
		return HIPHOP_NO_MEMORY;
	made->domain = strdup(configuration->domain);
	if (!made->domain || media_relay_create(&made->relays) != HIPHOP_OK) {
		free(made->domain);
		free(made);
		return HIPHOP_NO_MEMORY;
	}
	for (char *c = made->domain; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	made->self = configuration->self;
	memcpy(made->self_address.octets, configuration->self.octets, HIT_LENGTH);
	for (; made->network_count < configuration->network_count; made->network_count++)
		made->networks[made->network_count] = configuration->networks[made->network_count];
	made->port = configuration->port ? configuration->port : SIP_PORT;
	made->random = configuration->random;
	made->log = configuration->log;
	made->limits = configuration->limits;
	set_limits(&made->limits);
	made->hash_seed = random_u64(made->random) | 1;
	start_lists(made);
	message_library_start();
	*sip = made;
	return HIPHOP_OK;
}

void sip_free(struct sip *sip)
{
	if (!sip)
		return;
	contexts_free(sip);
	registrar_free(sip);
	calls_free(sip);
	transactions_free(sip);
	streams_free(sip);
	sip_effects_free(sip);
	deadline_heap_free(&sip->deadlines);
	media_relay_free(sip->relays);
	free(sip->domain);
	free(sip);
}

/* ---- Input ---- */

static void input_response(struct sip *sip, struct message *response)
{
	sip->counters.responses_in++;
	struct transaction *transaction = transaction_find_client(sip, response);
	if (transaction)
		transaction_input_response(sip, transaction, response);
	else
		sip->counters.stray_responses++;
	message_free(response);
}

static void input_ack(struct sip *sip, struct transaction *known, struct message *ack, const struct path *from)
{
	if (known && known->state != TRANSACTION_ACCEPTED)
		transaction_repeat(sip, known, ack);
	else
		forward_ack(sip, ack, from);
	message_free(ack);
}

static void input_request(struct sip *sip, struct message *request, const struct path *from)
{
	sip->counters.requests_in++;
	if (via_mark_source(request, from) != HIPHOP_OK) {
		message_free(request);
		sip->counters.lost_for_memory++;
		return;
	}
	struct transaction *transaction = transaction_find_server(sip, request);
	if (message_is(request, "ACK")) {
		input_ack(sip, transaction, request, from);
		return;
	}
	if (transaction) {
		transaction_repeat(sip, transaction, request);
		message_free(request);
		return;
	}
	if (transaction_serve(sip, request, from, &transaction) != HIPHOP_OK)
		return;
	if (message_is(transaction->request, "CANCEL"))
		proxy_cancel(sip, transaction);
	else
		proxy_request(sip, transaction);
}

void engine_input_message(struct sip *sip, const struct path *from, const uint8_t *octets, size_t length)
{
	struct message *message = NULL;
	hiphop_error error = message_parse(octets, length, &message);
	if (error) {
		sip->counters.malformed++;
		log_write(sip->log, LOG_LEVEL_DEBUG, "SIP message dropped: %s", hiphop_error_text(error));
	} else if (message_is_request(message)) {
		input_request(sip, message, from);
	} else {
		input_response(sip, message);
	}
}

void sip_input_datagram(struct sip *sip, instant now, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *octets, size_t length)
{
	struct path from = {.local = *local, .remote = *remote};
	sip->now = now;
	/* Keepalives of phones are empty lines or single zeros, and are not answered on datagrams. */
	while (length > 0 && (*octets == '\r' || *octets == '\n' || *octets == 0)) {
		octets++;
		length--;
	}
	if (length == 0)
		return;
	if (length > SIP_MESSAGE_MAXIMUM || remote->port == 0) {
		sip->counters.malformed++;
		return;
	}
	if (!place_path_is_possible(sip, local, remote)) {
		sip->counters.refused++;
		return;
	}
	engine_input_message(sip, &from, octets, length);
}

void sip_peer_unreachable(struct sip *sip, instant now, const struct hit *peer)
{
	sip->now = now;
	transactions_peer_failed(sip, peer);
}

/* ---- Time ---- */

static void fire(struct sip *sip, struct deadline *deadline)
{
	switch (deadline->kind) {
	case DEADLINE_RETRANSMIT:
		transaction_retransmit(sip, deadline->owner);
		break;
	case DEADLINE_EXPIRE:
		transaction_expire(sip, deadline->owner);
		break;
	case DEADLINE_BRANCH:
		branch_deadline(sip, deadline->owner);
		break;
	case DEADLINE_CONTEXT:
		context_deadline(sip, deadline->owner);
		break;
	case DEADLINE_STORE:
		registrar_store_deadline(sip, deadline->owner);
		break;
	case DEADLINE_BINDING:
		registration_deadline(sip, deadline->owner);
		break;
	case DEADLINE_STREAM:
		stream_deadline(sip, deadline->owner);
		break;
	case DEADLINE_RELAY:
		relay_deadline(sip, deadline->owner);
		break;
	default:
		call_deadline(sip, deadline->owner);
	}
}

void sip_tick(struct sip *sip, instant now)
{
	struct deadline *deadline;
	sip->now = now;
	while ((deadline = deadline_heap_pop(&sip->deadlines, now)))
		fire(sip, deadline);
}

instant sip_next_wake(const struct sip *sip)
{
	return deadline_heap_next(&sip->deadlines);
}

struct sip_counters sip_counters(const struct sip *sip)
{
	struct sip_counters counters = sip->counters;
	counters.registrations = (uint32_t)sip->registration_count;
	counters.calls = (uint32_t)sip->call_count;
	counters.transactions = (uint32_t)sip->transaction_count;
	counters.connections = (uint32_t)sip->stream_count;
	return counters;
}
