/* SPDX-License-Identifier: MIT */
/**
 * The inside of the engine, for the files of this folder only: its state, and what its parts call of each other.
 *
 *   overlay.c      life, dispatch, settling after each call
 *   effects.c      the queue of effects
 *   associations.c associations that come and go
 *   peers.c        members, wanted connections, rates
 *   surplus.c      which associations are needed, by whom, and letting the rest go
 *   requests.c     transactions: sending, matching answers, retrying
 *   join.c         finding our place, joining, merging, leaving
 *   maintenance.c  Updates, stabilisation, fingers
 *   answers.c      requests of others: Ping, RouteQuery, Join, Update, Leave
 *   storing.c      requests of others: Store, Fetch, Stat, Find
 *   replication.c  copies of what we carry
 *   queries.c      requests of the user but store and remove
 *   records.c      our own values: store, refresh, remove
 */
#ifndef HIPHOP_OVERLAY_ENGINE_H
#define HIPHOP_OVERLAY_ENGINE_H

#include "hip/base/deadline_heap.h"
#include "hip/base/map.h"
#include "hip/base/token_bucket.h"
#include "overlay/message.h"
#include "overlay/overlay.h"
#include "overlay/storage.h"
#include "overlay/topology.h"

/** Hosts in the table of associations, and senders with a rate, at most. */
#define PEERS_MAXIMUM 1024
/** Connections that we ask for at the same time. */
#define WANTED_MAXIMUM 16
/** Stores of replication on their way at the same time. */
#define REPLICATION_OUTSTANDING 16
/** Messages to ourselves, waiting within one call. */
#define LOOPBACK_MAXIMUM 256
/** Associations that there was no memory to note, kept in mind until there is. */
#define MISSED_MAXIMUM 32
/** Effects waiting for the caller; more are dropped like lost packets. */
#define EFFECTS_MAXIMUM 65536
/* Requests whose end can wait to be told without memory. */
#define UNREPORTED_MAXIMUM 64

/** What a deadline in the engine's heap is for. */
enum deadline_kind {
	TIMER_STABILISE,
	TIMER_UPDATE,
	TIMER_FINGER,
	TIMER_PROBE,
	TIMER_JOIN,
	TIMER_REPLICATE, /* work on the storage queue */
	TIMER_REQUEUE,   /* the neighbours have changed: look at every resource again */
	TIMER_LEAVE,
	TIMER_COUNT,
	DEADLINE_PEER,
	DEADLINE_REQUEST,
	DEADLINE_RECORD
};

/** One host that we are associated with, want to be, or have reason to remember. */
struct peer {
	struct hit hit;
	bool associated;
	bool member;    /**< it has said that it is a peer of our ring */
	bool bootstrap; /**< came through overlay_bootstrap_up */
	bool wanted;    /**< OVERLAY_CONNECT is out */
	bool admitting; /**< found through a bootstrap peer: our way into its ring */
	bool suspect;   /**< was a member, then did not answer */
	bool joining;   /**< has sent a Join; its data is on the way */
	bool probing;   /**< a Ping to our own position is out through it */
	bool updating;  /**< an Update to it is out */
	bool update_again;
	topology_update update_next; /**< type of the one that is to follow */
	bool surplus;                /**< we have no use for the association, and have said so */
	bool names_us;               /**< its last Update had us among its neighbours */
	instant shunned_until;       /**< not to be tried because somebody names it */
	instant greeted, checked, heard;
	instant needed;           /**< when we last had a use for the association */
	instant counted;          /**< when it last told us that it has us in its tables */
	size_t handovers;         /**< resources that it must get before it is admitted */
	struct deadline deadline; /**< end of wanted or joining */
};

struct request;

/** What a request is for; the parts of the engine have one each. */
struct request_purpose {
	const char *name;
	unsigned attempts; /**< tries in all when no answer comes */
	void (*answered)(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
		const struct reload_message *message);
	/** `reload_error` is the code of an Error answer, or 0. */
	void (*failed)(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error);
};

/** A transaction of ours. */
struct request {
	uint64_t transaction;
	const struct request_purpose *purpose;
	struct hit destination, via;
	struct buffer contents;
	unsigned attempt;
	bool waiting; /**< for another try */
	instant sent;
	struct deadline deadline;

	/* For the purpose alone. */
	struct hit peer;
	struct hit resource;
	uint32_t kind;
	uint64_t token;
	overlay_request_type type;
	bool report;    /**< the user waits for a result */
	bool caught_up; /**< store: the stored storage_time has been looked up once */
	uint64_t revision;
	size_t next_value;
	struct hit *path;
	size_t path_length;
};

/** A value of our own. */
struct own_record {
	struct hit resource;
	const struct kind *kind;
	struct buffer value;
	bool exists;
	bool keep;
	uint32_t lifetime_s;
	wall_milliseconds storage_time; /**< of the last store; the next is later */
	unsigned failures;
	bool overdue;             /**< no memory for the deadline */
	struct deadline deadline; /**< next refresh */
};

/** An association that stands, but that we had no memory for. */
struct missed_association {
	struct hit hit;
	bool bootstrap;
};

struct effect_node;
struct loopback;

struct overlay {
	struct hit self;
	overlay_role role;
	bool has_bootstrap;
	unsigned replicas;
	char name[OVERLAY_NAME_SIZE], hash[OVERLAY_NAME_SIZE];
	struct overlay_crypto crypto;
	const struct random_source *random;
	const struct log *log;
	struct overlay_limits limits;
	struct overlay_timers timers;

	instant now, created;
	wall_milliseconds wall; /* at `now` */

	struct topology *topology;
	struct storage storage;
	struct map peers;    /* HIT → struct peer */
	struct map requests; /* transaction → struct request */
	struct map records;  /* (Resource-ID, Kind) → struct own_record */
	struct map senders;  /* HIT → struct sender_rate */
	struct token_bucket strangers;
	struct missed_association missed[MISSED_MAXIMUM];
	size_t missed_count;
	struct deadline_heap deadlines;
	struct deadline timers_set[TIMER_COUNT];

	bool in_ring; /* others count us in; else a ring of one */
	/* The place in the ring has changed a moment ago: what belongs here may still be on its way. */
	instant unsettled_until;
	bool joined; /* as last told */
	bool leaving;
	uint64_t leave_token;
	size_t leave_outstanding;
	unsigned join_attempts;
	bool join_sent;
	instant gather_until;
	unsigned finger_searches;
	size_t wanted;
	size_t replication_outstanding;
	struct hit neighbours[TOPOLOGY_NEIGHBOURS]; /* as last seen by settle */
	size_t neighbour_count;
	uint64_t conflicts_told;
	uint64_t refused;

	struct effect_node *first_effect, *last_effect, *given_effect;
	size_t effects;
	struct unreported {
		uint64_t token;
		overlay_request_type request;
		uint32_t kind;
		struct hit resource;
	} unreported[UNREPORTED_MAXIMUM]; /* their results could not be made: told as HIPHOP_NO_MEMORY */
	size_t unreported_count;
	struct loopback *first_loopback, *last_loopback;
	size_t loopbacks;
};

/* effects.c. All copy what they are given; without memory an effect is lost like a packet, but a result comes
 * as HIPHOP_NO_MEMORY. */
void effect_send(struct overlay *overlay, const struct request *request);
void effect_answer(
	struct overlay *overlay, const struct overlay_arrival *arrival, const uint8_t *contents, size_t length);
void effect_connect(struct overlay *overlay, const struct hit *hit, const struct hit *via);
/** False when it was lost. */
bool effect_release(struct overlay *overlay, const struct hit *hit);
void effect_result(struct overlay *overlay, const struct overlay_result *result);
void effect_event(struct overlay *overlay, overlay_effect_type type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void overlay_effects_free(struct overlay *overlay);

/* overlay.c */
/** Time goes on; never back. */
void advance(struct overlay *overlay, instant now);
/** What follows from the new state, once, at the end of each call from outside. */
void settle(struct overlay *overlay);
void timer_set(struct overlay *overlay, enum deadline_kind timer, duration after);
void timer_set_sooner(struct overlay *overlay, enum deadline_kind timer, duration after);
void timer_cancel(struct overlay *overlay, enum deadline_kind timer);
/** `base` give or take a quarter. */
duration jittered(const struct overlay *overlay, duration base);
/** Queues a message to ourselves; it is dispatched before the current call ends. */
void loopback_add(struct overlay *overlay, uint64_t transaction, const struct hit *receiver, struct span contents);
/** Answers a request, or our own. */
void answer_send(struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message);
void answer_error(struct overlay *overlay, const struct overlay_arrival *arrival, uint16_t code, const char *text);

/* associations.c */
/** Tries again what there was no memory for. */
void associations_retry_missed(struct overlay *overlay);

/* surplus.c */
/** Is it in our tables, or is something under way with it? */
bool peer_is_needed(const struct overlay *overlay, const struct peer *peer);
/** Has it told us, within two stabilisations, that it has us in its tables? */
bool peer_counts_us(const struct overlay *overlay, const struct peer *peer);
/** Lets go of associations that we have had no use for since overlay_timers.surplus_grace, and of members over the
 * limit. */
void surplus_release(struct overlay *overlay);

/* peers.c */
struct peer *peer_find(const struct overlay *overlay, const struct hit *hit);
/** Finds or makes; NULL without memory or room. */
struct peer *peer_get(struct overlay *overlay, const struct hit *hit);
void peer_set_member(struct overlay *overlay, struct peer *peer, bool member);
/** Asks for an association unless one stands, is asked for, or the host is shunned. */
void peer_want(struct overlay *overlay, const struct hit *hit, const struct hit *via);
void peer_stop_wanting(struct overlay *overlay, struct peer *peer);
/** Somebody named this host: connect if it would be of use in our tables. */
void peer_consider(struct overlay *overlay, const struct hit *hit, const struct hit *via);
/** It did not answer: no member any more until it does. */
void peer_suspect(struct overlay *overlay, struct peer *peer);
void peer_deadline(struct overlay *overlay, struct peer *peer);
/** Is so much more work for it within its rate? A request costs 1; so does each further signature to verify. */
bool sender_may(struct overlay *overlay, const struct hit *sender, size_t cost);
void peers_free(struct overlay *overlay);

/* requests.c */
/** NULL over the limit or without memory. Then fill it in and call request_send, which may free it. */
struct request *request_new(struct overlay *overlay, const struct request_purpose *purpose);
/** Frees one that was never sent. */
void request_free(struct overlay *overlay, struct request *request);
/** Encodes and sends; on error the request is freed and `failed` is not called. */
hiphop_error request_send(struct overlay *overlay, struct request *request, const struct hit *destination,
	const struct hit *via, const struct reload_message *message);
void requests_answer(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message);
void requests_failed(struct overlay *overlay, uint64_t transaction, hiphop_error error);
void request_deadline(struct overlay *overlay, struct request *request);
void requests_free(struct overlay *overlay);

/* join.c */
void join_probe(struct overlay *overlay, struct peer *through);
void join_step(struct overlay *overlay);
void join_enter_ring(struct overlay *overlay);
void join_accept(struct overlay *overlay, struct peer *peer);
void join_admit(struct overlay *overlay, struct peer *peer);
void leave_finish(struct overlay *overlay);

/* maintenance.c */
void update_send(struct overlay *overlay, struct peer *peer, topology_update type);
/** First words to a host that may be a peer: our Update, or a request for its. */
void peer_greet(struct overlay *overlay, struct peer *peer);
void peer_check(struct overlay *overlay, struct peer *peer);
/** Our tables have changed. */
void maintenance_tell_change(struct overlay *overlay);
void maintenance_stabilise(struct overlay *overlay);
void maintenance_search_finger(struct overlay *overlay);
void maintenance_probe(struct overlay *overlay);
/** Reads what an Update said. */
void maintenance_news(struct overlay *overlay, struct peer *sender, const struct topology_news *news);

/* answers.c */
void answer_request(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message);

/* storing.c */
void answer_store(struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message);
void answer_fetch(struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message);
void answer_find(struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message);
/** Are we the one to ask for this Resource-ID, as far as we know? */
bool is_responsible(const struct overlay *overlay, const struct hit *resource);
/** Parses, verifies and stores the values of one Kind. RELOAD error code, or 0. */
uint16_t store_kind_values(struct overlay *overlay, const struct hit *resource, const struct reload_kind_values *values,
	const struct store_terms *terms, const struct hit *only_signer);

/* replication.c */
void replication_run(struct overlay *overlay);
/** Marks what the joining peer must get; their number is in peer->handovers. */
void replication_begin_handover(struct overlay *overlay, struct peer *peer);
/** A peer counts as a member again: what it is responsible for, and is not known to have, goes to it now. */
void replication_hand_back(struct overlay *overlay, const struct peer *peer);

/* records.c */
void record_deadline(struct overlay *overlay, struct own_record *record);
void records_restore_soon(struct overlay *overlay);
/** Stores again what there was no memory to set a deadline for. */
void records_retry_overdue(struct overlay *overlay);
void records_free(struct overlay *overlay);
void record_key(uint8_t key[static HIT_LENGTH + 4], uint32_t kind, const struct hit *resource);

/* queries.c */
void query_report(struct overlay *overlay, const struct request *request, const struct overlay_arrival *arrival,
	hiphop_error error);
/** The dictionary or single specifier for all values of a Kind, as the body of a fetch. */
hiphop_error send_fetch(struct overlay *overlay, struct request *request, uint16_t code, const struct hit *destination,
	const struct hit *resource, uint32_t kind);
hiphop_error error_of_reload(uint16_t code);

#endif
