#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A recorded tone for a phone, and the ear that knows it again.

tone.py make FILE HERTZ SECONDS   writes a WAV file: 8 kHz, one channel, 16 bits
tone.py hear FILE HERTZ           prints the share of the sound's energy at that pitch (0 to 1) and its length in seconds
"""
import array
import math
import sys
import wave

RATE = 8000


def make(path, hertz, seconds):
    samples = array.array('h', (int(9000 * math.sin(2 * math.pi * hertz * i / RATE)) for i in range(RATE * seconds)))
    with wave.open(path, 'wb') as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


def samples_of(path):
    """Read what follows the header by hand: a phone that still runs has not written its sizes there yet."""
    with open(path, 'rb') as f:
        data = f.read()
    start = data.find(b'data') + 8
    return array.array('h', data[start:len(data) - (len(data) - start) % 2])


def share(samples, hertz):
    """The energy at one pitch over all energy, averaged over tenths of a second that have any sound."""
    block, shares = RATE // 10, []
    for first in range(0, len(samples) - block + 1, block):
        piece = samples[first:first + block]
        energy = sum(s * s for s in piece)
        if energy < block * 100:
            continue
        re = sum(s * math.cos(2 * math.pi * hertz * i / RATE) for i, s in enumerate(piece))
        im = sum(s * math.sin(2 * math.pi * hertz * i / RATE) for i, s in enumerate(piece))
        shares.append(2 * (re * re + im * im) / (block * energy))
    return sum(shares) / len(shares) if shares else 0.0


def main():
    if len(sys.argv) == 5 and sys.argv[1] == 'make':
        make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif len(sys.argv) == 4 and sys.argv[1] == 'hear':
        samples = samples_of(sys.argv[2])
        print(f'{share(samples, int(sys.argv[3])):.2f} {len(samples) / RATE:.1f}')
    else:
        sys.exit(__doc__)


main()
