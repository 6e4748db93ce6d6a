/* SPDX-License-Identifier: MIT */
/** Prints what association_memory.h measures. */
#include "tests/bench/association_memory.h"

#include <stdio.h>

#define ASSOCIATIONS 1000

static void print_usage(const char *when, struct usage usage)
{
	printf("  %-34s %8zu octets of hiphop, %zu of the crypto library\n", when, usage.own, usage.crypto);
}

int main(void)
{
	struct association_memory found;

	printf("Memory of an association, mean of %d (P-256, AES-128-GCM)\n", ASSOCIATIONS);
	if (!association_memory_measure(ASSOCIATIONS, &found)) {
		fputs("bench_memory: an exchange failed\n", stderr);
		return EXIT_FAILURE;
	}
	print_usage("at once", found.at_once);
	print_usage("later", found.later);
	return EXIT_SUCCESS;
}
