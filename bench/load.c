/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mesh callers of the bench: one thread, many TLS connections, one line of
 * key=value at the end.
 *
 *   http       small requests, each connection asks again when answered
 *   download   each connection takes the endless stream
 *   raw        the same from a server that stops to encrypt it
 *   upload     each connection sends it
 *   handshake  connect, handshake, one small request, close, again; with -r
 *              each caller resumes the session that it had
 *   http2      small requests, each connection has -S of them under way
 *   grpc       the same with unary calls
 *   steady     http at a pace (-i), each connection replaced after -n
 *              requests, until SIGTERM; SIGUSR1 prints what happened since
 *              the last one; with http2 or grpc and -i: ask once, then
 *              be idle, with the same signals
 *
 * With -u SHARE we rest, so that we and the server use no more than that share
 * of a core, and the proxy is not kept waiting by us: no connection is opened,
 * or nothing is read.  That is for handshakes, which cost a proxy the same
 * however many wait, and for relays, which cost less than we do.  Requests get
 * cheaper by the number that a proxy finds waiting, so their load does not
 * rest.
 *
 * Everything is checked: a wrong byte, a connection that ends early or that is
 * refused is counted, and but for steady makes the whole run worthless.
 */

#include "client.h"
#include "lean.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS 256
#define OPEN_LATE_S 30
#define WARM_UP_NS 500000000ull
#define NS 1e9
#define LOOK_NS 20000000u
#define REST_US 500

static const char *const modes[] = {
	[MODE_HTTP] = "http",
	[MODE_DOWNLOAD] = "download",
	[MODE_RAW] = "raw",
	[MODE_UPLOAD] = "upload",
	[MODE_HANDSHAKE] = "handshake",
	[MODE_STEADY] = "steady",
	[MODE_HTTP2] = "http2",
	[MODE_GRPC] = "grpc",
};

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Whether we and the server have used more than our share. */
static bool
is_over_share(struct load *l)
{
	uint64_t now = meter_now_ns();

	if (l->share == 0)
		return false;
	if (now - l->looked_ns >= LOOK_NS) {
		l->looked_ns = now;
		l->outside_cpu = meter_cpu_s(l->backend_pids);
		if (l->started_ns == 0) {
			l->started_ns = now;
			l->started_cpu = l->outside_cpu + meter_own_cpu_s();
		}
	}
	return l->outside_cpu + meter_own_cpu_s() - l->started_cpu >
	       l->share * (double)(now - l->started_ns) / NS;
}

static void
turn(struct load *l, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int n;

	l->rests = is_over_share(l);
	if (l->rests && l->mode == MODE_RAW) {
		usleep(REST_US);
		return;
	}
	n = epoll_wait(l->epoll, events, EVENTS, l->rests ? 1 : timeout_ms);
	if (n == -1 && errno != EINTR)
		die("epoll_wait");
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr != NULL)
			client_step(events[i].data.ptr, events[i].events);
	if (l->open < l->conns || l->pace_ns != 0)
		clients_tend(l);
}

static void
begin(struct load *l)
{
	memset(&l->tally, 0, sizeof(l->tally));
	l->cpu = meter_cpu_s(l->pids);
	l->backend_cpu = meter_cpu_s(l->backend_pids);
	l->own_cpu = meter_own_cpu_s();
	l->machine_cpu = meter_machine_s();
	l->begun_ns = meter_now_ns();
}

static void
report(const struct load *l)
{
	const struct tally *t = &l->tally;
	double seconds = (double)(meter_now_ns() - l->begun_ns) / NS;
	bool bulk = l->mode == MODE_DOWNLOAD || l->mode == MODE_UPLOAD ||
		    l->mode == MODE_RAW;

	printf("units=%.6f seconds=%.3f cpu=%.3f backend=%.3f load=%.3f "
	       "machine=%.3f "
	       "p50_us=%.1f p99_us=%.1f longest_ms=%.2f longest_open_ms=%.2f "
	       "opened=%llu resumed=%llu refused=%llu cut=%llu wrong=%llu\n",
	    bulk ? (double)t->bytes / 1e9 : (double)t->done, seconds,
	    meter_cpu_s(l->pids) - l->cpu,
	    meter_cpu_s(l->backend_pids) - l->backend_cpu,
	    meter_own_cpu_s() - l->own_cpu, meter_machine_s() - l->machine_cpu,
	    histogram_us(&t->answers, 0.5), histogram_us(&t->answers, 0.99),
	    (double)t->answers.longest / 1e6, (double)t->longest_open / 1e6,
	    (unsigned long long)t->opened, (unsigned long long)t->resumed,
	    (unsigned long long)t->refused, (unsigned long long)t->cut,
	    (unsigned long long)t->wrong);
	fflush(stdout);
}

static int
measure(struct load *l)
{
	uint64_t started = meter_now_ns();
	uint64_t ready = 0;
	const struct tally *t = &l->tally;

	for (;;) {
		uint64_t now = meter_now_ns();

		turn(l, 50);
		if (t->refused + t->cut + t->wrong > 0)
			return 1;
		if (l->begun_ns != 0) {
			if ((double)(now - l->begun_ns) >= l->seconds * NS)
				break;
		} else if (ready != 0) {
			if (now - ready >= WARM_UP_NS)
				begin(l);
		} else if (l->open == l->conns || l->mode == MODE_HANDSHAKE) {
			ready = now;
		} else if (now - started > OPEN_LATE_S * NS) {
			fprintf(stderr, "load: %u of %u connections opened\n",
			    l->open, l->conns);
			return 1;
		}
	}
	report(l);
	return 0;
}

static int
keep_on(struct load *l, int signals)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct signalfd_siginfo s;

	epoll_ctl(l->epoll, EPOLL_CTL_ADD, signals, &e);
	begin(l);
	for (;;) {
		turn(l, 1);
		if (read(signals, &s, sizeof(s)) != sizeof(s))
			continue;
		report(l);
		if (s.ssi_signo == SIGTERM)
			return 0;
		begin(l);
	}
}

static int
catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK);
}

/* Records of our own cost less, but only where nothing else than records is to
 * be measured: a handshake that logs its secrets costs more, and resuming needs
 * tickets. */
static void
prepare_tls(struct load *l)
{
	bool shakes = l->mode == MODE_HANDSHAKE;
	char key[512], cert[512];

	l->ctx = SSL_CTX_new_ex(lean_context(), NULL, TLS_client_method());
	chan_context_setup(
	    l->ctx, l->version, shakes ? CHAN_OPENSSL : CHAN_OWN);
	SSL_CTX_set_session_cache_mode(l->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(l->ctx, SSL_VERIFY_PEER, NULL);
	lean_remember_chains(l->ctx);
	snprintf(key, sizeof(key), "%s.key", l->cert);
	snprintf(cert, sizeof(cert), "%s.crt", l->cert);
	if (!lean_use_identity(l->ctx, cert, key))
		die(cert);
	if (SSL_CTX_load_verify_file(l->ctx, l->ca) != 1)
		die(l->ca);
}

static void
prepare(struct load *l)
{
	const char *method = "GET /small";

	if (l->mode == MODE_DOWNLOAD)
		method = "GET /bulk";
	if (l->mode == MODE_RAW)
		method = "GET /raw";
	if (l->mode == MODE_UPLOAD)
		method = "PUT /sink";
	l->request_size = (size_t)snprintf(l->request, sizeof(l->request),
	    "%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load\r\n"
	    "Accept: */*\r\n\r\n",
	    method, "web.bench.example");
	prepare_tls(l);
	cargo_init(&l->cargo);
	h2_cargo_init(&l->h2_cargo);
	l->h2_kind = h2_kind_parse(modes[l->mode]);
	if (l->h2_kind != H2_KINDS)
		SSL_CTX_set_alpn_protos(
		    l->ctx, (const uint8_t *)H2_ALPN, H2_ALPN_SIZE);
	l->epoll = epoll_create1(0);
	l->clients = calloc(l->conns, sizeof(*l->clients));
	if (l->clients == NULL)
		die("calloc");
	for (unsigned i = 0; i < l->conns; i++) {
		l->clients[i].l = l;
		/* Spread over the first pace, not all at once. */
		l->clients[i].due_ns =
		    meter_now_ns() + l->pace_ns * i / l->conns;
	}
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: load -m MODE -p PORT -s SERVER-NAME -c CERT (without "
	    ".crt) -a CA\n\t[-k connections] [-d seconds] [-P proxy-pids] "
	    "[-B backend-pids]\n\t[-i pace-ms] [-n requests-each] "
	    "[-v 1.2|1.3] [-S streams-each] [-r] [-u share]\n");
	exit(2);
}

static enum mode
mode_parse(const char *text)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(text, modes[i]) == 0)
			return (enum mode)i;
	usage();
	return MODE_HTTP;
}

static void
read_options(struct load *l, int argc, char **argv)
{
	int o;

	while (
	    (o = getopt(argc, argv, "m:p:s:c:a:k:d:P:B:i:n:v:S:ru:")) != -1) {
		switch (o) {
		case 'm':
			l->mode = mode_parse(optarg);
			break;
		case 'p':
			l->port = atoi(optarg);
			break;
		case 's':
			l->name = optarg;
			break;
		case 'c':
			l->cert = optarg;
			break;
		case 'a':
			l->ca = optarg;
			break;
		case 'k':
			l->conns = (unsigned)atoi(optarg);
			break;
		case 'd':
			l->seconds = atof(optarg);
			break;
		case 'P':
			l->pids = optarg;
			break;
		case 'B':
			l->backend_pids = optarg;
			break;
		case 'i':
			l->pace_ns = (uint64_t)(atof(optarg) * 1e6);
			break;
		case 'n':
			l->requests = (unsigned)atoi(optarg);
			break;
		case 'v':
			l->version = optarg;
			break;
		case 'S':
			l->streams = (unsigned)atoi(optarg);
			break;
		case 'r':
			l->resumes = true;
			break;
		case 'u':
			l->share = atof(optarg);
			break;
		default:
			usage();
		}
	}
	if (l->port == 0 || l->name == NULL || l->cert == NULL || l->ca == NULL)
		usage();
}

int
main(int argc, char **argv)
{
	struct load l = { .conns = 1, .streams = 1, .seconds = 3 };
	int signals;

	signal(SIGPIPE, SIG_IGN);
	read_options(&l, argc, argv);
	prepare(&l);
	if (l.mode != MODE_STEADY && l.pace_ns == 0)
		return measure(&l);
	signals = catch_signals();
	return keep_on(&l, signals);
}
