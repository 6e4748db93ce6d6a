#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one baresip and hands its events and commands through files, so that shell scripts can use it.

phone.py DIRECTORY             runs the phone
phone.py dial DIRECTORY AOR    calls AOR from a phone that runs, tells what happens, and hangs up on Ctrl-C

DIRECTORY holds baresip's own config and accounts, and a FIFO named commands. Each line written there is one long command
of baresip's menu ("dial sip:bob@example.com", "hangup"). Each event, and each command as it is given, becomes one
JSON object a line in DIRECTORY/events.json, with the monotonic time in seconds as "at". Ends when baresip ends.
"""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

CONTROL = ('127.0.0.1', 4444)


def connect(baresip):
    while baresip.poll() is None:
        try:
            return socket.create_connection(CONTROL)
        except OSError:
            time.sleep(0.05)
    sys.exit('baresip ended before it listened; see baresip.log')


def netstrings(buffer):
    """Split off the whole netstrings at the start of buffer: (list of their contents, the rest)."""
    found = []
    while b':' in buffer:
        length, rest = buffer.split(b':', 1)
        if len(rest) < int(length) + 1:
            break
        found.append(rest[:int(length)])
        buffer = rest[int(length) + 1:]
    return found, buffer


class Phone:
    def __init__(self, place):
        self.events = open(os.path.join(place, 'events.json'), 'a', buffering=1)
        log = open(os.path.join(place, 'baresip.log'), 'w')
        self.baresip = subprocess.Popen(['stdbuf', '-oL', 'baresip', '-f', place], stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=log)
        signal.signal(signal.SIGTERM, lambda *_: self.baresip.terminate())
        self.control = connect(self.baresip)
        # Open for reading and writing, so that it never reads as ended when a writer leaves.
        self.commands = os.fdopen(os.open(os.path.join(place, 'commands'), os.O_RDWR), 'r')

    def note(self, event):
        self.events.write(json.dumps({'at': time.monotonic(), **event}) + '\n')

    def command(self, line):
        name, _, parameters = line.strip().partition(' ')
        message = json.dumps({'command': name, **({'params': parameters} if parameters else {})}).encode()
        self.note({'type': 'COMMAND', 'param': line.strip()})
        self.control.sendall(b'%d:%s,' % (len(message), message))

    def run(self):
        self.note({'type': 'READY'})
        buffer = b''
        while True:
            for ready in select.select([self.control, self.commands], [], [])[0]:
                if ready is self.commands:
                    self.command(self.commands.readline())
                    continue
                data = self.control.recv(65536)
                if not data:
                    return self.baresip.wait()
                found, buffer = netstrings(buffer + data)
                for event in found:
                    self.note(json.loads(event))


def follow(events):
    """The events written from now on, as they come."""
    events.seek(0, os.SEEK_END)
    while True:
        line = events.readline()
        if line:
            yield json.loads(line)
        else:
            time.sleep(0.1)


def dial(place, aor):
    def give(command):
        with open(os.path.join(place, 'commands'), 'w') as commands:
            commands.write(command + '\n')

    with open(os.path.join(place, 'events.json')) as events:
        happens = follow(events)
        threading.Timer(0.2, give, ['dial ' + aor]).start()
        try:
            for event in happens:
                if event.get('class') == 'call':
                    print(event['type'], event.get('param', ''), flush=True)
                if event.get('type') == 'CALL_CLOSED':
                    return
        except KeyboardInterrupt:
            give('hangup')


if len(sys.argv) == 4 and sys.argv[1] == 'dial':
    dial(sys.argv[2], sys.argv[3])
elif len(sys.argv) == 2:
    sys.exit(Phone(sys.argv[1]).run())
else:
    sys.exit(__doc__)
