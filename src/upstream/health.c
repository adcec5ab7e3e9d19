/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thresholds after Envoy: an endpoint of which nothing is known is taken for
 * good, and its first check is believed.  The messages of gRPC are those of
 * grpc.health.v1: HealthCheckRequest { string service = 1 },
 * HealthCheckResponse { enum status = 1 }.
 */

#include "upstream/health.h"

#include "base/reader.h"

#define STATUS_LEAST 100
#define STATUS_MOST 599
#define GRPC_SERVING 1

bool
health_note(
    const struct health_settings *s, struct health_count *c, bool is_good)
{
	const enum probed says = is_good ? PROBED_GOOD : PROBED_BAD;
	const unsigned most = is_good ? s->healthy : s->unhealthy;

	if (c->state == says) {
		c->against = 0;
		return false;
	}
	if (c->state != PROBED_UNKNOWN && ++c->against < most)
		return false;
	*c = (struct health_count){ .state = says };
	return true;
}

uint64_t
health_delay_ms(
    const struct health_settings *s, bool has_traffic, uint64_t dice)
{
	uint64_t ms = s->no_traffic_ms > 0 && !has_traffic ? s->no_traffic_ms
							   : s->interval_ms;
	uint64_t more = ms * s->jitter_percent / 100 + s->jitter_ms;

	return ms + dice % (more + 1);
}

static bool
parse_status(struct str text, unsigned *out)
{
	uint64_t n;

	if (!str_to_u64(text, STATUS_MOST, &n) || n < STATUS_LEAST)
		return false;
	*out = (unsigned)n;
	return true;
}

bool
health_status_parse(struct str text, unsigned *from, unsigned *to)
{
	struct str first = str_cut(&text, '-');

	if (!parse_status(first, from))
		return false;
	*to = *from;
	return text.p == NULL || (parse_status(text, to) && *from <= *to);
}

bool
health_expects(const struct health_settings *s, unsigned status)
{
	unsigned from, to;
	size_t i;

	for (i = 0; i < s->statuses.n; i++)
		if (health_status_parse(s->statuses.v[i], &from, &to) &&
		    status >= from && status <= to)
			return true;
	return false;
}

static bool
is_token(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    strchr("()<>@,;:\\\"/[]?={}", s.p[i]) != NULL)
			return false;
	return s.len > 0;
}

/* What says where a message ends, and whose it is, is for us to say. */
static bool
is_ours(struct str name)
{
	static const char *const names[] = { "host", "content-length",
		"transfer-encoding", "connection", "keep-alive",
		"proxy-connection", "te", "trailer", "upgrade", "expect",
		"content-type" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(name, str_of(names[i])))
			return true;
	return false;
}

bool
health_header_parse(struct str text, struct str *name, struct str *value)
{
	size_t i;

	*name = str_cut(&text, ':');
	if (text.p == NULL)
		return false;
	*value = str_trim(text);
	for (i = 0; i < value->len; i++)
		if ((unsigned char)value->p[i] < ' ' || value->p[i] == 127)
			return false;
	return is_token(*name) && !is_ours(*name);
}

bool
health_bytes(struct str base64, struct text *out)
{
	text_clear(out);
	return base64_decode(base64, out) && out->len <= HEALTH_TCP_MOST;
}

static const char *
find(struct str in, struct str what)
{
	if (what.len == 0)
		return in.p;
	return in.len > 0 ? memmem(in.p, in.len, what.p, what.len) : NULL;
}

bool
health_receives(const struct health_settings *s, struct str bytes)
{
	struct text expected = TEXT_EMPTY;
	bool has_all = true;
	const char *at;
	size_t i;

	for (i = 0; i < s->tcp_receive.n && has_all; i++) {
		has_all = health_bytes(s->tcp_receive.v[i], &expected);
		at = find(bytes, text_str(&expected));
		has_all = has_all && (at != NULL || expected.len == 0);
		if (has_all && expected.len > 0)
			bytes = str_from(
			    bytes, (size_t)(at - bytes.p) + expected.len);
	}
	text_free(&expected);
	return has_all;
}

static uint64_t
read_varint(struct reader *r)
{
	uint64_t n = 0;
	unsigned shift;
	uint8_t b;

	for (shift = 0; shift < 64; shift += 7) {
		b = reader_u8(r);
		n |= (uint64_t)(b & 0x7f) << shift;
		if ((b & 0x80) == 0)
			return n;
	}
	reader_fail(r);
	return 0;
}

/* The last one counts, and what we do not know is passed over. */
static uint64_t
read_status(struct reader *r)
{
	uint64_t tag, status = 0;

	while (reader_left(r) > 0 && !reader_is_bad(r)) {
		tag = read_varint(r);
		switch (tag & 7) {
		case 0:
			if (tag >> 3 == 1)
				status = read_varint(r);
			else
				(void)read_varint(r);
			break;
		case 1:
			reader_skip(r, 8);
			break;
		case 2:
			reader_skip(r, (size_t)read_varint(r));
			break;
		case 5:
			reader_skip(r, 4);
			break;
		default:
			reader_fail(r);
		}
	}
	return status;
}

bool
health_grpc_serves(struct str body)
{
	struct reader r, message;
	uint64_t status;
	uint32_t len;

	reader_init(&r, body.p, body.len);
	if (reader_u8(&r) != 0) /* compressed, which we did not ask for */
		return false;
	len = reader_u32(&r);
	message = reader_sub(&r, len);
	status = read_status(&message);
	return !reader_is_bad(&r) && !reader_is_bad(&message) &&
	       reader_left(&r) == 0 && status == GRPC_SERVING;
}

struct str
health_grpc_question(struct str name, char room[HEALTH_GRPC_QUESTION])
{
	size_t n = name.len > 0 ? name.len + 2 : 0;

	if (name.len > HEALTH_GRPC_NAME_MOST)
		return STR_NONE;
	memset(room, 0, 5);
	room[4] = (char)n;
	if (n > 0) {
		room[5] = 0x0a;
		room[6] = (char)name.len;
		memcpy(room + 7, name.p, name.len);
	}
	return (struct str){ room, 5 + n };
}
