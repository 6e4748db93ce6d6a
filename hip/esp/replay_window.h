/* SPDX-License-Identifier: MIT */
/**
 * The anti-replay window of an inbound SA with 64-bit sequence numbers (RFC 4303 section 3.4.3 and appendix A2;
 * RFC 7402 section 3.3.6). Only the low half of a number travels; the high half is inferred from the window.
 */
#ifndef HIPHOP_HIP_ESP_REPLAY_WINDOW_H
#define HIPHOP_HIP_ESP_REPLAY_WINDOW_H

#include "hip/base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** Sequence numbers that the window spans. */
#define REPLAY_WINDOW_SIZE  1024
#define REPLAY_WINDOW_WORDS (REPLAY_WINDOW_SIZE / 64)
/** And once it is widened: what a gigabit a second carries in half a second, so that packets that take ways of
 * different length still arrive within it (RFC 8047 section 3.2). */
#define REPLAY_WINDOW_WIDE 65536

/** Zero it before first use; replay_window_free. */
struct replay_window {
	uint64_t highest;                   /**< highest authenticated sequence number; 0 = none yet */
	uint64_t *wide;                     /**< NULL, or the ring of a widened window, used instead of `seen` */
	uint64_t seen[REPLAY_WINDOW_WORDS]; /**< a ring of bits, number n at n modulo REPLAY_WINDOW_SIZE */
};

/** Widens the window, once. What lies left of the narrow one stays refused, since nobody knows what was seen of it.
 * HIPHOP_NO_MEMORY: it stays narrow. */
hiphop_error replay_window_widen(struct replay_window *window);
void replay_window_free(struct replay_window *window);

/** The full number that fits the low 32 bits best (RFC 4303 appendix A2.2). */
uint64_t replay_window_infer(const struct replay_window *window, uint32_t low);
/** True when `sequence` is neither seen, nor left of the window, nor 0. Changes nothing: call it before the ICV is
 * checked. */
bool replay_window_is_fresh(const struct replay_window *window, uint64_t sequence);
/** Notes an authenticated number. False, and nothing changed, when it is not fresh. */
bool replay_window_accept(struct replay_window *window, uint64_t sequence);

#endif
