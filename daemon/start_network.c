/* SPDX-License-Identifier: MIT */
#include "daemon/start_internal.h"

#include "hip/crypto/host_identity.h"
#include "kernel-helpers/network_setup.h"

#include <errno.h>
#include <string.h>

static bool wants_transport(const struct configuration *configuration, uint16_t wanted)
{
	for (size_t i = 0; i < configuration->transport_count; i++)
		if (configuration->transports[i] == wanted)
			return true;
	return false;
}

bool start_policy(struct hiphopd *hiphopd)
{
	const struct configuration *configuration = &hiphopd->configuration;
	struct helper_policy policy;
	/* Its padding goes over the channel too. */
	memset(&policy, 0, sizeof policy);
	memcpy(policy.tunnel_name, configuration->tunnel_name, sizeof policy.tunnel_name);
	policy.mtu = configuration->tunnel_mtu;
	policy.port = configuration->port;
	policy.raw = wants_transport(configuration, TRANSPORT_IP);
	policy.hit = *host_identity_hit(hiphopd->identity);
	policy.more_count = (uint16_t)configuration->more_count;
	for (size_t i = 0; i < configuration->more_count; i++)
		policy.more[i] = *host_identity_hit(hiphopd->more[i]);
	_Static_assert(HELPER_PREFIXES_MAXIMUM == CONFIGURATION_PREFIXES, "all accepted prefixes fit");
	policy.ipv4 = configuration->tunnel_ipv4;
	policy.prefix_count = (uint16_t)configuration->accept_count;
	for (size_t i = 0; i < configuration->accept_count; i++)
		policy.prefixes[i] = configuration->accept[i].prefix;
	return helper_set_policy(&hiphopd->helper, &policy) == HIPHOP_OK ||
	       start_fail(hiphopd, "The kernel helper does not listen: %s.", strerror(errno));
}

bool start_tunnel(struct hiphopd *hiphopd)
{
	const char *name = hiphopd->configuration.tunnel_name;
	hiphop_error error = tunnel_device_open(name, &hiphopd->tunnel);
	if (error)
		return start_fail(
			hiphopd, "The tunnel device %s cannot be made: %s.", name, tunnel_open_trouble(error, errno));
	network_enable_ipv6(name);
	return true;
}

/** Without raw sockets UDP still serves, so their absence is no reason to stop. */
static void open_raw(struct hiphopd *hiphopd)
{
	for (int which = UNDERLAY_HIP_IPV4; which < UNDERLAY_SOCKETS; which++)
		if (underlay_open_raw(&hiphopd->underlay, (underlay_socket)which))
			log_write(&hiphopd->log, LOG_LEVEL_WARNING, "transport ip: no raw socket for %s (%s)",
				underlay_socket_name((underlay_socket)which), strerror(errno));
}

bool start_underlay(struct hiphopd *hiphopd)
{
	const struct configuration *configuration = &hiphopd->configuration;
	/* The socket is there without transport udp too: connectivity may come to need it, and the node decides what to
	 * send. */
	hiphop_error error = underlay_open_udp(&hiphopd->underlay, configuration->port);
	if (error == HIPHOP_EXISTS)
		return start_fail(hiphopd,
			"UDP port %u is taken; another hiphopd may run, or choose another underlay.port.",
			configuration->port);
	if (error)
		return start_fail(hiphopd, "UDP port %u cannot be opened: %s.", configuration->port, strerror(errno));
	if (hiphopd->underlay.ipv4_only)
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "this host has no IPv6; the underlay is IPv4 alone");
	if (wants_transport(configuration, TRANSPORT_IP))
		open_raw(hiphopd);
	if (underlay_open_routes(&hiphopd->underlay))
		log_write(&hiphopd->log, LOG_LEVEL_WARNING,
			"the kernel cannot be asked for routes: with several uplinks all packets may leave by one");
	return true;
}

bool start_network_setup(struct hiphopd *hiphopd)
{
	struct helper_answer answer;
	const char *name = hiphopd->configuration.tunnel_name;
	hiphop_error error = helper_ask(&hiphopd->helper, HELPER_SETUP_NETWORK, 0, &answer, NULL);
	if (error == HIPHOP_UNSUPPORTED || error == HIPHOP_REFUSED)
		return start_fail(hiphopd,
			"%s cannot be set up (%s): the system refuses; HITs need IPv6, which may be switched off "
			"(net.ipv6.conf.all.disable_ipv6).",
			name, answer.step);
	return !error ||
	       start_fail(hiphopd, "%s cannot be set up (%s): %s.", name, answer.step, hiphop_error_text(error));
}

_Static_assert(SIP_MORE_PLACES == SIP_NETWORKS_MAXIMUM, "each network of the configuration has a place");

bool start_sip(struct hiphopd *hiphopd)
{
	struct endpoint taken = {0};
	char text[ENDPOINT_TEXT_SIZE];
	uint16_t port = hiphopd->configuration.sip_port;
	for (size_t i = 0; i < hiphopd->configuration.sip_network_count; i++)
		(void)sip_sockets_add(&hiphopd->sip, &hiphopd->configuration.sip_networks[i].address);
	hiphop_error error = sip_sockets_open(&hiphopd->sip, host_identity_hit(hiphopd->identity), port, &taken);
	if (error == HIPHOP_EXISTS)
		return start_fail(hiphopd, "SIP port %s is taken; stop the program there or choose another sip.port.",
			endpoint_format(&taken, text));
	if (error && taken.port)
		return start_fail(
			hiphopd, "SIP port %s cannot be opened: %s.", endpoint_format(&taken, text), strerror(errno));
	return !error || start_fail(hiphopd, "SIP port %u cannot be opened: %s.", port, strerror(errno));
}

bool start_network_watch(struct hiphopd *hiphopd)
{
	return network_watch_open(hiphopd->configuration.tunnel_name, &hiphopd->network) == HIPHOP_OK ||
	       start_fail(hiphopd, "The addresses of this host cannot be watched: %s.", strerror(errno));
}
