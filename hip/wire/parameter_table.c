/* SPDX-License-Identifier: MIT */
/**
 * The parameters we know, as a table: lengths, repetition, and in which packets they must or may occur (RFC 7401
 * section 5.3, RFC 7402 section 5.2, RFC 6078 section 4, RFC 8003 section 4, RFC 9028 section 5).
 */
#include "hip/wire/packet.h"

#define I1        PACKET_BIT_I1
#define R1        PACKET_BIT_R1
#define I2        PACKET_BIT_I2
#define R2        PACKET_BIT_R2
#define UPDATE    PACKET_BIT_UPDATE
#define NOTIFY    PACKET_BIT_NOTIFY
#define CLOSE     PACKET_BIT_CLOSE
#define CLOSE_ACK PACKET_BIT_CLOSE_ACK
#define DATA      PACKET_BIT_DATA
#define PROXY     PACKET_BIT_UPDATE_PROXY
#define ANY       PACKET_BIT_ANY
/* The longest contents that fit a packet. */
#define FULL (HIP_PARAMETERS_MAXIMUM - 4)
/* MACs: HMAC-SHA-1 to HMAC-SHA-512. */
#define MAC_MINIMUM 20
#define MAC_MAXIMUM 64

/* clang-format off */
static const struct parameter_rule rules[] = {
	/* type, least, most, multiple, repeats, must be in, may be in, name; in ascending order of type */
	{PARAMETER_ESP_INFO, 12, 12, 1, true, 0, I2 | R2 | UPDATE, "ESP_INFO"},
	{PARAMETER_R1_COUNTER, 12, 12, 1, false, 0, R1 | I2, "R1_COUNTER"},
	{PARAMETER_LOCATOR_SET, 0, FULL, 4, false, 0, R1 | I2 | R2 | UPDATE | PROXY, "LOCATOR_SET"},
	{PARAMETER_PUZZLE, 24, 4 + PUZZLE_RANDOM_MAXIMUM, 1, false, R1, R1, "PUZZLE"},
	{PARAMETER_SOLUTION, 44, 4 + 2 * PUZZLE_RANDOM_MAXIMUM, 2, false, I2, I2, "SOLUTION"},
	{PARAMETER_SEQ, 4, 4, 1, false, 0, UPDATE | PROXY, "SEQ"},
	{PARAMETER_ACK, 4, FULL, 4, false, 0, UPDATE | PROXY, "ACK"},
	{PARAMETER_DH_GROUP_LIST, 1, FULL, 1, false, I1 | R1, I1 | R1, "DH_GROUP_LIST"},
	{PARAMETER_DIFFIE_HELLMAN, 3, FULL, 1, false, R1 | I2, R1 | I2 | UPDATE, "DIFFIE_HELLMAN"},
	{PARAMETER_HIP_CIPHER, 2, FULL, 2, false, R1 | I2, R1 | I2, "HIP_CIPHER"},
	{PARAMETER_NAT_TRAVERSAL_MODE, 2, FULL, 2, false, 0, R1 | I2, "NAT_TRAVERSAL_MODE"},
	{PARAMETER_TRANSACTION_PACING, 4, 4, 1, false, 0, R1 | I2 | R2 | UPDATE, "TRANSACTION_PACING"},
	{PARAMETER_ENCRYPTED, 4, FULL, 1, true, 0, I2 | R2 | UPDATE | NOTIFY, "ENCRYPTED"},
	{PARAMETER_HOST_ID, 6, FULL, 1, false, R1, R1 | I2 | UPDATE | NOTIFY | DATA, "HOST_ID"},
	{PARAMETER_HIT_SUITE_LIST, 1, FULL, 1, false, R1, R1, "HIT_SUITE_LIST"},
	{PARAMETER_CERT, 4, FULL, 1, true, 0, ANY & ~I1, "CERT"},
	{PARAMETER_NOTIFICATION, 4, FULL, 1, true, NOTIFY, ANY & ~I1, "NOTIFICATION"},
	{PARAMETER_ECHO_REQUEST_SIGNED, 0, FULL, 1, false, CLOSE, R1 | UPDATE | CLOSE | PROXY, "ECHO_REQUEST_SIGNED"},
	{PARAMETER_REG_INFO, 2, FULL, 1, false, 0, R1 | UPDATE, "REG_INFO"},
	{PARAMETER_REG_REQUEST, 1, FULL, 1, true, 0, I2 | UPDATE, "REG_REQUEST"},
	{PARAMETER_REG_RESPONSE, 1, FULL, 1, true, 0, R2 | UPDATE, "REG_RESPONSE"},
	{PARAMETER_REG_FAILED, 1, FULL, 1, true, 0, R2 | UPDATE, "REG_FAILED"},
	{PARAMETER_REG_FROM, 20, 20, 1, false, 0, R2 | UPDATE, "REG_FROM"},
	{PARAMETER_ECHO_RESPONSE_SIGNED, 0, FULL, 1, false, CLOSE_ACK, I2 | UPDATE | CLOSE_ACK | PROXY,
	 "ECHO_RESPONSE_SIGNED"},
	{PARAMETER_TRANSPORT_FORMAT_LIST, 2, FULL, 2, false, R1 | I2, R1 | I2, "TRANSPORT_FORMAT_LIST"},
	{PARAMETER_ESP_TRANSFORM, 4, FULL, 2, false, 0, R1 | I2 | UPDATE, "ESP_TRANSFORM"},
	{PARAMETER_SEQ_DATA, 4, 4, 1, false, 0, DATA, "SEQ_DATA"},
	{PARAMETER_ACK_DATA, 4, FULL, 4, false, 0, DATA, "ACK_DATA"},
	{PARAMETER_PAYLOAD_MIC, 12, 12 + MAC_MAXIMUM, 1, true, 0, DATA, "PAYLOAD_MIC"},
	{PARAMETER_TRANSACTION_ID, 1, FULL, 1, false, 0, NOTIFY | DATA, "TRANSACTION_ID"},
	{PARAMETER_OVERLAY_ID, 1, FULL, 1, false, 0, ANY, "OVERLAY_ID"},
	{PARAMETER_ROUTE_DST, 20, 4 + 16 * ROUTE_HITS_MAXIMUM, 16, false, 0, ANY, "ROUTE_DST"},
	{PARAMETER_RELAYED_ADDRESS, 20, 20, 1, false, 0, R2 | UPDATE, "RELAYED_ADDRESS"},
	{PARAMETER_MAPPED_ADDRESS, 20, 20, 1, false, 0, UPDATE, "MAPPED_ADDRESS"},
	{PARAMETER_PEER_PERMISSION, 48, 48, 1, true, 0, UPDATE, "PEER_PERMISSION"},
	{PARAMETER_CANDIDATE_PRIORITY, 4, 4, 1, false, 0, UPDATE, "CANDIDATE_PRIORITY"},
	{PARAMETER_NOMINATE, 4, 4, 1, false, 0, UPDATE, "NOMINATE"},
	{PARAMETER_HIP_TRANSPORT_MODE, 2, FULL, 2, false, 0, R1 | I2 | UPDATE, "HIP_TRANSPORT_MODE"},
	{PARAMETER_TICKET, 44, 44, 1, false, 0, UPDATE, "TICKET"}, /* inside ENCRYPTED */
	{PARAMETER_DELEGATION, 84, FULL, 4, true, 0, UPDATE, "DELEGATION"}, /* likewise */
	{PARAMETER_ROUTER_LOCATORS, 4, 4 + 20 * ROUTER_LOCATORS_MAXIMUM, 20, false, 0, UPDATE, "ROUTER_LOCATORS"},
	{PARAMETER_DELEGATION_REFUSED, 12, 12, 1, true, 0, UPDATE, "DELEGATION_REFUSED"},
	{PARAMETER_TICKET_ID, 8, 8, 1, false, PROXY, UPDATE | PROXY, "TICKET_ID"},
	{PARAMETER_HOSTS_ON_BOARD, 4, 4 + 16 * HOSTS_ON_BOARD_MAXIMUM, 16, true, 0, UPDATE, "HOSTS_ON_BOARD"},
	{PARAMETER_HIP_MAC, MAC_MINIMUM, MAC_MAXIMUM, 1, false, I2 | UPDATE | CLOSE | CLOSE_ACK | PROXY,
	 I2 | UPDATE | CLOSE | CLOSE_ACK | PROXY, "HIP_MAC"},
	{PARAMETER_HIP_MAC_2, MAC_MINIMUM, MAC_MAXIMUM, 1, false, R2, R2, "HIP_MAC_2"},
	{PARAMETER_HIP_SIGNATURE_2, 3, FULL, 1, false, R1, R1, "HIP_SIGNATURE_2"},
	{PARAMETER_HIP_SIGNATURE, 3, FULL, 1, false, ANY & ~(I1 | R1), ANY & ~(I1 | R1), "HIP_SIGNATURE"},
	{PARAMETER_ECHO_RESPONSE_UNSIGNED, 0, FULL, 1, true, 0, ANY & ~(I1 | R1), "ECHO_RESPONSE_UNSIGNED"},
	{PARAMETER_ECHO_REQUEST_UNSIGNED, 0, FULL, 1, true, 0, ANY, "ECHO_REQUEST_UNSIGNED"},
	{PARAMETER_RELAY_FROM, 20, 20, 1, false, 0, ANY | PROXY, "RELAY_FROM"},
	{PARAMETER_RELAY_TO, 20, 20, 1, false, 0, ANY | PROXY, "RELAY_TO"},
	{PARAMETER_OVERLAY_TTL, 4, 4, 1, false, 0, ANY, "OVERLAY_TTL"},
	{PARAMETER_ROUTE_VIA, 4, 4 + 16 * ROUTE_HITS_MAXIMUM, 16, false, 0, ANY, "ROUTE_VIA"},
	{PARAMETER_FROM, 16, 16, 1, true, 0, ANY, "FROM"},
	{PARAMETER_RVS_HMAC, MAC_MINIMUM, MAC_MAXIMUM, 1, true, 0, ANY, "RVS_HMAC"},
	{PARAMETER_VIA_RVS, 16, FULL, 16, true, 0, ANY, "VIA_RVS"},
	{PARAMETER_RELAY_HMAC, MAC_MINIMUM, MAC_MAXIMUM, 1, false, 0, ANY, "RELAY_HMAC"},
};

/** When `condition` is there (0: always), at least one of the two must be there. */
struct alternative_rule {
	uint16_t packets;
	uint16_t condition;
	uint16_t either;
	uint16_t other;
};

static const struct alternative_rule alternatives[] = {
	{I2, 0, PARAMETER_ENCRYPTED, PARAMETER_HOST_ID},
	{UPDATE, 0, PARAMETER_SEQ, PARAMETER_ACK},
	{PROXY, 0, PARAMETER_SEQ, PARAMETER_ACK},
	{DATA, 0, PARAMETER_SEQ_DATA, PARAMETER_ACK_DATA},
	{DATA, PARAMETER_SEQ_DATA, PARAMETER_PAYLOAD_MIC, PARAMETER_PAYLOAD_MIC},
};
/* clang-format on */

#define RULES        (sizeof rules / sizeof rules[0])
#define ALTERNATIVES (sizeof alternatives / sizeof alternatives[0])

const struct parameter_rule *parameter_rule_of(uint16_t type)
{
	size_t low = 0;
	size_t high = RULES;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (rules[middle].type == type)
			return &rules[middle];
		if (rules[middle].type < type)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *parameter_name(uint16_t type)
{
	const struct parameter_rule *rule = parameter_rule_of(type);

	return rule ? rule->name : "unknown";
}

parameter_coverage parameter_coverage_of(uint16_t type)
{
	if (type < 61440)
		return PARAMETER_COVERED;
	return type < 62464 ? PARAMETER_PROTECTION : PARAMETER_UNCOVERED;
}

uint16_t packet_type_bit(unsigned packet_type)
{
	static const uint8_t types[] = {HIP_PACKET_I1, HIP_PACKET_R1, HIP_PACKET_I2, HIP_PACKET_R2, HIP_PACKET_UPDATE,
		HIP_PACKET_NOTIFY, HIP_PACKET_CLOSE, HIP_PACKET_CLOSE_ACK, HIP_PACKET_DATA, HIP_PACKET_UPDATE_PROXY};

	for (size_t i = 0; i < sizeof types; i++)
		if (types[i] == packet_type)
			return (uint16_t)(1u << i);
	return 0;
}

bool parameter_expected_in(uint16_t type, unsigned packet_type)
{
	const struct parameter_rule *rule = parameter_rule_of(type);

	return rule && (rule->may_in & packet_type_bit(packet_type));
}

static bool length_fits(const struct parameter_rule *rule, size_t length)
{
	return length >= rule->minimum && length <= rule->maximum && (length - rule->minimum) % rule->multiple == 0;
}

static bool each_parameter_fits(const struct packet_view *view)
{
	const struct parameter_list *list = &view->parameters;

	for (size_t i = 0; i < list->count; i++) {
		const struct parameter_rule *rule = parameter_rule_of(list->items[i].type);

		if (!rule)
			continue;
		if (!length_fits(rule, list->items[i].contents.length))
			return false;
		if (i > 0 && list->items[i - 1].type == rule->type && !rule->repeats)
			return false;
	}
	return true;
}

static bool all_mandatory_there(const struct packet_view *view)
{
	uint16_t bit = packet_type_bit(view->type);

	for (size_t i = 0; i < RULES; i++)
		if ((rules[i].must_in & bit) && !packet_find(view, rules[i].type))
			return false;
	for (size_t i = 0; i < ALTERNATIVES; i++) {
		const struct alternative_rule *rule = &alternatives[i];

		if (!(rule->packets & bit) || (rule->condition && !packet_find(view, rule->condition)))
			continue;
		if (!packet_find(view, rule->either) && !packet_find(view, rule->other))
			return false;
	}
	return true;
}

hiphop_error packet_check_rules(const struct packet_view *view, uint16_t *notify_type)
{
	hiphop_error error = HIPHOP_OK;
	uint16_t notify = 0;

	if (packet_unknown_critical(view)) {
		error = HIPHOP_UNSUPPORTED;
		notify = NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE;
	} else if (!each_parameter_fits(view) || !all_mandatory_there(view)) {
		error = HIPHOP_MALFORMED;
		notify = NOTIFY_INVALID_SYNTAX;
	}
	if (notify_type)
		*notify_type = notify;
	return error;
}
