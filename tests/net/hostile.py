#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hostile neighbour, for test_hostile.sh.

hostile.py record LINK FILE            writes every HIP and ESP packet seen on LINK to FILE, one a line, until it is ended
hostile.py CAMPAIGN SEED FILE HOST...  sends to each HOST (an address) what the name says, from what FILE has:
    replay    every packet as it was, forwards and backwards, from its own source address and from ours
    truncate  every packet cut to many lengths
    mutate    packets with octets changed, inserted and removed; half of them with a right checksum
    noise     random octets of all sizes, some behind a good header or a known SPI
    flood     COUNT (environment, 4000) I1 packets, each of another sender
hostile.py control SOCKET              everything a client of the control socket should not do
hostile.py sip HOST                    what is no SIP, over UDP and TCP to port 5060
"""
import os
import random
import signal
import socket
import struct
import sys
import time

HIP, ESP, UDP, PORT = 139, 50, 17, 10500
PACE = 50  # datagrams after which the sender takes a breath, so that none is lost on its way


# ---- packets: (IP version, source, destination, protocol, payload of that protocol) ----

def parse_ip(data):
    if data[0] >> 4 == 4:
        payload = data[(data[0] & 15) * 4:struct.unpack("!H", data[2:4])[0]]
        return 4, data[12:16], data[16:20], data[9], payload
    return 6, data[8:24], data[24:40], data[6], data[40:40 + struct.unpack("!H", data[4:6])[0]]


def record(link, name):
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    sniffer.bind((link, 3))
    # That the file is there says that the record has begun.
    with open(name, "w", encoding="ascii") as out:
        while True:
            data = sniffer.recv(65535)
            if data[0] >> 4 not in (4, 6):
                continue
            protocol, payload = parse_ip(data)[3:]
            if protocol in (HIP, ESP) or protocol == UDP and PORT in struct.unpack("!HH", payload[:4]):
                print(data.hex(), file=out, flush=True)


def load(name):
    with open(name, encoding="ascii") as lines:
        return [parse_ip(bytes.fromhex(line)) for line in lines]


def ones_complement(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def with_checksum(protocol, source, destination, payload):
    """A HIP packet of plain IP has a checksum (RFC 7401 section 5.1.1); one in UDP has zero."""
    if protocol != HIP or len(payload) < 6:
        return payload
    cleared = payload[:4] + b"\0\0" + payload[6:]
    if len(source) == 4:
        pseudo = source + destination + struct.pack("!BBH", 0, HIP, len(payload))
    else:
        pseudo = source + destination + struct.pack("!IHBB", len(payload), 0, 0, HIP)
    return payload[:4] + struct.pack("!H", ones_complement(pseudo + cleared)) + payload[6:]


class Sender:
    """Sends whole IP packets, so that any source can be named; and datagrams from an ordinary socket."""

    def __init__(self):
        self.raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.plain = {
            family: socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)
        }
        self.sent = 0

    def breathe(self):
        self.sent += 1
        if self.sent % PACE == 0:
            time.sleep(0.01)

    def packet(self, source, destination, protocol, payload):
        """An IP packet of any source."""
        if len(payload) > 1400:
            payload = payload[:1400]
        try:
            if len(source) == 4:
                header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), self.sent & 0xffff, 0, 64, protocol, 0,
                    source, destination)
                self.raw4.sendto(header + payload, (socket.inet_ntop(socket.AF_INET, destination), 0))
            else:
                header = struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, 64, source, destination)
                self.raw6.sendto(header + payload, (socket.inet_ntop(socket.AF_INET6, destination), 0))
        except OSError as trouble:
            if self.sent == 0:
                raise trouble
        self.breathe()

    def datagram(self, destination, data):
        """UDP from an address and port of our own."""
        family = socket.AF_INET if len(destination) == 4 else socket.AF_INET6
        try:
            self.plain[family].sendto(data[:65000], (socket.inet_ntop(family, destination), PORT))
        except OSError:
            pass
        self.breathe()

    def forged(self, packet, destination, payload):
        """The packet with another payload (UDP header left out of `payload`), from where the original came."""
        version, source, _, protocol, original = packet
        if len(destination) != (4 if version == 4 else 16):
            return
        if protocol == UDP:
            # A UDP checksum of zero is "none" over IPv4; over IPv6 it must be right.
            header = original[:4] + struct.pack("!HH", 8 + len(payload), 0)
            if version == 6:
                pseudo = source + destination + struct.pack("!IHBB", 8 + len(payload), 0, 0, UDP)
                header = header[:6] + struct.pack("!H", ones_complement(pseudo + header + payload) or 0xffff)
            payload = header + payload
        self.packet(source, destination, protocol, payload)


def inside(packet):
    """What HIP or ESP sees: the payload, without the UDP header."""
    return packet[4][8:] if packet[3] == UDP else packet[4]


def send_both(sender, packet, target, payload):
    """From where it came, and from here."""
    sender.forged(packet, target, payload)
    if packet[3] == UDP:
        sender.datagram(target, payload)


def replay(sender, packets, target, _):
    for packet in packets + packets[::-1]:
        send_both(sender, packet, target, inside(packet))


def truncate(sender, packets, target, chance):
    for packet in packets:
        payload = inside(packet)
        lengths = set(range(0, min(len(payload), 60), 3)) | {chance.randrange(len(payload) + 1) for _ in range(12)}
        for length in sorted(lengths):
            cut = payload[:length]
            if chance.random() < 0.5 and length > 8 and (packet[3] == HIP or cut[:4] == b"\0\0\0\0"):
                cut = with_right_length(packet, cut)
            if packet[3] == HIP:
                cut = with_checksum(HIP, packet[1], target, cut)
            send_both(sender, packet, target, cut)


def with_right_length(packet, payload):
    """The Header Length says what is there, as far as whole 8 octets go."""
    skip = 0 if packet[3] == HIP else 4
    hip = bytearray(payload)
    if len(hip) >= skip + 2:
        hip[skip + 1] = max(0, (len(hip) - skip) // 8 - 1) & 0xff
    return bytes(hip)


def change(payload, chance):
    data = bytearray(payload)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        if not data:
            break
        at = chance.randrange(len(data))
        way = chance.randrange(6)
        if way <= 1:
            data[at] ^= 1 << chance.randrange(8)
        elif way == 2:
            data[at] = chance.choice((0, 1, 0x7f, 0x80, 0xff))
        elif way == 3:
            data[at:at] = chance.randbytes(chance.choice((1, 4, 8, 64)))
        elif way == 4:
            del data[at:at + chance.choice((1, 4, 8, 64))]
        else:
            data[at & ~1:(at & ~1) + 2] = struct.pack("!H", chance.choice((0, 1, 4, 0xffff, chance.randrange(65536))))
    return bytes(data)


def is_hip(packet):
    return packet[3] == HIP or packet[3] == UDP and inside(packet)[:4] == b"\0\0\0\0"


def mutate(sender, packets, target, chance):
    control = [packet for packet in packets if is_hip(packet)]
    for _ in range(int(os.environ.get("COUNT", "3000"))):
        packet = chance.choice(control or packets) if chance.random() < 0.8 else chance.choice(packets)
        payload = change(inside(packet), chance)
        if is_hip(packet) and chance.random() < 0.5:
            payload = with_right_length(packet, payload)
        if packet[3] == HIP and chance.random() < 0.8:
            payload = with_checksum(HIP, packet[1], target, payload)
        send_both(sender, packet, target, payload)


def noise(sender, packets, target, chance):
    spis = [inside(packet)[:4] for packet in packets if packet[3] in (UDP, ESP)]
    heads = [inside(packet)[:44] for packet in packets if packet[3] == UDP and is_hip(packet)]
    ours = packets[0][1] if len(packets[0][1]) == len(target) else target
    for _ in range(int(os.environ.get("COUNT", "1500"))):
        size = chance.choice((0, 1, 3, 4, 5, 7, 8, 12, 40, 44, 100, 1400, 2100, 9000, 65000, chance.randrange(2000)))
        tail = chance.randbytes(size)
        front = chance.choice((b"", b"\0\0\0\0", chance.choice(spis or [b""]), chance.choice(heads or [b""])))
        sender.datagram(target, front + tail)
        for protocol in (HIP, ESP):
            sender.packet(ours, target, protocol, with_checksum(protocol, ours, target, (front + tail)[:1400]))


def flood(sender, packets, target, chance):
    """I1 packets that are right in all but that nobody sent them."""
    def is_i1(packet):
        payload = inside(packet)
        skip = 4 if packet[3] == UDP else 0
        return is_hip(packet) and payload[skip + 2:skip + 3] == b"\1"
    models = [packet for packet in packets if is_i1(packet)]
    if not models:
        sys.exit("no I1 was recorded")
    for number in range(int(os.environ.get("COUNT", "4000"))):
        packet = models[number % len(models)]
        skip = 4 if packet[3] == UDP else 0
        payload = inside(packet)
        # Sender HIT: the prefix stays, the hash is anybody's.
        payload = payload[:skip + 12] + chance.randbytes(12) + payload[skip + 24:]
        source = packet[1]
        if packet[3] == HIP:
            payload = with_checksum(HIP, source, target, payload)
        send_both(sender, packet, target, payload)


# ---- the control socket ----

def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(path)
    client.settimeout(10)
    return client


def ask(client, data):
    """The answer's line, or what came until the end."""
    answer = b""
    try:
        if data:
            client.sendall(data)
    except (ConnectionResetError, BrokenPipeError):
        pass  # It may have answered before it hung up.
    try:
        while not answer.endswith(b"\n"):
            more = client.recv(65536)
            if not more:
                break
            answer += more
    except ConnectionResetError:
        pass
    except socket.timeout:
        return b"(silence)"
    return answer


def expect(name, answer, *words):
    if any(word in answer for word in words):
        return
    sys.exit(f"{name}: answered {answer[:200]!r}")


def control(path):
    lines = {
        "no JSON": b"hello\n", "no object": b"[]\n", "a number": b"1\n", "NUL": b"\0\0\0\n", "not UTF-8": b'{"command":"\xff"}\n',
        "no command": b"{}\n", "a number for a command": b'{"command":1}\n', "twice": b'{"command":"id","command":"id"}\n',
        "deep": b"[" * 60000 + b"\n", "deep object": b'{"a":' * 10000 + b"\n", "long": b"x" * 70000 + b"\n",
        "NUL in a text": b'{"command":"get","key":"a\\u0000b"}\n',
        "count": b'{"command":"ping","target":"2001:22::1","count":"many"}\n', "target": b'{"command":"ping","target":7}\n',
        "no target": b'{"command":"trace"}\n', "aor": b'{"command":"resolve","aor":[]}\n', "put": b'{"command":"put","key":"a"}\n',
        "put of a number": b'{"command":"put","key":"a","value":5}\n', "get": b'{"command":"get"}\n',
        "trust": b'{"command":"trust","aor":"a@b","hit":{}}\n',
    }
    for name, line in lines.items():
        client = connect(path)
        expect(name, ask(client, line), b'"code":"malformed"')
        client.close()
    client = connect(path)
    expect("unknown", ask(client, b'{"command":"dance"}\n'), b'"code":"unknown command"')
    # The connection goes on after an error, after empty lines, and in pieces.
    expect("after an error", ask(client, b'\n\n{"command":"id"}\n'), b'"ok":true')
    for piece in (b'{"comm', b'and":"i', b'd"}'):
        client.sendall(piece)
        time.sleep(0.05)
    expect("in pieces", ask(client, b"\n"), b'"ok":true')
    expect("two at once", ask(client, b'{"command":"id"}\n{"command":"id"}\n'), b'"ok":true')
    client.close()
    # Half a line, then gone; a request, then gone; a request, then no more input.
    for data in (b'{"comm', b'{"command":"ping","target":"2001:22::1"}\n', b'{"command":"monitor"}\n'):
        client = connect(path)
        client.sendall(data)
        client.close()
    client = connect(path)
    client.sendall(b'{"command":"id"}\n')
    client.shutdown(socket.SHUT_WR)
    expect("half closed", ask(client, b""), b'"ok":true')
    client.close()
    # A hundred at once: as many as there is room for are served, the others are told.
    crowd = [connect(path) for _ in range(100)]
    time.sleep(0.3)
    answers = [ask(client, b'{"command":"id"}\n') for client in crowd]
    served, told = (sum(word in answer for answer in answers) for word in (b'"ok":true', b'"code":"limited"'))
    if served != 32 or told != 68:
        sys.exit(f"of a hundred clients {served} were served and {told} told to come later")
    for client in crowd:
        client.close()
    time.sleep(0.3)
    # Readers who never read, each asking for as much as it may.
    slow = [connect(path) for _ in range(10)]
    for client in slow:
        client.setblocking(False)
        try:
            for _ in range(2000):
                client.send(b'{"command":"status"}\n' * 20)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass
    client = connect(path)
    expect("beside slow readers", ask(client, b'{"command":"id"}\n'), b'"ok":true')
    for client in slow:
        client.close()
    print("as it should be")


# ---- SIP ----

def sip(host):
    chance = random.Random(1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    register = (b"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bK1\r\n"
        b"From: <sip:m@example.com>;tag=1\r\nTo: <sip:m@example.com>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n"
        b"Contact: <sip:m@127.0.0.1:5999>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
    bad = [b"", b"\r\n", b"\r\n\r\n", b"\0" * 100, b"SIP/2.0 200 OK\r\n\r\n", b"INVITE", register[:40], register[:-2],
        register.replace(b"Content-Length: 0", b"Content-Length: 99999999999"),
        register.replace(b"Content-Length: 0", b"Content-Length: -1"), register.replace(b"CSeq: 1", b"CSeq: x"),
        register.replace(b"Max-Forwards: 70", b"Max-Forwards: -1"), register.replace(b"branch=", b"branch=" + b"a" * 50000),
        register.replace(b"Via: ", b"Via: SIP/2.0/UDP a,\r\nVia: " * 500), register.replace(b"\r\n", b"\n"),
        register.replace(b"sip:m@", b"sip:" + b"%00" * 500 + b"@"), register.replace(b"<sip:m@example.com>", b"<<<>>>\"\"\""),
        register.replace(b"REGISTER", b"\xff\xfe"), b"A" * 60000, register + b"x" * 3000,
        register.replace(b"Contact: ", b"Contact: *, " * 100)]
    bad += [change(register, chance) for _ in range(600)]
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        for number, data in enumerate(bad):
            out.sendto(data, (host, 5060))
            if number % PACE == 0:
                time.sleep(0.01)
    streams = []
    for data in bad[:120]:
        stream = socket.socket(family, socket.SOCK_STREAM)
        stream.settimeout(5)
        try:
            stream.connect((host, 5060))
            stream.sendall(data)
        except OSError:
            pass
        streams.append(stream)
    try:
        endless = socket.create_connection((host, 5060), 5)
        streams.append(endless)
        endless.sendall(b"INVITE sip:a@example.com SIP/2.0\r\n")
        for _ in range(2000):
            endless.sendall(b"X-Header: " + b"y" * 1000 + b"\r\n")
    except OSError:
        pass
    for stream in streams:
        stream.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    campaign = sys.argv[1]
    if campaign == "record":
        record(sys.argv[2], sys.argv[3])
    elif campaign in ("control", "sip"):
        globals()[campaign](sys.argv[2])
    else:
        seed, packets = int(sys.argv[2]), load(sys.argv[3])
        for host in sys.argv[4:]:
            target = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
            fitting = [packet for packet in packets if len(packet[1]) == len(target)]
            if not fitting:
                sys.exit(f"nothing was recorded that {host} could get")
            sender = Sender()
            globals()[campaign](sender, fitting, target, random.Random(seed))
            print(f"{campaign}: {sender.sent} packets to {host}")


main()
