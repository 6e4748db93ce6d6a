#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Sends packets of HIP and ESP over plain IP that a host has to say something about by ICMP, or has to be silent about.
#
#	strange_packets.py ADDRESS HIT KIND [SENDER]
#
# HIT is that of the host at ADDRESS, SENDER the HIT that packets claim to be from. Ends with 0 when the host does what
# the KIND says. An answer is waited for, and asked for again, since there are few in a second; that there is none shows
# by the answer to a packet that comes later.
import os, select, socket, struct, sys, time

address, own_hit, kind = sys.argv[1], socket.inet_pton(socket.AF_INET6, sys.argv[2]), sys.argv[3]
SENDER = socket.inet_pton(socket.AF_INET6, sys.argv[4]) if len(sys.argv) > 4 else b"\x20\x01\x00\x22" + os.urandom(12)
SIX = ":" in address
FAMILY, IP_HEADER = (socket.AF_INET6, 40) if SIX else (socket.AF_INET, 20)
HIP, ESP = 139, 50
PARAMETER_PROBLEM, PROHIBITED = ((4, 0), (1, 1)) if SIX else ((12, 0), (3, 13))
I1, UPDATE, NOTIFY, CLOSE = 1, 16, 17, 18
ERRORS = socket.socket(FAMILY, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if SIX else socket.IPPROTO_ICMP)


def hip(packet_type, receiver=own_hit, parameters=b"", version=2, sender=None, next_header=59):
    head = struct.pack("!BBBBHH", next_header, 4 + len(parameters) // 8, packet_type, version << 4 | 1, 0, 0)
    return head + (sender or SENDER) + receiver + parameters


def send(data, protocol=HIP, right=True, to=address):
    out = socket.socket(FAMILY, socket.SOCK_RAW, protocol)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    out.connect((to, 0, 0, socket.if_nametoindex("eth0")) if SIX else (to, 0))
    if protocol == HIP:
        total = socket.inet_pton(FAMILY, out.getsockname()[0]) + socket.inet_pton(FAMILY, to) + data
        total = sum(struct.unpack(f"!{len(total) // 2}H", total)) + HIP + len(data)
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        data = data[:4] + struct.pack("!H", ~total & 0xFFFF ^ (not right)) + data[6:]
    out.send(data)


def answers(seconds):
    """The ICMP messages about packets of ours that come in the next seconds: type and code, place, packet."""
    end = time.monotonic() + seconds
    while select.select([ERRORS], [], [], max(0, end - time.monotonic()))[0]:
        message = ERRORS.recv(4000)[0 if SIX else 20:]
        if tuple(message[:2]) not in (PARAMETER_PROBLEM, PROHIBITED):
            continue
        place = int.from_bytes(message[4:8] if SIX else message[4:5], "big")
        yield tuple(message[:2]), place - IP_HEADER, message[8 + IP_HEADER:]


def is_answered(data, message, pointer, protocol=HIP):
    for _ in range(20):
        send(data, protocol)
        for told, place, about in answers(1):
            if about[8:40] == data[8:40]:
                return told == message and (message == PROHIBITED or place == pointer)
    return False


def is_silent_about(*packets):
    """Each one is sent, then one of another version; nothing but that is told about."""
    for packet, arguments in packets:
        send(packet, **arguments)
    marker = hip(I1, version=3, sender=os.urandom(16))
    for _ in range(20):
        send(marker)
        for _, _, about in answers(1):
            if about[8:24] == SENDER:
                return False
            if about[8:24] == marker[8:24]:
                return True
    return False


def many(data, count):
    """There are a few answers, however many packets there are."""
    began, told = time.monotonic(), 0
    for _ in range(count):
        send(data)
    for _, _, _ in answers(1):
        told += 1
    return told <= 5 + 1 + (time.monotonic() - began)


everybody = "ff02::1" if SIX else address.rsplit(".", 1)[0] + ".255"
unknown = struct.pack("!HHI", 6001, 4, 0)
KINDS = {
    "version": lambda: is_answered(hip(I1, version=3), PARAMETER_PROBLEM, 3),
    "structure": lambda: is_answered(hip(I1, parameters=unknown), PARAMETER_PROBLEM, 40),
    "association": lambda: is_answered(hip(CLOSE, receiver=SENDER), PARAMETER_PROBLEM, 8),
    "esp": lambda: is_answered(b"\1\2\3\4" + os.urandom(36), PARAMETER_PROBLEM, 0, ESP),
    "refused": lambda: is_answered(hip(I1, parameters=struct.pack("!HHBxxx", 511, 1, 7)), PROHIBITED, 0),
    "silence": lambda: is_silent_about(
        (hip(I1, version=3), {"right": False}),
        (hip(I1, parameters=unknown), {"right": False}),
        (hip(99), {}),
        (hip(NOTIFY, receiver=SENDER), {}),
        (hip(I1, receiver=SENDER), {}),
        (hip(I1, version=3), {"to": everybody}),
    ),
    "many": lambda: many(hip(I1, version=3), 300),
}
sys.exit(not KINDS[kind]())
