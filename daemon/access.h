/* SPDX-License-Identifier: MIT */
/**
 * Who may associate with this host, and what may pass on hip0: an ordered list of rules (daemon/access_rule.h), and the
 * flows they have let pass.
 *
 * The rules given by command stand first, then those of the configuration. The first that fits decides. Where none
 * does, a flow from outside is refused (joining an overlay must not expose every service that listens on [::]), a flow
 * of this host passes, and about an association the caller decides.
 *
 * A flow is held against the rules once, with its first packet; from then on its packets pass by one look-up. After a
 * change of the rules each known flow is held against them once more, and ends only if the rule that fits now denies it
 * and names its peer (by HIT or by a name): a change of what is allowed in general cuts nobody off in the middle.
 * Media of a call passes as long as the call lasts. What lies behind a peer (daemon/prefix_tunnel.h) counts as the
 * peer.
 *
 * The filter is pure: packets and time come in, a verdict comes out.
 */
#ifndef HIPHOP_DAEMON_ACCESS_H
#define HIPHOP_DAEMON_ACCESS_H

#include "daemon/access_flows.h"
#include "daemon/access_rule.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access;

/** Rules given by command at most. */
#define ACCESS_OWN_MAXIMUM 128
/** Media openings at most. */
#define ACCESS_MEDIA_MAXIMUM 1024

/** Why packets were refused, and the names in `status`. */
#define ACCESS_COUNTERS(X)                                                                                             \
	X(IN_BY_RULE, "access_refused_in_by_rule")                                                                     \
	X(IN_UNLISTED, "access_refused_in_unlisted")                                                                   \
	X(OUT_BY_RULE, "access_refused_out_by_rule")                                                                   \
	X(FLOW_ENDED, "access_refused_flow_ended")                                                                     \
	X(MALFORMED, "access_refused_malformed")

typedef enum {
#define ACCESS_COUNTER_MEMBER(name, text) ACCESS_COUNT_##name,
	ACCESS_COUNTERS(ACCESS_COUNTER_MEMBER)
#undef ACCESS_COUNTER_MEMBER
		ACCESS_COUNTER_COUNT
} access_counter;

/** Why a packet did not pass. */
struct access_refusal {
	access_counter cause;
	struct access_subject subject; /**< zero for MALFORMED but the direction and the peer */
	size_t rule;                   /**< the place of the rule that refused it, else that behind the last */
};

/** `sip_port` is what "sip" opens (UDP and TCP). `membership` is copied, `random` borrowed. HIPHOP_NO_MEMORY. */
hiphop_error access_create(uint16_t sip_port, const struct access_membership *membership,
	const struct random_source *random, struct access **access);
void access_free(struct access *access);

/* ---- rules ---- */

/** The rules in the order they are asked; valid until the next change. */
const struct access_rule *access_rules(const struct access *access, size_t *count);
/** How many of them, the first ones, were given by command. */
size_t access_own_count(const struct access *access);
/** Puts a rule given by command at `place` (0: before all others; at most access_own_count). HIPHOP_LIMITED,
 *  HIPHOP_INVALID_ARGUMENT, HIPHOP_NO_MEMORY: then nothing has changed. */
hiphop_error access_insert(struct access *access, size_t place, const struct access_rule *rule);
/** Takes a rule given by command out. HIPHOP_INVALID_ARGUMENT. */
hiphop_error access_remove(struct access *access, size_t place);
/** Replaces the rules of the configuration; those that stay the same keep their count. The rules are copied.
 *  HIPHOP_NO_MEMORY: then nothing has changed. */
hiphop_error access_configure(struct access *access, const struct access_rule *rules, size_t count);
/** Looks the names in the rules up again: `hit_of` gives the HIT that a name stands for, the null HIT for nobody. */
void access_resolve_names(struct access *access, struct hit (*hit_of)(void *context, const char *name), void *context);
/** The place of the first rule about an association with `peer` that fits, or the number of rules. It is counted. */
size_t access_associate(struct access *access, const struct hit *peer, const struct access_membership *membership);

/* ---- packets ---- */

/** Whether a packet of this host, or of what lies behind it, may go to `peer`, or to what lies behind that; it begins a
 *  flow, or belongs to one. Otherwise `refusal` says why not. IPv6, or IPv4. */
bool access_outbound(struct access *access, instant now, const struct hit *peer, const uint8_t *packet, size_t length,
	struct access_refusal *refusal);
/**
 * Whether a packet from `peer`, or from what lies behind it, may go to the applications, or to what lies behind this
 * host (then `sip` and `calls` do not fit it); otherwise `refusal` says why not. Packets that cannot
 * be understood (no whole transport header in a first fragment, too many extension headers) do not pass. Fragments
 * other than the first pass: without their first they are never put together. An ICMPv6 error passes with the flow it
 * quotes.
 */
bool access_inbound(struct access *access, instant now, const struct hit *peer, const uint8_t *packet, size_t length,
	struct access_refusal *refusal);
/** Opens or closes a local UDP port to `peer` for the media of a call. HIPHOP_NO_MEMORY, HIPHOP_LIMITED. Opening twice
 * counts twice. */
hiphop_error access_media(struct access *access, const struct hit *peer, uint16_t port, bool open);
/** Forgets the flows with a peer. */
void access_forget_peer(struct access *access, const struct hit *peer);

/** Packets refused so far for this cause; 0 out of range. */
uint64_t access_counter_value(const struct access *access, access_counter counter);
const char *access_counter_name(access_counter counter);
/** Inbound packets that did not pass so far. */
uint64_t access_refused(const struct access *access);

#endif
