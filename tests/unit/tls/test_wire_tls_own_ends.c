/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wires that handle their records themselves: odd records of TLS 1.2 and to a
 * server, half-closed and cut streams, peers that do not read, tickets in
 * parts, and the end of a key.  What TLS 1.3 sends to a client is in
 * test_wire_tls_own.c; random streams are in tests/differential/records.c.
 */

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_state.h"
#include "unit/tls/tls_duo.h"

static struct pki *ca, *server_cert, *mesh_ca, *web;
static struct tls_clients *clients;
static struct mesh_spec *mesh;
static struct tls_identities *set;

static void
setup(void)
{
	tls_records_choose(TLS_RECORDS_OWN);
	ca = pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=CA" });
	server_cert = pki_server(ca, "api.example.com");
	mesh_ca = pki_mesh_ca("default");
	web = pki_sidecar(mesh_ca, "default", "web", NULL);
	mesh = duo_mesh("default", mesh_ca, NULL);
	set = duo_set(mesh, NULL);
	clients = tls_clients_new();
}

static void
teardown(void)
{
	tls_clients_free(clients);
	tls_identities_unref(set);
	mesh_spec_unref(mesh);
	pki_free(ca);
	pki_free(server_cert);
	pki_free(mesh_ca);
	pki_free(web);
}

TestSuite(wire_tls_own_ends, .init = setup, .fini = teardown);

static struct tls_wire *
open_client_of(struct duo *d, SSL_CTX *ctx)
{
	struct tls_spec *spec = duo_spec(ca, "api.example.com", NULL);

	duo_init(d);
	duo_peer_server_of(d, ctx);
	duo_connect(d, clients, spec);
	tls_spec_unref(spec);
	cr_assert_eq(duo_shake(d), IO_DONE);
	cr_assert(tls_own_is_on(d->wire->impl));
	return d->wire->impl;
}

static struct tls_wire *
open_client(struct duo *d, int version)
{
	struct duo_peer o = { .cert = server_cert, .max_version = version };
	SSL_CTX *ctx = duo_server_ctx(&o);
	struct tls_wire *t = open_client_of(d, ctx);

	SSL_CTX_free(ctx);
	return t;
}

static struct tls_wire *
open_server(struct duo *d, int version)
{
	struct duo_peer o = {
		.cert = web, .sni = "a{mesh=default}", .max_version = version
	};

	duo_init(d);
	duo_peer_client(d, &o);
	duo_accept(d, set, "default", TLS_ALPN_NONE);
	cr_assert_eq(duo_shake(d), IO_DONE);
	cr_assert(tls_own_is_on(d->wire->impl));
	return d->wire->impl;
}

/* What the peer seals with, at the place where it is. */
static struct record_key
key_of_peer(const struct duo *d, const struct tls_wire *t)
{
	const struct record_suite *s = t->own->in.suite;
	uint8_t master[RECORD_MASTER], client[RECORD_RANDOM];
	uint8_t server[RECORD_RANDOM];
	struct record_key k = { .seq = 0 }, other = { .seq = 0 };
	bool is_client = SSL_is_server(d->ssl) == 0;

	if (s->version == RECORD_TLS_1_3) {
		cr_assert(
		    record_key_from_secret(&k, s, t->own->in.secret, true));
	} else {
		SSL_SESSION_get_master_key(
		    SSL_get_session(d->ssl), master, sizeof(master));
		SSL_get_client_random(d->ssl, client, sizeof(client));
		SSL_get_server_random(d->ssl, server, sizeof(server));
		cr_assert(record_keys_from_master(is_client ? &k : &other,
		    is_client ? &other : &k, s, master, client, server,
		    !is_client));
		record_key_fini(&other);
	}
	k.seq = t->own->in.seq;
	return k;
}

static void
send_record(
    struct duo *d, struct record_key *k, unsigned type, const char *p, size_t n)
{
	static uint8_t record[RECORD_PLAIN + RECORD_OVERHEAD_MOST];
	size_t len;

	len =
	    record_seal(k, (enum record_type)type, (const void *)p, n, record);
	cr_assert_gt(len, 0);
	cr_assert_eq(send(d->fd, record, len, 0), len);
}

struct odd {
	const char *name;
	int version;
	bool is_server; /* we are */
	struct {
		unsigned type;
		const char *p;
		size_t n;
	} records[5];
	size_t bytes; /* that are read before the end */
	enum io io;
	enum tls_failure failure;
	int alert; /* that the peer gets; -1 none */
};

/* clang-format off */
#define V2 TLS1_2_VERSION
#define V3 TLS1_3_VERSION
static const struct odd odds[] = {
	{ "close_notify", V2, false, { { 21, "\1\0", 2 } }, 0, IO_EOF,
	    TLS_FAIL_NONE, -1 },
	{ "data, then the end", V2, true, { { 23, "abc", 3 }, { 21, "\1\0", 2 },
	    { 23, "d", 1 } }, 3, IO_EOF, TLS_FAIL_NONE, -1 },
	{ "close_notify that says fatal", V2, false, { { 21, "\2\0", 2 } }, 0,
	    IO_FAIL, TLS_FAIL_ALERT, -1 },
	{ "a warning, then data, then the end", V2, false,
	    { { 21, "\1\132", 2 }, { 23, "abc", 3 }, { 21, "\1\0", 2 } }, 3,
	    IO_EOF, TLS_FAIL_NONE, -1 },
	{ "an unknown warning", V2, true, { { 21, "\1\377", 2 },
	    { 23, "a", 1 } }, 1, IO_AGAIN, TLS_FAIL_NONE, -1 },
	{ "an unknown fatal alert", V2, true, { { 21, "\2\377", 2 },
	    { 23, "a", 1 } }, 0, IO_FAIL, TLS_FAIL_ALERT, -1 },
	{ "no_renegotiation", V2, false, { { 21, "\1\144", 2 } }, 0, IO_FAIL,
	    TLS_FAIL_ALERT, 40 },
	{ "an alert of no level", V2, false, { { 21, "\3\0", 2 } }, 0, IO_FAIL,
	    TLS_FAIL_OTHER, 47 },
	{ "half an alert", V2, false, { { 21, "\1", 1 }, { 21, "\0", 1 } }, 0,
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "an empty alert", V2, false, { { 21, "", 0 } }, 0, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "ChangeCipherSpec", V2, false, { { 20, "\1", 1 } }, 0, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "a heartbeat", V2, false, { { 24, "\1", 1 } }, 0, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "an empty message", V2, true, { { 22, "", 0 } }, 0, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "HelloRequest", V2, false, { { 22, "\0\0\0\0", 4 } }, 0, IO_FAIL,
	    TLS_FAIL_RENEGOTIATION, 100 },
	{ "HelloRequest with a body", V2, false, { { 22, "\0\0\0\1x", 5 } }, 0,
	    IO_FAIL, TLS_FAIL_OTHER, 50 },
	{ "HelloRequest to a server", V2, true, { { 22, "\0\0\0\0", 4 } }, 0,
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "ClientHello to a client, begun", V2, false, { { 22, "\1\0\1\0", 4 } },
	    0, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "KeyUpdate", V2, false, { { 22, "\30\0\0\1\0", 5 } }, 0, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "data amid the head of a ClientHello", V2, true,
	    { { 22, "\1\0\0", 3 }, { 23, "abc", 3 }, { 22, "\2xy", 3 },
	    { 23, "d", 1 } }, 4, IO_AGAIN, TLS_FAIL_NONE, 100 },
	{ "data amid a ClientHello", V2, true,
	    { { 22, "\1\0\0\2x", 5 }, { 23, "abc", 3 }, { 22, "y", 1 } }, 0,
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "a ClientHello of 16 MiB", V2, true, { { 22, "\1\377\377\377", 4 } },
	    0, IO_FAIL, TLS_FAIL_OTHER, 100 },
	{ "empty data", V2, true, { { 23, "", 0 }, { 23, "a", 1 } }, 1,
	    IO_AGAIN, TLS_FAIL_NONE, -1 },
	{ "a ticket to a server, begun", V3, true, { { 22, "\4\0\0\21", 4 } }, 0,
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "ClientHello in TLS 1.3", V3, true, { { 22, "\1\0\0\1x", 5 } }, 0,
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "a certificate nobody asked for", V3, true, { { 22, "\13\0\0\4", 4 } },
	    0, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "EndOfEarlyData", V3, true, { { 22, "\5\0\0\0", 4 } }, 0, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "HelloRequest to a server", V3, true, { { 22, "\0\0\0\0", 4 } }, 0,
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "data amid a key update", V3, true, { { 22, "\30\0\0\1", 4 },
	    { 23, "a", 1 } }, 0, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "user_canceled, data and the end", V3, true, { { 21, "\2\132", 2 },
	    { 23, "abc", 3 }, { 21, "\1\0", 2 } }, 3, IO_EOF, TLS_FAIL_NONE,
	    -1 },
	{ "padding and nothing else", V3, true, { { 0, "\0\0\0", 3 } }, 0,
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "padded data", V3, true, { { 0, "abc\27\0\0", 6 } }, 3, IO_AGAIN,
	    TLS_FAIL_NONE, -1 },
	{ "a padded alert", V3, true, { { 0, "\1\0\25\0\0\0\0", 7 } }, 0, IO_EOF,
	    TLS_FAIL_NONE, -1 },
};
/* clang-format on */

static void
try_odd(const struct odd *o)
{
	struct duo d;
	struct tls_wire *t = o->is_server ? open_server(&d, o->version)
					  : open_client(&d, o->version);
	struct record_key k;
	struct span in;
	size_t i, got = 0;
	enum io io;
	char b[16];

	duo_answer(&d, o->name, 50);
	k = key_of_peer(&d, t);
	for (i = 0; i < ARRAY_LEN(o->records) && o->records[i].p != NULL; i++)
		send_record(&d, &k, o->records[i].type, o->records[i].p,
		    o->records[i].n);
	record_key_fini(&k);
	loop_turn(d.loop);
	while ((io = wire_read(d.wire, &in)) == IO_DONE)
		got += in.len;
	cr_expect_eq(io, o->io, "%s: %d", o->name, io);
	cr_expect_eq(got, o->bytes, "%s: %zu bytes", o->name, got);
	cr_expect_eq(wire_tls_failure(d.wire), o->failure, "%s: %d %.*s",
	    o->name, wire_tls_failure(d.wire),
	    STR_ARG(wire_tls_failure_text(d.wire)));
	for (i = 0; i < 3; i++)
		(void)duo_peer_read(&d, b, sizeof(b));
	cr_expect_eq(d.alert, o->alert, "%s: alert %d", o->name, d.alert);
	duo_fini(&d);
}

Test(wire_tls_own_ends, odd_records)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(odds); i++)
		try_odd(&odds[i]);
}

/* After our end the other direction goes on, and gets no answers. */
Test(wire_tls_own_ends, half_closed)
{
	static const int versions[] = { V2, V3 };
	struct tls_wire *t;
	struct span in;
	struct duo d;
	char b[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(versions); i++) {
		t = open_server(&d, versions[i]);
		duo_answer(&d, "half-closed", 50);
		cr_expect_eq(wire_finish(d.wire), IO_DONE);
		cr_expect_leq(duo_peer_read(&d, b, sizeof(b)), 0);
		cr_expect_eq(SSL_get_shutdown(d.ssl), SSL_RECEIVED_SHUTDOWN);
		if (versions[i] == V3)
			cr_assert(
			    SSL_key_update(d.ssl, SSL_KEY_UPDATE_REQUESTED));
		cr_assert_eq(SSL_write(d.ssl, "after", 5), 5);
		cr_assert_eq(duo_read(&d, &in), IO_DONE);
		cr_expect_eq(in.len, 5);
		cr_expect_eq(recv(d.fd, b, sizeof(b), 0), 0, "only our FIN");
		cr_expect_eq(wire_write(d.wire, STR("x")), IO_FAIL);
		(void)SSL_shutdown(d.ssl);
		cr_expect_eq(duo_read(&d, &in), IO_EOF);
		cr_expect_eq(t->peer.failure, TLS_FAIL_NONE);
		duo_fini(&d);
	}
}

/* The peer's end does not end ours. */
Test(wire_tls_own_ends, their_end_leaves_ours_open)
{
	struct span in;
	struct duo d;
	char b[16];

	(void)open_server(&d, V3);
	duo_answer(&d, "their end", 50);
	(void)SSL_shutdown(d.ssl);
	cr_assert_eq(duo_read(&d, &in), IO_EOF);
	cr_expect_eq(wire_write(d.wire, STR("still")), IO_DONE);
	cr_expect_eq(duo_peer_read(&d, b, sizeof(b)), 5);
	cr_expect_eq(wire_finish(d.wire), IO_DONE);
	cr_expect_leq(duo_peer_read(&d, b, sizeof(b)), 0);
	cr_expect_eq(
	    SSL_get_shutdown(d.ssl), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	duo_fini(&d);
}

/* FIN without close_notify, between two records and amid one. */
Test(wire_tls_own_ends, cut_streams)
{
	static const size_t cuts[] = { 0, 3, 5, 20 };
	struct record_key k;
	struct tls_wire *t;
	uint8_t record[64];
	struct span in;
	struct duo d;
	size_t i;

	for (i = 0; i < 2 * ARRAY_LEN(cuts); i++) {
		t = open_server(&d, i % 2 == 0 ? V2 : V3);
		duo_answer(&d, "cut", 50);
		k = key_of_peer(&d, t);
		cr_assert_gt(record_seal(&k, RECORD_DATA, (const void *)"abc",
				 3, record),
		    0);
		record_key_fini(&k);
		cr_assert_eq(send(d.fd, record, cuts[i / 2], 0), cuts[i / 2]);
		shutdown(d.fd, SHUT_WR);
		cr_expect_eq(duo_read(&d, &in), IO_CUT, "%zu", i);
		cr_expect_eq(wire_read(d.wire, &in), IO_CUT, "%zu", i);
		duo_fini(&d);
	}
}

/* The caller says all that it has to say as its handshake ends. */
Test(wire_tls_own_ends, all_at_once)
{
	static const int versions[] = { V2, V3 };
	struct duo_peer o = { .cert = web, .sni = "a{mesh=default}" };
	struct span in;
	struct duo d;
	char b[16];
	size_t i;
	int turn;

	for (i = 0; i < ARRAY_LEN(versions); i++) {
		o.max_version = versions[i];
		duo_init(&d);
		duo_peer_client(&d, &o);
		duo_accept(&d, set, "default", TLS_ALPN_NONE);
		for (turn = 0; turn < 50 && SSL_do_handshake(d.ssl) != 1;
		     turn++) {
			loop_turn(d.loop);
			d.io = wire_tls_handshake(d.wire);
		}
		cr_assert_eq(SSL_write(d.ssl, "all", 3), 3);
		(void)SSL_shutdown(d.ssl);
		shutdown(d.fd, SHUT_WR);
		cr_assert_eq(duo_shake(&d), IO_DONE);
		cr_assert(tls_own_is_on(d.wire->impl));
		cr_assert_eq(duo_read(&d, &in), IO_DONE);
		cr_expect_eq(in.len, 3);
		cr_expect_eq(duo_read(&d, &in), IO_EOF);
		cr_expect_eq(wire_write(d.wire, STR("too")), IO_DONE);
		cr_expect_eq(duo_peer_read(&d, b, sizeof(b)), 3);
		duo_fini(&d);
	}
}

static void
shrink(struct duo *d)
{
	int few = 4096;

	cr_assert_eq(
	    setsockopt(d->wire->fd, SOL_SOCKET, SO_SNDBUF, &few, sizeof(few)),
	    0);
}

/* Each is answered once, in its place among what waits to be sent. */
Test(wire_tls_own_ends, key_updates_while_nothing_can_be_sent)
{
	static char lots[100000], back[sizeof(lots)];
	struct tls_wire *t;
	struct span in;
	struct duo d;
	size_t got = 0;
	int i, n;

	t = open_server(&d, V3);
	shrink(&d);
	memset(lots, 'x', sizeof(lots));
	cr_assert_eq(
	    wire_write(d.wire, (struct str){ .p = lots, .len = sizeof(lots) }),
	    IO_DONE);
	cr_assert_gt(wire_unsent(d.wire), 0);
	for (i = 0; i < 10; i++) {
		cr_assert(SSL_key_update(d.ssl, SSL_KEY_UPDATE_REQUESTED));
		cr_assert_eq(SSL_write(d.ssl, "abc", 3), 3);
		cr_assert_eq(duo_read(&d, &in), IO_DONE);
		cr_expect_eq(in.len, 3);
	}
	cr_assert_eq(wire_write(d.wire, STR("end")), IO_DONE);
	for (i = 0; i < 5000 && got < sizeof(lots) + 3; i++) {
		n = duo_peer_read(&d, back, sizeof(back));
		got += n > 0 ? (size_t)n : 0;
		(void)wire_flush(d.wire);
	}
	cr_expect_eq(got, sizeof(lots) + 3);
	cr_expect_eq(t->peer.failure, TLS_FAIL_NONE);
	duo_fini(&d);
}

/* Who goes on asking, and never reads, does not fill our memory. */
Test(wire_tls_own_ends, answers_that_nobody_reads_are_capped)
{
	static const struct {
		int version;
		const char *p;
		size_t n;
	} rows[] = { { V3, "\30\0\0\1\1", 5 }, { V2, "\1\0\0\1x", 5 } };
	struct record_key k;
	struct tls_wire *t;
	struct span in;
	struct duo d;
	enum io io;
	size_t i;
	int j;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		t = open_server(&d, rows[i].version);
		shrink(&d);
		k = key_of_peer(&d, t);
		io = IO_DONE;
		for (j = 0; j < 20000 && io == IO_DONE; j++) {
			send_record(
			    &d, &k, RECORD_HANDSHAKE, rows[i].p, rows[i].n);
			if (rows[i].version == V3)
				cr_assert(record_key_update(&k));
			send_record(&d, &k, RECORD_DATA, "a", 1);
			io = duo_read(&d, &in);
		}
		cr_expect_eq(io, IO_FAIL, "row %zu", i);
		cr_expect_lt(wire_unsent(d.wire), 32768, "row %zu: %zu", i,
		    wire_unsent(d.wire));
		record_key_fini(&k);
		duo_fini(&d);
	}
}

Test(wire_tls_own_ends, a_flood_of_key_updates)
{
	struct record_key k;
	struct tls_wire *t;
	struct span in;
	struct duo d;
	int i;

	t = open_server(&d, V3);
	k = key_of_peer(&d, t);
	for (i = 0; i < 40; i++) {
		send_record(&d, &k, RECORD_HANDSHAKE, "\30\0\0\1\0", 5);
		cr_assert(record_key_update(&k));
	}
	record_key_fini(&k);
	cr_expect_eq(duo_read(&d, &in), IO_FAIL);
	cr_expect(str_eq(wire_tls_failure_text(d.wire),
	    STR("the peer sends handshake messages without end")));
	duo_fini(&d);
}

/* A number is never used twice: its key ends before. */
Test(wire_tls_own_ends, numbers_run_out)
{
	static char b[3 * RECORD_PLAIN];
	struct tls_wire *t;
	struct span in;
	struct duo d;

	t = open_client(&d, V2);
	duo_answer(&d, "numbers", 50);
	t->own->out.seq = UINT64_MAX - 1;
	cr_expect_eq(
	    wire_write(d.wire, (struct str){ .p = b, .len = sizeof(b) }),
	    IO_FAIL);
	cr_expect_eq(t->ends.out_len, 0, "nothing is left behind");
	cr_expect_eq(t->own->out.seq, UINT64_MAX);
	cr_expect_eq(wire_write(d.wire, STR("x")), IO_FAIL);
	duo_fini(&d);

	t = open_client(&d, V2);
	duo_answer(&d, "numbers", 50);
	t->own->in.seq = UINT64_MAX;
	cr_assert_eq(SSL_write(d.ssl, "x", 1), 1);
	cr_expect_eq(duo_read(&d, &in), IO_FAIL);
	duo_fini(&d);
}

static int
add_bulk(SSL *ssl, void *arg)
{
	static char bulk[2000];

	(void)arg;
	return SSL_SESSION_set1_ticket_appdata(
	    SSL_get_session(ssl), bulk, sizeof(bulk));
}

static SSL_TICKET_RETURN
use_bulk(SSL *ssl, SSL_SESSION *s, const unsigned char *name, size_t n,
    SSL_TICKET_STATUS status, void *arg)
{
	(void)ssl;
	(void)s;
	(void)name;
	(void)n;
	(void)arg;
	return status == SSL_TICKET_SUCCESS ||
		       status == SSL_TICKET_SUCCESS_RENEW
		   ? SSL_TICKET_RETURN_USE_RENEW
		   : SSL_TICKET_RETURN_IGNORE;
}

/* Tickets in many records each, and what we write before they come. */
Test(wire_tls_own_ends, tickets_in_parts)
{
	struct duo_peer o = { .cert = server_cert };
	SSL_CTX *ctx = duo_server_ctx(&o);
	struct tls_info info;
	struct tls_wire *t;
	struct span in;
	struct duo d;
	int i;

	SSL_CTX_set_max_send_fragment(ctx, 512);
	SSL_CTX_set_session_ticket_cb(ctx, add_bulk, use_bulk, NULL);
	for (i = 0; i < 3; i++) {
		t = open_client_of(&d, ctx);
		cr_expect_not_null(t->ssl, "for the tickets");
		cr_assert_eq(wire_write(d.wire, STR("before")), IO_DONE);
		loop_turn(d.loop);
		cr_expect_eq(wire_read(d.wire, &in), IO_AGAIN);
		cr_expect_eq(t->own->tickets, i > 0 ? 1 : 2);
		cr_expect_null(t->ssl);
		wire_tls_info(d.wire, &info);
		cr_expect_eq(info.is_resumed, i > 0, "connection %d", i);
		duo_fini(&d);
	}
	SSL_CTX_free(ctx);
}

/* Nobody's are logged; who stays with OpenSSL is not told of them either. */
Test(wire_tls_own_ends, whose_secrets_are_shown)
{
	static const struct {
		const char *name;
		enum tls_records choice;
		bool may_renegotiate;
		bool is_told;
	} rows[] = {
		{ "own", TLS_RECORDS_OWN, false, true },
		{ "own, may renegotiate", TLS_RECORDS_OWN, true, false },
		{ "OpenSSL", TLS_RECORDS_OPENSSL, false, false },
	};
	struct duo_peer o = { .cert = server_cert,
		.max_version = TLS1_3_VERSION };
	struct tls_spec *spec;
	struct tls_wire *t;
	struct duo d;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		tls_records_choose(rows[i].choice);
		spec = duo_spec(ca, "api.example.com", NULL);
		spec->allow_renegotiation = rows[i].may_renegotiate;
		duo_spec_seal(spec);
		duo_init(&d);
		duo_peer_server(&d, &o);
		duo_connect(&d, clients, spec);
		t = d.wire->impl;
		cr_expect_null(
		    SSL_CTX_get_keylog_callback(SSL_get_SSL_CTX(t->ssl)), "%s",
		    rows[i].name);
		cr_expect_eq(
		    t->own != NULL, rows[i].is_told, "%s", rows[i].name);
		cr_assert_eq(duo_shake(&d), IO_DONE, "%s", rows[i].name);
		/* Without having been told it could not be. */
		cr_expect_eq(
		    tls_own_is_on(t), rows[i].is_told, "%s", rows[i].name);
		duo_fini(&d);
		tls_spec_unref(spec);
	}
}
