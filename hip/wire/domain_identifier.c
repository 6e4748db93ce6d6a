/* SPDX-License-Identifier: MIT */
#include "hip/wire/domain_identifier.h"

#include "hip/wire/constants.h"

#include <string.h>

#define LABEL_MAXIMUM 63
#define NAI_MAXIMUM   253

bool domain_identifier_is_none(const struct domain_identifier *identifier)
{
	return identifier->type == DOMAIN_IDENTIFIER_NONE;
}

/* ---- from text ---- */

static bool stands_in_label(char character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       (character >= '0' && character <= '9') || character == '-' || character == '_';
}

static hiphop_error add_label(struct domain_identifier *made, const char *label, size_t length)
{
	if (!length || length > LABEL_MAXIMUM)
		return HIPHOP_MALFORMED;
	/* The root is still to come. */
	if (made->length + 1 + length + 1 > DOMAIN_IDENTIFIER_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	for (size_t i = 0; i < length; i++) {
		if (!stands_in_label(label[i]))
			return HIPHOP_MALFORMED;
	}
	made->octets[made->length] = (uint8_t)length;
	memcpy(made->octets + made->length + 1, label, length);
	made->length = (uint8_t)(made->length + 1 + length);
	return HIPHOP_OK;
}

static hiphop_error fqdn_from_text(const char *text, struct domain_identifier *made)
{
	made->type = DOMAIN_IDENTIFIER_FQDN;
	while (*text) {
		size_t length = strcspn(text, ".");
		hiphop_error error = add_label(made, text, length);

		if (error)
			return error;
		text += length + (text[length] == '.');
	}
	made->octets[made->length++] = 0;
	return HIPHOP_OK;
}

static hiphop_error nai_from_text(const char *text, struct domain_identifier *made)
{
	size_t length = strlen(text);

	if (length > NAI_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	if (length < 2 || strchr(text, '@') != strrchr(text, '@'))
		return HIPHOP_MALFORMED;
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return HIPHOP_MALFORMED;
	}
	made->type = DOMAIN_IDENTIFIER_NAI;
	made->length = (uint8_t)length;
	memcpy(made->octets, text, length);
	return HIPHOP_OK;
}

hiphop_error domain_identifier_from_text(const char *text, struct domain_identifier *identifier)
{
	struct domain_identifier made = {.type = DOMAIN_IDENTIFIER_NONE};
	hiphop_error error = HIPHOP_OK;

	memset(identifier, 0, sizeof *identifier);
	if (strchr(text, '@'))
		error = nai_from_text(text, &made);
	else if (*text)
		error = fqdn_from_text(text, &made);
	if (!error)
		*identifier = made;
	return error;
}

/* ---- from the wire ---- */

/* Labels up to the root, which is the last octet. A length over 63 would be a pointer, which has nothing to point at.
 */
static hiphop_error check_fqdn(struct span octets)
{
	struct reader reader = reader_over(octets.data, octets.length);
	uint8_t length;

	do {
		length = reader_u8(&reader);
		if (length > LABEL_MAXIMUM)
			return HIPHOP_MALFORMED;
		reader_skip(&reader, length);
	} while (length && !reader_status(&reader));
	return reader_status(&reader) || reader_left(&reader) ? HIPHOP_MALFORMED : HIPHOP_OK;
}

hiphop_error domain_identifier_from_octets(uint8_t type, struct span octets, struct domain_identifier *identifier)
{
	hiphop_error error = HIPHOP_OK;

	memset(identifier, 0, sizeof *identifier);
	if (type > DOMAIN_IDENTIFIER_NAI)
		return HIPHOP_UNSUPPORTED;
	if (type == DOMAIN_IDENTIFIER_NONE)
		return octets.length ? HIPHOP_MALFORMED : HIPHOP_OK;
	if (octets.length > DOMAIN_IDENTIFIER_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	if (type == DOMAIN_IDENTIFIER_FQDN)
		error = check_fqdn(octets);
	else if (!octets.length)
		error = HIPHOP_MALFORMED;
	if (error)
		return error;
	identifier->type = type;
	identifier->length = (uint8_t)octets.length;
	memcpy(identifier->octets, octets.data, octets.length);
	return HIPHOP_OK;
}

/* ---- to text ---- */

static char *put_octet(char *at, uint8_t octet, bool in_label)
{
	if (octet > ' ' && octet < 0x7f && octet != '\\' && !(in_label && octet == '.')) {
		*at++ = (char)octet;
		return at;
	}
	*at++ = '\\';
	*at++ = (char)('0' + octet / 100);
	*at++ = (char)('0' + octet / 10 % 10);
	*at++ = (char)('0' + octet % 10);
	return at;
}

static char *put_fqdn(char *at, const struct domain_identifier *identifier)
{
	size_t place = 0;

	while (place < identifier->length && identifier->octets[place]) {
		size_t end = place + 1 + identifier->octets[place];

		if (place)
			*at++ = '.';
		for (place++; place < end && place < identifier->length; place++)
			at = put_octet(at, identifier->octets[place], true);
	}
	return at;
}

char *domain_identifier_format(
	const struct domain_identifier *identifier, char text[static DOMAIN_IDENTIFIER_TEXT_SIZE])
{
	char *at = text;

	if (identifier->type == DOMAIN_IDENTIFIER_FQDN)
		at = put_fqdn(at, identifier);
	for (size_t i = 0; identifier->type == DOMAIN_IDENTIFIER_NAI && i < identifier->length; i++)
		at = put_octet(at, identifier->octets[i], false);
	*at = 0;
	return text;
}
