/* SPDX-License-Identifier: MIT */
/**
 * The links of simulated hosts, and NATs in front of them. A packet leaves by the link that has its local address, or,
 * when it names none, by the first link of the right family, or the one that has the destination behind the same NAT;
 * it arrives at whoever has its destination address at that time. What is sent to an address that nobody has is lost
 * and counted.
 */
#ifndef HIPHOP_TESTS_SIM_SIMULATION_LINKS_H
#define HIPHOP_TESTS_SIM_SIMULATION_LINKS_H

#include "hip/base/endpoint.h"
#include "hip/base/link_address.h"
#include "hip/base/packet_vector.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct simulation;

/** Links of one host at most. One address each: an interface with two addresses is two links with one name. */
#define SIMULATION_LINKS 4
/** NATs of one simulation at most. */
#define SIMULATION_NATS 16
/** Mappings that one NAT has at a time; the one that was used longest ago makes room. */
#define SIMULATION_NAT_MAPPINGS 16
/** Remote endpoints that one mapping remembers to have sent to. */
#define SIMULATION_NAT_REMOTES 32

struct simulation_link {
	bool used; /**< there is such a link; set by simulation_link_add */
	/** What the node is told. A test may change all but the address, and then calls simulation_links_tell. */
	struct link_address known;
	bool down;       /**< the node is not told of it, nothing passes: simulation_link_set_down */
	duration delay;  /**< on this link, one way, beside the delay of the simulation */
	duration jitter; /**< up to so much more */
	uint32_t loss_per_mille;
	/** Packets vanish, which nobody is told. */
	bool silent_in, silent_out;
	/** A claimed address: the node is told that it has it, it may send with it as its source, but what is sent
	 * there goes to its owner, or to nobody. */
	bool claimed;
	size_t nat; /**< the NAT in front of it, from simulation_nat_add; 0 = none */
};

/** Whom a NAT lets in. */
typedef enum {
	NAT_FILTERS_NOBODY = 0, /**< whoever sends to a mapped port (RFC 4787 section 5: endpoint-independent) */
	NAT_FILTERS_ADDRESSES,  /**< addresses that were sent to (address-dependent) */
	NAT_FILTERS_ENDPOINTS   /**< addresses and ports that were sent to (address and port-dependent) */
} nat_filter;

struct nat_mapping {
	struct endpoint inner;
	uint16_t port; /**< of the public address; 0 = no mapping here */
	instant used;  /**< when a packet went out by it last */
	struct endpoint remotes[SIMULATION_NAT_REMOTES];
	size_t remote_count; /**< of all times; the oldest are overwritten */
};

/** A NAT with one public address. Hosts behind the same one reach each other by their inner addresses; to others these
 * are addresses of nobody. It maps UDP alone, endpoint-independent (RFC 4787 section 4.1). */
struct simulation_nat {
	struct address address;
	nat_filter filter;
	duration idle; /**< a mapping without outgoing packets is forgotten after that */
	uint16_t next_port;
	struct nat_mapping mappings[SIMULATION_NAT_MAPPINGS];
	uint64_t refused; /**< packets that were not let in */
};

/** Octets of HIP and ESP, UDP framing not counted; keepalives count as HIP. */
struct simulation_octets {
	uint64_t hip, esp;
};

/** What a host has exchanged with an address, as it stands in the packets that it sends and gets. */
struct simulation_traffic {
	struct address address;
	struct simulation_octets sent, received;
};

/** A packet that a host has sent, before anything happens to it. `source` is as the world sees it. */
typedef void simulation_observer(struct simulation *simulation, size_t from, const struct endpoint *source,
	const struct packet *packet, bool is_esp);

/** Adds a link and tells the node. `link` is copied. Returns its number. */
size_t simulation_link_add(struct simulation *simulation, size_t host, const struct simulation_link *link);
/** Takes it away and tells the node. */
void simulation_link_remove(struct simulation *simulation, size_t host, size_t link);
/** Gives it another address and tells the node. */
void simulation_link_change(struct simulation *simulation, size_t host, size_t link, const struct address *address);
/** Takes it down or up and tells the node. */
void simulation_link_set_down(struct simulation *simulation, size_t host, size_t link, bool down);
/** Moves a link to another NAT, or away from one, with another address, and tells the node. */
void simulation_link_set_nat(
	struct simulation *simulation, size_t host, size_t link, size_t nat, const struct address *address);
/** Takes the link in both directions, or neither, for silent. */
void simulation_link_set_silent(struct simulation *simulation, size_t host, size_t link, bool silent);
/** Tells the node again what its addresses are. */
void simulation_links_tell(struct simulation *simulation, size_t host);
/** Between the two nothing is told to the node; then all at once. */
void simulation_links_hold(struct simulation *simulation, size_t host);
void simulation_links_release(struct simulation *simulation, size_t host);

/** Adds a NAT with this public address; the number for simulation_link.nat. */
size_t simulation_nat_add(
	struct simulation *simulation, const struct address *address, nat_filter filter, duration idle);
/** Forgets all mappings: the next packet out gets another port, and until then nothing comes in. */
void simulation_nat_rebind(struct simulation *simulation, size_t nat);

/** What `host` has exchanged with this address; zeros when that is nothing. */
struct simulation_traffic simulation_traffic_with(
	const struct simulation *simulation, size_t host, const struct address *address);
/** What all hosts together have sent to this address while nobody had it. */
struct simulation_octets simulation_sent_to_nobody(const struct simulation *simulation, const struct address *address);
/** Puts a packet of a test's own on the way, from any source to any destination. `kind`: PACKET_DATAGRAM, PACKET_HIP or
 * PACKET_ESP. It takes the delay of the simulation and of the link that it arrives by. */
void simulation_inject(struct simulation *simulation, const struct endpoint *source, const struct endpoint *destination,
	packet_kind kind, const uint8_t *octets, size_t length);

/** An address from text. The test fails when it is none. */
struct address simulation_address(const char *text);

#endif
