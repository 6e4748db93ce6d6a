#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A host changes its links in every way, and what it is doing goes on: the association is the same one, TCP connections stand,
# and nothing is lost but what was sent into the gap. How long a gap is, tests/bench/handover tells; here only that of a path
# that dies without a word has its limit.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/continuity.sh"
lab_start "$@"
lab_needs_hiphopd
lab_needs_lines

HOSTS='home walker'
DELAY=25
TUNNEL_SECONDS=20

lab_network house 192.0.2 2001:db8:1
lab_network wifi 198.51.100 2001:db8:2
lab_network lte 203.0.113 2001:db8:3
lab_network six - 2001:db8:4
lab_host home house
lab_roaming_host walker
lab_uplink walker wlan0 wifi delay "$DELAY"
export LAB_INBOUND="\"icmp6\", \"sip\", \"calls\", \"tcp/7000\", \"udp/$LAB_STREAM_PORT\""
export LAB_PATHS='interfaces = ( { name = "wlan*"; preference = "prefer"; } );'
lab_overlay $HOSTS
lab_check 'home reaches walker' lab_ping home walker
tcp_between home walker
both_ways walker home
exchanges=$(exchanges)

# ---- from one link to another --------------------------------------------------------------------------------------

from=$(lab_now)
lab_uplink_down walker wlan0
sleep 1
lab_uplink walker lte0 lte delay "$DELAY"
goes_on 'break before make' walker home "$from"

from=$(lab_now)
lab_uplink walker wlan0 wifi delay "$DELAY"
lab_check 'make before break: the preferred link is used' lab_wait 5 uses walker home wlan0
lab_check 'make before break: and home sends there' lab_wait 5 sends_to home walker wlan0
sleep 2
lab_uplink_down walker lte0
goes_on 'make before break' walker home "$from"
nothing_lost 'make before break' walker home "$from" "$(($(lab_now) - 500000))"

# ---- a link that dies without a word, and heals --------------------------------------------------------------------

lab_uplink walker lte0 lte delay "$DELAY"
sleep 3
lab_check 'a second link changes nothing' uses walker home wlan0
from=$(lab_now)
lab_uplink_silent walker wlan0
goes_on 'silent death' walker home "$from"
within 'silent death' walker home "$from" $((3 * 2 * DELAY + 200))
lab_check 'silent death: the other link is used' uses walker home lte0

from=$(lab_now)
lab_uplink_heals walker wlan0
lab_check 'healed: it comes back to the preferred link' lab_wait 60 uses walker home wlan0
flaps=$(changes walker home 5)
lab_check "healed: and it stays there ($flaps changes)" [ "$flaps" = 0 ]
nothing_lost 'healed' walker home "$from" "$(($(lab_now) - 500000))"
lab_check 'healed: the association is the same' same_association

# ---- to another family, and into a tunnel --------------------------------------------------------------------------

lab_uplink_down walker lte0
lab_uplink_prepare walker six0 six delay "$DELAY"
from=$(lab_now)
lab_uplink_down walker wlan0
sleep 0.5
lab_uplink_ready walker six0
goes_on 'to IPv6' walker home "$from"
lab_uplink_prepare walker wlan0 wifi delay "$DELAY"
sed -i '/::/d' "$LAB_DIR/walker/uplinks/wlan0.commands"
from=$(lab_now)
lab_uplink_down walker six0
sleep 0.5
lab_uplink_ready walker wlan0
goes_on 'back to IPv4' walker home "$from"

from=$(lab_now)
lab_uplink_down walker wlan0
sleep "$TUNNEL_SECONDS"
lab_uplink_prepare walker wlan0 wifi delay "$DELAY"
lab_uplink_prepare walker lte0 lte delay "$DELAY"
lab_uplink_ready walker wlan0
lab_uplink_ready walker lte0
goes_on "$TUNNEL_SECONDS s without any link" walker home "$from"

lab_streams_stop walker home
lab_end "$sender"
lab_check 'the TCP connection ends in order' lab_end "$hearer"
lab_finish
