/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of HTTP/1.1 (RFC 9112, sections 2 to 6), read once from left to right.
 * An error is found at the byte where it stands, whatever follows it; so a
 * head that comes in pieces ends as it would in one.  What the fields say
 * about the message is judged in h1_facts.c.  Pure.
 */

#include "http/h1_parse.h"

#include "http/h1_facts.h"
#include "http/h1_scan.h"

struct cursor {
	const char *p;
	const char *end;
	size_t line_bytes; /* the most of one line; 0: no limit */
};

static struct str
since(const char *from, const char *to)
{
	return (struct str){ .p = from, .len = (size_t)(to - from) };
}

static enum h1_status
take_char(struct cursor *c, char want)
{
	if (c->p == c->end)
		return H1_MORE;
	if (*c->p != want)
		return H1_BAD;
	c->p++;
	return H1_OK;
}

/* A bare CR or LF ends nothing (RFC 9112, section 2.2). */
static enum h1_status
take_line_end(struct cursor *c)
{
	enum h1_status s = take_char(c, '\r');

	return s == H1_OK ? take_char(c, '\n') : s;
}

static enum h1_status
take_token(struct cursor *c, struct str *out)
{
	const char *from = c->p;

	while (c->p < c->end && h1_is(*c->p, H1_TCHAR))
		c->p++;
	*out = since(from, c->p);
	if (c->p == c->end)
		return H1_MORE;
	return out->len > 0 ? H1_OK : H1_BAD;
}

static enum h1_status
take_digits(struct cursor *c, unsigned n, unsigned *out)
{
	*out = 0;
	for (; n > 0; n--) {
		if (c->p == c->end)
			return H1_MORE;
		if (!h1_is_digit(*c->p))
			return H1_BAD;
		*out = *out * 10 + (unsigned)(*c->p++ - '0');
	}
	return H1_OK;
}

/* As 10 * major + minor. */
static enum h1_status
take_version(struct cursor *c, unsigned *version)
{
	static const char prefix[] = "HTTP/";
	enum h1_status s = H1_OK;
	unsigned major, minor;
	const char *p;

	for (p = prefix; *p != '\0' && s == H1_OK; p++)
		s = take_char(c, *p);
	if (s == H1_OK)
		s = take_digits(c, 1, &major);
	if (s == H1_OK)
		s = take_char(c, '.');
	if (s == H1_OK)
		s = take_digits(c, 1, &minor);
	if (s == H1_OK)
		*version = 10 * major + minor;
	return s;
}

/*
 * A line is looked at no further than it may go with its end, so that one that
 * is too long is refused at the same byte in whatever pieces it comes.
 */
static struct cursor
begin_line(const struct cursor *all)
{
	struct cursor line = *all;
	size_t most = all->line_bytes + STR("\r\n").len;

	if (all->line_bytes > 0 && (size_t)(all->end - all->p) > most)
		line.end = all->p + most;
	return line;
}

static enum h1_status
end_line(struct cursor *all, const struct cursor *line, enum h1_status s)
{
	size_t len = (size_t)(line->end - all->p);

	if (s == H1_MORE && all->line_bytes > 0 &&
	    len >= all->line_bytes + STR("\r\n").len)
		return H1_TOO_LARGE;
	all->p = line->p;
	return s;
}

/* "GET /" and no more is how HTTP/0.9 asks. */
static enum h1_status
take_end_of_09(struct cursor *c)
{
	enum h1_status s = take_line_end(c);

	return s == H1_OK ? H1_VERSION : s;
}

static enum h1_status
take_request(struct cursor *c, struct head *h, struct str *target)
{
	unsigned version = 0;
	enum h1_status s = take_token(c, &h->method);
	const char *from;

	if (s == H1_OK)
		s = take_char(c, ' ');
	if (s != H1_OK)
		return s;
	from = c->p;
	c->p = h1_skip_target(from, c->end);
	*target = since(from, c->p);
	if (c->p == c->end)
		return H1_MORE;
	if (target->len == 0)
		return H1_BAD;
	if (*c->p == '\r')
		return take_end_of_09(c);
	s = take_char(c, ' ');
	if (s == H1_OK)
		s = take_version(c, &version);
	if (s == H1_OK)
		s = take_line_end(c);
	if (s == H1_OK && version != 11)
		return H1_VERSION;
	return s;
}

static enum h1_status
take_request_line(struct cursor *c, struct head *h, struct str *target)
{
	struct cursor line = begin_line(c);

	return end_line(c, &line, take_request(&line, h, target));
}

/* Up to the CR; h1_is_value() bytes only. */
static enum h1_status
take_value(struct cursor *c, struct str *out)
{
	const char *from = c->p, *to;

	c->p = h1_skip_value(from, c->end);
	to = c->p;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
		to--;
	*out = since(from, to);
	return take_line_end(c);
}

static enum h1_status
take_status(struct cursor *c, struct head *h)
{
	unsigned version = 0, status = 0;
	enum h1_status s = take_version(c, &version);

	if (s == H1_OK)
		s = take_char(c, ' ');
	if (s == H1_OK)
		s = take_digits(c, 3, &status);
	if (s != H1_OK)
		return s;
	if (version != 10 && version != 11)
		return H1_VERSION;
	if (status < 100 || status > 599)
		return H1_BAD;
	h->status = (uint16_t)status;
	h->minor = (uint8_t)(version % 10);
	if (c->p == c->end)
		return H1_MORE;
	/* Many servers leave out the space before an empty reason. */
	if (*c->p == ' ')
		c->p++;
	else if (*c->p != '\r')
		return H1_BAD;
	return take_value(c, &h->reason);
}

static enum h1_status
take_status_line(struct cursor *c, struct head *h)
{
	struct cursor line = begin_line(c);

	return end_line(c, &line, take_status(&line, h));
}

static enum h1_status
take_field(struct cursor *c, struct field *f)
{
	/* A space at its begin would be obs-fold, one at its end a trick. */
	enum h1_status s = take_token(c, &f->name);

	if (s == H1_OK)
		s = take_char(c, ':');
	if (s != H1_OK)
		return s;
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
	f->id = field_id_of(f->name);
	f->is_removed = f->is_secret = false;
	return take_value(c, &f->value);
}

/*
 * A tab is optional whitespace like a space (RFC 9110, section 5.6.3), and to
 * some readers part of the value: not where a body's end depends on it.
 */
static bool
has_doubtful_space(const struct field *f, struct str line)
{
	return (f->id == FIELD_TRANSFER_ENCODING ||
		   f->id == FIELD_CONTENT_LENGTH) &&
	       str_index(line, '\t') != -1;
}

static enum h1_status
take_field_line(struct cursor *c, struct field *f)
{
	struct cursor line = begin_line(c);
	enum h1_status s = take_field(&line, f);

	if (s == H1_OK && has_doubtful_space(f, since(c->p, line.p)))
		return H1_BAD;
	return end_line(c, &line, s);
}

/* Up to and with the empty line. */
static enum h1_status
take_fields(struct cursor *c, const struct http_limits *lim, struct head *h,
    struct h1_facts *facts)
{
	size_t most =
	    lim->fields < HEAD_FIELDS_MAX ? lim->fields : HEAD_FIELDS_MAX;
	enum h1_status s;
	struct field *f;

	for (;;) {
		if (c->p == c->end)
			return H1_MORE;
		if (*c->p == '\r')
			return take_line_end(c);
		if (h->n_fields == most)
			return H1_TOO_LARGE;
		f = &h->fields[h->n_fields];
		s = take_field_line(c, f);
		if (s == H1_OK)
			s = h1_facts_note(facts, h, f);
		if (s != H1_OK)
			return s;
		h->n_fields++;
	}
}

static bool
begins_with_empty_line(struct str bytes)
{
	return bytes.len >= 2 && bytes.p[0] == '\r' && bytes.p[1] == '\n';
}

/*
 * Would parsing say more than it did when there were only `scanned` bytes?
 * Yes if the first line was not complete then, and from there on once a line
 * is out of order or the empty one has come.
 */
static bool
has_news(struct str bytes, size_t scanned)
{
	size_t skip = begins_with_empty_line(bytes) ? 2 : 0;
	const char *p = bytes.p + scanned, *end = bytes.p + bytes.len;

	if (scanned <= skip ||
	    memchr(bytes.p + skip, '\n', scanned - skip) == NULL)
		return true;
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (p[-1] != '\r' ||
		    (p - bytes.p >= 3 && (p[-2] == '\n' || p[-2] == '\r')))
			return true;
		p++;
	}
	return false;
}

/* What is over the limit is not looked at, so that cutting changes nothing. */
static struct cursor
open_cursor(struct str bytes, const struct http_limits *lim)
{
	struct str most = str_first(bytes, lim->head_bytes);

	return (struct cursor){ .p = most.p,
		.end = most.p + most.len,
		.line_bytes = lim->line_bytes };
}

static enum h1_status
close_cursor(const struct cursor *c, enum h1_status s, struct str bytes,
    const struct http_limits *lim, size_t *scanned, size_t *used)
{
	*used = 0;
	if (s == H1_MORE && bytes.len >= lim->head_bytes)
		return H1_TOO_LARGE;
	*scanned = s == H1_MORE ? bytes.len : 0;
	if (s == H1_OK)
		*used = (size_t)(c->p - bytes.p);
	return s;
}

/* The line that is not complete is longer than any may be. */
static bool
is_line_too_long(struct str bytes, const struct http_limits *lim)
{
	const char *last = memrchr(bytes.p, '\n', bytes.len);
	size_t begin = last == NULL ? 0 : (size_t)(last + 1 - bytes.p);

	return lim->line_bytes > 0 && bytes.len - begin > lim->line_bytes;
}

static bool
is_worth_it(struct str bytes, const struct http_limits *lim, size_t scanned)
{
	return bytes.len > 0 &&
	       (bytes.len >= lim->head_bytes || has_news(bytes, scanned) ||
		   is_line_too_long(bytes, lim));
}

static void
start(struct head *h, struct field *fields, bool is_request)
{
	head_init(h);
	h->is_request = is_request;
	h->fields = fields;
	h->has_lines = true;
}

enum h1_status
h1_parse_request(struct str bytes, const struct http_limits *lim,
    size_t *scanned, struct field *fields, struct head *h, size_t *used)
{
	struct cursor c = open_cursor(bytes, lim);
	struct h1_facts facts = H1_FACTS_NONE;
	struct str target = STR_NONE;
	enum h1_status s = H1_MORE;

	start(h, fields, true);
	if (is_worth_it(bytes, lim, *scanned)) {
		/* One empty line is left over by some clients' bodies. */
		s = *c.p == '\r' ? take_line_end(&c) : H1_OK;
		if (s == H1_OK)
			s = take_request_line(&c, h, &target);
		if (s == H1_OK)
			s = h1_facts_target(&facts, h, target);
		if (s == H1_OK)
			s = take_fields(&c, lim, h, &facts);
		if (s == H1_OK)
			s = h1_facts_request(&facts, h);
	}
	return close_cursor(&c, s, bytes, lim, scanned, used);
}

enum h1_status
h1_parse_response(struct str bytes, const struct http_limits *lim,
    size_t *scanned, bool is_head, struct field *fields, struct head *h,
    size_t *used)
{
	struct cursor c = open_cursor(bytes, lim);
	struct h1_facts facts = H1_FACTS_NONE;
	enum h1_status s = H1_MORE;

	start(h, fields, false);
	h->is_head_request = is_head;
	if (is_worth_it(bytes, lim, *scanned)) {
		s = take_status_line(&c, h);
		if (s == H1_OK)
			s = take_fields(&c, lim, h, &facts);
		if (s == H1_OK)
			s = h1_facts_response(&facts, h);
	}
	return close_cursor(&c, s, bytes, lim, scanned, used);
}

enum h1_status
h1_parse_trailers(struct str bytes, const struct http_limits *lim,
    struct field *fields, struct head *h)
{
	struct cursor c = { .p = bytes.p,
		.end = bytes.p + bytes.len,
		.line_bytes = lim->line_bytes };
	struct http_limits most = *lim;
	enum h1_status s = H1_OK;

	start(h, fields, false);
	if (most.fields > HEAD_FIELDS_MAX)
		most.fields = HEAD_FIELDS_MAX;
	while (c.p < c.end && s == H1_OK) {
		if (h->n_fields == most.fields)
			return H1_TOO_LARGE;
		s = take_field_line(&c, &h->fields[h->n_fields]);
		if (s == H1_OK)
			s = h1_facts_trailer(&h->fields[h->n_fields]);
		if (s == H1_OK)
			h->n_fields++;
	}
	return s == H1_MORE ? H1_BAD : s;
}
