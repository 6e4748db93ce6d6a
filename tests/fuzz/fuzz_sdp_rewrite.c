/* SPDX-License-Identifier: MIT */
/**
 * SDP that is to be relayed: the first octet says which streams get a port and which family the relay has, the rest is
 * the description. What was taken and rewritten must be taken again, and then name the relay and nobody else.
 */
#include "sipglue/sdp_rewrite.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

static const struct address locals[] = {
	{{[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 168, [14] = 10, [15] = 1}}, {{0x20, 0x01, 0, 0x22, [15] = 1}}};

static void check_stream(
	const struct sdp_stream *before, const struct sdp_stream *after, uint16_t port, const struct address *local)
{
	CHECK(after->off == (port == 0));
	CHECK(after->port == port && after->control_port == (port ? port + 1 : 0));
	if (!after->off)
		CHECK(after->held == before->held && (after->held || address_equal(&after->address, local)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_description before, after;
	uint16_t ports[SDP_STREAMS_MAXIMUM];
	struct buffer written;
	if (size < 1)
		return 0;
	const struct address *local = &locals[data[0] & 1];
	const struct span body = {data + 1, size - 1};
	if (sdp_read(body, &before) != HIPHOP_OK)
		return 0;
	for (size_t i = 0; i < before.count; i++) {
		const struct sdp_stream *stream = &before.streams[i];
		CHECK(stream->off ? !stream->port && !stream->control_port : stream->port != 0);
		ports[i] = stream->off || data[0] >> 1 & 1U << i ? 0 : (uint16_t)(20000 + 2 * i);
	}
	CHECK(sdp_write(body, local, ports, before.count, &written) == HIPHOP_OK);
	const struct span again = {written.data, written.length};
	CHECK(sdp_read(again, &after) == HIPHOP_OK && after.count == before.count);
	for (size_t i = 0; i < before.count; i++)
		check_stream(&before.streams[i], &after.streams[i], ports[i], local);
	CHECK(!memmem(written.data, written.length, "\na=candidate:", 13));
	buffer_free(&written);
	return 0;
}
