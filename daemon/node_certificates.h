/* SPDX-License-Identifier: MIT */
/**
 * Certificates in the node (RFC 8002). Inside the node only.
 */
#ifndef HIPHOP_DAEMON_NODE_CERTIFICATES_H
#define HIPHOP_DAEMON_NODE_CERTIFICATES_H

#include "daemon/node_identities.h"
#include "hip/core/host.h"

#include <jansson.h>

/** What the host asks for (host_environment); `context` is the local identity. */
void node_check_certificates(void *context, instant now, const struct host_identity *holder,
	const struct certificate_item *items, size_t count, struct certificate_report *report);
/** The certificates of an identity of this host, or NULL. */
const struct certificate_chain *node_own_certificates(const struct local_identity *local);
/** Whether an association stands with `peer` whose certificate was found valid and has not expired; `context` is the
 *  node. */
bool node_is_certified(void *context, const struct hit *peer);
/** What came of a peer's certificates, or null when it sent none (docs/control.md). */
json_t *node_certificate_json(const struct host_association_view *view);
/** Adds a sentence when rules ask for certificates that nobody could have. */
void node_certificates_trouble(const struct node *node, json_t *trouble);

#endif
