/* SPDX-License-Identifier: MIT */
/**
 * Where a SIP URI points: at us, at our domain, at this host, at another HIT, or at nothing that we can reach.
 */
#ifndef HIPHOP_SIPGLUE_PLACE_H
#define HIPHOP_SIPGLUE_PLACE_H

#include "sipglue/engine.h"

/** The literal address in a host part, with or without brackets. False for a name. */
bool place_literal(const char *host, struct address *address);
/** Whether phones there belong to this host: own HIT, ::1, 127.0.0.0/8, and the local networks. */
bool place_is_own(const struct sip *sip, const struct address *address);
/** The local network that an address is in, or NULL. */
const struct sip_network *place_network(const struct sip *sip, const struct address *address);
/** Whether `address` is one of this host itself: own HIT, ::1, 127.0.0.0/8, and ours in the local networks. */
bool place_is_host(const struct sip *sip, const struct address *address);
/** Whether a message may have come this way: to our address in a local network comes what is from that network, and
 * what is from there comes nowhere else, so that the remote address alone says whose phone it is. */
bool place_path_is_possible(const struct sip *sip, const struct endpoint *local, const struct endpoint *remote);
bool place_is_hit(const struct address *address);
struct hit place_hit(const struct address *address);
/** The port of a URI or Via, `fallback` when there is none. False when it is no port. */
bool place_port(const char *text, uint16_t fallback, uint16_t *port);
/** True when the host is our domain and the port, if any, ours. */
bool place_uri_in_domain(const struct sip *sip, const osip_uri_t *uri);
/** True when the URI names this proxy by one of its addresses. */
bool place_uri_is_proxy(const struct sip *sip, const osip_uri_t *uri);
/** sip: (416 for the rest; sips: needs TLS, which nobody here has). */
bool place_uri_is_sip(const osip_uri_t *uri);
/** user@domain of a URI, domain in lower case. HIPHOP_MALFORMED without or with an unfit user, HIPHOP_TOO_LARGE. */
hiphop_error place_aor(const osip_uri_t *uri, const char *domain, char aor[static SIP_TEXT_SIZE]);
/** The socket of ours that fits a destination: own HIT for HITs, ::1 for ::1, 127.0.0.1 for 127.0.0.0/8, ours in a
 * local network for that. False when none does: a packet from a loopback address would die on hip0, and no other
 * network is ours to use. */
bool place_path(const struct sip *sip, const struct address *to, uint16_t port, bool stream, struct path *path);
/** The path to what a URI with a literal address names. False when it names none or we cannot reach it. */
bool place_uri_path(const struct sip *sip, osip_uri_t *uri, struct path *path);
/** URI equality as far as bindings need it (RFC 3261 section 19.1.4): scheme, user, host, port, transport. */
bool place_uri_equal(osip_uri_t *a, osip_uri_t *b);

#endif
