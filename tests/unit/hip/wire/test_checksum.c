/* SPDX-License-Identifier: MIT */
#include "tests/unit/hip/wire/samples.h"

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	return address;
}

/* RFC 7401 section 5.1.1 word for word: pseudo-header, then header and parameters. */
static uint16_t plain_checksum(const uint8_t *packet, const struct address *source, const struct address *destination)
{
	uint8_t octets[40 + HIP_PACKET_MAXIMUM] = {0};
	size_t length = (packet[1] + 1u) * 8;
	size_t header = address_is_ipv4(source) ? 12 : 40;
	uint32_t sum = 0;

	if (header == 12) {
		memcpy(octets, source->octets + 12, 4);
		memcpy(octets + 4, destination->octets + 12, 4);
		octets[9] = 139;
		octets[10] = (uint8_t)(length >> 8);
		octets[11] = (uint8_t)length;
	} else {
		memcpy(octets, source->octets, 16);
		memcpy(octets + 16, destination->octets, 16);
		octets[34] = (uint8_t)(length >> 8);
		octets[35] = (uint8_t)length;
		octets[39] = 139;
	}
	memcpy(octets + header, packet, length);
	octets[header + 4] = octets[header + 5] = 0;
	for (size_t i = 0; i < header + length; i += 2)
		sum += (uint32_t)(octets[i] << 8 | octets[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void test_against_the_words_of_the_rfc(void **state)
{
	static const char *const pairs[][2] = {
		{"192.0.2.1", "198.51.100.7"}, {"2001:db8::1", "2001:db8:1::2"}, {"0.0.0.0", "255.255.255.255"}};
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];

	(void)state;
	for (size_t p = 0; p < 3; p++) {
		struct address source = address_of(pairs[p][0]);
		struct address destination = address_of(pairs[p][1]);

		for (size_t t = 0; t < SAMPLE_TYPES; t++) {
			size_t length = sample_packet(sample_types[t], packet, sizeof packet);

			assert_int_equal(
				packet_set_checksum(packet, length, HIP_CARRIER_IP, &source, &destination), HIPHOP_OK);
			assert_int_equal(packet[4] << 8 | packet[5], plain_checksum(packet, &source, &destination));
			assert_int_equal(packet_verify_checksum(packet, length, HIP_CARRIER_IP, &source, &destination),
				HIPHOP_OK);
		}
	}
}

static void test_damage_is_seen(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct address source = address_of("192.0.2.1");
	struct address destination = address_of("192.0.2.2");
	struct address other = address_of("192.0.2.3");
	size_t length = sample_packet(HIP_PACKET_UPDATE, packet, sizeof packet);

	(void)state;
	packet_set_checksum(packet, length, HIP_CARRIER_IP, &source, &destination);
	for (size_t i = 2; i < length; i++) {
		packet[i] ^= 0x10;
		assert_int_equal(packet_verify_checksum(packet, length, HIP_CARRIER_IP, &source, &destination),
			HIPHOP_BAD_CHECKSUM);
		packet[i] ^= 0x10;
	}
	assert_int_equal(packet_verify_checksum(packet, length, HIP_CARRIER_IP, &source, &other), HIPHOP_BAD_CHECKSUM);
	packet[1] = 255;
	assert_int_equal(
		packet_verify_checksum(packet, length, HIP_CARRIER_IP, &source, &destination), HIPHOP_MALFORMED);
	packet[1] = 3;
	assert_int_equal(
		packet_verify_checksum(packet, length, HIP_CARRIER_IP, &source, &destination), HIPHOP_MALFORMED);
	assert_int_equal(packet_verify_checksum(packet, 39, HIP_CARRIER_UDP, NULL, NULL), HIPHOP_MALFORMED);
	assert_int_equal(packet_set_checksum(packet, 39, HIP_CARRIER_UDP, NULL, NULL), HIPHOP_MALFORMED);
}

static void test_udp_has_none(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	size_t length = sample_packet(HIP_PACKET_I1, packet, sizeof packet);

	(void)state;
	packet[5] = 1;
	assert_int_equal(packet_verify_checksum(packet, length, HIP_CARRIER_UDP, NULL, NULL), HIPHOP_BAD_CHECKSUM);
	assert_int_equal(packet_set_checksum(packet, length, HIP_CARRIER_UDP, NULL, NULL), HIPHOP_OK);
	assert_int_equal(packet_verify_checksum(packet, length, HIP_CARRIER_UDP, NULL, NULL), HIPHOP_OK);
	assert_int_equal(packet[4] | packet[5], 0);
}

static void test_inside_esp_the_hits_count(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	size_t length = sample_packet(HIP_PACKET_DATA, packet, sizeof packet);
	struct address source = hit_as_address(&sample_initiator);
	struct address destination = hit_as_address(&sample_responder);

	(void)state;
	assert_int_equal(packet_set_checksum(packet, length, HIP_CARRIER_ESP, &source, &destination), HIPHOP_OK);
	assert_int_equal(packet[4] << 8 | packet[5], plain_checksum(packet, &source, &destination));
	packet[length - 1] ^= 1; /* the payload is not under it; PAYLOAD_MIC is for that */
	assert_int_equal(packet_verify_checksum(packet, length, HIP_CARRIER_ESP, &source, &destination), HIPHOP_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_the_words_of_the_rfc),
		cmocka_unit_test(test_damage_is_seen),
		cmocka_unit_test(test_udp_has_none),
		cmocka_unit_test(test_inside_esp_the_hits_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
