/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a wire with records of its own makes of them.  The first byte picks a
 * suite, a role and how the rest is cut up; the rest is a script of steps: a
 * record sealed as the peer would with any type and content, raw bytes, a key
 * update, our own write or end.  After each step the wire is read, and what it
 * sends is opened with its key: good records in order, and nothing behind an
 * alert that ends.
 */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/reader.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "policy/tls_spec_seal.h"
#include "tls/client_context.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_state.h"

#define STEPS_MOST 200
#define UNSENT_MOST ((size_t)64 * 1024)
/* A record that is not whole, and what came behind the last step's end. */
#define KEPT_MOST ((size_t)96 * 1024)

static const struct {
	unsigned id;
	enum record_version version;
} suites[] = {
	{ 0x1301, RECORD_TLS_1_3 },
	{ 0x1303, RECORD_TLS_1_3 },
	{ 0xc02f, RECORD_TLS_1_2 },
	{ 0xcca8, RECORD_TLS_1_2 },
};

struct rig {
	struct loop *loop;
	struct wire *wire;
	struct tls_wire *tls;
	int fd;
	struct record_key sends; /* as the peer */
	struct record_key reads;
	bool is_server;
	bool is_over;  /* the wire said how it ended */
	bool is_quiet; /* what it sent was its last word */
	enum io end;
	struct text sealed; /* data that the peer sealed, in order */
	size_t got;         /* of that */
	struct text heard;
	struct late_cut messages;
};

/* A process' worth: what all inputs share. */
struct ground {
	struct loop *loop;
	struct tls_clients *clients;
	struct tls_spec *spec;
};

static struct ground *
ground(void)
{
	static struct ground g;
	struct digest none = { .b = { 0 } };
	struct tls_spec draft = {
		.sni = STR("a.example"),
		.min_version = TLS1_2_VERSION,
		.max_version = TLS1_3_VERSION,
	};

	if (g.loop != NULL)
		return &g;
	g.loop = loop_new();
	g.clients = tls_clients_new();
	g.spec = tls_spec_new(&draft, &none);
	return &g;
}

static void
make_keys(struct rig *r, unsigned pick)
{
	static const uint8_t secrets[2][RECORD_SECRET_MOST] = { { 1 }, { 2 } };
	static const uint8_t random[RECORD_RANDOM];
	const struct record_suite *s =
	    record_suite_find(suites[pick].id, suites[pick].version);
	struct tls_own *o = r->tls->own;
	bool is_client = !r->is_server;

	if (s->version == RECORD_TLS_1_3) {
		FUZZ_CHECK(
		    record_key_from_secret(&o->in, s, secrets[0], false) &&
		    record_key_from_secret(&r->sends, s, secrets[0], true) &&
		    record_key_from_secret(&o->out, s, secrets[1], true) &&
		    record_key_from_secret(&r->reads, s, secrets[1], false));
		return;
	}
	FUZZ_CHECK(record_keys_from_master(is_client ? &o->out : &o->in,
	    is_client ? &o->in : &o->out, s, secrets[0], random, random,
	    r->is_server));
	FUZZ_CHECK(record_keys_from_master(is_client ? &r->reads : &r->sends,
	    is_client ? &r->sends : &r->reads, s, secrets[0], random, random,
	    is_client));
}

/* No input lasts so long. */
static void
on_rest(void *arg)
{
	(void)arg;
}

/* A wire as tls_own_start() leaves it, without a handshake. */
static void
rig_init(struct rig *r, unsigned pick)
{
	struct ground *g = ground();
	struct tls_wire *t = xcalloc(1, sizeof(*t));
	struct text why = TEXT_EMPTY;
	int fds[2];

	*r = (struct rig){ .loop = g->loop, .tls = t };
	r->is_server = (pick & 4) != 0;
	FUZZ_CHECK(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == 0);
	r->fd = fds[1];
	r->wire = wire_new(r->loop, fds[0]);
	t->ends = (struct bio_ends){ .wire = r->wire, .sent = IO_DONE };
	t->end = IO_DONE;
	t->stage = TLS_OPEN;
	t->has_input = true;
	t->own = tls_own_new(r->is_server);
	t->own->is_on = true;
	timer_init(&t->own->rest, r->loop, on_rest, t);
	if ((pick & 8) != 0)
		t->own->update_at = 3;
	if (!r->is_server)
		t->peer.client = client_context_get(g->clients, g->spec, &why);
	r->wire->ops = &tls_wire_ops;
	r->wire->impl = t;
	tls_engine_add(TLS_ENGINE_OWN);
	make_keys(r, pick & 3);
}

static void
rig_fini(struct rig *r)
{
	wire_free(r->wire);
	close(r->fd);
	loop_turn(r->loop);
	record_key_fini(&r->sends);
	record_key_fini(&r->reads);
	text_free(&r->sealed);
	text_free(&r->heard);
}

static void read_all(struct rig *r);

static void
push(struct rig *r, const void *p, size_t n)
{
	if (send(r->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n)
		return;
	read_all(r);
	/* Full still: the wire has ended, and reads no more. */
	if (send(r->fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		FUZZ_CHECK(r->is_over);
}

/* Of our messages only key updates count, and each is whole. */
static void
on_our_message(struct rig *r, const uint8_t *p, size_t n)
{
	struct str bytes = { .p = (const void *)p, .len = n };
	struct late_message m;

	FUZZ_CHECK(late_message_next(&r->messages, &bytes, &m) == LATE_DONE);
	FUZZ_CHECK(bytes.len == 0 && m.type == SSL3_MT_KEY_UPDATE);
	FUZZ_CHECK(m.len == 1 && m.first <= 1);
	FUZZ_CHECK(r->reads.suite->version == RECORD_TLS_1_3);
	FUZZ_CHECK(record_key_update(&r->reads));
}

static void
on_our_record(struct rig *r, const uint8_t *p, size_t n)
{
	static uint8_t plain[RECORD_PLAIN + RECORD_OVERHEAD_MOST];
	struct record rec;

	FUZZ_CHECK(!r->is_quiet);
	FUZZ_CHECK(n <= sizeof(plain));
	FUZZ_CHECK(record_open(&r->reads, p, n, plain, &rec));
	switch (rec.type) {
	case RECORD_DATA:
		FUZZ_CHECK(rec.len > 0);
		break;
	case RECORD_HANDSHAKE:
		on_our_message(r, plain, rec.len);
		break;
	default:
		FUZZ_CHECK(rec.type == RECORD_ALERT && rec.len == 2);
		r->is_quiet = plain[0] == 2 || plain[1] == SSL_AD_CLOSE_NOTIFY;
		break;
	}
}

/* Everything that the wire sent, record by record. */
static void
hear(struct rig *r)
{
	size_t at = 0, len;
	char b[4096];
	ssize_t n;

	while ((n = recv(r->fd, b, sizeof(b), 0)) > 0)
		text_add(&r->heard, (struct str){ .p = b, .len = (size_t)n });
	while (r->heard.len - at >= RECORD_HEADER) {
		len = record_len((const void *)(r->heard.p + at));
		if (len > r->heard.len - at)
			break;
		on_our_record(r, (const void *)(r->heard.p + at), len);
		at += len;
	}
	if (at > 0)
		memmove(r->heard.p, r->heard.p + at, r->heard.len - at);
	r->heard.len -= at;
}

/* Nothing is read that was not sealed, and all in its order. */
static void
read_all(struct rig *r)
{
	struct span in;
	enum io io;

	loop_turn(r->loop);
	while ((io = wire_read(r->wire, &in)) == IO_DONE) {
		FUZZ_CHECK(!r->is_over && in.len > 0);
		FUZZ_CHECK(r->got + in.len <= r->sealed.len);
		FUZZ_CHECK(memcmp(r->sealed.p + r->got, in.p, in.len) == 0);
		r->got += in.len;
	}
	FUZZ_CHECK(!r->is_over || io == r->end);
	r->is_over = io != IO_AGAIN;
	r->end = io;
	(void)wire_flush(r->wire);
	hear(r);
	FUZZ_CHECK(r->tls->ends.out_len == 0);
	FUZZ_CHECK(wire_unsent(r->wire) <= UNSENT_MOST);
	FUZZ_CHECK(r->tls->cipher.to - r->tls->cipher.from <= KEPT_MOST);
	if (io == IO_FAIL)
		FUZZ_CHECK(wire_write(r->wire, STR("x")) == IO_FAIL);
}

static void
seal(struct rig *r, unsigned type, struct str s)
{
	static uint8_t record[RECORD_PLAIN + RECORD_OVERHEAD_MOST];
	bool is_1_3 = r->sends.suite->version == RECORD_TLS_1_3;
	struct str data = s;
	size_t len;

	/* Zeroes behind the type are padding, and so may be the type. */
	if (is_1_3 && type == 0) {
		while (data.len > 0 && data.p[data.len - 1] == 0)
			data.len--;
		if (data.len > 0)
			type = (unsigned char)data.p[--data.len];
	}
	if (type == RECORD_DATA)
		text_add(&r->sealed, data);
	if (data.len != s.len)
		type = 0;
	len = record_seal(&r->sends, (enum record_type)type, (const void *)s.p,
	    s.len, record);
	FUZZ_CHECK(len > 0);
	push(r, record, len);
}

static void
write_some(struct rig *r, size_t n)
{
	static const char b[4096];
	struct str v[3] = { { .p = b, .len = n }, { .p = b, .len = n / 2 },
		{ .p = b, .len = n % 7 } };

	(void)wire_writev(r->wire, v, ARRAY_LEN(v));
	hear(r);
}

/* False: the script ends. */
static bool
step(struct rig *r, struct reader *script)
{
	uint8_t what = reader_u8(script), n = reader_u8(script);
	unsigned type = RECORD_DATA;
	struct str s;

	if (reader_is_bad(script))
		return false;
	switch (what % 8) {
	case 0:
		write_some(r, (size_t)n * 16);
		return true;
	case 1:
		(void)wire_finish(r->wire);
		return true;
	case 2:
		if (r->sends.suite->version == RECORD_TLS_1_3)
			FUZZ_CHECK(record_key_update(&r->sends));
		return true;
	case 3:
		type = reader_u8(script);
		break;
	case 4:
		type = RECORD_HANDSHAKE;
		break;
	case 5:
		type = RECORD_ALERT;
		break;
	default:
		break;
	}
	if (n > reader_left(script))
		n = (uint8_t)reader_left(script);
	s = reader_bytes(script, n);
	if (what % 8 == 7)
		push(r, s.p, s.len);
	else
		seal(r, type, s);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader script;
	struct rig r;
	int steps = 0;
	bool is_each;

	if (n == 0)
		return 0;
	rig_init(&r, data[0] & 15);
	/* Records in one read, or one by one. */
	is_each = (data[0] & 16) != 0;
	reader_init(&script, data + 1, n - 1);
	while (steps++ < STEPS_MOST && step(&r, &script))
		if (is_each)
			read_all(&r);
	read_all(&r);
	shutdown(r.fd, SHUT_WR);
	read_all(&r);
	FUZZ_CHECK(r.end != IO_AGAIN);
	rig_fini(&r);
	return 0;
}
