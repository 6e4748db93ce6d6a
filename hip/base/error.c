/* SPDX-License-Identifier: MIT */
#include "hip/base/error.h"

#include <stddef.h>

static const char *const texts[] = {
	[HIPHOP_OK] = "ok",
	[HIPHOP_NO_MEMORY] = "out of memory",
	[HIPHOP_TRUNCATED] = "truncated",
	[HIPHOP_MALFORMED] = "malformed",
	[HIPHOP_TOO_LARGE] = "too large",
	[HIPHOP_UNSUPPORTED] = "unsupported",
	[HIPHOP_BAD_CHECKSUM] = "bad checksum",
	[HIPHOP_BAD_MAC] = "bad message authentication code",
	[HIPHOP_BAD_SIGNATURE] = "bad signature",
	[HIPHOP_BAD_IDENTITY] = "identity and identity tag do not belong together",
	[HIPHOP_BAD_PUZZLE] = "bad puzzle solution",
	[HIPHOP_REPLAYED] = "replayed",
	[HIPHOP_NOT_FOUND] = "not found",
	[HIPHOP_EXISTS] = "exists already",
	[HIPHOP_REFUSED] = "refused by policy",
	[HIPHOP_LIMITED] = "limit reached",
	[HIPHOP_WRONG_STATE] = "wrong state",
	[HIPHOP_TIMEOUT] = "no answer in time",
	[HIPHOP_CRYPTO] = "crypto library failed",
	[HIPHOP_SYSTEM] = "system call failed",
	[HIPHOP_NO_PROPOSAL] = "no algorithm in common with the peer",
	[HIPHOP_DOWNGRADED] = "refused a downgrade to worse algorithms than both ends have",
	[HIPHOP_INVALID_ARGUMENT] = "invalid argument",
};

const char *hiphop_error_text(hiphop_error error)
{
	size_t index = (size_t)error;

	if (index >= sizeof texts / sizeof texts[0] || !texts[index])
		return "unknown error";
	return texts[index];
}
