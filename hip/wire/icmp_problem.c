/* SPDX-License-Identifier: MIT */
#include "hip/wire/icmp_problem.h"

#define IPV4_HEADER_LENGTH 20
#define IPV6_HEADER_LENGTH 40
#define ICMP_HEADER_LENGTH 8
#define HOP_LIMIT          64

/* Type and code, RFC 792 and RFC 4443; 13 is "communication administratively prohibited" of RFC 1812. */
static const struct {
	uint8_t type, code;
} messages[2][2] = {
	{[ICMP_PARAMETER_PROBLEM] = {12, 0}, [ICMP_PROHIBITED] = {3, 13}},
	{[ICMP_PARAMETER_PROBLEM] = {4, 0}, [ICMP_PROHIBITED] = {1, 1}},
};

static uint16_t checksum(const uint8_t *octets, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? octets[i] : (uint32_t)octets[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void write_ipv4_header(struct writer *writer, const struct icmp_problem *problem, uint8_t *out)
{
	size_t start = writer->position;

	writer_u8(writer, 0x45);
	writer_u8(writer, 0);
	writer_u16(writer, (uint16_t)(IPV4_HEADER_LENGTH + problem->packet.length));
	writer_u32(writer, 0); /* identification, fragment offset */
	writer_u8(writer, HOP_LIMIT);
	writer_u8(writer, problem->protocol);
	writer_u16(writer, 0);
	writer_copy(writer, problem->source.octets + 12, 4);
	writer_copy(writer, problem->destination.octets + 12, 4);
	writer_patch_u16(writer, start + 10, checksum(out + start, IPV4_HEADER_LENGTH));
}

static void write_ipv6_header(struct writer *writer, const struct icmp_problem *problem)
{
	writer_u32(writer, UINT32_C(6) << 28);
	writer_u16(writer, (uint16_t)problem->packet.length);
	writer_u8(writer, problem->protocol);
	writer_u8(writer, HOP_LIMIT);
	writer_copy(writer, problem->source.octets, 16);
	writer_copy(writer, problem->destination.octets, 16);
}

hiphop_error icmp_problem_write(const struct icmp_problem *problem, uint8_t *out, size_t capacity, size_t *length)
{
	bool ipv4 = address_is_ipv4(&problem->source);
	size_t header = ipv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
	size_t pointer = problem->kind == ICMP_PARAMETER_PROBLEM ? header + problem->pointer : 0;
	size_t room = ICMP_PROBLEM_MAXIMUM - ICMP_HEADER_LENGTH - header;
	struct writer writer = writer_over(out, capacity);

	*length = 0;
	if (address_is_ipv4(&problem->destination) != ipv4 || (ipv4 && pointer > 255))
		return HIPHOP_INVALID_ARGUMENT;
	if (capacity < ICMP_PROBLEM_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	writer_u8(&writer, messages[!ipv4][problem->kind].type);
	writer_u8(&writer, messages[!ipv4][problem->kind].code);
	writer_u16(&writer, 0);
	/* ICMP has the pointer in one octet, ICMPv6 in four. */
	writer_u32(&writer, ipv4 ? (uint32_t)pointer << 24 : (uint32_t)pointer);
	if (ipv4)
		write_ipv4_header(&writer, problem, out);
	else
		write_ipv6_header(&writer, problem);
	writer_copy(&writer, problem->packet.data, problem->packet.length < room ? problem->packet.length : room);
	if (ipv4)
		writer_patch_u16(&writer, 2, checksum(out, writer.position));
	if (writer_status(&writer))
		return writer_status(&writer);
	*length = writer.position;
	return HIPHOP_OK;
}
