/* SPDX-License-Identifier: MIT */
#include "daemon/start_internal.h"

#include "hip/crypto/host_identity.h"
#include "kernel-helpers/files.h"

#include <errno.h>
#include <string.h>

bool start_state_directory(struct hiphopd *hiphopd)
{
	const char *path = hiphopd->configuration.state;
	const struct privilege_user *user = &hiphopd->user;
	if (directory_prepare(path, user->change, user->user, user->group) == HIPHOP_OK)
		return true;
	if (errno == EACCES || errno == EPERM)
		return start_fail(hiphopd,
			"The state directory %s cannot be made ready: %s; start as root, or name another `state`.",
			path, strerror(errno));
	return start_fail(hiphopd, "The state directory %s cannot be made ready: %s.", path, strerror(errno));
}

bool start_lock(struct hiphopd *hiphopd)
{
	const char *path = hiphopd->configuration.state;
	hiphop_error error = directory_lock(path, &hiphopd->lock);
	if (error == HIPHOP_EXISTS)
		return start_fail(hiphopd,
			"Another hiphopd runs on the state directory %s; give this one another `state`.", path);
	return !error || start_fail(hiphopd, "The lock %s/lock cannot be taken: %s.", path, strerror(errno));
}

/** A key of this kind, kept in the file `path`. */
static bool make_key(
	const struct hiphopd *hiphopd, const char *path, host_identity_kind kind, struct host_identity **identity)
{
	struct buffer text;
	hiphop_error error = host_identity_generate(kind, identity);
	if (!error)
		error = host_identity_to_pem(*identity, &text);
	if (error)
		return start_fail(hiphopd, "A host identity cannot be made: %s.", hiphop_error_text(error));
	error = file_write_secret(path, text.data, text.length, false);
	int error_number = errno;
	host_identity_pem_free(&text);
	if (error)
		return start_fail(hiphopd, "The new key %s cannot be written: %s.", path, strerror(error_number));
	log_write(&hiphopd->log, LOG_LEVEL_INFO, "made a new host identity in %s", path);
	return true;
}

static bool parse_key(
	const struct hiphopd *hiphopd, const char *path, struct buffer *text, struct host_identity **identity)
{
	hiphop_error error = host_identity_from_pem((const char *)text->data, text->length, identity);
	file_free_secret(text);
	if (error)
		return start_fail(hiphopd,
			"The key %s cannot be used (%s); it must be an unencrypted private key in PEM, as `hiphop "
			"keygen` makes it.",
			path, hiphop_error_text(error));
	if (file_is_open_to_others(path))
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "the key %s is open to others; `chmod 600` it", path);
	return true;
}

/** Peers would be told that such identities are not taken here. */
static bool suite_is_listed(
	const struct hiphopd *hiphopd, const char *what, const char *path, const struct host_identity *identity)
{
	const struct algorithm_list *suites = &hiphopd->configuration.hit_suites;
	uint8_t own = host_identity_suite(identity);
	struct algorithm algorithm = {.name = ""};
	if (memchr(suites->ids, own, suites->count))
		return true;
	(void)algorithm_by_id(ALGORITHM_HIT_SUITE, own, &algorithm);
	return start_fail(hiphopd, "%s%s is of the HIT suite \"%s\", which hip.hit_suites does not have.", what, path,
		algorithm.name);
}

/** Reads the key in `path`, or makes it when there is no such file. */
static bool take_key(
	const struct hiphopd *hiphopd, const char *path, host_identity_kind kind, struct host_identity **identity)
{
	struct buffer text;
	char hit[HIT_TEXT_SIZE];
	hiphop_error error = file_read(path, HOST_IDENTITY_PEM_MAXIMUM, &text);
	bool done;
	if (error == HIPHOP_NOT_FOUND)
		done = make_key(hiphopd, path, kind, identity);
	else if (error)
		done = start_fail(hiphopd, "The key %s cannot be read: %s.", path,
			error == HIPHOP_TOO_LARGE ? "it is too large" : strerror(errno));
	else
		done = parse_key(hiphopd, path, &text, identity);
	done = done && suite_is_listed(hiphopd, "The key ", path, *identity);
	if (done)
		log_write(&hiphopd->log, LOG_LEVEL_INFO, "this host is %s",
			hit_format(host_identity_hit(*identity), hit));
	return done;
}

bool start_identity(struct hiphopd *hiphopd)
{
	return take_key(hiphopd, hiphopd->configuration.key_file, HOST_IDENTITY_ECDSA_P256, &hiphopd->identity);
}

/** It is in the memory of this process alone; not even the log has its HIT. */
static bool make_anonymous(const struct hiphopd *hiphopd, host_identity_kind kind, struct host_identity **identity)
{
	hiphop_error error = host_identity_generate(kind, identity);
	if (error)
		return start_fail(hiphopd, "An anonymous identity cannot be made: %s.", hiphop_error_text(error));
	if (!suite_is_listed(hiphopd, "The anonymous identity", "", *identity))
		return false;
	log_write(&hiphopd->log, LOG_LEVEL_INFO, "made an anonymous identity, until the end of this run");
	return true;
}

static bool is_there_twice(const struct hiphopd *hiphopd, size_t index)
{
	const struct hit *hit = host_identity_hit(hiphopd->more[index]);
	bool twice = hit_equal(hit, host_identity_hit(hiphopd->identity));
	for (size_t i = 0; i < index; i++)
		twice |= hit_equal(hit, host_identity_hit(hiphopd->more[i]));
	return twice;
}

bool start_more_identities(struct hiphopd *hiphopd)
{
	const struct configuration *configuration = &hiphopd->configuration;
	for (size_t i = 0; i < configuration->more_count; i++) {
		const struct configured_identity *entry = &configuration->more[i];
		bool done = entry->anonymous ? make_anonymous(hiphopd, entry->kind, &hiphopd->more[i])
					     : take_key(hiphopd, entry->key_file, entry->kind, &hiphopd->more[i]);
		if (!done)
			return false;
		if (is_there_twice(hiphopd, i))
			return start_fail(hiphopd,
				"The key %s is that of another identity of this host; each needs one of its own.",
				entry->key_file);
	}
	return true;
}
