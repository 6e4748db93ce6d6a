/* SPDX-License-Identifier: MIT */
/**
 * What the files about mobile routers offer each other and the rest of hip/core; see mobile_router.h.
 */
#ifndef HIPHOP_HIP_CORE_ROUTER_INTERNAL_H
#define HIPHOP_HIP_CORE_ROUTER_INTERNAL_H

#include "hip/core/host_internal.h"

/* ---- for the rest of hip/core ---- */

/* boarding.c */
hiphop_error router_start(struct host *host);
void router_free(struct host *host);
/* The links of this host are these now. */
void router_links(struct host *host, instant now);
void router_tick(struct host *host, instant now);
instant router_next_wake(const struct host *host);
/* Something about an association may have changed, or it has gone: after each packet of its peer, and each of its
 * timers. */
void router_review(struct host *host, instant now, const struct hit *peer);
/* The association goes. */
void router_forget(struct host *host, struct association *association);
/* Where the peer of a session (NULL: anybody) reaches this host by one of its addresses, when that is on board of a
 * router: the locators of the router. False when it is not, and for the router itself. */
bool router_locators_of(const struct host *host, const struct session *session, const struct address *address,
	const struct endpoint **locators, size_t *count);

/* router_service.c */
/* Whether an interface of this name is where hosts come on board. */
bool router_is_inside(const struct host *host, const char *name);

/* REG_INFO for an R1, when this host is a mobile router. */
void service_announce(const struct host *host, struct packet_builder *builder);

/* router_exchange.c */
/* TIMER_ROUTER */
void router_timer(struct host *host, instant now, struct association *association);
/* Whether an UPDATE about mobile routers is among these that are acknowledged. */
bool router_waits_for(const struct association *association, const struct parameter_sequence_list *acks);
/* Acknowledgments in a verified UPDATE. */
void router_acknowledged(struct host *host, const struct incoming *in, struct association *association,
	const struct parameter_sequence_list *acks);
/* Takes what a verified UPDATE with this Update ID says for the first time. HIPHOP_NO_MEMORY: it is not to be
 * acknowledged; HIPHOP_MALFORMED. */
hiphop_error router_take(struct host *host, const struct incoming *in, struct association *association, uint32_t id);
/* Adds what an acknowledgment of this UPDATE says besides: REG_RESPONSE and REG_FAILED, and then, behind the
 * parameters of lower types, the rest. */
void router_write_response(const struct association *association, uint32_t id, struct packet_builder *builder);
void router_write_answer(
	const struct host *host, const struct association *association, uint32_t id, struct packet_builder *builder);

/* router_relay.c */
/* Hands a HIP packet on for a host on board, or drops it; false when it is for this host. */
bool router_relays(struct host *host, struct incoming *in);
/* Whether our router is there: what comes from there may be of anybody. */
bool router_is_hop(const struct host *host, const struct endpoint *endpoint);
/* A packet that our router handed on came from whom it says. `relayed` is for the changed arrival. */
void router_translate_arrival(const struct host *host, struct incoming *in, struct host_arrival *relayed);
/* Whether our router carries what leaves by this end to a place of another address family. */
bool router_bridges(const struct host *host, const struct endpoint *local, const struct endpoint *remote);
/* The way to a place that the system knows no route to: perhaps our router knows one. */
bool router_way(const struct host *host, const struct endpoint *remote, struct endpoint *local);
/* Changes an effect on its way out, when it leaves on board of a router. False: it is not to leave at all. */
bool router_carries(struct host *host, struct host_effect *effect);

/* proxy_peer.c */
/* An UPDATE-PROXY that came for this host. */
void proxy_peer_input(struct host *host, struct incoming *in);
/* Whether it is for a router to say if the peer is reached there. */
bool proxy_peer_asks(const struct association *association, instant now, const struct endpoint *remote);
/* Builds the check with this nonce. */
hiphop_error proxy_peer_build(struct host *host, const struct association *association,
	const uint8_t nonce[static PATH_NONCE_LENGTH], struct outgoing *out);

/* ---- for each other ---- */

/* The dealings of an association, made when there are none. NULL for want of memory. */
struct router_dealings *router_dealings_of(struct association *association);
/* Something is to be told to the peer of an association. */
void router_tell(struct host *host, instant now, struct association *association, uint8_t news);
/* The same to our router, when there is an association with it. */
void router_tell_next(struct host *host, instant now, uint8_t news);
/* The session is another: what was under way in the old one is news again, and what the peer gave is nothing. */
void router_begin_anew(struct host *host, struct association *association);
/* What the UPDATE under way says is of no use any more; it is news again. */
void router_take_back(struct host *host, struct association *association);
/* The association may go by another path now: what is under way goes there at once. */
void router_follow_path(struct host *host, instant now, struct association *association);
/* Sets TIMER_ROUTER. */
void router_arm(struct host *host, struct association *association);
/* A HOST_EVENT about a peer. `phrase` is static. */
void router_event(struct host *host, const struct hit *peer, const char *phrase);

/* own_tickets.c */
/* Makes, changes or drops the ticket for the peer of an association, as things are now. */
void own_ticket_review(struct host *host, instant now, struct association *association);
/* The peer has acknowledged the ticket, and knows tickets, or not. */
void own_ticket_acknowledged(struct host *host, struct association *association, bool known);
/* On leaving: takes all tickets back. */
void own_tickets_revoke(struct host *host, instant now);
/* The router knows none of them any more. */
void own_tickets_untold(struct host *host);
/* Puts the DELEGATIONs that are to be told into `list`, and marks them as in the UPDATE `update`. Returns how many. */
size_t own_tickets_gather(
	struct host *host, instant now, uint32_t update, struct parameter_delegation list[DELEGATIONS_MAXIMUM]);
bool own_tickets_to_tell(const struct host *host);
/* The UPDATE is acknowledged (or, `told` false, given up). */
void own_tickets_told(struct host *host, uint32_t update, bool told);
/* A ticket that a host on board gave is of no use: whoever gave it is told. */
void own_tickets_tell_owner(
	struct host *host, instant now, const struct delegated *ticket, delegation_refusal_reason reason);
/* Our router says what is wrong with one. */
void own_ticket_refused(struct host *host, instant now, const struct parameter_delegation_refused *refused);
void own_ticket_drop(struct host *host, struct association *association);
/* Has the router told of tickets that have ended, when there are any. */
void own_tickets_tell_ends(struct host *host, instant now);
void own_tickets_free_orphans(struct host *host);
/* A ticket of a host on board of this router has gone: the next router is told, when it knows it. */
void own_tickets_withdrawn(struct host *host, const struct delegated *ticket);

/* boarding.c: what our router says */
void boarding_answered(struct host *host, instant now, struct association *association, const struct packet_view *view);
void boarding_locators(struct host *host, instant now, struct association *association, const struct packet_view *view);
bool is_our_router(const struct host *host, const struct association *association);
bool is_on_board(const struct host *host);
/* Whether there is an association with our router by which it can be told anything. */
struct association *boarding_association(const struct host *host);

/* router_service.c */
/* Fills the answer to an UPDATE of a host that wants to be on board, or is. HIPHOP_NO_MEMORY. */
hiphop_error service_take(struct host *host, const struct incoming *in, struct association *association,
	const struct packet_view *view, const struct parameter_list *inner, struct router_answer *answer);
/* A host that is registered here is gone; nothing when it is not. */
void service_leave(struct host *host, instant now, const struct hit *peer);
/* The places where the world reaches this host have changed, or may have. */
void service_look_at_uplinks(struct host *host, instant now);
void service_write_locators(const struct host *host, struct packet_builder *builder);
void service_tick(struct host *host, instant now);
instant service_next_wake(const struct host *host);
/* Those who are to be told to the next router, by `left`. Marks them as in the UPDATE. */
void service_gather_hosts(struct host *host, uint32_t update, bool left, struct parameter_hosts_on_board *hosts);
bool service_has_hosts_to_tell(const struct host *host);
void service_hosts_told(struct host *host, uint32_t update, bool told);
void service_untold(struct host *host);

/* proxy_router.c */
/* Tells the peers of all tickets where this router is now. */
void proxy_router_begin_all(struct host *host, instant now);
/* The same for one. */
void proxy_router_begin(struct host *host, instant now, struct delegated *ticket);
void proxy_router_tick(struct host *host, instant now);
/* An UPDATE-PROXY from a peer of a host on board; false when it is not for this router. */
bool proxy_router_input(struct host *host, const struct incoming *in);
/* Own uplink locators as a LOCATOR_SET. */
void service_locator_set(const struct host *host, struct parameter_locator_set *set);

#endif
