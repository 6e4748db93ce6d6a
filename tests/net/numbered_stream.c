/* SPDX-License-Identifier: MIT */
/*
 * numbered_stream OWN PEER PORT RATE: from the address OWN to PEER, and back when the same runs there, go RATE
 *datagrams of 172 octets a second, numbered from 0, until SIGTERM. It prints at once
 *
 *	begins MICROSECONDS every MICROSECONDS     when it sends datagram 0, and the time between two of them
 *
 * then for each datagram that comes from the other end, as it comes,
 *
 *	NUMBER SENT RECEIVED                       both in microseconds
 *
 * Times are those of the system's clock (CLOCK_REALTIME; EPOCHREALTIME of bash). What cannot be sent is lost like what
 *does not arrive.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define OCTETS      172
#define MICROSECOND 1000
#define SECOND      1000000000

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "numbered_stream: %s: %s\n", what, why);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / MICROSECOND;
}

static struct addrinfo *place(const char *address, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	int status = getaddrinfo(address, port, &hints, &found);

	if (status != 0)
		give_up(address, gai_strerror(status));
	return found;
}

/* The socket at the own end. It is not connected: what ICMP says about single packets does not matter here. */
static int open_own(const char *address, const char *port)
{
	struct addrinfo *own = place(address, port);
	int octets = 1 << 20, descriptor = socket(own->ai_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
	if (descriptor < 0 || bind(descriptor, own->ai_addr, own->ai_addrlen) < 0)
		give_up(address, strerror(errno));
	freeaddrinfo(own);
	return descriptor;
}

static int open_timer(long rate)
{
	struct itimerspec times = {.it_value.tv_nsec = 1};
	int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	times.it_interval.tv_sec = rate == 1;
	times.it_interval.tv_nsec = rate == 1 ? 0 : SECOND / rate;
	if (descriptor < 0 || timerfd_settime(descriptor, 0, &times, NULL) < 0)
		give_up("timer", strerror(errno));
	return descriptor;
}

static void send_ticks(int timer, int descriptor, const struct addrinfo *to, uint64_t *next)
{
	uint64_t ticks;

	if (read(timer, &ticks, sizeof ticks) != sizeof ticks)
		return;
	for (; ticks > 0; ticks--, (*next)++) {
		uint8_t octets[OCTETS] = {0};
		uint64_t head[2] = {*next, now()};
		memcpy(octets, head, sizeof head);
		sendto(descriptor, octets, sizeof octets, 0, to->ai_addr, to->ai_addrlen);
	}
}

static void receive(int descriptor)
{
	uint8_t octets[OCTETS + 1];
	ssize_t length;

	while ((length = recv(descriptor, octets, sizeof octets, 0)) >= 0) {
		uint64_t head[2];
		if (length != OCTETS)
			continue;
		memcpy(head, octets, sizeof head);
		printf("%lu %lu %lu\n", (unsigned long)head[0], (unsigned long)head[1], (unsigned long)now());
	}
	fflush(stdout);
}

static void run(int descriptor, const struct addrinfo *to, long rate)
{
	uint64_t next = 0;
	int timer = open_timer(rate);
	struct pollfd waits[] = {{.fd = timer, .events = POLLIN}, {.fd = descriptor, .events = POLLIN}};

	printf("begins %lu every %ld\n", (unsigned long)now(), SECOND / rate / MICROSECOND);
	fflush(stdout);
	while (!ended) {
		if (poll(waits, 2, -1) < 0)
			continue;
		if (waits[0].revents)
			send_ticks(timer, descriptor, to, &next);
		if (waits[1].revents)
			receive(descriptor);
	}
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = end};
	long rate = argc == 5 ? strtol(argv[4], NULL, 10) : 0;

	if (rate < 1 || rate > 100000) {
		fprintf(stderr, "usage: numbered_stream OWN PEER PORT RATE\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	run(open_own(argv[1], argv[3]), place(argv[2], argv[3]), rate);
	return 0;
}
