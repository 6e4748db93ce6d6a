/* SPDX-License-Identifier: MIT */
/* DATA packets that were changed on their way, or lack something; and the one that docs/hipv2-mapping.md shows. */
#include "overlay_chain.h"

#include "hip/core/data_packet.h"
#include "hip/core/packet_signature.h"

/** Every octet of a message with every parameter, one bit changed: none is taken, and the true one is at the end. */
static void test_no_changed_octet_is_taken(void **state)
{
	(void)state;
	struct chain *chain =
		chain_make_with(4, (struct data_transport_settings){.per_neighbour = 1000000, .per_sender = 1000000});
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[3];
	struct data_packet message = request_for(&owner->hit, 5), sent;
	struct buffer packet = {0};
	struct packet_view view;

	message.route = list_of(chain, 1);
	message.acknowledged = (struct parameter_sequence_list){.count = 2, .items = {77, 78}};
	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	const struct covered covered = coverage_of_packet(&packet);
	for (size_t offset = 0; offset < covered.total; offset++) {
		if (!is_protected(&covered, offset))
			continue;
		packet.data[offset] ^= (uint8_t)(1U << (offset % 8));
		if (!packet_parse(packet.data, packet.length, &view))
			assert_true(
				data_transport_input(owner->transport, chain->now, &view, &asker->hit) != HIPHOP_OK);
		packet.data[offset] ^= (uint8_t)(1U << (offset % 8));
		if (chain_count(chain, 3, DATA_COUNT_RECEIVED) != 0)
			fail_msg("octet %zu was changed and the message taken", offset);
	}
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_MIC) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_IDENTITY) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_SIGNATURE) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_OTHER_OVERLAY) > 0);
	assert_true(chain_count(chain, 3, DATA_COUNT_DROP_MALFORMED) > 0);
	take_sends(owner, &sent, NULL);
	assert_int_equal(packet_parse(packet.data, packet.length, &view), HIPHOP_OK);
	assert_int_equal(data_transport_input(owner->transport, chain->now, &view, &asker->hit), HIPHOP_OK);
	buffer_free(&packet);
	chain_free(chain);
}

/** Also of a sender whose identity is known, whose HOST_ID is then not parsed again. */
static void test_no_changed_octet_of_a_known_sender_is_taken(void **state)
{
	(void)state;
	struct chain *chain =
		chain_make_with(2, (struct data_transport_settings){.per_neighbour = 1000000, .per_sender = 1000000});
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	struct data_packet message = request_for(&owner->hit, 5);
	struct buffer packet = {0};
	struct packet_view view;

	assert_int_equal(hand_over(chain, asker->identity, 1, &message, &asker->hit), HIPHOP_OK);
	message.sequence++;
	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	const struct covered covered = coverage_of_packet(&packet);
	for (size_t offset = 0; offset < covered.total; offset++) {
		if (!is_protected(&covered, offset))
			continue;
		packet.data[offset] ^= 0x10;
		if (!packet_parse(packet.data, packet.length, &view))
			assert_true(
				data_transport_input(owner->transport, chain->now, &view, &asker->hit) != HIPHOP_OK);
		packet.data[offset] ^= 0x10;
		if (chain_count(chain, 1, DATA_COUNT_RECEIVED) != 1)
			fail_msg("octet %zu was changed and the message taken", offset);
	}
	buffer_free(&packet);
	chain_free(chain);
}

static void test_every_parameter_that_must_be_there_is_missed(void **state)
{
	(void)state;
	static const uint16_t needed[] = {PARAMETER_SEQ_DATA, PARAMETER_PAYLOAD_MIC, PARAMETER_TRANSACTION_ID,
		PARAMETER_OVERLAY_ID, PARAMETER_HIP_SIGNATURE, PARAMETER_HOST_ID};
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	const struct data_packet message = request_for(&owner->hit, 5);
	struct buffer packet = {0};
	struct packet_view whole, view;

	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	assert_int_equal(packet_parse(packet.data, packet.length, &whole), HIPHOP_OK);
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		uint8_t octets[2048];
		struct packet_builder builder;
		size_t length;
		packet_builder_start(
			&builder, octets, sizeof octets, HIP_PACKET_DATA, 0, &whole.sender, &whole.receiver);
		for (size_t j = 0; j < whole.parameters.count; j++)
			if (whole.parameters.items[j].type != needed[i])
				packet_builder_add_encoded(&builder, whole.parameters.items[j].encoded);
		packet_builder_payload(&builder, HIP_NEXT_HEADER_RELOAD, whole.payload.data, whole.payload.length);
		assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
		assert_int_equal(packet_parse(octets, length, &view), HIPHOP_OK);
		assert_true(data_transport_input(owner->transport, chain->now, &view, &asker->hit) != HIPHOP_OK);
	}
	assert_int_equal(chain_count(chain, 1, DATA_COUNT_RECEIVED), 0);
	buffer_free(&packet);
	chain_free(chain);
}

static void test_a_sender_once_known_may_leave_out_its_host_id(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	struct data_packet message = request_for(&owner->hit, 5);
	uint8_t octets[2048];
	struct packet_builder builder;
	struct packet_view view;
	size_t length;

	/* A bare acknowledgement without HOST_ID, signed like any other. */
	packet_builder_start(&builder, octets, sizeof octets, HIP_PACKET_DATA, 0, &asker->hit, &owner->hit);
	packet_builder_add(&builder, PARAMETER_ACK_DATA, (uint8_t[]){0, 0, 0, 1}, 4);
	packet_builder_add(&builder, PARAMETER_TRANSACTION_ID, "abcdefgh", 8);
	packet_builder_add(&builder, PARAMETER_OVERLAY_ID, (uint8_t[]){0x0b, 0xad, 0xca, 0xfe}, 4);
	packet_reserve_signature(&builder, asker->identity);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_sign(octets, length, asker->identity), HIPHOP_OK);
	assert_int_equal(packet_parse(octets, length, &view), HIPHOP_OK);

	assert_int_equal(data_transport_input(owner->transport, chain->now, &view, &asker->hit), HIPHOP_BAD_IDENTITY);
	assert_int_equal(hand_over(chain, asker->identity, 1, &message, &asker->hit), HIPHOP_OK);
	assert_int_equal(data_transport_input(owner->transport, chain->now, &view, &asker->hit), HIPHOP_NOT_FOUND);
	chain_free(chain);
}

static void test_a_bad_signature_is_told_at_a_limited_rate(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct chain_host *asker = &chain->hosts[0], *owner = &chain->hosts[1];
	const struct data_packet message = request_for(&owner->hit, 5);
	struct data_transport_effect effect;
	struct parameter_notification notification;
	struct buffer packet = {0};
	struct packet_view view, notify;
	unsigned told = 0;

	assert_int_equal(data_packet_build(&message, asker->identity, &packet), HIPHOP_OK);
	packet.data[coverage_of_packet(&packet).signed_end - 1] ^= 1;
	assert_int_equal(packet_parse(packet.data, packet.length, &view), HIPHOP_OK);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(
			data_transport_input(owner->transport, chain->now, &view, &asker->hit), HIPHOP_BAD_SIGNATURE);
	while (data_transport_next_effect(owner->transport, &effect)) {
		told++;
		assert_int_equal(effect.kind, DATA_TRANSPORT_SEND);
		assert_true(hit_equal(&effect.first_hop, &asker->hit));
		assert_int_equal(packet_parse(effect.octets, effect.length, &notify), HIPHOP_OK);
		assert_int_equal(
			parameter_notification_read(packet_find(&notify, PARAMETER_NOTIFICATION), &notification),
			HIPHOP_OK);
		assert_int_equal(notification.type, NOTIFY_AUTHENTICATION_FAILED);
	}
	assert_in_range(told, 1, 30);
	buffer_free(&packet);
	chain_free(chain);
}

/* ---- the packet that the document shows -------------------------------------------------------------------------- */

/** The example of docs/hipv2-mapping.md section 18, octet for octet. */
/* clang-format off */
static const uint8_t shown[] = {
	0xfd, 0x25, 0x20, 0x21, 0x00, 0x00, 0x00, 0x00, 0x20, 0x01, 0x00, 0x22, 0x4c, 0x25, 0x23, 0x7d,
	0x49, 0x60, 0x37, 0xaf, 0x5d, 0x3b, 0x35, 0x33, 0x20, 0x01, 0x00, 0x20, 0x7b, 0x24, 0x6c, 0x6e,
	0x49, 0x2e, 0x19, 0xe3, 0xc8, 0xcb, 0x00, 0xd4, 0x02, 0xc1, 0x00, 0x48, 0x00, 0x42, 0x00, 0x00,
	0x00, 0x07, 0x00, 0x01, 0x3c, 0x02, 0x64, 0xe2, 0x84, 0x1f, 0x9a, 0x49, 0x05, 0x65, 0xc5, 0x10,
	0x34, 0x50, 0x8a, 0x4f, 0x27, 0x35, 0x69, 0xa4, 0xbf, 0x28, 0x45, 0xad, 0xdd, 0x6b, 0xa7, 0x01,
	0x2f, 0x42, 0xc9, 0x0e, 0xc9, 0xe7, 0xc7, 0xa8, 0x6e, 0xe8, 0x63, 0x9f, 0x64, 0x7a, 0x30, 0xd3,
	0x0b, 0x12, 0x39, 0x6e, 0x0a, 0xdf, 0xb3, 0x46, 0x49, 0x0a, 0x9e, 0xef, 0xb0, 0x89, 0xf6, 0x09,
	0xc4, 0x47, 0xe5, 0x94, 0x00, 0x00, 0x00, 0x00, 0x11, 0x81, 0x00, 0x04, 0x00, 0x00, 0x01, 0x01,
	0x11, 0xe1, 0x00, 0x3c, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x27, 0x26, 0xe7, 0x00, 0x7b, 0x07, 0xed, 0x42, 0x49, 0xef, 0x8c, 0xf1, 0x70, 0xc0, 0xf7, 0xdb,
	0x14, 0x3d, 0x42, 0xe3, 0xc9, 0x5d, 0xf8, 0x25, 0xd2, 0x72, 0x18, 0x99, 0x9b, 0xb7, 0x4d, 0x26,
	0x5b, 0x2b, 0x42, 0xb7, 0x44, 0x04, 0x21, 0x62, 0x60, 0x86, 0xb8, 0xd8, 0x53, 0xc8, 0xbf, 0x41,
	0x11, 0xe4, 0x00, 0x08, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x00, 0x00, 0x00, 0x00,
	0x11, 0xf0, 0x00, 0x04, 0x0b, 0xad, 0xca, 0xfe, 0xf1, 0x01, 0x00, 0x42, 0x00, 0x07, 0xf9, 0xb6,
	0x37, 0x5d, 0x82, 0xdb, 0x09, 0xf5, 0xf2, 0xe6, 0x89, 0x2c, 0xb0, 0xf9, 0x94, 0xb8, 0xb3, 0x1d,
	0x75, 0x06, 0xcd, 0x83, 0xfe, 0x1b, 0xa8, 0xc1, 0x27, 0x80, 0x1a, 0xb5, 0x88, 0x8e, 0x4c, 0x5f,
	0x30, 0x9a, 0x6a, 0x96, 0x89, 0xef, 0x00, 0xa1, 0xc4, 0x31, 0x3e, 0x30, 0xf3, 0x85, 0x62, 0x6f,
	0x00, 0xa5, 0xe0, 0x2e, 0xc9, 0x36, 0x4b, 0x6f, 0xf8, 0xe5, 0x64, 0xba, 0xee, 0x84, 0x00, 0x00,
	0xfa, 0x0b, 0x00, 0x04, 0x00, 0x64, 0x00, 0x00, 0xfa, 0x11, 0x00, 0x04, 0xc0, 0x00, 0x00, 0x00,
	0x00, 0x17, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
/* clang-format on */

static void test_the_packet_of_the_document_is_taken(void **state)
{
	(void)state;
	struct chain *chain = chain_make(2);
	struct packet_view view;
	struct data_transport_effect effect;

	assert_int_equal(packet_parse(shown, sizeof shown, &view), HIPHOP_OK);
	assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
	assert_int_equal(
		data_transport_input(chain->hosts[1].transport, chain->now, &view, &chain->hosts[0].hit), HIPHOP_OK);
	assert_true(data_transport_next_effect(chain->hosts[1].transport, &effect));
	assert_int_equal(effect.kind, DATA_TRANSPORT_DELIVER);
	assert_int_equal(effect.transaction, UINT64_C(0x1122334455667788));
	assert_int_equal(effect.content_length, 12);
	assert_int_equal(effect.ttl, 100);
	chain_free(chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_changed_octet_is_taken),
		cmocka_unit_test(test_no_changed_octet_of_a_known_sender_is_taken),
		cmocka_unit_test(test_every_parameter_that_must_be_there_is_missed),
		cmocka_unit_test(test_a_sender_once_known_may_leave_out_its_host_id),
		cmocka_unit_test(test_a_bad_signature_is_told_at_a_limited_rate),
		cmocka_unit_test(test_the_packet_of_the_document_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
