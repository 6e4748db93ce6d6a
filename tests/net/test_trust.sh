#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Pins: a caller remembers who owned a name. When somebody else seems to own it, calls are refused with 403 until the
# operator says `hiphop trust`. The pin outlives a restart.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/sipp.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host caller left
lab_host owner right
lab_host other right
lab_overlay caller owner other
carol=sip:carol@$LAB_DOMAIN

register() {
	LAB_SIP_FROM=sip:$2@$LAB_DOMAIN LAB_SIP_TO=sip:$2@$LAB_DOMAIN lab_sip_request "$1" REGISTER "sip:$LAB_DOMAIN" 200 \
		'Expires: 600'
}
# The final status that a MESSAGE to carol gets. It may take one more hop, so that 483 says that it came to the owner's proxy.
message_gets() { LAB_SIP_MAX_FORWARDS=1 lab_sip_request caller MESSAGE "$carol" "$1"; }
pinned_to() { [ "$(lab_hiphop caller --json resolve "$carol" | jq -r .pinned)" = "$1" ]; }
refused() { [ "$(lab_hiphop caller --json resolve "$carol" | jq -r .code)" = refused ]; }

lab_check 'the owner registers' register owner carol
lab_check 'the caller registers' register caller tester
lab_check 'the name is found' lab_wait 10 lab_resolves caller "$carol" owner
lab_check 'nothing is pinned by looking' pinned_to null
lab_check 'a request reaches the owner' message_gets 483
lab_check 'now the name is pinned to the owner' pinned_to "$(lab_hit owner)"
lab_check 'trust in another HIT' lab_hiphop caller trust "$carol" "$(lab_hit other)"
lab_check 'the name is refused, since the overlay says otherwise' refused
lab_check 'a request gets 403' message_gets 403
lab_hiphopd_kill caller
lab_hiphopd caller
lab_hiphopd_ready caller
lab_check 'the pin is still there after a restart' lab_wait 10 refused
lab_check 'trust in the owner' lab_hiphop caller trust "$carol" "$(lab_hit owner)"
lab_check 'the name is believed again' pinned_to "$(lab_hit owner)"
lab_check 'a request reaches the owner again' message_gets 483
lab_check 'trust in what is no HIT is refused' lab_not lab_hiphop caller trust "$carol" 2001:db8::1
lab_finish
