/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the socket to whole records.  Between calls a wire holds the ciphertext
 * of at most one unfinished record.  Thread of the wire.
 */

#include <string.h>

#include "tls/wire_tls_state.h"

/* As the plain wire. */
#define READ_MOST ((size_t)64 * 1024)
/*
 * Of bulk, an eighth less CPU; and almost half less where three buffers are one
 * (wire_tls_turn.h), each call having its price in the kernel.  With the record
 * that was begun before, as much as SCRATCH_IN has.
 */
#define READ_MUCH ((size_t)192 * 1024)
#define TURN_MUCH ((size_t)960 * 1024)
#define RECORD_MOST (16384 + 2048) /* TLS 1.2 allows this much */

static size_t
whole_records(const uint8_t *p, size_t n)
{
	size_t at = 0, len;

	while (n - at >= RECORD_HEADER) {
		len = (size_t)p[at + 3] << 8 | p[at + 4];
		/* OpenSSL is to say what is wrong with this. */
		if (len > RECORD_MOST)
			return n;
		if (n - at < RECORD_HEADER + len)
			break;
		at += RECORD_HEADER + len;
	}
	return at;
}

/* A server that speaks something else begins like this. */
static bool
is_record_type(uint8_t b)
{
	return b >= SSL3_RT_CHANGE_CIPHER_SPEC && b <= SSL3_RT_APPLICATION_DATA;
}

static enum io
check_first(struct tls_wire *t, const uint8_t *p, size_t n)
{
	char begin[21];
	size_t i;

	if (t->has_input || n == 0)
		return IO_DONE;
	t->has_input = true;
	if (is_record_type(p[0]))
		return IO_DONE;
	for (i = 0; i < n && i < sizeof(begin) - 1; i++)
		begin[i] = p[i] >= ' ' && p[i] <= '~' ? (char)p[i] : '?';
	begin[i] = '\0';
	peer_fail(&t->peer, TLS_FAIL_NOT_TLS,
	    "the peer does not speak TLS on this port; it sent \"%s\"", begin);
	return IO_FAIL;
}

/* Until the last record that has begun is whole. */
static size_t
rest_of_record(const uint8_t *p, size_t n)
{
	size_t at = whole_records(p, n);

	n -= at;
	if (n == 0)
		return 0;
	return n < RECORD_HEADER ? RECORD_HEADER - n : record_len(p + at) - n;
}

size_t
tls_wire_read_most(const struct wire *w)
{
	return wire_may_read_much(w) ? READ_MUCH : READ_MOST;
}

size_t
tls_wire_turn_most(const struct wire *w)
{
	return wire_may_read_much(w) ? TURN_MUCH : READ_MOST;
}

enum io
tls_wire_fill(struct wire *w, struct tls_wire *t, size_t most)
{
	uint8_t *in = loop_scratch(w->loop, SCRATCH_IN);
	struct str kept = wire_buf_str(&t->cipher);
	size_t got = 0, whole;
	enum io io;

	/* Behind a handshake there may be as much as was read with it. */
	if (kept.len > SCRATCH_BULK) {
		peer_fail(&t->peer, TLS_FAIL_OTHER, "too many bytes unread");
		return IO_FAIL;
	}
	if (kept.len > 0)
		memcpy(in, kept.p, kept.len);
	if (most > SCRATCH_BULK - kept.len)
		most = SCRATCH_BULK - kept.len;
	/* Where records end, the kernel can begin. */
	if (kept.len > 0 && tls_kernel_wants_in(t))
		most = rest_of_record(in, kept.len);
	io = wire_sock_read(w, in + kept.len, most, &got);
	got += kept.len;
	wire_buf_free(&t->cipher);
	if (check_first(t, in, got) == IO_FAIL)
		return IO_FAIL;
	whole = whole_records(in, got);
	t->ends.in = in;
	t->ends.in_len = whole;
	t->tail = got - whole;
	if (whole > 0)
		return IO_DONE;
	tls_wire_stash(t);
	return io;
}

void
tls_wire_stash(struct tls_wire *t)
{
	wire_buf_add(&t->cipher, (struct str){ .p = (const void *)t->ends.in,
				     .len = t->ends.in_len + t->tail });
	t->has_whole = t->ends.in_len > 0;
	t->ends.in_len = 0;
	t->tail = 0;
}
