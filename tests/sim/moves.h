/* SPDX-License-Identifier: MIT */
/**
 * What the tests of mobility share: an overlay in which alice and bob talk, while a judge looks at every packet. An
 * address that has never answered a host gets from it at most as many octets as came from the peer that said to be
 * there (RFC 8046 section 5.6), of ESP and of HIP and ESP together.
 */
#ifndef HIPHOP_TESTS_SIM_MOVES_H
#define HIPHOP_TESTS_SIM_MOVES_H

#include "hip/core/host.h"
#include "tests/sim/simulation.h"

/** Hosts. The first and those from MOVES_TALKERS_END on have an IPv6 and an IPv4 address each, and stay where they are.
 */
#define ROOT              0
#define ALICE             1
#define BOB               2
#define MOVES_TALKERS_END 3
#define MOVES_HOSTS       8 /**< at most */

/** The streams: from alice to bob, and back. */
#define TO_BOB   0
#define TO_ALICE 1

/** The usual time between two packets of a stream. */
#define MOVES_INTERVAL MILLISECONDS(10)

/** What a host has sent to addresses of a peer that have never answered it. */
struct moves_unanswered {
	struct simulation_octets sent; /**< without I1 and I2 */
	uint64_t exchange;             /**< of I1 and I2: an I2 goes where an R1 through the overlay said to */
};

struct moves {
	struct simulation simulation;
	struct map owners;                 /**< address → who says or said to have it */
	uint32_t addresses;                /**< made so far */
	uint32_t next_interface;           /**< index for the next link */
	uint64_t hip_packets[MOVES_HOSTS]; /**< sent, keepalives not counted */
	uint64_t hip_octets[MOVES_HOSTS];
	uint64_t octets[MOVES_HOSTS];                                 /**< of all that is sent */
	struct moves_unanswered unanswered[MOVES_HOSTS][MOVES_HOSTS]; /**< [from][to] */
	char verdict[256];                                            /**< the first breach; "" = none */
	simulation_observer *also;                                    /**< told of each packet too; may be NULL */
	void *also_context;                                           /**< for the test that wrote `also` */
};

/** How it begins. 0 is the usual. */
struct moves_setup {
	uint64_t seed;       /**< 0: that of the environment */
	size_t hosts;        /**< 0: 4 */
	duration round_trip; /**< 0: 20 ms */
	duration interval;   /**< of the streams; 0: MOVES_INTERVAL */
	bool alice_in_nat;   /**< her link is behind NAT 1, of IPv6 */
	enum path_mode mode; /**< of all hosts */
};

/** Starts it all: the overlay is joined, both streams have flowed for some seconds. */
void moves_start(struct moves *moves, const struct moves_setup *setup);
/** Frees it all. The test fails when the judge has found something. */
void moves_end(struct moves *moves);
/** Frees it all without a word. */
void moves_free(struct moves *moves);

/** An address that nobody has had yet; the judge knows that it is this host's. */
struct address moves_new_address(struct moves *moves, size_t host, bool ipv4);
/** The same, of an address that this host says to have and nobody has. */
struct address moves_new_victim(struct moves *moves, size_t host, bool ipv4);
/** The judge is told that this host says to have this address. `claimed`: it never answers. */
void moves_note_address(struct moves *moves, size_t host, const struct address *address, bool claimed);
/** Adds a link of this name. An unspecified address in `link` is filled in. Returns its number. */
size_t moves_add_link(struct moves *moves, size_t host, const char *name, struct simulation_link link);
/** Takes a new address on this link, of the same realm, and tells the node. */
void moves_change(struct moves *moves, size_t host, size_t link, bool ipv4);
/** A link with an address that is another's, or nobody's. */
size_t moves_claim(struct moves *moves, size_t host, struct address address, link_preference preference);
/** Adds a NAT with a public address of this host. */
size_t moves_add_nat(struct moves *moves, size_t host, bool ipv4, nat_filter filter, duration idle);

/** Begins to count both streams anew. */
void moves_measure(struct moves *moves);
/** Whether both streams bring at least this share of what is sent, per cent, during this time. */
bool moves_flows(struct moves *moves, duration length, uint64_t percent);
/** Runs until both streams flow again, in steps of half a second. False after `limit`. `*took` (may be NULL) is the
 * time until the beginning of the first step in which they did. */
bool moves_converge(struct moves *moves, duration limit, duration *took);
/** The association of a host with another. False: there is none. */
bool moves_association(struct moves *moves, size_t host, size_t peer, struct host_association_view *view);
/** The path in use. False: there is none. */
bool moves_current(struct moves *moves, size_t host, size_t peer, struct host_path_view *view);
/** Handovers of both ends of the talk together. */
uint32_t moves_handovers(struct moves *moves);
/** Value of a counter of a host. */
uint64_t moves_count(const struct moves *moves, size_t host, host_counter counter);
/** Says what has grown beyond its bounds; NULL: nothing. Static. */
const char *moves_beyond_bounds(struct moves *moves);

#endif
