/* SPDX-License-Identifier: MIT */
/**
 * What others announce, and the packets that they say come from there: a record of any contents decides what is
 * accepted, and any packet then comes in and goes out. What is carried is from and to where policy allows, and wrapping
 * what is taken out gives the same packet again.
 */
#include "daemon/icmp_error.h"
#include "daemon/prefix_record.h"
#include "daemon/prefix_tunnel.h"
#include "hip/esp/beet.h"
#include "tests/fuzz/input.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

static const struct hit own = {{0x20, 0x01, 0, 0x22, [15] = 1}}, peer = {{0x20, 0x01, 0, 0x22, [15] = 2}};

/* What a record says is read, is written the same, and is taken as far as it may be. */
static void take_record(struct prefix_table *table, const struct hit *owner, const uint8_t *octets, size_t length)
{
	struct prefix_record record;
	uint8_t again[PREFIX_RECORD_SIZE];
	size_t written;

	if (prefix_record_decode(octets, length, &record))
		return;
	CHECK(!prefix_record_encode(&record, again, sizeof again, &written));
	CHECK(written == length && !memcmp(again, octets, length));
	for (size_t i = 0; i < record.count; i++) {
		char text[IP_PREFIX_TEXT_SIZE];
		struct ip_prefix parsed;

		CHECK(!ip_prefix_parse(ip_prefix_format(&record.prefixes[i], text), &parsed));
		CHECK(ip_prefix_equal(&parsed, &record.prefixes[i]));
		if (!ip_prefix_trouble(&record.prefixes[i]))
			(void)prefix_table_add(table, &record.prefixes[i], owner);
	}
}

/* By the definition: is the address in a prefix, and is the longest one that of `owner`? */
static bool lies_in(const struct prefix_table *table, const struct address *address, const struct hit *owner)
{
	const struct prefix_entry *longest = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const struct prefix_entry *entry = &table->entries[i];

		if (ip_prefix_has(&entry->prefix, address) &&
			(!longest || entry->prefix.length > longest->prefix.length))
			longest = entry;
	}
	return longest && (!owner || hit_equal(&longest->owner, owner));
}

static void addresses_of(const uint8_t *octets, struct address *source, struct address *destination)
{
	if (octets[0] >> 4 == 6) {
		memcpy(source->octets, octets + 8, 16);
		memcpy(destination->octets, octets + 24, 16);
		return;
	}
	*source = *destination = (struct address){{[10] = 0xff, [11] = 0xff}};
	memcpy(source->octets + 12, octets + 12, 4);
	memcpy(destination->octets + 12, octets + 16, 4);
}

static bool is_hit(const struct address *address, const struct hit *hit)
{
	return !memcmp(address->octets, hit->octets, HIT_LENGTH);
}

static struct packet packet;

static void come_in(struct prefix_tunnel *tunnel, const uint8_t *contents, size_t length, uint8_t next_header)
{
	uint8_t *exact = malloc(BEET_INNER_HEADER_LENGTH + length); /* so that a sanitizer sees an overrun */
	struct address source, destination;

	CHECK(exact);
	beet_write(exact, next_header, (uint16_t)length, &peer, &own);
	memcpy(exact + BEET_INNER_HEADER_LENGTH, contents, length);
	if (prefix_tunnel_look_in(tunnel, &peer, exact, BEET_INNER_HEADER_LENGTH + length) == PREFIX_CARRY) {
		CHECK(next_header == 4 || next_header == 41);
		packet_reset(&packet);
		CHECK(!packet_fill(&packet, PACKET_INNER, exact, BEET_INNER_HEADER_LENGTH + length));
		prefix_tunnel_unwrap(tunnel, &packet);
		CHECK(packet.length == length && !memcmp(packet_data(&packet), contents, length));
		addresses_of(contents, &source, &destination);
		CHECK(lies_in(&tunnel->accepted, &source, &peer) ||
			(is_hit(&source, &peer) && lies_in(&tunnel->announced, &destination, NULL)));
		CHECK(is_hit(&destination, &own) || lies_in(&tunnel->announced, &destination, NULL));
	}
	free(exact);
}

static void go_out(struct prefix_tunnel *tunnel, const uint8_t *contents, size_t length)
{
	uint8_t *exact = malloc(length ? length : 1);
	struct address source, destination;
	struct prefix_way way;
	size_t inner_length;

	CHECK(exact);
	memcpy(exact, contents, length);
	if (icmp_error_may_answer(exact, length)) {
		icmp_error_write(&packet, ICMP_ERROR_TOO_BIG, 1360, exact, length);
		CHECK(packet.kind == PACKET_INNER && packet.length <= 1280);
	}
	if (prefix_tunnel_look_out(tunnel, exact, length, &way) == PREFIX_CARRY) {
		CHECK(length <= tunnel->mtu && hit_equal(&way.from, &own));
		addresses_of(contents, &source, &destination);
		CHECK(is_hit(&source, &own) || lies_in(&tunnel->announced, &source, NULL));
		CHECK(is_hit(&destination, &way.to) || lies_in(&tunnel->accepted, &destination, &way.to));
		packet_reset(&packet);
		CHECK(!packet_fill(&packet, PACKET_INNER, exact, length));
		prefix_tunnel_wrap(tunnel, &packet, &way);
		CHECK(prefix_tunnel_inner(packet_data(&packet), packet.length, &inner_length) ==
			packet_data(&packet) + BEET_INNER_HEADER_LENGTH);
		CHECK(inner_length == length);
		CHECK(!memcmp(packet_data(&packet) + BEET_INNER_HEADER_LENGTH, contents, length));
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct prefix_tunnel *tunnel = calloc(1, sizeof *tunnel);

	CHECK(tunnel);
	tunnel->own[tunnel->own_count++] = own;
	tunnel->mtu = 1360;
	tunnel->port = 10500;
	while (!input_is_over(&input)) {
		uint8_t choice = input_u8(&input);
		size_t length;
		const uint8_t *octets = input_octets(&input, input_u8(&input), &length);

		switch (choice & 7) {
		case 0:
			take_record(&tunnel->accepted, &peer, octets, length);
			break;
		case 1:
			take_record(&tunnel->accepted, &own, octets, length);
			break;
		case 2:
			take_record(&tunnel->announced, &own, octets, length);
			break;
		case 3:
		case 4:
			go_out(tunnel, octets, length);
			break;
		default:
			come_in(tunnel, octets, length, choice & 128 ? choice : choice & 64 ? 41 : 4);
			break;
		}
	}
	free(tunnel);
	return 0;
}
