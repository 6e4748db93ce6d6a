/* SPDX-License-Identifier: MIT */
#include "daemon/prefix_record.h"

#include "hip/base/bytes.h"

#include <string.h>

#define VERSION 1
#define IPV4    4
#define IPV6    6

static size_t octets_of(unsigned length)
{
	return (length + 7) / 8;
}

static void write_prefix(struct writer *writer, const struct ip_prefix *prefix)
{
	bool ipv4 = ip_prefix_is_ipv4(prefix);
	unsigned length = ip_prefix_length(prefix);

	writer_u8(writer, ipv4 ? IPV4 : IPV6);
	writer_u8(writer, (uint8_t)length);
	writer_copy(writer, prefix->address.octets + (ipv4 ? IP_PREFIX_IPV4_BITS / 8 : 0), octets_of(length));
}

hiphop_error prefix_record_encode(const struct prefix_record *record, uint8_t *octets, size_t size, size_t *length)
{
	struct writer writer = writer_over(octets, size);

	if (record->count > PREFIX_RECORD_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	writer_u8(&writer, VERSION);
	writer_u8(&writer, (uint8_t)record->count);
	for (size_t i = 0; i < record->count; i++)
		write_prefix(&writer, &record->prefixes[i]);
	*length = writer.position;
	return writer_status(&writer);
}

static hiphop_error read_prefix(struct reader *reader, struct ip_prefix *prefix)
{
	uint8_t family = reader_u8(reader);
	unsigned length = reader_u8(reader);
	unsigned before = family == IPV4 ? IP_PREFIX_IPV4_BITS : 0;

	*prefix = (struct ip_prefix){0};
	if (reader_status(reader))
		return HIPHOP_TRUNCATED;
	if ((family != IPV4 && family != IPV6) || length > 128 - before)
		return HIPHOP_MALFORMED;
	if (family == IPV4)
		prefix->address.octets[10] = prefix->address.octets[11] = 0xff;
	prefix->length = (uint8_t)(before + length);
	reader_copy(reader, prefix->address.octets + before / 8, octets_of(length));
	if (reader_status(reader))
		return HIPHOP_TRUNCATED;
	/* One prefix has one form. */
	return ip_prefix_is_clean(prefix) && ip_prefix_is_ipv4(prefix) == (family == IPV4) ? HIPHOP_OK
											   : HIPHOP_MALFORMED;
}

hiphop_error prefix_record_decode(const uint8_t *octets, size_t length, struct prefix_record *record)
{
	struct reader reader = reader_over(octets, length);
	uint8_t version = reader_u8(&reader);
	size_t count = reader_u8(&reader);
	hiphop_error error = reader_status(&reader);

	record->count = 0;
	if (error)
		return error;
	if (version != VERSION)
		return HIPHOP_UNSUPPORTED;
	if (count > PREFIX_RECORD_MAXIMUM)
		return HIPHOP_LIMITED;
	for (size_t i = 0; i < count; i++) {
		error = read_prefix(&reader, &record->prefixes[i]);
		if (error)
			return error;
	}
	if (reader_left(&reader))
		return HIPHOP_MALFORMED;
	record->count = count;
	return HIPHOP_OK;
}
