/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */

#include "differential/records_script.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define OPS_MOST 6
#define WRITE_MOST 40000
#define MESSAGE_MOST 256
#define RECORDS_MOST 256

/* Small ones, those about a record's size, and large ones. */
static size_t
draw_len(struct dice *d)
{
	static const size_t most[] = { 3, 200, 1500, 16385, WRITE_MOST };
	size_t which = dice_below(d, 12);

	if (which == 11)
		return 16383 + dice_below(d, 3);
	return 1 + dice_below(d, most[which < 8 ? which / 3 : which - 6]);
}

static void
fill(struct dice *d, char *p, size_t n)
{
	uint64_t r = dice_u64(d);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (char)(r >> (i % 53));
}

static void
set_shape(struct pair *p, struct dice *d)
{
	static const size_t blocks[] = { 1, 16, 512, 4096 };

	if (p->kind != 0 && dice_one_in(d, 3))
		SSL_set_max_send_fragment(
		    p->peer, 512 + (long)dice_below(d, 15872));
	/* Short and padded too is more than OpenSSL makes. */
	if (pair_is_1_3(p) && p->kind == 0)
		SSL_set_block_padding(p->peer, blocks[dice_below(d, 4)]);
}

static void
fail(const char *what)
{
	fprintf(stderr, "records: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

static void
write_some(struct pair *p, struct dice *d)
{
	static char b[WRITE_MOST + 1];
	size_t n = draw_len(d);

	if (n > sizeof(b))
		n = sizeof(b);
	fill(d, b, n);
	ERR_clear_error();
	if (SSL_write(p->peer, b, (int)n) != (int)n)
		fail("OpenSSL cannot write");
}

static void
update(struct pair *p, struct dice *d)
{
	int type = dice_one_in(d, 2) ? SSL_KEY_UPDATE_REQUESTED
				     : SSL_KEY_UPDATE_NOT_REQUESTED;

	ERR_clear_error();
	if (SSL_key_update(p->peer, type) != 1 ||
	    SSL_do_handshake(p->peer) != 1)
		fail("OpenSSL cannot change its keys");
}

static void
send_ticket(struct pair *p)
{
	ERR_clear_error();
	if (SSL_new_session_ticket(p->peer) != 1 ||
	    SSL_do_handshake(p->peer) != 1)
		fail("OpenSSL cannot make a ticket");
}

void
script_honest(struct pair *p, struct dice *d)
{
	size_t i, n = 1 + dice_below(d, OPS_MOST);

	set_shape(p, d);
	for (i = 0; i < n; i++) {
		if (pair_is_1_3(p) && dice_one_in(d, 5))
			update(p, d);
		else if (pair_is_1_3(p) && !p->is_server && dice_one_in(d, 20))
			send_ticket(p);
		else
			write_some(p, d);
		pair_collect(p);
	}
	if (dice_one_in(d, 6))
		(void)SSL_shutdown(p->peer);
	ERR_clear_error();
	pair_collect(p);
}

/* One record of TLS 1.3 may have zeroes behind its type. */
static void
forge(
    struct pair *p, struct dice *d, unsigned type, const void *bytes, size_t n)
{
	static uint8_t in[RECORD_PLAIN];
	static uint8_t record[RECORD_PLAIN + RECORD_OVERHEAD_MOST];
	size_t len, zeroes = 0;

	if (n > RECORD_PLAIN)
		n = RECORD_PLAIN;
	memcpy(in, bytes, n);
	if (pair_is_1_3(p) && n < RECORD_PLAIN && dice_one_in(d, 4)) {
		zeroes = 1 + dice_below(d, RECORD_PLAIN - n);
		if (zeroes > 100 && !dice_one_in(d, 8))
			zeroes %= 100;
		in[n++] = (uint8_t)type;
		memset(in + n, 0, zeroes - (zeroes > 0));
		n += zeroes - (zeroes > 0);
		type = 0;
	}
	len = record_seal(&p->forging, (enum record_type)type, in, n, record);
	if (len == 0)
		fail("a record cannot be forged");
	text_add(&p->on_the_way,
	    (struct str){ .p = (const void *)record, .len = len });
}

static void
forge_data(struct pair *p, struct dice *d)
{
	static char b[RECORD_PLAIN];
	size_t n = dice_one_in(d, 6) ? 0 : draw_len(d);

	if (n > sizeof(b))
		n = sizeof(b);
	fill(d, b, n);
	forge(p, d, RECORD_DATA, b, n);
}

static void
forge_alert(struct pair *p, struct dice *d)
{
	static const uint8_t known[] = { 0, 0, 0, 10, 20, 22, 40, 42, 47, 50,
		70, 80, 90, 90, 100, 109, 112, 116, 120, 255 };
	uint8_t b[4];

	b[0] = (uint8_t)(dice_one_in(d, 12) ? dice_below(d, 256)
					    : 1 + dice_below(d, 2));
	b[1] = dice_one_in(d, 8) ? (uint8_t)dice_below(d, 256)
				 : known[dice_below(d, sizeof(known))];
	if (b[1] == SSL_AD_CLOSE_NOTIFY && pair_is_1_3(p))
		b[0] = 1;
	b[2] = (uint8_t)dice_below(d, 3);
	b[3] = (uint8_t)dice_below(d, 120);
	forge(p, d, RECORD_ALERT, b, dice_one_in(d, 6) ? dice_below(d, 5) : 2);
}

/* clang-format off */
static const struct message {
	const char *p;
	size_t n;
} messages[] = {
	{ "\30\0\0\1\0", 5 },                                /* KeyUpdate */
	{ "\30\0\0\1\0", 5 },
	{ "\30\0\0\1\1", 5 },
	{ "\30\0\0\1\1", 5 },
	{ "\30\0\0\1\2", 5 },
	{ "\30\0\0\2\0\0", 6 },
	{ "\30\0\0\2\1\1", 6 },
	{ "\1\0\0\6\3\3\0\0\0\0", 10 },                      /* ClientHello */
	{ "\2\0\0\2\3\3", 6 },                               /* ServerHello */
	{ "\4\0\0\22\0\0\1\0\0\0\0\7\2\0\1\0\3abc\0\0", 22 }, /* a ticket */
	{ "\4\0\0\22\0\0\1\0\0\0\0\7\2\0\2\0\3xyz\0\0", 22 },
	{ "\15\0\0\3\0\0\0", 7 },                            /* a request */
	{ "\13\0\0\4\0\0\0\0", 8 },                          /* Certificate */
	{ "\24\0\0\4abcd", 8 },                              /* Finished */
	{ "\376\0\0\1x", 5 },
};
/* clang-format on */
static const struct message hello_request = { "\0\0\0\0", 4 };

/*
 * Not drawn, because OpenSSL is lenient where TLS is not, or lost where it
 * need not be: in TLS 1.3 a HelloRequest (ignored), other messages without a
 * body (noticed at the next record), and close_notify as a fatal alert (no end
 * to SSL_get_error()); in TLS 1.2 an empty record of handshake (ignored) and a
 * ClientHello in parts (the second is taken for another).
 */
static const struct message *
draw_message(struct pair *p, struct dice *d)
{
	/* Most of them ought to be nothing special. */
	if (pair_is_1_3(p) && dice_one_in(d, 2))
		return &messages[dice_below(d, 4)];
	if (!pair_is_1_3(p) && dice_one_in(d, 6))
		return &hello_request;
	return &messages[dice_below(d, ARRAY_LEN(messages))];
}

static bool
is_key_update(const struct message *m)
{
	return m->p[0] == SSL3_MT_KEY_UPDATE;
}

/* One or two messages, in one record or several. */
static void
forge_messages(struct pair *p, struct dice *d)
{
	const struct message *m = draw_message(p, d);
	bool is_hello = m->p[0] == SSL3_MT_CLIENT_HELLO && !pair_is_1_3(p);
	char b[MESSAGE_MOST];
	size_t n = m->n, at = 0, part;

	memcpy(b, m->p, n);
	if (!is_hello && dice_one_in(d, 12)) {
		m = &messages[dice_below(d, 4)];
		memcpy(b + n, m->p, m->n);
		n += m->n;
	}
	if (!is_hello && dice_one_in(d, 30))
		n -= dice_below(d, n);
	while (at < n) {
		part = n - at;
		if (!is_hello && dice_one_in(d, 3))
			part = 1 + dice_below(d, part);
		forge(p, d, RECORD_HANDSHAKE, b + at, part);
		at += part;
		if (at < n && dice_one_in(d, 12))
			forge_data(p, d);
	}
	if (pair_is_1_3(p) && is_key_update(m) &&
	    !record_key_update(&p->forging))
		fail("the forger cannot change its keys");
}

static void
forge_odd(struct pair *p, struct dice *d)
{
	static const unsigned types[] = { 20, 22, 24, 0, 255, 21 };
	unsigned type = types[dice_below(d, ARRAY_LEN(types))];
	size_t n = dice_below(d, 3);
	char b[8];

	fill(d, b, sizeof(b));
	if (type == RECORD_HANDSHAKE && !pair_is_1_3(p))
		n++;
	forge(p, d, type, b, n);
}

void
script_forged(struct pair *p, struct dice *d)
{
	size_t i, n = 1 + dice_below(d, OPS_MOST);

	pair_forge(p);
	for (i = 0; i < n; i++) {
		switch (dice_below(d, 16)) {
		case 0:
			forge_odd(p, d);
			break;
		case 1:
		case 2:
			forge_alert(p, d);
			break;
		case 3:
		case 4:
		case 5:
		case 6:
			forge_messages(p, d);
			break;
		default:
			forge_data(p, d);
			break;
		}
	}
}

/* Where the records of a stream begin. */
struct layout {
	size_t at[RECORDS_MOST + 1];
	size_t n;
};

static void
lay_out(struct str s, struct layout *l)
{
	size_t at = 0;

	for (l->n = 0; l->n < RECORDS_MOST && at < s.len; l->n++) {
		l->at[l->n] = at;
		at += record_len((const void *)(s.p + at));
	}
	l->at[l->n] = at;
}

static void
add_part(struct text *out, struct str s, size_t from, size_t to)
{
	text_add(out, str_first(str_from(s, from), to - from));
}

/* A record is lost, comes twice, or changes its place with the next one. */
static void
shuffle(struct str s, struct text *out, struct dice *d)
{
	struct layout l;
	size_t i;

	lay_out(s, &l);
	i = dice_below(d, l.n);
	add_part(out, s, 0, l.at[i]);
	switch (dice_below(d, 3)) {
	case 0:
		add_part(out, s, l.at[i + 1], s.len);
		return;
	case 1:
		add_part(out, s, l.at[i], l.at[i + 1]);
		add_part(out, s, l.at[i], s.len);
		return;
	default:
		break;
	}
	if (i + 1 == l.n) {
		add_part(out, s, l.at[i], s.len);
		return;
	}
	add_part(out, s, l.at[i + 1], l.at[i + 2]);
	add_part(out, s, l.at[i], l.at[i + 1]);
	add_part(out, s, l.at[i + 2], s.len);
}

/* Somewhere in a header of one of the records. */
static void
spoil_header(struct text *t, struct dice *d)
{
	struct layout l;
	size_t i;

	lay_out(text_str(t), &l);
	i = l.at[dice_below(d, l.n)] + dice_below(d, RECORD_HEADER);
	t->p[i] = (char)(t->p[i] ^ (1 << dice_below(d, 8)));
	if (dice_one_in(d, 2))
		t->p[i] = (char)dice_below(d, 256);
}

static void
insert(struct str s, struct text *out, struct dice *d)
{
	static const char *const junk[] = { "\x15\x03\x03\0\2\1\0",
		"\x14\x03\x03\0\1\1", "\x17\x03\x03\0\0\0", "\x16\x03\x01\2\0",
		"GET / HTTP/1.1\r\n\r\n" };
	static const size_t lens[] = { 7, 6, 5, 5, 18 };
	size_t which = dice_below(d, 5);
	struct layout l;
	size_t at;

	lay_out(s, &l);
	at = l.at[dice_below(d, l.n + 1)];
	add_part(out, s, 0, at);
	text_add(out, (struct str){ .p = junk[which], .len = lens[which] });
	add_part(out, s, at, s.len);
}

void
script_change(struct pair *p, struct dice *d)
{
	struct text from = p->on_the_way;
	struct str s = text_str(&from);
	size_t at, to;

	if (s.len == 0)
		return;
	switch (dice_below(d, 8)) {
	case 0:
	case 1:
		from.p[dice_below(d, s.len)] ^= (char)(1 << dice_below(d, 8));
		return;
	case 2:
		spoil_header(&from, d);
		return;
	case 3:
		p->on_the_way.len = dice_below(d, s.len);
		return;
	default:
		break;
	}
	p->on_the_way = TEXT_EMPTY;
	switch (dice_below(d, 4)) {
	case 0:
		at = dice_below(d, s.len);
		to = at + 1 + dice_below(d, 40);
		add_part(&p->on_the_way, s, 0, at);
		add_part(&p->on_the_way, s, to < s.len ? to : s.len, s.len);
		break;
	case 1:
		insert(s, &p->on_the_way, d);
		break;
	default:
		shuffle(s, &p->on_the_way, d);
		break;
	}
	text_free(&from);
}
