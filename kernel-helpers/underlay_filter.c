/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/underlay_internal.h"

#include <linux/filter.h>

#define TYPE_OFFSET   2 /* of the packet type in the HIP header, RFC 7401 section 5.1 */
#define TYPE_MASK     0x7f
#define TYPE_I1       1
#define MARKER_LENGTH 4 /* zero octets, RFC 9028 section 5.1 */
#define WHOLE_PACKET  0xffff

/* The sockets of a group, in the order in which they joined. */
#define TO_DATA      0
#define TO_CONTROL   1
#define TO_STRANGERS 2

bool underlay_filter_group(int descriptor, uint32_t mask, uint32_t mark)
{
	/* A load beyond the end ends a program with 0: the first socket of a group. */
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mark & mask, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, TO_DATA),
		BPF_STMT(BPF_RET | BPF_K, TO_STRANGERS),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, MARKER_LENGTH + TYPE_OFFSET),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TYPE_MASK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TYPE_I1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, TO_STRANGERS),
		BPF_STMT(BPF_RET | BPF_K, TO_CONTROL),
	};
	const struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

	return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

bool underlay_filter_raw(int descriptor, int family, bool i1)
{
	/* A raw IPv4 socket sees the IP header, an IPv6 one does not. */
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, TYPE_OFFSET),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TYPE_MASK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TYPE_I1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, i1 ? WHOLE_PACKET : 0),
		BPF_STMT(BPF_RET | BPF_K, i1 ? 0 : WHOLE_PACKET),
	};
	const struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

	if (family == AF_INET)
		filter[0] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
	return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

bool underlay_filter_all(int descriptor)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = &nothing};

	return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}
