/* SPDX-License-Identifier: MIT */
/**
 * One SIP message: libosip2's parsed head, and the body as octets, which a proxy must not change (RFC 3261 section
 * 16.6). Everything from outside passes the bounds here before libosip2 sees it.
 */
#ifndef HIPHOP_SIPGLUE_MESSAGE_H
#define HIPHOP_SIPGLUE_MESSAGE_H

#include <sys/time.h>
#include <time.h>

#include <osipparser2/osip_parser.h>

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "sipglue/sip.h"

/** Bounds on a head: libosip2's lists are walked from their start, so their length must be small. */
#define MESSAGE_HEAD_MAXIMUM   16384
#define MESSAGE_LINES_MAXIMUM  256
#define MESSAGE_COMMAS_MAXIMUM 256
#define MESSAGE_VIAS_MAXIMUM   72

struct message {
	osip_message_t *osip; /**< never holds a body or a Content-Length */
	uint8_t *body;        /**< NULL when empty */
	size_t body_length;
};

/** What framing needs to know of the start of a message. */
struct message_frame {
	size_t head_length; /**< octets up to and with the empty line; 0 = not complete yet */
	size_t body_length; /**< the Content-Length */
	bool has_length;    /**< there is a Content-Length */
};

/** Makes libosip2 ready (its tables are global, constant, and filled again with the same content) and silent. */
void message_library_start(void);
/** A whole copy, or HIPHOP_NO_MEMORY. */
hiphop_error uri_copy(const osip_uri_t *uri, osip_uri_t **copy);
/** Looks at the first octets of a message. HIPHOP_MALFORMED (bad Content-Length, zero octet), HIPHOP_TOO_LARGE. */
hiphop_error message_scan(const uint8_t *octets, size_t length, struct message_frame *frame);
/** Parses a whole message; a datagram's body ends with its Content-Length or its end (RFC 3261 section 18.3).
 *  HIPHOP_MALFORMED, HIPHOP_TRUNCATED (body shorter than announced), HIPHOP_TOO_LARGE, HIPHOP_NO_MEMORY. A message
 *  given back has Via, From, To, Call-ID and CSeq, with URIs in From and To. Free with message_free. */
hiphop_error message_parse(const uint8_t *octets, size_t length, struct message **message);
hiphop_error message_clone(const struct message *message, struct message **copy);
void message_free(struct message *message);
/** Prints it with a right Content-Length. HIPHOP_NO_MEMORY, HIPHOP_TOO_LARGE. Free with buffer_free. */
hiphop_error message_print(const struct message *message, struct buffer *out);

/** A response to `request` (RFC 3261 section 8.2.6); `to_tag` NULL = none. HIPHOP_NO_MEMORY. */
hiphop_error message_response(const struct message *request, int status, const char *to_tag, struct message **response);
/** The ACK for a final response other than 2xx (section 17.1.1.3). HIPHOP_NO_MEMORY. */
hiphop_error message_ack(const struct message *invite, const struct message *response, struct message **ack);
/** The CANCEL of a request that was sent (section 9.1). HIPHOP_NO_MEMORY. */
hiphop_error message_cancel(const struct message *request, struct message **cancel);

bool message_is_request(const struct message *message);
bool message_is(const struct message *message, const char *method);
/** The method of a request, or of the request that a response answers. */
const char *message_method(const struct message *message);
osip_via_t *message_via(const struct message *message, int index);
/** The value of the first such header that libosip2 keeps as plain text, or NULL. */
const char *message_header(const struct message *message, const char *name);
hiphop_error message_add_header(struct message *message, const char *name, const char *value);
/** Removes all of that name that libosip2 keeps as plain text. */
void message_remove_header(struct message *message, const char *name);
/** The tag of From or To; "" when there is none. */
const char *message_tag(osip_from_t *party);
/** The value of a parameter in a list; "" for one without value, NULL when absent. */
const char *parameter_value(osip_list_t *parameters, const char *name);
/** Sets or replaces a parameter; `value` may be NULL. HIPHOP_NO_MEMORY. */
hiphop_error parameter_set(osip_list_t *parameters, const char *name, const char *value);
/** Call-ID as text into `text`; cut to fit. */
void message_call_id(const struct message *message, char text[static SIP_TEXT_SIZE]);
uint32_t message_cseq(const struct message *message);
/** Parses a decimal number up to `maximum`; HIPHOP_MALFORMED. */
hiphop_error number_parse(const char *text, uint64_t maximum, uint64_t *number);

#endif
