/* SPDX-License-Identifier: MIT */
#include "hip/core/host_internal.h"
#include "hip/core/router_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- configuration ---- */

static const uint8_t default_hit_suites[] = {HIT_SUITE_ECDSA_SHA384, HIT_SUITE_RSA_DSA_SHA256};
static const uint8_t default_dh_groups[] = {
	DH_GROUP_NIST_P256, DH_GROUP_NIST_P384, DH_GROUP_NIST_P521, DH_GROUP_MODP_3072, DH_GROUP_MODP_2048};
static const uint8_t default_hip_ciphers[] = {HIP_CIPHER_AES_128_CBC, HIP_CIPHER_AES_256_CBC};
static const uint8_t default_esp_suites[] = {ESP_SUITE_AES_GCM_16, ESP_SUITE_AES_CCM_16,
	ESP_SUITE_AES_128_CBC_HMAC_SHA256, ESP_SUITE_AES_256_CBC_HMAC_SHA256};

static void default_list(uint8_t *list, size_t *count, const uint8_t *defaults, size_t default_count)
{
	if (*count)
		return;
	memcpy(list, defaults, default_count);
	*count = default_count;
}

static duration expire_after(duration rekey)
{
	return rekey + (rekey / 4 > SECONDS(60) ? rekey / 4 : SECONDS(60));
}

static void fill_defaults(struct host_configuration *configuration)
{
	default_list(configuration->hit_suites, &configuration->hit_suite_count, default_hit_suites,
		sizeof default_hit_suites);
	default_list(
		configuration->dh_groups, &configuration->dh_group_count, default_dh_groups, sizeof default_dh_groups);
	default_list(configuration->hip_ciphers, &configuration->hip_cipher_count, default_hip_ciphers,
		sizeof default_hip_ciphers);
	default_list(configuration->esp_suites, &configuration->esp_suite_count, default_esp_suites,
		sizeof default_esp_suites);
	if (!configuration->transport_count) {
		configuration->transports[0] = TRANSPORT_UDP;
		configuration->transport_count = 1;
	}
	if (!configuration->overlay_ttl)
		configuration->overlay_ttl = RELAY_TTL_DEFAULT;
	if (!configuration->puzzle_difficulty_maximum)
		configuration->puzzle_difficulty_maximum = PUZZLE_DIFFICULTY_LOADED;
	if (configuration->puzzle_difficulty_maximum > PUZZLE_DIFFICULTY_ACCEPTED)
		configuration->puzzle_difficulty_maximum = PUZZLE_DIFFICULTY_ACCEPTED;
	if (configuration->puzzle_difficulty_maximum < configuration->puzzle_difficulty)
		configuration->puzzle_difficulty_maximum = configuration->puzzle_difficulty;
	if (!configuration->port)
		configuration->port = HIP_UDP_PORT;
	if (!configuration->associations)
		configuration->associations = HOST_ASSOCIATIONS_DEFAULT;
	if (!configuration->r1_generation)
		configuration->r1_generation = 1;
	if (!configuration->i1_per_second)
		configuration->i1_per_second = 1000;
	if (!configuration->i2_per_second)
		configuration->i2_per_second = 200;
	if (!configuration->rekey.time)
		configuration->rekey.time = SECONDS(3600);
	if (!configuration->expire.time)
		configuration->expire.time = expire_after(configuration->rekey.time);
	if (!configuration->patience)
		configuration->patience = SECONDS(180);
	if (!configuration->unused_lifetime)
		configuration->unused_lifetime = SECONDS(300);
	configuration->refuse_opportunists |= configuration->anonymous;
}

static bool has_hit_suite(uint8_t id)
{
	return hit_suite_by_id(id) != NULL;
}

static bool has_dh_group(uint8_t id)
{
	return diffie_hellman_group_by_id(id) != NULL;
}

static bool has_hip_cipher(uint8_t id)
{
	return hip_cipher_by_id(id) != NULL;
}

static bool has_esp_suite(uint8_t id)
{
	return esp_suite_by_id(id) != NULL;
}

static hiphop_error check_list(const uint8_t *list, size_t count, size_t maximum, bool (*have)(uint8_t id))
{
	if (count > maximum)
		return HIPHOP_INVALID_ARGUMENT;
	for (size_t i = 0; i < count; i++) {
		if (!have(list[i]))
			return HIPHOP_UNSUPPORTED;
		if (memchr(list, list[i], i))
			return HIPHOP_INVALID_ARGUMENT;
	}
	return HIPHOP_OK;
}

/* Of lists that are filled in. */
static hiphop_error check_lists(const struct host_configuration *configuration)
{
	hiphop_error error = check_list(
		configuration->hit_suites, configuration->hit_suite_count, HOST_ALGORITHMS_MAXIMUM, has_hit_suite);

	if (!error)
		error = check_list(
			configuration->dh_groups, configuration->dh_group_count, HOST_ALGORITHMS_MAXIMUM, has_dh_group);
	if (!error)
		error = check_list(configuration->hip_ciphers, configuration->hip_cipher_count, SUITE_LIST_MAXIMUM,
			has_hip_cipher);
	if (!error)
		error = check_list(
			configuration->esp_suites, configuration->esp_suite_count, SUITE_LIST_MAXIMUM, has_esp_suite);
	for (size_t i = 0; !error && configuration->overlay && i < configuration->esp_suite_count; i++) {
		if (!esp_suite_encrypts(esp_suite_by_id(configuration->esp_suites[i])))
			error = HIPHOP_INVALID_ARGUMENT;
	}
	return error;
}

bool hit_suite_is_accepted(const struct host *host, const struct hit *hit)
{
	return memchr(host->configuration.hit_suites, hit_suite(hit), host->configuration.hit_suite_count) != NULL;
}

/* ---- what the relay asks ---- */

static overlay_route ask_next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	const struct host *host = context;
	const struct host_environment *environment = &host->configuration.environment;

	if (!environment->next_hop)
		return OVERLAY_NO_ROUTE;
	return environment->next_hop(environment->context, destination, arrived_from, next);
}

host_permission peer_may_associate(
	const struct host *host, instant now, const struct hit *peer, const struct host_claim *claim)
{
	const struct host_environment *environment = &host->configuration.environment;

	return environment->may_associate ? environment->may_associate(environment->context, now, peer, claim)
					  : HOST_ALLOWED;
}

void claim_is_proved(struct host_claim *claim, const struct parameter_view *host_id)
{
	struct parameter_host_id read;

	claim->proved = true;
	if (!parameter_host_id_read(host_id, &read))
		(void)domain_identifier_from_octets(read.domain_identifier_type, read.domain_identifier, &claim->name);
}

static bool is_neighbour(void *context, const struct hit *hit)
{
	const struct association *association = association_find(context, hit);

	return association && association_is_neighbour(association);
}

/* ---- life ---- */

static hiphop_error start_overlay(struct host *host)
{
	const struct data_transport_settings settings = {.identity = host->identity,
		.random = host->random,
		.log = host->log,
		.overlay_id = host->configuration.overlay_id,
		.ttl = host->configuration.overlay_ttl};
	hiphop_error error = relay_rates_create(0, host->random, &host->relay_rates);

	host->place = (struct relay_place){.self = host->self,
		.overlay = host->configuration.overlay,
		.overlay_id = host->configuration.overlay_id,
		.context = host,
		.next_hop = ask_next_hop,
		.is_neighbour = is_neighbour};
	if (error || !host->configuration.overlay)
		return error;
	return data_transport_create(&settings, &host->transport);
}

static uint32_t at_least_one(uint32_t number)
{
	return number ? number : 1;
}

static hiphop_error start_rates(struct host *host, instant now)
{
	const struct host_configuration *configuration = &host->configuration;
	uint32_t i2_share = at_least_one(configuration->i2_per_second / 4);
	hiphop_error error = i1_limits_start(&host->i1_limits, configuration->i1_per_second, host->random, now);

	host->i2_rate = token_bucket_start(configuration->i2_per_second, configuration->i2_per_second, now);
	host->r1_rate = token_bucket_start(100, 200, now);
	host->on_demand_rate = token_bucket_start(50, 100, now);
	host->notify_rate = token_bucket_start(10, 20, now);
	host->problem_rate = token_bucket_start(10, 10, now);
	host->problem_credit = PROBLEM_CREDIT_AT_FIRST;
	host->unmatched_rate = token_bucket_start(10, 20, now);
	if (!error)
		error = hashed_rates_start(
			&host->i2_prefixes, SECONDS(1) / i2_share, i2_share, I2_PREFIX_CELLS, host->random);
	if (!error)
		error = hashed_rates_start(
			&host->i2_puzzles, I2_PUZZLE_INTERVAL, I2_PUZZLE_TRIES, I2_PUZZLE_CELLS, host->random);
	if (!error)
		error = rate_table_create(10, 20, 1024, host->random, &host->neighbour_rates);
	if (!error)
		error = rate_table_create(1, 5, 1024, host->random, &host->notify_rates);
	if (!error)
		error = hashed_rates_start(&host->notify_prefixes, SECONDS(1), 5, NOTIFY_PREFIX_CELLS, host->random);
	if (!error)
		error = hashed_rates_start(&host->problem_prefixes, SECONDS(1), 5, PROBLEM_PREFIX_CELLS, host->random);
	return error;
}

static void start_tables(struct host *host)
{
	map_start(&host->by_peer, HIT_LENGTH, host->random);
	map_start(&host->by_spi, sizeof(uint32_t), host->random);
	map_start(&host->held, HIT_LENGTH, host->random);
	locators_start(&host->locators, host->random);
	deadline_heap_start(&host->deadlines);
}

static hiphop_error start(struct host *host, instant now)
{
	const struct host_configuration *configuration = &host->configuration;
	hiphop_error error;

	start_tables(host);
	router_start(host);
	host->r1_work_at = INSTANT_NEVER;
	host->difficulty = puzzle_difficulty_start(configuration->puzzle_difficulty,
		configuration->puzzle_difficulty_maximum, configuration->i1_per_second, configuration->i2_per_second);
	puzzle_source_start(&host->puzzles, host->random, PUZZLE_LIFETIME, now);
	r1_pool_start(&host->r1_pool, host->random, configuration->r1_generation);
	error = start_rates(host, now);
	if (!error)
		error = start_overlay(host);
	if (error)
		return error;
	return r1_entry_prepare(host, r1_pool_current(&host->r1_pool), 0, 0);
}

hiphop_error host_create(const struct host_configuration *configuration, instant now, struct host **host)
{
	struct host *made;
	hiphop_error error;

	*host = NULL;
	if (!configuration->identity || !configuration->random ||
		!host_identity_has_private_key(configuration->identity))
		return HIPHOP_INVALID_ARGUMENT;
	if (configuration->transport_count > 2 || configuration->puzzle_difficulty > 20)
		return HIPHOP_INVALID_ARGUMENT;
	if (configuration->anonymous && (configuration->overlay || !domain_identifier_is_none(&configuration->name)))
		return HIPHOP_INVALID_ARGUMENT;
	made = calloc(1, sizeof *made);
	if (!made)
		return HIPHOP_NO_MEMORY;
	made->configuration = *configuration;
	fill_defaults(&made->configuration);
	error = check_lists(&made->configuration);
	if (error) {
		free(made);
		return error;
	}
	made->identity = configuration->identity;
	made->random = configuration->random;
	made->log = configuration->log;
	made->self = *host_identity_hit(configuration->identity);
	error = hit_suite_is_accepted(made, &made->self) ? start(made, now) : HIPHOP_REFUSED;
	if (error) {
		host_free(made);
		return error;
	}
	*host = made;
	return HIPHOP_OK;
}

void host_free(struct host *host)
{
	if (!host)
		return;
	association_free_all(host);
	router_free(host);
	while (host->opportunists)
		opportunist_drop(host, host->opportunists);
	data_transport_free(host->transport);
	relay_rates_free(host->relay_rates);
	i1_limits_free(&host->i1_limits);
	hashed_rates_free(&host->i2_prefixes);
	hashed_rates_free(&host->i2_puzzles);
	hashed_rates_free(&host->notify_prefixes);
	hashed_rates_free(&host->problem_prefixes);
	rate_table_free(host->neighbour_rates);
	rate_table_free(host->notify_rates);
	r1_pool_free(&host->r1_pool);
	puzzle_source_clear(&host->puzzles);
	locators_free(&host->locators);
	map_free(&host->by_peer);
	map_free(&host->by_spi);
	map_free(&host->held);
	deadline_heap_free(&host->deadlines);
	host_effects_free(&host->effects);
	free(host);
}

/* ---- input ---- */

static const struct {
	uint8_t type;
	host_counter counter;
	state_event event; /* STATE_EVENTS: it is not about an association */
} packets[] = {
	{HIP_PACKET_I1, HOST_COUNT_I1_IN, STATE_EVENT_I1},
	{HIP_PACKET_R1, HOST_COUNT_R1_IN, STATE_EVENT_R1},
	{HIP_PACKET_I2, HOST_COUNT_I2_IN, STATE_EVENT_I2},
	{HIP_PACKET_R2, HOST_COUNT_R2_IN, STATE_EVENT_R2},
	{HIP_PACKET_UPDATE, HOST_COUNT_UPDATE_IN, STATE_EVENT_UPDATE},
	{HIP_PACKET_NOTIFY, HOST_COUNT_NOTIFY_IN, STATE_EVENT_NOTIFY},
	{HIP_PACKET_CLOSE, HOST_COUNT_CLOSE_IN, STATE_EVENT_CLOSE},
	{HIP_PACKET_CLOSE_ACK, HOST_COUNT_CLOSE_ACK_IN, STATE_EVENT_CLOSE_ACK},
	{HIP_PACKET_DATA, HOST_COUNT_DATA_IN, STATE_EVENTS},
	{HIP_PACKET_UPDATE_PROXY, HOST_COUNT_UPDATE_PROXY_IN, STATE_EVENTS},
};

static bool checksum_is_right(const struct host *host, const struct incoming *in)
{
	const struct host_arrival *arrival = in->arrival;
	struct address source = arrival->remote.address, destination = arrival->local.address;
	hip_carrier carrier = arrival->remote.transport == TRANSPORT_UDP ? HIP_CARRIER_UDP : HIP_CARRIER_IP;

	if (arrival->inside_esp) {
		carrier = HIP_CARRIER_ESP;
		source = hit_as_address(&arrival->neighbour);
		destination = hit_as_address(&host->self);
	}
	return packet_verify_checksum(in->octets, in->length, carrier, &source, &destination) == HIPHOP_OK;
}

static bool checksum_fits(struct host *host, const struct incoming *in)
{
	if (checksum_is_right(host, in))
		return true;
	count(host, HOST_COUNT_DROP_CHECKSUM);
	return false;
}

/* RFC 7401 sections 5.4.1 and 5.4.2. Whose checksum is wrong, or cannot be made out, is told nothing; nor is it about
 * packet types that are unknown here, which must be dropped (section 5.1). */
static void tell_problem(struct host *host, const struct incoming *in)
{
	size_t problem = in->view.problem_offset;

	if (problem == HIP_TYPE_OFFSET || problem >= in->length || !checksum_is_right(host, in))
		return;
	if (problem == HIP_VERSION_OFFSET)
		problem_of_packet(host, in, ICMP_PARAMETER_PROBLEM, problem);
	else
		problem_of_stranger(host, in, problem);
}

static bool parse(struct host *host, struct incoming *in)
{
	switch (packet_parse(in->octets, in->length, &in->view)) {
	case HIPHOP_OK:
		return true;
	case HIPHOP_UNSUPPORTED:
		count(host, in->view.problem_offset == HIP_TYPE_OFFSET ? HOST_COUNT_DROP_UNKNOWN_TYPE
								       : HOST_COUNT_DROP_UNSUPPORTED);
		break;
	default:
		count(host, HOST_COUNT_DROP_MALFORMED);
	}
	tell_problem(host, in);
	return false;
}

/* An I1 may seek whoever is there (section 4.1.8), a NOTIFY may not know whom it tells (section 5.3.6); DATA may be for
 * a Resource-ID of ours, which the relay has found out. */
static bool is_addressed_to_us(struct host *host, const struct incoming *in)
{
	const struct packet_view *view = &in->view;

	if (hit_equal(&view->receiver, &host->self))
		return true;
	if (!in->arrival->inside_esp && hit_is_null(&view->receiver) &&
		(view->type == HIP_PACKET_I1 || view->type == HIP_PACKET_NOTIFY))
		return true;
	if (in->overlay && view->type == HIP_PACKET_DATA)
		return true;
	count(host, HOST_COUNT_DROP_NOT_FOR_US);
	problem_of_hits(host, in);
	return false;
}

/* The MAC before the rate, so that a stranger cannot use it up. */
static bool is_of_our_peer(struct host *host, const struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);

	return association && association->session && !verify_mac(host, in, &association->session->keys) &&
	       token_bucket_take(&association->answers, in->now) &&
	       !verify_signature(host, in, association->session->identity, PARAMETER_HIP_SIGNATURE);
}

/* More than the sender is told (RFC 7401 section 5.2.19); and only of those who have shown something, which has its
 * rate. */
static void log_breach(const struct host *host, const struct incoming *in, const struct parameter_view *unknown)
{
	char peer[HIT_TEXT_SIZE];

	hit_format(&in->view.sender, peer);
	if (unknown)
		log_write(host->log, LOG_LEVEL_INFO, "%s of %s has the unknown critical parameter %u",
			hip_packet_type_name(in->view.type), peer, unknown->type);
	else
		log_write(host->log, LOG_LEVEL_INFO, "%s of %s lacks a parameter, or has one that it must not have",
			hip_packet_type_name(in->view.type), peer);
}

/* Only who proves to be our peer is told what was wrong (RFC 7401 section 5.2.19), or who has solved our puzzle
 * (section 6.9.1). */
void tell_breach(struct host *host, const struct incoming *in, uint16_t notification)
{
	const struct parameter_view *unknown = packet_unknown_critical(&in->view);
	struct span data = {NULL, 0};
	notification_proof shown = SHOWN_NOTHING;

	if (unknown)
		data = (struct span){in->octets + unknown->offset, 2};
	if (in->view.type == HIP_PACKET_I2 && unknown && i2_is_solved(host, in))
		shown = SHOWN_PUZZLE;
	else if (in->view.type > HIP_PACKET_R2 && is_of_our_peer(host, in))
		shown = SHOWN_IDENTITY;
	if (shown != SHOWN_NOTHING)
		log_breach(host, in, unknown);
	notify_sender(host, in, notification, data, shown);
	/* RFC 7401 section 5.2.1 leaves the choice. */
	if (unknown)
		problem_of_stranger(host, in, unknown->offset);
}

static bool rules_hold(struct host *host, const struct incoming *in)
{
	uint16_t notification = 0;
	hiphop_error error = packet_check_rules(&in->view, &notification);

	if (!error)
		return true;
	count(host, error == HIPHOP_UNSUPPORTED ? HOST_COUNT_DROP_UNSUPPORTED : HOST_COUNT_DROP_MALFORMED);
	tell_breach(host, in, notification);
	return false;
}

/* A base exchange never rides on the SA that it replaces (RFC 6261 section 4). */
static bool rides_its_own_sa(struct host *host, const struct incoming *in)
{
	if (in->view.type > HIP_PACKET_R2 || !in->arrival->inside_esp ||
		!hit_equal(&in->view.sender, &in->arrival->neighbour))
		return false;
	count(host, HOST_COUNT_DROP_WRONG_STATE);
	return true;
}

static void dispatch(struct host *host, struct incoming *in)
{
	size_t place = 0;

	while (place < sizeof packets / sizeof packets[0] && packets[place].type != in->view.type)
		place++;
	if (place == sizeof packets / sizeof packets[0]) {
		count(host, HOST_COUNT_DROP_UNKNOWN_TYPE);
		return;
	}
	count(host, packets[place].counter);
	if (in->view.type == HIP_PACKET_DATA)
		data_input(host, in);
	else if (in->view.type == HIP_PACKET_UPDATE_PROXY)
		proxy_peer_input(host, in);
	else if (in->view.type == HIP_PACKET_NOTIFY && in->overlay)
		notify_overlay_input(host, in);
	else
		state_machine_packet(host, packets[place].event, in);
}

/* Seen without parsing. */
static bool is_direct_i1(const struct incoming *in)
{
	return !in->arrival->inside_esp && in->length >= HIP_HEADER_LENGTH &&
	       (in->octets[HIP_TYPE_OFFSET] & 0x7f) == HIP_PACKET_I1;
}

static bool is_wanted(struct host *host, const struct incoming *in)
{
	puzzle_difficulty_note_i1(&host->difficulty, in->now);
	return i1_is_admitted(host, in->now, &in->arrival->remote, in->octets);
}

void host_input(
	struct host *host, instant now, const struct host_arrival *arrival, const uint8_t *packet, size_t length)
{
	struct incoming in = {.arrival = arrival, .octets = packet, .length = length, .now = now};
	struct host_arrival relayed;

	effects_release_taken(&host->effects);
	if (is_direct_i1(&in) && !is_wanted(host, &in))
		return;
	if (!parse(host, &in) || !checksum_fits(host, &in))
		return;
	router_translate_arrival(host, &in, &relayed);
	if (router_relays(host, &in))
		return;
	if (hit_equal(&in.view.sender, &host->self)) {
		count(host, HOST_COUNT_DROP_OWN_HIT);
		return;
	}
	if (!arrival->inside_esp && candidates_link(host, &arrival->remote.address)) {
		count(host, HOST_COUNT_DROP_LOCATOR);
		return;
	}
	if (!overlay_path_accepts(host, &in) || !is_addressed_to_us(host, &in) || rides_its_own_sa(host, &in) ||
		!rules_hold(host, &in))
		return;
	dispatch(host, &in);
	router_review(host, now, &in.view.sender);
	overlay_path_pump(host);
}

/* ---- wishes ---- */

void host_hold(struct host *host, instant now, const struct hit *peer, bool hold)
{
	struct association *association = association_find(host, peer);
	static char present;

	(void)now;
	effects_release_taken(&host->effects);
	if (association)
		association->held = hold;
	if (!hold)
		map_remove(&host->held, peer->octets);
	else if (host->held.count < HELD_MAXIMUM)
		(void)map_put(&host->held, peer->octets, &present);
}

hiphop_error host_learn_locator(
	struct host *host, const struct hit *peer, const struct endpoint *locator, bool configured)
{
	effects_release_taken(&host->effects);
	return locators_learn(&host->locators, peer, locator, configured);
}

size_t host_locators(const struct host *host, const struct hit *peer, struct endpoint *locators, size_t capacity)
{
	const struct locator_list *known = locators_of(&host->locators, peer);
	size_t taken = known ? known->count : 0;

	if (taken > capacity)
		taken = capacity;
	if (taken)
		memcpy(locators, known->endpoints, taken * sizeof *locators);
	return taken;
}

/* ---- time and effects ---- */

#define SUSPENDED_FOR SECONDS(5)

static void expire(struct host *host, instant now, struct deadline *deadline)
{
	if (deadline->kind == DEADLINE_ASSOCIATION)
		association_expire(host, now, deadline->owner);
	else
		initiator_opportunist_timer(host, now, deadline->owner);
}

static void follow_load(struct host *host, instant now)
{
	unsigned fill = (unsigned)((host->count - host->over) * 100 / host->configuration.associations);

	if (!puzzle_difficulty_tick(&host->difficulty, now, fill))
		return;
	log_write(host->log, LOG_LEVEL_INFO,
		"puzzles have %u bits now: %u I1 and %u I2 a second, %u %% of the associations",
		puzzle_difficulty_of(&host->difficulty, host->difficulty.level), host->difficulty.i1_rate,
		host->difficulty.i2_rate, fill);
	r1_preparation_hurry(host, now);
}

/* A tick that is late by far: the machine slept, or was stopped. */
static void notice_suspension(struct host *host, instant now)
{
	instant due = host_next_wake(host);

	if (due != INSTANT_NEVER && now >= instant_after(due, SUSPENDED_FOR))
		mobility_resume_all(host, now);
}

void host_tick(struct host *host, instant now)
{
	struct deadline *deadline;

	effects_release_taken(&host->effects);
	notice_suspension(host, now);
	router_tick(host, now);
	while ((deadline = deadline_heap_pop(&host->deadlines, now)))
		expire(host, now, deadline);
	follow_load(host, now);
	r1_preparation_tick(host, now);
	if (host->transport)
		data_transport_tick(host->transport, now);
	overlay_path_pump(host);
}

instant host_next_wake(const struct host *host)
{
	instant wake = deadline_heap_next(&host->deadlines);

	wake = instant_earlier(wake, puzzle_difficulty_next_wake(&host->difficulty));
	wake = instant_earlier(wake, r1_preparation_next_wake(host));
	wake = instant_earlier(wake, router_next_wake(host));
	return host->transport ? instant_earlier(wake, data_transport_next_wake(host->transport)) : wake;
}

bool host_next_effect(struct host *host, struct host_effect *effect)
{
	while (effects_take(&host->effects, effect)) {
		if (router_carries(host, effect))
			return true;
	}
	return false;
}
