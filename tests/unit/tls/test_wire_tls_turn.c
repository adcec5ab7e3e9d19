/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that go from one wire to another where they lie, between OpenSSL on
 * either side: nothing is lost, changed or sent twice, whatever comes between
 * them, and what cannot be turned is left to reading.
 */

#include <criterion/criterion.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/loop_state.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_state.h"
#include "unit/tls/tls_duo.h"

#define BULK ((size_t)3 * 1024 * 1024)

static struct duo_world world;

static void
setup(void)
{
	duo_world_init(&world, TLS_RECORDS_OWN);
}

static void
teardown(void)
{
	duo_world_fini(&world);
}

TestSuite(wire_tls_turn, .init = setup, .fini = teardown);

/* What the peer of `from` says is to reach the peer of `to`. */
struct rig {
	struct duo from;
	struct duo to;
	unsigned char *sent;
	size_t n_sent;
	unsigned char *got;
	size_t n_got;
	size_t turned; /* bytes that were moved as they lay */
	enum io end;   /* what reading said last */
	bool is_gone;  /* a write to `to` failed */
};

static void
say_hello(struct duo *d)
{
	struct span in;
	char b[8];

	cr_assert_eq(SSL_write(d->ssl, "ping", 4), 4);
	cr_assert_eq(duo_read(d, &in), IO_DONE);
	cr_assert_eq(wire_write(d->wire, STR("pong")), IO_DONE);
	while (duo_peer_read(d, b, sizeof(b)) <= 0)
		;
}

static void
open_side(struct duo *d, int version, const char *ciphers)
{
	struct tls_spec *spec = duo_spec(world.ca, "api.example.com", NULL);
	struct duo_peer o = { .cert = world.server_cert,
		.max_version = version,
		.ciphers = ciphers };
	struct text why = TEXT_EMPTY;

	duo_spec_seal(spec);
	duo_init(d);
	duo_peer_server(d, &o);
	cr_assert(wire_tls_connect(
	    d->wire, world.clients, spec, STR("host:443"), &why));
	tls_spec_unref(spec);
	cr_assert_eq(duo_shake(d), IO_DONE);
}

static void
rig_init(struct rig *g, int from, int to, const char *ciphers)
{
	*g = (struct rig){ .end = IO_AGAIN };
	open_side(&g->from, from, ciphers);
	/* From its first bytes on no SSL object is needed; `to` keeps its. */
	say_hello(&g->from);
	open_side(&g->to, to, ciphers);
	g->sent = xmalloc(BULK);
	g->got = xmalloc(BULK + 1);
	cr_assert_eq(RAND_bytes(g->sent, (int)BULK), 1);
}

static void
rig_fini(struct rig *g)
{
	duo_fini(&g->from);
	duo_fini(&g->to);
	free(g->sent);
	free(g->got);
}

/* As the relay does. */
static void
pass(struct rig *g)
{
	struct wire *from = g->from.wire, *to = g->to.wire;
	struct span in;
	size_t n;

	if (wire_unsent(to) > 0)
		(void)wire_flush(to);
	if (wire_unsent(to) > 0 || g->is_gone)
		return;
	from->reads_much = true;
	g->end = wire_splice(from, to, &n);
	g->turned += n;
	if (g->end == IO_DONE) {
		g->is_gone = wire_flush(to) == IO_FAIL;
		return;
	}
	g->end = wire_read(from, &in);
	if (g->end == IO_DONE)
		g->is_gone = wire_write(to, (struct str){ (char *)in.p,
						in.len }) == IO_FAIL;
}

static void
take(struct rig *g)
{
	int n;

	do {
		n = SSL_read(
		    g->to.ssl, g->got + g->n_got, (int)(BULK + 1 - g->n_got));
		if (n > 0)
			g->n_got += (size_t)n;
	} while (n > 0);
}

static void
say(struct rig *g, size_t most)
{
	size_t n = BULK - g->n_sent < most ? BULK - g->n_sent : most;
	int r =
	    n == 0 ? 0 : SSL_write(g->from.ssl, g->sent + g->n_sent, (int)n);

	if (r > 0)
		g->n_sent += (size_t)r;
}

static void
turn_loops(struct rig *g)
{
	loop_turn(g->from.loop);
	loop_turn(g->to.loop);
}

static bool
is_over(const struct rig *g)
{
	return (g->end != IO_DONE && g->end != IO_AGAIN) || g->is_gone;
}

/* Until all has arrived: in pieces of this size, with `odd` between them. */
static void
carry(struct rig *g, size_t piece, void (*odd)(struct rig *g, unsigned i))
{
	for (unsigned i = 0; i < 200000 && g->n_got < BULK && !is_over(g);
	     i++) {
		if (odd != NULL)
			odd(g, i);
		say(g, piece);
		turn_loops(g);
		pass(g);
		take(g);
	}
}

static void
expect_all(const struct rig *g, const char *what)
{
	cr_expect_eq(g->n_got, BULK, "%s: %zu of %zu", what, g->n_got, BULK);
	cr_expect_eq(memcmp(g->got, g->sent, g->n_got), 0, "%s", what);
}

Test(wire_tls_turn, what_is_turned)
{
	static const struct {
		const char *name;
		int from;
		int to;
		const char *ciphers; /* of TLS 1.2 */
		size_t piece;
		bool is_turned;
	} rows[] = {
		{ "1.3", TLS1_3_VERSION, TLS1_3_VERSION, NULL, 16384, true },
		{ "1.2", TLS1_2_VERSION, TLS1_2_VERSION, NULL, 16384, true },
		{ "1.2, ChaCha20", TLS1_2_VERSION, TLS1_2_VERSION,
		    "ECDHE-ECDSA-CHACHA20-POLY1305", 16384, true },
		{ "1.3 to 1.2", TLS1_3_VERSION, TLS1_2_VERSION, NULL, 16384,
		    false },
		{ "1.2 to 1.3", TLS1_2_VERSION, TLS1_3_VERSION, NULL, 16384,
		    false },
		{ "half records", TLS1_3_VERSION, TLS1_3_VERSION, NULL, 8000,
		    true },
		{ "short records", TLS1_3_VERSION, TLS1_3_VERSION, NULL, 500,
		    false },
	};
	struct rig g;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&g, rows[i].from, rows[i].to, rows[i].ciphers);
		carry(&g, rows[i].piece, NULL);
		expect_all(&g, rows[i].name);
		/* The first read says how long they are. */
		cr_expect_eq(g.turned > BULK / 2, rows[i].is_turned,
		    "%s: %zu were", rows[i].name, g.turned);
		rig_fini(&g);
	}
}

static size_t
pad_up(SSL *ssl, int type, size_t len, void *arg)
{
	(void)ssl;
	(void)type;
	(void)arg;
	return len % 3 * 100;
}

static void
pad(struct rig *g, unsigned i)
{
	if (i == 0)
		SSL_set_record_padding_callback(g->from.ssl, pad_up);
}

static void
renew_keys(struct rig *g, unsigned i)
{
	if (i == 0)
		say_hello(&g->to);
	if (i % 7 == 0)
		(void)SSL_key_update(
		    g->from.ssl, i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED
					    : SSL_KEY_UPDATE_NOT_REQUESTED);
	if (i % 5 == 0)
		(void)SSL_key_update(g->to.ssl, SSL_KEY_UPDATE_REQUESTED);
	/* What `to` is asked for it reads. */
	if (i % 5 == 1) {
		struct span in;

		(void)SSL_write(g->to.ssl, "", 0);
		(void)wire_read(g->to.wire, &in);
	}
}

Test(wire_tls_turn, padding_and_new_keys)
{
	struct rig g;

	rig_init(&g, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
	carry(&g, 15999, pad);
	expect_all(&g, "padding");
	cr_expect_gt(g.turned, BULK / 2);
	rig_fini(&g);

	rig_init(&g, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
	carry(&g, 16384, renew_keys);
	expect_all(&g, "new keys");
	cr_expect_gt(g.turned, 0);
	rig_fini(&g);
}

/* Close to the number from which we change keys, reading does it. */
Test(wire_tls_turn, worn_keys)
{
	struct rig g;
	struct tls_wire *t;

	rig_init(&g, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
	t = g.to.wire->impl;
	t->own->update_at = t->own->out.seq + 40;
	carry(&g, 16384, NULL);
	expect_all(&g, "worn keys");
	cr_expect_lt(t->own->out.seq, 200, "no new keys: %llu",
	    (unsigned long long)t->own->out.seq);
	rig_fini(&g);
}

static void
end_stream(struct rig *g, unsigned i)
{
	if (i == 40)
		SSL_shutdown(g->from.ssl);
}

static void
spoil(struct rig *g, unsigned i)
{
	if (i == 40)
		cr_assert_eq(write(g->from.fd, "\27\3\3\0\24", 5), 5);
	if (i == 40)
		cr_assert_eq(write(g->from.fd, "01234567890123456789", 20), 20);
}

static void
alert(struct rig *g, unsigned i)
{
	/* An alert of OpenSSL: its own peer never asked for this. */
	if (i == 40)
		SSL_set_shutdown(g->from.ssl, SSL_RECEIVED_SHUTDOWN);
	if (i == 40)
		SSL_shutdown(g->from.ssl);
}

Test(wire_tls_turn, how_it_ends)
{
	static const struct {
		const char *name;
		void (*odd)(struct rig *g, unsigned i);
		enum io end;
	} rows[] = {
		{ "close_notify behind bytes", end_stream, IO_EOF },
		{ "closed both ways", alert, IO_EOF },
		{ "a forged record", spoil, IO_FAIL },
	};
	struct rig g;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&g, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
		carry(&g, 16384, rows[i].odd);
		cr_expect_eq(
		    g.end, rows[i].end, "%s: %d", rows[i].name, (int)g.end);
		/* All that came before it went over. */
		for (int k = 0; k < 100; k++) {
			turn_loops(&g);
			(void)wire_flush(g.to.wire);
			take(&g);
		}
		cr_expect_gt(g.turned, 0, "%s", rows[i].name);
		cr_expect_geq(
		    g.n_got, 40 * 16384, "%s: %zu", rows[i].name, g.n_got);
		cr_expect_eq(
		    memcmp(g.got, g.sent, g.n_got), 0, "%s", rows[i].name);
		rig_fini(&g);
	}
}

/* The reader stops, and goes on. */
Test(wire_tls_turn, what_is_not_sent_is_kept)
{
	struct rig g;

	rig_init(&g, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
	for (int i = 0; i < 500 && wire_unsent(g.to.wire) == 0; i++) {
		say(&g, 16384);
		turn_loops(&g);
		pass(&g);
	}
	cr_expect_gt(wire_unsent(g.to.wire), 0);
	cr_expect_eq(g.to.loop->unsent, wire_unsent(g.to.wire));
	carry(&g, 16384, NULL);
	expect_all(&g, "after a stop");
	cr_expect_eq(g.to.loop->unsent, 0);
	rig_fini(&g);
}

Test(wire_tls_turn, slow_readers_leave_no_more_than_usual)
{
	struct rig g;

	rig_init(&g, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
	g.from.wire->reads_much = true;
	cr_expect(wire_may_read_much(g.from.wire));
	g.from.loop->unsent = (size_t)64 * 1024 * 1024;
	cr_expect_not(wire_may_read_much(g.from.wire));
	g.from.loop->unsent = 0;
	rig_fini(&g);
}

Test(wire_tls_turn, a_sink_that_is_gone)
{
	struct rig g;

	rig_init(&g, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
	for (int i = 0; i < 20; i++) {
		say(&g, 16384);
		turn_loops(&g);
		pass(&g);
		take(&g);
	}
	cr_expect_gt(g.turned, 0);
	close(g.to.fd);
	g.to.fd = -1;
	carry(&g, 16384, NULL);
	cr_expect(g.is_gone);
	rig_fini(&g);
}
