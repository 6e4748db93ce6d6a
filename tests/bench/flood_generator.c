/* SPDX-License-Identifier: MIT */
/*
 * flood_generator LINK GATEWAY-MAC ADDRESS HIT KIND FROM RATE SECONDS
 *
 * Floods the hiphopd at ADDRESS (IPv4), whose HIT is given, with frames sent through LINK: RATE a second, as far as the
 *machine goes. KIND  i1      I1 over UDP, each of another Sender HIT       esp  ESP of unknown SPIs over UDP i1-ip the
 *same over IP protocol 139 i2      I2 over UDP with wrong solutions: half of them to a puzzle that ADDRESS has really
 *set, half to none FROM  everywhere (each packet from another address), or one address that is not ours Prints what was
 *really sent. It is for network namespaces made for it: see flood and tests/net/test_flood.sh.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT                 10500
#define HIP_PROTOCOL         139
#define BATCH                64
#define FRAME_MAXIMUM        1024
#define MARKER               4
#define HIT_LENGTH           16
#define HIP_HEADER           40
#define PUZZLE_PARAMETER     257
#define R1_COUNTER_PARAMETER 129
#define RHASH_LENGTH         48

struct frame {
	struct ether_header ethernet;
	struct iphdr ip;
	uint8_t rest[FRAME_MAXIMUM];
} __attribute__((packed));

struct flood {
	struct in_addr destination, source;
	bool everywhere, plain_ip, is_i2, is_esp;
	uint8_t hit[HIT_LENGTH], sender[HIT_LENGTH];
	uint8_t body[FRAME_MAXIMUM]; /* the HIP packet, or ESP */
	size_t length;
	uint64_t random;
};

static uint64_t draw(struct flood *flood)
{
	flood->random ^= flood->random << 13;
	flood->random ^= flood->random >> 7;
	flood->random ^= flood->random << 17;
	return flood->random;
}

static void give_up(const char *why)
{
	fprintf(stderr, "flood_generator: %s: %s\n", why, errno ? strerror(errno) : "no");
	exit(1);
}

/* ---- packets ---- */

static void put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void start_packet(struct flood *flood, uint8_t type)
{
	memset(flood->body, 0, sizeof flood->body);
	flood->body[0] = 59;
	flood->body[2] = type;
	flood->body[3] = 0x21;
	memcpy(flood->body + 8, flood->sender, HIT_LENGTH);
	memcpy(flood->body + 24, flood->hit, HIT_LENGTH);
	flood->length = HIP_HEADER;
}

static void add_parameter(struct flood *flood, unsigned type, const void *contents, size_t length)
{
	put_u16(flood->body + flood->length, type);
	put_u16(flood->body + flood->length + 2, (unsigned)length);
	memcpy(flood->body + flood->length + 4, contents, length);
	flood->length += (4 + length + 7) / 8 * 8;
	flood->body[1] = (uint8_t)(flood->length / 8 - 1);
}

static void write_i1(struct flood *flood)
{
	start_packet(flood, 1);
	add_parameter(flood, 511, "\x07\x08\x09\x04", 4);
}

/* The contents of a parameter of an R1, or NULL. */
static const uint8_t *find_parameter(const uint8_t *packet, size_t length, unsigned wanted)
{
	size_t at = HIP_HEADER;

	while (at + 4 <= length) {
		unsigned type = (unsigned)(packet[at] << 8 | packet[at + 1]);
		size_t contents = (size_t)(packet[at + 2] << 8 | packet[at + 3]);
		if (type == wanted && at + 4 + contents <= length)
			return packet + at + 4;
		at += (4 + contents + 7) / 8 * 8;
	}
	return NULL;
}

/* All that an I2 must have, with nothing right in it but what came with the R1 (NULL: not even that). */
static void write_i2(struct flood *flood, const uint8_t *counter, const uint8_t *puzzle)
{
	uint8_t solution[4 + 2 * RHASH_LENGTH], key[67] = {7, 0, 64}, host_id[72] = {0, 66, 0, 0, 0, 7, 0, 1},
						signature[66] = {0, 7}, zero[12] = {0};
	const uint8_t esp_info[12] = {[8] = 1, [11] = 1};

	memset(solution, 0x5a, sizeof solution);
	memcpy(solution, puzzle, 4 + RHASH_LENGTH);
	solution[1] = 0;
	start_packet(flood, 3);
	add_parameter(flood, 65, esp_info, sizeof esp_info);
	add_parameter(flood, R1_COUNTER_PARAMETER, counter, sizeof zero);
	add_parameter(flood, 321, solution, sizeof solution);
	add_parameter(flood, 513, key, sizeof key);
	add_parameter(flood, 579, "\0\2", 2);
	add_parameter(flood, 705, host_id, sizeof host_id);
	add_parameter(flood, 2049, "\x0f\xff", 2);
	add_parameter(flood, 4095, "\0\0\0\x0d", 4);
	add_parameter(flood, 61505, solution, RHASH_LENGTH);
	add_parameter(flood, 61697, signature, sizeof signature);
}

/* Asks for an R1, as an honest host does. */
static size_t fetch_r1(struct flood *flood, uint8_t *r1, size_t room)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = flood->destination};
	int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t datagram[MARKER + FRAME_MAXIMUM] = {0};

	write_i1(flood);
	memcpy(datagram + MARKER, flood->body, flood->length);
	for (int tries = 0; tries < 5; tries++) {
		struct pollfd wait = {.fd = descriptor, .events = POLLIN};
		if (sendto(descriptor, datagram, MARKER + flood->length, 0, (struct sockaddr *)&to, sizeof to) < 0)
			give_up("sendto");
		if (poll(&wait, 1, 1000) != 1)
			continue;
		ssize_t got = recv(descriptor, r1, room, 0);
		if (got > MARKER + HIP_HEADER && (r1[MARKER + 2] & 0x7f) == 2) {
			fprintf(stderr, "an I1 of %zu octets is answered with an R1 of %zd\n", MARKER + flood->length,
				got);
			close(descriptor);
			memmove(r1, r1 + MARKER, (size_t)got - MARKER);
			return (size_t)got - MARKER;
		}
	}
	errno = 0;
	give_up("no R1 came");
	return 0;
}

static void prepare(struct flood *flood)
{
	static uint8_t r1[4096];

	memcpy(flood->sender, flood->hit, HIT_LENGTH);
	for (size_t i = 4; i < HIT_LENGTH; i++)
		flood->sender[i] = (uint8_t)draw(flood);
	if (flood->is_esp) {
		flood->length = 120;
	} else if (flood->is_i2) {
		size_t length = fetch_r1(flood, r1, sizeof r1);
		const uint8_t *counter = find_parameter(r1, length, R1_COUNTER_PARAMETER);
		const uint8_t *puzzle = find_parameter(r1, length, PUZZLE_PARAMETER);
		errno = 0;
		if (!counter || !puzzle)
			give_up("no puzzle in the R1");
		write_i2(flood, counter, puzzle);
	} else {
		write_i1(flood);
	}
}

/* ---- frames ---- */

static uint16_t checksum(const void *data, size_t length, uint32_t sum)
{
	const uint8_t *octets = data;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(octets[i] << 8 | octets[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static in_addr_t some_source(struct flood *flood)
{
	uint32_t address;

	if (!flood->everywhere)
		return flood->source.s_addr;
	/* 16.0.0.0 to 111.255.255.255 */
	address = (uint32_t)draw(flood) % (96U << 24) + (16U << 24);
	return htonl(address);
}

static size_t start_frame(
	struct flood *flood, struct frame *frame, const struct ether_addr *to, const struct ether_addr *from)
{
	size_t head = flood->plain_ip ? 0 : sizeof(struct udphdr) + (flood->is_esp ? 0 : MARKER);
	size_t length = sizeof frame->ip + head + flood->length;
	struct udphdr udp = {.dest = htons(PORT), .len = htons((uint16_t)(head + flood->length))};

	memset(frame, 0, sizeof *frame);
	memcpy(frame->ethernet.ether_dhost, to, ETH_ALEN);
	memcpy(frame->ethernet.ether_shost, from, ETH_ALEN);
	frame->ethernet.ether_type = htons(ETHERTYPE_IP);
	frame->ip = (struct iphdr){.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)length),
		.ttl = 64,
		.protocol = flood->plain_ip ? HIP_PROTOCOL : IPPROTO_UDP,
		.daddr = flood->destination.s_addr};
	if (!flood->plain_ip)
		memcpy(frame->rest, &udp, sizeof udp);
	memcpy(frame->rest + head, flood->body, flood->length);
	return sizeof frame->ethernet + length;
}

static void change_hip(struct flood *flood, uint8_t *hip)
{
	uint64_t number = draw(flood);

	/* Half of the I2 keep the HIT that the puzzle is for. */
	if (!flood->is_i2 || number & 1)
		memcpy(hip + 8 + 8, &number, sizeof number);
	if (flood->is_i2)
		memcpy(hip + HIP_HEADER + 16 + 16 + 4 + 4 + RHASH_LENGTH, &number, sizeof number);
}

static void change_frame(struct flood *flood, struct frame *frame)
{
	size_t head = flood->plain_ip ? 0 : sizeof(struct udphdr) + (flood->is_esp ? 0 : MARKER);
	uint8_t *body = frame->rest + head;

	frame->ip.saddr = some_source(flood);
	frame->ip.check = 0;
	frame->ip.check = checksum(&frame->ip, sizeof frame->ip, 0);
	if (flood->is_esp) {
		uint64_t spi = draw(flood) | 1;
		memcpy(body, &spi, sizeof spi);
	} else {
		change_hip(flood, body);
	}
	if (flood->plain_ip) {
		uint16_t sum;
		body[4] = body[5] = 0;
		sum = (uint16_t)~ntohs(checksum(&frame->ip.saddr, 8, 0));
		sum = checksum(body, flood->length, (uint32_t)sum + HIP_PROTOCOL + (uint32_t)flood->length);
		memcpy(body + 4, &sum, sizeof sum);
	} else {
		put_u16(frame->rest, flood->everywhere ? 1024 + (unsigned)(draw(flood) % 60000) : PORT);
	}
}

/* ---- sending ---- */

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int open_link(const char *name)
{
	struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	int on = 1, descriptor = socket(AF_PACKET, SOCK_RAW, 0);

	if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&place, sizeof place) < 0)
		give_up(name);
	setsockopt(descriptor, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
	return descriptor;
}

static void run(struct flood *flood, int link, const struct ether_addr *to, double rate, double length)
{
	static struct frame frames[BATCH];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	const struct ether_addr from = {{2, 0, 0, 0, 0, 1}};
	uint64_t sent = 0, refused = 0;
	double start = seconds_now(), now = start;

	for (size_t i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){&frames[i], start_frame(flood, &frames[i], to, &from)};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	while ((now = seconds_now()) < start + length) {
		if ((double)(sent + refused) > (now - start) * rate) {
			usleep(200);
			continue;
		}
		for (size_t i = 0; i < BATCH; i++)
			change_frame(flood, &frames[i]);
		int done = sendmmsg(link, messages, BATCH, 0);
		if (done > 0)
			sent += (uint64_t)done;
		else
			refused += BATCH;
	}
	printf("%.0f a second were sent of %.0f wanted (%llu in %.1f s, of which the link refused %llu)\n",
		(double)sent / (now - start), rate, (unsigned long long)sent, now - start, (unsigned long long)refused);
}

int main(int argc, char **argv)
{
	struct flood flood = {.random = 0x9e3779b97f4a7c15};
	struct ether_addr *to;

	if (argc != 9) {
		fprintf(stderr, "usage: flood_generator LINK GATEWAY-MAC ADDRESS HIT KIND FROM RATE SECONDS\n");
		return 2;
	}
	to = ether_aton(argv[2]);
	flood.everywhere = strcmp(argv[6], "everywhere") == 0;
	if (!to || inet_pton(AF_INET, argv[3], &flood.destination) != 1 ||
		inet_pton(AF_INET6, argv[4], flood.hit) != 1 ||
		(!flood.everywhere && inet_pton(AF_INET, argv[6], &flood.source) != 1))
		give_up("an address cannot be read");
	flood.random ^= (uint64_t)time(NULL) << 20;
	flood.plain_ip = strcmp(argv[5], "i1-ip") == 0;
	flood.is_i2 = strcmp(argv[5], "i2") == 0;
	flood.is_esp = strcmp(argv[5], "esp") == 0;
	prepare(&flood);
	run(&flood, open_link(argv[1]), to, atof(argv[7]), atof(argv[8]));
	return 0;
}
