/* SPDX-License-Identifier: MIT */
/**
 * Many real nodes in one process, on virtual time, over a seeded network with loss, delay and jitter. The same seed
 * gives the same run: `trace` is a hash over every delivery (time, ends, length).
 *
 * There is as much of a kernel as the tests need: ICMPv6 echo requests are answered, and UDP goes to the proxy or to
 * phones. Each host begins with one link; simulation_links.h has more of them, NATs, and what happens to them.
 */
#ifndef HIPHOP_TESTS_SIM_SIMULATION_H
#define HIPHOP_TESTS_SIM_SIMULATION_H

#include "daemon/configuration.h"
#include "daemon/node.h"
#include "hip/base/map.h"
#include "hip/crypto/host_identity.h"
#include "tests/sim/simulation_links.h"
#include "tests/sim/simulation_stream.h"

#include <jansson.h>

/** Answers to one command that are kept. */
#define SIMULATION_REPLIES 16

/** Routes of a host at most; what goes beyond fails. */
#define SIMULATION_ROUTES 8

struct simulation;
struct waiting_datagram;
struct kept_record;

/** A datagram for a phone of a host: from its proxy, or media from another host. */
typedef void simulation_phone(struct simulation *simulation, size_t host, const struct endpoint *phone,
	const struct endpoint *from, const uint8_t *octets, size_t length);

/** Told before (true) and after (false) each call into a node. */
typedef void simulation_call(bool begins);

/** Port of the proxies. */
#define SIMULATION_SIP_PORT 5060

struct simulation_host {
	struct simulation *simulation;
	size_t index;
	struct configuration configuration;
	struct host_identity *identity;
	struct host_identity *more[CONFIGURATION_MORE]; /**< by configuration.more; see simulation_add_identity */
	struct seeded_random generator;
	struct random_source random;
	struct address address; /**< of its first link, as it is made */
	struct simulation_link links[SIMULATION_LINKS];
	bool links_held, links_untold;    /**< simulation_links_hold; the node is to be told */
	struct node *node;                /**< NULL while the host is down */
	bool suspended;                   /**< simulation_suspend */
	bool cut_off;                     /**< no packet comes or goes */
	unsigned partition;               /**< hosts of different partitions do not hear each other */
	uint64_t tunnel_packets;          /**< inner packets handed to the applications, echo requests not counted */
	uint64_t sent, received;          /**< datagrams */
	struct map traffic;               /**< address → struct simulation_traffic */
	struct waiting_datagram *waiting; /**< for its proxy and its phones */
	struct kept_record *state;        /**< its state file */
	struct ip_prefix routes[SIMULATION_ROUTES]; /**< to prefixes behind other hosts */
	size_t route_count;
};

struct in_flight;

struct simulation {
	uint64_t seed;
	struct seeded_random generator;
	struct random_source random;
	instant now;
	wall_milliseconds wall_start;
	struct simulation_host *hosts;
	size_t host_count;
	instant *wakes; /**< of the nodes; a tree, each place has the earlier of the two below it, the first is 1 */
	size_t wake_leaves;
	duration delay;  /**< one way */
	duration jitter; /**< up to so much more */
	uint32_t loss_per_mille;
	struct in_flight **heap; /**< datagrams under way, earliest first */
	size_t in_flight_count, in_flight_capacity;
	uint64_t next_order;
	struct seeded_random hash_generator; /**< of the maps, which draw nothing from the random of the network */
	struct random_source hash_random;
	struct map owners; /**< realm and address → whose it is */
	struct map nobody; /**< address → struct simulation_traffic: sent there while nobody had it */
	struct simulation_nat nats[SIMULATION_NATS];
	size_t nat_count;
	struct simulation_stream streams[SIMULATION_STREAMS];
	size_t stream_count;
	simulation_observer *observer;         /**< told of each packet that a host sends; may be NULL */
	void *observer_context;                /**< for the test that wrote `observer` */
	struct packet_vector *vector;          /**< for one delivery */
	struct packet_vector *replies_vectors; /**< two, for echo replies */
	uint64_t trace;                        /**< hash of all that was delivered */
	uint64_t delivered, lost;
	bool keep_state;                     /**< what nodes persist is there again when they boot */
	simulation_phone *phone;             /**< hears what arrives at phones; may be NULL */
	void *phone_context;                 /**< for the test that wrote `phone` */
	json_t *replies[SIMULATION_REPLIES]; /**< last answer to the command with this token, or NULL */
	simulation_call *call;               /**< may be NULL */
	struct log log;
};

/** The seed that the environment asks for by SIM_SEED, or 1. */
uint64_t simulation_seed(void);
/** Prints the seed. `count` hosts are made, none is up. Host 0 is everybody's bootstrap peer. */
void simulation_start(struct simulation *simulation, uint64_t seed, size_t count);
void simulation_free(struct simulation *simulation);
/** Gives a host that is down a further identity: `identity`, which is stolen, or one from the seed when that is NULL.
 * Returns its HIT. */
struct hit simulation_add_identity(
	struct simulation *simulation, size_t host, struct host_identity *identity, bool anonymous);
/** Boots a host (again). It has the same identity each time, and its state file if keep_state. */
void simulation_boot(struct simulation *simulation, size_t host);
/** Takes a host down without a word. */
void simulation_kill(struct simulation *simulation, size_t host);
/** Lets a host leave in order: node_stop, its last packets go out, then it is down. */
void simulation_leave(struct simulation *simulation, size_t host);
/** Stops a host as it is: no call into its node, nothing comes in, while time goes on. Its links may change. */
void simulation_suspend(struct simulation *simulation, size_t host);
/** Goes on: a late node_tick, then the node is told of its addresses if they have changed. */
void simulation_resume(struct simulation *simulation, size_t host);
/** Runs for a length of virtual time. */
void simulation_run(struct simulation *simulation, duration length);
/** Runs until `done` says true, checked every 100 ms; false when that took longer than `limit`. */
bool simulation_run_until(struct simulation *simulation, duration limit, bool (*done)(struct simulation *simulation));
/** A phone at the host's own HIT and this port sends to the proxy of its host. Call it from a test or from `phone`. */
void simulation_phone_send(struct simulation *simulation, size_t host, uint16_t port, const char *message);
/** A phone sends a datagram (media) straight to another HIT. */
void simulation_phone_send_to(
	struct simulation *simulation, size_t host, uint16_t port, size_t to, uint16_t to_port, const char *payload);
/** The kernel of a host sends a UDP datagram into its tunnel device: of this host, or one that it forwards. Both
 * addresses IPv6. */
void simulation_tunnel_send(struct simulation *simulation, size_t host, const struct endpoint *from,
	const struct endpoint *to, const void *payload, size_t length);
/** Gives a command to a host; its answers arrive in replies[slot]. The request is stolen. */
void simulation_command(struct simulation *simulation, size_t host, size_t slot, json_t *request);
/** Runs until the last answer for `slot` is there and returns it (owned by the simulation), or NULL after `limit`. */
json_t *simulation_answer(struct simulation *simulation, size_t slot, duration limit);
/** Both in one. */
json_t *simulation_ask(struct simulation *simulation, size_t host, json_t *request, duration limit);
/** Whether the state file of a host has this HIT in it, as text or octets. */
bool simulation_keeps(const struct simulation *simulation, size_t host, const struct hit *hit);
/** The HIT of a host as text; static per call site is not needed: it is written to `text`. */
char *simulation_hit(const struct simulation *simulation, size_t host, char text[static HIT_TEXT_SIZE]);
/** True when host `a` shows an association with `b` as ESTABLISHED. */
bool simulation_is_associated(struct simulation *simulation, size_t a, size_t b);
/** True when each host that is up has joined the overlay. */
bool simulation_all_joined(struct simulation *simulation);
/** True when each host that is up has as its first successor the next one on the ring. */
bool simulation_ring_is_right(struct simulation *simulation);

#endif
