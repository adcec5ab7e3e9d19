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
# The folder with the certificates of the mesh's side, and the core of the load
# and of the server.
certs=
outside_core=1

# Outside of a network namespace these ports must be free.
port=19443
admin_port=19444
backend_port=19445
impostor_port=19446
plain_port=19447

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
	local out=$tools/$1 sources=() mb=()
	shift
	sources=("${@/#/$here/}")
	[ -x "$out" ] && [ -z "$(find "$here" -maxdepth 2 -name '*.[ch]' \
	    -newer "$out" -print -quit)" ] && return 0
	has_ipsec_mb && mb=(-DBENCH_IPSEC_MB -lIPSec_MB)
	# shellcheck disable=SC2046
	$CC -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$out" \
	    "${sources[@]}" "${mb[@]}" \
	    $(pkg-config --cflags --libs openssl libnghttp2) ||
		fail "$out cannot be built"
}

has_ipsec_mb() {
	echo '#include <intel-ipsec-mb.h>' | $CC -E - >/dev/null 2>&1
}

build_tools() {
	local tls='chan.c seal.c lean.c' cargo='cargo.c h2.c h2_cargo.c'
	mkdir -p "$tools"
	# shellcheck disable=SC2086
	{
		build_tool load load.c client.c streams.c meter.c port.c $tls $cargo
		build_tool backend backend.c h2_server.c port.c $tls $cargo
		build_tool tlsrelay limits/tlsrelay.c chan.c seal.c port.c
		build_tool relay limits/relay.c port.c
		build_tool ask ask.c meter.c port.c $cargo
	}
	[ -x "$ZEGRESSD" ] || fail "$ZEGRESSD is not there: make first"
}

# new_key TYPE: what openssl req wants to hear.
new_key() {
	case $1 in
	rsa) echo '-newkey rsa:2048' ;;
	ecdsa) echo '-newkey ec -pkeyopt ec_paramgen_curve:P-256' ;;
	esac
}

# certify NAME CA SUBJECT-ALT-NAMES, in the folder $certs with keys of $key
certify() {
	# shellcheck disable=SC2046
	openssl req -new $(new_key "$key") -nodes \
	    -keyout "$certs/$1.key" -subj "/CN=$1" -out "$certs/$1.csr" 2>&1 &&
	    printf '%s\n' "subjectAltName=critical,$3" \
		'keyUsage=critical,digitalSignature,keyEncipherment' \
		'extendedKeyUsage=serverAuth,clientAuth' >"$certs/$1.ext" &&
	    openssl x509 -req -in "$certs/$1.csr" -CA "$certs/$2.crt" \
		-CAkey "$certs/$2.key" -CAcreateserial -days 30 \
		-extfile "$certs/$1.ext" -out "$certs/$1.crt" 2>&1
}

certify_itself() {
	# shellcheck disable=SC2046
	openssl req -x509 -new $(new_key "$key") \
	    -nodes -keyout "$certs/$1.key" -subj "/CN=$1" -days 30 \
	    -addext 'basicConstraints=critical,CA:TRUE' \
	    -addext 'keyUsage=critical,keyCertSign,cRLSign' \
	    ${2:+-addext "$2"} -out "$certs/$1.crt" 2>&1
}

# make_certificates TYPE FOLDER: the mesh, the world outside, and strangers that
# look like both.
make_certificates() {
	local log key=$1 certs=$2
	local zone='URI:spiffe://default/zone-egress'
	local caller='URI:spiffe://default/caller,URI:kuma://kuma.io/service/caller'
	local names='DNS:web.bench.example,DNS:impostor.bench.example'
	names="$names,DNS:*.scale.example"

	mkdir -p "$certs"
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
	cat "$certs/egress.crt" "$certs/egress.key" >"$certs/egress.pem"
}

# A mesh with RSA; what is outside stays as it is.
make_rsa_certificates() {
	local file
	make_certificates rsa "$work/rsa"
	for file in outside-ca outside impostor; do
		cp "$work/$file.crt" "$work/$file.key" "$work/rsa"
	done
}

# Ends what was started here, by its process id, and waits for it.
end() {
	[ -n "$1" ] || return 0
	kill "$1" 2>/dev/null
	for _ in $(seq 500); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.01
	done
	kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	jobs_started="$jobs_started "
	jobs_started=${jobs_started/ $1 / }
}

leave() {
	local pid
	for pid in $jobs_started; do
		end "$pid"
	done
	[ -z "$work" ] || rm -rf "$work"
}

enter() {
	[ -r /proc/self/schedstat ] ||
		fail 'this kernel does not count the time of a thread'
	# For callers by the hundred, each with a connection behind it.
	[ "$(ulimit -Sn)" -ge 4096 ] || ulimit -Sn 4096
	work=$(mktemp -d "${TMPDIR:-/tmp}/zegress-bench.XXXXXX") || exit 1
	trap leave EXIT
	trap 'exit 1' INT TERM HUP
	certs=$work
	make_certificates ecdsa "$work"
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
	    "$impostor_port:$work/impostor.crt:$work/impostor.key" \
	    "$plain_port" &
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
	    -a "$(callers_ca)" "$@"
}

# Whom callers trust: who passes their bytes on shows nothing of its own.
callers_ca() {
	case $proxy_mode in
	pass) echo "$work/outside-ca.crt" ;;
	*) echo "$certs/mesh-ca.crt" ;;
	esac
}

# start_proxy PEER MODE [VARIABLE=VALUE...]: leaves its process id in $proxy.
# zegressd@FILE is another build of it.  The variables are for the peer.
start_proxy() {
	local answer run=$work/${1//\//-} daemon=$ZEGRESSD
	local peer=$1
	proxy_mode=$2
	shift 2
	[ "$peer" = "${peer%@*}" ] || daemon=${peer#*@}
	mkdir -p "$run"
	MODE=$proxy_mode PORT=$port ADMIN_PORT=$admin_port \
	    BACKEND=$backend_port IMPOSTOR=$impostor_port PLAIN=$plain_port \
	    CERTS=$certs RUN=$run ZEGRESSD=$daemon TOOLS=$tools \
	    pin "${PROXY_CORE:-0}" env "$@" "$here/peers/${peer%%@*}" \
	    >"$run/log" 2>&1 &
	proxy=$!
	jobs_started="$jobs_started $proxy"
	answer=$(ask web -c "$certs/caller" -w 20) && return 0
	say "$peer does not serve ($answer):"
	tail -n 20 "$run/log" >&2
	return 1
}

stop_proxy() {
	end "$proxy"
	proxy=
}

# Does the proxy do the whole job?  Each line names what it must refuse.
# check_proxy PEER [plain]
check_proxy() {
	local peer=$1 bad=0 answer
	refuses() {
		local what=$1
		shift
		answer=$(ask "$@")
		[ $? -eq 1 ] && return 0
		say "$peer does not refuse $what: $answer"
		bad=1
	}
	refuses 'an unknown server name' nobody -c "$certs/caller"
	[ "$proxy_mode" != pass ] || return $bad
	refuses 'a caller without certificate' web
	refuses 'a certificate of another CA' web -c "$certs/stranger"
	[ "${2:-tls}" != plain ] || return $bad
	refuses 'a server with a certificate of another CA' impostor \
	    -c "$certs/caller"
	refuses 'a server of another name' misnamed -c "$certs/caller"
	return $bad
}

# run_load MODE [OPTION...]
run_load() {
	local mode=$1
	shift
	(pin "$outside_core" "$tools/load" -m "$mode" -p "$port" \
	    -s "$(server_name web)" -c "$certs/caller" \
	    -a "$(callers_ca)" -P "$proxy" -B "$backend" "$@")
}
