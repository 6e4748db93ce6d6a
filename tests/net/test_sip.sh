#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The registrar and proxy, asked by SIPp: what goes wrong must go wrong with the right answer.
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/sipp.sh"
lab_start "$@"
lab_needs_hiphopd

lab_network left 192.0.2 2001:db8:1
lab_network right 198.51.100 2001:db8:2
lab_host one left
lab_host two left
lab_host three right
lab_overlay one two three
overlay=sip:$LAB_DOMAIN

# Registers $2 at HOST $1 for $3 seconds with the phone that SIPp is; $4 is the status that must come.
register() {
	LAB_SIP_FROM=sip:$2@$LAB_DOMAIN LAB_SIP_TO=sip:$2@$LAB_DOMAIN lab_sip_request "$1" REGISTER "$overlay" "${4:-200}" \
		"Expires: $3"
}

# A request that claims to be from somebody else, sent from HOST $1 straight to the proxy of HOST $2.
send_forged() {
	LAB_SIP_FROM=sip:$3@$LAB_DOMAIN LAB_SIP_PROXY=$(lab_hit "$2") lab_sip_request "$1" MESSAGE "sip:$4@$LAB_DOMAIN" 403
}

lab_check 'REGISTER' register one carol 600
lab_check 'REGISTER again refreshes' register one carol 600
lab_check 'the overlay tells the name' lab_wait 10 lab_resolves three "sip:carol@$LAB_DOMAIN" one
lab_check 'a registration that is too short gets 423' register one carol 5 423
lab_check 'a name that another host owns gets 403' register three carol 600 403
lab_check 'INVITE to a name that nobody registered gets 404' lab_sip_request one INVITE "sip:nobody@$LAB_DOMAIN" 404
lab_check 'MESSAGE to a name that nobody registered gets 404' lab_sip_request one MESSAGE "sip:nobody@$LAB_DOMAIN" 404
LAB_SIP_MAX_FORWARDS=0 lab_check 'Max-Forwards used up gets 483' lab_sip_request one MESSAGE "sip:carol@$LAB_DOMAIN" 483
lab_check 'an extension that no proxy knows gets 420' lab_sip_request one MESSAGE "sip:carol@$LAB_DOMAIN" 420 \
	'Proxy-Require: telepathy'
lab_check 'OPTIONS to the proxy itself gets 200' lab_sip_request one OPTIONS 'sip:[remote_ip]:5060' 200

LAB_SIP_MODE=t1 lab_check 'OPTIONS over TCP gets 200' lab_sip_request one OPTIONS 'sip:[remote_ip]:5060' 200
LAB_SIP_MODE=t1 lab_check 'REGISTER over TCP' register one tcpuser 600
LAB_SIP_MODE=t1 LAB_SIP_MAX_FORWARDS=1 lab_check 'a request over TCP goes on to the far proxy' \
	lab_sip_request two MESSAGE "sip:tcpuser@$LAB_DOMAIN" 483

lab_check 'the caller registers' register one tester 600
lab_check 'its name is found' lab_wait 10 lab_resolves three "sip:tester@$LAB_DOMAIN" one
lab_check 'a phone registers on the far host' register three ringer 600
lab_check 'its name is found' lab_wait 10 lab_resolves one "sip:ringer@$LAB_DOMAIN" three
lab_sip_ringing >"$LAB_DIR/three/ringing.xml"
lab_sip_cancelling "sip:ringer@$LAB_DOMAIN" >"$LAB_DIR/one/cancelling.xml"
lab_sipp three "$LAB_DIR/three/ringing.xml" &
ringing=$!
phone_is_ready() { lab_exec three ss -Hlun 'sport = :5080' | grep -q .; }
lab_wait 10 phone_is_ready
lab_check 'a call is cancelled while it rings: 200 to CANCEL, 487 to INVITE' \
	lab_sipp one "$LAB_DIR/one/cancelling.xml" "[$(lab_hit one)]:5060"
lab_check 'the phone that rang saw CANCEL and ACK' wait "$ringing"

lab_check 'a caller who is not who it says is refused' send_forged two three carol ringer
lab_check 'a caller whose name nobody owns is refused' send_forged two three nobody ringer
lab_check 'unregistering' register one carol 0
lab_check 'the name leads nowhere then' lab_sip_request two MESSAGE "sip:carol@$LAB_DOMAIN" 404
lab_check 'all daemons answer' lab_status three .hit
lab_finish
