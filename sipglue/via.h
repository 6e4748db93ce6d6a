/* SPDX-License-Identifier: MIT */
/**
 * Via: where a request came from, where its responses go, our own entry, and loops (RFC 3261 sections 16.6 step 8,
 * 18.1.1, 18.2; RFC 3581; RFC 5393).
 */
#ifndef HIPHOP_SIPGLUE_VIA_H
#define HIPHOP_SIPGLUE_VIA_H

#include "sipglue/engine.h"

/** Writes `received` and `rport` into the top Via of a request that came along `from` (RFC 3581 section 4).
 * HIPHOP_NO_MEMORY. */
hiphop_error via_mark_source(const struct message *request, const struct path *from);
/** Where responses to it go. Always answerable: from the socket on which the request came. */
struct path via_response_path(const struct message *request, const struct path *from);
/** What decides about the way of a request as it came in, as a keyed hash (RFC 5393 section 4.2.1). */
uint64_t via_routing_mark(const struct sip *sip, const struct message *request);
/** Our Via on top, for the interface of `path`; `id` names the client transaction. HIPHOP_NO_MEMORY. */
hiphop_error via_push(
	const struct sip *sip, struct message *request, const struct path *path, uint64_t id, uint64_t mark);
/** Takes the top Via away. */
void via_pop(struct message *message);
/** The client transaction that the top Via of a response names. False when that Via is not of our making. */
bool via_transaction_id(const struct message *response, uint64_t *id);
/** True when the request passed here before with the same routing fields (482). */
bool via_is_loop(const struct message *request, uint64_t mark);

#endif
