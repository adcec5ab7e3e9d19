# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What bench/run and bench/scale share: the tools, the certificates, the server
# outside, and proxies that are started and ended.  Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${TOP_SRCDIR:=$(dirname "$here")}"
: "${TOP_BUILDDIR:=$TOP_SRCDIR/build}"
: "${ZEGRESSD:=$TOP_BUILDDIR/zegressd}"
: "${CC:=cc}"
tools=$TOP_BUILDDIR/build-bench
work=
jobs_started=
proxy_mode=http

# Outside of a network namespace these ports must be free.
port=19443
admin_port=19444
backend_port=19445
impostor_port=19446

say() {
	echo "$*" >&2
}

fail() {
	say "${0##*/}: $*"
	exit 1
}

# A loopback of its own, where that is allowed: nothing else on it, all ports
# free.
in_own_network() {
	[ -z "${BENCH_NETWORK:-}" ] || return 0
	export BENCH_NETWORK=shared
	if [ "$(id -u)" -eq 0 ] && unshare -n true 2>/dev/null; then
		BENCH_NETWORK=own exec unshare -n "$0" "$@"
	fi
}

prepare_network() {
	[ "$BENCH_NETWORK" = own ] || return 0
	ip link set lo up 2>/dev/null || ifconfig lo up ||
		fail 'the loopback of a new namespace stays down'
	sysctl -qw net.ipv4.ip_local_port_range='20000 65535' \
	    net.ipv4.tcp_tw_reuse=1 2>/dev/null
	# What Debian has; bbr, where it is the default, paces by timers.
	sysctl -qw net.ipv4.tcp_congestion_control=cubic 2>/dev/null
	return 0
}

build_tool() {
	local out=$tools/$1 sources=()
	shift
	sources=("${@/#/$here/}")
	[ -x "$out" ] && [ -z "$(find "$here" -maxdepth 1 -name '*.[ch]' \
	    -newer "$out" -print -quit)" ] && return 0
	# shellcheck disable=SC2046
	$CC -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$out" \
	    "${sources[@]}" $(pkg-config --cflags --libs openssl libnghttp2) ||
		fail "$out cannot be built"
}

build_tools() {
	mkdir -p "$tools"
	build_tool load load.c client.c streams.c chan.c cargo.c h2.c \
	    h2_cargo.c meter.c
	build_tool backend backend.c h2_server.c chan.c cargo.c h2.c \
	    h2_cargo.c
	build_tool ask ask.c cargo.c h2.c h2_cargo.c meter.c
	[ -x "$ZEGRESSD" ] || fail "$ZEGRESSD is not there: make first"
}

# certify NAME CA SUBJECT-ALT-NAMES
certify() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$work/$1.key" -subj "/CN=$1" -out "$work/$1.csr" 2>&1 &&
	    printf '%s\n' "subjectAltName=critical,$3" \
		'keyUsage=critical,digitalSignature,keyEncipherment' \
		'extendedKeyUsage=serverAuth,clientAuth' >"$work/$1.ext" &&
	    openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.crt" \
		-CAkey "$work/$2.key" -CAcreateserial -days 30 \
		-extfile "$work/$1.ext" -out "$work/$1.crt" 2>&1
}

certify_itself() {
	openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	    -nodes -keyout "$work/$1.key" -subj "/CN=$1" -days 30 \
	    -addext 'basicConstraints=critical,CA:TRUE' \
	    -addext 'keyUsage=critical,keyCertSign,cRLSign' \
	    ${2:+-addext "$2"} -out "$work/$1.crt" 2>&1
}

# The mesh, the world outside, and strangers that look like both.
make_certificates() {
	local log
	local zone='URI:spiffe://default/zone-egress'
	local caller='URI:spiffe://default/caller,URI:kuma://kuma.io/service/caller'
	local names='DNS:web.bench.example,DNS:impostor.bench.example'
	names="$names,DNS:*.scale.example"

	log=$({
		certify_itself mesh-ca subjectAltName=URI:spiffe://default &&
		certify_itself outside-ca &&
		certify_itself strange-ca &&
		certify egress mesh-ca "$zone" &&
		certify caller mesh-ca "$caller" &&
		certify stranger strange-ca "$caller" &&
		certify outside outside-ca "$names" &&
		certify impostor strange-ca "$names"
	}) || fail "certificates: $log"
	cat "$work/egress.crt" "$work/egress.key" >"$work/egress.pem"
}

# Ends what was started here, by its process id, and waits for it.
end() {
	[ -n "$1" ] || return 0
	kill "$1" 2>/dev/null
	for _ in $(seq 100); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.05
	done
	kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	jobs_started=${jobs_started/ $1/}
}

leave() {
	local pid
	for pid in $jobs_started; do
		end "$pid"
	done
	[ -z "$work" ] || rm -rf "$work"
}

enter() {
	# For callers by the hundred, each with a connection behind it.
	[ "$(ulimit -Sn)" -ge 4096 ] || ulimit -Sn 4096
	work=$(mktemp -d "${TMPDIR:-/tmp}/zegress-bench.XXXXXX") || exit 1
	trap leave EXIT
	trap 'exit 1' INT TERM HUP
	make_certificates
}

# pin CORE COMMAND...: where there are two cores.
pin() {
	local core=$1
	shift
	if [ "$(nproc)" -gt 1 ]; then
		exec taskset -c "$core" "$@"
	fi
	exec "$@"
}

start_backend() {
	pin 1 "$tools/backend" \
	    "$backend_port:$work/outside.crt:$work/outside.key" \
	    "$impostor_port:$work/impostor.crt:$work/impostor.key" &
	backend=$!
	jobs_started="$jobs_started $backend"
}

server_name() {
	echo "$1{mesh=default}"
}

# ask SERVICE [OPTION...], in the way that the proxy's mode wants
ask() {
	local service=$1
	shift
	case $proxy_mode in
	http2 | grpc) set -- -m "$proxy_mode" "$@" ;;
	esac
	"$tools/ask" -p "$port" -s "$(server_name "$service")" \
	    -a "$work/mesh-ca.crt" "$@"
}

# start_proxy PEER MODE: leaves its process id in $proxy.  zegressd@FILE is
# another build of it.
start_proxy() {
	local answer run=$work/${1//\//-} daemon=$ZEGRESSD
	proxy_mode=$2
	[ "$1" = "${1%@*}" ] || daemon=${1#*@}
	mkdir -p "$run"
	MODE=$2 PORT=$port ADMIN_PORT=$admin_port BACKEND=$backend_port \
	    IMPOSTOR=$impostor_port CERTS=$work RUN=$run ZEGRESSD=$daemon \
	    pin "${PROXY_CORE:-0}" "$here/peers/${1%%@*}" >"$run/log" 2>&1 &
	proxy=$!
	jobs_started="$jobs_started $proxy"
	answer=$(ask web -c "$work/caller" -w 20) && return 0
	say "$1 does not serve ($answer):"
	tail -n 20 "$run/log" >&2
	return 1
}

stop_proxy() {
	end "$proxy"
	proxy=
}

# Does the proxy do the whole job?  Each line names what it must refuse.
check_proxy() {
	local peer=$1 bad=0 answer
	shift
	refuses() {
		local what=$1
		shift
		answer=$(ask "$@")
		[ $? -eq 1 ] && return 0
		say "$peer does not refuse $what: $answer"
		bad=1
	}
	refuses 'a caller without certificate' web
	refuses 'a certificate of another CA' web -c "$work/stranger"
	refuses 'an unknown server name' nobody -c "$work/caller"
	refuses 'a server with a certificate of another CA' impostor \
	    -c "$work/caller"
	refuses 'a server of another name' misnamed -c "$work/caller"
	return $bad
}

# run_load MODE [OPTION...]
run_load() {
	local mode=$1
	shift
	(pin 1 "$tools/load" -m "$mode" -p "$port" \
	    -s "$(server_name web)" -c "$work/caller" \
	    -a "$work/mesh-ca.crt" -P "$proxy" -B "$backend" "$@")
}
