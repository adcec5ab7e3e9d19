/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mesh caller that asks once and says how it went.
 *
 *   answered   200 with the whole body
 *   refused    anything else; with the reason
 *
 * -m http2 asks over HTTP/2, -m grpc with a unary call.
 * -w SECONDS asks again until answered and prints the milliseconds it took;
 * with -f FROM -t TO the file is renamed first, and that is when time starts.
 */

#include "cargo.h"
#include "h2_cargo.h"
#include "meter.h"
#include "port.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ONE_TRY_S 5
#define PAUSE_US 5000

struct question {
	const char *name;
	const char *cert;
	const char *ca;
	const char *from;
	const char *to;
	int port;
	double wait_s;
	enum h2_kind kind; /* H2_KINDS: over HTTP/1.1 */
	struct h2_cargo cargo;
	struct h2_link link;
	const char *why;
	char text[4096];
};

static SSL_CTX *
make_context(const struct question *q)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char path[512];

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (q->kind != H2_KINDS)
		SSL_CTX_set_alpn_protos(
		    ctx, (const uint8_t *)H2_ALPN, H2_ALPN_SIZE);
	if (SSL_CTX_load_verify_file(ctx, q->ca) != 1)
		goto bad;
	if (q->cert == NULL)
		return ctx;
	snprintf(path, sizeof(path), "%s.key", q->cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1)
		goto bad;
	snprintf(path, sizeof(path), "%s.crt", q->cert);
	if (SSL_CTX_use_certificate_chain_file(ctx, path) == 1)
		return ctx;
bad:
	fprintf(stderr, "ask: certificates cannot be read\n");
	exit(2);
}

static int
dial(int port)
{
	struct sockaddr_in a = port_address(port);
	struct timeval late = { .tv_sec = ONE_TRY_S };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &late, sizeof(late));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
read_answer(struct question *q, SSL *ssl)
{
	size_t have = 0;

	q->why = "the connection ended without an answer";
	for (;;) {
		size_t used;
		int n = SSL_read(
		    ssl, q->text + have, (int)(sizeof(q->text) - have - 1));

		if (n <= 0)
			return false;
		have += (size_t)n;
		q->text[have] = '\0';
		switch (cargo_check_answer(q->text, have, &used)) {
		case CARGO_WHOLE:
			return true;
		case CARGO_WRONG:
			q->text[strcspn(q->text, "\r\n")] = '\0';
			q->why = q->text;
			return false;
		case CARGO_MORE:
			break;
		}
	}
}

/* Sends what collected in the link. */
static bool
send_frames(struct question *q, SSL *ssl)
{
	size_t size = q->link.out_size;

	h2_sent(&q->link);
	return size == 0 || SSL_write(ssl, q->link.out, (int)size) > 0;
}

/* Takes the frames that have come, and moves the rest to the front. */
static enum cargo_answer
check_frames(struct question *q, struct h2_part *part, size_t *have)
{
	enum cargo_answer answer = CARGO_MORE;

	while (answer == CARGO_MORE) {
		struct h2_frame f;
		size_t used;
		enum h2_read got =
		    h2_read(&q->link, (uint8_t *)q->text, *have, &used, &f);

		if (got == H2_READ_BAD)
			return CARGO_WRONG;
		if (got == H2_READ_FRAME)
			answer = h2_check_answer(&q->cargo, &q->link, part, &f);
		*have -= used;
		memmove(q->text, q->text + used, *have);
		if (got == H2_READ_MORE)
			break;
	}
	return answer;
}

static bool
talk_h2(struct question *q, SSL *ssl)
{
	struct h2_part part = { .kind = q->kind };
	size_t have = 0;
	int n;

	h2_put(&q->link, &q->cargo.requests[q->kind], 1);
	q->why = "the connection took no request";
	while (send_frames(q, ssl)) {
		q->why = "the connection ended without an answer";
		n = SSL_read(
		    ssl, q->text + have, (int)(sizeof(q->text) - have));
		if (n <= 0)
			return false;
		have += (size_t)n;
		switch (check_frames(q, &part, &have)) {
		case CARGO_WHOLE:
			return true;
		case CARGO_WRONG:
			q->why = q->link.why;
			return false;
		case CARGO_MORE:
			break;
		}
	}
	return false;
}

static bool
talk(struct question *q, SSL *ssl)
{
	static const char request[] =
	    "GET /small HTTP/1.1\r\nHost: web.bench.example\r\n\r\n";

	SSL_set_tlsext_host_name(ssl, q->name);
	q->why = "the handshake failed";
	if (SSL_connect(ssl) != 1)
		return false;
	if (q->kind != H2_KINDS)
		return talk_h2(q, ssl);
	q->why = "the connection took no request";
	if (SSL_write(ssl, request, sizeof(request) - 1) <= 0)
		return false;
	return read_answer(q, ssl);
}

static bool
ask(struct question *q, SSL_CTX *ctx)
{
	int fd = dial(q->port);
	bool answered = false;
	SSL *ssl;

	q->why = "nobody listens";
	if (fd == -1)
		return false;
	h2_link_fini(&q->link);
	h2_link_init(&q->link, true);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	answered = talk(q, ssl);
	if (answered)
		SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
	ERR_clear_error();
	return answered;
}

static void
read_options(struct question *q, int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "p:s:c:a:w:f:t:m:")) != -1) {
		switch (o) {
		case 'p':
			q->port = atoi(optarg);
			break;
		case 's':
			q->name = optarg;
			break;
		case 'c':
			q->cert = optarg;
			break;
		case 'a':
			q->ca = optarg;
			break;
		case 'w':
			q->wait_s = atof(optarg);
			break;
		case 'f':
			q->from = optarg;
			break;
		case 't':
			q->to = optarg;
			break;
		case 'm':
			q->kind = h2_kind_parse(optarg);
			break;
		default:
			exit(2);
		}
	}
	if (q->port != 0 && q->name != NULL && q->ca != NULL)
		return;
	fprintf(stderr,
	    "usage: ask -p PORT -s SERVER-NAME -a CA [-c CERT] [-w SECONDS]\n"
	    "\t[-f FROM -t TO] [-m http2|grpc]\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	struct question q = { .kind = H2_KINDS };
	uint64_t started;
	double took_s;
	SSL_CTX *ctx;
	bool answered;

	signal(SIGPIPE, SIG_IGN);
	read_options(&q, argc, argv);
	ctx = make_context(&q);
	h2_cargo_init(&q.cargo);
	started = meter_now_ns();
	if (q.from != NULL && q.to != NULL && rename(q.from, q.to) == -1) {
		perror(q.from);
		return 2;
	}
	do {
		answered = ask(&q, ctx);
		took_s = (double)(meter_now_ns() - started) / 1e9;
		if (!answered && took_s < q.wait_s)
			usleep(PAUSE_US);
	} while (!answered && took_s < q.wait_s);
	if (answered)
		printf("answered %.1f\n", took_s * 1000);
	else
		printf("refused %s\n", q.why);
	h2_link_fini(&q.link);
	SSL_CTX_free(ctx);
	return answered ? 0 : 1;
}
