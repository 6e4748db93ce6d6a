/* SPDX-License-Identifier: MIT */
/**
 * Where a request goes (RFC 3261 section 16.5): the topmost Route, phones registered here, another host, or a name that
 * the overlay must be asked for.
 */
#ifndef HIPHOP_SIPGLUE_TARGETS_H
#define HIPHOP_SIPGLUE_TARGETS_H

#include "sipglue/engine.h"

struct target {
	struct path path;
	osip_uri_t *uri;  /* the new Request-URI; NULL keeps the one it has */
	uint16_t quality; /* thousandths */
};

struct target_set {
	struct target targets[SIP_FORKS_MAXIMUM];
	size_t count;
};

/** What targets_find gives when the overlay must be asked for `aor`; anything above zero is a status to answer with. */
enum { TARGETS_READY = 0, TARGETS_LOOKUP = -1 };

/** Finds the targets of a request whose own Routes are off, coming from `source`. `cached` says that an answer of the
 * overlay that was kept served. Free the set with targets_free. */
int targets_find(struct sip *sip, const struct message *request, const struct path *source, struct target_set *set,
	char aor[static SIP_TEXT_SIZE], bool *cached);
/** Phones registered here for `aor`, highest quality first. TARGETS_READY, 404 when nobody is, 480 when none can be
 * reached, 500. */
int targets_registered(struct sip *sip, const char *aor, struct target_set *set);
/** The proxies of those hosts; leaves ourselves out. TARGETS_READY, or 480 when that leaves nobody. */
int targets_hosts(struct sip *sip, const struct hit *hits, size_t count, struct target_set *set);
void targets_free(struct target_set *set);

/** Keeps, or forgets, what the overlay said about a name. */
void lookup_keep(struct sip *sip, const char *aor, const struct hit *hits, size_t count);
void lookup_forget(struct sip *sip, const char *aor);
/** Whether the overlay has said lately that `aor` belongs to `hit`. */
bool caller_is_verified(const struct sip *sip, const char *aor, const struct hit *hit);
void caller_keep(struct sip *sip, const char *aor, const struct hit *hit);

#endif
