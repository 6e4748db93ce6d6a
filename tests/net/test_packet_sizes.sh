#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Packets of every size from HIT to HIT, over links that cut large packets themselves and links that do not, wide and narrow:
# pings that fit and pings in fragments, UDP datagrams of mixed sizes from several flows at once, several TCP streams at once.
. "$(dirname "$0")/lab.sh"
lab_start "$@"
lab_needs_hiphopd

PORT=7000
STREAMS=4
MEGABYTES=20

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host other right
LAB_INBOUND="\"icmp6\", \"tcp/$PORT\", \"udp/$PORT\"" lab_overlay one other

ping_sizes() {
	local size
	for size in 0 1 8 100 1303 1304 1351 1352 1353 1400 3000 9000 60000; do
		lab_exec one ping -q -c 3 -i 0.05 -W 3 -s "$size" "$(lab_hit other)" || { echo "ping -s $size"; return 1; }
	done
}

echo_is_ready() { lab_exec other ss -ulnH "sport = :$PORT" | grep -q .; }

# Every datagram comes back as it was, whatever came before and after it. Twenty at once, so that none need be lost; one
# in a hundred may be all the same, since a busy machine drops what it cannot take in time.
udp_mixed() {
	lab_spawn "$LAB_DIR/other/echo.log" other python3 -c "
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(('::', $PORT))
while True:
    data, who = s.recvfrom(65536)
    s.sendto(data, who)"
	local echo=$LAB_SPAWNED status=0
	lab_wait 10 echo_is_ready
	lab_exec one python3 -c "
import random, socket, sys
random.seed(1)
lost = 0
flows = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(3)]
for f in flows:
    f.connect(('$(lab_hit other)', $PORT))
    f.settimeout(1)
for round in range(100):
    alike = random.choice([1, 100, 1352, 1200])
    sent = [[], [], []]
    for i in range(20):
        size = alike if random.random() < 0.7 else random.choice([0, 1, 2, 3, 1351, 1352, 1353, 2000, 4000])
        data = random.randbytes(size)
        flow = random.randrange(3)
        flows[flow].send(data)
        sent[flow].append(data)
    for f, expected in zip(flows, sent):
        for left in range(len(expected), 0, -1):
            try:
                got = f.recv(65536)
            except TimeoutError:
                lost += left
                break
            if got not in expected:
                sys.exit('round %d: %d octets that nobody sent' % (round, len(got)))
            expected.remove(got)
sys.exit('%d of 2000 datagrams were lost' % lost if lost > 20 else 0)
" || status=$?
	lab_end "$echo"
	return "$status"
}

# Streams of arbitrary content both ways at once; the writers send in pieces of all sizes.
tcp_streams() {
	lab_spawn "$LAB_DIR/other/tcp.log" other python3 -c "
import socket, threading
def serve(c):
    while True:
        data = c.recv(100000)
        if not data: break
        c.sendall(data)
    c.close()
s = socket.create_server(('::', $PORT), family=socket.AF_INET6)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()"
	local server=$LAB_SPAWNED status=0
	lab_wait 5 lab_listens other "$PORT"
	lab_exec one python3 -c "
import hashlib, random, socket, sys, threading
wrong = []
def stream(n):
    r = random.Random(n)
    c = socket.create_connection(('$(lab_hit other)', $PORT), 60)
    if n % 2: c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    total = $MEGABYTES * 1000000 // $STREAMS
    sent, got = hashlib.sha256(), hashlib.sha256()
    def write():
        left = total
        while left:
            piece = r.randbytes(min(left, r.choice([1, 7, 1000, 1328, 1329, 50000, 300000])))
            sent.update(piece)
            c.sendall(piece)
            left -= len(piece)
    w = threading.Thread(target=write)
    w.start()
    left = total
    while left:
        data = c.recv(100000)
        if not data: break
        got.update(data)
        left -= len(data)
    w.join()
    if left or sent.digest() != got.digest(): wrong.append(n)
threads = [threading.Thread(target=stream, args=(n,)) for n in range($STREAMS)]
for t in threads: t.start()
for t in threads: t.join()
sys.exit('streams %s came back changed' % wrong if wrong else 0)
" || status=$?
	lab_end "$server"
	return "$status"
}

# How many segments the stack of $1 has refused for their checksum.
wrong_checksums() {
	lab_exec "$1" nstat -asz TcpInCsumErrors Udp6InCsumErrors Icmp6InCsumErrors | awk '!/^#/ { n += $2 } END { print n }'
}

try_all() {
	lab_check "$1: pings of all sizes" ping_sizes
	lab_check "$1: UDP datagrams of mixed sizes" udp_mixed
	lab_check "$1: $STREAMS TCP streams at once" tcp_streams
}

try_all 'checksums in software'
for host in one other; do
	lab_exec "$host" ethtool -K eth0 tx on >/dev/null
	lab_exec "router-$([ $host = one ] && echo left || echo right)" ethtool -K "$host" tx on >/dev/null
done
try_all 'segmentation by the device'
for host in one other; do
	ip -n "$host" link set dev eth0 mtu 1380
done
try_all 'a link narrower than the tunnel'
# conforms: RFC7401-4.5.1-1 RFC7401-4.5.1-2
lab_check 'no wrong checksum in all that, one' [ "$(wrong_checksums one)" = 0 ]
# conforms: RFC7401-4.5.1-1 RFC7401-4.5.1-2
lab_check 'no wrong checksum in all that, other' [ "$(wrong_checksums other)" = 0 ]
lab_check 'both daemons stayed up' lab_joined one
lab_finish
