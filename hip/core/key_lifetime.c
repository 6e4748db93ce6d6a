/* SPDX-License-Identifier: MIT */
/*
 * How long ESP keys are used (RFC 7402 sections 3.3.6 and 3.3.7): at the soft limit a rekeying begins, at the hard
 * limit the SAs are given up and a base exchange makes new ones.
 *
 * What a key may carry is bounded by its cipher. With AES, two equal blocks become likely near 2^64 of them; 2^34
 * blocks (256 GiB) leave an attacker an advantage of 2^-60 with GCM, CCM and CBC, about where RFC 8446 section 5.5
 * draws the line for AES-GCM.
 */
#include "hip/core/host_internal.h"

/* Two rekeyings that this host begins are at least so far apart, so that the pair before the last is out of use. */
#define REKEY_SPACING SECONDS(1)
/* After a rekeying that failed; and again somewhat later, so that both ends do not fail together. */
#define REKEY_RETRY                SECONDS(20)
#define REKEY_RETRY_SPREAD         SECONDS(10)
#define REKEY_DURING_BASE_EXCHANGE SECONDS(1)

static const struct {
	esp_mode mode;
	uint64_t packets, octets; /* of one key */
} bounds[] = {
	{ESP_MODE_CBC, UINT64_C(1) << 32, UINT64_C(1) << 38},
	{ESP_MODE_CCM, UINT64_C(1) << 32, UINT64_C(1) << 38},
	{ESP_MODE_GCM, UINT64_C(1) << 32, UINT64_C(1) << 38},
	{ESP_MODE_GMAC, UINT64_C(1) << 32, UINT64_C(1) << 38},
	/* HMAC, or AES-CMAC (RFC 4493 section 5): no ciphertext blocks that could collide. */
	{ESP_MODE_NULL, UINT64_C(1) << 48, UINT64_MAX},
};

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t limit_or(uint64_t limit, uint64_t otherwise)
{
	return limit ? lesser(limit, otherwise) : otherwise;
}

/* Up to a fifth less. */
static uint64_t somewhat_before(const struct host *host, uint64_t limit)
{
	uint64_t before = limit - random_u64(host->random) % (limit / 5 + 1);

	return before ? before : 1;
}

static uint64_t soft_limit(const struct host *host, uint64_t configured, uint64_t hard)
{
	return somewhat_before(host, limit_or(configured, hard - hard / 4));
}

struct host_key_limits key_lifetime_hard(const struct host *host, uint16_t suite)
{
	const struct host_key_limits *expire = &host->configuration.expire;
	const esp_mode mode = esp_suite_by_id(suite)->mode;
	size_t row = 0;

	while (bounds[row].mode != mode)
		row++;
	return (struct host_key_limits){.time = expire->time,
		.packets = limit_or(expire->packets, bounds[row].packets),
		.octets = limit_or(expire->octets, bounds[row].octets)};
}

struct host_key_limits key_lifetime_soft(const struct host *host, uint16_t suite)
{
	const struct host_key_limits *rekey = &host->configuration.rekey, hard = key_lifetime_hard(host, suite);

	return (struct host_key_limits){.time = somewhat_before(host, lesser(rekey->time, hard.time - hard.time / 4)),
		.packets = soft_limit(host, rekey->packets, hard.packets),
		.octets = soft_limit(host, rekey->octets, hard.octets)};
}

void key_lifetime_arm(struct host *host, instant now, struct association *association)
{
	const struct session *session = association->session;
	instant next = session->rekeying ? rekey_wake(association) : session->rekey_at;

	next = instant_earlier(next, session->expire_at);
	association_set_timer(host, association, TIMER_KEYS, next > now ? next : now + 1);
}

void key_lifetime_start(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (!session->has_sas) {
		association_cancel_timer(host, association, TIMER_KEYS);
		return;
	}
	session->keyed = now;
	session->rekey_at = instant_after(now, session->soft.time);
	session->expire_at = instant_after(now, key_lifetime_hard(host, session->keys.suite).time);
	key_lifetime_arm(host, now, association);
}

static bool has_keys(const struct association *association)
{
	return association->session && association->session->has_sas && association->session->state < HOST_CLOSING;
}

static void tell(struct host *host, const struct association *association, const char *what)
{
	struct queued_effect *told = effect_make(HOST_EVENT, 0);
	char peer[HIT_TEXT_SIZE];

	log_write(host->log, LOG_LEVEL_INFO, "%s: %s", association_peer_text(association, peer), what);
	if (told) {
		told->effect.peer = association->peer;
		told->effect.event = what;
	}
	effects_add(&host->effects, told);
}

/* ---- the soft limit ---- */

void key_lifetime_rekey_failed(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	count(host, HOST_COUNT_REKEY_FAILED);
	tell(host, association, "new ESP keys could not be agreed");
	session->rekey_at = instant_after(now, REKEY_RETRY + random_u64(host->random) % (REKEY_RETRY_SPREAD + 1));
}

static void renew(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (association->initiation)
		session->rekey_at = instant_after(now, REKEY_DURING_BASE_EXCHANGE);
	else if (rekey_begin(host, now, association, !host->configuration.rekey_without_diffie_hellman))
		key_lifetime_rekey_failed(host, now, association);
}

static void soft_limit_reached(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;
	instant earliest = instant_after(session->keyed, REKEY_SPACING);

	session->rekey_at = instant_earlier(session->rekey_at, earliest > now ? earliest : now);
	key_lifetime_arm(host, now, association);
}

/* ---- the hard limit ---- */

static void give_up(struct host *host, instant now, struct association *association, hiphop_error reason)
{
	session_end(host, now, association, HOST_UNASSOCIATED, reason);
	session_drop(host, association);
}

static void expire(struct host *host, instant now, struct association *association)
{
	count(host, HOST_COUNT_KEYS_EXPIRED);
	tell(host, association, "the ESP keys are too old and are given up");
	give_up(host, now, association, HIPHOP_TIMEOUT);
	if (!association->initiation && initiator_begin(host, now, association))
		association_release_if_idle(host, association);
}

/* The next packet for the peer begins a new exchange. */
static void lost(struct host *host, instant now, struct association *association, uint32_t spi_in)
{
	if (association->session->spi_in == spi_in) {
		give_up(host, now, association, HIPHOP_NO_MEMORY);
		association_release_if_idle(host, association);
	} else if (rekey_has(association->session, spi_in)) {
		rekey_drop(host, association->session, &association->peer);
		key_lifetime_rekey_failed(host, now, association);
		key_lifetime_arm(host, now, association);
	}
}

void key_lifetime_timer(struct host *host, instant now, struct association *association)
{
	struct session *session = association->session;

	if (!has_keys(association))
		return;
	if (now >= session->expire_at) {
		expire(host, now, association);
		return;
	}
	if (session->rekeying)
		rekey_timer(host, now, association);
	else if (now >= session->rekey_at)
		renew(host, now, association);
	key_lifetime_arm(host, now, association);
}

/* ---- the pair before ---- */

static void prove(struct host *host, instant now, struct association *association)
{
	association->session->proven = true;
	if (association->retired)
		association_set_timer(host, association, TIMER_RETIRED, instant_after(now, OLD_SA_KEPT));
}

void key_lifetime_retired_timer(struct host *host, instant now, struct association *association)
{
	const struct session *retired = association->retired;

	if (retired && association->session && !association->session->proven && now < retired->expire_at) {
		association_set_timer(host, association, TIMER_RETIRED, instant_after(now, OLD_SA_KEPT));
		return;
	}
	association_retired_over(host, association);
	association_release_if_idle(host, association);
}

/* ---- what the data plane tells ---- */

void host_note_sa(struct host *host, instant now, uint32_t spi_in, host_sa_notice notice)
{
	struct association *association = map_get(&host->by_spi, &spi_in);

	effects_release_taken(&host->effects);
	if (!association || !has_keys(association))
		return;
	if (notice == HOST_SA_SENDS) {
		if (association->session->mobility)
			association->session->mobility->watched = false;
		mobility_arm(host, now, association);
		return;
	}
	if (notice == HOST_SA_LOST) {
		lost(host, now, association, spi_in);
		return;
	}
	if (notice == HOST_SA_HEARD && rekey_has(association->session, spi_in))
		rekey_heard(host, now, association);
	if (association->session->spi_in != spi_in)
		return;
	if (notice == HOST_SA_HEARD && !association->session->proven)
		prove(host, now, association);
	else if (notice == HOST_SA_SOFT_LIMIT)
		soft_limit_reached(host, now, association);
	else if (notice == HOST_SA_HARD_LIMIT)
		expire(host, now, association);
}
