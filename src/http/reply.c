/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local answers, over any kind of stream, to gRPC in its own way.  Which status
 * and which words is the caller's business.
 */

#include "http/reply.h"

#include <stdio.h>

/* Our own sentences are shorter. */
#define GRPC_MESSAGE_MOST 512

/* RFC 9110, section 15; what a gateway has occasion to say. */
static const struct {
	uint16_t status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 204, "No Content" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 421, "Misdirected Request" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
reply_reason(uint16_t status)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

/* What frames the message is the writer's business, not the fields'. */
static bool
is_framing(struct str name)
{
	enum field_id id = field_id_of(name);

	return name.len == 0 || name.p[0] == ':' ||
	       id == FIELD_CONTENT_LENGTH ||
	       (id != FIELD_OTHER && field_is_hop_by_hop(id));
}

/* What gRPC reads, and nobody may say otherwise. */
static bool
is_of_grpc(struct str name)
{
	return str_eq_nocase(name, STR("content-type")) ||
	       str_eq_nocase(name, STR("grpc-status")) ||
	       str_eq_nocase(name, STR("grpc-message"));
}

static void
add_fields(struct head *h, const struct reply *r, bool is_grpc)
{
	size_t i;

	for (i = 0; i < r->n_fields && i < REPLY_FIELDS_MOST; i++) {
		const struct reply_field *f = &r->fields[i];

		if (is_framing(f->name) || (is_grpc && is_of_grpc(f->name)))
			continue;
		if (!f->is_added)
			head_remove_name(h, f->name);
		head_add(h, f->name, f->value);
	}
}

/* RFC 9110, section 6.4.1. */
static bool
may_have_body(uint16_t status)
{
	return status != 204 && status != 304;
}

void
reply_push(struct stream *s, const struct reply *r)
{
	bool may = may_have_body(r->status);
	struct str body = may ? r->body : STR_NONE;
	struct head h;

	head_init(&h);
	h.status = r->status;
	h.reason = str_of(reply_reason(r->status));
	h.body = may ? BODY_LENGTH : BODY_NONE;
	h.content_length = body.len;
	h.has_length = may;
	h.is_head_request = r->is_head;
	h.wants_close = r->says_close;
	if (body.len > 0)
		head_add(&h, STR("content-type"), STR("text/plain"));
	add_fields(&h, r, false);
	s->ops->push_head(s, &h, r->is_head || body.len == 0);
	if (!r->is_head && body.len > 0) {
		s->ops->push_body(s, body);
		s->ops->push_end(s, NULL);
	}
	s->ops->flush(s);
}

bool
reply_is_for_grpc(const struct head *request)
{
	struct str type = head_get(request, FIELD_CONTENT_TYPE);
	const struct str grpc = STR("application/grpc");
	struct str rest = str_from(type, grpc.len);

	if (!str_eq_nocase(str_first(type, grpc.len), grpc))
		return false;
	return rest.len == 0 || rest.p[0] == '+' || rest.p[0] == ';' ||
	       rest.p[0] == ' ' || rest.p[0] == '\t';
}

/*
 * As clients of gRPC map the statuses of proxies, but for those of which we
 * know more: a 504 is a deadline that was ours, and of what is too large there
 * is no use in trying again.
 */
unsigned
reply_grpc_status(uint16_t status)
{
	switch (status) {
	case 400:
	case 500:
		return 13; /* INTERNAL */
	case 401:
		return 16; /* UNAUTHENTICATED */
	case 403:
		return 7; /* PERMISSION_DENIED */
	case 404:
	case 501:
		return 12; /* UNIMPLEMENTED */
	case 504:
		return 4; /* DEADLINE_EXCEEDED */
	case 413:
	case 431:
		return 8; /* RESOURCE_EXHAUSTED */
	case 429:
	case 502:
	case 503:
		return 14; /* UNAVAILABLE */
	default:
		return 2; /* UNKNOWN */
	}
}

/*
 * Percent-encoded: all but printable ASCII, and the percent sign itself.  What
 * does not fit is left out.
 */
static struct str
encode_message(struct str message, char *out, size_t cap)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char c;
	size_t i, n = 0;

	for (i = 0; i < message.len && cap - n >= 3; i++) {
		c = (unsigned char)message.p[i];
		if (c >= 0x20 && c < 0x7f && c != '%') {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return (struct str){ out, n };
}

void
reply_push_grpc(struct stream *s, const struct reply *r)
{
	char code[8], encoded[GRPC_MESSAGE_MOST];
	struct head h;

	head_init(&h);
	h.status = 200;
	h.reason = str_of(reply_reason(200));
	h.wants_close = r->says_close;
	(void)snprintf(code, sizeof(code), "%u", reply_grpc_status(r->status));
	head_add(&h, STR("content-type"), STR("application/grpc"));
	head_add(&h, STR("grpc-status"), str_of(code));
	if (r->body.len > 0)
		head_add(&h, STR("grpc-message"),
		    encode_message(r->body, encoded, sizeof(encoded)));
	add_fields(&h, r, true);
	s->ops->push_head(s, &h, true);
	s->ops->flush(s);
}
