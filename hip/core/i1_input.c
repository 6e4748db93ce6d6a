/* SPDX-License-Identifier: MIT */
/*
 * I1 → R1 (RFC 7401 section 6.7). Nothing is remembered of an I1, and a direct one costs no public-key operation: the
 * R1s of the pool are made in ticks (r1_preparation.c), and i1_limits.c says which I1s are read at all.
 */
#include "hip/core/router_internal.h"
#include "hip/core/state_actions.h"

#include <stdlib.h>
#include <string.h>

/* ---- building R1s ---- */

/* What makes an R1 over the overlay differ from those in the pool. */
struct r1_extras {
	const struct parameter_locator_set *locators;
	const struct data_route *route;
};

static void write_lists(const struct host *host, struct packet_builder *builder, struct diffie_hellman *key)
{
	const struct host_configuration *configuration = &host->configuration;
	struct parameter_octet_list groups = {.count = configuration->dh_group_count};
	struct parameter_diffie_hellman public = {
		.group = diffie_hellman_group_id(key), .public_value = diffie_hellman_public_value(key)};
	struct parameter_suite_list ciphers = {.count = configuration->hip_cipher_count};
	const struct parameter_suite_list modes = {.count = 1, .items = {NAT_TRAVERSAL_UDP_ENCAPSULATION}};

	memcpy(groups.items, configuration->dh_groups, groups.count);
	for (size_t i = 0; i < ciphers.count; i++)
		ciphers.items[i] = configuration->hip_ciphers[i];
	parameter_dh_group_list_write(builder, &groups);
	parameter_diffie_hellman_write(builder, &public);
	parameter_hip_cipher_write(builder, &ciphers);
	if (transport_is_used(host, TRANSPORT_UDP))
		parameter_nat_traversal_mode_write(builder, &modes);
}

/* What comes behind the certificates, but for MAC and signature. */
#define ROOM_BEHIND_CERTIFICATES 64

/* `certificates` NULL: none; else it becomes their number. */
static void write_suites(const struct host *host, struct packet_builder *builder, uint8_t *certificates)
{
	struct parameter_octet_list hit_suites = {.count = host->configuration.hit_suite_count};
	const struct parameter_transport_format_list formats = {.count = 1, .items = {PARAMETER_ESP_TRANSFORM}};
	struct parameter_suite_list suites = {.count = host->configuration.esp_suite_count};

	for (size_t i = 0; i < hit_suites.count; i++)
		hit_suites.items[i] = (uint8_t)(host->configuration.hit_suites[i] << 4);
	for (size_t i = 0; i < suites.count; i++)
		suites.items[i] = host->configuration.esp_suites[i];
	parameter_hit_suite_list_write(builder, &hit_suites);
	if (certificates)
		*certificates = (uint8_t)own_certificates_write(host->configuration.certificates, builder, 0,
			ROOM_BEHIND_CERTIFICATES + outgoing_protection_room(host));
	service_announce(host, builder);
	parameter_transport_format_list_write(builder, &formats);
	parameter_esp_transform_write(builder, &suites);
}

static hiphop_error build_r1(struct host *host, struct outgoing *out, const struct r1_generation *generation,
	struct r1_entry *entry, uint8_t difficulty, const struct r1_extras *extras)
{
	static const struct hit nobody;
	const struct protection protection = {.signature_type = PARAMETER_HIP_SIGNATURE_2};
	const struct parameter_r1_counter counter = {.counter = generation->counter};
	const struct parameter_puzzle puzzle = {.difficulty = difficulty,
		.lifetime = PUZZLE_LIFETIME_EXPONENT,
		.random_length = hash_length(host_identity_rhash(host->identity))};
	const struct parameter_host_id host_id = own_host_id(host);
	const struct parameter_transport_mode mode = {.modes = {.count = 1, .items = {HIP_TRANSPORT_ESP}}};
	hiphop_error error;

	outgoing_start(host, out, HIP_PACKET_R1, &nobody);
	parameter_r1_counter_write(&out->builder, &counter);
	if (extras && extras->locators->count)
		parameter_locator_set_write(&out->builder, extras->locators);
	parameter_puzzle_write(&out->builder, &puzzle);
	write_lists(host, &out->builder, entry->key);
	parameter_host_id_write(&out->builder, &host_id);
	/* Over the overlay there is little room: all certificates come in the R2. */
	write_suites(host, &out->builder, extras ? NULL : &entry->certificates);
	if (extras)
		outgoing_overlay_covered(host, out, extras->route);
	if (host->configuration.overlay)
		parameter_transport_mode_write(&out->builder, &mode);
	error = outgoing_protect(host, out, &protection);
	if (error)
		return error;
	if (extras)
		outgoing_overlay_uncovered(host, out, false);
	return outgoing_finish(out);
}

/* The key pair of a group, the `place`th of the configured ones. */
static hiphop_error obtain_key(struct host *host, struct r1_generation *generation, size_t place)
{
	struct r1_entry *made;
	hiphop_error error;

	if (generation->entries[place])
		return HIPHOP_OK;
	made = calloc(1, sizeof *made);
	if (!made)
		return HIPHOP_NO_MEMORY;
	error = diffie_hellman_new(host->configuration.dh_groups[place], host->random, &made->key);
	if (error) {
		free(made);
		return error;
	}
	generation->entries[place] = made;
	return HIPHOP_OK;
}

hiphop_error r1_entry_prepare(struct host *host, struct r1_generation *generation, size_t place, unsigned level)
{
	uint8_t difficulty = puzzle_difficulty_of(&host->difficulty, level);
	hiphop_error error = obtain_key(host, generation, place);
	struct outgoing out;
	struct buffer *r1;

	if (error)
		return error;
	r1 = &generation->entries[place]->r1[level];
	if (r1->length)
		return HIPHOP_OK;
	error = build_r1(host, &out, generation, generation->entries[place], difficulty, NULL);
	return error ? error : buffer_copy(r1, out.octets, out.length);
}

/* ---- answering ---- */

static bool offers(const struct parameter_octet_list *list, uint8_t item)
{
	return memchr(list->items, item, list->count) != NULL;
}

/* The place of our most preferred group among the Initiator's; any when there is none (RFC 7401 section 6.7 step 4). */
static size_t choose_group(const struct host *host, const struct packet_view *view)
{
	const struct host_configuration *configuration = &host->configuration;
	struct parameter_octet_list wanted;

	if (parameter_dh_group_list_read(packet_find(view, PARAMETER_DH_GROUP_LIST), &wanted))
		return 0;
	for (size_t i = 0; i < configuration->dh_group_count; i++) {
		if (offers(&wanted, configuration->dh_groups[i]))
			return i;
	}
	return 0;
}

/* The overlay hops of an I1 must be known when the I2 comes, without any state: Opaque carries them there and back, and
 * #I vouches for Opaque. 0nnn nnnn nnnn nnnn is a direct I1, 1hhh hhnn nnnn nnnn one of h hops; n counts. */
#define OPAQUE_OVERLAY      0x8000
#define OPAQUE_HOPS_MAXIMUM 31

static uint16_t make_opaque(struct host *host, uint8_t overlay_hops)
{
	uint16_t number = host->next_opaque++;

	if (overlay_hops > OPAQUE_HOPS_MAXIMUM)
		overlay_hops = OPAQUE_HOPS_MAXIMUM;
	if (!overlay_hops)
		return number & 0x7fff;
	return (uint16_t)(OPAQUE_OVERLAY | overlay_hops << 10 | (number & 0x3ff));
}

bool opaque_is_before(uint16_t opaque, uint16_t mark)
{
	uint16_t numbers = opaque & OPAQUE_OVERLAY ? 0x3ff : 0x7fff;

	return ((mark - 1U - opaque) & numbers) <= numbers / 2;
}

uint8_t opaque_overlay_hops(uint16_t opaque)
{
	return opaque & OPAQUE_OVERLAY ? (opaque >> 10) & OPAQUE_HOPS_MAXIMUM : 0;
}

/* Gives an R1 its Receiver and its #I. */
static hiphop_error personalise(
	struct host *host, const struct incoming *in, unsigned level, uint8_t overlay_hops, uint8_t *r1, size_t length)
{
	const struct puzzle_parties parties = {
		.rhash = host_identity_rhash(host->identity), .initiator = in->view.sender, .responder = host->self};
	uint16_t opaque = make_opaque(host, overlay_hops);
	const uint8_t opaque_octets[2] = {(uint8_t)(opaque >> 8), (uint8_t)opaque};
	uint8_t i[RHASH_LENGTH_MAXIMUM];
	uint8_t difficulty = puzzle_difficulty_of(&host->difficulty, level);
	hiphop_error error = puzzle_make(&host->puzzles, in->now, &parties, difficulty, opaque, i);

	if (error)
		return error;
	return parameter_puzzle_renew(r1, length, &in->view.sender, opaque_octets, i, hash_length(parties.rhash));
}

/* No signature is made here: what the pool has no R1 for waits for r1_preparation.c. */
static void answer_direct(struct host *host, const struct incoming *in)
{
	struct r1_generation *generation = r1_pool_current(&host->r1_pool);
	size_t place = choose_group(host, &in->view);
	struct r1_entry *entry = generation->entries[place];
	unsigned level = host->difficulty.level;
	const struct buffer *r1 = entry ? r1_entry_find(entry, &level) : NULL;
	struct way way;

	if (!r1) {
		r1_preparation_ask(host, in, place);
		return;
	}
	memcpy(host->work, r1->data, r1->length);
	if (personalise(host, in, level, 0, host->work, r1->length)) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	entry->offered = true;
	r1_pool_note_offer(&host->r1_pool, in->now);
	way_of_arrival(in->arrival, &way);
	outgoing_send(host, &way, host->work, r1->length);
}

static void answer_over_overlay(struct host *host, const struct incoming *in)
{
	struct parameter_locator_set locators;
	struct r1_extras extras = {.locators = &locators};
	struct data_route route;
	struct r1_generation *generation = r1_pool_current(&host->r1_pool);
	size_t place = choose_group(host, &in->view);
	unsigned level = host->difficulty.level;
	uint8_t difficulty = puzzle_difficulty_of(&host->difficulty, level);
	struct outgoing out;
	struct way way;

	if (!rate_table_take(host->neighbour_rates, &in->arrival->neighbour, in->now) ||
		!token_bucket_take(&host->on_demand_rate, in->now)) {
		count(host, HOST_COUNT_DROP_I1_RATE);
		return;
	}
	if (!way_back(host, in, &route, &way)) {
		count(host, HOST_COUNT_DROP_NO_ROUTE);
		return;
	}
	extras.route = &route;
	candidates_offer(host, NULL, &locators);
	if (obtain_key(host, generation, place) ||
		build_r1(host, &out, generation, generation->entries[place], difficulty, &extras) ||
		personalise(host, in, level, (uint8_t)(route.count + 1), out.octets, out.length)) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	generation->entries[place]->offered = true;
	r1_pool_note_offer(&host->r1_pool, in->now);
	count(host, HOST_COUNT_R1_SIGNED_ON_DEMAND);
	outgoing_send(host, &way, out.octets, out.length);
}

static bool is_unwanted(const struct host *host, const struct incoming *in)
{
	const struct host_configuration *configuration = &host->configuration;

	return (configuration->refuse_opportunists && hit_is_null(&in->view.receiver)) ||
	       (configuration->refuse_anonymous && sender_is_anonymous(in));
}

/* RFC 7401 section 6.7: who cannot set up an association says so by ICMP. Where that does not reach the sender, the I2
 * that comes is answered with a NOTIFY. */
static bool cannot_take_it(const struct host *host, const struct incoming *in)
{
	return !in->arrival->inside_esp && in->arrival->remote.transport == TRANSPORT_IP &&
	       host->count - host->over >= host->configuration.associations &&
	       !association_find(host, &in->view.sender);
}

/* RFC 7401 section 4.1.5. Who asks for anybody is not told that somebody is here. */
static void refuse(struct host *host, const struct incoming *in)
{
	count(host, HOST_COUNT_DROP_POLICY);
	if (!hit_is_null(&in->view.receiver))
		problem_of_packet(host, in, ICMP_PROHIBITED, 0);
}

void i1_input(struct host *host, struct incoming *in)
{
	const struct host_claim claim = {.over_overlay = in->overlay};

	if (!hit_is_host(&in->view.sender)) {
		count(host, HOST_COUNT_DROP_MALFORMED);
	} else if (!peer_may_associate(host, in->now, &in->view.sender, &claim) || is_unwanted(host, in)) {
		refuse(host, in);
	} else if (cannot_take_it(host, in)) {
		count(host, HOST_COUNT_DROP_TOO_MANY);
		problem_of_packet(host, in, ICMP_PROHIBITED, 0);
	} else if (in->overlay) {
		puzzle_difficulty_note_i1(&host->difficulty, in->now);
		answer_over_overlay(host, in);
	} else if (in->arrival->inside_esp) {
		count(host, HOST_COUNT_DROP_NOT_FOR_US);
	} else {
		answer_direct(host, in);
	}
}

void i1_answer_waiting(struct host *host, instant now, const struct waiting_i1 *waiting)
{
	struct incoming in = {
		.arrival = &waiting->arrival, .octets = waiting->octets, .length = waiting->length, .now = now};

	if (!packet_parse(in.octets, in.length, &in.view))
		answer_direct(host, &in);
}

void i1_meet(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);

	count(host, in->rule->drop);
	if (!in->arrival->inside_esp &&
		peer_may_associate(host, in->now, &in->view.sender, &(struct host_claim){.proved = false}))
		initiator_meet(host, in->now, association, &in->arrival->remote);
}
