/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See theirs.h.  The parser tells what it reads in callbacks, in pieces; at the
 * end of a message it is paused, which is how it tells where that is.
 */

#include "differential/theirs.h"

#include <http_parser.h>

struct reader {
	http_parser parser; /* its data is this reader */
	struct reading *out;
	const struct stream_kind *kind;
	struct message *m;
	struct text target, name, value;
	bool has_value; /* of the field that name begins */
	bool has_head;  /* else m is no message yet */
};

static struct reader *
reader_of(http_parser *p)
{
	return p->data;
}

static int
on_begin(http_parser *p)
{
	struct reader *r = reader_of(p);

	r->m = reading_add(r->out);
	text_clear(&r->target);
	r->has_head = false;
	return r->m == NULL;
}

static int
on_target(http_parser *p, const char *at, size_t n)
{
	text_add(&reader_of(p)->target, (struct str){ at, n });
	return 0;
}

static void
end_field(struct reader *r)
{
	if (r->name.len > 0)
		reading_field(r->out,
		    r->has_head ? &r->m->trailers : &r->m->fields,
		    text_str(&r->name), text_str(&r->value));
	text_clear(&r->name);
	text_clear(&r->value);
	r->has_value = false;
}

static int
on_name(http_parser *p, const char *at, size_t n)
{
	struct reader *r = reader_of(p);

	if (r->has_value)
		end_field(r);
	text_add(&r->name, (struct str){ at, n });
	return 0;
}

static int
on_value(http_parser *p, const char *at, size_t n)
{
	struct reader *r = reader_of(p);

	r->has_value = true;
	text_add(&r->value, (struct str){ at, n });
	return 0;
}

static int
on_head(http_parser *p)
{
	struct reader *r = reader_of(p);

	end_field(r);
	r->has_head = true;
	if (r->kind->is_requests) {
		r->m->method = str_of(http_method_str(p->method));
		r->m->target = arena_str(&r->out->arena, text_str(&r->target));
	} else {
		r->m->status = p->status_code;
	}
	/* These have no body (RFC 9112, section 6.3): it wants to be told. */
	return !r->kind->is_requests &&
	       (r->kind->answers_head || p->status_code == 304);
}

static int
on_body(http_parser *p, const char *at, size_t n)
{
	text_add(&reader_of(p)->m->body, (struct str){ at, n });
	return 0;
}

static int
on_end(http_parser *p)
{
	struct reader *r = reader_of(p);

	end_field(r);
	r->m->is_whole = true;
	r->m->closes = http_should_keep_alive(p) == 0;
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_message_begin = on_begin,
	.on_url = on_target,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_end,
};

/* False: it reads no more. */
static bool
is_fine(struct reader *r)
{
	enum http_errno e = HTTP_PARSER_ERRNO(&r->parser);

	if (e == HPE_PAUSED)
		http_parser_pause(&r->parser, 0);
	else if (e != HPE_OK && r->out->ending == READING_OPEN)
		reading_refuse(r->out, (int)e, http_errno_name(e));
	if (r->parser.upgrade != 0 && r->m != NULL && r->m->is_whole &&
	    r->out->ending == READING_OPEN)
		r->out->ending = READING_SWITCHED;
	return r->out->ending == READING_OPEN;
}

/* Bytes from *at to end; false: it reads no more. */
static bool
read_piece(struct reader *r, struct str bytes, size_t *at, size_t end)
{
	size_t n;

	while (*at < end) {
		n = http_parser_execute(
		    &r->parser, &settings, bytes.p + *at, end - *at);
		*at += n;
		if (HTTP_PARSER_ERRNO(&r->parser) == HPE_PAUSED)
			r->m->end = *at;
		else if (r->m != NULL && r->m->is_whole && r->m->end == 0)
			r->m->end = *at;
		if (!is_fine(r))
			return false;
	}
	return true;
}

void
theirs_read(
    struct reading *out, const struct pieces *p, const struct stream_kind *kind)
{
	struct reader r = { .out = out, .kind = kind };
	bool goes_on = true;
	size_t at = 0;

	reading_init(out);
	http_parser_init(
	    &r.parser, kind->is_requests ? HTTP_REQUEST : HTTP_RESPONSE);
	r.parser.data = &r;
	for (size_t i = 0; i < p->n && goes_on; i++)
		goes_on = read_piece(&r, p->bytes, &at, p->cuts[i]);
	if (goes_on && kind->ends) {
		(void)http_parser_execute(&r.parser, &settings, NULL, 0);
		if (r.m != NULL && r.m->is_whole && r.m->end == 0)
			r.m->end = at;
		(void)is_fine(&r);
	}
	if (r.m != NULL && !r.has_head)
		out->n--;
	text_free(&r.target);
	text_free(&r.name);
	text_free(&r.value);
}

bool
theirs_is_bad_method(int code)
{
	return code == HPE_INVALID_METHOD;
}

bool
theirs_has_method(struct str method)
{
	static const char *const known[] = {
#define METHOD(num, name, text) #text,
		HTTP_METHOD_MAP(METHOD)
#undef METHOD
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(method, str_of(known[i])))
			return true;
	return false;
}
