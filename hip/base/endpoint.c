/* SPDX-License-Identifier: MIT */
#include "hip/base/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t ipv4_mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool address_equal(const struct address *a, const struct address *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

bool address_is_ipv4(const struct address *address)
{
	return memcmp(address->octets, ipv4_mapped_prefix, sizeof ipv4_mapped_prefix) == 0;
}

bool address_is_unspecified(const struct address *address)
{
	static const struct address unspecified;
	static const uint8_t zero[4];

	return address_equal(address, &unspecified) ||
	       (address_is_ipv4(address) && memcmp(address->octets + 12, zero, sizeof zero) == 0);
}

/** Ranges that are no locators; the first `bits` bits count. */
struct address_range {
	uint8_t prefix[4];
	unsigned bits;
};

static bool in_range(const uint8_t *octets, const struct address_range *range)
{
	for (unsigned bit = 0; bit < range->bits; bit++) {
		unsigned mask = 0x80u >> (bit % 8);

		if ((octets[bit / 8] & mask) != (range->prefix[bit / 8] & mask))
			return false;
	}
	return true;
}

static const struct address_range unusable_ipv4[] = {
	{{0}, 8},         /* "this network" */
	{{127}, 8},       /* loopback */
	{{169, 254}, 16}, /* link-local */
	{{224}, 4},       /* multicast */
	{{240}, 4},       /* reserved, and broadcast */
};

static const struct address_range unusable_ipv6[] = {
	{{0x00}, 8},                   /* unspecified, loopback, IPv4-compatible; IPv4-mapped has its own table */
	{{0xfe, 0x80}, 10},            /* link-local */
	{{0xff}, 8},                   /* multicast */
	{{0x20, 0x01, 0x00, 0x20}, 28} /* ORCHIDv2: an identity is no locator */
};

bool address_is_usable_locator(const struct address *address)
{
	bool ipv4 = address_is_ipv4(address);
	const struct address_range *ranges = ipv4 ? unusable_ipv4 : unusable_ipv6;
	size_t count =
		ipv4 ? sizeof unusable_ipv4 / sizeof unusable_ipv4[0] : sizeof unusable_ipv6 / sizeof unusable_ipv6[0];
	const uint8_t *octets = ipv4 ? address->octets + 12 : address->octets;

	for (size_t i = 0; i < count; i++)
		if (in_range(octets, &ranges[i]))
			return false;
	return true;
}

hiphop_error address_parse(const char *text, struct address *address)
{
	struct address parsed;

	if (inet_pton(AF_INET6, text, parsed.octets) != 1) {
		memcpy(parsed.octets, ipv4_mapped_prefix, sizeof ipv4_mapped_prefix);
		if (inet_pton(AF_INET, text, parsed.octets + 12) != 1)
			return HIPHOP_MALFORMED;
	}
	*address = parsed;
	return HIPHOP_OK;
}

char *address_format(const struct address *address, char text[static ENDPOINT_TEXT_SIZE])
{
	bool ipv4 = address_is_ipv4(address);
	const void *octets = ipv4 ? address->octets + 12 : address->octets;

	if (!inet_ntop(ipv4 ? AF_INET : AF_INET6, octets, text, ENDPOINT_TEXT_SIZE))
		text[0] = '\0';
	return text;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return address_equal(&a->address, &b->address) && a->port == b->port && a->transport == b->transport;
}

char *endpoint_format(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE])
{
	char address[ENDPOINT_TEXT_SIZE];

	if (endpoint->port == 0)
		return address_format(&endpoint->address, text);
	address_format(&endpoint->address, address);
	if (address_is_ipv4(&endpoint->address))
		snprintf(text, ENDPOINT_TEXT_SIZE, "%.45s:%u", address, endpoint->port);
	else
		snprintf(text, ENDPOINT_TEXT_SIZE, "[%.45s]:%u", address, endpoint->port);
	return text;
}

const char *transport_name(uint16_t transport)
{
	switch (transport) {
	case TRANSPORT_UDP:
		return "udp";
	case TRANSPORT_IP:
		return "ip";
	default:
		return "unknown";
	}
}
