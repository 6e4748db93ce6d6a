/* SPDX-License-Identifier: MIT */
/**
 * REGISTER (RFC 3261 section 10.3): check, store in the overlay, then commit and answer.
 */
#ifndef HIPHOP_SIPGLUE_REGISTRAR_H
#define HIPHOP_SIPGLUE_REGISTRAR_H

#include "sipglue/engine.h"

/** Serves a REGISTER that is meant for us. It is answered now, or when sip_stored or the bounded wait says how. */
void registrar_request(struct sip *sip, struct transaction *transaction);
/** DEADLINE_STORE passed: the overlay did not answer. */
void registrar_store_deadline(struct sip *sip, struct pending_store *store);
void registrar_free(struct sip *sip);

#endif
