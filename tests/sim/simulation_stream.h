/* SPDX-License-Identifier: MIT */
/**
 * Numbered UDP packets from one host to another at an interval, inside the association of the two: what an
 * application would see of a handover.
 */
#ifndef HIPHOP_TESTS_SIM_SIMULATION_STREAM_H
#define HIPHOP_TESTS_SIM_SIMULATION_STREAM_H

#include "hip/base/bytes.h"
#include "hip/base/endpoint.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct simulation;

/** Streams of one simulation at most. */
#define SIMULATION_STREAMS 16
/** Octets of UDP payload of one packet. */
#define SIMULATION_STREAM_PAYLOAD 160

struct simulation_stream {
	bool used;
	size_t from, to;
	duration interval;
	instant next; /**< when the next one is sent; INSTANT_NEVER = stopped */
	uint64_t next_number;
	/* Since the start, or the last simulation_stream_measure. Of packets that were sent since then. */
	uint64_t first_number; /**< of what is measured */
	uint64_t sent, received;
	uint64_t twice;         /**< came again */
	instant began;          /**< the measurement */
	instant first_arrival;  /**< INSTANT_NEVER before it */
	instant last_arrival;   /**< 0 before it */
	duration longest_gap;   /**< between two arrivals, or the beginning and the first */
	duration longest_delay; /**< from sending to arrival */
	uint64_t *seen;         /**< bits by number from first_number on */
	size_t seen_words;
};

/** Begins a stream; the first packet goes out at once. Returns its number. Both directions of a pair belong to one
 * flow of UDP. */
size_t simulation_stream_start(struct simulation *simulation, size_t from, size_t to, duration interval);
/** Sends no more; what is under way is still counted. */
void simulation_stream_stop(struct simulation *simulation, size_t stream);
/** Begins to count anew; what was sent before does not count any more. */
void simulation_stream_measure(struct simulation *simulation, size_t stream);
/** Packets that are not there yet, or lost. */
uint64_t simulation_stream_missing(const struct simulation *simulation, size_t stream);
/** The longest time without an arrival, the time from the last one until now included. */
duration simulation_stream_gap(const struct simulation *simulation, size_t stream);

#endif
