/* SPDX-License-Identifier: MIT */
/**
 * Media of calls between a phone of a local network, which no other host can reach, and somebody elsewhere: behind
 * another HIT, at a HIT of this host, or in another local network. Each end is told an address of this host on its own
 * side (sdp_rewrite.h), and what it sends there goes out to the other end.
 *
 * A relay is between the two ends of one call and carries for nobody else. It belongs to a call of calls.h and
 * goes with it. Each of its streams has a pair of ports, the same on both sides: media on the even one, RTCP on
 * the next.
 *
 * To whom it sends: at first to where the end's SDP says, when that is an address from which the end may send; then to
 * where the end's first packet came from (symmetric RTP, RFC 4961). From whom it takes: for a HIT that HIT alone; in a
 * local network the address in the SDP, and the one that the phone is signalled at. Another port of that address is
 * learnt once, and again after RELAY_LEARN_AGAIN of silence, or when the SDP changes.
 */
#ifndef HIPHOP_SIPGLUE_MEDIA_RELAY_H
#define HIPHOP_SIPGLUE_MEDIA_RELAY_H

#include "sipglue/engine.h"
#include "sipglue/sdp_rewrite.h"

/** Bounds: relays of all calls, and of one remote address; streams of one relay and of all. */
#define RELAYS_MAXIMUM        128
#define RELAYS_OF_ONE_ADDRESS 32
#define RELAY_STREAMS_OF_ONE  4
#define RELAY_STREAMS_MAXIMUM 160
/** Packets a second, and at once, that one end of a stream may send. */
#define RELAY_PACKETS_PER_SECOND 2000
#define RELAY_PACKETS_BURST      400
/** Without a packet for so long the ports are closed; SDP opens them again. */
#define RELAY_SILENCE_LIMIT SECONDS(600)
#define RELAY_LEARN_AGAIN   SECONDS(5)

/** One end as SIP sees it: our address on its side, and the address it is signalled at. */
struct relay_side {
	struct address local, remote;
};

struct media_relay; /* all relays of a host */
struct relay;       /* one, between two ends */
LIST_HEAD(relay_list, relay);

/** HIPHOP_NO_MEMORY. */
hiphop_error media_relay_create(struct media_relay **all);
/** Every relay must have gone. NULL is allowed. */
void media_relay_free(struct media_relay *all);

/** Whether media between ends on these ways has to be relayed: the ways differ, and one is in a local network. */
bool relay_is_needed(const struct sip *sip, const struct path *from, const struct path *to);
/** The relay in `relays`, those of one call, between the ends of two ways; NULL when there is none. `side` says which
 * end `from` is; it is left alone when there is none. */
struct relay *relay_find(
	const struct relay_list *relays, const struct path *from, const struct path *to, unsigned *side);
/** Makes one into `relays`; `from` is its end 0. `call_id` is borrowed for its life. HIPHOP_LIMITED, HIPHOP_NO_MEMORY.
 */
hiphop_error relay_make(struct sip *sip, struct relay_list *relays, const char *call_id, const struct path *from,
	const struct path *to, struct relay **relay);
void relay_free(struct sip *sip, struct relay *relay);
/** Frees all in `relays` but `kept`, which may be NULL. */
void relays_free(struct sip *sip, struct relay_list *relays, const struct relay *kept);

/** The end `side` says where it wants its media; writes into `out` what the other end is told. HIPHOP_MALFORMED,
 * HIPHOP_TOO_LARGE, HIPHOP_LIMITED when no stream is left that could be relayed, HIPHOP_NO_MEMORY. */
hiphop_error relay_describe(struct sip *sip, struct relay *relay, unsigned side, struct span body, struct buffer *out);
/** DEADLINE_RELAY passed. */
void relay_deadline(struct sip *sip, struct relay *relay);

#endif
