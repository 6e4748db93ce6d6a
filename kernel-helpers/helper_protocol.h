/* SPDX-License-Identifier: MIT */
/**
 * What hiphopd may ask of its kernel helper: a fixed menu, in requests of fixed size over a socketpair of datagrams
 * (SOCK_SEQPACKET). The first message is the policy, sent before hiphopd gives up its own privilege and once only; from
 * then on the helper decides by it, never by what a request says. A policy that cannot be ends the helper; a bad
 * request is answered with its error and changes nothing. Descriptors belong to answers: a message to the helper that
 * brings one is malformed, and the descriptor is closed.
 */
#ifndef HIPHOP_KERNEL_HELPERS_HELPER_PROTOCOL_H
#define HIPHOP_KERNEL_HELPERS_HELPER_PROTOCOL_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/ip_prefix.h"
#include "kernel-helpers/tunnel_device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELPER_MAGIC 0x68697068U

/** The menu. */
typedef enum {
	HELPER_SETUP_NETWORK = 1, /**< network_setup with the policy's device, MTU and HITs; argument 0 */
	HELPER_OPEN_UNDERLAY =
		2, /**< a socket of underlay_sockets.h; argument is enum underlay_socket; a descriptor comes back */
	HELPER_OPEN_QUEUE = 3,  /**< a further queue of the tunnel device; argument 0; a descriptor comes back */
	HELPER_ADD_ROUTE = 4,   /**< route a prefix to the tunnel device; argument is its length; it must lie in one of
				   the   policy */
	HELPER_REMOVE_ROUTE = 5 /**< remove such a route, and no other */
} helper_choice;

/** No padding, no pointer; `reserved` must be zero. Host order: both ends are one program. */
struct helper_request {
	uint32_t magic;
	uint32_t sequence; /**< comes back in the answer */
	uint16_t choice;   /**< helper_choice */
	uint16_t argument;
	uint32_t reserved;
	struct address prefix; /**< of a route; else zero */
};

struct helper_answer {
	uint32_t magic;
	uint32_t sequence;
	int32_t error;        /**< hiphop_error */
	int32_t error_number; /**< errno, or 0 */
	char step[32];        /**< what failed, for the log; zero-terminated */
};

/** HITs of the tunnel device besides its first. */
#define HELPER_MORE_HITS_MAXIMUM 7
/** Prefixes in which routes may be asked for, and routes at once. */
#define HELPER_PREFIXES_MAXIMUM 64
#define HELPER_ROUTES_MAXIMUM   256

/** What the helper may do: the first message. All bytes of it are set, so make it with `= {0}`. */
struct helper_policy {
	uint32_t magic;
	char tunnel_name[TUNNEL_NAME_SIZE];
	uint16_t mtu;
	uint16_t port; /**< of the underlay's UDP socket */
	uint16_t raw;  /**< 1: transport "ip" is configured, raw sockets may be opened; else 0 */
	uint16_t more_count;
	struct hit hit;
	struct hit more[HELPER_MORE_HITS_MAXIMUM]; /**< of further identities; zero after more_count */
	struct address ipv4;                       /**< IPv4 address of the device; zero = none */
	uint16_t prefix_count;
	uint16_t reserved;                                  /**< zero */
	struct ip_prefix prefixes[HELPER_PREFIXES_MAXIMUM]; /**< zero after prefix_count */
};
/** Further tunnel queues at most. */
#define HELPER_QUEUES_MAXIMUM 8

/** Checks the first message: HIPHOP_MALFORMED, or HIPHOP_REFUSED for a name, an MTU (1280 to 9000), a HIT, an address
 * or a prefix (ip_prefix_trouble) that cannot be. */
hiphop_error helper_policy_check(const void *octets, size_t length, struct helper_policy *policy);

/** Checks the form and the policy of what came in. HIPHOP_MALFORMED (size, magic, reserved), HIPHOP_UNSUPPORTED (not on
 * the menu), HIPHOP_REFUSED (on the menu, but not for this policy). */
hiphop_error helper_request_check(
	const struct helper_policy *policy, const void *octets, size_t length, struct helper_request *request);

/** Sends one message, with a descriptor unless -1. HIPHOP_SYSTEM. */
hiphop_error helper_message_send(int channel, const void *octets, size_t length, int descriptor);
/** Receives one message and at most one descriptor (-1 without; more are closed). Sets `length` to the size that came,
 * which may be over `capacity` (the rest is lost). HIPHOP_NOT_FOUND: the other end is gone. HIPHOP_SYSTEM (EAGAIN:
 * nothing waits). */
hiphop_error helper_message_receive(int channel, void *octets, size_t capacity, size_t *length, int *descriptor);

#endif
