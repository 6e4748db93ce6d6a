/* SPDX-License-Identifier: MIT */
/**
 * Who is on board of a mobile router: registered hosts, those behind a registered router, the tickets that they gave,
 * and by these which ESP goes where. A table, without packets and clock.
 *
 * Hosts behind a router are reached through it, as far as this table goes: `carrier`.
 */
#ifndef HIPHOP_HIP_CORE_ON_BOARD_H
#define HIPHOP_HIP_CORE_ON_BOARD_H

#include "hip/base/deadline_heap.h"
#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/map.h"
#include "hip/base/random.h"
#include "hip/base/time.h"
#include "hip/base/token_bucket.h"
#include "hip/wire/parameters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Hosts on board at most, those behind other routers among them; and tickets, in all and of one owner. */
#define ON_BOARD_HOSTS_MAXIMUM   1024
#define ON_BOARD_TICKETS_MAXIMUM 8192
#define ON_BOARD_TICKETS_OF_ONE  256
/** Packets a second that are handed on for one registered host, and at once; of ESP in each direction, and of HIP. */
#define ON_BOARD_ESP_PER_SECOND     200000
#define ON_BOARD_ESP_BURST          20000
#define ON_BOARD_PACKETS_PER_SECOND 200
#define ON_BOARD_PACKETS_BURST      400
/** Of HIP packets that come from somebody who is no peer of it as far as its tickets tell. */
#define ON_BOARD_STRANGE_PER_SECOND 50
#define ON_BOARD_STRANGE_BURST      100

struct boarder {
	struct hit hit;
	struct boarder *carrier; /**< the registered host that it is behind; NULL: it is registered itself */
	uint32_t number;         /**< never used again */
	size_t tickets;          /**< that it owns */
	bool passed_on;          /**< the next router knows that it is here (router_service.c) */
	bool passing;            /**< … or will, by the UPDATE `passing_by` */
	uint32_t passing_by;

	/* Of a registered one. */
	struct endpoint local, remote; /**< our end and its, on board */
	instant expires;
	/* HIP packets that it sends, that come from its peers, and from others; and ESP. */
	struct token_bucket packets_out, packets_in, strange_packets, esp_in, esp_out;
	uint64_t octets_in, octets_out; /**< of ESP that came for it, and from it */
};

/** A ticket and the ESP that goes with it. */
struct delegated {
	struct parameter_delegation what; /**< `lifetime` is as it came; `expires` counts */
	struct boarder *owner;
	struct boarder *via; /**< the registered host that gave it */
	instant expires;

	/* For who tells the peer where the router is (proxy_router.c). */
	uint32_t sequence; /**< SEQ of the last UPDATE-PROXY; 0: none yet */
	unsigned tries;    /**< of it */
	bool waiting;      /**< it is not answered yet */
	bool unanswered;   /**< it was given up */
	struct deadline deadline;

	/* The way on which its ESP leaves, once that was asked for (router_relay.c). */
	bool has_way;
	struct endpoint way_local, way_remote;

	/* For who passes it on to the next router (own_tickets.c). */
	bool passed_on; /**< the next router has it as it is now */
	bool passing;   /**< … or will, by the UPDATE `passing_by` */
	uint32_t passing_by;
	bool refused; /**< the next router does not take it as it is */
};

struct on_board {
	struct map hosts;       /* HIT → boarder */
	struct map by_endpoint; /* endpoint → registered boarder */
	struct map tickets;     /* ticket ID → delegated */
	struct map by_pair;     /* owner's number and peer → delegated: there is one for each pair */
	struct map inward;      /* SPI → delegated */
	struct map outward;     /* number of `via`, SPI → delegated */
	uint32_t next_number;
	/** A ticket is about to go; for those who keep its deadline. May be NULL. */
	void (*gone)(void *context, struct delegated *ticket);
	void *context;
};

/** `gone` and `context` may be set afterwards. */
void on_board_start(struct on_board *table, const struct random_source *random);
void on_board_free(struct on_board *table);

/** Registers a host that is at `remote`, or gives it more time and another place. It is no longer behind another.
 *  HIPHOP_LIMITED, HIPHOP_EXISTS (another host is at that endpoint), HIPHOP_NO_MEMORY. */
hiphop_error on_board_register(struct on_board *table, instant now, const struct hit *hit, const struct endpoint *local,
	const struct endpoint *remote, instant expires);
/** A registered host leaves: it, those behind it, and all their tickets. False when it was not there. */
bool on_board_leave(struct on_board *table, const struct hit *hit);
/** A registered host says that another is behind it, or no longer. The newest word counts, but for hosts that are
 *  registered themselves. HIPHOP_REFUSED, HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error on_board_set_behind(struct on_board *table, struct boarder *carrier, const struct hit *hit, bool left);
/** The host, or NULL. */
struct boarder *on_board_find(const struct on_board *table, const struct hit *hit);
/** The registered host at an endpoint, or NULL. */
struct boarder *on_board_at(const struct on_board *table, const struct endpoint *remote);
/** The registered host through which this one is reached: itself, or its carrier. */
struct boarder *on_board_carrier(struct boarder *boarder);

/** Whether the router itself receives with an SPI. */
typedef bool on_board_own_spi(void *context, uint32_t spi);
/**
 * Takes what a registered host says of a ticket, instead of what it said before, of another ticket of the same owner
 * for the same peer too; lifetime 0 takes it back. `own` is asked about the SPIs with `own_context`. HIPHOP_OK
 * (`*ticket` is it, NULL when it was taken back), HIPHOP_REFUSED
 * (`*reason` says why; what was said before stays), HIPHOP_NO_MEMORY (the ticket is gone).
 */
hiphop_error on_board_delegate(struct on_board *table, instant now, struct boarder *via,
	const struct parameter_delegation *delegation, on_board_own_spi *own, void *own_context,
	delegation_refusal_reason *reason, struct delegated **ticket);
struct delegated *on_board_ticket(const struct on_board *table, const uint8_t id[static TICKET_ID_LENGTH]);
/** Whether a host on board says by a ticket that `peer` is at `from`. */
bool on_board_knows_peer(
	const struct on_board *table, const struct boarder *owner, const struct hit *peer, const struct endpoint *from);
/** Drops one. */
void on_board_withdraw(struct on_board *table, struct delegated *ticket);

/** Whether a host on board receives with this SPI. */
bool on_board_has_spi(const struct on_board *table, uint32_t spi);
/** The ticket of ESP that came for a host on board: by its SPI, and only from a locator of the peer. NULL: nobody's. */
struct delegated *on_board_inward(const struct on_board *table, uint32_t spi, const struct endpoint *from);
/** The ticket of ESP that a registered host sends. */
struct delegated *on_board_outward(const struct on_board *table, const struct boarder *via, uint32_t spi);

/** The ways of all tickets are to be asked for again. */
void on_board_forget_ways(struct on_board *table);

/** Drops whose time is over; true when anything went. */
bool on_board_expire(struct on_board *table, instant now);

#endif
