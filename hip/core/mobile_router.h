/* SPDX-License-Identifier: MIT */
/**
 * Mobile routers and hosts on board, after draft-melen-hip-mr (docs/hipv2-mapping.md): the state that an association
 * and a host have of it. Nobody outside hip/core includes this; what the files offer each other is in
 * router_internal.h.
 *
 * Four parts may be played, by one host at once:
 *   the host on board   registers with its router and gives tickets          boarding.c, own_tickets.c
 *   its peer            takes a ticket, and what comes by it                 proxy_peer.c
 *   the router          takes hosts and tickets; tells peers where it is     router_service.c, proxy_router.c
 *   the next router     the router is on board itself, and passes on         own_tickets.c
 * router_exchange.c has the signed UPDATEs by which they tell each other. router_relay.c hands on what travels between
 * hosts on board and the world, below the paths of the hosts: for the core of a host on board its peers are where they
 * are, and only what leaves (host_next_effect) goes to the router.
 */
#ifndef HIPHOP_HIP_CORE_MOBILE_ROUTER_H
#define HIPHOP_HIP_CORE_MOBILE_ROUTER_H

#include "hip/base/bytes.h"
#include "hip/base/deadline_heap.h"
#include "hip/core/host.h"
#include "hip/core/on_board.h"
#include "hip/core/ticket.h"

/* What is to be told to the peer of an association; a set. */
typedef enum {
	NEWS_TICKET = 1,       /* to a peer: our ticket, or its end */
	NEWS_REGISTRATION = 2, /* to our router: we come, stay or leave */
	NEWS_HOSTS = 4,        /* to our router: who is behind us */
	NEWS_DELEGATIONS = 8,  /* to our router: tickets */
	NEWS_LOCATORS = 16,    /* to a host on board: where we are reached */
	NEWS_REFUSALS = 32     /* to a host on board: what the next router does not take */
} router_news;

/* DELEGATIONs in one UPDATE, so that it fits most links in one piece; and refusals that wait to be told. */
#define DELEGATIONS_MAXIMUM 7
#define REFUSALS_MAXIMUM    16

/* A ticket that this host gave to the peer of an association. */
struct own_ticket {
	struct own_ticket *next; /* among those whose association has gone */
	struct ticket_grant grant;
	instant expires, renew; /* it is given more time at `renew` */
	bool confirmed;         /* the peer has it */
	bool ignored;           /* the peer acknowledged the UPDATE, and knows nothing of tickets */
	bool revoked;           /* only its end is still to be told */
	bool refused;           /* by the router as it is */
	bool told;              /* the router has it as `said` */
	bool in_flight;         /* … or will, by the UPDATE `telling` */
	bool changed;           /* … which is not all any more */
	uint32_t telling;
	struct parameter_delegation said;
};

/* What was answered to the last UPDATE that wanted something of a router, for when it comes again. */
struct router_answer {
	bool made;
	uint32_t update;
	bool has_ticket;
	uint8_t ticket[TICKET_ID_LENGTH];
	bool registered; /* REG_RESPONSE with `value`, and our locators */
	bool failed;     /* REG_FAILED with `value` */
	uint8_t value;
	struct parameter_registration unavailable; /* types that were asked for and are not here */
	size_t refusal_count;
	struct parameter_delegation_refused refusals[DELEGATIONS_MAXIMUM];
};

/* What an association has to do with mobile routers. Made when it is needed first. */
struct router_dealings {
	instant session;         /* `began` of the session that all this is of */
	bool said_goodbye;       /* in the UPDATE under way */
	bool leaving;            /* NEWS_REGISTRATION says goodbye */
	struct own_ticket *own;  /* NULL: none */
	struct held_ticket held; /* the peer's */
	struct router_answer answer;

	/* Signed UPDATEs, one at a time. */
	uint8_t news, telling; /* sets of router_news: to be told; in the UPDATE under way */
	unsigned tries;        /* 0: none is under way */
	uint32_t update;
	instant sent;
	struct endpoint sent_from, sent_to; /* by which way */
	instant pause;                      /* after tries in vain nothing goes out until then */
	struct buffer packet;

	struct parameter_delegation_refused refusals[REFUSALS_MAXIMUM]; /* NEWS_REFUSALS */
	size_t refusal_count;
	size_t refusals_telling; /* the first of them are in the UPDATE under way */

	/* As the peer of a host on board: what the last UPDATE-PROXY said (proxy_peer.c). */
	uint32_t proxy_sequence;
	size_t place_count;
	struct endpoint places[ROUTER_LOCATORS_MAXIMUM + 1];
};

/* How it stands with our own router. */
struct router_use {
	struct hit router; /* null: none is wanted */
	struct hit next;   /* the one to use when this one is left; null: none */
	host_router_state state;
	uint8_t failure;               /* of REG_FAILED, when REFUSED */
	struct endpoint local, remote; /* where we reach it, while REGISTERED */
	instant session;               /* `began` of the session that the registration is of */
	instant expires, renew;
	instant seek; /* the next try */
	unsigned tries;
	struct parameter_router_locators locators; /* of the router */
	struct own_ticket *orphans;                /* whose end the router is still to be told */
	size_t orphan_count;
};

/* The part of a router. */
struct router_service {
	struct on_board on_board;
	struct deadline_heap due; /* tickets whose peers are to be told, or told again */
	size_t uplink_count;
	struct endpoint uplinks[ROUTER_LOCATORS_MAXIMUM]; /* where we are reached, the most liked first */
	instant look;                                     /* when to look after those whose time is over */
	struct hit left[HOSTS_ON_BOARD_MAXIMUM];          /* who is to be told to the next router as gone */
	size_t left_count, left_telling;
};

struct mobile_router {
	struct router_use use;
	struct router_service service;
};

#endif
