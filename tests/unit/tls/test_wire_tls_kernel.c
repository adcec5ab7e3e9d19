/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wires whose records the kernel handles, against OpenSSL over TCP.  Each test
 * runs twice: with a kernel that is played (fake_kernel.h), everywhere, and
 * with the real one, where it has TLS.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "tls/kernel_tls.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_state.h"
#include "unit/tls/fake_kernel.h"
#include "unit/tls/tls_duo.h"

#define TURNS 20000

static struct duo_world world;

static void
setup(void)
{
	duo_world_init(&world, TLS_RECORDS_KERNEL);
}

static void
teardown(void)
{
	duo_world_fini(&world);
}

static void
need_kernel(void)
{
	struct text why = TEXT_EMPTY;

	if (!kernel_tls_is_there(&why))
		cr_skip("%s", why.p);
	text_free(&why);
}

static void
play_kernel(void)
{
	fake_kernel = (struct fake_kernel){
		.is_on = true,
		.renews = true,
		.tells = true,
	};
	need_kernel();
}

TestSuite(kernel_tls_real, .init = setup, .fini = teardown);
TestSuite(kernel_tls_fake, .init = setup, .fini = teardown);

#define TEST_BOTH(name)             \
	static void name(void);     \
	Test(kernel_tls_real, name) \
	{                           \
		need_kernel();      \
		name();             \
	}                           \
	Test(kernel_tls_fake, name) \
	{                           \
		play_kernel();      \
		name();             \
	}                           \
	static void name(void)

#define TEST_FAKE(name)             \
	static void name(void);     \
	Test(kernel_tls_fake, name) \
	{                           \
		play_kernel();      \
		name();             \
	}                           \
	static void name(void)

static const struct duo_peer tls_1_3 = { .max_version = TLS1_3_VERSION };
static const struct duo_peer tls_1_2 = { .max_version = TLS1_2_VERSION };
static const struct duo_peer chacha = { .max_version = TLS1_2_VERSION,
	.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305" };

static struct tls_wire *
open_client_of(struct duo *d, SSL_CTX *ctx)
{
	struct tls_spec *spec = duo_spec(world.ca, "api.example.com", NULL);

	duo_init_tcp(d);
	duo_peer_server_of(d, ctx);
	duo_connect(d, world.clients, spec);
	tls_spec_unref(spec);
	cr_assert_eq(duo_shake(d), IO_DONE, "%.*s",
	    STR_ARG(wire_tls_failure_text(d->wire)));
	return d->wire->impl;
}

static struct tls_wire *
open_client(struct duo *d, const struct duo_peer *like)
{
	struct duo_peer o = *like;
	struct tls_wire *t;
	SSL_CTX *ctx;

	o.cert = world.server_cert;
	ctx = duo_server_ctx(&o);
	t = open_client_of(d, ctx);
	SSL_CTX_free(ctx);
	return t;
}

static void
end(struct duo *d)
{
	duo_fini(d);
	fake_kernel_forget();
}

static void
expect_kernel(const struct tls_wire *t, const char *what)
{
	cr_expect(tls_kernel_has_out(t), "%s: sending", what);
	cr_expect(tls_kernel_has_in(t), "%s: receiving", what);
}

/* Until it has both directions: the tickets may come in parts. */
static struct tls_wire *
open_kernels(struct duo *d, const struct duo_peer *like, const char *what)
{
	struct tls_wire *t = open_client(d, like);
	int i;

	for (i = 0; i < 20 && !tls_kernel_has_in(t); i++)
		duo_answer(d, what, TURNS);
	expect_kernel(t, what);
	return t;
}

TEST_BOTH(takes_both_directions)
{
	static const struct {
		const char *name;
		const struct duo_peer *peer;
	} rows[] = {
		{ "TLS 1.3", &tls_1_3 },
		{ "TLS 1.2", &tls_1_2 },
		{ "ChaCha20", &chacha },
	};
	struct tls_wire *t;
	struct duo d;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		t = open_client(&d, rows[i].peer);
		cr_expect(tls_kernel_has_out(t), "%s", rows[i].name);
		for (j = 0; j < 20; j++)
			duo_answer(&d, rows[i].name, TURNS);
		expect_kernel(t, rows[i].name);
		cr_expect_null(t->own->in.cipher);
		cr_expect_null(t->own->out.cipher);
		cr_expect_not(wire_is_plain(d.wire));
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_KERNEL), 1);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_OWN), 0);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_IPSEC_MB), 0);
		end(&d);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_KERNEL), 0);
		cr_expect_eq(tls_engine_wires(TLS_ENGINE_OPENSSL), 0);
	}
}

/* A caller's first request may come with the end of his handshake. */
TEST_BOTH(takes_a_callers)
{
	struct pki *mesh_ca = pki_mesh_ca("default");
	struct pki *web = pki_sidecar(mesh_ca, "default", "web", NULL);
	struct mesh_spec *m = duo_mesh("default", mesh_ca, NULL);
	struct tls_identities *set = duo_set(m, NULL);
	struct duo_peer o = { .cert = web, .sni = "a{mesh=default}" };
	struct duo d;
	int i;

	duo_init_tcp(&d);
	duo_peer_client(&d, &o);
	duo_accept(&d, set, "default", TLS_ALPN_NONE);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	for (i = 0; i < 20; i++)
		duo_answer(&d, "caller", TURNS);
	expect_kernel(d.wire->impl, "caller");
	end(&d);
	tls_identities_unref(set);
	mesh_spec_unref(m);
	pki_free(mesh_ca);
	pki_free(web);
}

TEST_BOTH(tickets_come_first)
{
	struct duo_peer o = { .cert = world.server_cert };
	SSL_CTX *ctx = duo_server_ctx(&o);
	struct tls_info info;
	struct tls_wire *t;
	struct span in;
	struct duo d;
	int i;

	for (i = 0; i < 3; i++) {
		t = open_client_of(&d, ctx);
		cr_expect(tls_kernel_has_out(t));
		cr_expect_not(tls_kernel_has_in(t));
		loop_turn(d.loop);
		cr_expect_eq(wire_read(d.wire, &in), IO_AGAIN);
		cr_expect_null(t->ssl, "it has all that it waited for");
		expect_kernel(t, "behind tickets");
		duo_answer(&d, "resumed", TURNS);
		wire_tls_info(d.wire, &info);
		cr_expect_eq(info.is_resumed, i > 0, "connection %d", i);
		end(&d);
	}
	SSL_CTX_free(ctx);
}

#define MUCH ((size_t)2 * 1024 * 1024)

static char *
make_bytes(void)
{
	char *p = xmalloc(MUCH);
	size_t i;

	for (i = 0; i < MUCH; i++)
		p[i] = (char)(i >> 9 ^ i * 7);
	return p;
}

/* Sockets that are full soon. */
static void
narrow(const struct duo *d)
{
	int n = 32768;

	cr_assert_eq(
	    setsockopt(d->wire->fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n)), 0);
	cr_assert_eq(
	    setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n)), 0);
}

/* What the peer has is compared. */
static void
read_some(struct duo *d, const char *all, size_t *got)
{
	static char b[20000];
	int n;

	cr_assert_neq(wire_flush(d->wire), IO_FAIL);
	n = duo_peer_read(d, b, sizeof(b));
	if (n <= 0)
		return;
	cr_assert_eq(memcmp(b, all + *got, (size_t)n), 0);
	*got += (size_t)n;
}

static void
drain(struct duo *d, const char *all, size_t *got, size_t to)
{
	int i;

	for (i = 0; i < TURNS && *got < to; i++)
		read_some(d, all, got);
	cr_assert_eq(*got, to);
}

static void
write_until(struct duo *d, const char *all, size_t *at, size_t to)
{
	size_t part;

	while (*at < to && wire_unsent(d->wire) == 0) {
		part = to - *at < 50000 ? to - *at : 50000;
		cr_assert_eq(wire_write(d->wire,
				 (struct str){ .p = all + *at, .len = part }),
		    IO_DONE);
		*at += part;
	}
}

/* More than sockets take, and then the end, in its order. */
TEST_BOTH(bulk_out)
{
	char *all = make_bytes();
	size_t at = 0, got = 0, waits = 0;
	struct duo d;
	char b[16];
	int i;

	(void)open_kernels(&d, &tls_1_3, "bulk");
	narrow(&d);
	while (at < MUCH) {
		write_until(&d, all, &at, MUCH);
		waits += wire_unsent(d.wire) > 0;
		for (i = 0; i < TURNS && wire_unsent(d.wire) > 0 && at < MUCH;
		     i++)
			read_some(&d, all, &got);
	}
	cr_expect_gt(waits, 0, "the sockets took it all");
	(void)wire_finish(d.wire);
	drain(&d, all, &got, MUCH);
	for (i = 0; i < TURNS; i++) {
		(void)wire_flush(d.wire);
		if (duo_peer_read(&d, b, sizeof(b)) == 0)
			break;
	}
	cr_expect_eq(SSL_get_shutdown(d.ssl), SSL_RECEIVED_SHUTDOWN);
	cr_expect(d.wire->is_finished);
	cr_expect_eq(wire_write(d.wire, STR("more")), IO_FAIL);
	end(&d);
	free(all);
}

TEST_BOTH(bulk_in)
{
	char *all = make_bytes();
	size_t at = 0, got = 0;
	struct span in;
	struct duo d;
	int i, n;

	(void)open_kernels(&d, &tls_1_3, "bulk");
	SSL_set_mode(d.ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	for (i = 0; i < TURNS && got < MUCH; i++) {
		n = at < MUCH ? SSL_write(d.ssl, all + at, (int)(MUCH - at))
			      : 0;
		at += n > 0 ? (size_t)n : 0;
		loop_turn(d.loop);
		if (wire_read(d.wire, &in) != IO_DONE)
			continue;
		cr_assert_leq(got + in.len, MUCH);
		cr_assert_eq(memcmp(in.p, all + got, in.len), 0);
		got += in.len;
	}
	cr_expect_eq(got, MUCH);
	SSL_shutdown(d.ssl);
	cr_expect_eq(duo_read(&d, &in), IO_EOF);
	cr_expect_eq(wire_read(d.wire, &in), IO_EOF);
	end(&d);
	free(all);
}

TEST_BOTH(an_end_without_close_notify)
{
	struct span in;
	struct duo d;

	(void)open_kernels(&d, &tls_1_3, "cut");
	cr_assert_eq(shutdown(d.fd, SHUT_WR), 0);
	cr_expect_eq(duo_read(&d, &in), IO_CUT);
	cr_expect_eq(wire_read(d.wire, &in), IO_CUT);
	cr_expect_eq(wire_write(d.wire, STR("still")), IO_DONE);
	end(&d);
}

static void
skip_without_renewal(void)
{
	if (!kernel_tls_can_renew())
		cr_skip("this kernel cannot change keys");
}

TEST_BOTH(keys_that_the_peer_renews)
{
	struct duo d;
	int i;

	(void)open_kernels(&d, &tls_1_3, "update");
	skip_without_renewal();
	for (i = 0; i < 20; i++) {
		cr_assert(SSL_key_update(
		    d.ssl, i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED
				      : SSL_KEY_UPDATE_NOT_REQUESTED));
		duo_answer(&d, "update", TURNS);
	}
	end(&d);
}

TEST_BOTH(keys_that_we_renew)
{
	struct duo d;
	struct tls_wire *t = open_kernels(&d, &tls_1_3, "renewal");
	uint8_t in[RECORD_SECRET_MOST], out[RECORD_SECRET_MOST];
	int i;

	skip_without_renewal();
	t->own->update_at = 16;
	memcpy(in, t->own->in.secret, sizeof(in));
	memcpy(out, t->own->out.secret, sizeof(out));
	for (i = 0; i < 100; i++) {
		duo_answer(&d, "renewal", TURNS);
		cr_assert_leq(t->own->out.seq, 20);
		cr_assert_leq(t->own->in.seq, 20);
	}
	cr_expect_neq(memcmp(in, t->own->in.secret, 32), 0);
	cr_expect_neq(memcmp(out, t->own->out.secret, 32), 0);
	end(&d);
}

/* Then each call may have been a record for every piece. */
TEST_FAKE(renewal_by_a_kernel_that_does_not_tell)
{
	struct duo d;
	struct tls_wire *t;
	uint64_t n;
	int i;

	fake_kernel.tells = false;
	t = open_kernels(&d, &tls_1_3, "renewal");
	t->own->update_at = 16;
	for (i = 0; i < 100; i++) {
		duo_answer(&d, "renewal", TURNS);
		fake_kernel.tells = true;
		cr_assert(kernel_tls_number(d.wire->fd, &t->own->out, &n));
		cr_assert_leq(n, 17);
		fake_kernel.tells = false;
	}
	end(&d);
}

/* Our answer waits for its turn, and what is written after it for the key. */
TEST_BOTH(a_key_update_behind_unsent_bytes)
{
	char *all = make_bytes();
	size_t at = 0, got = 0;
	struct tls_wire *t;
	struct span in;
	struct duo d;
	uint8_t secret[RECORD_SECRET_MOST];
	int i;

	t = open_kernels(&d, &tls_1_3, "update");
	skip_without_renewal();
	narrow(&d);
	memcpy(secret, t->own->out.secret, sizeof(secret));
	write_until(&d, all, &at, MUCH / 2);
	cr_assert_gt(wire_unsent(d.wire), 0, "the sockets took it all");
	for (i = 0; i < 3; i++) {
		cr_assert(SSL_key_update(d.ssl, SSL_KEY_UPDATE_REQUESTED));
		cr_assert_eq(SSL_write(d.ssl, "x", 1), 1);
		cr_assert_eq(duo_read(&d, &in), IO_DONE);
		cr_expect_eq(in.len, 1);
	}
	cr_expect(tls_kernel_is_saying(t));
	cr_expect_eq(memcmp(secret, t->own->out.secret, 32), 0);
	cr_assert_eq(
	    wire_write(d.wire, (struct str){ .p = all + at, .len = 30000 }),
	    IO_DONE);
	at += 30000;
	cr_expect_gt(t->held.to, 0);
	cr_expect_eq(wire_finish(d.wire), IO_AGAIN);
	drain(&d, all, &got, at);
	cr_expect_not(tls_kernel_is_saying(t));
	cr_expect_neq(memcmp(secret, t->own->out.secret, 32), 0);
	cr_expect_eq(wire_flush(d.wire), IO_DONE);
	cr_expect_eq(wire_unsent(d.wire), 0);
	cr_expect(d.wire->is_finished);
	for (i = 0; i < TURNS; i++)
		if (duo_peer_read(&d, secret, 1) == 0)
			break;
	cr_expect_eq(SSL_get_shutdown(d.ssl), SSL_RECEIVED_SHUTDOWN);
	end(&d);
	free(all);
}

static void
expect_said(const struct duo *d, const char *words)
{
	struct str s = wire_tls_failure_text(d->wire);

	cr_expect_eq(wire_tls_failure(d->wire), TLS_FAIL_OTHER);
	cr_expect(s.len > 0 && strstr(s.p, words) != NULL, "%.*s", STR_ARG(s));
}

TEST_FAKE(an_old_kernel_cannot_follow)
{
	struct span in;
	struct duo d;
	char b[4];

	fake_kernel.renews = false;
	(void)open_kernels(&d, &tls_1_3, "old");
	cr_assert(SSL_key_update(d.ssl, SSL_KEY_UPDATE_NOT_REQUESTED));
	cr_assert_eq(SSL_write(d.ssl, "x", 1), 1);
	cr_expect_eq(duo_read(&d, &in), IO_FAIL);
	expect_said(&d, "the peer changes keys, and the kernel does not");
	expect_said(&d, "Linux 6.14");
	(void)duo_peer_read(&d, b, sizeof(b));
	cr_expect_eq(d.alert, SSL_AD_INTERNAL_ERROR);
	end(&d);
}

/* It may go to twice the number at which keys are renewed, and no further. */
TEST_FAKE(an_old_kernels_keys_wear_out)
{
	struct tls_wire *t;
	struct duo d;
	uint64_t n = 0;
	int i;

	fake_kernel.renews = false;
	t = open_kernels(&d, &tls_1_3, "old");
	t->own->update_at = 50;
	for (i = 0; i < 200; i++) {
		if (wire_write(d.wire, STR("x")) != IO_DONE)
			break;
		cr_assert(kernel_tls_number(d.wire->fd, &t->own->out, &n));
		cr_assert_leq(n, 100);
	}
	cr_expect_eq(n, 100);
	cr_expect_eq(wire_write(d.wire, STR("x")), IO_FAIL);
	expect_said(&d, "as many records as it may");
	end(&d);
}

TEST_FAKE(what_the_kernel_refuses_is_our_own)
{
	struct tls_wire *t;
	struct duo d;
	int i;

	fake_kernel.refuses_out = EINVAL;
	t = open_client(&d, &tls_1_3);
	for (i = 0; i < 5; i++)
		duo_answer(&d, "own", TURNS);
	cr_expect_not(tls_kernel_has_out(t));
	cr_expect_not(tls_kernel_has_in(t));
	cr_expect_eq(tls_engine_wires(TLS_ENGINE_OWN), 1);
	end(&d);

	fake_kernel.refuses_out = 0;
	fake_kernel.refuses_in = ENOENT;
	t = open_client(&d, &tls_1_3);
	for (i = 0; i < 5; i++) {
		cr_assert(SSL_key_update(d.ssl, SSL_KEY_UPDATE_REQUESTED));
		duo_answer(&d, "half", TURNS);
	}
	cr_expect(tls_kernel_has_out(t));
	cr_expect_not(tls_kernel_has_in(t));
	cr_expect_eq(tls_engine_wires(TLS_ENGINE_KERNEL), 1);
	end(&d);
	cr_expect_eq(tls_engine_wires(TLS_ENGINE_KERNEL), 0);
}

static struct record_key
key_of_peer(struct duo *d, struct tls_wire *t)
{
	struct record_key k = { .seq = 0 };

	if (!kernel_tls_number(d->wire->fd, &t->own->in, &k.seq))
		cr_skip("this kernel does not tell the number of a record");
	cr_assert(record_key_from_secret(
	    &k, t->own->in.suite, t->own->in.secret, true));
	return k;
}

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
	{ "user_canceled, then the end", { { 21, "\1\132", 2 }, { 21, "\1\0", 2 } },
	    IO_EOF, TLS_FAIL_NONE, -1 },
	{ "half an alert", { { 21, "\1", 1 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "two alerts in one", { { 21, "\1\132\1\0", 4 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 10 },
	{ "an empty message", { { 22, "", 0 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "an empty alert", { { 21, "", 0 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "ChangeCipherSpec", { { 20, "\1", 1 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "a heartbeat", { { 24, "\1", 1 } }, IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "empty data, then the end", { { 23, "", 0 }, { 21, "\1\0", 2 } },
	    IO_EOF, TLS_FAIL_NONE, -1 },
	{ "key update with bytes behind it", { { 22, "\30\0\0\1\0\4", 6 } },
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "key update that asks for 2", { { 22, "\30\0\0\1\2", 5 } }, IO_FAIL,
	    TLS_FAIL_OTHER, 47 },
	{ "data amid a message", { { 22, "\4\0\0\7t", 5 }, { 23, "x", 1 } },
	    IO_FAIL, TLS_FAIL_OTHER, 10 },
	{ "a late request", { { 22, "\15\0\0\3\0\0\0", 7 } }, IO_FAIL,
	    TLS_FAIL_RENEGOTIATION, 10 },
	{ "a ticket, then the end", { { 22, "\4\0\0\1t", 5 }, { 21, "\1\0", 2 } },
	    IO_EOF, TLS_FAIL_NONE, -1 },
};
/* clang-format on */

static void
try_odd(const struct odd *o)
{
	struct duo d;
	struct tls_wire *t = open_kernels(&d, &tls_1_3, o->name);
	struct record_key k = key_of_peer(&d, t);
	struct span in;
	char b[16];
	size_t i;

	for (i = 0; i < ARRAY_LEN(o->records) && o->records[i].type != 0; i++)
		send_odd(&d, &k, o->records[i].type, o->records[i].p,
		    o->records[i].n);
	record_key_fini(&k);
	cr_expect_eq(duo_read(&d, &in), o->io, "%s", o->name);
	cr_expect_eq(wire_read(d.wire, &in), o->io, "%s: again", o->name);
	cr_expect_eq(wire_tls_failure(d.wire), o->failure, "%s: %d %.*s",
	    o->name, wire_tls_failure(d.wire),
	    STR_ARG(wire_tls_failure_text(d.wire)));
	for (i = 0; i < 3; i++)
		(void)duo_peer_read(&d, b, sizeof(b));
	cr_expect_eq(d.alert, o->alert, "%s: alert %d", o->name, d.alert);
	end(&d);
}

TEST_BOTH(odd_records)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(odds); i++)
		try_odd(&odds[i]);
}

TEST_BOTH(bytes_that_are_no_records)
{
	static const struct {
		const char *name, *p;
		size_t n;
		int alert;
	} rows[] = {
		{ "forged",
		    "\x17\x03\x03\x00\x20"
		    "0123456789abcdef0123456789abcdef",
		    37, SSL_AD_BAD_RECORD_MAC },
		{ "too long", "\x17\x03\x03\xff\xff", 5,
		    SSL_AD_RECORD_OVERFLOW },
		{ "of SSL 2",
		    "\x17\x02\x00\x00\x20"
		    "0123456789abcdef0123456789abcdef",
		    37, SSL_AD_PROTOCOL_VERSION },
	};
	struct span in;
	struct duo d;
	char b[16];
	size_t i;
	int j;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		(void)open_kernels(&d, &tls_1_3, rows[i].name);
		cr_assert_eq(send(d.fd, rows[i].p, rows[i].n, 0), rows[i].n);
		cr_expect_eq(duo_read(&d, &in), IO_FAIL, "%s", rows[i].name);
		cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_OTHER);
		for (j = 0; j < 3; j++)
			(void)duo_peer_read(&d, b, sizeof(b));
		cr_expect_eq(d.alert, rows[i].alert, "%s: alert %d",
		    rows[i].name, d.alert);
		end(&d);
	}
}

/*
 * The kernel pauses behind a record that begins like a KeyUpdate; here it is
 * the middle of a ticket, and then a KeyUpdate in parts.
 */
TEST_BOTH(what_looks_like_a_key_update)
{
	struct duo d;
	struct tls_wire *t = open_kernels(&d, &tls_1_3, "looks");
	struct record_key k = key_of_peer(&d, t);
	struct span in;

	skip_without_renewal();
	send_odd(&d, &k, 22, "\4\0\0\3t", 5);
	send_odd(&d, &k, 22, "\30", 1);
	send_odd(&d, &k, 22, "t", 1);
	send_odd(&d, &k, 23, "a", 1);
	cr_assert_eq(duo_read(&d, &in), IO_DONE, "%.*s",
	    STR_ARG(wire_tls_failure_text(d.wire)));
	cr_expect_eq(in.p[0], 'a');
	send_odd(&d, &k, 22, "\30", 1);
	send_odd(&d, &k, 22, "\0\0", 2);
	send_odd(&d, &k, 22, "\1\0", 2);
	cr_assert(record_key_update(&k));
	send_odd(&d, &k, 23, "b", 1);
	cr_assert_eq(duo_read(&d, &in), IO_DONE, "%.*s",
	    STR_ARG(wire_tls_failure_text(d.wire)));
	cr_expect_eq(in.p[0], 'b');
	record_key_fini(&k);
	end(&d);
}

/* Neither alerts nor tickets may go on for ever. */
TEST_BOTH(chatter_is_capped)
{
	struct duo d;
	struct tls_wire *t = open_kernels(&d, &tls_1_3, "chatter");
	struct record_key k = key_of_peer(&d, t);
	struct span in;
	int i;

	for (i = 0; i < 40; i++)
		send_odd(&d, &k, 22, "\4\0\0\1t", 5);
	record_key_fini(&k);
	cr_expect_eq(duo_read(&d, &in), IO_FAIL);
	expect_said(&d, "without end");
	end(&d);
}

/* A socket that is not TCP stays with our own. */
Test(kernel_tls_fake, other_sockets)
{
	struct tls_spec *spec = duo_spec(world.ca, "api.example.com", NULL);
	struct duo_peer o = { .cert = world.server_cert };
	struct duo d;

	play_kernel();
	tls_records_choose(TLS_RECORDS_OWN);
	duo_init(&d);
	tls_records_choose(TLS_RECORDS_KERNEL);
	duo_peer_server(&d, &o);
	duo_connect(&d, world.clients, spec);
	tls_spec_unref(spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	duo_answer(&d, "Unix", TURNS);
	cr_expect_not(tls_kernel_has_out(d.wire->impl));
	end(&d);
}
