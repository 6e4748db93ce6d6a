/* SPDX-License-Identifier: MIT */
/**
 * Calls that pass this proxy, one for each Call-ID and other host: which of our ports their media may reach, and
 * where the phone of this host that takes part is signalled.
 */
#ifndef HIPHOP_SIPGLUE_CALLS_H
#define HIPHOP_SIPGLUE_CALLS_H

#include "sipglue/engine.h"

/** The host at one end of a hop; `self` for a phone of this host. */
struct hit calls_peer(const struct sip *sip, const struct address *from, const struct address *to);
/** A request is about to go out from `from` to `to`. An INVITE outside a dialog starts a call; SDP of our phone opens
 * its ports; BYE ends the call. Where the media has to be relayed, SDP in it is rewritten; then HIPHOP_LIMITED,
 * HIPHOP_MALFORMED, HIPHOP_TOO_LARGE or HIPHOP_NO_MEMORY say that it must not go. When it does not go after all, for
 * whatever reason, calls_branch_failed is to be called for an INVITE. */
hiphop_error calls_request(struct sip *sip, struct message *request, const struct path *from, const struct path *to);
/** A response comes from `from` and goes to `to`; SDP in it is rewritten likewise. */
void calls_response(struct sip *sip, struct message *response, const struct path *from, const struct path *to);
/** A branch of an INVITE ended without a response: as calls_response with a final failure. */
void calls_branch_failed(
	struct sip *sip, const struct message *request, const struct path *from, const struct path *to, int status);
/** True when `message` belongs to a call with `peer`. */
bool calls_know(const struct sip *sip, const struct message *message, const struct hit *peer);
/** True when a phone of this host in a call with `peer` is signalled at that address and port. */
bool calls_reach(const struct sip *sip, const struct hit *peer, const struct path *path);
/** DEADLINE_CALL passed: nobody has said anything for very long. */
void call_deadline(struct sip *sip, struct call *call);
void calls_free(struct sip *sip);

#endif
