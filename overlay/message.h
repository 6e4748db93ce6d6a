/* SPDX-License-Identifier: MIT */
/**
 * RELOAD MessageContents (RFC 6940 section 6.3.3) to and from structs. Nothing here knows a ring, a Kind or a key:
 * what depends on the topology (Update, Join data) and StoredData (signed_value.h) stay spans.
 *
 * Node-IDs are 16 octets and ResourceIds are always 16 octets long here (RFC 7086 section 4).
 */
#ifndef HIPHOP_OVERLAY_MESSAGE_H
#define HIPHOP_OVERLAY_MESSAGE_H

#include "hip/base/bytes.h"
#include "hip/base/identifier.h"

/** Message codes (RFC 6940 section 14.8). An answer is its request plus one. */
enum {
	RELOAD_STORE_REQUEST = 0x7,
	RELOAD_STORE_ANSWER = 0x8,
	RELOAD_FETCH_REQUEST = 0x9,
	RELOAD_FETCH_ANSWER = 0xA,
	RELOAD_FIND_REQUEST = 0xD,
	RELOAD_FIND_ANSWER = 0xE,
	RELOAD_JOIN_REQUEST = 0xF,
	RELOAD_JOIN_ANSWER = 0x10,
	RELOAD_LEAVE_REQUEST = 0x11,
	RELOAD_LEAVE_ANSWER = 0x12,
	RELOAD_UPDATE_REQUEST = 0x13,
	RELOAD_UPDATE_ANSWER = 0x14,
	RELOAD_ROUTE_QUERY_REQUEST = 0x15,
	RELOAD_ROUTE_QUERY_ANSWER = 0x16,
	RELOAD_PING_REQUEST = 0x17,
	RELOAD_PING_ANSWER = 0x18,
	RELOAD_STAT_REQUEST = 0x19,
	RELOAD_STAT_ANSWER = 0x1A,
	RELOAD_ERROR = 0xFFFF
};

/** Error codes (RFC 6940 section 14.9). */
enum {
	RELOAD_ERROR_FORBIDDEN = 0x2,
	RELOAD_ERROR_NOT_FOUND = 0x3,
	RELOAD_ERROR_REQUEST_TIMEOUT = 0x4,
	RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW = 0x5,
	RELOAD_ERROR_INCOMPATIBLE_WITH_OVERLAY = 0x6,
	RELOAD_ERROR_DATA_TOO_LARGE = 0x8,
	RELOAD_ERROR_DATA_TOO_OLD = 0x9,
	RELOAD_ERROR_MESSAGE_TOO_LARGE = 0xB,
	RELOAD_ERROR_UNKNOWN_KIND = 0xC,
	RELOAD_ERROR_UNKNOWN_EXTENSION = 0xD,
	RELOAD_ERROR_INVALID_MESSAGE = 0x14
};

/** Destination types (RFC 6940 section 6.3.2.2). */
enum { RELOAD_DESTINATION_NODE = 1, RELOAD_DESTINATION_RESOURCE = 2 };

/**
 * Message extensions of our own, never critical (docs/hipv2-mapping.md):
 * COPIES (uint8 copies, uint32 tombstone seconds) goes with a replica Store and tells how many peers the sender knows
 * to hold the values, and for a tombstone how long it still lasts; PARTIAL (empty) goes with a Fetch or Stat answer
 * that did not have room for all values.
 */
enum { RELOAD_EXTENSION_COPIES = 0xFE01, RELOAD_EXTENSION_PARTIAL = 0xFE02 };

struct reload_ping_answer {
	uint64_t response_id;
	uint64_t time; /**< milliseconds since 1970 */
};

struct reload_node_request { /* JoinReq and LeaveReq have one shape */
	struct hit node;
	struct span data; /**< of the topology */
};

struct reload_route_query_request {
	bool send_update;
	uint8_t destination_type;
	struct hit destination;
	struct span data;
};

struct reload_store_request {
	struct hit resource;
	uint8_t replica_number;
	struct span kinds; /**< walk with reload_next_kind_values */
};

struct reload_fetch_request { /* and StatReq */
	struct hit resource;
	struct span specifiers; /**< walk with reload_next_specifier */
};

struct reload_find_request {
	struct hit resource;
	struct span kinds; /**< uint32 each; a whole number of them */
};

struct reload_error {
	uint16_t code;
	struct span information;
};

/** One message. Spans point into the parsed octets (or, for writing, at the caller's). */
struct reload_message {
	uint16_t code;
	union {
		struct span padding; /**< PingReq */
		struct reload_ping_answer ping_answer;
		struct reload_node_request join, leave;
		struct span data;  /**< JoinAns' and UpdateReq's and RouteQueryAns' topology data */
		struct span kinds; /**< StoreAns, FetchAns, StatAns and FindAns: their list */
		struct reload_route_query_request route_query;
		struct reload_store_request store;
		struct reload_fetch_request fetch;
		struct reload_find_request find;
		struct reload_error error;
	};
	bool unknown_critical_extension;
	bool has_copies; /**< extension COPIES */
	uint8_t copies;
	uint32_t tombstone_s;
	bool partial; /**< extension PARTIAL */
};

/**
 * Parses and checks one message, lists included, so that the walks below cannot fail on it. HIPHOP_TRUNCATED,
 * HIPHOP_MALFORMED, HIPHOP_TOO_LARGE (over OVERLAY_MESSAGE_MAXIMUM), HIPHOP_UNSUPPORTED (a code we do not have;
 * `message->code` is set).
 */
hiphop_error reload_message_parse(const uint8_t *octets, size_t length, struct reload_message *message);
/** Writes one message, extensions too. HIPHOP_TOO_LARGE, HIPHOP_UNSUPPORTED. */
hiphop_error reload_message_write(struct writer *writer, const struct reload_message *message);
/** "store_req" and so on; "unknown" for a code we do not have. */
const char *reload_message_name(uint16_t code);
/** True for a request that we understand or must answer with an error. */
bool reload_is_request(uint16_t code);
/** The message code without parsing the rest; 0 when there is none. */
uint16_t reload_peek_code(const uint8_t *octets, size_t length);

/** StoreKindData, FetchKindResponse, StatKindResponse: all (kind, generation, values). */
struct reload_kind_values {
	uint32_t kind;
	uint64_t generation;
	struct span values;
};
/** False at the end. `reader` runs over `kinds` of a store request, fetch answer or stat answer. */
bool reload_next_kind_values(struct reader *reader, struct reload_kind_values *values);
/** Begins an element; write the values, then call reload_end_kind_values with the mark. */
size_t reload_begin_kind_values(struct writer *writer, uint32_t kind, uint64_t generation);
void reload_end_kind_values(struct writer *writer, size_t mark);

/** StoreKindResponse. `replicas` is a run of 16-octet Node-IDs. */
struct reload_store_response {
	uint32_t kind;
	uint64_t generation;
	struct span replicas;
};
bool reload_next_store_response(struct reader *reader, struct reload_store_response *response);
void reload_write_store_response(
	struct writer *writer, uint32_t kind, uint64_t generation, const struct hit *replicas, size_t count);

/** StoredDataSpecifier; `model` is what depends on the data model of the Kind. */
struct reload_specifier {
	uint32_t kind;
	uint64_t generation;
	struct span model;
};
bool reload_next_specifier(struct reader *reader, struct reload_specifier *specifier);
void reload_write_specifier(struct writer *writer, uint32_t kind, uint64_t generation, struct span model);

/** FindKindData. `closest` is null when none is known. */
bool reload_next_found(struct reader *reader, uint32_t *kind, struct hit *closest);
void reload_write_found(struct writer *writer, uint32_t kind, const struct hit *closest);

/** A ResourceId with its length octet. Reading fails the reader unless it is 16 octets long. */
struct hit reload_read_resource(struct reader *reader);
void reload_write_resource(struct writer *writer, const struct hit *resource);
struct hit reload_read_node(struct reader *reader);

#endif
