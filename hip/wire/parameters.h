/* SPDX-License-Identifier: MIT */
/**
 * Parameters as structs. A reader takes a parameter_view (of the right type: HIPHOP_INVALID_ARGUMENT otherwise; NULL,
 * as packet_find gives for an absent one: HIPHOP_NOT_FOUND), checks every length and fills a struct. A writer adds the
 * parameter to a builder and returns the errors of packet_builder_add. Numbers are in host order; reserved fields are
 * written zero and ignored when read. Spans borrow the packet (reading) or the caller's octets (writing).
 *
 * Errors of readers, where nothing else is said: HIPHOP_TRUNCATED when the contents end early, HIPHOP_MALFORMED when
 * lengths inside do not agree, HIPHOP_TOO_LARGE over the limit of a list.
 */
#ifndef HIPHOP_HIP_WIRE_PARAMETERS_H
#define HIPHOP_HIP_WIRE_PARAMETERS_H

#include "hip/base/bytes.h"
#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/wire/builder.h"
#include "hip/wire/constants.h"
#include "hip/wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Base exchange (RFC 7401) ---- */

/** R1_COUNTER, section 5.2.3. `reserved` is echoed verbatim by the Initiator. */
struct parameter_r1_counter {
	uint32_t reserved;
	uint64_t counter;
};
hiphop_error parameter_r1_counter_read(const struct parameter_view *view, struct parameter_r1_counter *out);
hiphop_error parameter_r1_counter_write(struct packet_builder *builder, const struct parameter_r1_counter *in);

/** PUZZLE, section 5.2.4. */
struct parameter_puzzle {
	uint8_t difficulty; /**< #K, bits */
	uint8_t lifetime;   /**< 2^(lifetime - 32) seconds */
	uint8_t opaque[2];
	size_t random_length; /**< octets of Random #I = RHASH_len / 8; at most PUZZLE_RANDOM_MAXIMUM */
	uint8_t random_i[PUZZLE_RANDOM_MAXIMUM];
};
hiphop_error parameter_puzzle_read(const struct parameter_view *view, struct parameter_puzzle *out);
hiphop_error parameter_puzzle_write(struct packet_builder *builder, const struct parameter_puzzle *in);

/** Overwrites Opaque and Random #I of the PUZZLE in an already built and signed R1, and the Receiver's HIT: none of
 * these is under HIP_SIGNATURE_2 (RFC 7401 section 5.3.2). `random_length` must be what the R1 has.
 * HIPHOP_INVALID_ARGUMENT, errors of packet_parse. Set the checksum afterwards. */
hiphop_error parameter_puzzle_renew(uint8_t *r1, size_t length, const struct hit *receiver,
	const uint8_t opaque[static 2], const uint8_t *random_i, size_t random_length);

/** SOLUTION, section 5.2.5. Random #I and #J have the same length. */
struct parameter_solution {
	uint8_t difficulty;
	uint8_t opaque[2];
	size_t random_length;
	uint8_t random_i[PUZZLE_RANDOM_MAXIMUM];
	uint8_t solution_j[PUZZLE_RANDOM_MAXIMUM];
};
hiphop_error parameter_solution_read(const struct parameter_view *view, struct parameter_solution *out);
hiphop_error parameter_solution_write(struct packet_builder *builder, const struct parameter_solution *in);

/** DH_GROUP_LIST (section 5.2.6) and HIT_SUITE_LIST (section 5.2.10): octets in order of preference. HIT suites are
 * kept as on the wire (ID in the high four bits). What is past OCTET_LIST_MAXIMUM is dropped. */
struct parameter_octet_list {
	size_t count;
	uint8_t items[OCTET_LIST_MAXIMUM];
};
hiphop_error parameter_dh_group_list_read(const struct parameter_view *view, struct parameter_octet_list *out);
hiphop_error parameter_dh_group_list_write(struct packet_builder *builder, const struct parameter_octet_list *in);
hiphop_error parameter_hit_suite_list_read(const struct parameter_view *view, struct parameter_octet_list *out);
hiphop_error parameter_hit_suite_list_write(struct packet_builder *builder, const struct parameter_octet_list *in);

/** DIFFIE_HELLMAN, section 5.2.7. */
struct parameter_diffie_hellman {
	uint8_t group;
	struct span public_value;
};
hiphop_error parameter_diffie_hellman_read(const struct parameter_view *view, struct parameter_diffie_hellman *out);
hiphop_error parameter_diffie_hellman_write(struct packet_builder *builder, const struct parameter_diffie_hellman *in);

/** HIP_CIPHER (RFC 7401 section 5.2.8), ESP_TRANSFORM (RFC 7402 section 5.1.2) and NAT_TRAVERSAL_MODE (RFC 9028
 * section 5.4): at most six, in order of preference. Readers take the first six and drop the rest, as the RFCs demand.
 */
struct parameter_suite_list {
	size_t count;
	uint16_t items[SUITE_LIST_MAXIMUM];
};
hiphop_error parameter_hip_cipher_read(const struct parameter_view *view, struct parameter_suite_list *out);
hiphop_error parameter_hip_cipher_write(struct packet_builder *builder, const struct parameter_suite_list *in);
hiphop_error parameter_esp_transform_read(const struct parameter_view *view, struct parameter_suite_list *out);
hiphop_error parameter_esp_transform_write(struct packet_builder *builder, const struct parameter_suite_list *in);
hiphop_error parameter_nat_traversal_mode_read(const struct parameter_view *view, struct parameter_suite_list *out);
hiphop_error parameter_nat_traversal_mode_write(struct packet_builder *builder, const struct parameter_suite_list *in);

/** TRANSPORT_FORMAT_LIST, section 5.2.11: parameter types of transport formats (4095 = ESP). Past the limit dropped. */
struct parameter_transport_format_list {
	size_t count;
	uint16_t items[TYPE_LIST_MAXIMUM];
};
hiphop_error parameter_transport_format_list_read(
	const struct parameter_view *view, struct parameter_transport_format_list *out);
hiphop_error parameter_transport_format_list_write(
	struct packet_builder *builder, const struct parameter_transport_format_list *in);

/** HOST_ID, section 5.2.9. FQDN is in DNS wire form. Keep parameter_view.encoded of the Responder for HIP_MAC_2. */
struct parameter_host_id {
	uint16_t algorithm; /**< hip_hi_algorithm */
	struct span host_identity;
	uint8_t domain_identifier_type; /**< hip_domain_identifier */
	struct span domain_identifier;  /**< at most 4095 octets */
};
hiphop_error parameter_host_id_read(const struct parameter_view *view, struct parameter_host_id *out);
hiphop_error parameter_host_id_write(struct packet_builder *builder, const struct parameter_host_id *in);

/** ENCRYPTED, section 5.2.18. The cipher says how long the IV is. */
struct parameter_encrypted {
	struct span iv;
	struct span data;
};
hiphop_error parameter_encrypted_read(
	const struct parameter_view *view, size_t iv_length, struct parameter_encrypted *out);
hiphop_error parameter_encrypted_write(struct packet_builder *builder, const struct parameter_encrypted *in);

/** CERT, RFC 8002 section 2. */
struct parameter_cert {
	uint8_t group;
	uint8_t count;
	uint8_t id;
	uint8_t type;
	struct span certificate;
};
hiphop_error parameter_cert_read(const struct parameter_view *view, struct parameter_cert *out);
hiphop_error parameter_cert_write(struct packet_builder *builder, const struct parameter_cert *in);

/** NOTIFICATION, section 5.2.19. */
struct parameter_notification {
	uint16_t type; /**< hip_notify_type */
	struct span data;
};
hiphop_error parameter_notification_read(const struct parameter_view *view, struct parameter_notification *out);
hiphop_error parameter_notification_write(struct packet_builder *builder, const struct parameter_notification *in);

/** HIP_SIGNATURE and HIP_SIGNATURE_2, sections 5.2.14 and 5.2.15. */
struct parameter_signature {
	uint16_t algorithm; /**< hip_hi_algorithm */
	struct span signature;
};
hiphop_error parameter_signature_read(const struct parameter_view *view, struct parameter_signature *out);
/** Adds a signature parameter of `length` zero octets behind the algorithm; returns where the signature goes, or NULL.
 */
uint8_t *parameter_signature_reserve(struct packet_builder *builder, uint16_t type, uint16_t algorithm, size_t length);

/** Parameters that are octets and nothing else: ECHO_REQUEST and ECHO_RESPONSE (signed and unsigned), HIP_MAC,
 * HIP_MAC_2, RVS_HMAC, RELAY_HMAC, OVERLAY_ID (4 octets with RELOAD) and TRANSACTION_ID (8 octets with RELOAD). Any
 * other type: HIPHOP_INVALID_ARGUMENT. */
hiphop_error parameter_opaque_read(const struct parameter_view *view, struct span *out);
hiphop_error parameter_opaque_write(struct packet_builder *builder, uint16_t type, struct span in);

/* ---- UPDATE and DATA: sequence numbers ---- */

/** SEQ (RFC 7401 section 5.2.16), SEQ_DATA (RFC 6078 section 4.1), CANDIDATE_PRIORITY (RFC 9028 section 5.14),
 * TRANSACTION_PACING in milliseconds (section 5.5) and NOMINATE (section 5.15, its reserved number): one 32-bit number.
 * Other types: HIPHOP_INVALID_ARGUMENT. */
hiphop_error parameter_number_read(const struct parameter_view *view, uint32_t *out);
hiphop_error parameter_number_write(struct packet_builder *builder, uint16_t type, uint32_t in);

/** ACK (RFC 7401 section 5.2.17) and ACK_DATA (RFC 6078 section 4.2): at least one number. */
struct parameter_sequence_list {
	size_t count;
	uint32_t items[SEQUENCE_LIST_MAXIMUM];
};
bool parameter_sequence_list_has(const struct parameter_sequence_list *list, uint32_t number);
hiphop_error parameter_sequence_list_read(const struct parameter_view *view, struct parameter_sequence_list *out);
hiphop_error parameter_sequence_list_write(
	struct packet_builder *builder, uint16_t type, const struct parameter_sequence_list *in);

/** PAYLOAD_MIC, RFC 6078 section 4.3. `payload_end` is the last 8 octets of the payload (zero octets in front when it
 * is shorter). */
struct parameter_payload_mic {
	uint8_t next_header;
	uint8_t payload_end[8];
	struct span mic;
};
hiphop_error parameter_payload_mic_read(const struct parameter_view *view, struct parameter_payload_mic *out);
hiphop_error parameter_payload_mic_write(struct packet_builder *builder, const struct parameter_payload_mic *in);
/** Fills `payload_end` from a payload. */
void parameter_payload_end(struct span payload, uint8_t payload_end[static 8]);

/* ---- ESP, mobility, NAT traversal ---- */

/** ESP_INFO, RFC 7402 section 5.1.1. */
struct parameter_esp_info {
	uint16_t keymat_index;
	uint32_t old_spi;
	uint32_t new_spi;
};
hiphop_error parameter_esp_info_read(const struct parameter_view *view, struct parameter_esp_info *out);
hiphop_error parameter_esp_info_write(struct packet_builder *builder, const struct parameter_esp_info *in);

/** One locator of LOCATOR_SET, RFC 8046 section 4 and RFC 9028 section 5.7. */
struct locator {
	struct address address;
	uint32_t lifetime; /**< seconds, never 0; LOCATOR_LIFETIME_UNBOUNDED = no end */
	uint32_t spi;      /**< types 1 and 2 */
	uint32_t priority; /**< type 2 */
	uint16_t port;     /**< type 2 */
	uint8_t protocol;  /**< type 2: 17 = UDP */
	uint8_t kind;      /**< type 2: hip_locator_kind */
	uint8_t type;      /**< hip_locator_type */
	uint8_t traffic;   /**< hip_traffic_type */
	bool preferred;
};
/** LOCATOR_SET. No locator at all is allowed and takes all addresses back. Readers leave out (and count in `ignored`)
 * locators of unknown type or traffic type; a zero lifetime or a length that does not fit the type is HIPHOP_MALFORMED.
 * Whether an address may be used (address_is_usable_locator) is for the caller. */
struct parameter_locator_set {
	size_t count;
	size_t ignored;
	struct span unknown_preferred; /**< the first one left out that has the P bit, whole; borrows the packet */
	struct locator items[LOCATOR_SET_MAXIMUM];
};
hiphop_error parameter_locator_set_read(const struct parameter_view *view, struct parameter_locator_set *out);
/** HIPHOP_INVALID_ARGUMENT for an unknown type or a zero lifetime. */
hiphop_error parameter_locator_set_write(struct packet_builder *builder, const struct parameter_locator_set *in);

/** REG_FROM, RELAY_FROM, RELAY_TO (RFC 9028 section 5.6), RELAYED_ADDRESS, MAPPED_ADDRESS (section 5.12). Port 0 and
 * protocol 0 mean plain IP. Read: protocols other than 0 and 17 are HIPHOP_UNSUPPORTED. Other types:
 * HIPHOP_INVALID_ARGUMENT. */
hiphop_error parameter_transport_address_read(const struct parameter_view *view, struct endpoint *out);
hiphop_error parameter_transport_address_write(
	struct packet_builder *builder, uint16_t type, const struct endpoint *in);

/** FROM and VIA_RVS (RFC 8004 section 4.2): one address (the first, of VIA_RVS). */
hiphop_error parameter_address_read(const struct parameter_view *view, struct address *out);
hiphop_error parameter_address_write(struct packet_builder *builder, uint16_t type, const struct address *in);

/** PEER_PERMISSION, RFC 9028 section 5.13. */
struct parameter_peer_permission {
	struct endpoint relayed; /**< RAddress and RPort: the candidate at the relay */
	struct endpoint peer;    /**< PAddress and PPort */
	uint32_t outbound_spi;
	uint32_t inbound_spi;
};
hiphop_error parameter_peer_permission_read(const struct parameter_view *view, struct parameter_peer_permission *out);
hiphop_error parameter_peer_permission_write(
	struct packet_builder *builder, const struct parameter_peer_permission *in);

/** HIP_TRANSPORT_MODE, RFC 6261 section 3.1. No mode at all is allowed ("none of yours"). Past six dropped. */
struct parameter_transport_mode {
	uint16_t port;
	struct parameter_suite_list modes;
};
hiphop_error parameter_transport_mode_read(const struct parameter_view *view, struct parameter_transport_mode *out);
hiphop_error parameter_transport_mode_write(struct packet_builder *builder, const struct parameter_transport_mode *in);

/* ---- Registration (RFC 8003 section 4) ---- */

/** REG_INFO (minimum and maximum lifetime), REG_REQUEST, REG_RESPONSE (lifetime in `value`) and REG_FAILED (failure
 * type in `value`). Lifetimes are 2^((x - 64) / 8) seconds, 0 cancels. Types past the limit are dropped. */
struct parameter_registration {
	uint8_t value;   /**< REG_INFO: minimum lifetime */
	uint8_t maximum; /**< REG_INFO only: maximum lifetime */
	size_t count;
	uint8_t types[REGISTRATION_LIST_MAXIMUM];
};
hiphop_error parameter_registration_read(const struct parameter_view *view, struct parameter_registration *out);
hiphop_error parameter_registration_write(
	struct packet_builder *builder, uint16_t type, const struct parameter_registration *in);

/* ---- Mobile routers (docs/hipv2-mapping.md; after draft-melen-hip-mr) ---- */

#define TICKET_ID_LENGTH  8
#define TICKET_KEY_LENGTH 32

/** What lets a router speak for a host on board towards one peer. */
struct ticket_grant {
	uint8_t id[TICKET_ID_LENGTH];
	uint32_t lifetime;              /**< seconds from now; 0 takes it back, and the key means nothing */
	uint8_t key[TICKET_KEY_LENGTH]; /**< of HMAC-SHA-256 */
};

/** TICKET: the host on board to its peer, inside ENCRYPTED. */
hiphop_error parameter_ticket_read(const struct parameter_view *view, struct ticket_grant *out);
hiphop_error parameter_ticket_write(struct packet_builder *builder, const struct ticket_grant *in);

/** The SPIs of a pair of SAs, as the host on board has them. */
struct delegation_pair {
	uint32_t spi_in, spi_out;
};
/** DELEGATION: the host on board to its router, or a router to the next one, inside ENCRYPTED: a ticket, and which
 *  ESP goes with it. It stands for all that was said of this ticket before. */
struct parameter_delegation {
	struct ticket_grant grant;
	struct hit owner; /**< the host on board */
	struct hit peer;
	uint32_t sequence; /**< the greatest SEQ that was used with the ticket; 0: none */
	size_t pair_count;
	struct delegation_pair pairs[DELEGATION_PAIRS_MAXIMUM];
	size_t locator_count; /**< of the peer; the first one is where ESP goes to */
	struct endpoint locators[DELEGATION_LOCATORS_MAXIMUM];
};
/** HIPHOP_MALFORMED for an SPI below 256, an owner or peer that is no HIT of a host, or a lifetime without locators. */
hiphop_error parameter_delegation_read(const struct parameter_view *view, struct parameter_delegation *out);
hiphop_error parameter_delegation_write(struct packet_builder *builder, const struct parameter_delegation *in);
/** Octets that it takes in a packet. */
size_t parameter_delegation_length(const struct parameter_delegation *in);

/** ROUTER_LOCATORS: where the router is reached now, the most liked first; none while it has no link. */
struct parameter_router_locators {
	size_t count;
	struct endpoint endpoints[ROUTER_LOCATORS_MAXIMUM];
};
hiphop_error parameter_router_locators_read(const struct parameter_view *view, struct parameter_router_locators *out);
hiphop_error parameter_router_locators_write(
	struct packet_builder *builder, const struct parameter_router_locators *in);

/** DELEGATION_REFUSED: what is wrong with a DELEGATION, that was refused or turned out to be of no use. */
typedef enum {
	DELEGATION_SPI_COLLIDES = 1, /**< another host on board, or the router, has this SPI */
	DELEGATION_TOO_MANY = 2,
	DELEGATION_NOT_YOURS = 3, /**< the ticket is another's, or the owner is not on board */
	DELEGATION_UNANSWERED = 4 /**< it was taken, and the peer does not answer to it */
} delegation_refusal_reason;
struct parameter_delegation_refused {
	uint8_t id[TICKET_ID_LENGTH];
	uint8_t reason; /**< delegation_refusal_reason */
};
hiphop_error parameter_delegation_refused_read(
	const struct parameter_view *view, struct parameter_delegation_refused *out);
hiphop_error parameter_delegation_refused_write(
	struct packet_builder *builder, const struct parameter_delegation_refused *in);

/** TICKET_ID: of an UPDATE-PROXY, and in an UPDATE that acknowledges a TICKET. */
hiphop_error parameter_ticket_id_read(const struct parameter_view *view, uint8_t id[static TICKET_ID_LENGTH]);
hiphop_error parameter_ticket_id_write(struct packet_builder *builder, const uint8_t id[static TICKET_ID_LENGTH]);

/** HOSTS_ON_BOARD: a router to the next one, which hosts have come behind it or left. */
struct parameter_hosts_on_board {
	bool left; /**< false: they have come */
	size_t count;
	struct hit hits[HOSTS_ON_BOARD_MAXIMUM];
};
hiphop_error parameter_hosts_on_board_read(const struct parameter_view *view, struct parameter_hosts_on_board *out);
hiphop_error parameter_hosts_on_board_write(struct packet_builder *builder, const struct parameter_hosts_on_board *in);

/* ---- Overlay (RFC 6079, 6028) ---- */

/** OVERLAY_TTL, RFC 6079 section 6.2. */
hiphop_error parameter_overlay_ttl_read(const struct parameter_view *view, uint16_t *ttl);
hiphop_error parameter_overlay_ttl_write(struct packet_builder *builder, uint16_t ttl);

/** ROUTE_DST (at least one HIT) and ROUTE_VIA (may be empty), RFC 6028 section 4.1. */
struct parameter_route {
	uint16_t flags; /**< ROUTE_FLAG_ */
	size_t count;
	struct hit hits[ROUTE_HITS_MAXIMUM];
};
hiphop_error parameter_route_read(const struct parameter_view *view, struct parameter_route *out);
hiphop_error parameter_route_write(struct packet_builder *builder, uint16_t type, const struct parameter_route *in);
/** Makes the ROUTE_DST of an answer from a received ROUTE_VIA: the same flags, the HITs in reverse order (RFC 6028
 * section 3.2). */
void parameter_route_reverse(const struct parameter_route *via, struct parameter_route *destination);

#endif
