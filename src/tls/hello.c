/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a ClientHello out of the first records of a connection.  A hello in
 * one record is read in place, one in several is put together first.  It is
 * stricter than a TLS library need be: whoever is let in by the server name
 * seen here must be seen under the same name by the library afterwards, so
 * doubled names and extensions are refused.  Pure; any thread.
 */

#include "tls/hello.h"

#include <string.h>

#include "base/reader.h"

#define RECORD_HANDSHAKE 22
#define RECORD_HEADER 5
#define RECORD_MAX 16384 /* RFC 8446, section 5.1 */
#define HANDSHAKE_HEADER 4
#define CLIENT_HELLO 1
#define EXT_SERVER_NAME 0
#define EXT_ALPN 16
#define EXT_SUPPORTED_VERSIONS 43
#define RANDOM_LEN 32
#define SESSION_ID_MAX 32

/* One record's content into *body, if all of it is there. */
static enum hello_status
next_record(struct reader *r, struct str *body)
{
	uint16_t len;

	if (reader_left(r) == 0)
		return HELLO_MORE;
	if (r->p[0] != RECORD_HANDSHAKE)
		return HELLO_BAD;
	if (reader_left(r) > 1 && r->p[1] != 3)
		return HELLO_BAD;
	if (reader_left(r) < RECORD_HEADER)
		return HELLO_MORE;
	reader_skip(r, 3);
	len = reader_u16(r);
	if (len == 0 || len > RECORD_MAX)
		return HELLO_BAD;
	/* What has come of an unfinished record tells how long the hello is. */
	*body = reader_bytes(r, len < reader_left(r) ? len : reader_left(r));
	return body->len < len ? HELLO_MORE : HELLO_OK;
}

/* Length of the message that begins with these bytes; 0: not known yet. */
static enum hello_status
message_length(struct str begin, size_t *len)
{
	struct reader r;

	*len = 0;
	if (begin.len > 0 && begin.p[0] != CLIENT_HELLO)
		return HELLO_BAD;
	if (begin.len < HANDSHAKE_HEADER)
		return HELLO_MORE;
	reader_init(&r, begin.p, begin.len);
	reader_skip(&r, 1);
	*len = HANDSHAKE_HEADER + (size_t)reader_u24(&r);
	return *len > HELLO_MAX ? HELLO_BAD : HELLO_OK;
}

/* The usual hello: whole, in one record. */
static bool
is_in_place(struct str bytes, struct str *msg)
{
	struct reader r;
	size_t len;

	reader_init(&r, bytes.p, bytes.len);
	return next_record(&r, msg) == HELLO_OK &&
	       message_length(*msg, &len) == HELLO_OK && msg->len == len;
}

/*
 * The whole message, put together in buf if need be.  A handshake record that
 * goes on after the hello is an error: nothing may follow it yet.
 */
static enum hello_status
find_message(struct str bytes, uint8_t buf[HELLO_MAX], struct str *msg)
{
	struct str body, all = { .p = (const void *)buf };
	enum hello_status record, s;
	struct reader r;
	size_t len;

	if (is_in_place(bytes, msg))
		return HELLO_OK;
	reader_init(&r, bytes.p, bytes.len);
	for (;;) {
		body = STR_NONE;
		record = next_record(&r, &body);
		if (record == HELLO_BAD || all.len + body.len > HELLO_MAX)
			return HELLO_BAD;
		if (body.len > 0)
			memcpy(buf + all.len, body.p, body.len);
		all.len += body.len;
		s = message_length(all, &len);
		if (s == HELLO_BAD || (s == HELLO_OK && all.len > len))
			return HELLO_BAD;
		if (record == HELLO_MORE)
			return HELLO_MORE;
		if (s == HELLO_OK && all.len == len) {
			*msg = all;
			return HELLO_OK;
		}
	}
}

static void
read_server_name(struct reader ext, struct hello *out)
{
	struct reader list = reader_sub(&ext, reader_u16(&ext));
	struct str name;

	/* RFC 6066: one name of each type, and there is only one type. */
	if (reader_u8(&list) != 0)
		out->sni_len = SIZE_MAX;
	name = reader_bytes(&list, reader_u16(&list));
	if (reader_is_bad(&ext) || reader_is_bad(&list) ||
	    reader_left(&ext) > 0 || reader_left(&list) > 0 || name.len == 0 ||
	    name.len >= sizeof(out->sni) || str_index(name, '\0') >= 0 ||
	    out->sni_len != 0) {
		out->sni_len = SIZE_MAX;
		return;
	}
	memcpy(out->sni, name.p, name.len);
	out->sni[name.len] = '\0';
	out->sni_len = name.len;
}

static bool
read_alpn(struct reader ext, struct hello *out)
{
	struct reader list = reader_sub(&ext, reader_u16(&ext));
	struct str id;

	if (reader_left(&list) == 0 || reader_left(&ext) > 0)
		return false;
	while (reader_left(&list) > 0 && !reader_is_bad(&list)) {
		id = reader_bytes(&list, reader_u8(&list));
		if (id.len == 0)
			return false;
		if (out->n_alpn < HELLO_ALPN_MAX)
			out->n_alpn++;
		out->has_alpn_kuma |= str_eq(id, STR("kuma"));
		out->has_alpn_h2 |= str_eq(id, STR("h2"));
		out->has_alpn_http11 |= str_eq(id, STR("http/1.1"));
	}
	return !reader_is_bad(&ext) && !reader_is_bad(&list);
}

/* Values that only test our tolerance (RFC 8701) lie outside the range. */
static bool
read_versions(struct reader ext, struct hello *out)
{
	struct reader list = reader_sub(&ext, reader_u8(&ext));
	uint16_t v;

	if (reader_left(&list) == 0 || reader_left(&ext) > 0)
		return false;
	out->version_max = 0;
	while (reader_left(&list) > 0 && !reader_is_bad(&list)) {
		v = reader_u16(&list);
		if (v >= 0x0300 && v <= 0x0304 && v > out->version_max)
			out->version_max = v;
	}
	return !reader_is_bad(&ext) && !reader_is_bad(&list);
}

static bool
read_extension(uint16_t type, struct reader ext, struct hello *out)
{
	switch (type) {
	case EXT_SERVER_NAME:
		read_server_name(ext, out);
		return out->sni_len != SIZE_MAX;
	case EXT_ALPN:
		return out->n_alpn == 0 && read_alpn(ext, out);
	case EXT_SUPPORTED_VERSIONS:
		return read_versions(ext, out);
	default:
		return true;
	}
}

static bool
read_extensions(struct reader *r, struct hello *out)
{
	struct reader exts, ext;
	uint16_t type;

	/* RFC 5246: a hello may end before them. */
	if (reader_left(r) == 0)
		return true;
	exts = reader_sub(r, reader_u16(r));
	while (reader_left(&exts) > 0 && !reader_is_bad(&exts)) {
		type = reader_u16(&exts);
		ext = reader_sub(&exts, reader_u16(&exts));
		if (reader_is_bad(&exts) || !read_extension(type, ext, out))
			return false;
	}
	return !reader_is_bad(&exts) && reader_left(r) == 0;
}

static bool
read_hello(struct str msg, struct hello *out)
{
	struct reader r;
	uint16_t suites;
	uint8_t len;

	reader_init(&r, msg.p, msg.len);
	reader_skip(&r, HANDSHAKE_HEADER);
	out->version_max = reader_u16(&r);
	/* RFC 8446, section 4.2.1: more than 1.2 is only said by extension. */
	if (out->version_max > 0x0303)
		out->version_max = 0x0303;
	reader_skip(&r, RANDOM_LEN);
	len = reader_u8(&r);
	reader_skip(&r, len);
	if (len > SESSION_ID_MAX)
		return false;
	suites = reader_u16(&r);
	reader_skip(&r, suites);
	if (suites < 2 || suites % 2 != 0)
		return false;
	len = reader_u8(&r);
	reader_skip(&r, len);
	if (len == 0 || reader_is_bad(&r))
		return false;
	return read_extensions(&r, out) && !reader_is_bad(&r);
}

enum hello_status
hello_parse(struct str bytes, struct hello *out)
{
	uint8_t buf[HELLO_MAX];
	enum hello_status s;
	struct str msg = STR_NONE;

	memset(out, 0, sizeof(*out));
	if (bytes.len > 0 && (uint8_t)bytes.p[0] != RECORD_HANDSHAKE)
		return HELLO_NOT_TLS;
	s = find_message(bytes, buf, &msg);
	if (s == HELLO_OK && !read_hello(msg, out)) {
		memset(out, 0, sizeof(*out));
		s = HELLO_BAD;
	}
	return s;
}

bool
hello_looks_like_tls(struct str bytes)
{
	/* Handshake, version 3.x; then the type of the message. */
	if (bytes.len < 3 || bytes.p[0] != RECORD_HANDSHAKE ||
	    bytes.p[1] != 3 || (uint8_t)bytes.p[2] > 4)
		return false;
	return bytes.len <= RECORD_HEADER ||
	       bytes.p[RECORD_HEADER] == CLIENT_HELLO;
}
