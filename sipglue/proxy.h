/* SPDX-License-Identifier: MIT */
/**
 * What happens to a request that came in: validation (RFC 3261 section 16.3), requests for ourselves, the caller's
 * name, and the way to its targets.
 */
#ifndef HIPHOP_SIPGLUE_PROXY_H
#define HIPHOP_SIPGLUE_PROXY_H

#include "sipglue/engine.h"

/** A request that no transaction knew was admitted as `transaction`. */
void proxy_request(struct sip *sip, struct transaction *transaction);
/** A CANCEL was admitted as `transaction` (section 16.10). */
void proxy_cancel(struct sip *sip, struct transaction *transaction);

#endif
