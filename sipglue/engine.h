/* SPDX-License-Identifier: MIT */
/**
 * What the files of this folder share: the engine itself. Each part of it is described in the header of its own file;
 * `now` holds the time of the call that is running.
 */
#ifndef HIPHOP_SIPGLUE_ENGINE_H
#define HIPHOP_SIPGLUE_ENGINE_H

#include <sys/queue.h>

#include "hip/base/deadline_heap.h"
#include "sipglue/message.h"
#include "sipglue/sip.h"

#define SIP_BUCKETS 256

/* The timers of RFC 3261 table 4, and our own bounds. */
#define TIMER_T1             MILLISECONDS(500)
#define TIMER_T2             SECONDS(4)
#define TIMER_T4             SECONDS(5)
#define TIMER_64_T1          (64 * TIMER_T1)
#define TIMER_C              SECONDS(200) /* more than three minutes */
#define WAIT_FOR_OVERLAY     SECONDS(10)
#define LOOKUP_CACHE_LIFE    SECONDS(30)
#define STREAM_IDLE_LIMIT    SECONDS(7500) /* a phone refreshes its registration before that */
#define STREAM_CONNECT_LIMIT SECONDS(20)
#define CALL_IDLE_LIMIT      SECONDS(12 * 3600)

/** The owner of a deadline, by its kind. */
enum deadline_kind {
	DEADLINE_RETRANSMIT, /* struct transaction */
	DEADLINE_EXPIRE,     /* struct transaction */
	DEADLINE_BRANCH,     /* struct branch: timer C */
	DEADLINE_CONTEXT,    /* struct response_context: the overlay's answer */
	DEADLINE_STORE,      /* struct pending_store */
	DEADLINE_BINDING,    /* struct registration */
	DEADLINE_STREAM,     /* struct stream */
	DEADLINE_CALL,       /* struct call */
	DEADLINE_RELAY       /* struct relay */
};

/** The way to another SIP element: from which socket, to where, and over which stream when it is one. */
struct path {
	bool stream;
	uint32_t connection; /* 0 = not chosen yet */
	struct endpoint local, remote;
};

struct transaction;
struct response_context;
struct pending_store;
struct registration;
struct stream;
struct call;
struct media_relay;
struct queued_effect;

TAILQ_HEAD(transaction_list, transaction);
TAILQ_HEAD(context_list, response_context);
TAILQ_HEAD(store_list, pending_store);
TAILQ_HEAD(registration_list, registration);
TAILQ_HEAD(stream_list, stream);
TAILQ_HEAD(call_list, call);
TAILQ_HEAD(effect_list, queued_effect);

/** An answer of the overlay that is kept a little. */
#define LOOKUP_CACHE_SIZE 64
struct cached_lookup {
	char aor[SIP_TEXT_SIZE];
	struct hit hits[SIP_FORKS_MAXIMUM];
	size_t count;
	instant until;
};
struct verified_caller {
	char aor[SIP_TEXT_SIZE];
	struct hit hit;
	instant until;
};

struct sip {
	char *domain;
	struct hit self;
	struct address self_address;
	uint16_t port;
	struct sip_network networks[SIP_NETWORKS_MAXIMUM];
	size_t network_count;
	const struct random_source *random;
	const struct log *log;
	struct sip_limits limits;
	instant now;
	struct deadline_heap deadlines;
	size_t deadlines_admitted;
	uint64_t hash_seed;
	uint64_t next_token;

	struct effect_list effects;
	struct queued_effect *shown; /* the effect last handed out */

	struct transaction_list transactions[SIP_BUCKETS];
	size_t transaction_count;
	struct context_list contexts;
	struct store_list stores;
	struct registration_list registrations;
	size_t registration_count;
	struct stream_list streams;
	size_t stream_count;
	uint32_t next_connection;
	struct call_list calls;
	size_t call_count;
	struct media_relay *relays;

	struct cached_lookup lookups[LOOKUP_CACHE_SIZE];
	struct verified_caller callers[LOOKUP_CACHE_SIZE];
	struct sip_counters counters;
};

/** Makes room for `count` more deadlines, so that setting them cannot fail. HIPHOP_NO_MEMORY. */
hiphop_error engine_admit_deadlines(struct sip *sip, size_t count);
/** Cancels a deadline and gives its room back. */
void engine_retire_deadline(struct sip *sip, struct deadline *deadline);
/** Sets an admitted deadline. */
void engine_set_deadline(struct sip *sip, struct deadline *deadline, int kind, void *owner, duration after);
/** A keyed hash of text, for buckets and loop marks. */
uint64_t engine_hash(const struct sip *sip, const char *text);
/** A fresh random tag or branch part: 16 hexadecimal digits. */
void engine_token_text(struct sip *sip, char text[static 17]);

/* effects.c */

/** Queues a copy of `effect`, octets and text included; lost (and counted) without memory. */
void effect_push(struct sip *sip, const struct sip_effect *effect);
void sip_effects_free(struct sip *sip);

/* sip.c: what arrives, once it is parsed */
void engine_input_message(struct sip *sip, const struct path *from, const uint8_t *octets, size_t length);

#endif
