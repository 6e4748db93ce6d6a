/* SPDX-License-Identifier: MIT */
/*
 * delayed_link INTERFACE INTERFACE CONTROL [COMMAND...]: a line between two network interfaces of this namespace (ends
 *of veth pairs, with offloads off), for kernels that have no netem. It takes frames from each and gives them to the
 *other, after a time. It obeys the commands given, then those that are written, one a line, to the FIFO named CONTROL:
 *
 *	delay MS       one way, each way; fractions are allowed
 *	jitter MS      each frame takes up to so much more; frames keep their order
 *	loss PERCENT   so many are lost, each on its own
 *	rate KBIT      a second, each way; 0 is no limit. What would wait longer than 200 ms for its turn is lost
 *	dead           from now on nothing passes, nor does what is under way; both ends stay up and are told nothing
 *	alive          it passes again
 *
 * ARP and neighbour discovery take no time, since on a real link of this kind the modem nearby answers them; all the
 *rest of the above holds for them too. Once it carries frames it prints `ready`; at the end (SIGTERM) how many frames
 *it has carried and how many were lost, each way. It sleeps until the moment a frame is due.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND        1000000000.0
#define MILLISECOND   1000000.0
#define LONGEST_TURN  (200 * MILLISECOND)
#define QUEUE_FRAMES  16384
#define FRAMES_A_TURN 64
#define LARGEST_FRAME 65536
#define SOCKET_OCTETS (4 << 20)
#define LONGEST_LINE  128

enum event_source { FROM_FIRST, FROM_SECOND, FROM_TIMER, FROM_CONTROL, FROM_SIGNAL };

/* What the line does. Times in nanoseconds, `loss` from 0 to 1, `rate` in bits a second, 0 for none. */
struct properties {
	double delay, jitter, loss, rate;
	bool dead;
};

struct frame {
	double due;
	size_t length;
	uint8_t octets[];
};

/* One way: a ring of frames in the order in which they are due. Times are those of CLOCK_MONOTONIC, in nanoseconds. */
struct way {
	int from, to;
	struct frame *queue[QUEUE_FRAMES];
	unsigned first, count;
	double turn_free, last_due;
	unsigned long carried, lost;
};

struct line {
	struct properties properties;
	struct way ways[2];
	int epoll, timer, control, signals;
	unsigned short chance[3];
	char typed[LONGEST_LINE];
	size_t typed_length;
	uint8_t octets[LARGEST_FRAME];
};

static void give_up(const char *what)
{
	fprintf(stderr, "delayed_link: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * SECOND + (double)time.tv_nsec;
}

/* ---- frames ---- */

static bool is_neighbour_traffic(const uint8_t *octets, size_t length)
{
	if (length < ETH_HLEN)
		return false;
	unsigned type = (unsigned)octets[12] << 8 | octets[13];
	if (type == ETHERTYPE_ARP)
		return true;
	return type == ETHERTYPE_IPV6 && length > ETH_HLEN + 40 && octets[ETH_HLEN + 6] == 58 &&
	       octets[ETH_HLEN + 40] >= 133 && octets[ETH_HLEN + 40] <= 137;
}

static struct frame *way_next(const struct way *way)
{
	return way->count ? way->queue[way->first] : NULL;
}

static void way_take(struct way *way)
{
	free(way->queue[way->first]);
	way->first = (way->first + 1) % QUEUE_FRAMES;
	way->count--;
}

/* When a frame that came now will have been put on the line; negative when it would wait too long. */
static double turn_ends(const struct line *line, struct way *way, double time, size_t length)
{
	if (line->properties.rate <= 0)
		return time;
	double begins = way->turn_free > time ? way->turn_free : time;
	if (begins - time > LONGEST_TURN)
		return -1;
	way->turn_free = begins + (double)length * 8 * SECOND / line->properties.rate;
	return way->turn_free;
}

static double time_due(struct line *line, struct way *way, const uint8_t *octets, size_t length)
{
	double due = turn_ends(line, way, now(), length);

	if (due < 0 || is_neighbour_traffic(octets, length))
		return due;
	due += line->properties.delay + line->properties.jitter * erand48(line->chance);
	if (due < way->last_due)
		due = way->last_due;
	way->last_due = due;
	return due;
}

static void send_frame(struct way *way, const uint8_t *octets, size_t length)
{
	if (send(way->to, octets, length, MSG_DONTWAIT) == (ssize_t)length)
		way->carried++;
	else
		way->lost++;
}

static void keep_frame(struct way *way, const uint8_t *octets, size_t length, double due)
{
	struct frame *frame = way->count < QUEUE_FRAMES ? malloc(sizeof *frame + length) : NULL;

	if (!frame) {
		way->lost++;
		return;
	}
	frame->due = due;
	frame->length = length;
	memcpy(frame->octets, octets, length);
	way->queue[(way->first + way->count++) % QUEUE_FRAMES] = frame;
}

static void take_frame(struct line *line, struct way *way, const uint8_t *octets, size_t length)
{
	double due = -1;

	if (!line->properties.dead && erand48(line->chance) >= line->properties.loss)
		due = time_due(line, way, octets, length);
	if (due < 0)
		way->lost++;
	else if (is_neighbour_traffic(octets, length))
		send_frame(way, octets, length);
	else
		keep_frame(way, octets, length, due);
}

static void take_frames(struct line *line, struct way *way)
{
	for (int i = 0; i < FRAMES_A_TURN; i++) {
		ssize_t length = recv(way->from, line->octets, sizeof line->octets, MSG_DONTWAIT | MSG_TRUNC);
		if (length < 0)
			return;
		if ((size_t)length > sizeof line->octets)
			way->lost++;
		else
			take_frame(line, way, line->octets, (size_t)length);
	}
}

static void send_due(struct way *way)
{
	double time = now();
	struct frame *frame;

	while ((frame = way_next(way)) && frame->due <= time) {
		send_frame(way, frame->octets, frame->length);
		way_take(way);
	}
}

static void forget_frames(struct way *way)
{
	way->lost += way->count;
	while (way->count)
		way_take(way);
	way->turn_free = way->last_due = 0;
}

/* Sets the timer to the first frame that is due, or stops it. */
static void set_timer(const struct line *line)
{
	struct itimerspec when = {0};
	double first = 0;

	for (int i = 0; i < 2; i++) {
		const struct frame *frame = way_next(&line->ways[i]);
		if (frame && (first == 0 || frame->due < first))
			first = frame->due;
	}
	when.it_value.tv_sec = (time_t)(first / SECOND);
	when.it_value.tv_nsec = (long)(first - (double)when.it_value.tv_sec * SECOND);
	timerfd_settime(line->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* ---- commands ---- */

/* Obeys one command of one or two words; false when it is none. */
static bool obey(struct line *line, const char *name, const char *number)
{
	struct properties *properties = &line->properties;
	const struct {
		const char *name;
		double *property, unit;
	} commands[] = {
		{"delay", &properties->delay, MILLISECOND},
		{"jitter", &properties->jitter, MILLISECOND},
		{"loss", &properties->loss, 0.01},
		{"rate", &properties->rate, 1000},
	};

	if (strcmp(name, "dead") == 0 || strcmp(name, "alive") == 0) {
		properties->dead = name[0] == 'd';
		for (int i = 0; properties->dead && i < 2; i++)
			forget_frames(&line->ways[i]);
		return true;
	}
	for (size_t i = 0; number && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(name, commands[i].name) == 0) {
			*commands[i].property = strtod(number, NULL) * commands[i].unit;
			return true;
		}
	return false;
}

static void obey_line(struct line *line, char *typed)
{
	char *rest, *name = strtok_r(typed, " \t", &rest), *number = name ? strtok_r(NULL, " \t", &rest) : NULL;

	if (name && !obey(line, name, number))
		fprintf(stderr, "delayed_link: unknown command: %s\n", name);
}

static void read_commands(struct line *line)
{
	char octet;

	while (read(line->control, &octet, 1) == 1) {
		if (octet == '\n' || line->typed_length + 1 == sizeof line->typed) {
			line->typed[line->typed_length] = 0;
			line->typed_length = 0;
			obey_line(line, line->typed);
		} else {
			line->typed[line->typed_length++] = octet;
		}
	}
}

static bool obey_arguments(struct line *line, char **words)
{
	while (*words) {
		bool alone = strcmp(words[0], "dead") == 0 || strcmp(words[0], "alive") == 0;
		if (!obey(line, words[0], words[1]))
			return false;
		words += alone ? 1 : 2;
	}
	return true;
}

/* ---- descriptors ---- */

/* A socket that hears all that comes in at the interface, and nothing of what is sent there. */
static int open_interface(const char *name)
{
	struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int octets = SOCKET_OCTETS, one = 1, descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	place.sll_ifindex = (int)if_nametoindex(name);
	if (descriptor < 0 || place.sll_ifindex == 0)
		give_up(name);
	if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) < 0)
		setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
	if (setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
		bind(descriptor, (struct sockaddr *)&place, sizeof place) < 0)
		give_up(name);
	return descriptor;
}

static int open_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	return signalfd(-1, &ends, SFD_CLOEXEC);
}

static void watch(const struct line *line, int descriptor, enum event_source source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = source};

	if (descriptor < 0 || epoll_ctl(line->epoll, EPOLL_CTL_ADD, descriptor, &event) < 0)
		give_up("epoll");
}

static void open_all(struct line *line, char **arguments)
{
	struct timespec time;

	for (int i = 0; i < 2; i++)
		line->ways[i].from = line->ways[1 - i].to = open_interface(arguments[i]);
	/* Open for writing as well, so that it never ends. */
	line->control = open(arguments[2], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (line->control < 0)
		give_up(arguments[2]);
	line->epoll = epoll_create1(EPOLL_CLOEXEC);
	line->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	line->signals = open_signals();
	watch(line, line->ways[0].from, FROM_FIRST);
	watch(line, line->ways[1].from, FROM_SECOND);
	watch(line, line->timer, FROM_TIMER);
	watch(line, line->control, FROM_CONTROL);
	watch(line, line->signals, FROM_SIGNAL);
	clock_gettime(CLOCK_REALTIME, &time);
	memcpy(line->chance, &time.tv_nsec, sizeof line->chance);
}

static void clear_timer(const struct line *line)
{
	uint64_t count;

	if (read(line->timer, &count, sizeof count) < 0 && errno != EAGAIN)
		give_up("timer");
}

/* Carries frames until it is told to end. */
static void carry(struct line *line)
{
	for (;;) {
		struct epoll_event event;
		if (epoll_wait(line->epoll, &event, 1, -1) < 1)
			continue;
		switch ((enum event_source)event.data.u32) {
		case FROM_FIRST:
		case FROM_SECOND:
			take_frames(line, &line->ways[event.data.u32]);
			break;
		case FROM_TIMER:
			clear_timer(line);
			break;
		case FROM_CONTROL:
			read_commands(line);
			break;
		case FROM_SIGNAL:
			return;
		}
		for (int i = 0; i < 2; i++)
			send_due(&line->ways[i]);
		set_timer(line);
	}
}

int main(int argc, char **argv)
{
	static struct line line;

	if (argc < 4 || !obey_arguments(&line, argv + 4)) {
		fprintf(stderr, "usage: delayed_link INTERFACE INTERFACE CONTROL [COMMAND...]\n");
		return 2;
	}
	open_all(&line, argv + 1);
	printf("ready\n");
	fflush(stdout);
	carry(&line);
	for (int i = 0; i < 2; i++)
		printf("carried %lu lost %lu\n", line.ways[i].carried, line.ways[i].lost);
	return 0;
}
