/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body decoder: hands out pieces of the bytes it is given, never a copy.
 * The lines around chunks go through a machine that knows one byte at a time,
 * so it does not matter where they are cut.  Spaces around a chunk's size and
 * extensions, which the grammar tolerates, are refused: others have been made
 * to read past them.  Pure.
 */

#include "http/h1_body.h"

#include "http/h1_scan.h"

#define SIZE_DIGITS_MAX 16
/* Size and extensions; these mean nothing to us. */
#define SIZE_LINE_MAX 256

void
h1_body_init(struct h1_body *b, const struct head *h)
{
	*b = (struct h1_body){ .kind = h->body, .state = CHUNK_SIZE };
	if (h->body == BODY_LENGTH)
		b->left = h->content_length;
}

bool
h1_body_is_over(const struct h1_body *b)
{
	switch (b->kind) {
	case BODY_NONE:
		return true;
	case BODY_LENGTH:
		return b->left == 0;
	case BODY_STREAMED:
		return b->state == CHUNK_END;
	case BODY_TO_CLOSE:
	case BODY_TUNNEL:
		return false;
	}
	return false;
}

bool
h1_body_eof(const struct h1_body *b)
{
	return b->kind == BODY_TO_CLOSE || b->kind == BODY_TUNNEL ||
	       h1_body_is_over(b);
}

static int
hex_value(char c)
{
	if (h1_is_digit(c))
		return c - '0';
	c = ascii_lower_char(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
step_size(struct h1_body *b, char c)
{
	int digit = hex_value(c);

	if (digit >= 0) {
		/*
		 * line_len counts this one already.  More than 63 bits are less
		 * than nothing to whoever counts with a sign.
		 */
		b->left = b->left << 4 | (uint64_t)digit;
		return b->line_len <= SIZE_DIGITS_MAX && b->left <= INT64_MAX;
	}
	if (b->line_len == 1)
		return false;
	b->state = c == ';' ? CHUNK_EXT : CHUNK_SIZE_LF;
	return c == ';' || c == '\r';
}

/* ";" name [ "=" ( token / quoted-string ) ] */
static bool
step_after_ext(struct h1_body *b, char c)
{
	b->state = c == ';' ? CHUNK_EXT : CHUNK_SIZE_LF;
	return c == ';' || c == '\r';
}

static bool
step_ext_name(struct h1_body *b, char c)
{
	if (h1_is(c, H1_TCHAR))
		return true;
	if (c != '=')
		return step_after_ext(b, c);
	b->state = CHUNK_EXT_EQUALS;
	return true;
}

static bool
step_quoted(struct h1_body *b, char c)
{
	if (c == '"')
		b->state = CHUNK_EXT_END;
	else if (c == '\\')
		b->state = CHUNK_EXT_ESCAPED;
	return h1_is_value(c);
}

static bool
step_to(struct h1_body *b, bool is_fine, enum chunk_state next)
{
	b->state = next;
	return is_fine;
}

static bool
step_size_lf(struct h1_body *b, char c)
{
	b->state = b->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
	b->line_len = 0;
	return c == '\n';
}

/* One byte of what stands around the data; false: it may not stand there. */
static bool
step(struct h1_body *b, char c)
{
	switch (b->state) {
	case CHUNK_SIZE:
		return step_size(b, c);
	case CHUNK_EXT:
		return step_to(b, h1_is(c, H1_TCHAR), CHUNK_EXT_NAME);
	case CHUNK_EXT_NAME:
		return step_ext_name(b, c);
	case CHUNK_EXT_EQUALS:
		return step_to(b, c == '"' || h1_is(c, H1_TCHAR),
		    c == '"' ? CHUNK_EXT_QUOTED : CHUNK_EXT_TOKEN);
	case CHUNK_EXT_TOKEN:
		return h1_is(c, H1_TCHAR) || step_after_ext(b, c);
	case CHUNK_EXT_QUOTED:
		return step_quoted(b, c);
	case CHUNK_EXT_ESCAPED:
		return step_to(b, h1_is_value(c), CHUNK_EXT_QUOTED);
	case CHUNK_EXT_END:
		return step_after_ext(b, c);
	case CHUNK_SIZE_LF:
		return step_size_lf(b, c);
	case CHUNK_DATA_CR:
		return step_to(b, c == '\r', CHUNK_DATA_LF);
	case CHUNK_DATA_LF:
		return step_to(b, c == '\n', CHUNK_SIZE);
	case CHUNK_TRAILER_LF:
		return step_to(b, c == '\n', CHUNK_END);
	case CHUNK_DATA:
	case CHUNK_TRAILER:
	case CHUNK_TRAILER_LINE:
	case CHUNK_END:
		break;
	}
	return false;
}

static bool
is_in_size_line(enum chunk_state s)
{
	return s <= CHUNK_SIZE_LF;
}

/* As much of a trailer line as is there, its end included. */
static bool
take_trailer(struct h1_body *b, struct str *in, const struct http_limits *lim,
    struct text *trailers)
{
	ptrdiff_t lf;
	size_t n;

	if (b->state == CHUNK_TRAILER && in->p[0] == '\r') {
		*in = str_from(*in, 1);
		b->state = CHUNK_TRAILER_LF;
		return true;
	}
	lf = str_index(*in, '\n');
	n = lf == -1 ? in->len : (size_t)lf + 1;
	b->trailer_len += n;
	if (b->trailer_len > lim->trailer_bytes)
		return false;
	text_add(trailers, str_first(*in, n));
	if (lf != -1 && !str_ends(text_str(trailers), STR("\r\n")))
		return false;
	*in = str_from(*in, n);
	b->state = lf == -1 ? CHUNK_TRAILER_LINE : CHUNK_TRAILER;
	return true;
}

/* Up to the data, the end of the body, or the end of in. */
static bool
take_framing(struct h1_body *b, struct str *in, const struct http_limits *lim,
    struct text *trailers)
{
	while (in->len > 0 && b->state != CHUNK_DATA && b->state != CHUNK_END) {
		if (b->state == CHUNK_TRAILER ||
		    b->state == CHUNK_TRAILER_LINE) {
			if (!take_trailer(b, in, lim, trailers))
				return false;
			continue;
		}
		if (is_in_size_line(b->state) && ++b->line_len > SIZE_LINE_MAX)
			return false;
		if (!step(b, in->p[0]))
			return false;
		*in = str_from(*in, 1);
	}
	return true;
}

static struct str
take_data(struct h1_body *b, struct str *in, size_t credit)
{
	struct str data = str_first(*in, credit);

	if (b->kind == BODY_LENGTH || b->kind == BODY_STREAMED) {
		if (data.len > b->left)
			data.len = (size_t)b->left;
		b->left -= data.len;
	}
	*in = str_from(*in, data.len);
	if (b->kind == BODY_STREAMED && b->left == 0)
		b->state = CHUNK_DATA_CR;
	return data;
}

enum h1_body_status
h1_body_next(struct h1_body *b, struct str bytes, size_t credit,
    const struct http_limits *lim, struct str *data, size_t *used,
    struct text *trailers)
{
	struct str in = bytes;

	*data = STR_NONE;
	*used = 0;
	if (b->kind == BODY_STREAMED && !take_framing(b, &in, lim, trailers))
		return H1_BODY_BAD;
	if (!h1_body_is_over(b) &&
	    (b->kind != BODY_STREAMED || b->state == CHUNK_DATA))
		*data = take_data(b, &in, credit);
	*used = bytes.len - in.len;
	if (data->len > 0)
		return H1_BODY_DATA;
	return h1_body_is_over(b) ? H1_BODY_END : H1_BODY_MORE;
}
