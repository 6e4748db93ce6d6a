#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Steady streams that show every loss: like a call, and like a download.

steady.py send udp|tcp ADDRESS PORT [MS]
                                      sends a numbered piece each 20 ms (or MS) until SIGTERM, then prints how many it
                                      sent
steady.py hear udp|tcp PORT           prints a line with the number of pieces heard so far whenever it was asked by
                                      SIGUSR1, and at the end (SIGTERM; of a TCP stream also its end); TCP pieces out
                                      of order end it with status 1
"""
import signal
import socket
import struct
import sys
import time

PIECE = 172  # octets, as RTP with 20 ms of G.711


class Stop(Exception):
    pass


def stop(*_):
    raise Stop


def piece(number):
    return struct.pack('!I', number) + bytes(PIECE - 4)


def send(kind, address, port, every_ms):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
    s.connect((address, port))
    sent = 0
    try:
        while True:
            s.sendall(piece(sent))
            sent += 1
            time.sleep(every_ms / 1000)
    except Stop:
        pass
    s.close()
    print(sent, flush=True)


def hear(kind, port):
    heard, rest = 0, b''
    listener = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('::', port))
    signal.signal(signal.SIGUSR1, lambda *_: print(heard, flush=True))
    seen = set()
    try:
        if kind == 'tcp':
            listener.listen()
        print('listening', flush=True)
        stream = listener.accept()[0] if kind == 'tcp' else listener
        while True:
            data = stream.recv(65536)
            if kind == 'udp':
                seen.add(data[:4])
                heard = len(seen)
                continue
            if not data:
                break
            rest += data
            while len(rest) >= PIECE:
                if rest[:PIECE] != piece(heard):
                    sys.exit('piece %d is not what was sent' % heard)
                heard, rest = heard + 1, rest[PIECE:]
    except Stop:
        pass
    print(heard, flush=True)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, stop)
    if sys.argv[1] == 'send':
        send(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]) if len(sys.argv) > 5 else 20)
    else:
        hear(sys.argv[2], int(sys.argv[3]))
