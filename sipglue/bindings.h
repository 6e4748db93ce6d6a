/* SPDX-License-Identifier: MIT */
/**
 * Who is registered here: Addresses-of-Record and their contacts (RFC 3261 section 10.3), with their expiry. Changes
 * are told to the daemon (SIP_PERSIST_REGISTRATION, SIP_EVENT, and SIP_UNSTORE when the last contact goes).
 */
#ifndef HIPHOP_SIPGLUE_BINDINGS_H
#define HIPHOP_SIPGLUE_BINDINGS_H

#include "sipglue/engine.h"

/** Contacts of one Address-of-Record at most; each is a branch of a fork. */
#define BINDINGS_MAXIMUM SIP_FORKS_MAXIMUM

struct binding {
	char contact[SIP_TEXT_SIZE]; /* the URI as text */
	osip_uri_t *uri;
	uint16_t quality;
	uint32_t cseq;
	char call_id[SIP_TEXT_SIZE];
	instant expires;
	bool has_flow;    /* false after a restart */
	struct path flow; /* where the REGISTER came from */
};

struct registration {
	TAILQ_ENTRY(registration) link;
	char aor[SIP_TEXT_SIZE];
	struct binding *bindings[BINDINGS_MAXIMUM];
	size_t count;
	struct deadline deadline;
};

struct registration *registration_find(const struct sip *sip, const char *aor);
/** Finds or makes. HIPHOP_LIMITED, HIPHOP_NO_MEMORY. A registration without binding goes with registration_settle. */
hiphop_error registration_make(struct sip *sip, const char *aor, struct registration **registration);
struct binding *binding_find(const struct registration *registration, osip_uri_t *uri);
/** Adds or replaces the binding of the same URI; takes `*filled` over on HIPHOP_OK. HIPHOP_LIMITED. */
hiphop_error binding_put(struct sip *sip, struct registration *registration, struct binding *filled);
/** Takes one away and tells it as `event`. */
void binding_remove(struct sip *sip, struct registration *registration, struct binding *binding, sip_event event);
/** Sets the timer of the next expiry; frees the registration when nothing is left, with SIP_UNSTORE. */
void registration_settle(struct sip *sip, struct registration *registration);
/** DEADLINE_BINDING passed. */
void registration_deadline(struct sip *sip, struct registration *registration);
/** Seconds that a binding has left, rounded up. */
uint32_t binding_seconds_left(const struct binding *binding, instant now);
/** The longest life among the bindings, in seconds. */
uint32_t registration_seconds_left(const struct registration *registration, instant now);
/** The way to the phone behind a binding. False when there is none. */
bool binding_path(const struct sip *sip, const struct binding *binding, struct path *path);
/** The way to the phone whose contact is `uri`. False when no such contact is registered here. */
bool bindings_path_of_uri(const struct sip *sip, osip_uri_t *uri, struct path *path);
/** True when some phone registered here is reached at that address and port. */
bool bindings_reach(const struct sip *sip, const struct path *path);
void binding_free(struct binding *binding);
void registrations_free(struct sip *sip);

#endif
