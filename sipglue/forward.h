/* SPDX-License-Identifier: MIT */
/**
 * One request on its way to one target: the steps of RFC 3261 section 16.6.
 */
#ifndef HIPHOP_SIPGLUE_FORWARD_H
#define HIPHOP_SIPGLUE_FORWARD_H

#include "sipglue/engine.h"
#include "sipglue/targets.h"

/** Makes the message that goes to `target` out of `request`, which came from `source`: new Request-URI, Max-Forwards
 * less one, Record-Route where a dialog may begin, a strict router served, our Via. HIPHOP_NO_MEMORY. */
hiphop_error forward_build(const struct sip *sip, const struct message *request, const struct path *source,
	const struct target *target, uint64_t id, uint64_t mark, struct message **out);
/** An ACK of a 2xx goes on without a transaction. */
void forward_ack(struct sip *sip, struct message *ack, const struct path *source);

#endif
