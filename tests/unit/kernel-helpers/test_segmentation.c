/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/segmentation.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"

#include "hip/base/random.h"

#include <stdlib.h>
#include <string.h>

#define IPV6    40
#define OPTIONS 12
#define HEADER  (IPV6 + 20 + OPTIONS)
#define LARGE   (IPV6 + 65535)
#define FIN     0x01
#define SYN     0x02
#define PSH     0x08
#define ACK     0x10
#define CWR     0x80

static struct packet_vector *vector;
static uint8_t *large;

static int start(void **state)
{
	(void)state;
	vector = calloc(1, sizeof *vector);
	large = malloc(LARGE);
	return !vector || !large;
}

static int stop(void **state)
{
	(void)state;
	free(vector);
	free(large);
	return 0;
}

/* The checksum as RFC 1071 and RFC 8200 section 8.1 tell it, plainly: 0 when the packet's is right. */
static uint16_t plain_checksum(const uint8_t *packet, size_t length, uint8_t protocol)
{
	uint64_t sum = protocol + length - IPV6;
	for (size_t i = 8; i < length; i++)
		sum += i % 2 ? packet[i] : (uint64_t)packet[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_number(uint8_t *octets, size_t count, uint64_t value)
{
	while (count--) {
		octets[count] = (uint8_t)value;
		value >>= 8;
	}
}

/* A TCP packet between two HITs, with options, sequence number close to wrapping, checksum 0. */
static void write_tcp(uint8_t *packet, size_t length, uint8_t flags)
{
	memset(packet, 0, HEADER);
	packet[0] = 0x60;
	put_number(packet + 4, 2, length - IPV6);
	packet[6] = 6;
	packet[7] = 64;
	packet[8] = packet[24] = 0x20;
	packet[9] = packet[25] = 0x01;
	packet[23] = 0xaa;
	packet[39] = 0xbb;
	put_number(packet + IPV6, 4, 0x12345678);
	put_number(packet + IPV6 + 4, 4, 0xffffff00);
	put_number(packet + IPV6 + 8, 4, 0x01020304);
	packet[IPV6 + 12] = (20 + OPTIONS) / 4 << 4;
	packet[IPV6 + 13] = flags;
	put_number(packet + IPV6 + 14, 2, 501);
	memset(packet + IPV6 + 20, 1, OPTIONS);
	for (size_t i = HEADER; i < length; i++)
		packet[i] = (uint8_t)(i * 31 + i / 256);
}

/* Cuts `large` into the vector; returns what did not fit. */
static size_t cut(size_t length, size_t segment)
{
	struct superpacket superpacket;
	struct packet *packet;
	size_t left = 0;
	vector->count = 0;
	assert_int_equal(superpacket_start(&superpacket, large, length, IPV6, segment), HIPHOP_OK);
	while (superpacket_left(&superpacket) && (packet = packet_vector_add(vector)))
		superpacket_next(&superpacket, packet);
	while (superpacket_left(&superpacket)) {
		static struct packet spare;
		packet_reset(&spare);
		superpacket_next(&superpacket, &spare);
		left++;
	}
	return left;
}

static void every_segment_is_a_packet(void **state)
{
	(void)state;
	const size_t lengths[] = {HEADER + 1, HEADER + 999, HEADER + 1000, HEADER + 1001, HEADER + 20500};
	for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
		size_t position = HEADER;
		write_tcp(large, lengths[n], ACK | PSH | FIN | CWR);
		assert_int_equal(cut(lengths[n], 1000), 0);
		assert_int_equal(vector->count, (lengths[n] - HEADER + 999) / 1000);
		for (size_t i = 0; i < vector->count; i++) {
			struct packet *packet = &vector->packets[i];
			uint8_t *octets = packet_data(packet), expected[HEADER];
			size_t payload = packet->length - HEADER;
			bool last = i + 1 == vector->count;
			assert_int_equal(packet->kind, PACKET_INNER);
			assert_int_equal(packet->offset, PACKET_HEADROOM);
			assert_int_equal(payload, last ? lengths[n] - position : 1000);
			assert_int_equal(plain_checksum(octets, packet->length, 6), 0);
			assert_memory_equal(octets + HEADER, large + position, payload);
			write_tcp(expected, HEADER, (uint8_t)(ACK | (i == 0 ? CWR : 0) | (last ? PSH | FIN : 0)));
			put_number(expected + 4, 2, packet->length - IPV6);
			put_number(expected + IPV6 + 4, 4, 0xffffff00 + i * 1000);
			memcpy(expected + IPV6 + 16, octets + IPV6 + 16, 2);
			assert_memory_equal(octets, expected, HEADER);
			position += payload;
		}
		assert_int_equal(position, lengths[n]);
	}
}

static void the_largest_and_what_a_vector_cannot_hold(void **state)
{
	(void)state;
	write_tcp(large, LARGE, ACK);
	assert_int_equal(cut(LARGE, 1348), 0);
	assert_int_equal(vector->count, 49);
	assert_int_equal(cut(LARGE, 536), (LARGE - HEADER + 535) / 536 - PACKET_VECTOR_MAXIMUM);
	assert_int_equal(cut(LARGE, PACKET_DATA_MAXIMUM - HEADER), 0);
}

static void what_is_no_tcp_packet_is_refused(void **state)
{
	(void)state;
	struct superpacket superpacket;
	write_tcp(large, 5000, ACK);
	assert_int_equal(superpacket_start(&superpacket, large, 5000, IPV6, 0), HIPHOP_MALFORMED);
	assert_int_equal(superpacket_start(&superpacket, large, 5000, IPV6, PACKET_DATA_MAXIMUM), HIPHOP_MALFORMED);
	assert_int_equal(superpacket_start(&superpacket, large, 5000, IPV6 - 1, 1000), HIPHOP_MALFORMED);
	assert_int_equal(superpacket_start(&superpacket, large, 5000, 4981, 1000), HIPHOP_MALFORMED);
	assert_int_equal(superpacket_start(&superpacket, large, 5000, 65535, 1000), HIPHOP_MALFORMED);
	assert_int_equal(superpacket_start(&superpacket, large, HEADER, IPV6, 1000), HIPHOP_MALFORMED);
	assert_int_equal(superpacket_start(&superpacket, large, HEADER - 1, IPV6, 1000), HIPHOP_MALFORMED);
	large[IPV6 + 12] = 0x40;
	assert_int_equal(superpacket_start(&superpacket, large, 5000, IPV6, 1000), HIPHOP_MALFORMED);
	large[IPV6 + 12] = 0x50;
	large[0] = 0x45;
	assert_int_equal(superpacket_start(&superpacket, large, 5000, IPV6, 1000), HIPHOP_MALFORMED);
	assert_false(superpacket_left(&superpacket));
}

static void checksums_left_to_the_device(void **state)
{
	(void)state;
	/* What the stack leaves behind: the sum over the pseudo-header in the place of the checksum. */
	for (size_t length = HEADER; length < HEADER + 40; length++) {
		uint64_t sum = 6 + length - IPV6;
		write_tcp(large, length, ACK);
		for (size_t i = 8; i < IPV6; i += 2)
			sum += (uint64_t)(large[i] << 8 | large[i + 1]);
		sum = (sum & 0xffff) + (sum >> 16);
		put_number(large + IPV6 + 16, 2, (sum & 0xffff) + (sum >> 16));
		assert_true(checksum_complete(large, length, IPV6, 16));
		assert_int_equal(plain_checksum(large, length, 6), 0);
	}
	/* Never 0, which would say that there is none. */
	memset(large, 0xff, 8);
	put_number(large + 6, 2, 0);
	assert_true(checksum_complete(large, 8, 0, 6));
	assert_int_equal(large[6] << 8 | large[7], 0xffff);
	assert_false(checksum_complete(large, 100, 101, 0));
	assert_false(checksum_complete(large, 100, 90, 9));
	assert_false(checksum_complete(large, 100, 100, 65535));
	assert_true(checksum_complete(large, 100, 90, 8));
}

/* Everything is found again: cut, then joined, is the packet that it was. */
static void joined_is_the_opposite_of_cut(void **state)
{
	(void)state;
	const size_t lengths[] = {HEADER + 1001, HEADER + 2000, HEADER + 20500, HEADER + 64 * 1000, LARGE};
	for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
		size_t position = HEADER;
		write_tcp(large, lengths[n], ACK | PSH);
		assert_int_equal(cut(lengths[n], lengths[n] == LARGE ? 1348 : 1000), 0);
		struct segment_run run = segments_join(vector, 0);
		assert_int_equal(run.count, vector->count);
		assert_int_equal(run.header, HEADER);
		assert_int_equal(run.length, lengths[n]);
		assert_int_equal(run.segment, lengths[n] == LARGE ? 1348 : 1000);
		uint8_t *octets = packet_data(&vector->packets[0]);
		/* The sum over the pseudo-header stands where the checksum goes; complete it as the stack would. */
		memcpy(large, octets, HEADER);
		assert_true(checksum_complete(large, lengths[n], IPV6, 16));
		assert_int_equal(plain_checksum(large, lengths[n], 6), 0);
		write_tcp(large, lengths[n], ACK | PSH);
		memcpy(large + IPV6 + 16, octets + IPV6 + 16, 2);
		assert_memory_equal(octets, large, HEADER);
		for (size_t i = 0; i < run.count; i++) {
			struct packet *packet = &vector->packets[i];
			size_t payload = packet->length - HEADER;
			assert_memory_equal(packet_data(packet) + HEADER, large + position, payload);
			position += payload;
		}
	}
}

static void set_checksum(struct packet *packet)
{
	uint8_t *octets = packet_data(packet);
	put_number(octets + IPV6 + 16, 2, 0);
	put_number(octets + IPV6 + 16, 2, plain_checksum(octets, packet->length, 6));
}

/* Ten segments, one of which (number 5) differs in one octet of its headers, with a right checksum all the same. */
static size_t joined_after_change(size_t at, uint8_t change)
{
	write_tcp(large, HEADER + 10000, ACK);
	assert_int_equal(cut(HEADER + 10000, 1000), 0);
	packet_data(&vector->packets[5])[at] ^= change;
	set_checksum(&vector->packets[5]);
	return segments_join(vector, 0).count;
}

static void only_what_is_alike_is_joined(void **state)
{
	(void)state;
	assert_int_equal(joined_after_change(0, 0), 10);
	for (size_t at = 0; at < HEADER; at++) {
		bool checksum = at == IPV6 + 16 || at == IPV6 + 17;
		if (!checksum)
			assert_int_equal(joined_after_change(at, 0x02), 5);
	}
	assert_int_equal(joined_after_change(IPV6 + 13, FIN), 5);
	assert_int_equal(joined_after_change(IPV6 + 13, CWR), 5);
	/* PSH ends a run, and belongs to it. */
	assert_int_equal(joined_after_change(IPV6 + 13, PSH), 6);
	assert_int_equal(packet_data(&vector->packets[0])[IPV6 + 13], ACK | PSH);
	/* Nor what follows a packet of another flow. */
	assert_int_equal(segments_join(vector, 6).count, 4);
}

static void segments_with_flags_stay_alone(void **state)
{
	(void)state;
	const uint8_t flags[] = {SYN, SYN | ACK, FIN | ACK, 0x04 | ACK, 0x20 | ACK, CWR | ACK, 0};
	for (size_t n = 0; n < sizeof flags; n++) {
		write_tcp(large, HEADER + 3000, ACK);
		assert_int_equal(cut(HEADER + 3000, 1000), 0);
		for (size_t i = 0; i < 3; i++) {
			packet_data(&vector->packets[i])[IPV6 + 13] = flags[n];
			set_checksum(&vector->packets[i]);
		}
		assert_int_equal(segments_join(vector, 0).count, 1);
	}
}

static void wrong_checksums_are_left_for_the_stack_to_see(void **state)
{
	(void)state;
	for (size_t broken = 0; broken < 10; broken++) {
		write_tcp(large, HEADER + 10000, ACK);
		assert_int_equal(cut(HEADER + 10000, 1000), 0);
		packet_data(&vector->packets[broken])[HEADER + 77] ^= 1;
		assert_int_equal(segments_join(vector, 0).count, broken ? broken : 1);
		assert_int_equal(segments_join(vector, broken).count, 1);
		assert_int_not_equal(plain_checksum(packet_data(&vector->packets[broken]), HEADER + 1000, 6), 0);
	}
}

static void a_short_one_is_the_last(void **state)
{
	(void)state;
	write_tcp(large, HEADER + 4500, ACK);
	assert_int_equal(cut(HEADER + 4500, 1000), 0);
	/* A sixth that would continue after the short fifth. */
	struct packet *sixth = packet_vector_add(vector);
	memcpy(packet_data(sixth), packet_data(&vector->packets[3]), HEADER + 1000);
	sixth->length = HEADER + 1000;
	sixth->kind = PACKET_INNER;
	put_number(packet_data(sixth) + IPV6 + 4, 4, 0xffffff00 + 4500);
	set_checksum(sixth);
	assert_int_equal(segments_join(vector, 0).count, 5);
	/* What is longer than the first starts a run of its own. */
	assert_int_equal(segments_join(vector, 4).count, 1);
	vector->packets[2].kind = PACKET_DROPPED;
	assert_int_equal(segments_join(vector, 1).count, 1);
}

/* Nothing that a peer may send leads outside of a packet, and what is not joined is not changed. */
static void arbitrary_packets(void **state)
{
	(void)state;
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 7);
	static uint8_t before[HEADER];
	for (unsigned round = 0; round < 3000; round++) {
		uint8_t dice[64];
		random_fill(&random, dice, sizeof dice);
		write_tcp(large, HEADER + 3000, ACK);
		assert_int_equal(cut(HEADER + 3000, 1000), 0);
		for (size_t i = 0; i < 4; i++) {
			struct packet *packet = &vector->packets[dice[i] % 3];
			packet_data(packet)[dice[i + 4] % HEADER] = dice[i + 8];
			if (dice[i + 12] % 3 == 0)
				packet->length = dice[i + 16] % 128;
		}
		memcpy(before, packet_data(&vector->packets[0]), HEADER);
		struct segment_run run = segments_join(vector, 0);
		assert_true(run.count >= 1 && run.count <= 3);
		if (run.count == 1)
			assert_memory_equal(before, packet_data(&vector->packets[0]), HEADER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_segment_is_a_packet),
		cmocka_unit_test(the_largest_and_what_a_vector_cannot_hold),
		cmocka_unit_test(what_is_no_tcp_packet_is_refused),
		cmocka_unit_test(checksums_left_to_the_device),
		cmocka_unit_test(joined_is_the_opposite_of_cut),
		cmocka_unit_test(only_what_is_alike_is_joined),
		cmocka_unit_test(segments_with_flags_stay_alone),
		cmocka_unit_test(wrong_checksums_are_left_for_the_stack_to_see),
		cmocka_unit_test(a_short_one_is_the_last),
		cmocka_unit_test(arbitrary_packets),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
