/* SPDX-License-Identifier: MIT */
/**
 * Associations whose locators change, or that have several (RFC 8046, RFC 8047). Inside hip/core only.
 *
 * A session between one address and another has no struct mobility: nothing is to be chosen. It gets one when its own
 * links or the peer's locators become several, or one of them changes, and from then on has a set of paths:
 *
 *   path.h, path_choice.c   what a path is, what follows what, which one is used
 *   mobility.c              own links, what is done with answers, timers
 *   announcement.c          LOCATOR_SETs that go out
 *   locator_set.c           LOCATOR_SETs that come in; packets from elsewhere
 *   path_check.c            UPDATE with ECHO_REQUEST: does the peer answer there (RFC 8046 section 5.4)
 *   path_probe.c            the cheap question inside ESP: does it still work
 *   handover.c              going from one path to another, and who is told
 */
#ifndef HIPHOP_HIP_CORE_MOBILITY_H
#define HIPHOP_HIP_CORE_MOBILITY_H

#include "hip/base/token_bucket.h"
#include "hip/core/host.h"
#include "hip/core/path.h"
#include "hip/wire/parameters.h"

struct association;
struct session;
struct incoming;
struct outgoing;
struct way;

/** Our LOCATOR_SET on its way to the peer. */
struct announcement {
	bool due;      /**< one is to be sent, or on its way */
	uint8_t tries; /**< 0: not sent yet */
	uint32_t update;
	uint64_t digest; /**< of what it says */
	instant next;    /**< when it is sent (again) */
};

/** The last handover of an association. */
struct handover {
	handover_reason reason; /**< HANDOVER_NONE: there was none */
	instant at;
	struct endpoint from_local, from_remote;
	bool resumed; /**< the peer was heard since; `gap` is then the longest silence of it around that time */
	duration gap;
	uint32_t count; /**< handovers in all */
};

/** What a session has when there is something to choose. */
struct mobility {
	struct path_set paths;
	uint64_t told; /**< digest of what the peer has acknowledged of our locators; 0: nothing is known of that */
	instant told_at;
	struct announcement announcement;
	struct token_bucket announcements; /**< of the changes of our own links */
	struct token_bucket checks;        /**< of paths that are new or silent */
	uint32_t last_set;                 /**< Update ID of the newest LOCATOR_SET that was taken */
	bool has_last_set;
	bool listed;            /**< the peer has said since the exchange where it is, and that is all there is */
	bool begun;             /**< what the base exchange did not carry was told, and all known locators have paths */
	bool answers_questions; /**< the peer knows the question inside ESP */
	bool is_unverified;     /**< the route as it was told last: see struct host_route */
	bool watched;           /**< the data plane tells when something is sent again */
	uint8_t more_count;     /**< paths with a more_rank, as the data plane was told last */
	instant flowing;        /**< ESP was sent at this time */
	struct handover handover;
};

/* mobility.c */
/** Gives the session what it needs to have several paths; the one that it has is the current one. HIPHOP_NO_MEMORY. */
hiphop_error mobility_obtain(const struct host *host, instant now, struct session *session);
void mobility_free(struct session *session);
/** A session begins: what the base exchange did not carry is told and checked a moment later. */
void mobility_begin(struct host *host, instant now, struct association *association);
/** TIMER_READDRESS: our own links have changed. */
void mobility_readdress(struct host *host, instant now, struct association *association);
/** TIMER_PATHS */
void mobility_timer(struct host *host, instant now, struct association *association);
/** Sets the timer for what comes next. */
void mobility_arm(struct host *host, instant now, struct association *association);
/** Adds a path, unless it is there or there is no room. */
void mobility_add_path(struct host *host, struct session *session, const struct endpoint *local,
	const struct endpoint *remote, path_origin origin);
/** Adds the paths from each of our links to this locator of the peer. */
void mobility_add_paths(struct host *host, struct session *session, const struct endpoint *remote, path_origin origin);
/** So many octets came from the peer, in a verified HIP packet that was not inside its own ESP. */
void mobility_earn(struct session *session, size_t octets);
/** Whether a HIP packet of so many octets may go to this address of the peer: it has answered there, or there is the
 * credit for it, which is then spent (RFC 8046 section 5.6). */
bool mobility_spend(struct host *host, instant now, const struct association *association,
	const struct endpoint *remote, size_t octets);
/** Sends a HIP packet of the session on its way (way_of_session), when the credit allows it. HIPHOP_LIMITED,
 * HIPHOP_NO_MEMORY. */
hiphop_error mobility_send(struct host *host, instant now, const struct association *association, const struct way *way,
	const uint8_t *octets, size_t length);
/** Whether one of these acknowledges our LOCATOR_SET or answers a check, so that they are news. */
bool mobility_waits_for(const struct session *session, const struct parameter_sequence_list *acks);
/** Takes acknowledgments and ECHO_RESPONSEs of a verified UPDATE. */
void mobility_acknowledged(struct host *host, const struct incoming *in, struct association *association,
	const struct parameter_sequence_list *acks);
/** A check on a path was answered otherwise than by an UPDATE of the peer itself. */
void mobility_path_answered(struct host *host, instant now, struct association *association, struct path *path);
/** Where we are reached has changed without our links: the peer is told now. Or somebody else has told it. */
void mobility_tell_anew(struct host *host, instant now, struct association *association);
void mobility_note_told(const struct host *host, instant now, struct association *association);
/** Takes out the paths with which nothing can be done, but for the current one. */
void mobility_drop_useless(struct path_set *set);
/** An UPDATE on the path in use was not answered: another one that works is used, when there is one. Of a peer that
 * knows no questions little else tells (locator_set.c). */
void mobility_unanswered(struct host *host, instant now, struct association *association);
/** The host was suspended: all peers are told again where it is. */
void mobility_resume_all(struct host *host, instant now);

/* announcement.c */
/** Our LOCATOR_SET is to go to the peer, now or when the rate allows it. */
void mobility_announce(instant now, struct association *association);
/** Of what our LOCATOR_SET says to the peer of this session; never 0. */
uint64_t announcement_digest(const struct host *host, const struct session *session);
/** Sends what is due of it, or gives up. */
void announcement_run(struct host *host, instant now, struct association *association);
/** The peer has it. */
void announcement_acknowledged(struct host *host, instant now, struct association *association);
/** When announcement_run, or a new announcement, is due. */
instant announcement_next(const struct host *host, const struct mobility *mobility);

/* locator_set.c */
/** Takes the LOCATOR_SET of a verified UPDATE, if it has one. `*acknowledged` tells whether a check went back that
 * acknowledges the UPDATE. HIPHOP_MALFORMED, HIPHOP_NO_MEMORY: the UPDATE is not to be acknowledged. */
hiphop_error locator_set_take(struct host *host, const struct incoming *in, struct association *association,
	uint32_t update_id, bool *acknowledged);
/** Takes the LOCATOR_SET of a verified R2, if it has one that can be read (RFC 8047 section 4.2.8), for the session
 * that has just begun. */
void locator_set_take_of_r2(struct host *host, const struct incoming *in, struct association *association);
/** Takes locators of the peer as those of an UPDATE, when somebody whom the peer trusts lists them, say. `from`: where
 * the peer speaks from right now, which stays; or NULL. HIPHOP_NO_MEMORY. */
hiphop_error locator_set_apply(struct host *host, instant now, struct association *association,
	const struct parameter_locator_set *set, const struct endpoint *from);
/** The peer speaks from elsewhere: a path to there is checked, within credit. */
void locator_observed(struct host *host, instant now, struct association *association, const struct endpoint *local,
	const struct endpoint *remote);

/* path_check.c */
/** Sends a check on the path at `place`, or the next try of it. `acknowledge`: Update ID of the UPDATE `in` that it
 * answers as well, or NULL. `announces`: with our LOCATOR_SET, under the Update ID of the announcement. False when it
 * is beyond the credit or could not be made. */
bool path_check_send(struct host *host, instant now, struct association *association, size_t place,
	const struct incoming *in, const uint32_t *acknowledge, bool announces);
/** Our LOCATOR_SET over the overlay, when no locator of the peer answers. */
void path_check_send_over_overlay(struct host *host, struct association *association);
/** When to send again what was sent `tries` times; a path about which nothing is known is taken to be like the last. */
duration path_check_wait(const struct association *association, const struct path *path, unsigned tries);
/** Whether one of these acknowledges a check. */
bool path_checks_wait_for(const struct mobility *mobility, const struct parameter_sequence_list *acks);
/** The path whose check these and the ECHO_RESPONSE of `in` answer, or NULL. */
struct path *path_check_answered(
	const struct mobility *mobility, const struct incoming *in, const struct parameter_sequence_list *acks);
/** Sends what is due. Returns when to come again. */
instant path_checks_run(struct host *host, instant now, struct association *association);

/* path_probe.c */
/** Asks where it is time, and finds out which paths are silent. Returns when to come again. */
instant path_probes_run(struct host *host, instant now, struct association *association);
/** Tells the peer, by the path in use, that nothing comes by the one that was in use before. */
void path_probe_tell_deaf(struct host *host, const struct association *association);
/** Takes in when ESP came by `path` last, which is the one in use. */
void path_probe_note_heard(const struct host *host, const struct association *association, struct path *path);
/** Asks on one path at once. */
void path_probe_send(struct host *host, instant now, struct association *association, struct path *path);

/* handover.c */
/** Goes to the best path, when that is another one, and tells the data plane the route. */
void handover_settle(struct host *host, instant now, struct association *association);
/** Tells the data plane the route once more. */
void handover_tell_again(struct host *host, const struct association *association);

#endif
