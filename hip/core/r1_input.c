/* SPDX-License-Identifier: MIT */
/*
 * R1 → I2 (RFC 7401 section 6.8): read, verify, choose, solve, derive, build; then commit in one block.
 */
#include "hip/core/state_actions.h"

#include <stdlib.h>
#include <string.h>

/* An R1 as read, and what we choose from it. Spans and views borrow the packet. */
struct offer {
	struct parameter_r1_counter counter;
	bool has_counter;
	struct parameter_puzzle puzzle;
	struct parameter_diffie_hellman public;
	struct parameter_octet_list groups, hit_suites;
	struct parameter_suite_list ciphers, esp_suites, nat_modes;
	struct parameter_transport_format_list formats;
	struct parameter_locator_set locators;
	const struct parameter_view *host_id;
	bool offers_esp_mode, has_mode, offers_udp_encapsulation;
	uint8_t overlay_hops;

	const struct hip_cipher *cipher;
	uint16_t suite;
};

static bool list_has_16(const struct parameter_suite_list *list, uint16_t item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == item)
			return true;
	}
	return false;
}

static hiphop_error read_optional(const struct packet_view *view, struct offer *offer)
{
	const struct parameter_view *mode_view = packet_find(view, PARAMETER_HIP_TRANSPORT_MODE);
	struct parameter_transport_mode mode;
	struct parameter_route route;
	hiphop_error error;

	error = parameter_r1_counter_read(packet_find(view, PARAMETER_R1_COUNTER), &offer->counter);
	offer->has_counter = !error;
	if (error && error != HIPHOP_NOT_FOUND)
		return error;
	error = parameter_locator_set_read(packet_find(view, PARAMETER_LOCATOR_SET), &offer->locators);
	if (error)
		offer->locators.count = 0;
	if (error && error != HIPHOP_NOT_FOUND)
		return error;
	offer->has_mode = mode_view != NULL;
	offer->offers_esp_mode =
		!parameter_transport_mode_read(mode_view, &mode) && list_has_16(&mode.modes, HIP_TRANSPORT_ESP);
	offer->offers_udp_encapsulation = !parameter_nat_traversal_mode_read(
						  packet_find(view, PARAMETER_NAT_TRAVERSAL_MODE), &offer->nat_modes) &&
					  list_has_16(&offer->nat_modes, NAT_TRAVERSAL_UDP_ENCAPSULATION);
	if (!parameter_route_read(packet_find(view, PARAMETER_ROUTE_DST), &route))
		offer->overlay_hops = (uint8_t)route.count;
	return HIPHOP_OK;
}

static hiphop_error read_offer(const struct packet_view *view, struct offer *offer)
{
	hiphop_error error = parameter_puzzle_read(packet_find(view, PARAMETER_PUZZLE), &offer->puzzle);

	offer->host_id = packet_find(view, PARAMETER_HOST_ID);
	if (!error)
		error = parameter_diffie_hellman_read(packet_find(view, PARAMETER_DIFFIE_HELLMAN), &offer->public);
	if (!error)
		error = parameter_dh_group_list_read(packet_find(view, PARAMETER_DH_GROUP_LIST), &offer->groups);
	if (!error)
		error = parameter_hip_cipher_read(packet_find(view, PARAMETER_HIP_CIPHER), &offer->ciphers);
	if (!error)
		error = parameter_hit_suite_list_read(packet_find(view, PARAMETER_HIT_SUITE_LIST), &offer->hit_suites);
	if (!error)
		error = parameter_transport_format_list_read(
			packet_find(view, PARAMETER_TRANSPORT_FORMAT_LIST), &offer->formats);
	if (!error)
		error = parameter_esp_transform_read(packet_find(view, PARAMETER_ESP_TRANSFORM), &offer->esp_suites);
	return error ? error : read_optional(view, offer);
}

/* ---- choosing (after the signature) ---- */

static bool own_group(const struct host *host, uint8_t group)
{
	return memchr(host->configuration.dh_groups, group, host->configuration.dh_group_count) != NULL;
}

static bool has_common_group(const struct host *host, const struct offer *offer)
{
	for (size_t i = 0; i < offer->groups.count; i++) {
		if (own_group(host, offer->groups.items[i]))
			return true;
	}
	return false;
}

/* RFC 7401 sections 4.1.3 and 6.8 step 7: the group must be the Responder's first one that we have too. */
static bool group_is_best(const struct host *host, const struct offer *offer)
{
	for (size_t i = 0; i < offer->groups.count; i++) {
		if (own_group(host, offer->groups.items[i]))
			return offer->groups.items[i] == offer->public.group;
	}
	return false;
}

/* The low four bits of an entry are zero, or it is an error (RFC 7401 section 5.2.10). */
static bool our_hit_suite_is_supported(const struct host *host, const struct offer *offer)
{
	uint8_t own = (uint8_t)(host_identity_suite(host->identity) << 4);

	for (size_t i = 0; i < offer->hit_suites.count; i++) {
		if (offer->hit_suites.items[i] & 0x0f)
			return false;
	}
	return memchr(offer->hit_suites.items, own, offer->hit_suites.count) != NULL;
}

static bool esp_is_offered(const struct offer *offer)
{
	for (size_t i = 0; i < offer->formats.count; i++) {
		if (offer->formats.items[i] == PARAMETER_ESP_TRANSFORM)
			return true;
	}
	return false;
}

/* The Responder's order of preference counts. */
static void choose_suites(const struct host *host, struct offer *offer)
{
	const struct host_configuration *configuration = &host->configuration;

	for (size_t i = 0; i < offer->ciphers.count && !offer->cipher; i++) {
		uint16_t id = offer->ciphers.items[i];

		if (id < 256 && memchr(configuration->hip_ciphers, (int)id, configuration->hip_cipher_count))
			offer->cipher = hip_cipher_by_id(id);
	}
	for (size_t i = 0; i < offer->esp_suites.count && !offer->suite; i++) {
		uint16_t id = offer->esp_suites.items[i];

		if (id < 256 && memchr(configuration->esp_suites, (int)id, configuration->esp_suite_count))
			offer->suite = id;
	}
}

/* What to notify when we cannot follow the offer, or 0. */
static uint16_t what_is_missing(const struct host *host, const struct offer *offer)
{
	if (!our_hit_suite_is_supported(host, offer))
		return NOTIFY_UNSUPPORTED_HIT_SUITE;
	if (!has_common_group(host, offer))
		return NOTIFY_NO_DH_PROPOSAL_CHOSEN;
	if (!offer->cipher)
		return NOTIFY_NO_HIP_PROPOSAL_CHOSEN;
	return esp_is_offered(offer) && offer->suite ? 0 : NOTIFY_NO_ESP_PROPOSAL_CHOSEN;
}

static hiphop_error choose(struct host *host, const struct incoming *in, struct offer *offer)
{
	uint16_t notification;

	choose_suites(host, offer);
	notification = what_is_missing(host, offer);
	if (notification) {
		count(host, HOST_COUNT_DROP_NO_PROPOSAL);
		notify_sender(host, in, notification, (struct span){NULL, 0}, SHOWN_IDENTITY);
		return HIPHOP_NO_PROPOSAL;
	}
	if (!group_is_best(host, offer)) {
		count(host, HOST_COUNT_DROP_DOWNGRADE);
		return HIPHOP_DOWNGRADED;
	}
	if (offer->puzzle.difficulty > PUZZLE_DIFFICULTY_ACCEPTED) {
		count(host, HOST_COUNT_DROP_PUZZLE_TOO_HARD);
		return HIPHOP_BAD_PUZZLE;
	}
	return HIPHOP_OK;
}

static void log_trouble(const struct host *host, const struct incoming *in, hiphop_error trouble)
{
	char peer[HIT_TEXT_SIZE];

	log_write(host->log, trouble == HIPHOP_DOWNGRADED ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "R1 of %s: %s",
		hit_format(&in->view.sender, peer), hiphop_error_text(trouble));
}

/* This R1 is well signed and no good. It may have been caught elsewhere and sent again to spoil an exchange that goes
 * well otherwise, so it ends nothing: a better one may come, and the I1 has its tries. If all of them end like this,
 * the reason is told. */
static void note_trouble(struct host *host, const struct incoming *in, struct association *association,
	struct opportunist *opportunist, hiphop_error trouble)
{
	struct initiation *initiation = association ? association->initiation : NULL;

	if (opportunist && opportunist->trouble != trouble) {
		opportunist->trouble = trouble;
		log_trouble(host, in, trouble);
	}
	if (!initiation || initiation->phase != HOST_I1_SENT)
		return;
	if (initiation->trouble != trouble) {
		initiation->trouble = trouble;
		log_trouble(host, in, trouble);
	}
	if (trouble == HIPHOP_DOWNGRADED)
		initiator_restart(host, association, in);
}

/* ---- the acceptance: everything that the I2 says, on the side ---- */

struct draft {
	const struct incoming *in;
	const struct offer *offer;
	struct acceptance *acceptance;
	struct diffie_hellman *key;
	const struct puzzle_search *search; /* solved */
};

static hiphop_error derive(struct host *host, struct draft *draft)
{
	const struct puzzle_search *search = draft->search;
	size_t length = hash_length(search->parties.rhash);
	hiphop_error error = diffie_hellman_new(draft->offer->public.group, host->random, &draft->key);
	const struct exchange_agreement agreement = {.own_key = draft->key,
		.peer_public_value = draft->offer->public.public_value,
		.parties = search->parties,
		.i = {search->i, length},
		.j = {search->j, length},
		.cipher = draft->offer->cipher,
		.suite = draft->offer->suite,
		.own = host->self};

	if (error)
		return error;
	memcpy(draft->acceptance->random_i, search->i, length);
	return exchange_keys_derive(&agreement, &draft->acceptance->keys, &draft->acceptance->esp_keys);
}

/* LOCATOR_SET is a critical parameter: a Responder that knows RFC 7401 alone would drop the I2. Ours is for those whose
 * R1 tells that they know more. */
static bool understands_locators(const struct offer *offer)
{
	return offer->has_mode || offer->offers_udp_encapsulation || offer->locators.count;
}

/* The preferred locator is where the first I2 comes from (RFC 8047 section 4.2.8), when that is one of them. */
static void prefer_source(struct parameter_locator_set *locators, const struct address *source)
{
	size_t place = 0;

	while (place < locators->count && !address_equal(&locators->items[place].address, source))
		place++;
	if (place == locators->count)
		return;
	for (size_t i = 0; i < locators->count; i++)
		locators->items[i].preferred = i == place;
}

/* LOCATOR_SET and HOST_ID go inside ENCRYPTED (RFC 7401 section 5.3.3, RFC 9028 section 4.3). */
static hiphop_error write_encrypted(struct host *host, struct packet_builder *builder, const struct draft *draft)
{
	const struct exchange_keys *keys = &draft->acceptance->keys;
	const struct parameter_host_id host_id = own_host_id(host);
	struct parameter_locator_set locators;
	struct packet_builder inner;
	uint8_t plain[HIP_PARAMETERS_MAXIMUM];
	uint8_t sealed[HIP_PARAMETERS_MAXIMUM + HIP_CIPHER_OVERHEAD_MAXIMUM];
	struct parameter_encrypted encrypted;
	size_t length, sealed_length;
	hiphop_error error;

	candidates_offer(host, NULL, &locators);
	prefer_source(&locators, &draft->acceptance->ways[0].local.address);
	packet_builder_start_inner(&inner, plain, sizeof plain);
	if (locators.count && understands_locators(draft->offer))
		parameter_locator_set_write(&inner, &locators);
	parameter_host_id_write(&inner, &host_id);
	error = packet_builder_finish(&inner, &length);
	if (error)
		return error;
	sealed_length = hip_cipher_sealed_length(keys->cipher, length);
	if (sealed_length > sizeof sealed)
		return HIPHOP_TOO_LARGE;
	error = hip_cipher_seal(keys->cipher, (struct span){keys->outgoing.encryption, keys->cipher->key_length},
		host->random, (struct span){plain, length}, sealed);
	if (error)
		return error;
	encrypted.iv = (struct span){sealed, keys->cipher->iv_length};
	encrypted.data = (struct span){sealed + keys->cipher->iv_length, sealed_length - keys->cipher->iv_length};
	return parameter_encrypted_write(builder, &encrypted);
}

static void write_solution(const struct draft *draft, struct packet_builder *builder)
{
	const struct puzzle_search *search = draft->search;
	struct parameter_solution solution = {
		.difficulty = search->difficulty, .random_length = hash_length(search->parties.rhash)};

	memcpy(solution.opaque, draft->offer->puzzle.opaque, sizeof solution.opaque);
	memcpy(solution.random_i, search->i, solution.random_length);
	memcpy(solution.solution_j, search->j, solution.random_length);
	parameter_solution_write(builder, &solution);
}

static void write_choice(const struct draft *draft, struct packet_builder *builder)
{
	const struct parameter_diffie_hellman public = {
		.group = draft->offer->public.group, .public_value = diffie_hellman_public_value(draft->key)};
	const struct parameter_suite_list cipher = {.count = 1, .items = {draft->offer->cipher->id}};
	const struct parameter_suite_list nat_mode = {.count = 1, .items = {NAT_TRAVERSAL_UDP_ENCAPSULATION}};

	parameter_diffie_hellman_write(builder, &public);
	parameter_hip_cipher_write(builder, &cipher);
	if (draft->offer->offers_udp_encapsulation)
		parameter_nat_traversal_mode_write(builder, &nat_mode);
}

static void write_formats(const struct draft *draft, struct packet_builder *builder)
{
	const struct parameter_transport_format_list format = {.count = 1, .items = {PARAMETER_ESP_TRANSFORM}};
	const struct parameter_suite_list suite = {.count = 1, .items = {draft->offer->suite}};

	parameter_transport_format_list_write(builder, &format);
	parameter_esp_transform_write(builder, &suite);
}

/* The same for the direct I2 and the one over the overlay, which grows on its way. */
static size_t room_behind_certificates(const struct host *host, const struct draft *draft)
{
	return 96 + outgoing_protection_room(host) + outgoing_echo_room(draft->in) +
	       (draft->in->overlay ? 16 * ROUTE_HITS_MAXIMUM : 0);
}

static hiphop_error build_i2(struct host *host, struct draft *draft, bool overlay, struct buffer *i2)
{
	struct acceptance *acceptance = draft->acceptance;
	const struct protection protection = {
		.keys = &acceptance->keys, .mac_type = PARAMETER_HIP_MAC, .signature_type = PARAMETER_HIP_SIGNATURE};
	const struct parameter_esp_info esp_info = {
		.keymat_index = acceptance->keys.keymat_index, .new_spi = acceptance->spi_in};
	struct parameter_transport_mode mode = {.modes = {.count = acceptance->carries_hip}};
	struct outgoing out;
	hiphop_error error;

	mode.modes.items[0] = HIP_TRANSPORT_ESP;
	outgoing_start(host, &out, HIP_PACKET_I2, &draft->in->view.sender);
	parameter_esp_info_write(&out.builder, &esp_info);
	if (draft->offer->has_counter)
		parameter_r1_counter_write(&out.builder, &draft->offer->counter);
	write_solution(draft, &out.builder);
	write_choice(draft, &out.builder);
	error = write_encrypted(host, &out.builder, draft);
	if (error)
		return error;
	acceptance->certificates_sent = (uint8_t)own_certificates_write(
		host->configuration.certificates, &out.builder, 0, room_behind_certificates(host, draft));
	outgoing_echo_signed(&out, draft->in);
	write_formats(draft, &out.builder);
	if (overlay)
		outgoing_overlay_covered(host, &out, NULL);
	if (draft->offer->has_mode)
		parameter_transport_mode_write(&out.builder, &mode);
	error = outgoing_protect(host, &out, &protection);
	if (error)
		return error;
	outgoing_echo_unsigned(&out, draft->in);
	if (overlay)
		outgoing_overlay_uncovered(host, &out, true);
	error = outgoing_finish(&out);
	return error ? error : buffer_copy(i2, out.octets, out.length);
}

/* ---- where the I2 goes ---- */

static void add_way_to(struct host *host, struct acceptance *acceptance, const struct endpoint *remote)
{
	struct way way;

	for (size_t i = 0; i < acceptance->way_count; i++) {
		if (endpoint_equal(&acceptance->ways[i].remote, remote))
			return;
	}
	if (acceptance->way_count < CANDIDATES_MAXIMUM && way_to_endpoint(host, remote, &way))
		acceptance->ways[acceptance->way_count++] = way;
}

static void add_way_back(struct acceptance *acceptance, const struct incoming *in)
{
	if (!in->arrival->inside_esp && acceptance->way_count < CANDIDATES_MAXIMUM)
		way_of_arrival(in->arrival, &acceptance->ways[acceptance->way_count++]);
}

/* The preferred locator first, which counts as verified; then where the R1 came from; then the others, one of the
 * other family before one of the same; the overlay last. */
static void collect_ways(struct host *host, struct draft *draft)
{
	struct acceptance *acceptance = draft->acceptance;
	struct endpoint offered[CANDIDATES_MAXIMUM];
	bool preferred, first_is_ipv4;
	size_t taken = candidates_take(host, &draft->offer->locators, offered, CANDIDATES_MAXIMUM, &preferred);

	if (preferred)
		add_way_to(host, acceptance, &offered[0]);
	add_way_back(acceptance, draft->in);
	first_is_ipv4 = acceptance->way_count && address_is_ipv4(&acceptance->ways[0].remote.address);
	for (size_t i = 0; i < taken; i++) {
		if (address_is_ipv4(&offered[i].address) != first_is_ipv4)
			add_way_to(host, acceptance, &offered[i]);
	}
	for (size_t i = 0; i < taken; i++)
		add_way_to(host, acceptance, &offered[i]);
	if (draft->in->overlay && way_over_overlay(host, &draft->in->view.sender, &draft->in->view.sender,
					  &acceptance->ways[acceptance->way_count]))
		acceptance->way_count++;
}

static hiphop_error fill_acceptance(struct host *host, struct draft *draft)
{
	struct acceptance *acceptance = draft->acceptance;
	const struct parameter_view *host_id = draft->offer->host_id;
	hiphop_error error;

	acceptance->counter = draft->offer->counter.counter;
	acceptance->anonymous = sender_is_anonymous(draft->in);
	acceptance->overlay_hops = draft->in->overlay ? (uint8_t)(draft->offer->overlay_hops + 1) : 0;
	acceptance->carries_hip = draft->offer->offers_esp_mode && host->configuration.overlay;
	acceptance->spi_in = association_new_spi(host);
	collect_ways(host, draft);
	if (!acceptance->way_count)
		return HIPHOP_NOT_FOUND;
	error = derive(host, draft);
	if (!error)
		error = buffer_copy(&acceptance->host_id, host_id->encoded.data, host_id->encoded.length);
	if (!error)
		error = buffer_copy(&acceptance->peer_public, draft->offer->public.public_value.data,
			draft->offer->public.public_value.length);
	if (!error)
		error = build_i2(host, draft, false, &acceptance->i2);
	if (!error && acceptance->ways[acceptance->way_count - 1].overlay)
		error = build_i2(host, draft, true, &acceptance->i2_overlay);
	return error;
}

static struct acceptance *make_acceptance(
	struct host *host, const struct incoming *in, const struct offer *offer, struct solving *solving)
{
	struct draft draft = {.in = in,
		.offer = offer,
		.acceptance = calloc(1, sizeof(struct acceptance)),
		.search = &solving->search};
	hiphop_error error = draft.acceptance ? fill_acceptance(host, &draft) : HIPHOP_NO_MEMORY;

	if (draft.acceptance)
		draft.acceptance->own_key = draft.key;
	if (!error) {
		draft.acceptance->identity = solving->identity;
		draft.acceptance->puzzle_over = solving->over;
		solving->identity = NULL;
		return draft.acceptance;
	}
	acceptance_free(draft.acceptance);
	count(host, error == HIPHOP_NO_MEMORY   ? HOST_COUNT_DROP_NO_MEMORY
		    : error == HIPHOP_NOT_FOUND ? HOST_COUNT_DROP_NO_ROUTE
						: HOST_COUNT_DROP_DH);
	return NULL;
}

/* ---- who asked for it ---- */

/* The state table wants this R1: for the exchange with its sender, or for an opportunist at that endpoint. */
static bool is_wanted(struct host *host, const struct incoming *in, const struct association *association,
	struct opportunist **opportunist)
{
	struct opportunist *asking = in->arrival->inside_esp ? NULL : opportunist_at(host, &in->arrival->remote);

	/* Who answers in opportunistic mode is remembered, and an anonymous identity is not for that. */
	*opportunist = sender_is_anonymous(in) ? NULL : asking;
	if ((association && association->initiation) || *opportunist)
		return true;
	count(host, HOST_COUNT_DROP_POLICY);
	return false;
}

/* Tells who answered and gives it an association with an exchange in I1-SENT. */
static struct association *adopt(struct host *host, struct incoming *in, struct opportunist *opportunist)
{
	struct queued_effect *learnt = effect_make(HOST_LEARNT_HIT, 0);
	struct association *association = NULL;

	if (!learnt || association_obtain(host, in->now, &in->view.sender, &association)) {
		effect_discard(learnt);
		return NULL;
	}
	if (!association->initiation) {
		association->initiation = initiation_make(HOST_I1_SENT);
		if (!association->initiation) {
			effect_discard(learnt);
			association_release_if_idle(host, association);
			return NULL;
		}
		association->initiation->sent = opportunist->sent;
		association->initiation->tries = 1;
		association_set_timer(host, association, TIMER_EXCHANGE, instant_after(in->now, I1_FIRST_TIMEOUT));
	}
	learnt->effect.peer = in->view.sender;
	learnt->effect.remote = opportunist->remote;
	effects_add(&host->effects, learnt);
	opportunist_drop(host, opportunist);
	return association;
}

static void commit(struct host *host, const struct incoming *in, const struct offer *offer,
	struct association *association, struct acceptance *acceptance)
{
	struct initiation *initiation = association->initiation;

	if (initiation->acceptance)
		association_unregister_spi(host, initiation->acceptance->spi_in);
	acceptance_free(initiation->acceptance);
	initiation->acceptance = acceptance;
	initiation->busy = initiation->queued = initiation->wants_puzzle = false;
	initiation->trouble = HIPHOP_OK;
	initiation->phase = in->rule->next;
	initiation->tries = 0;
	if (!association->session)
		association->since = in->now;
	candidates_learn(host, &association->peer, &offer->locators);
	initiator_send_i2(host, in->now, association);
}

/* R1s that were good before may be repeated by anybody: an older one than is known is not followed (RFC 7401 section
 * 4.1.4). What a session knows goes with it (section 6.16), and a peer that has lost its counter is heard in the end.
 */
static bool is_old(const struct association *association, uint64_t counter)
{
	const struct initiation *initiation = association ? association->initiation : NULL;

	if (!initiation)
		return false;
	if (initiation->offers >= R1S_FOLLOWED || (initiation->solving && counter <= initiation->solving->counter))
		return true;
	return association->session && initiation->tries <= OLD_R1_DROPPED &&
	       counter < association->session->peer_counter;
}

/* The R1 is good: its puzzle is next. */
static void follow(struct host *host, const struct incoming *in, struct association *association,
	const struct offer *offer, struct host_identity *identity, struct peer_certificates **certificates)
{
	struct initiation *initiation = association ? association->initiation : NULL;

	if (!initiation || solving_begin(host, in, association, &offer->puzzle, offer->counter.counter)) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		host_identity_free(identity);
		return;
	}
	initiation->solving->identity = identity;
	certificates_free(host, initiation->certificates);
	initiation->certificates = *certificates;
	*certificates = NULL;
	if (!initiation->acceptance && initiation->tries <= 1)
		association->round_trip = in->now - initiation->sent;
	solving_run(host, in->now, association);
}

/* An R1 on its way through the checks. */
struct heard {
	struct association *association;
	struct opportunist *opportunist; /* whom an I1 without HIT went to; NULL: none did */
	struct offer offer;
	struct host_identity *identity;
	struct peer_certificates *certificates;
};

/* What costs next to nothing: wanted, well-formed, not old, of a suite and at a rate that we take. */
static bool is_worth_a_signature_check(struct host *host, const struct incoming *in, struct heard *heard)
{
	if (!is_wanted(host, in, heard->association, &heard->opportunist))
		return false;
	if (read_offer(&in->view, &heard->offer))
		count(host, HOST_COUNT_DROP_MALFORMED);
	else if (is_old(heard->association, heard->offer.counter.counter))
		count(host, HOST_COUNT_DROP_OLD_R1);
	else if (!hit_suite_is_accepted(host, &in->view.sender))
		count(host, HOST_COUNT_DROP_UNSUPPORTED);
	else if (!token_bucket_take(&host->r1_rate, in->now))
		count(host, HOST_COUNT_DROP_R1_RATE);
	else
		return true;
	return false;
}

/* Whether the rules let the Responder be a peer, now that it has shown its identity and perhaps certificates. */
static bool is_permitted(struct host *host, const struct incoming *in, struct heard *heard)
{
	struct host_claim claim = {.over_overlay = in->overlay};
	host_permission permission;
	char peer[HIT_TEXT_SIZE];

	if (!certificates_take(host, in->now, &in->view, heard->identity, &heard->certificates))
		claim.certificate = peer_certificates_state(heard->certificates, false);
	claim_is_proved(&claim, heard->offer.host_id);
	permission = peer_may_associate(host, in->now, &in->view.sender, &claim);
	/* Certificates may still come in R2 and UPDATE, if these do not. */
	if (permission == HOST_ALLOWED ||
		(permission == HOST_UNCERTIFIED && claim.certificate != HOST_CERTIFICATE_INVALID))
		return true;
	log_write(host->log, LOG_LEVEL_INFO, "%s answered, but it may not associate with this host",
		hit_format(&in->view.sender, peer));
	count(host, HOST_COUNT_DROP_POLICY);
	if (permission == HOST_UNCERTIFIED)
		note_trouble(host, in, heard->association, heard->opportunist, HIPHOP_REFUSED);
	return false;
}

/* The checks that need the identity. */
static bool is_to_be_followed(struct host *host, const struct incoming *in, struct heard *heard)
{
	hiphop_error trouble;

	if (verify_signature(host, in, heard->identity, PARAMETER_HIP_SIGNATURE_2))
		return false;
	trouble = choose(host, in, &heard->offer);
	if (trouble) {
		note_trouble(host, in, heard->association, heard->opportunist, trouble);
		return false;
	}
	return is_permitted(host, in, heard);
}

void r1_input(struct host *host, struct incoming *in)
{
	struct heard heard = {.association = association_find(host, &in->view.sender)};

	if (!is_worth_a_signature_check(host, in, &heard) ||
		verify_identity(host, &in->view.sender, heard.offer.host_id, &heard.identity))
		return;
	if (is_to_be_followed(host, in, &heard)) {
		if (heard.opportunist)
			heard.association = adopt(host, in, heard.opportunist);
		/* Takes the identity over. */
		follow(host, in, heard.association, &heard.offer, heard.identity, &heard.certificates);
	} else {
		host_identity_free(heard.identity);
	}
	certificates_free(host, heard.certificates);
}

void r1_solved(struct host *host, instant now, struct association *association)
{
	struct initiation *initiation = association->initiation;
	struct solving *solving = initiation->solving;
	struct incoming in = {.arrival = &solving->arrival,
		.octets = solving->r1,
		.length = solving->length,
		.overlay = solving->overlay,
		.now = now,
		.rule = state_table_rule(initiation->phase, STATE_EVENT_R1)};
	struct offer offer = {.has_counter = false};
	struct acceptance *acceptance = NULL;

	initiation->solving = NULL;
	if (!packet_parse(in.octets, in.length, &in.view) && !read_offer(&in.view, &offer) &&
		!choose(host, &in, &offer))
		acceptance = make_acceptance(host, &in, &offer, solving);
	if (acceptance && !association_register_spi(host, association, acceptance->spi_in)) {
		commit(host, &in, &offer, association, acceptance);
	} else {
		acceptance_free(acceptance);
		association_set_timer(host, association, TIMER_EXCHANGE, instant_after(now, I1_FIRST_TIMEOUT));
	}
	solving_free(solving);
}

void r1_newer_input(struct host *host, struct incoming *in)
{
	const struct initiation *initiation = association_find(host, &in->view.sender)->initiation;
	struct parameter_r1_counter counter = {.counter = 0};

	(void)parameter_r1_counter_read(packet_find(&in->view, PARAMETER_R1_COUNTER), &counter);
	if (counter.counter > initiation->acceptance->counter ||
		(initiation->wants_puzzle && counter.counter == initiation->acceptance->counter))
		r1_input(host, in);
	else
		count(host, HOST_COUNT_DROP_OLD_R1);
}
