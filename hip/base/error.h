/* SPDX-License-Identifier: MIT */
/**
 * The one list of errors of the whole project.
 *
 * Every function that can fail returns a `hiphop_error`; HIPHOP_OK is zero, so `if (error)` reads well.
 * An error says what kind of thing went wrong. The sentence for a person is made at the edge (the daemon,
 * the command), where the name of the file or the peer is known.
 */
#ifndef HIPHOP_HIP_BASE_ERROR_H
#define HIPHOP_HIP_BASE_ERROR_H

typedef enum {
	HIPHOP_OK = 0,
	HIPHOP_NO_MEMORY,       /**< an allocation failed; nothing changed */
	HIPHOP_TRUNCATED,       /**< input ended before the thing it announced */
	HIPHOP_MALFORMED,       /**< input breaks the format of its standard */
	HIPHOP_TOO_LARGE,       /**< a length, count or buffer is over its limit */
	HIPHOP_UNSUPPORTED,     /**< well formed, but an algorithm, version or type we do not have */
	HIPHOP_BAD_CHECKSUM,    /**< HIP checksum does not fit */
	HIPHOP_BAD_MAC,         /**< MAC, ICV or MIC does not fit */
	HIPHOP_BAD_SIGNATURE,   /**< signature does not fit */
	HIPHOP_BAD_IDENTITY,    /**< HIT and Host Identity do not belong together */
	HIPHOP_BAD_PUZZLE,      /**< puzzle solution wrong, old or not ours */
	HIPHOP_REPLAYED,        /**< sequence number seen before, or left of the window */
	HIPHOP_NOT_FOUND,       /**< no such association, value, key, record or route */
	HIPHOP_EXISTS,          /**< it is there already */
	HIPHOP_REFUSED,         /**< policy forbids it */
	HIPHOP_LIMITED,         /**< a rate or number limit was hit; try later */
	HIPHOP_WRONG_STATE,     /**< not in this state of the protocol */
	HIPHOP_TIMEOUT,         /**< no answer in time */
	HIPHOP_CRYPTO,          /**< the crypto library failed */
	HIPHOP_SYSTEM,          /**< a system call failed; errno says why */
	HIPHOP_NO_PROPOSAL,     /**< no algorithm in common with the peer */
	HIPHOP_DOWNGRADED,      /**< worse algorithms were chosen than the best that both ends have */
	HIPHOP_INVALID_ARGUMENT /**< the caller broke the contract of the function */
} hiphop_error;

/** A short lower-case phrase for an error, such as "bad signature". Never NULL. Static storage. */
const char *hiphop_error_text(hiphop_error error);

#endif
