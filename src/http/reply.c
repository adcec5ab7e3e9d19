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

void
reply_push(struct stream *s, uint16_t status, struct str body, bool is_head,
    bool says_close)
{
	struct head h;

	head_init(&h);
	h.status = status;
	h.reason = str_of(reply_reason(status));
	h.body = BODY_LENGTH;
	h.content_length = body.len;
	h.has_length = true;
	h.is_head_request = is_head;
	h.wants_close = says_close;
	if (body.len > 0)
		head_add(&h, STR("content-type"), STR("text/plain"));
	s->ops->push_head(s, &h, is_head || body.len == 0);
	if (!is_head && body.len > 0) {
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
reply_push_grpc(
    struct stream *s, uint16_t status, struct str message, bool says_close)
{
	char code[8], encoded[GRPC_MESSAGE_MOST];
	struct head h;

	head_init(&h);
	h.status = 200;
	h.reason = str_of(reply_reason(200));
	h.wants_close = says_close;
	(void)snprintf(code, sizeof(code), "%u", reply_grpc_status(status));
	head_add(&h, STR("content-type"), STR("application/grpc"));
	head_add(&h, STR("grpc-status"), str_of(code));
	if (message.len > 0)
		head_add(&h, STR("grpc-message"),
		    encode_message(message, encoded, sizeof(encoded)));
	s->ops->push_head(s, &h, true);
	s->ops->flush(s);
}
