/* SPDX-License-Identifier: MIT */
#include "hip/crypto/puzzle.h"

#include <string.h>

void puzzle_source_start(
	struct puzzle_source *source, const struct random_source *random, duration lifetime, instant now)
{
	*source = (struct puzzle_source){.random = random, .lifetime = lifetime, .rotated = now, .generation = 1};
	random_fill(random, source->current, sizeof source->current);
	random_fill(random, source->previous, sizeof source->previous);
}

void puzzle_source_clear(struct puzzle_source *source)
{
	bytes_wipe(source, sizeof *source);
}

instant puzzle_source_next_rotation(const struct puzzle_source *source)
{
	return instant_after(source->rotated, source->lifetime);
}

bool puzzle_source_rotate(struct puzzle_source *source, instant now)
{
	if (now < puzzle_source_next_rotation(source))
		return false;
	bool previous_is_stale = now >= instant_after(puzzle_source_next_rotation(source), source->lifetime);
	if (previous_is_stale)
		random_fill(source->random, source->previous, sizeof source->previous);
	else
		memcpy(source->previous, source->current, sizeof source->previous);
	random_fill(source->random, source->current, sizeof source->current);
	source->rotated = now;
	source->generation++;
	return true;
}

static hiphop_error make_under(const uint8_t secret[static PUZZLE_SECRET_LENGTH], uint64_t generation,
	const struct puzzle_parties *parties, uint8_t difficulty, uint16_t opaque, uint8_t *i)
{
	uint8_t prefix[11];
	struct writer writer = writer_over(prefix, sizeof prefix);
	writer_u8(&writer, difficulty);
	writer_u16(&writer, opaque);
	writer_u64(&writer, generation);
	const struct span input[] = {{prefix, sizeof prefix}, {parties->initiator.octets, HIT_LENGTH},
		{parties->responder.octets, HIT_LENGTH}};
	return hmac_spans(parties->rhash, (struct span){secret, PUZZLE_SECRET_LENGTH}, input, 3, i);
}

hiphop_error puzzle_make(struct puzzle_source *source, instant now, const struct puzzle_parties *parties,
	uint8_t difficulty, uint16_t opaque, uint8_t *i)
{
	puzzle_source_rotate(source, now);
	return make_under(source->current, source->generation, parties, difficulty, opaque, i);
}

/* Which of the two secrets it was is no secret, so the second is asked only when it must be. */
static hiphop_error check_is_ours(const struct puzzle_source *source, const struct puzzle_parties *parties,
	uint8_t difficulty, uint16_t opaque, const uint8_t *i)
{
	const uint8_t *secrets[] = {source->current, source->previous};
	uint8_t expected[HASH_LENGTH_MAXIMUM];
	size_t length = hash_length(parties->rhash);
	for (unsigned age = 0; age < 2; age++) {
		hiphop_error error =
			make_under(secrets[age], source->generation - age, parties, difficulty, opaque, expected);
		if (error)
			return error;
		if (bytes_equal_constant_time(expected, i, length))
			return HIPHOP_OK;
	}
	return HIPHOP_BAD_PUZZLE;
}

hiphop_error puzzle_check(struct puzzle_source *source, instant now, const struct puzzle_parties *parties,
	uint8_t difficulty, uint16_t opaque, struct span i, struct span j)
{
	size_t length = hash_length(parties->rhash);
	if (!length)
		return HIPHOP_UNSUPPORTED;
	if (i.length != length || j.length != length)
		return HIPHOP_BAD_PUZZLE;
	puzzle_source_rotate(source, now);
	hiphop_error error = check_is_ours(source, parties, difficulty, opaque, i.data);
	return error ? error : puzzle_verify(parties, difficulty, i, j);
}

static bool low_bits_are_zero(const uint8_t *digest, size_t length, unsigned bits)
{
	while (bits >= 8) {
		if (digest[--length])
			return false;
		bits -= 8;
	}
	return !bits || !(digest[length - 1] & ((1U << bits) - 1));
}

hiphop_error puzzle_verify(const struct puzzle_parties *parties, uint8_t difficulty, struct span i, struct span j)
{
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	size_t length = hash_length(parties->rhash);
	if (!length)
		return HIPHOP_UNSUPPORTED;
	if (i.length != length || j.length != length || difficulty > 8 * length)
		return HIPHOP_BAD_PUZZLE;
	const struct span input[] = {
		i, {parties->initiator.octets, HIT_LENGTH}, {parties->responder.octets, HIT_LENGTH}, j};
	hiphop_error error = hash_spans(parties->rhash, input, 4, digest);
	if (error)
		return error;
	return low_bits_are_zero(digest, length, difficulty) ? HIPHOP_OK : HIPHOP_BAD_PUZZLE;
}

hiphop_error puzzle_search_start(struct puzzle_search *search, const struct puzzle_parties *parties, uint8_t difficulty,
	struct span i, const struct random_source *random)
{
	size_t length = hash_length(parties->rhash);
	if (!length || length > RHASH_LENGTH_MAXIMUM)
		return HIPHOP_UNSUPPORTED;
	if (i.length != length || difficulty > 8 * length)
		return HIPHOP_MALFORMED;
	*search = (struct puzzle_search){.parties = *parties, .difficulty = difficulty};
	memcpy(search->i, i.data, length);
	random_fill(random, search->j, length);
	return HIPHOP_OK;
}

static void increment(uint8_t *number, size_t length)
{
	while (length-- && !++number[length])
		;
}

hiphop_error puzzle_search_run(struct puzzle_search *search, uint64_t tries)
{
	size_t length = hash_length(search->parties.rhash);
	struct hash_context *context;
	hiphop_error error = hash_context_new(search->parties.rhash, &context);
	if (error)
		return error;
	const struct span input[] = {{search->i, length}, {search->parties.initiator.octets, HIT_LENGTH},
		{search->parties.responder.octets, HIT_LENGTH}, {search->j, length}};
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	for (error = HIPHOP_LIMITED; error == HIPHOP_LIMITED && tries; tries--) {
		hiphop_error failure = hash_context_compute(context, input, 4, digest);
		search->tries++;
		if (failure)
			error = failure;
		else if (low_bits_are_zero(digest, length, search->difficulty))
			error = HIPHOP_OK;
		else
			increment(search->j, length);
	}
	hash_context_free(context);
	return error;
}
