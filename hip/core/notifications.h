/* SPDX-License-Identifier: MIT */
/**
 * The Notify Message Types as a table (RFC 7401 section 5.2.19, RFC 7402 section 5.1.3, RFC 8002 section 5 and others):
 * in answer to what this host sends each, what the other must have shown before it is told anything, and what stands in
 * Notification Data. What the table does not allow is not sent: a stranger could make an amplifier of this host.
 */
#ifndef HIPHOP_HIP_CORE_NOTIFICATIONS_H
#define HIPHOP_HIP_CORE_NOTIFICATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the sender of a packet has shown so far; each includes those before it, but for I2s with a right puzzle. */
typedef enum {
	SHOWN_NOTHING,
	SHOWN_ADDRESS,   /**< a peer of ours was reached there before */
	SHOWN_NEIGHBOUR, /**< the packet came out of the verified ESP of a neighbour */
	SHOWN_PUZZLE,    /**< a right solution of our puzzle */
	SHOWN_KEYS,      /**< a right HIP_MAC */
	SHOWN_IDENTITY,  /**< a right signature */
	SHOWN_NEVER      /**< more than anybody can show: this host does not send it */
} notification_proof;

/** What stands in Notification Data. */
typedef enum {
	NOTIFICATION_EMPTY,
	NOTIFICATION_PARAMETER_TYPE, /**< the type of the parameter, 2 octets */
	NOTIFICATION_CERTIFICATE,    /**< CERT group and CERT ID, 2 octets, or nothing (RFC 8002 section 5) */
	NOTIFICATION_SPI,            /**< 4 octets */
	NOTIFICATION_LOCATORS,       /**< locators as they stood in LOCATOR_SET (RFC 8046 section 5.3) */
	NOTIFICATION_PACKET          /**< the header of the packet and what identifies it (RFC 6079, 6028) */
} notification_data;

struct notification_rule {
	uint16_t type;
	notification_proof proof; /**< that it takes */
	uint16_t answers;         /**< packet types it answers, a set of PACKET_BIT_; 0: no HIP packet */
	notification_data data;
	const char *when; /**< for people */
};

/** Rows of the table. */
#define NOTIFICATION_RULES 30

/** The row at `index`, in ascending order of type. */
const struct notification_rule *notification_rule_at(size_t index);
/** The row of a type, or NULL when we do not know it. */
const struct notification_rule *notification_rule_of(uint16_t type);
/** Its index, or NOTIFICATION_RULES for a type that we do not know. */
size_t notification_index(uint16_t type);
/** Whether data of this length may go with the type. */
bool notification_data_fits(const struct notification_rule *rule, size_t length);
/** Whether the table allows to answer a packet of this type, whose sender has shown so much. */
bool notification_is_allowed(const struct notification_rule *rule, unsigned packet_type, notification_proof shown);

#endif
