/* SPDX-License-Identifier: MIT */
/**
 * The data plane of one host: ESP in BEET mode (RFC 7402 appendix B) on vectors of packets.
 *
 * Inner packets are IPv6 between this host's HIT and a peer's; no inner header travels. An inbound SA is found by its
 * SPI alone, never by address; one pair of SAs serves all paths to a peer, and all pairs share its route. Nothing here
 * reads a clock or makes a system call, and nothing is allocated for a packet.
 */
#ifndef HIPHOP_HIP_ESP_ESP_H
#define HIPHOP_HIP_ESP_ESP_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/packet_vector.h"
#include "hip/base/random.h"
#include "hip/base/time.h"
#include "hip/crypto/esp_suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct esp;

/** Octets of the credit that data leaves for HIP packets: a check with the longest signature that there is (512), or a
 * few usual ones. */
#define ESP_CREDIT_OF_CHECKS 1024
/** Octets of a probe. */
#define ESP_PROBE_LENGTH 16
/** Pairs of SAs with one peer at most: the newest sends, older ones still receive until they are removed. */
#define ESP_PAIRS_PER_PEER 4

/** How much one SA of a pair may carry, each direction for itself. Behind the soft limit the control plane is told,
 * behind the hard one the SA carries nothing more. 0: no limit but that of the 64-bit sequence number. */
struct esp_limits {
	uint64_t soft_packets, hard_packets;
	uint64_t soft_octets, hard_octets; /**< encrypted ones */
};

/** Further ways to a peer at most, beside the first. */
#define ESP_MORE_WAYS 3

/** From where to where sealed packets go. */
struct esp_way {
	struct endpoint local, remote;
};

/** What is done with more than one way. */
typedef enum {
	ESP_WAYS_FIRST = 0, /**< all by the first */
	ESP_WAYS_SPREAD,    /**< each flow by one of them */
	ESP_WAYS_DUPLICATE  /**< all by the first, small UDP packets by the second too; the peer drops what comes twice
			     */
} esp_ways_use;

/** How packets reach a peer, by whatever pair of SAs. */
struct esp_route {
	struct esp_way first;
	/** Nobody has answered there yet: only as many octets are sent as have come from the peer lately, the rest
	 * becomes PACKET_MISS (credit-based authorisation, RFC 8046 section 5.6). ESP_CREDIT_OF_CHECKS are
	 * kept for HIP packets. */
	bool unverified;
	esp_ways_use use;
	size_t more_count;
	struct esp_way more[ESP_MORE_WAYS];
};

/** A pair of SAs with a peer. */
struct esp_pair {
	struct hit peer;
	/** Outer addresses and transport of what we send. A standby pair with a peer that has others leaves the route
	 * as it is. */
	struct endpoint local, remote;
	uint32_t spi_in, spi_out;        /**< host order */
	const struct esp_keys *keys_in;  /**< borrowed during the call */
	const struct esp_keys *keys_out; /**< borrowed during the call */
	bool standby;                    /**< receives, but does not send before esp_use */
	struct esp_limits limits;
};

/** HIPHOP_NO_MEMORY. `self` is this host's HIT. */
hiphop_error esp_create(const struct hit *self, const struct random_source *random, struct esp **esp);
/** Removes all SAs, wipes their keys, frees all. NULL is allowed. */
void esp_free(struct esp *esp);

/** Installs a pair; it is the one that sends from now on, unless it is on standby. HIPHOP_EXISTS (the inbound SPI is
 * taken), HIPHOP_LIMITED (too many pairs with this peer), HIPHOP_UNSUPPORTED (suite), HIPHOP_NO_MEMORY, HIPHOP_CRYPTO:
 * nothing changed. */
hiphop_error esp_install(struct esp *esp, const struct esp_pair *pair);
/** A new route to the peer that the pair with this inbound SPI is with. ESP_NOTICE_RESUMED comes with the next packet
 * from it. HIPHOP_NOT_FOUND, HIPHOP_NO_MEMORY (for further ways; the first is taken). */
hiphop_error esp_set_route(struct esp *esp, uint32_t spi_in, const struct esp_route *route);
/** Tells ESP_NOTICE_SENDS with the next packet that is sealed for the peer of the pair with this inbound SPI.
 * HIPHOP_NOT_FOUND. */
hiphop_error esp_watch(struct esp *esp, uint32_t spi_in);
/** The pair with this inbound SPI is the one that sends from now on (RFC 7402 section 3.3.2). HIPHOP_NOT_FOUND. */
hiphop_error esp_use(struct esp *esp, uint32_t spi_in);
/** Removes the pair with this inbound SPI and wipes its keys. HIPHOP_NOT_FOUND. */
hiphop_error esp_remove(struct esp *esp, uint32_t spi_in);
/** True when it receives with this SPI. */
bool esp_has_spi(const struct esp *esp, uint32_t spi);
/** True when packets can be sealed for `peer`. */
bool esp_has_peer(const struct esp *esp, const struct hit *peer);

/**
 * Seals the packets of a vector in place (RFC 7402 section 3, RFC 4303 section 3.3). By kind:
 * PACKET_INNER becomes PACKET_ESP with local and remote set; PACKET_MISS with `peer` set when there is no SA yet, or
 * the one that sends is at its hard limit;
 * PACKET_DROPPED when it is not for a HIT, not from this host, or an IP protocol that HIP keeps for itself (139).
 * PACKET_CONTROL (a HIP packet for `peer`, RFC 6261) becomes PACKET_ESP, or PACKET_DROPPED without SA. So does
 * PACKET_PROBE, which keeps its own endpoints and is no traffic. Others are left alone.
 */
void esp_seal(struct esp *esp, instant now, struct packet_vector *vector);
/** The same for one packet. */
void esp_seal_packet(struct esp *esp, instant now, struct packet *packet);
/**
 * Opens the packets of a vector in place (RFC 4303 section 3.4). PACKET_ESP becomes PACKET_INNER (a whole IPv6 packet,
 * `peer` set), PACKET_CONTROL (next header 139, `peer` set), PACKET_PROBE (a dummy packet of RFC 4303 section 2.6 of
 * ESP_PROBE_LENGTH octets), or PACKET_DROPPED. One whose SPI nobody has stays PACKET_ESP. Others are left alone.
 */
void esp_open(struct esp *esp, instant now, struct packet_vector *vector);
/** The same for one packet. */
void esp_open_packet(struct esp *esp, instant now, struct packet *packet);

/** Where a copy of this packet, which was just sealed, is to go; false when there is to be none. */
bool esp_copy_way(const struct esp *esp, const struct packet *packet, struct esp_way *way);

/** When a packet was last sealed for and last opened from `peer`; 0 = never since its first SA. Probes do not count. */
void esp_traffic(const struct esp *esp, const struct hit *peer, instant *sent, instant *heard);
/** When anything, probes too, was last opened that came from `peer` by the first way of its route; 0 = never. */
instant esp_heard_on_route(const struct esp *esp, const struct hit *peer);
/** Octets that may go to `peer` at an address where it has not answered (RFC 8046 section 5.6). */
uint64_t esp_credit(const struct esp *esp, const struct hit *peer, instant now);
/** Takes octets of a packet that is not ESP out of it; false when there are not as many. */
bool esp_spend_credit(struct esp *esp, const struct hit *peer, instant now, size_t octets);
/** Inner octets in and out since the first SA with `peer`; false when there is none. */
bool esp_volume(const struct esp *esp, const struct hit *peer, uint64_t *octets_in, uint64_t *octets_out);

/** What a pair has carried so far. */
struct esp_usage {
	uint64_t packets_in, packets_out;
	uint64_t octets_in, octets_out; /**< encrypted ones */
};
/** False, and all zero, when nobody has the SPI. */
bool esp_usage(const struct esp *esp, uint32_t spi_in, struct esp_usage *usage);

/** What the control plane has to know about a pair; the first three come once. */
typedef enum {
	ESP_NOTICE_HEARD = 1,      /**< the first packet came in on it */
	ESP_NOTICE_SOFT = 2,       /**< a soft limit is reached: new keys are due */
	ESP_NOTICE_HARD = 4,       /**< a hard limit is reached: it carries nothing more in that direction */
	ESP_NOTICE_SENDS = 8,      /**< the first packet after esp_watch was sealed */
	ESP_NOTICE_ELSEWHERE = 16, /**< a packet came by another way than that of the route: `way`; not told of each */
	ESP_NOTICE_RESUMED = 32    /**< the first packet since the route changed came in, `gap` after the last before */
} esp_notice_kind;

struct esp_notice {
	esp_notice_kind kind;
	uint32_t spi_in;    /**< of the pair */
	struct esp_way way; /**< ESP_NOTICE_ELSEWHERE */
	duration gap;       /**< ESP_NOTICE_RESUMED; 0 when nothing was heard before */
};

/** The next notice; false when there is none. To be asked for after each call of esp_seal and esp_open. */
bool esp_next_notice(struct esp *esp, struct esp_notice *notice);

/** Counters of the data plane. */
#define ESP_COUNTERS(X)                                                                                                \
	X(SEALED, "esp_sealed")                                                                                        \
	X(OPENED, "esp_opened")                                                                                        \
	X(MISS, "esp_miss")                                                                                            \
	X(DROP_NOT_FOR_HIT, "esp_drop_not_for_hit")                                                                    \
	X(DROP_NOT_OURS, "esp_drop_not_from_own_hit")                                                                  \
	X(DROP_RESERVED, "esp_drop_reserved_protocol")                                                                 \
	X(DROP_TOO_LARGE, "esp_drop_too_large")                                                                        \
	X(DROP_MALFORMED, "esp_drop_malformed")                                                                        \
	X(DROP_UNKNOWN_SPI, "esp_drop_unknown_spi")                                                                    \
	X(DROP_REPLAYED, "esp_drop_replayed")                                                                          \
	X(DROP_ICV, "esp_drop_icv")                                                                                    \
	X(DROP_NO_SA, "esp_drop_no_sa")                                                                                \
	X(DROP_EXPIRED, "esp_drop_expired")                                                                            \
	X(BEYOND_CREDIT, "esp_beyond_credit")                                                                          \
	X(COPIED, "esp_copied")                                                                                        \
	X(PROBES_IN, "esp_probes_in")                                                                                  \
	X(PROBES_OUT, "esp_probes_out")

typedef enum {
#define ESP_COUNTER_MEMBER(name, text) ESP_COUNT_##name,
	ESP_COUNTERS(ESP_COUNTER_MEMBER)
#undef ESP_COUNTER_MEMBER
		ESP_COUNTER_COUNT
} esp_counter;

uint64_t esp_counter_value(const struct esp *esp, esp_counter counter);
const char *esp_counter_name(esp_counter counter);

#endif
