/* SPDX-License-Identifier: MIT */
#include "sipglue/sdp_media.h"

#include "sipglue/sdp_rewrite.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An SDP offer of a phone has a few streams; more is not read. */
#define MEDIA_LINES_MAXIMUM 8

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

/** What is known of one m= line while its attributes are read. */
struct media_line {
	uint8_t protocol;
	uint64_t port;
	uint64_t number; /* of port pairs */
	uint64_t rtcp;   /* 0 = the port after */
	bool mux;
};

static void add_port(struct sip_media_port *ports, size_t *count, uint64_t port, uint8_t protocol)
{
	if (port == 0 || port > UINT16_MAX || *count == SIP_MEDIA_PORTS_MAXIMUM)
		return;
	for (size_t i = 0; i < *count; i++)
		if (ports[i].port == port && ports[i].protocol == protocol)
			return;
	ports[(*count)++] = (struct sip_media_port){(uint16_t)port, protocol};
}

static void finish_line(const struct media_line *line, struct sip_media_port *ports, size_t *count)
{
	for (uint64_t i = 0; line->port && i < line->number; i++) {
		add_port(ports, count, line->port + 2 * i, line->protocol);
		if (line->protocol == PROTOCOL_UDP && !line->mux)
			add_port(ports, count, line->rtcp && i == 0 ? line->rtcp : line->port + 2 * i + 1,
				line->protocol);
	}
}

/** The unsigned number at `*text`, which moves behind it. */
static uint64_t take_number(const char **text)
{
	uint64_t value = 0;
	while (**text >= '0' && **text <= '9' && value <= UINT32_MAX)
		value = value * 10 + (uint64_t)(*(*text)++ - '0');
	return value;
}

/** "m=audio 49170/2 RTP/AVP 0" */
static void start_line(const char *text, struct media_line *line)
{
	memset(line, 0, sizeof *line);
	text += strcspn(text, " ");
	text += strspn(text, " ");
	line->port = take_number(&text);
	line->number = 1;
	if (*text == '/') {
		text++;
		line->number = take_number(&text);
	}
	if (line->number > MEDIA_LINES_MAXIMUM)
		line->number = 1;
	text += strspn(text, " ");
	line->protocol = strncasecmp(text, "TCP", 3) == 0 ? PROTOCOL_TCP : PROTOCOL_UDP;
}

static void read_attribute(const char *text, struct media_line *line)
{
	if (strncmp(text, "rtcp:", 5) == 0) {
		text += 5;
		line->rtcp = take_number(&text);
	} else if (strcmp(text, "rtcp-mux") == 0) {
		line->mux = true;
	}
}

/** Takes the next line out of `*rest`, without its end. */
static char *next_line(char **rest)
{
	char *line = strsep(rest, "\n");
	size_t length = line ? strlen(line) : 0;
	if (length && line[length - 1] == '\r')
		line[length - 1] = 0;
	return line;
}

bool sdp_media_ports(
	const struct message *message, struct sip_media_port ports[static SIP_MEDIA_PORTS_MAXIMUM], size_t *count)
{
	struct media_line media = {0};
	size_t lines = 0;
	*count = 0;
	if (!sdp_is_body(message) || message->body_length < 3 || memcmp(message->body, "v=0", 3) != 0)
		return false;
	char *text = strndup((const char *)message->body, message->body_length), *rest = text;
	if (!text)
		return false;
	for (char *line = next_line(&rest); line; line = next_line(&rest)) {
		if (strncmp(line, "m=", 2) == 0) {
			finish_line(&media, ports, count);
			memset(&media, 0, sizeof media);
			if (++lines > MEDIA_LINES_MAXIMUM)
				break;
			start_line(line + 2, &media);
		} else if (strncmp(line, "a=", 2) == 0) {
			read_attribute(line + 2, &media);
		}
	}
	finish_line(&media, ports, count);
	free(text);
	return true;
}
