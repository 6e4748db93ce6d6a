/* SPDX-License-Identifier: MIT */
/*
 * flood_call send ADDRESS SECONDS, flood_call receive ADDRESS: what calls send, between two hosts (IPv6 addresses), to
 * see what of it is lost. Ports 40000 to 40003 have 50 packets of 172 octets a second each, port 40004 has 1,000 a
 * second. `send` prints what it has sent, `receive` what had come, once it is told to end (SIGTERM).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define STREAMS     5
#define FAST        (STREAMS - 1)
#define FIRST_PORT  40000
#define OCTETS      172
#define MILLISECOND 1000000

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static struct sockaddr_in6 place(const char *address, int stream)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)(FIRST_PORT + stream))};

	if (inet_pton(AF_INET6, address, &name.sin6_addr) != 1) {
		fprintf(stderr, "flood_call: %s is no IPv6 address\n", address);
		exit(2);
	}
	return name;
}

static void send_one(int descriptor, const char *address, int stream, unsigned long *sent)
{
	struct sockaddr_in6 to = place(address, stream);
	uint8_t octets[OCTETS] = {0};

	if (sendto(descriptor, octets, sizeof octets, 0, (struct sockaddr *)&to, sizeof to) == sizeof octets)
		sent[stream]++;
}

static void print_all(const unsigned long *counts)
{
	printf("%lu %lu\n", counts[0] + counts[1] + counts[2] + counts[3], counts[FAST]);
}

static int send_all(const char *address, double seconds)
{
	int descriptor = socket(AF_INET6, SOCK_DGRAM, 0);
	unsigned long sent[STREAMS] = {0};
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (long tick = 0; tick < (long)(seconds * 1000) && !ended; tick++) {
		send_one(descriptor, address, FAST, sent);
		if (tick % 5 == 0)
			send_one(descriptor, address, (int)(tick / 5 % FAST), sent);
		next.tv_nsec += MILLISECOND;
		if (next.tv_nsec >= 1000 * MILLISECOND) {
			next.tv_nsec -= 1000 * MILLISECOND;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	print_all(sent);
	return 0;
}

static int receive_all(const char *address)
{
	struct pollfd waits[STREAMS];
	unsigned long received[STREAMS] = {0};
	int large = 1 << 20;

	for (int i = 0; i < STREAMS; i++) {
		struct sockaddr_in6 name = place(address, i);
		waits[i] = (struct pollfd){.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), .events = POLLIN};
		setsockopt(waits[i].fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
		if (bind(waits[i].fd, (struct sockaddr *)&name, sizeof name) < 0) {
			fprintf(stderr, "flood_call: %s: %s\n", address, strerror(errno));
			return 1;
		}
	}
	while (!ended) {
		if (poll(waits, STREAMS, -1) < 0)
			continue;
		for (int i = 0; i < STREAMS; i++) {
			uint8_t octets[2048];
			while (recv(waits[i].fd, octets, sizeof octets, 0) >= 0)
				received[i]++;
		}
	}
	print_all(received);
	return 0;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = end};

	sigaction(SIGTERM, &action, NULL);
	if (argc == 4 && strcmp(argv[1], "send") == 0)
		return send_all(argv[2], atof(argv[3]));
	if (argc == 3 && strcmp(argv[1], "receive") == 0)
		return receive_all(argv[2]);
	fprintf(stderr, "usage: flood_call send ADDRESS SECONDS | flood_call receive ADDRESS\n");
	return 2;
}
