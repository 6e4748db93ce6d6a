/* SPDX-License-Identifier: MIT */
/**
 * Reading HIP packets (RFC 7401 section 5): one pass over received octets makes a bounded list of parameter views;
 * nothing is copied and nothing is changed. Then the message rules say whether a packet has what its type must have.
 *
 * The order of checks for a receiver: packet_parse, packet_verify_checksum (builder.h), packet_unknown_critical,
 * packet_check_rules, and then the typed readers of parameters.h.
 */
#ifndef HIPHOP_HIP_WIRE_PACKET_H
#define HIPHOP_HIP_WIRE_PACKET_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/wire/constants.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Parameters in one packet at most. */
#define PACKET_PARAMETERS_MAXIMUM 64

/** One parameter of a packet; borrows the octets of the packet. */
struct parameter_view {
	uint16_t type;
	uint16_t offset;      /**< where its Type field starts, from the start of the parsed octets */
	struct span contents; /**< without Type, Length and padding */
	struct span encoded;  /**< all of it, with Type, Length and padding; a multiple of 8 octets */
};

/** Parameters one after the other: of a packet, or what was inside ENCRYPTED. */
struct parameter_list {
	size_t count;
	struct parameter_view items[PACKET_PARAMETERS_MAXIMUM];
};

/** A parsed packet. Valid as long as the octets it was parsed from. */
struct packet_view {
	struct span octets;  /**< header and parameters, without payload */
	struct span payload; /**< what follows the HIP header when next_header is not 59; else empty */
	struct hit sender;
	struct hit receiver;
	uint16_t checksum;
	uint16_t controls; /**< RFC 7401 section 5.1.2: mask with HIP_CONTROL_ANONYMOUS, ignore the rest */
	uint8_t next_header;
	uint8_t header_length; /**< as on the wire, in units of 8 octets without the first 8 */
	uint8_t version;
	uint8_t type; /**< hip_packet_type */
	struct parameter_list parameters;
	/** After an error: the octet that failed the check, for the Pointer of ICMP Parameter Problem (RFC 7401
	 *  section 5.4) and for the log. 3 = version, 2 = packet type, 1 = header length, 0 = next header. */
	size_t problem_offset;
};

/** Parses a packet that starts with the HIP header; `length` is all there is, payload included. Reserved bits, the two
 *  SHIM6 bits, Controls and padding are not checked, as RFC 7401 sections 5.1 and 5.2.1 demand; octets behind a
 *  header whose Next Header is 59 are ignored (RFC 8200 section 4.7). The checksum is not verified here.
 *   HIPHOP_TRUNCATED    ends before the fixed header or the header length says
 *   HIPHOP_UNSUPPORTED  version other than 2, or a packet type that we do not know: drop
 *   HIPHOP_MALFORMED    header length below 4, Next Header 139, a parameter past the end of
 *                       the parameters, types out of order
 *   HIPHOP_TOO_LARGE    more than PACKET_PARAMETERS_MAXIMUM parameters, or over HIP_PACKET_WITH_PAYLOAD_MAXIMUM octets
 *  On error only problem_offset and what came before the problem are set. */
hiphop_error packet_parse(const uint8_t *data, size_t length, struct packet_view *view);

/** Parses parameters that stand alone (decrypted contents of ENCRYPTED, cipher padding removed). Offsets count from
 *  `data`. HIPHOP_MALFORMED, HIPHOP_TOO_LARGE. */
hiphop_error parameters_parse(const uint8_t *data, size_t length, struct parameter_list *list);

/** The first parameter of a type, or NULL. */
const struct parameter_view *packet_find(const struct packet_view *view, uint16_t type);
/** The one of index `nth` (from 0) among those of a type, or NULL. */
const struct parameter_view *packet_find_nth(const struct packet_view *view, uint16_t type, size_t nth);
const struct parameter_view *parameters_find(const struct parameter_list *list, uint16_t type);
/** The first parameter that is critical (odd type) and unknown to the parameter table, or NULL. Then the packet must
 * not be processed (RFC 7401 section 5.2.1); NOTIFY is UNSUPPORTED_CRITICAL_PARAMETER_TYPE with its two-octet type. */
const struct parameter_view *packet_unknown_critical(const struct packet_view *view);

/** The message rules of RFC 7401 section 5.3 and RFC 6078 section 5.1: no unknown critical parameter, every parameter
 * within its lengths, none repeated that may not be, all mandatory ones there (also "SEQ or ACK" of UPDATE, "HOST_ID or
 *  ENCRYPTED" of I2, "PAYLOAD_MIC with SEQ_DATA" of DATA).
 *   HIPHOP_OK
 *   HIPHOP_UNSUPPORTED  unknown critical parameter; *notify_type = UNSUPPORTED_CRITICAL_PARAMETER_TYPE
 *   HIPHOP_MALFORMED    any other breach; *notify_type = INVALID_SYNTAX
 *  Whether the NOTIFY may be sent is for the caller (only after MAC and signature were verified). `notify_type` may be
 * NULL. */
hiphop_error packet_check_rules(const struct packet_view *view, uint16_t *notify_type);

/** Which integrity protection covers a parameter, by its type (RFC 7401 section 5.2). */
typedef enum {
	PARAMETER_COVERED,    /**< in front of MAC and signature: both cover it */
	PARAMETER_PROTECTION, /**< is a MAC or a signature itself (61440 to 62463) */
	PARAMETER_UNCOVERED   /**< behind them: neither covers it, anyone on the way may add or change it */
} parameter_coverage;

/** A row of the parameter table. */
struct parameter_rule {
	uint16_t type;
	uint16_t minimum;  /**< octets of contents at least */
	uint16_t maximum;  /**< octets of contents at most */
	uint16_t multiple; /**< contents minus minimum is a multiple of this */
	bool repeats;      /**< may occur more than once */
	uint16_t must_in;  /**< packet types that must carry it, a set of PACKET_BIT_ */
	uint16_t may_in;   /**< packet types that may carry it */
	const char *name;  /**< as in the RFCs */
};

/** Packet types as a set. */
#define PACKET_BIT_I1           0x001
#define PACKET_BIT_R1           0x002
#define PACKET_BIT_I2           0x004
#define PACKET_BIT_R2           0x008
#define PACKET_BIT_UPDATE       0x010
#define PACKET_BIT_NOTIFY       0x020
#define PACKET_BIT_CLOSE        0x040
#define PACKET_BIT_CLOSE_ACK    0x080
#define PACKET_BIT_DATA         0x100
#define PACKET_BIT_ANY          0x1ff /* those of the RFCs */
#define PACKET_BIT_UPDATE_PROXY 0x200

/** The row of a parameter type, or NULL when we do not know it. Static storage. */
const struct parameter_rule *parameter_rule_of(uint16_t type);
/** "HIP_MAC" …, or "unknown". Static storage. */
const char *parameter_name(uint16_t type);
parameter_coverage parameter_coverage_of(uint16_t type);
/** The set bit of a packet type, or 0 when we do not know it. */
uint16_t packet_type_bit(unsigned packet_type);
/** True when the table lists the parameter for this packet type. A known parameter in another packet is not an error:
 *  receivers ignore it. */
bool parameter_expected_in(uint16_t type, unsigned packet_type);

#endif
