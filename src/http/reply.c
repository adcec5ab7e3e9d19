/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local answers, over any kind of stream.  Which status and which words is the
 * caller's business.
 */

#include "http/reply.h"

/* RFC 9110, section 15; what a gateway has occasion to say. */
static const struct {
	uint16_t status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
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
