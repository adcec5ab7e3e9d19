/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes through two of our TLS wires, a mesh caller and an egress, on one
 * loop: how a stream ends, how much is held, and that nothing is lost when
 * sockets take little.
 */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/xalloc.h"
#include "tls/hello.h"
#include "unit/tls/tls_duo.h"

#define SNI "es-tls{mesh=default}"
#define EGRESS "spiffe://default/zone-egress"
#define TURNS 200000

static struct pki *ca, *caller;
static struct mesh_spec *mesh;
static struct tls_identities *set;
static struct loop *loop;
static struct wire *client, *server;
/* What the client says together with the end of its handshake. */
static struct str early;

static void
open_wires(int buffer)
{
	int fds[2], i;

	cr_assert_eq(socketpair(AF_UNIX,
			 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	for (i = 0; i < 2 && buffer > 0; i++) {
		setsockopt(
		    fds[i], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
		setsockopt(
		    fds[i], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	}
	client = wire_new(loop, fds[0]);
	server = wire_new(loop, fds[1]);
}

static void
setup(void)
{
	ca = pki_mesh_ca("default");
	caller = pki_sidecar(ca, "default", "client", NULL);
	mesh = duo_mesh("default", ca, NULL);
	set = duo_set(mesh, NULL);
	loop = loop_new();
}

static void
teardown(void)
{
	wire_free(client);
	wire_free(server);
	loop_free(loop);
	tls_identities_unref(set);
	mesh_spec_unref(mesh);
	pki_free(ca);
	pki_free(caller);
}

TestSuite(wire_tls_io, .init = setup, .fini = teardown);

static bool
start_client(const char *expect)
{
	struct text why = TEXT_EMPTY;
	bool is_ok;

	is_ok = wire_tls_connect_mesh(client, STR(SNI), str_of(ca->cert_pem),
	    str_of(caller->cert_pem), str_of(caller->key_pem), str_of(expect),
	    &why);
	text_free(&why);
	return is_ok;
}

/* Peeks as the daemon does, then both handshakes. */
static void
shake(enum io *c, enum io *s)
{
	struct hello h;
	struct str seen;
	bool is_accepted = false;
	int i;

	*c = *s = IO_AGAIN;
	for (i = 0; i < TURNS && (*c == IO_AGAIN || *s == IO_AGAIN); i++) {
		loop_turn(loop);
		if (*c == IO_AGAIN)
			*c = wire_tls_handshake(client);
		if (*c == IO_DONE && early.len > 0) {
			cr_assert_eq(wire_write(client, early), IO_DONE);
			early = STR_NONE;
		}
		if (!is_accepted) {
			if (wire_peek(server, HELLO_MAX, &seen) != IO_DONE ||
			    hello_parse(seen, &h) != HELLO_OK)
				continue;
			cr_expect_str_eq(h.sni, SNI);
			cr_expect(h.has_alpn_kuma);
			wire_tls_accept(server, set,
			    tls_identities_find(set, STR("default")),
			    TLS_ALPN_HTTP11,
			    (struct str){ .p = h.sni, .len = h.sni_len });
			is_accepted = true;
		}
		if (*s == IO_AGAIN)
			*s = wire_tls_handshake(server);
	}
}

static void
connect_both(int buffer)
{
	enum io c, s;

	open_wires(buffer);
	cr_assert(start_client(EGRESS));
	shake(&c, &s);
	cr_assert_eq(
	    c, IO_DONE, "%.*s", STR_ARG(wire_tls_failure_text(client)));
	cr_assert_eq(s, IO_DONE);
}

static enum io
read_wire(struct wire *w, struct span *out)
{
	enum io io = IO_AGAIN;
	int i;

	for (i = 0; i < 100 && io == IO_AGAIN; i++) {
		loop_turn(loop);
		io = wire_read(w, out);
	}
	return io;
}

/* A caller need not wait for anything of ours, and has much to say. */
Test(wire_tls_io, bytes_behind_a_handshake)
{
	size_t n = (size_t)1024 * 1024, got = 0, i;
	char *all = xmalloc(n);
	struct span in;

	for (i = 0; i < n; i++)
		all[i] = (char)(i >> 8 ^ i);
	early = (struct str){ .p = all, .len = n };
	connect_both(1024 * 1024);
	for (i = 0; i < TURNS && got < n; i++) {
		loop_turn(loop);
		cr_assert_neq(wire_flush(client), IO_FAIL);
		if (wire_read(server, &in) != IO_DONE)
			continue;
		cr_assert_leq(got + in.len, n);
		cr_expect_eq(memcmp(in.p, all + got, in.len), 0);
		got += in.len;
	}
	cr_expect_eq(got, n, "%zu bytes, %.*s", got,
	    STR_ARG(wire_tls_failure_text(server)));
	free(all);
}

Test(wire_tls_io, a_mesh_caller_knows_its_egress)
{
	enum io c, s;

	connect_both(0);
	cr_expect(str_eq(wire_tls_identity(server)->service, STR("client")));
	wire_free(client);
	wire_free(server);
	open_wires(0);
	cr_assert(start_client("spiffe://default/somebody-else"));
	shake(&c, &s);
	cr_expect_eq(c, IO_FAIL);
	cr_expect_eq(wire_tls_failure(client), TLS_FAIL_NAME);
	cr_expect(strstr(wire_tls_failure_text(client).p,
		      "expected spiffe://default/somebody-else; the "
		      "certificate has URI " EGRESS) != NULL,
	    "%s", wire_tls_failure_text(client).p);
}

Test(wire_tls_io, an_orderly_end)
{
	struct span in;

	connect_both(0);
	cr_expect_eq(wire_write(client, STR("request")), IO_DONE);
	cr_expect_eq(wire_finish(client), IO_DONE);
	cr_expect_eq(wire_write(client, STR("more")), IO_FAIL);
	cr_assert_eq(read_wire(server, &in), IO_DONE);
	cr_expect_eq(in.len, 7);
	cr_expect_eq(memcmp(in.p, "request", 7), 0);
	cr_expect(in.room_before >= 5, "room for a record's header");
	cr_expect_eq(read_wire(server, &in), IO_EOF);
	cr_expect_eq(wire_read(server, &in), IO_EOF, "and again");
	/* The other direction is open still. */
	cr_expect_eq(wire_write(server, STR("answer")), IO_DONE);
	cr_expect_eq(wire_finish(server), IO_DONE);
	cr_assert_eq(read_wire(client, &in), IO_DONE);
	cr_expect_eq(in.len, 6);
	cr_expect_eq(read_wire(client, &in), IO_EOF);
}

static void
count(void *arg)
{
	(*(unsigned *)arg)++;
}

/* Then nobody asks OpenSSL, nor the socket, before an event. */
Test(wire_tls_io, a_wire_without_a_whole_record_is_dry)
{
	struct span in;
	unsigned told = 0;

	connect_both(0);
	wire_set_owner(server, count, &told);
	loop_turn(loop);
	cr_expect_eq(wire_write(client, STR("request")), IO_DONE);
	cr_assert_eq(read_wire(server, &in), IO_DONE);
	cr_expect(server->is_dry);
	told = 0;
	wire_keep(server, (struct str){ (const char *)in.p, in.len });
	loop_turn(loop);
	cr_expect_eq(told, 0, "nothing more is there for who waits");
	cr_expect_eq(wire_write(client, STR(", and more")), IO_DONE);
	loop_turn(loop);
	cr_expect_eq(told, 1);
	cr_expect_not(server->is_dry);
	cr_assert_eq(read_wire(server, &in), IO_DONE);
	cr_expect_eq(in.len, STR("request, and more").len);
	cr_expect(server->is_dry);
	/* What a failed write leaves behind is read all the same. */
	wire_reset(client);
	client = NULL;
	(void)wire_write(server, STR("x"));
	cr_expect_eq(read_wire(server, &in), IO_FAIL);
}

Test(wire_tls_io, a_cut)
{
	struct span in;

	connect_both(0);
	cr_expect_eq(wire_write(client, STR("half")), IO_DONE);
	shutdown(client->fd, SHUT_WR);
	cr_assert_eq(read_wire(server, &in), IO_DONE);
	cr_expect_eq(in.len, 4);
	cr_expect_eq(read_wire(server, &in), IO_CUT);
	cr_expect_eq(wire_read(server, &in), IO_CUT, "and again");
	cr_expect_eq(wire_tls_failure(server), TLS_FAIL_NONE);
}

Test(wire_tls_io, closing_is_polite)
{
	struct span in;

	connect_both(0);
	wire_free(client);
	client = NULL;
	cr_expect_eq(read_wire(server, &in), IO_EOF);
}

Test(wire_tls_io, garbage_is_no_cut)
{
	static const char junk[] = "\x17\x03\x03\x00\x14garbage garbage gar...";
	struct span in;

	connect_both(0);
	cr_expect_gt(send(client->fd, junk, 25, 0), 0);
	cr_expect_eq(read_wire(server, &in), IO_FAIL);
	cr_expect_eq(wire_read(server, &in), IO_FAIL);
	cr_expect_eq(wire_tls_failure(server), TLS_FAIL_OTHER);
	cr_expect_eq(read_wire(client, &in), IO_FAIL);
	cr_expect(
	    strstr(wire_tls_failure_text(client).p, "bad_record_mac") != NULL,
	    "%s", wire_tls_failure_text(client).p);
}

Test(wire_tls_io, small_pieces_make_one_record)
{
	const struct str pieces[] = { STR("HTTP/1.1 200 OK\r\n"),
		STR("content-length: 2\r\n"), STR("\r\n"), STR("ok") };
	struct text all = TEXT_EMPTY;
	uint64_t before;
	struct span in;
	size_t i;

	connect_both(0);
	before = client->bytes_out;
	cr_expect_eq(wire_writev(client, pieces, ARRAY_LEN(pieces)), IO_DONE);
	for (i = 0; i < ARRAY_LEN(pieces); i++)
		text_add(&all, pieces[i]);
	/* Header, tag, and in TLS 1.3 the inner type. */
	cr_expect_eq(client->bytes_out - before, all.len + 5 + 16 + 1);
	cr_assert_eq(read_wire(server, &in), IO_DONE);
	cr_expect_eq(in.len, all.len);
	cr_expect_eq(memcmp(in.p, all.p, all.len), 0);
	text_free(&all);
}

Test(wire_tls_io, what_is_kept_comes_again)
{
	struct span in;

	connect_both(0);
	cr_expect_eq(wire_write(client, STR("GET / HT")), IO_DONE);
	cr_assert_eq(read_wire(server, &in), IO_DONE);
	wire_keep(
	    server, (struct str){ .p = (const void *)in.p, .len = in.len });
	cr_expect_eq(wire_write(client, STR("TP/1.1")), IO_DONE);
	do
		cr_assert_eq(read_wire(server, &in), IO_DONE);
	while (in.len < 14 &&
	       (wire_keep(server,
		    (struct str){ .p = (const void *)in.p, .len = in.len }),
		   true));
	cr_expect_eq(memcmp(in.p, "GET / HTTP/1.1", 14), 0);
}

Test(wire_tls_io, an_idle_wire_holds_no_buffer)
{
	struct span in;

	connect_both(0);
	cr_expect_eq(wire_write(client, STR("x")), IO_DONE);
	cr_assert_eq(read_wire(server, &in), IO_DONE);
	cr_expect_eq(read_wire(server, &in), IO_AGAIN);
	cr_expect_null(server->in.p);
	cr_expect_null(server->out.p);
}

/* One direction of a transfer whose bytes are told by their position. */
struct flow {
	struct wire *from, *to;
	uint64_t sent, got;
	bool is_over;
};

#define TOTAL ((uint64_t)4 * 1024 * 1024 + 12345)

static uint8_t
byte_at(uint64_t i)
{
	return (uint8_t)((i * 2654435761U) >> 11);
}

static void
send_some(struct flow *f, size_t chunk)
{
	uint8_t b[40000];
	size_t i, n;

	while (f->sent < TOTAL && wire_unsent(f->from) == 0) {
		n = chunk;
		if (n > TOTAL - f->sent)
			n = (size_t)(TOTAL - f->sent);
		for (i = 0; i < n; i++)
			b[i] = byte_at(f->sent + i);
		cr_assert_eq(
		    wire_write(f->from,
			(struct str){ .p = (const void *)b, .len = n }),
		    IO_DONE);
		f->sent += n;
		if (f->sent == TOTAL)
			(void)wire_finish(f->from);
	}
	(void)wire_flush(f->from);
}

static void
receive_some(struct flow *f)
{
	struct span in;
	enum io io;
	size_t i;

	while ((io = wire_read(f->to, &in)) == IO_DONE) {
		for (i = 0; i < in.len; i++, f->got++)
			if (in.p[i] != byte_at(f->got))
				cr_assert_fail("byte %llu differs",
				    (unsigned long long)f->got);
	}
	if (io == IO_EOF)
		f->is_over = true;
	else
		cr_assert_eq(io, IO_AGAIN);
}

static void
transfer(int buffer, size_t chunk)
{
	struct flow up = { .from = NULL }, down = { .from = NULL };
	int i;

	connect_both(buffer);
	up = (struct flow){ .from = client, .to = server };
	down = (struct flow){ .from = server, .to = client };
	for (i = 0; i < TURNS && !(up.is_over && down.is_over); i++) {
		loop_turn(loop);
		send_some(&up, chunk);
		send_some(&down, chunk);
		receive_some(&up);
		receive_some(&down);
	}
	cr_expect_eq(up.got, TOTAL);
	cr_expect_eq(down.got, TOTAL);
	cr_expect(up.is_over && down.is_over);
}

Test(wire_tls_io, both_ways_through_tiny_sockets)
{
	transfer(2048, 40000);
}

Test(wire_tls_io, both_ways_through_large_sockets_in_odd_pieces)
{
	transfer(0, 16385);
}

Test(wire_tls_io, a_record_at_a_time_byte_by_byte)
{
	uint8_t record[512];
	struct span in;
	size_t n, i;
	int fds[2];
	ssize_t r;

	connect_both(0);
	/* Catch a record on its way, and deliver it in drops. */
	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	cr_assert_eq(wire_write(client, STR("drip drip")), IO_DONE);
	r = recv(server->fd, record, sizeof(record), 0);
	cr_assert_gt(r, 0);
	n = (size_t)r;
	for (i = 0; i < n - 1; i++) {
		cr_assert_eq(send(client->fd, record + i, 1, 0), 1);
		loop_turn(loop);
		cr_expect_eq(wire_read(server, &in), IO_AGAIN);
	}
	cr_assert_eq(send(client->fd, record + i, 1, 0), 1);
	cr_assert_eq(read_wire(server, &in), IO_DONE);
	cr_expect_eq(in.len, 9);
}
