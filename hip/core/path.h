/* SPDX-License-Identifier: MIT */
/**
 * A path: one of our locators and one of the peer's, and what is known about the way between them. The paths of an
 * association, their states as a table (RFC 8046 section 5.1), and the choice of the one that is used. Plain data and
 * pure functions; hip/core/mobility.h makes paths of what happens, hip/core/path_check.c asks whether they work.
 */
#ifndef HIPHOP_HIP_CORE_PATH_H
#define HIPHOP_HIP_CORE_PATH_H

#include "hip/base/endpoint.h"
#include "hip/base/link_address.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Paths of one association at most. */
#define PATHS_MAXIMUM 16
/** Questions under way on one path whose answers are still taken. */
#define PATH_QUESTIONS 4
/** Octets of the nonce of a check. */
#define PATH_NONCE_LENGTH 8

/** States of a path. The first two and the last are those of RFC 8046 section 5.1. */
typedef enum {
	PATH_UNVERIFIED = 0, /**< nobody has answered on it yet */
	PATH_ACTIVE,         /**< it works */
	PATH_SILENT,         /**< it has worked, or should have, and nobody answers */
	PATH_DEPRECATED,     /**< one of its locators was taken back or has expired */
	PATH_STATES
} path_state;

typedef enum {
	PATH_EVENT_LISTED = 0, /**< both locators are there (again): in LOCATOR_SET, on one of our links */
	PATH_EVENT_UNLISTED,   /**< one of them is no more, or its lifetime is over */
	PATH_EVENT_ANSWERED,   /**< a check or a probe on it was answered */
	PATH_EVENT_UNANSWERED, /**< none was, for as often as it is tried */
	PATH_EVENT_DOUBTED,    /**< the peer was heard elsewhere: is it still there? */
	PATH_EVENTS
} path_event;

/** How the peer's locator came to be known; the order of trust (RFC 8445 section 5.1.2.2). */
typedef enum {
	PATH_BY_EXCHANGE = 0, /**< the base exchange went there */
	PATH_BY_LOCATOR_SET,  /**< the peer lists it */
	PATH_BY_OBSERVATION   /**< packets came from there: a NAT is in between, say */
} path_origin;

/** A question under way (hip/core/path_probe.c). */
struct path_question {
	uint64_t nonce;
	instant sent; /**< 0: none */
};

/** An UPDATE with ECHO_REQUEST_SIGNED under way (hip/core/path_check.c). */
struct path_check {
	uint8_t tries; /**< 0: none */
	uint32_t update;
	instant sent; /**< the last of them */
	uint8_t nonce[PATH_NONCE_LENGTH];
	bool by_router; /**< it is an UPDATE-PROXY instead, which has no Update ID (hip/core/proxy_peer.c) */
	bool in_doubt;  /**< of an ACTIVE path: the peer is heard on another one, and not on this */
};

struct path {
	struct endpoint local, remote; /**< an unspecified local address: the kernel chooses */
	uint8_t state;                 /**< path_state */
	uint8_t origin;                /**< path_origin */
	bool verified;                 /**< the peer has answered at `remote`: data may go there without limit */
	bool signaling_only;           /**< it may carry HIP, but no ESP of applications (RFC 8046 section 4.1) */
	bool preferred;                /**< by the peer (P of LOCATOR_SET) */
	uint8_t preference;            /**< link_preference of our link */
	bool metered;                  /**< our link is */
	uint32_t interface;            /**< of our link; 0 = not known */
	bool link_gone;                /**< our address is not there any more */
	uint8_t more_rank;             /**< used beside the current one: 1 is the first of those, 0: it is not */
	uint16_t cost;                 /**< of our link */
	uint16_t loss;                 /**< questions without answer, per mille, the newest weigh most */
	uint32_t priority;             /**< of the peer's locator (RFC 9028 section 5.7), the greater the better */
	duration round_trip;           /**< smoothed; 0 = not known */
	duration variation;            /**< of it */
	uint8_t samples_wanted;        /**< before the round trip is compared with that of another path */
	instant heard;                 /**< when something verified came on it last */
	instant expires;               /**< the peer's locator; INSTANT_NEVER = not */
	instant active_since;
	instant held_until; /**< it has failed before: until then it is not preferred to one that works */
	duration hold;      /**< how long after the next failure */
	instant next_try;   /**< of a check of what is silent or in doubt */
	uint8_t failed_tries;
	uint8_t question_count; /**< unanswered since `asked` */
	instant probed;         /**< when a question was sent last; 0: never */
	instant asked;          /**< the first question since the last sign of life; 0: none */
	struct path_check check;
	struct path_question questions[PATH_QUESTIONS]; /**< the newest first */
};

/** The paths of one association. Zeroed is empty; path_set_free. */
struct path_set {
	struct path *items;
	uint8_t count, capacity;
	uint8_t current;  /**< the one that is used; count > 0 */
	instant measured; /**< when it became that because another one measured worse; 0: not because of that */
};

void path_set_free(struct path_set *set);
/** Adds a path, UNVERIFIED. NULL: there are PATHS_MAXIMUM, or no memory. Pointers to paths are valid until the next. */
struct path *path_set_add(struct path_set *set, const struct endpoint *local, const struct endpoint *remote);
/** Takes out the one at `place`, which is not the current one. */
void path_set_remove(struct path_set *set, size_t place);
/** The path between these, or NULL. One whose local address the kernel chooses fits any. */
struct path *path_set_find(const struct path_set *set, const struct endpoint *local, const struct endpoint *remote);
static inline struct path *path_set_current(const struct path_set *set)
{
	return &set->items[set->current];
}
/** Whether one of the paths has a link. */
bool path_set_has_link(const struct path_set *set);
/** Whether any path to this locator has been answered on. */
bool path_set_has_verified(const struct path_set *set, const struct endpoint *remote);

/** Applies the table of states. True when the state changed. An answer verifies; being deprecated takes that back. */
bool path_happens(struct path *path, path_event event, instant now);
/** The state that follows. */
path_state path_next_state(path_state state, path_event event);
/** "UNVERIFIED" and so on. Static. */
const char *path_state_name(path_state state);
/** "base exchange", "locator set", "observation". Static. */
const char *path_origin_name(path_origin origin);

/** Takes a measured round trip in (RFC 6298 section 2). */
void path_note_round_trip(struct path *path, duration measured);
/** Takes the round trip of a check in, which has the work for signatures in it: it counts while nothing better is
 * known. */
void path_note_check(struct path *path, duration measured);
/** Takes in whether a question was answered. */
void path_note_question(struct path *path, bool answered);
/** When to send again what was sent `tries` times. */
duration path_retransmission(const struct path *path, unsigned tries);

/** Why the current path was left for another. */
typedef enum {
	HANDOVER_NONE = 0,
	HANDOVER_LINK_GONE,  /**< our address is not there any more */
	HANDOVER_DEPRECATED, /**< the peer took its locator back, or it expired */
	HANDOVER_SILENT,     /**< nobody answers on it */
	HANDOVER_BETTER,     /**< another one is liked more: by policy, cost, round trip or loss */
	HANDOVER_REASONS
} handover_reason;
/** "link gone" and so on. Static. */
const char *handover_reason_name(handover_reason reason);

/** Whether an answer on the path should have come by now. */
bool path_is_overdue(const struct path *path, instant now);
/** The place of the path that is to be used, which is the current one as long as none is better by more than noise. */
size_t path_set_choose(const struct path_set *set, instant now);
/** Why the current path should be left for that at `place`. */
handover_reason path_set_reason(const struct path_set *set, size_t place);
/** Whether nothing but measuring is between the current path and that at `place`. */
bool path_set_is_measured(const struct path_set *set, size_t place, instant now);
/** Whether data may be sent on a path while the current one works: ACTIVE, and not to be avoided. */
bool path_carries_more(const struct path *path);
/** The places of up to `most` paths that are used beside the current one, each as different from it and from those
 * before as can be: over another link of ours, or to another one of the peer. Those to links that the peer avoids or
 * pays for are not among them. Returns how many. */
size_t path_set_choose_more(const struct path_set *set, uint8_t *more, size_t most);

#endif
