/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds what a wire makes of records, when they are its own, against what
 * OpenSSL makes of the same ones: the same bytes, the same end in the same
 * place, the same alert where TLS says which; and what the wire sends against
 * what OpenSSL reads of it.  Says its seed, and stops at the first difference;
 * then SEED=… STREAMS=1 shows it again.  Environment: SECONDS (3), SEED (the
 * clock), STREAMS (no limit).
 */

#include <inttypes.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/clock.h"
#include "differential/records_script.h"

#define ANY (-1)
/* So that a slow machine gets to see some of everything. */
#define PAIRS_LEAST 200
#define STREAMS_A_PAIR 8
#define PIECES_MOST 12
#define PIECE_MOST 20000

struct totals {
	uint64_t pairs;
	uint64_t streams;
	uint64_t changed;
	uint64_t forged;
	uint64_t written; /* streams of ours that OpenSSL read */
	uint64_t bytes;
	uint64_t ends;
	uint64_t failures;
	uint64_t alerts; /* that were the same */
	uint64_t amid;   /* that came between the parts of a message */
	uint64_t unread; /* tickets that OpenSSL could not read */
	uint64_t worded; /* messages that both refuse, each in its words */
};

/* Alerts that differ, where TLS leaves it open which it is. */
static struct exception {
	int ours, theirs;
	const char *reason; /* as OpenSSL gives it */
	const char *why;
	uint64_t times;
} exceptions[] = {
	{ ANY, SSL_AD_DECODE_ERROR, "wrong version number",
	    "the version of a record of TLS 1.3", 0 },
	{ ANY, SSL_AD_PROTOCOL_VERSION, "wrong version number",
	    "a header with more than one fault", 0 },
	{ SSL_AD_RECORD_OVERFLOW, SSL_AD_UNEXPECTED_MESSAGE, "bad record type",
	    "a type that there is not, and too long", 0 },
	{ SSL_AD_ILLEGAL_PARAMETER, SSL_AD_HANDSHAKE_FAILURE,
	    "no renegotiation", "an alert of no level", 0 },
	{ SSL_AD_BAD_RECORD_MAC, SSL_AD_RECORD_OVERFLOW,
	    "packet length too long",
	    "a length that RFC 5246 allows and OpenSSL does not", 0 },
	{ SSL_AD_DECODE_ERROR, SSL_AD_ILLEGAL_PARAMETER,
	    "excessive message size", "the length of a key update", 0 },
	{ SSL_AD_DECODE_ERROR, SSL_AD_UNEXPECTED_MESSAGE,
	    "not on record boundary", "the same, with bytes behind it", 0 },
};

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);
	uint64_t n;

	if (s == NULL || *s == '\0')
		return otherwise;
	if (str_to_u64(str_of(s), UINT64_MAX, &n))
		return n;
	fprintf(stderr, "records: %s is not a number\n", name);
	exit(2);
}

/*
 * The twin gets whole records only, as the wire's OpenSSL would, and one at a
 * time: what it owes after one (a key update) it says before the next.
 */
static size_t
next_record(struct str s)
{
	size_t len;

	if (s.len < RECORD_HEADER)
		return 0;
	len = record_len((const void *)s.p);
	if (len > RECORD_HEADER + RECORD_BODY_MOST)
		return s.len;
	return len > s.len ? 0 : len;
}

static void
note_twin(struct pair *p, int r)
{
	switch (SSL_get_error(p->twin, r)) {
	case SSL_ERROR_WANT_READ:
		p->theirs.end = IO_AGAIN;
		break;
	case SSL_ERROR_ZERO_RETURN:
		p->theirs.end = IO_EOF;
		break;
	default:
		p->theirs.end = IO_FAIL;
		p->their_reason = ERR_reason_error_string(ERR_peek_error());
		break;
	}
}

static void
twin_read(struct pair *p)
{
	struct str in;
	char b[16384];
	size_t n;
	int r;

	text_add(&p->twin_in, text_str(&p->on_the_way));
	in = text_str(&p->twin_in);
	while (p->theirs.end == IO_AGAIN && (n = next_record(in)) > 0) {
		if (BIO_write(SSL_get_rbio(p->twin), in.p, (int)n) != (int)n)
			abort();
		in = str_from(in, n);
		ERR_clear_error();
		while ((r = SSL_read(p->twin, b, sizeof(b))) > 0)
			text_add(&p->theirs.bytes,
			    (struct str){ .p = b, .len = (size_t)r });
		note_twin(p, r);
		if (p->theirs.end == IO_AGAIN &&
		    SSL_get_key_update_type(p->twin) != SSL_KEY_UPDATE_NONE)
			(void)SSL_write(p->twin, "x", 1);
	}
	ERR_clear_error();
	if (in.len > 0)
		memmove(p->twin_in.p, in.p, in.len);
	p->twin_in.len = in.len;
}

static bool
is_same(const struct text *a, const struct text *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

/*
 * Which of these is said of a message that nobody awaits depends on how far it
 * is read; that nobody takes it is what counts.
 */
static bool
is_about_messages(int alert)
{
	return alert == SSL_AD_UNEXPECTED_MESSAGE ||
	       alert == SSL_AD_ILLEGAL_PARAMETER ||
	       alert == SSL_AD_DECODE_ERROR || alert == SSL_AD_NO_RENEGOTIATION;
}

static bool
is_alert_fine(const struct pair *p, struct totals *t)
{
	size_t i;

	if (p->ours.alert == p->theirs.alert) {
		t->alerts += p->ours.alert != -1;
		return true;
	}
	for (i = 0; i < ARRAY_LEN(exceptions); i++)
		if ((exceptions[i].ours == p->ours.alert ||
			exceptions[i].ours == ANY) &&
		    exceptions[i].theirs == p->theirs.alert &&
		    p->ours.alert != -1 &&
		    strcmp(exceptions[i].reason, p->their_reason) == 0) {
			exceptions[i].times++;
			return true;
		}
	if (p->ours.end != IO_FAIL || p->theirs.end != IO_FAIL ||
	    !is_about_messages(p->ours.alert) ||
	    !is_about_messages(p->theirs.alert))
		return false;
	t->worded++;
	return true;
}

/*
 * In TLS 1.3 we refuse an alert between the parts of a message (RFC 8446, 5.1);
 * OpenSSL takes it for what it says.
 */
static bool
is_alert_amid(const struct pair *p)
{
	return pair_is_1_3(p) && p->has_twin_read_alert &&
	       p->ours.end == IO_FAIL &&
	       p->ours.alert == SSL_AD_UNEXPECTED_MESSAGE &&
	       late_message_is_open(&p->tls->own->messages) &&
	       p->ours.bytes.len <= p->theirs.bytes.len;
}

static bool
is_begun_by(const struct text *whole, const struct text *part)
{
	return part->len <= whole->len &&
	       (part->len == 0 || memcmp(whole->p, part->p, part->len) == 0);
}

/*
 * A client drops tickets that come after data without reading them, so what is
 * wrong inside of one is nothing to it; it goes on to whatever comes next.
 */
static bool
is_ticket_unread(const struct pair *p)
{
	return pair_is_1_3(p) && p->tls->own->tickets > 0 &&
	       p->theirs.end == IO_FAIL &&
	       p->theirs.alert == SSL_AD_DECODE_ERROR &&
	       strcmp(p->their_reason, "length mismatch") == 0 &&
	       is_begun_by(&p->ours.bytes, &p->theirs.bytes);
}

/* NULL: they agree. */
static const char *
compare(const struct pair *p, struct totals *t)
{
	bool is_policy = wire_tls_failure(p->wire) == TLS_FAIL_RENEGOTIATION;

	if (is_alert_amid(p)) {
		t->amid++;
		return NULL;
	}
	if (is_ticket_unread(p)) {
		t->unread++;
		return NULL;
	}
	/* OpenSSL says no to a HelloRequest and goes on; no wire of ours does.
	 */
	if (is_policy && p->ours.bytes.len < p->theirs.bytes.len)
		return p->ours.alert == p->theirs.alert ? NULL : "the alert";
	if (!is_same(&p->ours.bytes, &p->theirs.bytes))
		return "the bytes";
	if (p->ours.end != p->theirs.end && !is_policy)
		return "the end";
	if (!is_alert_fine(p, t))
		return "the alert";
	return NULL;
}

static void
print_end(const char *who, const struct heard *h)
{
	static const char *const ends[] = { "bytes", "nothing", "the end",
		"a cut", "a failure" };

	printf("  %s: %zu bytes, then %s, alert %d\n", who, h->bytes.len,
	    ends[h->end], h->alert);
}

static void
print_records(struct str s)
{
	size_t at, len;

	for (at = 0; s.len - at >= RECORD_HEADER; at += len) {
		len = record_len((const void *)(s.p + at));
		printf("  record %02x %02x%02x of %zu at %zu of %zu\n",
		    (unsigned char)s.p[at], (unsigned char)s.p[at + 1],
		    (unsigned char)s.p[at + 2], len, at, s.len);
		if (len > s.len - at)
			break;
	}
}

static void
forget(struct pair *p)
{
	p->ours.bytes.len = p->theirs.bytes.len = 0;
	p->on_the_way.len = 0;
}

/* From the peer to the wire; what differs, or NULL. */
static const char *
run_in(struct pair *p, struct dice *d, struct totals *t)
{
	const char *bad;

	/* Behind its close_notify OpenSSL itself sends nothing any more. */
	if (p->forging.suite == NULL && SSL_get_shutdown(p->peer) == 0 &&
	    !dice_one_in(d, 3)) {
		script_honest(p, d);
	} else {
		script_forged(p, d);
		t->forged++;
	}
	if (dice_one_in(d, 4)) {
		script_change(p, d);
		t->changed++;
	}
	t->bytes += p->on_the_way.len;
	pair_deliver(p, d);
	twin_read(p);
	bad = compare(p, t);
	if (bad != NULL) {
		print_records(text_str(&p->on_the_way));
		print_end("we", &p->ours);
		print_end("they", &p->theirs);
		printf("  why: %.*s; %s\n",
		    STR_ARG(wire_tls_failure_text(p->wire)),
		    p->their_reason != NULL ? p->their_reason : "");
	}
	forget(p);
	return bad;
}

static void
gather(struct dice *d, struct str *v, size_t n, struct text *all)
{
	static char b[PIECES_MOST * PIECE_MOST];
	size_t i, len, at = 0, most = dice_one_in(d, 2) ? 50 : PIECE_MOST;

	for (i = 0; i < n; i++) {
		len = dice_below(d, most);
		v[i] = (struct str){ .p = b + at, .len = len };
		memset(b + at, (int)dice_below(d, 256), len);
		at += len;
		text_add(all, v[i]);
	}
}

/* From the wire to the peer. */
static const char *
run_out(struct pair *p, struct dice *d, struct totals *t)
{
	size_t n = 1 + dice_below(d, PIECES_MOST), writes = dice_below(d, 4);
	struct text all = TEXT_EMPTY;
	struct str v[PIECES_MOST];
	const char *bad = NULL;

	if (dice_one_in(d, 3))
		p->tls->own->update_at = 3 + dice_below(d, 20);
	for (writes++; writes > 0 && bad == NULL; writes--) {
		gather(d, v, n, &all);
		if (wire_writev(p->wire, v, n) != IO_DONE)
			bad = "what we may write";
		if (dice_one_in(d, 2))
			pair_hear(p, d);
	}
	pair_hear(p, d);
	if (bad == NULL && !is_same(&all, &p->peers.bytes))
		bad = "what we wrote";
	if (bad == NULL && p->peers.end == IO_FAIL)
		bad = "whether we wrote records";
	if (bad != NULL)
		print_end("their peer", &p->peers);
	t->bytes += all.len;
	t->written++;
	p->peers.bytes.len = 0;
	text_free(&all);
	return bad;
}

/* After its last byte; then nothing but IO_CUT, or what was before it. */
static const char *
run_end(struct pair *p, struct dice *d)
{
	enum io before = p->ours.end;
	struct span in;
	enum io io;

	if (dice_one_in(d, 2) && p->ours.end != IO_FAIL &&
	    p->ours.alert == -1) {
		(void)wire_finish(p->wire);
		pair_hear(p, d);
		if (p->peers.end != IO_EOF)
			return "our end";
	}
	shutdown(p->fd, SHUT_WR);
	loop_turn(p->world->loop);
	io = wire_read(p->wire, &in);
	if (io != (before == IO_AGAIN ? IO_CUT : before))
		return "a stream that is cut off";
	return NULL;
}

static const char *
run_pair(struct pair *p, struct dice *d, struct totals *t)
{
	size_t i, n = 1 + dice_below(d, STREAMS_A_PAIR);
	const char *bad = NULL;

	for (i = 0; i < n && bad == NULL && p->ours.end == IO_AGAIN &&
		    p->theirs.end == IO_AGAIN;
	     i++) {
		t->streams++;
		/* What OpenSSL has been warned of, it ends. */
		if (dice_one_in(d, 3) && p->ours.alert == -1)
			bad = run_out(p, d, t);
		else
			bad = run_in(p, d, t);
	}
	t->ends += p->ours.end == IO_EOF;
	t->failures += p->ours.end == IO_FAIL;
	/* Half-closed: our direction goes on. */
	if (bad == NULL && p->ours.end == IO_EOF && p->ours.alert == -1 &&
	    dice_one_in(d, 2))
		bad = run_out(p, d, t);
	if (bad == NULL)
		bad = run_end(p, d);
	return bad;
}

static bool
run(struct record_world *w, uint64_t seed, struct totals *t)
{
	struct dice d = { .state = seed };
	size_t kind = dice_below(&d, RECORD_KINDS);
	bool is_server = dice_one_in(&d, 2);
	const char *bad;
	struct pair p;

	pair_init(&p, w, kind, is_server, !dice_one_in(&d, 50));
	bad = run_pair(&p, &d, t);
	t->pairs++;
	if (bad != NULL)
		printf("differ in: %s (%s, our %s)\nSEED=%" PRIu64
		       " STREAMS=1\n",
		    bad, pair_name(&p), is_server ? "server" : "client", seed);
	pair_fini(&p);
	return bad == NULL;
}

static bool
report(const struct totals *t, uint64_t ms)
{
	size_t i;

	printf("%" PRIu64 " streams on %" PRIu64 " connections, %" PRIu64
	       " bytes in %" PRIu64 " ms\n"
	       "%" PRIu64 " to OpenSSL, %" PRIu64 " forged, %" PRIu64
	       " changed on their way; %" PRIu64 " ended in order, %" PRIu64
	       " failed, %" PRIu64 " with the same alert\n",
	    t->streams, t->pairs, t->bytes, ms, t->written, t->forged,
	    t->changed, t->ends, t->failures, t->alerts);
	for (i = 0; i < ARRAY_LEN(exceptions); i++)
		printf("%" PRIu64 " times not alert %d (%s): %s\n",
		    exceptions[i].times, exceptions[i].theirs,
		    exceptions[i].reason, exceptions[i].why);
	printf("%" PRIu64 " times an alert between the parts of a message\n",
	    t->amid);
	printf("%" PRIu64 " times a ticket that we do not read\n", t->unread);
	printf("%" PRIu64 " times another alert about a message\n", t->worded);
	if (t->written > 0 && t->ends > 0 && t->failures > 0 && t->alerts > 0)
		return true;
	printf("too little of it was of any use to prove anything\n");
	return false;
}

int
main(void)
{
	struct totals t = { .pairs = 0 };
	uint64_t begun = clock_ms(), took = 0, seed, most, ms, n;
	struct record_world w;
	bool is_fine = true;

	ms = number_of("SECONDS", 3) * 1000;
	seed = number_of("SEED", (uint64_t)clock_wall_ms());
	most = number_of("STREAMS", UINT64_MAX);
	if (most != UINT64_MAX)
		ms = UINT64_MAX;
	printf("SEED=%" PRIu64 "\n", seed);
	record_world_init(&w);
	for (n = 0; is_fine && t.streams < most &&
		    (took < ms || t.pairs < PAIRS_LEAST);
	     n++) {
		is_fine = run(&w, seed + n, &t);
		took = clock_ms() - begun;
	}
	/* One alone is somebody's question, and needs no mixture. */
	if (is_fine && most > 1)
		is_fine = report(&t, took);
	record_world_fini(&w);
	return is_fine ? 0 : 1;
}
