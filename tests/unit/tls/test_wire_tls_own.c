/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wires that handle their records themselves, against OpenSSL: which do, what
 * is said to odd records, key updates both ways, and what remains to be asked
 * once the SSL object is gone.
 */

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_state.h"
#include "unit/tls/tls_duo.h"

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

TestSuite(wire_tls_own, .init = setup, .fini = teardown);

static const struct duo_peer tls_1_3 = { .max_version = TLS1_3_VERSION };
static const struct duo_peer tls_1_2 = { .max_version = TLS1_2_VERSION };

/* Our client and an OpenSSL server, shaken. */
static struct tls_wire *
open_client(struct duo *d, const struct duo_peer *like, bool may_renegotiate)
{
	struct tls_spec *spec = duo_spec(world.ca, "api.example.com", NULL);
	struct duo_peer o = *like;
	struct text why = TEXT_EMPTY;

	o.cert = world.server_cert;
	spec->allow_renegotiation = may_renegotiate;
	duo_spec_seal(spec);
	duo_init(d);
	duo_peer_server(d, &o);
	cr_assert(wire_tls_connect(
	    d->wire, world.clients, spec, STR("host:443"), &why));
	tls_spec_unref(spec);
	cr_assert_eq(duo_shake(d), IO_DONE, "%.*s",
	    STR_ARG(wire_tls_failure_text(d->wire)));
	return d->wire->impl;
}

static void
expect_answer(struct duo *d, const char *what)
{
	struct span in;
	char b[16];
	int i, n = -1;

	cr_assert_eq(SSL_write(d->ssl, "ping", 4), 4, "%s", what);
	cr_assert_eq(duo_read(d, &in), IO_DONE, "%s: %.*s", what,
	    STR_ARG(wire_tls_failure_text(d->wire)));
	cr_assert_eq(in.len, 4, "%s", what);
	cr_assert_eq(memcmp(in.p, "ping", 4), 0, "%s", what);
	cr_assert_eq(wire_write(d->wire, STR("pong")), IO_DONE, "%s", what);
	for (i = 0; i < 50 && n <= 0; i++)
		n = duo_peer_read(d, b, sizeof(b));
	cr_assert_eq(n, 4, "%s", what);
	cr_assert_eq(memcmp(b, "pong", 4), 0, "%s", what);
}

Test(wire_tls_own, who_takes_over)
{
	static const struct {
		const char *name;
		struct duo_peer peer;
		bool may_renegotiate;
		bool is_own;
	} rows[] = {
		{ "TLS 1.3", { .max_version = TLS1_3_VERSION }, false, true },
		{ "TLS 1.2", { .max_version = TLS1_2_VERSION }, false, true },
		{ "ChaCha20",
		    { .max_version = TLS1_2_VERSION,
			.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305" },
		    false, true },
		{ "renegotiation", { .max_version = TLS1_2_VERSION }, true,
		    false },
		{ "late authentication", { .max_version = TLS1_3_VERSION },
		    true, false },
	};
	struct tls_wire *t;
	struct duo d;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		t = open_client(&d, &rows[i].peer, rows[i].may_renegotiate);
		cr_expect_eq(
		    tls_own_is_on(t), rows[i].is_own, "%s", rows[i].name);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_OWN), rows[i].is_own,
		    "%s", rows[i].name);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_IPSEC_MB),
		    t->own != NULL && record_cipher_is_fast(t->own->in.cipher),
		    "%s", rows[i].name);
		expect_answer(&d, rows[i].name);
		cr_expect_eq(t->ssl == NULL, rows[i].is_own, "%s: its SSL",
		    rows[i].name);
		duo_fini(&d);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_OWN), 0);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_IPSEC_MB), 0);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_OPENSSL), 0);
	}
}

Test(wire_tls_own, who_does_records_is_chosen)
{
	struct tls_wire *t;
	struct duo d;

	static const struct {
		const char *name;
		enum tls_records choice;
		bool is_own;
	} rows[] = {
		{ "auto", TLS_RECORDS_AUTO, true },
		{ "openssl", TLS_RECORDS_OPENSSL, false },
		{ "own", TLS_RECORDS_OWN, true },
	};
	struct text said = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		tls_records_choose(rows[i].choice);
		t = open_client(&d, &tls_1_3, false);
		cr_expect_eq(
		    tls_own_is_on(t), rows[i].is_own, "%s", rows[i].name);
		expect_answer(&d, rows[i].name);
		duo_fini(&d);
		tls_records_print(&said);
		cr_expect_eq(strstr(said.p, "our own, AES-GCM by ") != NULL,
		    rows[i].is_own, "%s: %s", rows[i].name, said.p);
		text_free(&said);
	}
}

/* A caller that negotiated small records gets them: from OpenSSL. */
Test(wire_tls_own, small_fragments_stay_with_openssl)
{
	struct pki *mesh_ca = pki_mesh_ca("default");
	struct pki *web = pki_sidecar(mesh_ca, "default", "web", NULL);
	struct mesh_spec *m = duo_mesh("default", mesh_ca, NULL);
	struct tls_identities *set = duo_set(m, NULL);
	struct duo_peer o = { .cert = web, .sni = "a{mesh=default}" };
	struct duo d;
	int is_small;

	for (is_small = 0; is_small < 2; is_small++) {
		duo_init(&d);
		duo_peer_client(&d, &o);
		if (is_small && !duo_is_openssl())
			cr_skip("nobody gets small records");
		if (is_small)
			cr_assert(SSL_set_tlsext_max_fragment_length(
			    d.ssl, TLSEXT_max_fragment_length_512));
		duo_accept(&d, set, "default", TLS_ALPN_NONE);
		cr_assert_eq(duo_shake(&d), IO_DONE);
		cr_expect_eq(tls_own_is_on(d.wire->impl), !is_small);
		cr_expect_not_null(wire_tls_identity(d.wire));
		expect_answer(&d, "caller");
		duo_fini(&d);
	}
	tls_identities_unref(set);
	mesh_spec_unref(m);
	pki_free(mesh_ca);
	pki_free(web);
}

Test(wire_tls_own, what_was_agreed_on_is_kept)
{
	struct tls_info info;
	struct duo_peer o = { .max_version = TLS1_3_VERSION };
	struct tls_wire *t;
	struct duo d;

	t = open_client(&d, &o, false);
	expect_answer(&d, "info");
	cr_assert_null(t->ssl);
	wire_tls_info(d.wire, &info);
	cr_expect_str_eq(info.version, "TLSv1.3");
	cr_expect_str_eq(info.cipher, SSL_get_cipher_name(d.ssl));
	cr_expect_not_null(info.group);
	cr_expect(str_eq(info.sni, STR("api.example.com")));
	cr_expect_eq(info.alpn.len, 0);
	cr_expect_gt(info.peer_not_after_s, 0);
	duo_fini(&d);
}

/* Tickets in front of the first byte make a session, as without us. */
Test(wire_tls_own, tickets_are_used)
{
	struct tls_info info;
	struct tls_wire *t;
	struct duo_peer o = { .cert = world.server_cert };
	SSL_CTX *ctx = duo_server_ctx(&o);
	struct tls_spec *spec = duo_spec(world.ca, "api.example.com", NULL);
	struct text why = TEXT_EMPTY;
	struct span in;
	struct duo d;
	int i;

	for (i = 0; i < 3; i++) {
		duo_init(&d);
		duo_peer_server_of(&d, ctx);
		cr_assert(wire_tls_connect(
		    d.wire, world.clients, spec, STR("host:443"), &why));
		cr_assert_eq(duo_shake(&d), IO_DONE);
		t = d.wire->impl;
		cr_expect(tls_own_is_on(t));
		cr_expect_not_null(t->ssl, "for the tickets");
		loop_turn(d.loop);
		cr_expect_eq(wire_read(d.wire, &in), IO_AGAIN);
		/* OpenSSL's servers send one that was resumed only one. */
		cr_expect_eq(t->own->tickets, i > 0 ? 1 : 2);
		cr_expect_null(t->ssl, "it has all that it waited for");
		expect_answer(&d, "resumed");
		wire_tls_info(d.wire, &info);
		cr_expect_eq(info.is_resumed, i > 0, "connection %d", i);
		duo_fini(&d);
	}
	tls_spec_unref(spec);
	SSL_CTX_free(ctx);
}

Test(wire_tls_own, late_tickets_are_dropped)
{
	struct duo d;
	struct tls_wire *t = open_client(&d, &tls_1_3, false);
	unsigned before;

	expect_answer(&d, "first");
	before = t->own->tickets;
	cr_assert_eq(SSL_new_session_ticket(d.ssl), 1);
	expect_answer(&d, "behind a ticket");
	cr_expect_eq(t->own->tickets, before + 1);
	duo_fini(&d);
}

/* Our own, long before a cipher wears out; and the peer is asked for its. */
Test(wire_tls_own, keys_are_renewed)
{
	struct duo d;
	struct tls_wire *t = open_client(&d, &tls_1_3, false);
	uint8_t first[RECORD_SECRET_MOST], in[RECORD_SECRET_MOST];
	int i;

	expect_answer(&d, "first");
	t->own->update_at = 5;
	memcpy(first, t->own->out.secret, sizeof(first));
	memcpy(in, t->own->in.secret, sizeof(in));
	for (i = 0; i < 100; i++) {
		expect_answer(&d, "renewed");
		cr_assert_leq(t->own->out.seq, 6);
		cr_assert_leq(t->own->in.seq, 8);
	}
	cr_expect_neq(memcmp(first, t->own->out.secret, 32), 0);
	cr_expect_neq(memcmp(in, t->own->in.secret, 32), 0);
	duo_fini(&d);
}

Test(wire_tls_own, tls_1_2_has_no_key_updates)
{
	struct duo d;
	struct tls_wire *t = open_client(&d, &tls_1_2, false);
	int i;

	t->own->update_at = 2;
	for (i = 0; i < 10; i++)
		expect_answer(&d, "TLS 1.2");
	cr_expect_eq(t->own->out.seq, 11);
	duo_fini(&d);
}

/* Bytes of a record as the peer would seal it, with its key. */
static void
send_odd(
    struct duo *d, struct record_key *k, unsigned type, const char *p, size_t n)
{
	uint8_t record[512];
	size_t len;

	len =
	    record_seal(k, (enum record_type)type, (const void *)p, n, record);
	cr_assert_gt(len, 0);
	cr_assert_eq(send(d->fd, record, len, 0), len);
}

static struct record_key
key_of_peer(const struct tls_wire *t)
{
	struct record_key k = { .seq = t->own->in.seq };

	cr_assert(record_key_from_secret(
	    &k, t->own->in.suite, t->own->in.secret, true));
	return k;
}

struct odd {
	const char *name;
	struct {
		unsigned type;
		const char *p;
		size_t n;
	} records[3];
	enum io io;
	enum tls_failure failure;
	int alert; /* that the peer gets; -1 none */
};

/* clang-format off */
static const struct odd odds[] = {
	{ "close_notify", { { 21, "\1\0", 2 } }, IO_EOF, TLS_FAIL_NONE, -1 },
	{ "a fatal alert", { { 21, "\2\50", 2 } }, IO_FAIL, TLS_FAIL_ALERT, -1 },
	{ "an alert that says warning", { { 21, "\1\50", 2 } }, IO_FAIL,
	    TLS_FAIL_ALERT, -1 },
	{ "user_canceled, then the end", { { 21, "\1\132", 2 }, { 21, "\1\0", 2 } },
	    IO_EOF, TLS_FAIL_NONE, -1 },
	{ "half an alert", { { 21, "\1", 1 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "two alerts in one", { { 21, "\1\132\1\0", 4 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "an alert of no level", { { 21, "\3\50", 2 } }, IO_FAIL,
	    TLS_FAIL_ALERT, -1 },
	{ "close_notify that says fatal", { { 21, "\2\0", 2 } }, IO_EOF,
	    TLS_FAIL_NONE, -1 },
	{ "ChangeCipherSpec", { { 20, "\1", 1 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "a heartbeat", { { 24, "\1", 1 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "an empty message", { { 22, "", 0 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "empty data, then the end", { { 23, "", 0 }, { 21, "\1\0", 2 } },
	    IO_EOF, TLS_FAIL_NONE, -1 },
	{ "key update with bytes behind it", { { 22, "\30\0\0\1\0\4", 6 } },
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "key update of two bytes", { { 22, "\30\0\0\2\0\0", 6 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 50 },
	{ "key update without a body", { { 22, "\30\0\0\0", 4 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 50 },
	{ "key update of two bytes, begun", { { 22, "\30\0\0\2", 4 } },
	    IO_FAIL, TLS_FAIL_OTHER, 50 },
	{ "key update in three records", { { 22, "\30", 1 },
	    { 22, "\0\0", 2 }, { 22, "\1\1", 2 } }, IO_AGAIN,
	    TLS_FAIL_NONE, -1 },
	{ "key update that asks for 2", { { 22, "\30\0\0\1\2", 5 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 47 },
	{ "data amid a message", { { 22, "\4\0\0\7t", 5 }, { 23, "x", 1 } },
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "an alert amid a message", { { 22, "\4", 1 }, { 21, "\1\0", 2 } },
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "a ticket of 16 MiB", { { 22, "\4\377\377\377x", 5 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "a late request", { { 22, "\15\0\0\3\0\0\0", 7 } }, IO_FAIL,
	    TLS_FAIL_RENEGOTIATION, 10 },
	{ "a late request, begun", { { 22, "\15\0\1\0", 4 } }, IO_FAIL,
	    TLS_FAIL_RENEGOTIATION, 10 },
	{ "another handshake", { { 22, "\2\0\0\1\0", 5 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "half a handshake", { { 22, "\2\0\1\1\0", 5 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "hello request of TLS 1.2", { { 22, "\0\0\0\0", 4 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
};
/* clang-format on */

static void
try_odd(const struct odd *o)
{
	struct duo d;
	struct tls_wire *t = open_client(&d, &tls_1_3, false);
	struct record_key k;
	struct span in;
	char b[16];
	size_t i;

	expect_answer(&d, o->name);
	k = key_of_peer(t);
	for (i = 0; i < ARRAY_LEN(o->records) && o->records[i].type != 0; i++)
		send_odd(&d, &k, o->records[i].type, o->records[i].p,
		    o->records[i].n);
	record_key_fini(&k);
	cr_expect_eq(duo_read(&d, &in), o->io, "%s", o->name);
	cr_expect_eq(wire_read(d.wire, &in), o->io, "%s: again", o->name);
	cr_expect_eq(wire_tls_failure(d.wire), o->failure, "%s: %d %.*s",
	    o->name, wire_tls_failure(d.wire),
	    STR_ARG(wire_tls_failure_text(d.wire)));
	cr_expect_eq(wire_write(d.wire, STR("x")),
	    o->io == IO_FAIL ? IO_FAIL : IO_DONE, "%s: writing", o->name);
	for (i = 0; i < 3; i++)
		(void)duo_peer_read(&d, b, sizeof(b));
	cr_expect_eq(d.alert, o->alert, "%s: alert %d", o->name, d.alert);
	duo_fini(&d);
}

Test(wire_tls_own, odd_records)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(odds); i++)
		try_odd(&odds[i]);
}

Test(wire_tls_own, raw_bytes_that_are_no_records)
{
	static const struct {
		const char *name, *p;
		size_t n;
		int alert;
	} rows[] = {
		{ "plain alert", "\x15\x03\x03\x00\x02\x01\x00", 7, 10 },
		{ "too long", "\x17\x03\x03\xff\xff", 5, 22 },
		{ "too short", "\x17\x03\x03\x00\x03xyz", 8, 20 },
		{ "ChangeCipherSpec", "\x14\x03\x03\x00\x01\x01", 6, 10 },
		{ "of SSL 2",
		    "\x17\x02\x00\x00\x20"
		    "0123456789abcdef0123456789abcdef",
		    37, 70 },
	};
	struct span in;
	struct duo d;
	char b[16];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		(void)open_client(&d, &tls_1_3, false);
		expect_answer(&d, rows[i].name);
		cr_assert_eq(send(d.fd, rows[i].p, rows[i].n, 0), rows[i].n);
		cr_expect_eq(duo_read(&d, &in), IO_FAIL, "%s", rows[i].name);
		(void)duo_peer_read(&d, b, sizeof(b));
		cr_expect_eq(d.alert, rows[i].alert, "%s: alert %d",
		    rows[i].name, d.alert);
		duo_fini(&d);
	}
}

/* Neither empty records nor tickets may go on for ever. */
Test(wire_tls_own, chatter_is_capped)
{
	static const struct {
		unsigned type;
		const char *p;
		size_t n;
	} rows[] = { { 23, "", 0 }, { 22, "\4\0\0\1t", 5 }, { 22, "\4", 1 },
		{ 21, "\1\132", 2 } };
	struct record_key k;
	struct span in;
	struct duo d;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct tls_wire *t = open_client(&d, &tls_1_3, false);

		expect_answer(&d, "chatter");
		k = key_of_peer(t);
		for (j = 0; j < 40; j++)
			send_odd(&d, &k, rows[i].type, rows[i].p, rows[i].n);
		record_key_fini(&k);
		cr_expect_eq(duo_read(&d, &in), IO_FAIL, "row %zu", i);
		duo_fini(&d);
	}
}

static size_t
pad(SSL *ssl, int type, size_t len, void *arg)
{
	(void)ssl;
	(void)type;
	(void)arg;
	return 1000 - len % 1000;
}

Test(wire_tls_own, padding_is_taken_off)
{
	struct duo d;
	int i;

	(void)open_client(&d, &tls_1_3, false);
	SSL_set_record_padding_callback(d.ssl, pad);
	for (i = 0; i < 5; i++)
		expect_answer(&d, "padded");
	duo_fini(&d);
}

Test(wire_tls_own, keys_that_the_peer_renews)
{
	struct duo d;
	int i;

	(void)open_client(&d, &tls_1_3, false);
	for (i = 0; i < 20; i++) {
		cr_assert(SSL_key_update(
		    d.ssl, i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED
				      : SSL_KEY_UPDATE_NOT_REQUESTED));
		expect_answer(&d, "update");
	}
	duo_fini(&d);
}

/* A session of a connection that failed is not offered again. */
Test(wire_tls_own, a_failure_ends_the_session)
{
	static const char junk[] = "\x17\x03\x03\x00\x20"
				   "0123456789abcdef0123456789abcdef";
	static const bool is_resumed[] = { false, true, false };
	struct duo_peer o = { .cert = world.server_cert,
		.max_version = TLS1_2_VERSION };
	SSL_CTX *ctx = duo_server_ctx(&o);
	struct tls_spec *spec = duo_spec(world.ca, "api.example.com", NULL);
	struct text why = TEXT_EMPTY;
	struct tls_info info;
	struct span in;
	struct duo d;
	size_t i;

	for (i = 0; i < ARRAY_LEN(is_resumed); i++) {
		duo_init(&d);
		duo_peer_server_of(&d, ctx);
		cr_assert(wire_tls_connect(
		    d.wire, world.clients, spec, STR("host:443"), &why));
		cr_assert_eq(duo_shake(&d), IO_DONE);
		wire_tls_info(d.wire, &info);
		cr_expect_eq(info.is_resumed, is_resumed[i], "%zu", i);
		expect_answer(&d, "session");
		if (i == 1) {
			cr_assert_eq(send(d.fd, junk, 37, 0), 37);
			cr_expect_eq(duo_read(&d, &in), IO_FAIL);
		}
		duo_fini(&d);
	}
	tls_spec_unref(spec);
	SSL_CTX_free(ctx);
}

Test(wire_tls_own, a_caller_that_renegotiates_is_told_no)
{
	struct pki *mesh_ca = pki_mesh_ca("default");
	struct pki *web = pki_sidecar(mesh_ca, "default", "web", NULL);
	struct mesh_spec *m = duo_mesh("default", mesh_ca, NULL);
	struct tls_identities *set = duo_set(m, NULL);
	struct duo_peer o = { .cert = web,
		.sni = "a{mesh=default}",
		.max_version = TLS1_2_VERSION };
	struct span in;
	struct duo d;
	char b[16];
	int i;

	duo_init(&d);
	duo_peer_client(&d, &o);
	duo_accept(&d, set, "default", TLS_ALPN_NONE);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	cr_assert(tls_own_is_on(d.wire->impl));
	expect_answer(&d, "before");
	cr_assert_eq(SSL_renegotiate(d.ssl), 1);
	(void)SSL_do_handshake(d.ssl);
	for (i = 0; i < 5; i++) {
		loop_turn(d.loop);
		(void)wire_read(d.wire, &in);
		(void)duo_peer_read(&d, b, sizeof(b));
	}
	cr_expect_eq(d.alert, SSL_AD_NO_RENEGOTIATION);
	duo_fini(&d);
	tls_identities_unref(set);
	mesh_spec_unref(m);
	pki_free(mesh_ca);
	pki_free(web);
}
