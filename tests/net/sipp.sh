# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# SIPp in the laboratory: short scenarios written by shell functions. Source after lab.sh.

# lab_sip_request HOST METHOD URI STATUS [HEADER...]: sends one request of user "tester" (or $LAB_SIP_FROM) from HOST
# to its own proxy, and succeeds when the final response has that status. Each HEADER is a whole line that is added;
# Max-Forwards is 70 unless LAB_SIP_MAX_FORWARDS says otherwise. LAB_SIP_TO names the To address, the URI by default.
lab_sip_request() {
	local host=$1 method=$2 uri=$3 status=$4 extra='' scenario
	shift 4
	[ $# = 0 ] || extra=$(printf '%s\n' "$@")
	scenario=$(mktemp "$LAB_DIR/$host/sipp-XXXXXX.xml")
	lab_sip_scenario "$method" "$uri" "$status" "$extra" >"$scenario"
	lab_sipp "$host" "$scenario" "[${LAB_SIP_PROXY:-$(lab_hit "$host")}]:5060"
}

# lab_sipp HOST SCENARIO [ARGUMENT...]: runs one scenario once on HOST, at its HIT, port 5080 or LAB_SIP_PORT, over UDP or by LAB_SIP_MODE=t1 over TCP. Its
# errors go to stdout.
lab_sipp() {
	local host=$1 scenario=$2 status
	shift 2
	(cd "$LAB_DIR/$host" && TERM=dumb lab_exec "$host" timeout 60 sipp -sf "$scenario" -i "$(lab_hit "$host")" \
		-p "${LAB_SIP_PORT:-5080}" -t "${LAB_SIP_MODE:-u1}" -m 1 -nostdin -timeout 40 -recv_timeout 36000 \
		-trace_err -error_file "$scenario.log" "$@" \
		>"$scenario.out" 2>&1)
	status=$?
	if [ "$status" != 0 ]; then
		tr '\n' ' ' <"$scenario.log" 2>/dev/null | cut -c 1-400
	fi
	return "$status"
}

# A scenario: one request, and the one status that must come.
lab_sip_scenario() {
	local method=$1 uri=$2 status=$3 extra=$4 from=${LAB_SIP_FROM:-sip:tester@$LAB_DOMAIN}
	cat <<-END
		<?xml version="1.0" encoding="ISO-8859-1" ?>
		<scenario name="$method">
		<send retrans="500"><![CDATA[
		$method $uri SIP/2.0
		Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
		From: <$from>;tag=[pid]t[call_number]
		To: <${LAB_SIP_TO:-$uri}>
		Call-ID: [call_id]
		CSeq: 1 $method
		Contact: <sip:tester@[local_ip]:[local_port]>
		Max-Forwards: ${LAB_SIP_MAX_FORWARDS:-70}
		${extra:+$extra
		}Content-Length: 0

		]]></send>
		<recv response="100" optional="true"></recv>
		<recv response="180" optional="true"></recv>
		<recv response="$status"></recv>
		$([ "$method" != INVITE ] || lab_sip_ack "$uri")
		</scenario>
	END
}

# The ACK of a final response that is no success: same branch, sent hop by hop (RFC 3261 section 17.1.1.3).
lab_sip_ack() {
	cat <<-END
		<send><![CDATA[
		ACK $1 SIP/2.0
		[last_Via:]
		[last_From:]
		[last_To:]
		Call-ID: [call_id]
		CSeq: 1 ACK
		Max-Forwards: 70
		Content-Length: 0

		]]></send>
	END
}

# lab_sip_ringing: prints the scenario of a phone that rings until its caller gives up.
lab_sip_ringing() {
	cat <<-END
		<?xml version="1.0" encoding="ISO-8859-1" ?>
		<scenario name="ringing">
		<recv request="INVITE"></recv>
		$(lab_sip_answer 180 Ringing)
		<recv request="CANCEL"></recv>
		$(lab_sip_answer 200 OK)
		$(lab_sip_answer 487 'Request Terminated' '1 INVITE')
		<recv request="ACK"></recv>
		</scenario>
	END
}

# An answer to the last request; with $3, to the request of that CSeq.
lab_sip_answer() {
	local cseq='[last_CSeq:]'
	[ -z "${3-}" ] || cseq="CSeq: $3"
	cat <<-END
		<send><![CDATA[
		SIP/2.0 $1 $2
		[last_Via:]
		[last_Record-Route:]
		[last_From:]
		[last_To:];tag=ringing
		[last_Call-ID:]
		$cseq
		Contact: <sip:ringing@[local_ip]:[local_port]>
		Content-Length: 0

		]]></send>
	END
}

# lab_sip_cancelling URI: prints the scenario of a caller who hears it ring and gives up.
lab_sip_cancelling() {
	cat <<-END
		<?xml version="1.0" encoding="ISO-8859-1" ?>
		<scenario name="cancelling">
		<send retrans="500"><![CDATA[
		INVITE $1 SIP/2.0
		Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bKcancel[pid]
		From: <sip:tester@$LAB_DOMAIN>;tag=[pid]t[call_number]
		To: <$1>
		Call-ID: [call_id]
		CSeq: 1 INVITE
		Contact: <sip:tester@[local_ip]:[local_port]>
		Max-Forwards: 70
		Content-Length: 0

		]]></send>
		<recv response="100" optional="true"></recv>
		<recv response="180"></recv>
		<send retrans="500"><![CDATA[
		CANCEL $1 SIP/2.0
		Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bKcancel[pid]
		From: <sip:tester@$LAB_DOMAIN>;tag=[pid]t[call_number]
		To: <$1>
		Call-ID: [call_id]
		CSeq: 1 CANCEL
		Max-Forwards: 70
		Content-Length: 0

		]]></send>
		<recv response="200"></recv>
		<recv response="487"></recv>
		$(lab_sip_ack "$1")
		</scenario>
	END
}
