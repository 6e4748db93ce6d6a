/* SPDX-License-Identifier: MIT */
/**
 * What the files of the simulation share: simulation.c has the life of it all and the clock; simulation_kernel.c
 * carries a node's effects out; simulation_network.c has the packets under way; simulation_links.c the links;
 * simulation_nat.c the NATs; simulation_stream.c numbered streams; simulation_state.c the state files;
 * simulation_questions.c asks the nodes.
 */
#ifndef HIPHOP_TESTS_SIM_SIMULATION_INTERNAL_H
#define HIPHOP_TESTS_SIM_SIMULATION_INTERNAL_H

#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/** Around each call into a node, of the simulation in sight. */
#define CALL(what) (simulation_tell_call(simulation, true), (what), simulation_tell_call(simulation, false))

/** Around the world, outside of all NATs. */
#define WORLD 0

static inline void simulation_tell_call(const struct simulation *simulation, bool begins)
{
	if (simulation->call)
		simulation->call(begins);
}

/* simulation.c */
/** When the node of this host wants its next tick. */
void simulation_set_wake(struct simulation *simulation, const struct simulation_host *host, instant at);

/* simulation_kernel.c */
/** Carries out all effects of a node, and arms its timer. */
void simulation_drain(struct simulation *simulation, struct simulation_host *host);
/** Frees what waits for the phones and the proxy of a host. */
void simulation_forget_waiting(struct simulation_host *host);

/* simulation_network.c */
void simulation_network_start(struct simulation *simulation);
void simulation_network_free(struct simulation *simulation);
/** A node has sent a packet. */
void simulation_send(struct simulation *simulation, struct simulation_host *from, struct packet *packet);
/** When the next packet arrives; INSTANT_NEVER when none is under way. */
instant simulation_next_arrival(const struct simulation *simulation);
/** Lets it arrive: the clock is set to then. */
void simulation_arrive(struct simulation *simulation);

/* simulation_links.c */
/** The source_address of the nodes' environment; `context` is the host. */
bool simulation_source_address(void *context, const struct address *remote, struct address *source);
/** Calls node_addresses, without draining the effects. */
void simulation_tell_addresses(struct simulation *simulation, struct simulation_host *host);
/** The link that a packet from `local` (may be unspecified) to `remote` leaves by; NULL: none. */
struct simulation_link *simulation_link_for(
	struct simulation_host *host, const struct address *local, const struct address *remote);
/** Makes the first link of a host, before it boots. */
void simulation_first_link(struct simulation *simulation, struct simulation_host *host);

/** Who has an address: a link of a host, or a NAT. */
struct owner {
	size_t host, link;
	size_t nat; /**< 0: it is a link */
};
/** Finds the owner of an address in a realm: WORLD, or behind that NAT. False: nobody. */
bool simulation_owner(
	const struct simulation *simulation, size_t realm, const struct address *address, struct owner *owner);

/* simulation_nat.c */
/** The source of an outgoing packet from `inner` to `remote`, as the world sees it. False: it cannot be mapped. */
bool simulation_nat_out(struct simulation_nat *nat, instant now, const struct endpoint *inner,
	const struct endpoint *remote, struct endpoint *outer);
/** For whom behind the NAT a packet from `remote` is. False: it is not let in. */
bool simulation_nat_in(const struct simulation_nat *nat, instant now, const struct endpoint *remote, uint16_t port,
	struct endpoint *inner);

/* simulation_stream.c */
void simulation_streams_free(struct simulation *simulation);
/** The stream that sends next; NULL when none does. */
struct simulation_stream *simulation_next_stream(struct simulation *simulation);
/** Sends its next packet. */
void simulation_stream_send(struct simulation *simulation, struct simulation_stream *stream);
/** Takes what has come out of the tunnel of a host, if it is of a stream; else false. */
bool simulation_stream_take(struct simulation *simulation, size_t host, const struct endpoint *to, struct span payload);

/* simulation_state.c */
void simulation_keep_record(struct simulation_host *host, const struct node_record *record);
void simulation_forget_record(struct simulation_host *host, const struct node_record *record);
void simulation_restore_state(struct simulation *simulation, struct simulation_host *host);
void simulation_free_state(struct simulation_host *host);

#endif
