/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BIO between memory and a wire.  No buffer of its own: input is borrowed
 * for one call, output is in the loop's scratch until bio_send(), which must
 * come before the loop does anything else.  Own thread of the wire.
 */

#include "tls/bio.h"

#include <stdlib.h>
#include <string.h>

#include "tls/library.h"

static int
read_in(BIO *b, char *out, int most)
{
	struct bio_ends *e = BIO_get_data(b);
	size_t n = most > 0 ? (size_t)most : 0;

	BIO_clear_retry_flags(b);
	if (n > e->in_len)
		n = e->in_len;
	if (n == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	memcpy(out, e->in, n);
	e->in += n;
	e->in_len -= n;
	return (int)n;
}

enum io
bio_send(struct bio_ends *e)
{
	struct str all;
	enum io io;

	if (e->out_len > 0) {
		all.p = (const void *)loop_scratch(e->wire->loop, SCRATCH_OUT);
		all.len = e->out_len;
		e->out_len = 0;
		/* Behind close_notify nothing may follow (RFC 8446, 6.1). */
		if (e->wire->is_finishing)
			return e->sent;
		io = wire_sock_write(e->wire, &all, 1);
		if (io == IO_FAIL)
			e->sent = io;
	}
	return e->sent;
}

static int
gather_out(BIO *b, const char *p, int len)
{
	struct bio_ends *e = BIO_get_data(b);
	uint8_t *scratch = loop_scratch(e->wire->loop, SCRATCH_OUT);
	size_t part, n = len > 0 ? (size_t)len : 0;

	BIO_clear_retry_flags(b);
	while (n > 0) {
		if (e->out_len == SCRATCH_SIZE && bio_send(e) == IO_FAIL)
			return -1;
		part = SCRATCH_SIZE - e->out_len;
		if (part > n)
			part = n;
		memcpy(scratch + e->out_len, p, part);
		e->out_len += part;
		p += part;
		n -= part;
	}
	return len;
}

static long
control(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	/* Flushing is bio_send(); the end of input is ours to see. */
	return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *
bio_method_new(void)
{
	BIO_METHOD *m;

	m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
	if (m == NULL)
		return NULL;
	BIO_meth_set_read(m, read_in);
	BIO_meth_set_write(m, gather_out);
	BIO_meth_set_ctrl(m, control);
	return m;
}

BIO *
bio_new(struct bio_ends *e)
{
	BIO *b = BIO_new(library_bio_method());

	if (b == NULL)
		abort();
	BIO_set_data(b, e);
	BIO_set_init(b, 1);
	return b;
}
