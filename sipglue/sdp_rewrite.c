/* SPDX-License-Identifier: MIT */
#include "sipglue/sdp_rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The longest line that is put in. */
#define WRITTEN_LINE 96

/* Attributes that tell of ways past the relay. */
static const char *const dropped[] = {"candidate:", "remote-candidates:", "end-of-candidates", "ice-",
	"altc:", "group:BUNDLE", "bundle-only", "rtcp-mux-only"};

bool sdp_is_body(const struct message *message)
{
	const osip_content_type_t *type = message->osip->content_type;
	return message->body_length && type && type->type && type->subtype &&
	       strcasecmp(type->type, "application") == 0 && strcasecmp(type->subtype, "sdp") == 0;
}

/* ---- Text of known length ---- */

/** The next line with its end in `whole`, without it in the value. Empty `whole`: there is none. */
static struct span next_line(struct span *rest, struct span *whole)
{
	const uint8_t *end = rest->length ? memchr(rest->data, '\n', rest->length) : NULL;
	size_t length = end ? (size_t)(end - rest->data) + 1 : rest->length;
	*whole = (struct span){rest->data, length};
	if (length)
		*rest = (struct span){rest->data + length, rest->length - length};
	struct span line = *whole;
	while (line.length && (line.data[line.length - 1] == '\n' || line.data[line.length - 1] == '\r'))
		line.length--;
	return line;
}

static bool begins(struct span text, const char *start)
{
	size_t length = strlen(start);
	return text.length >= length && memcmp(text.data, start, length) == 0;
}

static struct span behind(struct span text, size_t length)
{
	return (struct span){text.data + length, text.length - length};
}

/** The next word, which ends with a space or with the text; takes the space too. */
static struct span take_word(struct span *text)
{
	const uint8_t *space = text->length ? memchr(text->data, ' ', text->length) : NULL;
	struct span word = {text->data, space ? (size_t)(space - text->data) : text->length};
	*text = behind(*text, word.length + (space != NULL));
	return word;
}

/** A number of decimal digits at the start of `text`, which moves behind it. False without digits or when over. */
static bool take_number(struct span *text, uint32_t maximum, uint32_t *number)
{
	uint64_t value = 0;
	size_t digits = 0;
	for (; digits < text->length && text->data[digits] >= '0' && text->data[digits] <= '9'; digits++) {
		value = value * 10 + (uint64_t)(text->data[digits] - '0');
		if (value > maximum)
			return false;
	}
	*text = behind(*text, digits);
	*number = (uint32_t)value;
	return digits > 0;
}

static bool word_is(struct span word, const char *text)
{
	return word.length == strlen(text) && strncasecmp((const char *)word.data, text, word.length) == 0;
}

/* ---- Lines ---- */

/** "m=audio 49170/2 RTP/AVP 0" in its parts. */
struct media_line {
	struct span media, rest; /* what stands before the port, and from the protocol on */
	uint32_t port;
	bool datagrams;
};

static bool read_media(struct span line, struct media_line *media)
{
	uint32_t pairs;
	struct span text = behind(line, 2);
	media->media = take_word(&text);
	if (!media->media.length || !take_number(&text, UINT16_MAX, &media->port))
		return false;
	if (text.length && *text.data == '/') {
		text = behind(text, 1);
		if (!take_number(&text, UINT16_MAX, &pairs))
			return false;
	}
	if (!text.length || *text.data != ' ')
		return false;
	media->rest = behind(text, 1);
	text = media->rest;
	struct span protocol = take_word(&text);
	media->datagrams = protocol.length && !begins(protocol, "TCP") && !begins(protocol, "tcp");
	return protocol.length > 0;
}

/** What a c= line says. */
struct connection {
	bool known, held, multicast;
	struct address address; /* unspecified for a name */
};

static bool is_multicast(const struct address *address)
{
	return address_is_ipv4(address) ? (address->octets[12] & 0xf0) == 0xe0 : address->octets[0] == 0xff;
}

static bool is_zero(const struct address *address)
{
	static const uint8_t zero[4] = {0};
	return address_is_unspecified(address) ||
	       (address_is_ipv4(address) && memcmp(address->octets + 12, zero, sizeof zero) == 0);
}

/** "c=IN IP4 192.0.2.1" */
static bool read_connection(struct span line, struct connection *connection)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct span rest = behind(line, 2);
	struct span network = take_word(&rest), family = take_word(&rest), place = take_word(&rest);
	*connection = (struct connection){.known = true};
	if (!word_is(network, "IN") || (!word_is(family, "IP4") && !word_is(family, "IP6")) || !place.length)
		return false;
	/* Behind a slash stand hops and numbers of multicast addresses. */
	connection->multicast = memchr(place.data, '/', place.length) != NULL;
	if (place.length >= sizeof text || connection->multicast)
		return true;
	memcpy(text, place.data, place.length);
	text[place.length] = 0;
	if (address_parse(text, &connection->address)) {
		connection->address = (struct address){0};
		return true;
	}
	connection->multicast = is_multicast(&connection->address);
	connection->held = is_zero(&connection->address);
	if (connection->held)
		connection->address = (struct address){0};
	return true;
}

/** "o=alice 2890844526 2890844526 IN IP4 192.0.2.1": `place` begins at IN. */
static bool read_origin(struct span line, struct span *place)
{
	*place = line;
	for (int i = 0; i < 3; i++)
		(void)take_word(place);
	return place->length > 0;
}

static bool is_dropped(struct span line)
{
	struct span attribute = behind(line, 2);
	for (size_t i = 0; begins(line, "a=") && i < sizeof dropped / sizeof *dropped; i++)
		if (begins(attribute, dropped[i]))
			return true;
	return false;
}

/* ---- Reading ---- */

/** What is known of a description while it is read. */
struct reading {
	struct sdp_description *description;
	struct connection session, stream; /* c= above all streams, and of the one being read */
	struct media_line media;
	uint32_t control; /* a=rtcp of the stream being read, 0 without */
	bool in_stream;
};

static bool finish_stream(struct reading *reading)
{
	const struct connection *place = reading->stream.known ? &reading->stream : &reading->session;
	struct sdp_description *description = reading->description;
	if (!reading->in_stream || description->count == SDP_STREAMS_MAXIMUM)
		return true;
	struct sdp_stream *stream = &description->streams[description->count++];
	*stream = (struct sdp_stream){.off = !reading->media.port || !reading->media.datagrams || place->multicast};
	if (stream->off)
		return true;
	stream->held = place->held;
	stream->address = place->address;
	stream->port = (uint16_t)reading->media.port;
	stream->control_port = (uint16_t)(reading->control ? reading->control : reading->media.port + 1);
	return place->known;
}

static bool read_line(struct reading *reading, struct span line)
{
	struct span rest;
	if (begins(line, "m=")) {
		if (!finish_stream(reading))
			return false;
		reading->in_stream = true;
		reading->control = 0;
		reading->stream = (struct connection){0};
		return read_media(line, &reading->media);
	}
	if (begins(line, "o="))
		return read_origin(line, &rest);
	if (begins(line, "c="))
		return read_connection(line, reading->in_stream ? &reading->stream : &reading->session);
	if (begins(line, "a=rtcp:") && reading->in_stream) {
		struct span number = behind(line, 7);
		return take_number(&number, UINT16_MAX, &reading->control);
	}
	return true;
}

hiphop_error sdp_read(struct span body, struct sdp_description *description)
{
	struct reading reading = {.description = description};
	struct span rest = body, whole;
	size_t lines = 0;
	description->count = 0;
	if (!begins(body, "v=0"))
		return HIPHOP_MALFORMED;
	for (struct span line = next_line(&rest, &whole); whole.length; line = next_line(&rest, &whole)) {
		if (++lines > SDP_LINES_MAXIMUM)
			return HIPHOP_TOO_LARGE;
		if (!read_line(&reading, line))
			return HIPHOP_MALFORMED;
	}
	return finish_stream(&reading) ? HIPHOP_OK : HIPHOP_MALFORMED;
}

/* ---- Writing ---- */

struct writing {
	struct writer writer;
	const struct address *local;
	const uint16_t *ports;
	size_t count, next; /* of ports; the stream that comes next */
	uint16_t port;      /* of the stream being written, 0 above all streams and when it is off */
};

/** "IN IP4 192.0.2.1" */
static void write_place(struct writing *writing, bool held)
{
	char text[ENDPOINT_TEXT_SIZE], made[WRITTEN_LINE];
	bool ipv4 = address_is_ipv4(writing->local);
	const char *nowhere = ipv4 ? "0.0.0.0" : "::";
	int length = snprintf(made, sizeof made, "IN %s %s\r\n", ipv4 ? "IP4" : "IP6",
		held ? nowhere : address_format(writing->local, text));
	writer_copy(&writing->writer, made, (size_t)length);
}

static void write_connection(struct writing *writing, struct span line)
{
	struct connection said;
	bool held = read_connection(line, &said) && said.held;
	writer_copy(&writing->writer, "c=", 2);
	write_place(writing, held);
}

/** What is before the place stays: the name of the session and its version. */
static void write_origin(struct writing *writing, struct span line)
{
	struct span place;
	(void)read_origin(line, &place);
	writer_copy(&writing->writer, line.data, line.length - place.length);
	write_place(writing, false);
}

static void write_media(struct writing *writing, struct span line)
{
	char port[16];
	struct media_line media;
	writing->port = writing->next < writing->count ? writing->ports[writing->next] : 0;
	writing->next++;
	if (!read_media(line, &media))
		return;
	int length = snprintf(port, sizeof port, " %u ", (unsigned)writing->port);
	writer_copy(&writing->writer, "m=", 2);
	writer_copy(&writing->writer, media.media.data, media.media.length);
	writer_copy(&writing->writer, port, (size_t)length);
	writer_copy(&writing->writer, media.rest.data, media.rest.length);
	writer_copy(&writing->writer, "\r\n", 2);
}

static void write_control(struct writing *writing)
{
	char made[WRITTEN_LINE];
	int length = snprintf(made, sizeof made, "a=rtcp:%u\r\n", writing->port + 1U);
	if (writing->port)
		writer_copy(&writing->writer, made, (size_t)length);
}

static void write_line(struct writing *writing, struct span line, struct span whole)
{
	if (begins(line, "m="))
		write_media(writing, line);
	else if (begins(line, "c="))
		write_connection(writing, line);
	else if (begins(line, "o="))
		write_origin(writing, line);
	else if (begins(line, "a=rtcp:"))
		write_control(writing);
	else if (!is_dropped(line))
		writer_copy(&writing->writer, whole.data, whole.length);
}

hiphop_error sdp_write(
	struct span body, const struct address *local, const uint16_t *ports, size_t count, struct buffer *out)
{
	struct span rest = body, whole;
	size_t capacity = body.length + (size_t)SDP_LINES_MAXIMUM * WRITTEN_LINE;
	uint8_t *made = malloc(capacity);
	*out = (struct buffer){0};
	if (!made)
		return HIPHOP_NO_MEMORY;
	struct writing writing = {
		.writer = writer_over(made, capacity), .local = local, .ports = ports, .count = count};
	for (struct span line = next_line(&rest, &whole); whole.length; line = next_line(&rest, &whole))
		write_line(&writing, line, whole);
	hiphop_error error = writer_status(&writing.writer);
	if (!error)
		error = buffer_copy(out, made, writing.writer.position);
	free(made);
	return error;
}
