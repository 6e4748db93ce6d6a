/* SPDX-License-Identifier: MIT */
/** For benchmarks in memory: the processor time of two things done by turns, and the ratio of the two. */
#ifndef HIPHOP_TESTS_BENCH_ROUNDS_H
#define HIPHOP_TESTS_BENCH_ROUNDS_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 15

/** Processor time of this process in seconds; what others do on the machine does not count. */
static inline double processor_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline int compare_numbers(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/** Sorts `values`, returns the median of ROUNDS. */
static inline double median_of_rounds(double values[static ROUNDS])
{
	qsort(values, ROUNDS, sizeof values[0], compare_numbers);
	return values[ROUNDS / 2];
}

/** Prints the ratio of ours to the floor, round by round: median, least and greatest, then ours as a rate. */
static inline void print_ratio(
	const char *name, double ours[static ROUNDS], const double floor_rates[static ROUNDS], const char *unit)
{
	double ratios[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		ratios[i] = ours[i] / floor_rates[i];
	double median = median_of_rounds(ratios);
	printf("  %-34s %8.3f  (%.3f to %.3f)   %10.2f %s\n", name, median, ratios[0], ratios[ROUNDS - 1],
		median_of_rounds(ours), unit);
}

#endif
