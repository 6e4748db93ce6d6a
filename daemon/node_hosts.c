/* SPDX-License-Identifier: MIT */
/**
 * The HIP hosts of a node, one for each identity: how they are made, and what they may ask at any time.
 */
#include "daemon/node_certificates.h"
#include "daemon/node_internal.h"
#include "daemon/node_router.h"

#include "hip/crypto/hash.h"

#include <string.h>

/* ---- views that the host asks for ---- */

static bool ask_source_address(void *context, const struct address *remote, struct address *source)
{
	struct node *node = ((struct local_identity *)context)->node;

	return node->environment.source_address(node->environment.context, remote, source);
}

static void ask_traffic(void *context, const struct hit *peer, instant *sent, instant *heard)
{
	const struct local_identity *local = context;

	esp_traffic(local->esp, peer, sent, heard);
}

static instant ask_heard_on_path(void *context, const struct hit *peer)
{
	return esp_heard_on_route(((struct local_identity *)context)->esp, peer);
}

static bool spend_credit(void *context, const struct hit *peer, instant now, size_t octets)
{
	return esp_spend_credit(((struct local_identity *)context)->esp, peer, now, octets);
}

static overlay_route ask_next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	return node_next_hop(((struct local_identity *)context)->node, destination, arrived_from, next);
}

static bool ask_spi(void *context, uint32_t spi)
{
	return node_spi_is_taken(context, spi);
}

static duration ask_unused_lifetime(void *context, const struct hit *peer)
{
	const struct configuration *configuration = ((struct local_identity *)context)->node->configuration;

	for (size_t i = 0; i < configuration->host_count; i++) {
		if (hit_equal(&configuration->hosts[i].hit, peer))
			return SECONDS(configuration->hosts[i].unused_seconds);
	}
	return 0;
}

static bool ask_may_board(void *context, instant now, const struct hit *peer)
{
	(void)now;
	return node_may_board(((struct local_identity *)context)->node, peer);
}

static host_permission ask_may_associate(
	void *context, instant now, const struct hit *peer, const struct host_claim *claim)
{
	struct node *node = ((struct local_identity *)context)->node;

	/* The identities of a host do not talk to each other over the underlay. */
	return node_local_by_hit(node, peer) ? HOST_DENIED : node_may_associate(node, now, peer, claim);
}

/* ---- making ---- */

/* OVERLAY_ID is the low 32 bits of the SHA-1 of the overlay's name (RFC 6940 section 6.3.2, RFC 7086 section 5.1). */
static hiphop_error overlay_id_of_name(const char *name, uint32_t *id)
{
	struct span span = {(const uint8_t *)name, strlen(name)};
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	hiphop_error error = hash_spans(HASH_SHA1, &span, 1, digest);
	struct reader reader = reader_over(digest, hash_length(HASH_SHA1));

	reader_skip(&reader, hash_length(HASH_SHA1) - 4);
	*id = reader_u32(&reader);
	return error;
}

static void take_list(const struct algorithm_list *list, uint8_t *ids, size_t *count)
{
	_Static_assert(ALGORITHM_LIST_MAXIMUM == HOST_ALGORITHMS_MAXIMUM, "a configured list fits");
	memcpy(ids, list->ids, list->count);
	*count = list->count;
}

static bool opportunistic_is(const struct configuration *configuration, opportunistic_choice choice)
{
	return configuration->opportunistic == OPPORTUNISTIC_BOTH || configuration->opportunistic == choice;
}

bool node_asks_opportunistically(const struct node *node)
{
	return opportunistic_is(node->configuration, OPPORTUNISTIC_ASK);
}

static host_paths_use paths_use(const struct configuration *configuration)
{
	static const host_paths_use uses[] = {[PATH_MODE_BEST] = HOST_PATHS_BEST,
		[PATH_MODE_SPREAD] = HOST_PATHS_SPREAD,
		[PATH_MODE_DUPLICATE] = HOST_PATHS_DUPLICATE};

	return configuration->path_mode < sizeof(uses) / sizeof(uses[0]) ? uses[configuration->path_mode]
									 : HOST_PATHS_BEST;
}

static hiphop_error create_host(struct local_identity *local, instant now)
{
	struct node *node = local->node;
	const struct configuration *configuration = node->configuration;
	struct host_configuration host = {
		.identity = local->identity,
		.random = node->environment.random,
		.log = node->log,
		.environment = {.context = local,
			.source_address = ask_source_address,
			.traffic = ask_traffic,
			.heard_on_path = ask_heard_on_path,
			.spend_credit = spend_credit,
			.next_hop = ask_next_hop,
			.may_associate = ask_may_associate,
			.check_certificates = node_check_certificates,
			.spi_is_taken = ask_spi,
			.unused_lifetime = ask_unused_lifetime,
			.may_board = ask_may_board},
		.anonymous = local_is_anonymous(local),
		.name = *local_name(local),
		.certificates = node_own_certificates(local),
		.refuse_anonymous = configuration->refuse_anonymous,
		.refuse_opportunists = !opportunistic_is(configuration, OPPORTUNISTIC_ANSWER),
		.never_icmp = !configuration->icmp,
		.never_opportunistic = !opportunistic_is(configuration, OPPORTUNISTIC_ASK),
		.overlay = local_is_first(local) && !configuration->outside_overlay,
		.transport_count = configuration->transport_count,
		.spi_mask = node->environment.spi_mask,
		.spi_mark = node->environment.spi_mark,
		.port = configuration->port,
		.r1_generation = node_wall(node, now) / 1000,
		.rekey = {.time = SECONDS(configuration->rekey_seconds),
			.packets = configuration->rekey_packets,
			.octets = configuration->rekey_bytes},
		.rekey_without_diffie_hellman = !configuration->rekey_dh,
		.unused_lifetime = SECONDS(configuration->unused_seconds),
		.paths = paths_use(configuration),
		.rekey_on_move = configuration->rekey_on_move,
		.patience = SECONDS(configuration->patience_seconds),
	};
	hiphop_error error = overlay_id_of_name(configuration->overlay_name, &host.overlay_id);

	if (error)
		return error;
	if (local_is_first(local))
		node_router_configure(node, &host);
	memcpy(host.transports, configuration->transports, sizeof(host.transports));
	take_list(&configuration->hit_suites, host.hit_suites, &host.hit_suite_count);
	take_list(&configuration->dh_groups, host.dh_groups, &host.dh_group_count);
	take_list(&configuration->hip_ciphers, host.hip_ciphers, &host.hip_cipher_count);
	take_list(&configuration->esp_suites, host.esp_suites, &host.esp_suite_count);
	return host_create(&host, now, &local->host);
}

hiphop_error node_hosts_create(struct node *node, instant now)
{
	hiphop_error error = HIPHOP_OK;

	for (size_t i = 0; i < node->local_count && !error; i++)
		error = create_host(&node->locals[i], now);
	node->host = node->locals[0].host;
	return error;
}
