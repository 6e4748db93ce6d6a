/* SPDX-License-Identifier: MIT */
#include "hip/base/ip_prefix.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_MAXIMUM   128
#define IPV6_MINIMUM_MTU 1280

static struct address masked(const struct address *address, uint8_t length)
{
	struct address result = {{0}};
	size_t whole = length / 8;

	memcpy(result.octets, address->octets, whole);
	if (length % 8)
		result.octets[whole] = address->octets[whole] & (uint8_t)(0xff00U >> (length % 8));
	return result;
}

/* The digits behind the slash: one to three, without sign. */
static bool parse_length(const char *text, unsigned maximum, uint8_t *length)
{
	unsigned value = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 3 || text[digits])
		return false;
	for (size_t i = 0; i < digits; i++)
		value = 10 * value + (unsigned)(text[i] - '0');
	*length = (uint8_t)value;
	return value <= maximum;
}

hiphop_error ip_prefix_parse(const char *text, struct ip_prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char address[ENDPOINT_TEXT_SIZE];
	struct ip_prefix parsed;
	bool ipv4;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return HIPHOP_MALFORMED;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = 0;
	if (address_parse(address, &parsed.address))
		return HIPHOP_MALFORMED;
	ipv4 = address_is_ipv4(&parsed.address);
	if ((ipv4 && strchr(address, ':')) ||
		!parse_length(slash + 1, ipv4 ? LENGTH_MAXIMUM - IP_PREFIX_IPV4_BITS : LENGTH_MAXIMUM, &parsed.length))
		return HIPHOP_MALFORMED;
	if (ipv4)
		parsed.length = (uint8_t)(parsed.length + IP_PREFIX_IPV4_BITS);
	if (!ip_prefix_is_clean(&parsed))
		return HIPHOP_INVALID_ARGUMENT;
	*prefix = parsed;
	return HIPHOP_OK;
}

char *ip_prefix_format(const struct ip_prefix *prefix, char text[static IP_PREFIX_TEXT_SIZE])
{
	char address[ENDPOINT_TEXT_SIZE];

	snprintf(text, IP_PREFIX_TEXT_SIZE, "%s/%u", address_format(&prefix->address, address),
		ip_prefix_length(prefix));
	return text;
}

struct ip_prefix ip_prefix_of_one(const struct address *address)
{
	return (struct ip_prefix){*address, LENGTH_MAXIMUM};
}

bool ip_prefix_is_ipv4(const struct ip_prefix *prefix)
{
	return prefix->length >= IP_PREFIX_IPV4_BITS && address_is_ipv4(&prefix->address);
}

unsigned ip_prefix_length(const struct ip_prefix *prefix)
{
	return ip_prefix_is_ipv4(prefix) ? prefix->length - IP_PREFIX_IPV4_BITS : prefix->length;
}

bool ip_prefix_is_clean(const struct ip_prefix *prefix)
{
	struct address clean;

	if (prefix->length > LENGTH_MAXIMUM)
		return false;
	clean = masked(&prefix->address, prefix->length);
	return address_equal(&clean, &prefix->address);
}

bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->length == b->length && address_equal(&a->address, &b->address);
}

int ip_prefix_compare(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int order = memcmp(a->address.octets, b->address.octets, sizeof(a->address.octets));

	return order ? order : (int)a->length - (int)b->length;
}

bool ip_prefix_has(const struct ip_prefix *prefix, const struct address *address)
{
	struct address start = masked(address, prefix->length);

	return address_equal(&start, &prefix->address);
}

bool ip_prefix_is_inside(const struct ip_prefix *inner, const struct ip_prefix *outer)
{
	return inner->length >= outer->length && ip_prefix_has(outer, &inner->address);
}

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_is_inside(a, b) || ip_prefix_is_inside(b, a);
}

uint16_t ip_prefix_tunnel_mtu(uint16_t device_mtu)
{
	int mtu = device_mtu - IP_PREFIX_TUNNEL_OVERHEAD;

	return (uint16_t)(mtu < IPV6_MINIMUM_MTU ? IPV6_MINIMUM_MTU : mtu);
}

/* ---- what may lie behind a host ---- */

#define IPV4(a, b)                                                                                                     \
	{                                                                                                              \
		{                                                                                                      \
			[10] = 0xff, [11] = 0xff, (a), (b)                                                             \
		}                                                                                                      \
	}

static const struct {
	struct ip_prefix prefix;
	const char *reason;
} never[] = {
	{{{{0x20, 0x01, 0x00, 0x20}}, 28}, "has HITs in it (2001:20::/28), which nobody else may lead elsewhere"},
	{{{{0}}, 32}, "has the unspecified, the loopback or IPv4-mapped addresses in it"},
	{{{{0xfe, 0x80}}, 10}, "has link-local addresses in it"},
	{{{{0xff}}, 8}, "has multicast addresses in it"},
	{{IPV4(0, 0), IP_PREFIX_IPV4_BITS + 8}, "has addresses of \"this network\" (0.0.0.0/8) in it"},
	{{IPV4(127, 0), IP_PREFIX_IPV4_BITS + 8}, "has loopback addresses in it"},
	{{IPV4(169, 254), IP_PREFIX_IPV4_BITS + 16}, "has link-local addresses in it"},
	{{IPV4(224, 0), IP_PREFIX_IPV4_BITS + 4}, "has multicast addresses in it"},
	{{IPV4(240, 0), IP_PREFIX_IPV4_BITS + 4}, "has reserved or broadcast addresses in it"},
};

const char *ip_prefix_trouble(const struct ip_prefix *prefix)
{
	if (!ip_prefix_is_clean(prefix))
		return "is no prefix";
	if (prefix->length == 0 || (ip_prefix_is_ipv4(prefix) && prefix->length == IP_PREFIX_IPV4_BITS))
		return "is the default route";
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		/* An IPv4 prefix lies in ::/32 by its form alone. */
		if (ip_prefix_is_ipv4(&never[i].prefix) == ip_prefix_is_ipv4(prefix) &&
			ip_prefix_overlaps(prefix, &never[i].prefix))
			return never[i].reason;
	}
	return NULL;
}
