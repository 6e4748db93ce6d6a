# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Real baresip phones in the laboratory (Debian's baresip-core 1.0.0). Part of lab.sh.
#
# What baresip needs to speak from a HIT, each found by trying:
#  - net_interface takes a literal address: it then signals from and puts into SDP and Contact that address alone.
#  - The account names the overlay's domain; outbound= is the host's own proxy. No DNS is asked.
#  - Without a sound card: aufile plays a WAV file (8 kHz and mono, as G.711 wants it), no player is
#    loaded, and the filter sndfile writes what was heard into dump-…-dec.wav.

# lab_phone_start HOST USER HERTZ [ADDRESS PROXY]: starts a phone of USER on HOST whose voice is a tone of HERTZ. It
# registers at the host's own HIT, or from ADDRESS at PROXY (IPv6 in brackets), and answers every call. Its files are in
# $LAB_DIR/HOST/phone.
lab_phone_start() {
	local host=$1 user=$2 place=$LAB_DIR/$1/phone address=${4-} proxy=${5-}
	[ "$address" ] || address="[$(lab_hit "$host")]" proxy="[$(lab_hit "$host")]"
	mkdir -p "$place"
	mkfifo "$place/commands"
	[ -e "$LAB_DIR/tone-$3.wav" ] || "$LAB_ROOT/tests/net/tone.py" make "$LAB_DIR/tone-$3.wav" "$3" 60
	cat >"$place/config" <<-END
		poll_method epoll
		net_interface $(tr -d '[]' <<<"$address")
		sip_listen $address:5070
		call_local_timeout 30
		audio_source aufile,$LAB_DIR/tone-$3.wav
		audio_buffer 20-160
		rtp_stats yes
		module_path /usr/lib/baresip/modules
		module g711.so
		module sndfile.so
		module aufile.so
		module_tmp account.so
		module_app menu.so
		module_app ctrl_tcp.so
		ctrl_tcp_listen 127.0.0.1:4444
		snd_path $place
		menu_bell no
		ringback_disabled yes
		statmode_default off
	END
	echo "<sip:$user@$LAB_DOMAIN;transport=udp>;outbound=\"sip:$proxy:5060\";regint=600;answermode=auto" \
		>"$place/accounts"
	: >"$place/contacts"
	: >"$place/events.json"
	lab_spawn "$place/phone.log" "$host" "$LAB_ROOT/tests/net/phone.py" "$place"
	echo "$LAB_SPAWNED" >"$place/pid"
	lab_wait 10 lab_phone_saw "$host" READY
}

# lab_phone_stop HOST: ends the phone.
lab_phone_stop() {
	lab_end "$(cat "$LAB_DIR/$1/phone/pid")"
	rm -f "$LAB_DIR/$1/phone/commands"
}

# lab_phone_saw HOST EVENT: true when the phone's events have one of that type (REGISTER_OK, CALL_INCOMING,
# CALL_ESTABLISHED, CALL_CLOSED, CALL_RTPESTAB …).
lab_phone_saw() {
	grep -q "\"type\": \"$2\"" "$LAB_DIR/$1/phone/events.json"
}

# lab_phone_forget HOST...: forgets all events, before another call.
lab_phone_forget() {
	local host
	for host in "$@"; do : >"$LAB_DIR/$host/phone/events.json"; done
}

# lab_phone_registered HOST: true when its proxy accepted the phone's registration.
lab_phone_registered() {
	# The phone registers before anybody can listen to its events, so this is read from its log.
	grep -q ' 200 OK () \[[1-9]' "$LAB_DIR/$1/phone/baresip.log"
}

# lab_phone_command HOST COMMAND...: gives the phone one command of its menu: dial sip:bob@example.com, hangup.
lab_phone_command() {
	local host=$1
	shift
	echo "$*" >"$LAB_DIR/$host/phone/commands"
}

# lab_phone_call HOST AOR: dials AOR and waits until both ends agree. Prints the call set-up time in milliseconds,
# from dialling to the caller's CALL_ESTABLISHED. Fails when the call does not come about.
lab_phone_call() {
	lab_phone_command "$1" dial "$2"
	lab_wait 30 lab_phone_saw "$1" 'CALL_\(ESTABLISHED\|CLOSED\)'
	if ! lab_phone_saw "$1" CALL_ESTABLISHED; then
		jq -r 'select(.type == "CALL_CLOSED").param' "$LAB_DIR/$1/phone/events.json"
		return 1
	fi
	jq -rs '([.[] | select(.type == "COMMAND" and (.param | startswith("dial")))] | last.at) as $from |
		([.[] | select(.type == "CALL_ESTABLISHED")] | last.at) as $to | ($to - $from) * 1000 | round' \
		"$LAB_DIR/$1/phone/events.json"
}

# lab_phone_hangup HOST: hangs up and waits until the call is closed.
lab_phone_hangup() {
	lab_phone_command "$1" hangup
	lab_wait 10 lab_phone_saw "$1" CALL_CLOSED
}

# lab_phone_packets HOST: "SENT RECEIVED" RTP packets, as the phone counted them in its last call.
lab_phone_packets() {
	awk '/^packets:/ { sent = $2; received = $3 } END { print sent + 0, received + 0 }' "$LAB_DIR/$1/phone/baresip.log"
}

# lab_phone_heard HOST HERTZ: "SHARE SECONDS" of what the phone heard at that pitch in its last call.
lab_phone_heard() {
	local file
	file=$(ls -t "$LAB_DIR/$1/phone/"dump-*-dec.wav | head -n 1)
	"$LAB_ROOT/tests/net/tone.py" hear "$file" "$2"
}
