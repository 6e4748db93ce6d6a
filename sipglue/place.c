/* SPDX-License-Identifier: MIT */
#include "sipglue/place.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct address loopback6 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
static const struct address loopback4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}};

bool place_literal(const char *host, struct address *address)
{
	char text[ENDPOINT_TEXT_SIZE];
	size_t length = host ? strlen(host) : 0;
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof text)
		return false;
	memcpy(text, host, length);
	text[length] = 0;
	return address_parse(text, address) == HIPHOP_OK;
}

static bool is_loopback4(const struct address *address)
{
	return address_is_ipv4(address) && address->octets[12] == 127;
}

static bool same_prefix(const struct address *a, const struct address *b, unsigned length)
{
	unsigned octets = length / 8, bits = length % 8;
	uint8_t mask = (uint8_t)(0xff00U >> bits);
	return memcmp(a->octets, b->octets, octets) == 0 &&
	       (!bits || !((a->octets[octets] ^ b->octets[octets]) & mask));
}

const struct sip_network *place_network(const struct sip *sip, const struct address *address)
{
	for (size_t i = 0; i < sip->network_count; i++)
		if (same_prefix(address, &sip->networks[i].address, sip->networks[i].prefix_length))
			return &sip->networks[i];
	return NULL;
}

static bool is_loopback(const struct address *address)
{
	return address_equal(address, &loopback6) || is_loopback4(address);
}

bool place_is_own(const struct sip *sip, const struct address *address)
{
	return address_equal(address, &sip->self_address) || is_loopback(address) || place_network(sip, address);
}

bool place_is_host(const struct sip *sip, const struct address *address)
{
	for (size_t i = 0; i < sip->network_count; i++)
		if (address_equal(address, &sip->networks[i].address))
			return true;
	return address_equal(address, &sip->self_address) || is_loopback(address);
}

bool place_path_is_possible(const struct sip *sip, const struct endpoint *local, const struct endpoint *remote)
{
	const struct sip_network *network = place_network(sip, &remote->address);
	return network ? address_equal(&local->address, &network->address) : !place_network(sip, &local->address);
}

struct hit place_hit(const struct address *address)
{
	struct hit hit;
	memcpy(hit.octets, address->octets, HIT_LENGTH);
	return hit;
}

bool place_is_hit(const struct address *address)
{
	struct hit hit = place_hit(address);
	return hit_is_host(&hit);
}

bool place_port(const char *text, uint16_t fallback, uint16_t *port)
{
	uint64_t number = fallback;
	if (text && (number_parse(text, UINT16_MAX, &number) != HIPHOP_OK || number == 0))
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool port_is_ours(const struct sip *sip, const osip_uri_t *uri)
{
	uint16_t port;
	return place_port(uri->port, SIP_PORT, &port) && (port == sip->port || (!uri->port && port == SIP_PORT));
}

bool place_uri_in_domain(const struct sip *sip, const osip_uri_t *uri)
{
	return uri->host && strcasecmp(uri->host, sip->domain) == 0 && port_is_ours(sip, uri);
}

bool place_uri_is_proxy(const struct sip *sip, const osip_uri_t *uri)
{
	struct address address;
	return place_literal(uri->host, &address) && place_is_host(sip, &address) && port_is_ours(sip, uri);
}

bool place_uri_is_sip(const osip_uri_t *uri)
{
	return uri && uri->scheme && strcasecmp(uri->scheme, "sip") == 0;
}

hiphop_error place_aor(const osip_uri_t *uri, const char *domain, char aor[static SIP_TEXT_SIZE])
{
	const char *user = uri->username;
	if (!user || !*user || !domain || !*domain)
		return HIPHOP_MALFORMED;
	for (const char *c = user; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '@' || *c == '<' || *c == '>' || *c == '"' || *c == 0x7f)
			return HIPHOP_MALFORMED;
	int length = snprintf(aor, SIP_TEXT_SIZE, "%s@%s", user, domain);
	if (length < 0 || length >= SIP_TEXT_SIZE)
		return HIPHOP_TOO_LARGE;
	for (char *c = aor + strlen(user); *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return HIPHOP_OK;
}

bool place_path(const struct sip *sip, const struct address *to, uint16_t port, bool stream, struct path *path)
{
	const struct sip_network *network = place_network(sip, to);
	memset(path, 0, sizeof *path);
	path->stream = stream;
	path->remote.address = *to;
	path->remote.port = port;
	path->local.port = sip->port;
	if (place_is_hit(to))
		path->local.address = sip->self_address;
	else if (address_equal(to, &loopback6))
		path->local.address = loopback6;
	else if (is_loopback4(to))
		path->local.address = loopback4;
	else if (network)
		path->local.address = network->address;
	else
		return false;
	return true;
}

bool place_uri_path(const struct sip *sip, osip_uri_t *uri, struct path *path)
{
	struct address address;
	uint16_t port;
	const char *transport = parameter_value(&uri->url_params, "transport");
	if (!place_literal(uri->host, &address) || !place_port(uri->port, SIP_PORT, &port))
		return false;
	if (transport && strcasecmp(transport, "udp") != 0 && strcasecmp(transport, "tcp") != 0)
		return false;
	return place_path(sip, &address, port, transport && strcasecmp(transport, "tcp") == 0, path);
}

static bool host_equal(const char *a, const char *b)
{
	struct address first, second;
	if (place_literal(a, &first) && place_literal(b, &second))
		return address_equal(&first, &second);
	return a && b && strcasecmp(a, b) == 0;
}

static bool text_equal(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

bool place_uri_equal(osip_uri_t *a, osip_uri_t *b)
{
	const char *first = parameter_value(&a->url_params, "transport");
	const char *second = parameter_value(&b->url_params, "transport");
	return text_equal(a->scheme, b->scheme) && text_equal(a->username, b->username) &&
	       host_equal(a->host, b->host) && text_equal(a->port, b->port) &&
	       strcasecmp(first ? first : "", second ? second : "") == 0;
}
