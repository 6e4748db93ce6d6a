/* SPDX-License-Identifier: MIT */
/**
 * Route and Record-Route (RFC 3261 sections 16.4, 16.6 steps 4 and 6; RFC 5658 for two entries).
 */
#ifndef HIPHOP_SIPGLUE_ROUTE_H
#define HIPHOP_SIPGLUE_ROUTE_H

#include "sipglue/engine.h"

/** Section 16.4: undoes a strict router's rewriting, and takes our own entries off the top. HIPHOP_NO_MEMORY. */
hiphop_error route_preprocess(const struct sip *sip, struct message *request);
/** The URI of the topmost Route, or NULL. */
osip_uri_t *route_top(const struct message *request);
/** Section 16.6 step 6: when the topmost Route is a strict router, puts it into the Request-URI. HIPHOP_NO_MEMORY. */
hiphop_error route_postprocess(struct message *request);
/** Adds our Record-Route for the interface it came in on and, when that differs, for the one it leaves on, so that
 *  each side sees an address that it can reach. HIPHOP_NO_MEMORY. */
hiphop_error route_record(
	const struct sip *sip, struct message *request, const struct path *in, const struct path *out);

#endif
