#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""forged_prefixes.py TARGET OWN: sends packets with next header 41 and 4 from HIT OWN to HIT TARGET, which carry what they
must not, and prints how many. They leave through the tunnel device, so the host's own hiphopd must be one that
has no prefixes configured: it does not know what they are."""
import socket
import struct
import sys

target, own = sys.argv[1], sys.argv[2]


def udp(length):
    return struct.pack('!HHHH', 9, 7001, 8 + length, 0) + bytes(length)


def v6(source, destination):
    return (struct.pack('!IHBB', 6 << 28, 16, 17, 64) + socket.inet_pton(socket.AF_INET6, source)
            + socket.inet_pton(socket.AF_INET6, destination) + udp(8))


def v4(source, destination):
    return (struct.pack('!BBHHHBBH', 0x45, 0, 36, 0, 0, 64, 17, 0) + socket.inet_aton(source)
            + socket.inet_aton(destination) + udp(8))


# From the prefix of another, from HITs, and from nowhere; to the target, past it, and to what only it itself may reach.
packets = [(41, v6(source, destination))
           for source in ('2001:db8:100::7', own, target, '::1', '::', 'fe80::1', '2001:db8:1::1', 'ff02::1')
           for destination in (target, '::1', 'ff02::1', '2001:db8:200::9', '2001:db8:1::1')]
packets += [(4, v4(source, destination))
            for source in ('10.1.0.7', '100.64.0.7', '127.0.0.1', '0.0.0.0')
            for destination in ('100.64.0.7', '127.0.0.1', '10.2.0.9', '255.255.255.255')]
# To the prefix of the router, from a source that is not the sender's.
packets += [(41, v6(source, '2001:db8:100::7')) for source in ('2001:db8:100::8', target, '::1', '2001:db8:1::1')]
packets += [(4, v4(source, '10.1.0.7')) for source in ('10.1.0.8', '10.2.0.9', '127.0.0.1')]
# No packets at all.
good = v6(own, target)
packets += [(41, b''), (4, b''), (41, b'E' * 20), (4, b'`' * 40), (41, good[:39]), (41, good[:-1]), (41, good + b'x'),
            (4, good), (41, v4('10.1.0.7', '100.64.0.7')), (4, b'D' + v4('10.1.0.7', '100.64.0.7')[1:])]
for protocol, packet in packets:
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol) as raw:
        raw.sendto(packet, (target, 0))
print(len(packets))
