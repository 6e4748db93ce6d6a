/* SPDX-License-Identifier: MIT */
#include "daemon/prefix_tunnel.h"

#include "hip/base/bytes.h"

#include <string.h>

enum {
	IPV6_HEADER_LENGTH = 40,
	IPV4_HEADER_LENGTH = 20,
	PROTOCOL_IPV4 = 4, /* RFC 2003 */
	PROTOCOL_IPV6 = 41,
	PROTOCOL_UDP = 17,
	PROTOCOL_ESP = 50,
	PROTOCOL_HIP = 139,
	HOP_LIMIT = 64
};

/* What is looked at of a packet. */
struct view {
	struct address source, destination;
	uint8_t version, traffic_class, protocol;
	size_t header; /* octets of the IP header, without extension headers */
};

static void read_ipv4_address(struct reader *reader, struct address *address)
{
	*address = (struct address){{[10] = 0xff, [11] = 0xff}};
	reader_copy(reader, address->octets + 12, 4);
}

static hiphop_error read_ipv4(struct reader *reader, struct view *view)
{
	size_t total;

	view->header = (size_t)(reader_u8(reader) & 15) * 4;
	view->traffic_class = reader_u8(reader);
	total = reader_u16(reader);
	reader_skip(reader, 5);
	view->protocol = reader_u8(reader);
	reader_skip(reader, 2);
	read_ipv4_address(reader, &view->source);
	read_ipv4_address(reader, &view->destination);
	if (reader_status(reader))
		return HIPHOP_TRUNCATED;
	return view->header >= IPV4_HEADER_LENGTH && view->header <= total && total == reader->length
		       ? HIPHOP_OK
		       : HIPHOP_MALFORMED;
}

static hiphop_error read_ipv6(struct reader *reader, struct view *view)
{
	uint32_t first = reader_u32(reader);
	size_t payload = reader_u16(reader);

	view->header = IPV6_HEADER_LENGTH;
	view->traffic_class = (uint8_t)(first >> 20);
	view->protocol = reader_u8(reader);
	reader_skip(reader, 1);
	reader_copy(reader, view->source.octets, sizeof(view->source.octets));
	reader_copy(reader, view->destination.octets, sizeof(view->destination.octets));
	if (reader_status(reader))
		return HIPHOP_TRUNCATED;
	/* What looks like IPv4 in the tables must not get there as IPv6. */
	return payload == reader_left(reader) && !address_is_ipv4(&view->source) && !address_is_ipv4(&view->destination)
		       ? HIPHOP_OK
		       : HIPHOP_MALFORMED;
}

static hiphop_error read_packet(const uint8_t *octets, size_t length, struct view *view)
{
	struct reader reader = reader_over(octets, length);

	*view = (struct view){.version = length ? octets[0] >> 4 : 0};
	switch (view->version) {
	case 4:
		return read_ipv4(&reader, view);
	case 6:
		return read_ipv6(&reader, view);
	default:
		return HIPHOP_MALFORMED;
	}
}

static struct hit as_hit(const struct address *address)
{
	struct hit hit;

	memcpy(hit.octets, address->octets, HIT_LENGTH);
	return hit;
}

static bool is_hit(const struct address *address)
{
	struct hit hit = as_hit(address);

	return hit_has_orchid_prefix(&hit);
}

static bool equals_hit(const struct address *address, const struct hit *hit)
{
	return memcmp(address->octets, hit->octets, HIT_LENGTH) == 0;
}

static bool is_carrier(uint8_t protocol)
{
	return protocol == PROTOCOL_IPV4 || protocol == PROTOCOL_IPV6;
}

/* ---- out ---- */

static prefix_verdict drop(struct prefix_tunnel *tunnel, prefix_counter cause, struct prefix_way *way)
{
	tunnel->counters[cause]++;
	if (way)
		way->cause = cause;
	return PREFIX_DROP;
}

/* The own HIT that an address is, or NULL. */
static const struct hit *own_hit(const struct prefix_tunnel *tunnel, const struct address *address)
{
	for (size_t i = 0; i < tunnel->own_count; i++) {
		if (equals_hit(address, &tunnel->own[i]))
			return &tunnel->own[i];
	}
	return NULL;
}

static bool is_own_address(const struct prefix_tunnel *tunnel, const struct address *address)
{
	for (size_t i = 0; i < tunnel->address_count; i++) {
		if (address_equal(address, &tunnel->addresses[i]))
			return true;
	}
	return own_hit(tunnel, address) != NULL;
}

/* HIP or ESP of this host's own: the locator that it goes to lies in a prefix behind the tunnel that it would make. */
static bool is_underlay(
	const struct prefix_tunnel *tunnel, const struct view *view, const uint8_t *octets, size_t length)
{
	struct reader reader = reader_over(octets, length);
	uint16_t port;

	if (!is_own_address(tunnel, &view->source))
		return false;
	if (view->protocol == PROTOCOL_ESP || view->protocol == PROTOCOL_HIP)
		return true;
	reader_skip(&reader, view->header);
	port = reader_u16(&reader);
	return view->protocol == PROTOCOL_UDP && tunnel->port && port == tunnel->port;
}

static prefix_verdict carry(struct prefix_tunnel *tunnel, size_t length, const struct hit *from, const struct hit *to,
	struct prefix_way *way)
{
	if (length > tunnel->mtu)
		return drop(tunnel, PREFIX_COUNT_DROP_OUT_TOO_LARGE, way);
	way->from = *from;
	way->to = *to;
	return PREFIX_CARRY;
}

/* From HIT to HIT, or from a prefix behind this host to a HIT. */
static prefix_verdict look_out_to_hit(
	struct prefix_tunnel *tunnel, const struct view *view, size_t length, struct prefix_way *way)
{
	struct hit to = as_hit(&view->destination);

	if (is_hit(&view->source))
		return is_carrier(view->protocol) ? drop(tunnel, PREFIX_COUNT_DROP_OUT_NESTED, way) : PREFIX_PASS;
	if (!prefix_table_find(&tunnel->announced, &view->source))
		return PREFIX_PASS;
	return carry(tunnel, length, &tunnel->own[0], &to, way);
}

prefix_verdict prefix_tunnel_look_out(
	struct prefix_tunnel *tunnel, const uint8_t *octets, size_t length, struct prefix_way *way)
{
	const struct prefix_entry *entry;
	const struct hit *from;
	struct view view;

	if (read_packet(octets, length, &view))
		return PREFIX_PASS;
	if (is_hit(&view.destination))
		return look_out_to_hit(tunnel, &view, length, way);
	entry = prefix_table_find(&tunnel->accepted, &view.destination);
	if (!entry)
		return PREFIX_PASS;
	if (is_underlay(tunnel, &view, octets, length))
		return drop(tunnel, PREFIX_COUNT_DROP_OUT_UNDERLAY, way);
	from = own_hit(tunnel, &view.source);
	if (!from && prefix_table_find(&tunnel->announced, &view.source))
		from = &tunnel->own[0];
	if (!from)
		return drop(tunnel, PREFIX_COUNT_DROP_OUT_SOURCE, way);
	return carry(tunnel, length, from, &entry->owner, way);
}

void prefix_tunnel_wrap(struct prefix_tunnel *tunnel, struct packet *packet, const struct prefix_way *way)
{
	const uint8_t *inner = packet_data(packet);
	uint8_t version = inner[0] >> 4;
	uint32_t traffic_class = version == 4 ? inner[1] : (uint32_t)(inner[0] & 15) << 4 | inner[1] >> 4;
	uint16_t payload = packet->length;
	struct writer writer;

	packet->offset = (uint16_t)(packet->offset - IPV6_HEADER_LENGTH);
	packet->length = (uint16_t)(packet->length + IPV6_HEADER_LENGTH);
	writer = writer_over(packet_data(packet), IPV6_HEADER_LENGTH);
	writer_u32(&writer, 6U << 28 | traffic_class << 20);
	writer_u16(&writer, payload);
	writer_u8(&writer, version == 4 ? PROTOCOL_IPV4 : PROTOCOL_IPV6);
	writer_u8(&writer, HOP_LIMIT);
	writer_copy(&writer, way->from.octets, HIT_LENGTH);
	writer_copy(&writer, way->to.octets, HIT_LENGTH);
	tunnel->counters[PREFIX_COUNT_OUT]++;
}

/* ---- in ---- */

const uint8_t *prefix_tunnel_inner(const uint8_t *octets, size_t length, size_t *inner_length)
{
	if (length <= IPV6_HEADER_LENGTH || octets[0] >> 4 != 6 || !is_carrier(octets[6]))
		return NULL;
	*inner_length = length - IPV6_HEADER_LENGTH;
	return octets + IPV6_HEADER_LENGTH;
}

static bool is_accepted_from(const struct prefix_tunnel *tunnel, const struct hit *peer, const struct address *source)
{
	const struct prefix_entry *entry = prefix_table_find(&tunnel->accepted, source);

	return entry && hit_equal(&entry->owner, peer);
}

static prefix_verdict look_into(
	struct prefix_tunnel *tunnel, const struct hit *peer, const struct view *outer, const struct view *inner)
{
	bool to_prefix = equals_hit(&outer->destination, &tunnel->own[0]) &&
			 prefix_table_find(&tunnel->announced, &inner->destination);
	bool to_us = address_equal(&inner->destination, &outer->destination);

	if (!to_prefix && !to_us)
		return drop(tunnel, PREFIX_COUNT_DROP_IN_DESTINATION, NULL);
	if (is_accepted_from(tunnel, peer, &inner->source) || (to_prefix && equals_hit(&inner->source, peer)))
		return PREFIX_CARRY;
	return drop(tunnel, PREFIX_COUNT_DROP_IN_SOURCE, NULL);
}

prefix_verdict prefix_tunnel_look_in(
	struct prefix_tunnel *tunnel, const struct hit *peer, const uint8_t *octets, size_t length)
{
	struct view outer, inner;

	if (read_packet(octets, length, &outer) || outer.version != 6 || !is_carrier(outer.protocol))
		return PREFIX_PASS;
	if (read_packet(octets + IPV6_HEADER_LENGTH, length - IPV6_HEADER_LENGTH, &inner) ||
		(inner.version == 4) != (outer.protocol == PROTOCOL_IPV4))
		return drop(tunnel, PREFIX_COUNT_DROP_IN_MALFORMED, NULL);
	return look_into(tunnel, peer, &outer, &inner);
}

void prefix_tunnel_unwrap(struct prefix_tunnel *tunnel, struct packet *packet)
{
	packet->offset = (uint16_t)(packet->offset + IPV6_HEADER_LENGTH);
	packet->length = (uint16_t)(packet->length - IPV6_HEADER_LENGTH);
	tunnel->counters[PREFIX_COUNT_IN]++;
}

const char *prefix_counter_name(prefix_counter counter)
{
	static const char *const names[] = {
#define PREFIX_COUNTER_NAME(name, text) text,
		PREFIX_COUNTERS(PREFIX_COUNTER_NAME)
#undef PREFIX_COUNTER_NAME
	};

	return (unsigned)counter < PREFIX_COUNTER_COUNT ? names[counter] : "";
}
