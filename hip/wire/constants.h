/* SPDX-License-Identifier: MIT */
/**
 * The numbers of HIPv2 on the wire: packet, parameter and notify types, suites, groups and limits.
 */
#ifndef HIPHOP_HIP_WIRE_CONSTANTS_H
#define HIPHOP_HIP_WIRE_CONSTANTS_H

#include <stdint.h>

/** RFC 7401 section 5.1. */
#define HIP_VERSION 2
/** The IP protocol number of HIP, and the ESP Next Header of HIP packets inside ESP (RFC 6261 section 4.1). */
#define HIP_PROTOCOL 139
/** IP protocol number of ESP. */
#define ESP_PROTOCOL 50
/** The fixed header: everything before the parameters. */
#define HIP_HEADER_LENGTH 40
/** Places in it, also for the Pointer of ICMP messages. */
#define HIP_TYPE_OFFSET         2
#define HIP_VERSION_OFFSET      3
#define HIP_SENDER_HIT_OFFSET   8
#define HIP_RECEIVER_HIT_OFFSET 24
/** Octets of parameters at most: (255 * 8) - 32 (RFC 7401 section 5.1). */
#define HIP_PARAMETERS_MAXIMUM 2008
/** Header and parameters together at most; a payload (DATA) comes on top. */
#define HIP_PACKET_MAXIMUM (HIP_HEADER_LENGTH + HIP_PARAMETERS_MAXIMUM)
/** A whole packet with its payload at most: 8 KiB of content, its parameters, and room for a long ROUTE_VIA
 *  (docs/hipv2-mapping.md). */
#define HIP_PACKET_WITH_PAYLOAD_MAXIMUM 9000
/** UDP port of HIP and ESP in UDP (RFC 9028 section 5.1). */
#define HIP_UDP_PORT 10500

/** Next Header values behind the HIP header. */
#define HIP_NEXT_HEADER_NONE   59
#define HIP_NEXT_HEADER_RELOAD 253 /* contents of RELOAD messages (docs/hipv2-mapping.md) */

/** The "A" bit of Controls: the sender's HI is anonymous (RFC 7401 section 5.1.2). */
#define HIP_CONTROL_ANONYMOUS 0x0001

/** Packet types (RFC 7401 section 5.3, RFC 6078 section 4). */
typedef enum {
	HIP_PACKET_I1 = 1,
	HIP_PACKET_R1 = 2,
	HIP_PACKET_I2 = 3,
	HIP_PACKET_R2 = 4,
	HIP_PACKET_UPDATE = 16,
	HIP_PACKET_NOTIFY = 17,
	HIP_PACKET_CLOSE = 18,
	HIP_PACKET_CLOSE_ACK = 19,
	HIP_PACKET_DATA = 32,
	HIP_PACKET_UPDATE_PROXY = 120 /* ours: a mobile router for a host on board (docs/hipv2-mapping.md) */
} hip_packet_type;

/** Parameter types. An odd number is critical: who does not know it stops (RFC 7401 section 5.2.1). */
typedef enum {
	PARAMETER_ESP_INFO = 65,     /* RFC 7402 section 5.1.1 */
	PARAMETER_R1_COUNTER = 129,  /* RFC 7401 section 5.2.3 and on, where nothing else is said */
	PARAMETER_LOCATOR_SET = 193, /* RFC 8046 section 4, RFC 9028 section 5.7 */
	PARAMETER_PUZZLE = 257,
	PARAMETER_SOLUTION = 321,
	PARAMETER_SEQ = 385,
	PARAMETER_ACK = 449,
	PARAMETER_DH_GROUP_LIST = 511,
	PARAMETER_DIFFIE_HELLMAN = 513,
	PARAMETER_HIP_CIPHER = 579,
	PARAMETER_NAT_TRAVERSAL_MODE = 608, /* RFC 9028 section 5.4 */
	PARAMETER_TRANSACTION_PACING = 610, /* RFC 9028 section 5.5 */
	PARAMETER_ENCRYPTED = 641,
	PARAMETER_HOST_ID = 705,
	PARAMETER_HIT_SUITE_LIST = 715,
	PARAMETER_CERT = 768, /* RFC 8002 section 2 */
	PARAMETER_NOTIFICATION = 832,
	PARAMETER_ECHO_REQUEST_SIGNED = 897,
	PARAMETER_REG_INFO = 930, /* RFC 8003 section 4 */
	PARAMETER_REG_REQUEST = 932,
	PARAMETER_REG_RESPONSE = 934,
	PARAMETER_REG_FAILED = 936,
	PARAMETER_REG_FROM = 950, /* RFC 9028 section 5.6 */
	PARAMETER_ECHO_RESPONSE_SIGNED = 961,
	PARAMETER_TRANSPORT_FORMAT_LIST = 2049,
	PARAMETER_ESP_TRANSFORM = 4095, /* RFC 7402 section 5.1.2 */
	PARAMETER_SEQ_DATA = 4481,      /* RFC 6078 section 4 */
	PARAMETER_ACK_DATA = 4545,
	PARAMETER_PAYLOAD_MIC = 4577,
	PARAMETER_TRANSACTION_ID = 4580,
	PARAMETER_OVERLAY_ID = 4592,      /* RFC 6079 section 6.1 */
	PARAMETER_ROUTE_DST = 4601,       /* RFC 6028 section 4.1 */
	PARAMETER_RELAYED_ADDRESS = 4650, /* RFC 9028 section 5.12 */
	PARAMETER_MAPPED_ADDRESS = 4660,
	PARAMETER_PEER_PERMISSION = 4680,    /* RFC 9028 section 5.13 */
	PARAMETER_CANDIDATE_PRIORITY = 4700, /* RFC 9028 section 5.14 */
	PARAMETER_NOMINATE = 4710,           /* RFC 9028 section 5.15 */
	PARAMETER_HIP_TRANSPORT_MODE = 7680, /* RFC 6261 section 3.1 */
	/* Ours, of the range for private use (RFC 7401 section 5.2.2): mobile routers (docs/hipv2-mapping.md). */
	PARAMETER_TICKET = 32770,
	PARAMETER_DELEGATION = 32772,
	PARAMETER_ROUTER_LOCATORS = 32774,
	PARAMETER_DELEGATION_REFUSED = 32776,
	PARAMETER_TICKET_ID = 32778,
	PARAMETER_HOSTS_ON_BOARD = 32780,
	PARAMETER_HIP_MAC = 61505,
	PARAMETER_HIP_MAC_2 = 61569,
	PARAMETER_HIP_SIGNATURE_2 = 61633,
	PARAMETER_HIP_SIGNATURE = 61697,
	PARAMETER_ECHO_RESPONSE_UNSIGNED = 63425,
	PARAMETER_ECHO_REQUEST_UNSIGNED = 63661,
	PARAMETER_RELAY_FROM = 63998, /* RFC 9028 section 5.6 */
	PARAMETER_RELAY_TO = 64002,
	PARAMETER_OVERLAY_TTL = 64011, /* RFC 6079 section 6.2 */
	PARAMETER_ROUTE_VIA = 64017,   /* RFC 6028 section 4.1 */
	PARAMETER_FROM = 65498,        /* RFC 8004 section 4.2 */
	PARAMETER_RVS_HMAC = 65500,
	PARAMETER_VIA_RVS = 65502,
	PARAMETER_RELAY_HMAC = 65520 /* RFC 9028 section 5.8 */
} hip_parameter_type;

/** Notify Message Types: errors below 16384, status from there (RFC 7401 section 5.2.19 where nothing else is said). */
typedef enum {
	NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE = 1,
	NOTIFY_INVALID_SYNTAX = 7,
	NOTIFY_NO_DH_PROPOSAL_CHOSEN = 14,
	NOTIFY_INVALID_DH_CHOSEN = 15,
	NOTIFY_NO_HIP_PROPOSAL_CHOSEN = 16,
	NOTIFY_INVALID_HIP_CIPHER_CHOSEN = 17,
	NOTIFY_NO_ESP_PROPOSAL_CHOSEN = 18, /* RFC 7402 section 5.1.3 */
	NOTIFY_INVALID_ESP_TRANSFORM_CHOSEN = 19,
	NOTIFY_UNSUPPORTED_HIT_SUITE = 20,
	NOTIFY_AUTHENTICATION_FAILED = 24,
	NOTIFY_CHECKSUM_FAILED = 26,
	NOTIFY_HIP_MAC_FAILED = 28,
	NOTIFY_ENCRYPTION_FAILED = 32,
	NOTIFY_INVALID_HIT = 40,
	NOTIFY_BLOCKED_BY_POLICY = 42,
	NOTIFY_RESPONDER_BUSY_PLEASE_RETRY = 44,
	NOTIFY_LOCATOR_TYPE_UNSUPPORTED = 46, /* RFC 8046 section 7 */
	NOTIFY_CREDENTIALS_REQUIRED = 48,     /* RFC 8002 section 5 */
	NOTIFY_INVALID_CERTIFICATE = 50,
	NOTIFY_NO_VALID_NAT_TRAVERSAL_MODE_PARAMETER = 60, /* RFC 9028 section 5.10 */
	NOTIFY_CONNECTIVITY_CHECKS_FAILED = 61,
	NOTIFY_MESSAGE_NOT_RELAYED = 62,
	NOTIFY_SERVER_REFLEXIVE_CANDIDATE_ALLOCATION_FAILED = 63,
	NOTIFY_RVS_HMAC_PROHIBITED_WITH_RELAY = 64,
	NOTIFY_OVERLAY_TTL_EXCEEDED = 70,         /* RFC 6079 section 6.2 */
	NOTIFY_UNKNOWN_NEXT_HOP = 90,             /* RFC 6028 section 3.3 */
	NOTIFY_NO_VALID_HIP_TRANSPORT_MODE = 100, /* RFC 6261 section 3.3 */
	NOTIFY_INVALID_SPI = 8192, /* private use, ours: ESP came for an SPI nobody has; the data is the SPI */
	NOTIFY_I2_ACKNOWLEDGEMENT = 16384,
	NOTIFY_NAT_KEEPALIVE = 16385 /* RFC 9028 section 5.3 */
} hip_notify_type;

/** HIT Suites, the four-bit ID (RFC 7401 section 5.2.10). HIT_SUITE_LIST carries it shifted left by four. */
typedef enum {
	HIT_SUITE_RESERVED = 0,
	HIT_SUITE_RSA_DSA_SHA256 = 1,
	HIT_SUITE_ECDSA_SHA384 = 2,
	HIT_SUITE_ECDSA_LOW_SHA1 = 3
} hip_hit_suite;

/** HI algorithms, also the "SIG alg" of signatures (RFC 7401 section 5.2.9). */
typedef enum {
	HI_ALGORITHM_DSA = 3,
	HI_ALGORITHM_RSA = 5,
	HI_ALGORITHM_ECDSA = 7,
	HI_ALGORITHM_ECDSA_LOW = 9
} hip_hi_algorithm;

/** Curve labels at the start of ECDSA and ECDSA_LOW Host Identities (RFC 7401 section 5.2.9). */
#define HI_ECDSA_CURVE_NIST_P256     1
#define HI_ECDSA_CURVE_NIST_P384     2
#define HI_ECDSA_LOW_CURVE_SECP160R1 1

/** Domain Identifier types of HOST_ID. */
typedef enum {
	DOMAIN_IDENTIFIER_NONE = 0,
	DOMAIN_IDENTIFIER_FQDN = 1,
	DOMAIN_IDENTIFIER_NAI = 2
} hip_domain_identifier;

/** Diffie-Hellman groups (RFC 7401 section 5.2.7). */
typedef enum {
	DH_GROUP_MODP_1536 = 3,
	DH_GROUP_MODP_3072 = 4,
	DH_GROUP_NIST_P256 = 7,
	DH_GROUP_NIST_P384 = 8,
	DH_GROUP_NIST_P521 = 9,
	DH_GROUP_SECP160R1 = 10,
	DH_GROUP_MODP_2048 = 11
} hip_dh_group;

/** Ciphers of the ENCRYPTED parameter (RFC 7401 section 5.2.8). */
typedef enum { HIP_CIPHER_NULL = 1, HIP_CIPHER_AES_128_CBC = 2, HIP_CIPHER_AES_256_CBC = 4 } hip_cipher_id;

/** ESP suites (RFC 7402 section 5.1.2). */
typedef enum {
	ESP_SUITE_AES_128_CBC_HMAC_SHA1 = 1,
	ESP_SUITE_NULL_HMAC_SHA256 = 7,
	ESP_SUITE_AES_128_CBC_HMAC_SHA256 = 8,
	ESP_SUITE_AES_256_CBC_HMAC_SHA256 = 9,
	ESP_SUITE_AES_CCM_8 = 10,
	ESP_SUITE_AES_CCM_16 = 11,
	ESP_SUITE_AES_GCM_8 = 12,
	ESP_SUITE_AES_GCM_16 = 13,
	ESP_SUITE_AES_CMAC_96 = 14,
	ESP_SUITE_AES_GMAC = 15
} hip_esp_suite;

/** Locator types and traffic types of LOCATOR_SET (RFC 8046 section 4, RFC 9028 section 5.7). */
typedef enum {
	LOCATOR_TYPE_ADDRESS = 0,          /**< an address */
	LOCATOR_TYPE_SPI_ADDRESS = 1,      /**< an ESP SPI and an address */
	LOCATOR_TYPE_TRANSPORT_ADDRESS = 2 /**< a candidate: port, protocol, kind, priority, SPI and address */
} hip_locator_type;
typedef enum { LOCATOR_TRAFFIC_BOTH = 0, LOCATOR_TRAFFIC_SIGNALING = 1, LOCATOR_TRAFFIC_DATA = 2 } hip_traffic_type;
/** Kinds of a transport address locator (RFC 9028 table 2). */
typedef enum {
	LOCATOR_KIND_HOST = 0,
	LOCATOR_KIND_SERVER_REFLEXIVE = 1,
	LOCATOR_KIND_PEER_REFLEXIVE = 2,
	LOCATOR_KIND_RELAYED = 3
} hip_locator_kind;
/** A lifetime that does not end (RFC 8046 section 5.1). */
#define LOCATOR_LIFETIME_UNBOUNDED UINT32_MAX

/** CERT types (RFC 8002 section 2). */
typedef enum {
	CERTIFICATE_X509 = 1,
	CERTIFICATE_X509_HASH_AND_URL = 3,
	CERTIFICATE_X509_LDAP_URL = 5,
	CERTIFICATE_X509_DISTINGUISHED_NAME = 7
} hip_certificate_type;

/** NAT traversal modes (RFC 9028 section 5.4). */
typedef enum {
	NAT_TRAVERSAL_UDP_ENCAPSULATION = 1,
	NAT_TRAVERSAL_ICE_STUN_UDP = 2,
	NAT_TRAVERSAL_ICE_HIP_UDP = 3
} hip_nat_traversal_mode;

/** HIP transport modes (RFC 6261 section 3.1). */
typedef enum { HIP_TRANSPORT_DEFAULT = 1, HIP_TRANSPORT_ESP = 2, HIP_TRANSPORT_ESP_TCP = 3 } hip_transport_mode;

/** Registration types (RFC 8004 section 7, RFC 9028 section 5.9) and failures (RFC 8003 section 4.5, RFC 9028
 * section 7.8). */
typedef enum {
	REGISTRATION_RENDEZVOUS = 1,
	REGISTRATION_RELAY_UDP_HIP = 2,
	REGISTRATION_RELAY_UDP_ESP = 3,
	REGISTRATION_MOBILE_ROUTER = 201 /* private use, ours */
} hip_registration_type;
typedef enum {
	REGISTRATION_FAILED_CREDENTIALS_REQUIRED = 0,
	REGISTRATION_FAILED_UNAVAILABLE = 1,
	REGISTRATION_FAILED_INSUFFICIENT_RESOURCES = 2,
	REGISTRATION_FAILED_INVALID_CERTIFICATE = 3,
	REGISTRATION_FAILED_RENDEZVOUS_AND_RELAY = 9
} hip_registration_failure;

/** Flags of ROUTE_VIA and ROUTE_DST; position 0 of RFC 6028 table 1 is the highest bit. */
#define ROUTE_FLAG_SYMMETRIC   0x8000
#define ROUTE_FLAG_MUST_FOLLOW 0x4000

/** Limits of lists. The first two are the RFCs' own (RFC 7401 section 5.2.8, RFC 6028 section 4.1). */
#define SUITE_LIST_MAXIMUM          6
#define ROUTE_HITS_MAXIMUM          32
#define OCTET_LIST_MAXIMUM          32
#define TYPE_LIST_MAXIMUM           16
#define SEQUENCE_LIST_MAXIMUM       32
#define LOCATOR_SET_MAXIMUM         32
#define REGISTRATION_LIST_MAXIMUM   16
#define DELEGATION_PAIRS_MAXIMUM    4
#define DELEGATION_LOCATORS_MAXIMUM 4
#define ROUTER_LOCATORS_MAXIMUM     8
#define HOSTS_ON_BOARD_MAXIMUM      64
#define PUZZLE_RANDOM_MAXIMUM       64 /* octets of Random #I and of #J: RHASH_len / 8 */

/** "I1", "CLOSE_ACK" …, or "unknown". Static storage. */
const char *hip_packet_type_name(unsigned packet_type);
/** "INVALID_SYNTAX" …, or "unknown". Static storage. */
const char *hip_notify_type_name(unsigned notify_type);

#endif
