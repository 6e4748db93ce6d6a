/* SPDX-License-Identifier: MIT */
/* HIP packets from strangers: parse, rules, checksum, every typed parameter, coverage, and the forwarder's edits. */
#include "hip/wire/coverage.h"
#include "hip/wire/framing.h"
#include "hip/wire/parameters.h"
#include "hip/wire/relay_edit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define READ(name, type)                                                                                               \
	static void read_##name(const struct parameter_view *view)                                                     \
	{                                                                                                              \
		type out;                                                                                              \
		(void)parameter_##name##_read(view, &out);                                                             \
	}

READ(r1_counter, struct parameter_r1_counter)
READ(puzzle, struct parameter_puzzle)
READ(solution, struct parameter_solution)
READ(dh_group_list, struct parameter_octet_list)
READ(hit_suite_list, struct parameter_octet_list)
READ(diffie_hellman, struct parameter_diffie_hellman)
READ(hip_cipher, struct parameter_suite_list)
READ(esp_transform, struct parameter_suite_list)
READ(nat_traversal_mode, struct parameter_suite_list)
READ(transport_format_list, struct parameter_transport_format_list)
READ(host_id, struct parameter_host_id)
READ(cert, struct parameter_cert)
READ(notification, struct parameter_notification)
READ(signature, struct parameter_signature)
READ(opaque, struct span)
READ(number, uint32_t)
READ(sequence_list, struct parameter_sequence_list)
READ(payload_mic, struct parameter_payload_mic)
READ(esp_info, struct parameter_esp_info)
READ(locator_set, struct parameter_locator_set)
READ(transport_address, struct endpoint)
READ(address, struct address)
READ(peer_permission, struct parameter_peer_permission)
READ(transport_mode, struct parameter_transport_mode)
READ(registration, struct parameter_registration)
READ(overlay_ttl, uint16_t)
READ(route, struct parameter_route)

static void read_encrypted(const struct parameter_view *view)
{
	struct parameter_encrypted out;
	struct parameter_list inner;

	if (parameter_encrypted_read(view, 16, &out) == HIPHOP_OK)
		(void)parameters_parse(out.data.data, out.data.length, &inner);
}

static void (*const readers[])(const struct parameter_view *view) = {read_r1_counter, read_puzzle, read_solution,
	read_dh_group_list, read_hit_suite_list, read_diffie_hellman, read_hip_cipher, read_esp_transform,
	read_nat_traversal_mode, read_transport_format_list, read_host_id, read_cert, read_notification, read_signature,
	read_opaque, read_number, read_sequence_list, read_payload_mic, read_esp_info, read_locator_set,
	read_transport_address, read_address, read_peer_permission, read_transport_mode, read_registration,
	read_overlay_ttl, read_route, read_encrypted};

static void touch(const struct coverage *coverage)
{
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < coverage->count; i++)
		for (size_t k = 0; k < coverage->spans[i].length; k++)
			sum = (uint8_t)(sum + coverage->spans[i].data[k]);
}

static void cover(const struct packet_view *view)
{
	const struct parameter_view *host_id = packet_find(view, PARAMETER_HOST_ID);
	struct coverage coverage;

	(void)coverage_of_mac(view, &coverage);
	touch(&coverage);
	(void)coverage_of_signature(view, &coverage);
	touch(&coverage);
	(void)coverage_of_signature_2(view, &coverage);
	touch(&coverage);
	(void)coverage_of_relay_mac(view, PARAMETER_RVS_HMAC, &coverage);
	touch(&coverage);
	(void)coverage_of_mac_2(view, host_id ? host_id->encoded : (struct span){NULL, 0}, &coverage);
	touch(&coverage);
}

/* A forwarder's edits must leave a packet that parses. */
static void forward(const uint8_t *data, size_t size)
{
	size_t capacity = size + 2 * HIT_LENGTH;
	uint8_t *copy = malloc(capacity);
	struct hit hit = {{0x20, 0x01, 0x00, 0x22, 1}};
	struct packet_view view;
	size_t length = size;

	if (!copy)
		return;
	memcpy(copy, data, size);
	(void)relay_decrement_ttl(copy, length);
	for (int i = 0; i < 3; i++)
		(void)relay_append_via(copy, &length, capacity, &hit);
	if (packet_parse(copy, length, &view))
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_view view;
	struct span contents;
	struct address local = {{0}}, remote = {{0}};

	(void)framing_classify(data, size, &contents);
	(void)packet_verify_checksum(data, size, HIP_CARRIER_IP, &local, &remote);
	if (packet_parse(data, size, &view))
		return 0;
	(void)packet_check_rules(&view, NULL);
	for (size_t i = 0; i < view.parameters.count; i++)
		for (size_t r = 0; r < sizeof readers / sizeof readers[0]; r++)
			readers[r](&view.parameters.items[i]);
	cover(&view);
	forward(data, size);
	return 0;
}
