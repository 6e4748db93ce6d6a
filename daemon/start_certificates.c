/* SPDX-License-Identifier: MIT */
#include "daemon/start_internal.h"

#include "hip/crypto/certificate.h"
#include "kernel-helpers/files.h"

#include <errno.h>
#include <string.h>

static bool read_text(const struct hiphopd *hiphopd, const char *path, struct buffer *text)
{
	hiphop_error error = file_read(path, CERTIFICATE_PEM_MAXIMUM, text);

	return !error || start_fail(hiphopd, "The certificates in %s cannot be read: %s.", path,
				 error == HIPHOP_TOO_LARGE   ? "the file is too large"
				 : error == HIPHOP_NOT_FOUND ? "there is no such file"
							     : strerror(errno));
}

static const char *what_is_wrong(hiphop_error error)
{
	switch (error) {
	case HIPHOP_NOT_FOUND:
		return "there is none in it";
	case HIPHOP_BAD_IDENTITY:
		return "the first is not of this host: its key is another, or its Subject Alternative Name has another "
		       "HIT";
	case HIPHOP_TOO_LARGE:
		return "one is longer than 1400 octets, or there are more than 8";
	case HIPHOP_MALFORMED:
		return "they must be X.509 in PEM";
	default:
		return hiphop_error_text(error);
	}
}

/* `path` empty: the identity has none. */
static bool take_chain(struct hiphopd *hiphopd, const char *path, const struct host_identity *identity,
	struct certificate_chain *chain)
{
	struct buffer text;
	hiphop_error error;

	if (!*path)
		return true;
	if (!read_text(hiphopd, path, &text))
		return false;
	error = certificate_chain_from_pem((const char *)text.data, text.length, identity, chain);
	file_free_secret(&text);
	return !error || start_fail(hiphopd, "The certificates in %s cannot be used: %s.", path, what_is_wrong(error));
}

static bool take_authorities(struct hiphopd *hiphopd, const char *path)
{
	struct buffer text;
	hiphop_error error;

	if (!read_text(hiphopd, path, &text))
		return false;
	error = certificate_authorities_add((const char *)text.data, text.length, &hiphopd->authorities);
	file_free_secret(&text);
	return !error || start_fail(hiphopd, "The certificates in %s cannot be used: %s.", path, what_is_wrong(error));
}

bool start_certificates(struct hiphopd *hiphopd)
{
	const struct configuration *configuration = &hiphopd->configuration;

	if (!take_chain(hiphopd, configuration->certificate_file, hiphopd->identity, &hiphopd->certificates[0]))
		return false;
	for (size_t i = 0; i < configuration->more_count; i++) {
		if (!take_chain(hiphopd, configuration->more[i].certificate_file, hiphopd->more[i],
			    &hiphopd->certificates[i + 1]))
			return false;
	}
	for (size_t i = 0; i < configuration->authority_count; i++) {
		if (!take_authorities(hiphopd, configuration->authorities[i]))
			return false;
	}
	return true;
}
