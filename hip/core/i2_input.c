/* SPDX-License-Identifier: MIT */
/*
 * I2 → R2 (RFC 7401 section 6.9), cheapest check first: state, generation, puzzle, policy, rate, choices,
 * Diffie-Hellman, MAC, decryption, HIT, signature. Nothing changes before the last; then all of it does.
 */
#include "hip/core/state_actions.h"

#include <stdlib.h>
#include <string.h>

/* What an I2 shows for the trouble it asks for. */
struct proof {
	struct parameter_r1_counter counter;
	struct parameter_solution solution;
	struct r1_generation *generation;
};

/* An I2 as read. Spans and views borrow the packet or `plain`. */
struct answer {
	struct parameter_esp_info esp_info;
	struct parameter_solution solution;
	struct parameter_diffie_hellman public;
	const struct hip_cipher *cipher;
	uint16_t suite;
	bool carries_hip;
	const struct parameter_view *encrypted;
	const struct parameter_view *host_id;
	struct parameter_locator_set locators;

	struct r1_generation *generation;
	struct exchange_keys keys;
	struct esp_key_pair esp_keys;
	const struct r1_entry *entry; /* of the generation */
	struct peer_certificates *certificates;
	bool probation;
	struct host_identity *identity;
	struct parameter_list inner;
	uint8_t plain[HIP_PARAMETERS_MAXIMUM];
};

/* ---- reading ---- */

static hiphop_error read_proof(const struct packet_view *view, struct proof *proof)
{
	hiphop_error error = parameter_r1_counter_read(packet_find(view, PARAMETER_R1_COUNTER), &proof->counter);

	return error ? error : parameter_solution_read(packet_find(view, PARAMETER_SOLUTION), &proof->solution);
}

static hiphop_error read_answer(const struct packet_view *view, struct answer *answer)
{
	hiphop_error error = parameter_esp_info_read(packet_find(view, PARAMETER_ESP_INFO), &answer->esp_info);

	if (!error)
		error = parameter_diffie_hellman_read(packet_find(view, PARAMETER_DIFFIE_HELLMAN), &answer->public);
	answer->encrypted = packet_find(view, PARAMETER_ENCRYPTED);
	answer->host_id = packet_find(view, PARAMETER_HOST_ID);
	return error;
}

static uint16_t opaque_of(const struct parameter_solution *solution)
{
	return (uint16_t)(solution->opaque[0] << 8 | solution->opaque[1]);
}

static struct span puzzle_of(const struct parameter_solution *solution)
{
	return (struct span){solution->random_i, solution->random_length};
}

/* RFC 7401 section 5.4.3: over IPv6, with the place of #J. */
static void tell_puzzle(struct host *host, const struct incoming *in, const struct proof *proof)
{
	size_t solution = packet_find(&in->view, PARAMETER_SOLUTION)->offset;

	if (!address_is_ipv4(&in->arrival->remote.address))
		problem_of_packet(host, in, ICMP_PARAMETER_PROBLEM, solution + 8 + proof->solution.random_length);
}

static hiphop_error check_puzzle(struct host *host, const struct incoming *in, struct proof *proof)
{
	const struct parameter_solution *solution = &proof->solution;
	const struct puzzle_parties parties = {
		.rhash = host_identity_rhash(host->identity), .initiator = in->view.sender, .responder = host->self};
	struct span i = puzzle_of(solution);
	struct span j = {solution->solution_j, solution->random_length};

	proof->generation = r1_pool_find(&host->r1_pool, proof->counter.counter, in->now);
	/* #I vouches for the #K that we asked for. */
	if (!proof->generation ||
		puzzle_check(&host->puzzles, in->now, &parties, solution->difficulty, opaque_of(solution), i, j))
		return HIPHOP_BAD_PUZZLE;
	return r1_generation_is_solved(proof->generation, i) ? HIPHOP_REPLAYED : HIPHOP_OK;
}

/* A solved puzzle is good for a few computations, a source prefix for a part of them all. */
static bool has_computing_time(struct host *host, const struct incoming *in, const struct proof *proof)
{
	const struct address *from = &in->arrival->remote.address;
	struct span i = puzzle_of(&proof->solution);

	return hashed_rates_take(&host->i2_puzzles, i.data, i.length, in->now, 1) &&
	       (in->arrival->inside_esp ||
		       hashed_rates_take(&host->i2_prefixes, from->octets, address_prefix_length(from), in->now, 1)) &&
	       token_bucket_take(&host->i2_rate, in->now);
}

/* One value each, and one that the R1 offered. What to notify otherwise, or 0. */
static uint16_t read_choices(const struct host *host, const struct packet_view *view, struct answer *answer)
{
	const struct host_configuration *configuration = &host->configuration;
	struct parameter_suite_list list;
	struct parameter_transport_format_list formats;
	struct parameter_transport_mode mode;

	if (parameter_hip_cipher_read(packet_find(view, PARAMETER_HIP_CIPHER), &list) || list.count != 1 ||
		list.items[0] > 255 ||
		!memchr(configuration->hip_ciphers, (int)list.items[0], configuration->hip_cipher_count))
		return NOTIFY_INVALID_HIP_CIPHER_CHOSEN;
	answer->cipher = hip_cipher_by_id(list.items[0]);
	if (parameter_transport_format_list_read(packet_find(view, PARAMETER_TRANSPORT_FORMAT_LIST), &formats) ||
		formats.count != 1 || formats.items[0] != PARAMETER_ESP_TRANSFORM)
		return NOTIFY_NO_ESP_PROPOSAL_CHOSEN;
	if (parameter_esp_transform_read(packet_find(view, PARAMETER_ESP_TRANSFORM), &list) || list.count != 1 ||
		list.items[0] > 255 ||
		!memchr(configuration->esp_suites, (int)list.items[0], configuration->esp_suite_count))
		return NOTIFY_INVALID_ESP_TRANSFORM_CHOSEN;
	answer->suite = list.items[0];
	if (parameter_transport_mode_read(packet_find(view, PARAMETER_HIP_TRANSPORT_MODE), &mode) || !mode.modes.count)
		return 0;
	if (mode.modes.items[0] != HIP_TRANSPORT_ESP || !configuration->overlay)
		return NOTIFY_NO_VALID_HIP_TRANSPORT_MODE;
	answer->carries_hip = true;
	return 0;
}

/* ---- verifying ---- */

static hiphop_error derive_keys(struct host *host, const struct incoming *in, struct answer *answer)
{
	const struct host_configuration *configuration = &host->configuration;
	const struct parameter_solution *solution = &answer->solution;
	struct r1_entry *entry = NULL;
	struct exchange_agreement agreement = {.peer_public_value = answer->public.public_value,
		.parties = {.rhash = host_identity_rhash(host->identity),
			.initiator = in->view.sender,
			.responder = host->self},
		.i = {solution->random_i, solution->random_length},
		.j = {solution->solution_j, solution->random_length},
		.cipher = answer->cipher,
		.suite = answer->suite,
		.own = host->self};

	for (size_t i = 0; i < configuration->dh_group_count; i++) {
		if (configuration->dh_groups[i] == answer->public.group)
			entry = answer->generation->entries[i];
	}
	if (!entry)
		return HIPHOP_UNSUPPORTED;
	answer->entry = entry;
	agreement.own_key = entry->key;
	return exchange_keys_derive(&agreement, &answer->keys, &answer->esp_keys);
}

static hiphop_error decrypt(struct answer *answer)
{
	const struct hip_cipher *cipher = answer->keys.cipher;
	struct parameter_encrypted encrypted;
	struct span sealed;
	size_t length;
	hiphop_error error = parameter_encrypted_read(answer->encrypted, cipher->iv_length, &encrypted);

	if (error)
		return error;
	/* IV and data lie side by side in the parameter. */
	sealed.data = cipher->iv_length ? encrypted.iv.data : encrypted.data.data;
	sealed.length = cipher->iv_length + encrypted.data.length;
	if (sealed.length > sizeof answer->plain)
		return HIPHOP_TOO_LARGE;
	error = hip_cipher_open(cipher, (struct span){answer->keys.incoming.encryption, cipher->key_length}, sealed,
		answer->plain, &length);
	return error ? error : parameters_parse(answer->plain, length, &answer->inner);
}

/* HOST_ID and LOCATOR_SET are in ENCRYPTED or beside it. */
static hiphop_error read_hidden(struct host *host, const struct incoming *in, struct answer *answer)
{
	const struct parameter_view *locators = packet_find(&in->view, PARAMETER_LOCATOR_SET);
	hiphop_error error;

	if (answer->encrypted) {
		error = decrypt(answer);
		if (error) {
			count(host, HOST_COUNT_DROP_DECRYPTION);
			return error;
		}
		if (!answer->host_id)
			answer->host_id = parameters_find(&answer->inner, PARAMETER_HOST_ID);
		if (!locators)
			locators = parameters_find(&answer->inner, PARAMETER_LOCATOR_SET);
	}
	if (!locators || parameter_locator_set_read(locators, &answer->locators))
		answer->locators.count = 0;
	return HIPHOP_OK;
}

/* What to tell when something fails (0: nothing), and what was right until then. */
struct failure {
	uint16_t notification;
	notification_proof shown;
};

/* What is left when all is verified. */
static hiphop_error check_esp_info(const struct answer *answer)
{
	const struct parameter_esp_info *esp_info = &answer->esp_info;

	return esp_info->new_spi >= 256 && !esp_info->old_spi && esp_info->keymat_index == answer->keys.keymat_index
		       ? HIPHOP_OK
		       : HIPHOP_MALFORMED;
}

static hiphop_error verify(struct host *host, const struct incoming *in, struct answer *answer, struct failure *failure)
{
	hiphop_error error;

	*failure = (struct failure){.notification = 0, .shown = SHOWN_PUZZLE};
	error = derive_keys(host, in, answer);
	if (error) {
		count(host, error == HIPHOP_NO_MEMORY ? HOST_COUNT_DROP_NO_MEMORY : HOST_COUNT_DROP_DH);
		/* A public value that is none is answered with silence (RFC 7401 section 5.3.2). */
		if (error == HIPHOP_UNSUPPORTED)
			failure->notification = NOTIFY_INVALID_DH_CHOSEN;
		return error;
	}
	failure->notification = NOTIFY_HIP_MAC_FAILED;
	error = verify_mac(host, in, &answer->keys);
	if (error)
		return error;
	*failure = (struct failure){.notification = NOTIFY_ENCRYPTION_FAILED, .shown = SHOWN_KEYS};
	error = read_hidden(host, in, answer);
	if (error)
		return error;
	/* Decrypted to something else than a HOST_ID: silence (RFC 7401 section 6.9 step 11). */
	failure->notification = answer->host_id ? NOTIFY_INVALID_HIT : 0;
	error = verify_identity(host, &in->view.sender, answer->host_id, &answer->identity);
	if (error)
		return error;
	failure->notification = NOTIFY_AUTHENTICATION_FAILED;
	error = verify_signature(host, in, answer->identity, PARAMETER_HIP_SIGNATURE);
	if (error)
		return error;
	*failure = (struct failure){.notification = NOTIFY_INVALID_SYNTAX, .shown = SHOWN_IDENTITY};
	error = check_esp_info(answer);
	if (error)
		count(host, HOST_COUNT_DROP_MALFORMED);
	return error;
}

/* ---- answering ---- */

/* What an R2 says; own certificates go in from the place `certificates` on, which becomes that of the first that did
 * not fit. `route` is NULL for one that does not go over the overlay. */
struct r2_contents {
	const struct exchange_keys *keys;
	uint32_t spi_in;
	const struct data_route *route;
	size_t certificates;
};

/* Over the overlay an R2 has room for ROUTE_DST. */
#define ROOM_OVERLAY (3 * 16 + 16 * ROUTE_HITS_MAXIMUM)

static hiphop_error build_r2(
	struct host *host, const struct incoming *in, struct r2_contents *contents, struct outgoing *out)
{
	const struct exchange_keys *keys = contents->keys;
	const struct data_route *route = contents->route;
	const struct parameter_esp_info esp_info = {.keymat_index = keys->keymat_index, .new_spi = contents->spi_in};
	const struct parameter_host_id host_id = own_host_id(host);
	uint8_t host_id_octets[HOST_IDENTITY_OCTETS_MAXIMUM + DOMAIN_IDENTIFIER_MAXIMUM + 32];
	struct protection protection = {
		.keys = keys, .mac_type = PARAMETER_HIP_MAC_2, .signature_type = PARAMETER_HIP_SIGNATURE};
	struct packet_builder inner;
	size_t length;
	hiphop_error error;

	packet_builder_start_inner(&inner, host_id_octets, sizeof host_id_octets);
	parameter_host_id_write(&inner, &host_id);
	error = packet_builder_finish(&inner, &length);
	if (error)
		return error;
	protection.host_id = (struct span){host_id_octets, length};
	outgoing_start(host, out, HIP_PACKET_R2, &in->view.sender);
	parameter_esp_info_write(&out->builder, &esp_info);
	contents->certificates =
		own_certificates_write(host->configuration.certificates, &out->builder, contents->certificates,
			outgoing_protection_room(host) + outgoing_echo_room(in) + (route ? ROOM_OVERLAY : 0));
	outgoing_echo_signed(out, in);
	if (route)
		outgoing_overlay_covered(host, out, route);
	error = outgoing_protect(host, out, &protection);
	if (error)
		return error;
	outgoing_echo_unsigned(out, in);
	if (route)
		outgoing_overlay_uncovered(host, out, false);
	return outgoing_finish(out);
}

/* ---- an I2 that came again ---- */

/* A verified repetition over the overlay says that the direct way is no way: the Initiator never got our R2. */
static void answer_again_over_overlay(struct host *host, const struct incoming *in, struct association *association)
{
	const struct session *session = association->session;
	struct data_route route;
	struct r2_contents contents = {.keys = &session->keys,
		.spi_in = session->spi_in,
		.route = &route,
		.certificates = session->certificates ? session->certificates->first : 0};
	struct outgoing out;
	struct way way;

	route.count = 0;
	if (verify_signature(host, in, session->identity, PARAMETER_HIP_SIGNATURE) ||
		(in->overlay ? !way_back(host, in, &route, &way)
			     : !way_over_overlay(host, &association->peer, &association->peer, &way)) ||
		build_r2(host, in, &contents, &out))
		return;
	if (session->direct && session_lose_path(host, association))
		count(host, HOST_COUNT_DROP_NO_MEMORY);
	else
		outgoing_send(host, &way, out.octets, out.length);
}

/* In R2-SENT with the R2 as it was, later with one like it: the peer may still be waiting when the exchange was only
 * taken to be complete (RFC 7401 sections 4.4.1, 6.9 step 4). */
static void answer_again(struct host *host, const struct incoming *in, const struct session *session)
{
	struct r2_contents contents = {.keys = &session->keys,
		.spi_in = session->spi_in,
		.certificates = session->certificates ? session->certificates->first : 0};
	struct outgoing out;
	struct way way;

	way_of_arrival(in->arrival, &way);
	count(host, HOST_COUNT_RETRANSMITTED);
	if (session->r2.length)
		outgoing_send(host, &way, session->r2.data, session->r2.length);
	else if (!build_r2(host, in, &contents, &out))
		outgoing_send(host, &way, out.octets, out.length);
}

/* True when this is the I2 behind the present session; it is answered with the R2 we have. */
static bool is_repetition(struct host *host, const struct incoming *in, struct association *association,
	const struct parameter_solution *solution)
{
	struct session *session = association ? association->session : NULL;

	if (!session || session->initiator || session->state >= HOST_CLOSING ||
		solution->random_length != hash_length(session->keys.rhash) ||
		!bytes_equal_constant_time(session->keys.i, solution->random_i, solution->random_length))
		return false;
	/* The MAC before the rate, so that a stranger cannot use it up. */
	if (verify_mac(host, in, &session->keys))
		return true;
	if (!token_bucket_take(&association->answers, in->now)) {
		count(host, HOST_COUNT_DROP_I2_RATE);
		return true;
	}
	/* One that was on its way already says nothing of the R2 that went back. */
	if (in->overlay && session->direct && in->now < instant_after(session->began, I2_FIRST_TIMEOUT / 2)) {
		count(host, HOST_COUNT_DROP_WRONG_STATE);
		return true;
	}
	/* The peer may try both ways, but the session has none for ESP. */
	if (in->overlay || !session->direct)
		answer_again_over_overlay(host, in, association);
	else if (!session->rekeys)
		answer_again(host, in, session);
	return true;
}

/* Two exchanges crossed, ours or another of the peer came to this session, and the peer has dropped the one behind this
 * I2, which was overtaken on the way: to take it would leave both ends with different keys. */
static bool is_overtaken(
	const struct incoming *in, const struct association *association, const struct parameter_solution *solution)
{
	const struct session *session = association ? association->session : NULL;

	return session && in->now < instant_after(session->began, CROSSED_I2_LIVES) &&
	       opaque_is_before(opaque_of(solution), session->opaque_mark);
}

/* It came over the overlay alone, so that no ESP would come of it, and the peer is heard: it has found a way meanwhile,
 * or will, with the session that there is. Who has lost that is not heard by it. */
static bool is_needless(const struct host *host, const struct incoming *in, const struct association *association)
{
	const struct session *session = association ? association->session : NULL;
	struct esp_traffic esp;

	if (!in->overlay || !session || !session->has_sas || session->state >= HOST_CLOSING)
		return false;
	esp = esp_traffic_of(host, association);
	return in->now < instant_after(session->control_heard, SILENT_AFTER) ||
	       (esp.heard && in->now < instant_after(esp.heard, SILENT_AFTER));
}

/* ---- the commit ---- */

struct commitment {
	struct association *association;
	struct session *session;
	struct queued_effect *install, *change, *r2;
};

static void abandon(struct host *host, struct commitment *made)
{
	session_free(made->session);
	effect_discard(made->install);
	effect_discard(made->change);
	effect_discard(made->r2);
	if (made->association)
		association_release_if_idle(host, made->association);
}

static void fill_session(struct session *session, const struct incoming *in, struct answer *answer, uint32_t spi_in)
{
	session->state = in->rule->next;
	session->direct = !in->overlay;
	session->carries_hip = answer->carries_hip;
	session->overlay_hops = opaque_overlay_hops(opaque_of(&answer->solution));
	session->local = in->arrival->local;
	session->remote = in->arrival->remote;
	session->spi_in = spi_in;
	session->spi_out = answer->esp_info.new_spi;
	/* What has come from the peer may go where it has not answered (RFC 8046 section 5.6). */
	session->credit = (uint32_t)in->length;
	session->keys = answer->keys;
	session->own_key = diffie_hellman_share(answer->entry->key);
	session->identity = answer->identity;
	answer->identity = NULL;
	session->opaque_mark = opaque_of(&answer->solution);
}

/* Everything that can fail. */
static hiphop_error prepare(struct host *host, const struct incoming *in, struct answer *answer, const struct way *way,
	const struct data_route *route, struct commitment *made)
{
	uint32_t spi_in = association_new_spi(host);
	bool over_overlay = opaque_overlay_hops(opaque_of(&answer->solution)) > 0;
	uint8_t first = over_overlay ? 0 : answer->entry->certificates;
	struct r2_contents contents = {
		.keys = &answer->keys, .spi_in = spi_in, .route = in->overlay ? route : NULL, .certificates = first};
	struct outgoing out;
	hiphop_error error = association_obtain(host, in->now, &in->view.sender, &made->association);

	if (error)
		return error;
	error = build_r2(host, in, &contents, &out);
	if (error)
		return error;
	made->session = session_make();
	made->change = effect_make(HOST_ASSOCIATION, 0);
	made->install = in->overlay ? NULL : effect_make(HOST_INSTALL_SA, 0);
	made->r2 = outgoing_effect(host, way, out.octets, out.length);
	if (!made->session || !made->change || !made->r2 || (!in->overlay && !made->install))
		return HIPHOP_NO_MEMORY;
	if (!in->overlay && buffer_copy(&made->session->r2, out.octets, out.length))
		return HIPHOP_NO_MEMORY;
	if (buffer_copy(
		    &made->session->peer_public, answer->public.public_value.data, answer->public.public_value.length))
		return HIPHOP_NO_MEMORY;
	fill_session(made->session, in, answer, spi_in);
	error = certificates_prepare(
		host, made->session, answer->certificates, answer->probation, first, contents.certificates);
	if (error)
		return error;
	error = association_register_spi(host, made->association, spi_in);
	if (error)
		return error;
	error = r1_generation_note_solved(
		answer->generation, (struct span){answer->solution.random_i, answer->solution.random_length});
	if (error)
		association_unregister_spi(host, spi_in);
	return error;
}

/* A peer that has been elsewhere since is worth more than one try. */
static void take_locators(
	struct host *host, struct association *association, const struct parameter_locator_set *locators)
{
	uint32_t told = (uint32_t)candidates_digest(locators);

	if (association->told != told)
		association->pathless_tries = 0;
	association->told = told;
	candidates_learn(host, &association->peer, locators);
}

static void accept(struct host *host, struct incoming *in, struct answer *answer)
{
	struct commitment made = {NULL, NULL, NULL, NULL, NULL};
	struct data_route route = {.count = 0};
	struct way way;
	hiphop_error error;

	if (!way_back(host, in, &route, &way)) {
		count(host, HOST_COUNT_DROP_NO_ROUTE);
		return;
	}
	error = prepare(host, in, answer, &way, &route, &made);
	if (error) {
		count(host, error == HIPHOP_LIMITED ? HOST_COUNT_DROP_TOO_MANY : HOST_COUNT_DROP_NO_MEMORY);
		abandon(host, &made);
		notify_sender(host, in, NOTIFY_RESPONDER_BUSY_PLEASE_RETRY, (struct span){NULL, 0}, SHOWN_PUZZLE);
		return;
	}
	association_note_peer(made.association, sender_is_anonymous(in), answer->host_id);
	association_note_certificates(host, made.association, &answer->certificates);
	session_commit(host, in->now, made.association, made.session, &answer->esp_keys, made.install, made.change);
	effects_add(&host->effects, made.r2);
	count_out(host, HIP_PACKET_R2);
	take_locators(host, made.association, &answer->locators);
}

static void refuse_by_policy(struct host *host, const struct incoming *in)
{
	count(host, HOST_COUNT_DROP_POLICY);
	notify_sender(host, in, NOTIFY_BLOCKED_BY_POLICY, (struct span){NULL, 0}, SHOWN_PUZZLE);
}

/* It has proved who it is, but not what this host asks for (RFC 8002 section 5). */
static void refuse_uncertified(
	struct host *host, const struct incoming *in, const struct peer_certificates *certificates)
{
	uint8_t octets[2];
	bool sent = certificates && certificates->judged;

	count(host, HOST_COUNT_DROP_POLICY);
	notify_sender(host, in, sent ? NOTIFY_INVALID_CERTIFICATE : NOTIFY_CREDENTIALS_REQUIRED,
		certificates_culprit(certificates, octets), SHOWN_IDENTITY);
}

static struct host_claim claim_of(const struct incoming *in, const struct parameter_solution *solution)
{
	return (struct host_claim){.over_overlay = in->overlay || opaque_overlay_hops(opaque_of(solution)) > 0};
}

/* The puzzle is solved, and there is time to compute. */
static void process(struct host *host, struct incoming *in, struct answer *answer)
{
	struct host_claim claim = claim_of(in, &answer->solution);
	struct failure failure;
	uint16_t notification;

	if (read_answer(&in->view, answer)) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		return;
	}
	notification = read_choices(host, &in->view, answer);
	if (notification) {
		count(host, HOST_COUNT_DROP_NO_PROPOSAL);
		notify_sender(host, in, notification, (struct span){NULL, 0}, SHOWN_PUZZLE);
		return;
	}
	if (verify(host, in, answer, &failure)) {
		notify_sender(host, in, failure.notification, (struct span){NULL, 0}, failure.shown);
		return;
	}
	if (certificates_take(host, in->now, &in->view, answer->identity, &answer->certificates))
		return;
	claim_is_proved(&claim, answer->host_id);
	claim.certificate = peer_certificates_state(answer->certificates, true);
	switch (peer_may_associate(host, in->now, &in->view.sender, &claim)) {
	case HOST_DENIED:
		refuse_by_policy(host, in);
		return;
	case HOST_UNCERTIFIED:
		answer->probation = claim.certificate == HOST_CERTIFICATE_PENDING;
		if (!answer->probation) {
			refuse_uncertified(host, in, answer->certificates);
			return;
		}
		break;
	case HOST_ALLOWED:
		break;
	}
	accept(host, in, answer);
}

static void process_proved(struct host *host, struct incoming *in, const struct proof *proof)
{
	struct answer *answer = calloc(1, sizeof *answer);

	if (!answer) {
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	answer->solution = proof->solution;
	answer->generation = proof->generation;
	process(host, in, answer);
	host_identity_free(answer->identity);
	certificates_free(host, answer->certificates);
	bytes_wipe(answer, sizeof *answer);
	free(answer);
}

bool i2_is_solved(struct host *host, const struct incoming *in)
{
	struct proof proof;

	return !read_proof(&in->view, &proof) && !check_puzzle(host, in, &proof);
}

static bool may_come(struct host *host, const struct incoming *in)
{
	/* In silence: the R1 has said which HIT Suites are taken (RFC 7401 section 6.9 step 3). */
	if (!hit_is_host(&in->view.sender) || !hit_suite_is_accepted(host, &in->view.sender))
		count(host, HOST_COUNT_DROP_UNSUPPORTED);
	else if (in->arrival->inside_esp && !in->overlay)
		count(host, HOST_COUNT_DROP_NOT_FOR_US);
	else if (host->configuration.refuse_anonymous && sender_is_anonymous(in))
		count(host, HOST_COUNT_DROP_POLICY);
	else
		return true;
	return false;
}

void i2_input(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	struct host_claim claim;
	struct proof proof;
	hiphop_error error;

	puzzle_difficulty_note_i2(&host->difficulty, in->now);
	if (!may_come(host, in))
		return;
	if (read_proof(&in->view, &proof)) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		return;
	}
	if (is_overtaken(in, association, &proof.solution)) {
		count(host, HOST_COUNT_DROP_WRONG_STATE);
		return;
	}
	if (is_repetition(host, in, association, &proof.solution))
		return;
	if (is_needless(host, in, association)) {
		count(host, HOST_COUNT_DROP_WRONG_STATE);
		return;
	}
	error = check_puzzle(host, in, &proof);
	claim = claim_of(in, &proof.solution);
	if (error) {
		count(host, error == HIPHOP_REPLAYED ? HOST_COUNT_DROP_REPLAYED : HOST_COUNT_DROP_PUZZLE);
		if (error != HIPHOP_REPLAYED)
			tell_puzzle(host, in, &proof);
	} else if (!peer_may_associate(host, in->now, &in->view.sender, &claim)) {
		refuse_by_policy(host, in);
	} else if (!has_computing_time(host, in, &proof)) {
		count(host, HOST_COUNT_DROP_I2_RATE);
		notify_sender(host, in, NOTIFY_RESPONDER_BUSY_PLEASE_RETRY, (struct span){NULL, 0}, SHOWN_PUZZLE);
	} else {
		process_proved(host, in, &proof);
	}
}

/* The peer may have moved since it sent its R1; then our I2 does not reach it where that came from. */
void i2_meet(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	struct proof proof;

	count(host, in->rule->drop);
	if (!in->arrival->inside_esp && !read_proof(&in->view, &proof) &&
		token_bucket_take(&association->answers, in->now) && !check_puzzle(host, in, &proof))
		initiator_meet_i2(host, association, in);
}
