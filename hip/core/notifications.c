/* SPDX-License-Identifier: MIT */
#include "hip/core/notifications.h"

#include "hip/wire/constants.h"
#include "hip/wire/packet.h"

#define R1   PACKET_BIT_R1
#define I2   PACKET_BIT_I2
#define R2   PACKET_BIT_R2
#define KEPT (PACKET_BIT_UPDATE | PACKET_BIT_CLOSE | PACKET_BIT_CLOSE_ACK)
#define TOLD (PACKET_BIT_UPDATE | PACKET_BIT_CLOSE | PACKET_BIT_DATA)
#define REST (PACKET_BIT_UPDATE | PACKET_BIT_NOTIFY | PACKET_BIT_CLOSE | PACKET_BIT_CLOSE_ACK)
#define ANY  (PACKET_BIT_ANY & ~PACKET_BIT_NOTIFY)

/* clang-format off */
static const struct notification_rule rules[NOTIFICATION_RULES] = {
	{NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE, SHOWN_PUZZLE, I2 | R2 | KEPT, NOTIFICATION_PARAMETER_TYPE,
	 "a critical parameter that is unknown here; outside the base exchange under a right MAC and signature"},
	{NOTIFY_INVALID_SYNTAX, SHOWN_IDENTITY, I2 | R2 | KEPT, NOTIFICATION_EMPTY,
	 "a length or value that cannot be, under a right MAC and signature"},
	{NOTIFY_NO_DH_PROPOSAL_CHOSEN, SHOWN_IDENTITY, R1, NOTIFICATION_EMPTY, "no group of the R1 is ours"},
	{NOTIFY_INVALID_DH_CHOSEN, SHOWN_PUZZLE, I2, NOTIFICATION_EMPTY, "the group of the I2 was not offered"},
	{NOTIFY_NO_HIP_PROPOSAL_CHOSEN, SHOWN_IDENTITY, R1, NOTIFICATION_EMPTY, "no HIP cipher of the R1 is ours"},
	{NOTIFY_INVALID_HIP_CIPHER_CHOSEN, SHOWN_PUZZLE, I2, NOTIFICATION_EMPTY, "the cipher of the I2 was not offered"},
	{NOTIFY_NO_ESP_PROPOSAL_CHOSEN, SHOWN_PUZZLE, R1 | I2, NOTIFICATION_EMPTY,
	 "no ESP suite of the R1 is ours, or the I2 takes no ESP"},
	{NOTIFY_INVALID_ESP_TRANSFORM_CHOSEN, SHOWN_PUZZLE, I2, NOTIFICATION_EMPTY,
	 "the ESP suite of the I2 was not offered"},
	{NOTIFY_UNSUPPORTED_HIT_SUITE, SHOWN_IDENTITY, R1, NOTIFICATION_EMPTY, "the R1 does not take our HIT Suite"},
	{NOTIFY_AUTHENTICATION_FAILED, SHOWN_KEYS, I2 | R2 | TOLD, NOTIFICATION_EMPTY,
	 "a wrong signature under a right MAC"},
	/* A packet with a wrong checksum is dropped in silence (RFC 7401 section 5.4.2). */
	{NOTIFY_CHECKSUM_FAILED, SHOWN_NEVER, 0, NOTIFICATION_EMPTY, "never"},
	{NOTIFY_HIP_MAC_FAILED, SHOWN_PUZZLE, I2, NOTIFICATION_EMPTY, "a wrong MAC in an I2 with a solved puzzle"},
	{NOTIFY_ENCRYPTION_FAILED, SHOWN_KEYS, I2, NOTIFICATION_EMPTY, "ENCRYPTED of the I2 cannot be decrypted"},
	{NOTIFY_INVALID_HIT, SHOWN_KEYS, I2, NOTIFICATION_EMPTY, "the HIT is not that of the Host Identity"},
	{NOTIFY_BLOCKED_BY_POLICY, SHOWN_PUZZLE, I2, NOTIFICATION_EMPTY, "the rules of access are against it"},
	{NOTIFY_RESPONDER_BUSY_PLEASE_RETRY, SHOWN_PUZZLE, I2, NOTIFICATION_EMPTY, "too many I2s, associations, or no memory"},
	{NOTIFY_LOCATOR_TYPE_UNSUPPORTED, SHOWN_IDENTITY, PACKET_BIT_UPDATE, NOTIFICATION_LOCATORS,
	 "the preferred locator of a LOCATOR_SET has a type that is unknown here"},
	{NOTIFY_CREDENTIALS_REQUIRED, SHOWN_IDENTITY, I2 | R2 | REST, NOTIFICATION_EMPTY,
	 "a rule of access asks for a certificate, and none was sent"},
	{NOTIFY_INVALID_CERTIFICATE, SHOWN_IDENTITY, I2 | R2 | REST, NOTIFICATION_CERTIFICATE,
	 "a rule of access asks for a certificate, and the one that was sent does not hold"},
	{NOTIFY_NO_VALID_NAT_TRAVERSAL_MODE_PARAMETER, SHOWN_NEVER, 0, NOTIFICATION_EMPTY, "never"},
	{NOTIFY_CONNECTIVITY_CHECKS_FAILED, SHOWN_NEVER, 0, NOTIFICATION_EMPTY, "never"},
	{NOTIFY_MESSAGE_NOT_RELAYED, SHOWN_NEVER, 0, NOTIFICATION_EMPTY, "never"},
	{NOTIFY_SERVER_REFLEXIVE_CANDIDATE_ALLOCATION_FAILED, SHOWN_NEVER, 0, NOTIFICATION_EMPTY, "never"},
	{NOTIFY_RVS_HMAC_PROHIBITED_WITH_RELAY, SHOWN_NEVER, 0, NOTIFICATION_EMPTY, "never"},
	{NOTIFY_OVERLAY_TTL_EXCEEDED, SHOWN_NEIGHBOUR, ANY, NOTIFICATION_PACKET, "OVERLAY_TTL is used up"},
	{NOTIFY_UNKNOWN_NEXT_HOP, SHOWN_NEIGHBOUR, ANY, NOTIFICATION_PACKET, "no next hop in the overlay"},
	{NOTIFY_NO_VALID_HIP_TRANSPORT_MODE, SHOWN_PUZZLE, I2, NOTIFICATION_EMPTY, "the mode of the I2 was not offered"},
	{NOTIFY_INVALID_SPI, SHOWN_ADDRESS, 0, NOTIFICATION_SPI, "ESP for an SPI that nobody has"},
	/* An I2 is processed at once or not at all. */
	{NOTIFY_I2_ACKNOWLEDGEMENT, SHOWN_NEVER, 0, NOTIFICATION_EMPTY, "never"},
	{NOTIFY_NAT_KEEPALIVE, SHOWN_IDENTITY, 0, NOTIFICATION_EMPTY, "nothing was sent over UDP for a while"},
};
/* clang-format on */

const struct notification_rule *notification_rule_at(size_t index)
{
	return &rules[index];
}

size_t notification_index(uint16_t type)
{
	size_t index = 0;

	while (index < NOTIFICATION_RULES && rules[index].type != type)
		index++;
	return index;
}

const struct notification_rule *notification_rule_of(uint16_t type)
{
	size_t index = notification_index(type);

	return index < NOTIFICATION_RULES ? &rules[index] : NULL;
}

bool notification_data_fits(const struct notification_rule *rule, size_t length)
{
	switch (rule->data) {
	case NOTIFICATION_EMPTY:
		return length == 0;
	case NOTIFICATION_PARAMETER_TYPE:
		return length == 2;
	case NOTIFICATION_CERTIFICATE:
		return length == 0 || length == 2;
	case NOTIFICATION_SPI:
		return length == 4;
	case NOTIFICATION_LOCATORS:
		return length >= 8;
	case NOTIFICATION_PACKET:
		return length >= HIP_HEADER_LENGTH;
	}
	return false;
}

bool notification_is_allowed(const struct notification_rule *rule, unsigned packet_type, notification_proof shown)
{
	uint16_t bit = packet_type_bit(packet_type);
	/* Outside the base exchange the packet has a MAC and a signature, and both are to be right. */
	bool whole = rule->type == NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE && !(bit & I2);

	return (rule->answers & bit) && shown >= rule->proof && (!whole || shown >= SHOWN_IDENTITY);
}
