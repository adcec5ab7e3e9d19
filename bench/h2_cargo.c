/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of HTTP/2 and gRPC that the bench carries, and the check of
 * them.
 */

#include "h2_cargo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX 5 /* of a message of gRPC: not compressed, and its size */
#define MESSAGE (PREFIX + CARGO_MESSAGE)
#define FIELDS(list) (list), sizeof(list) / sizeof((list)[0])
#define NO_NUMBER (-1L)

/* What the check wants to know of a head or trailer. */
struct facts {
	long status;
	long grpc_status;
	long length;
	bool is_get;
	bool is_post;
	bool is_small;
	bool is_unary;
	bool is_grpc;
	bool takes_trailers;
	bool has_authority;
};

/* clang-format off */
static const nghttp2_nv small_request[] = {
	H2_FIELD(":method", "GET"),
	H2_FIELD(":scheme", "https"),
	H2_FIELD(":path", "/over-http2"),
	H2_FIELD(":authority", "web.bench.example"),
	H2_FIELD("user-agent", "load"),
	H2_FIELD("accept", "*/*"),
};
static const nghttp2_nv small_answer[] = {
	H2_FIELD(":status", "200"),
	H2_FIELD("content-type", "text/plain"),
	H2_FIELD("content-length", "128"),
};
static const nghttp2_nv unary_request[] = {
	H2_FIELD(":method", "POST"),
	H2_FIELD(":scheme", "https"),
	H2_FIELD(":path", "/bench.Cargo/Carry"),
	H2_FIELD(":authority", "web.bench.example"),
	H2_FIELD("te", "trailers"),
	H2_FIELD("content-type", "application/grpc"),
	H2_FIELD("user-agent", "load"),
};
static const nghttp2_nv unary_answer[] = {
	H2_FIELD(":status", "200"),
	H2_FIELD("content-type", "application/grpc"),
};
static const nghttp2_nv unary_trailer[] = {
	H2_FIELD("grpc-status", "0"),
};
static const nghttp2_nv refusal[] = {
	H2_FIELD(":status", "400"),
	H2_FIELD("content-length", "0"),
};
/* clang-format on */
_Static_assert(CARGO_BODY == 128, "small_answer says 128");

static const uint8_t message[] = { 0, 0, 0, 0, CARGO_MESSAGE, 'T', 'h', 'i',
	's', ' ', 'i', 's', ' ', 'w', 'h', 'a', 't', ' ', 'a', ' ', 'u', 'n',
	'a', 'r', 'y', ' ', 'c', 'a', 'l', 'l', ' ', 'b', 'r', 'i', 'n', 'g',
	's' };
_Static_assert(sizeof(message) == MESSAGE, "the message has its size");

enum h2_kind
h2_kind_parse(const char *text)
{
	if (strcmp(text, "http2") == 0)
		return H2_SMALL;
	if (strcmp(text, "grpc") == 0)
		return H2_UNARY;
	return H2_KINDS;
}

void
h2_cargo_init(struct h2_cargo *c)
{
	struct h2_parts parts = { FIELDS(small_request), NULL, 0, NULL, 0 };

	h2_message_init(&c->requests[H2_SMALL], &parts);
	cargo_fill_body(c->body);
	parts = (struct h2_parts){ FIELDS(small_answer), c->body,
		sizeof(c->body), NULL, 0 };
	h2_message_init(&c->answers[H2_SMALL], &parts);
	parts = (struct h2_parts){ FIELDS(unary_request), message,
		sizeof(message), NULL, 0 };
	h2_message_init(&c->requests[H2_UNARY], &parts);
	parts = (struct h2_parts){ FIELDS(unary_answer), message,
		sizeof(message), FIELDS(unary_trailer) };
	h2_message_init(&c->answers[H2_UNARY], &parts);
	parts = (struct h2_parts){ FIELDS(refusal), NULL, 0, NULL, 0 };
	h2_message_init(&c->refusal, &parts);
}

static bool
has_value(const nghttp2_nv *field, const char *text)
{
	return field->valuelen == strlen(text) &&
	       memcmp(field->value, text, field->valuelen) == 0;
}

static bool
has_name(const nghttp2_nv *field, const char *text)
{
	return memcmp(field->name, text, field->namelen) == 0;
}

/* NUL-terminated by libnghttp2. */
static long
number_of(const nghttp2_nv *field)
{
	char *end;
	long number = strtol((const char *)field->value, &end, 10);

	return field->valuelen > 0 && *end == '\0' ? number : NO_NUMBER;
}

static void
note_field(void *arg, const nghttp2_nv *field)
{
	struct facts *facts = arg;

	switch (field->namelen) {
	case 2:
		if (has_name(field, "te"))
			facts->takes_trailers = has_value(field, "trailers");
		break;
	case 5:
		if (!has_name(field, ":path"))
			break;
		facts->is_small = has_value(field, "/over-http2");
		facts->is_unary = has_value(field, "/bench.Cargo/Carry");
		break;
	case 7:
		if (has_name(field, ":status"))
			facts->status = number_of(field);
		if (!has_name(field, ":method"))
			break;
		facts->is_get = has_value(field, "GET");
		facts->is_post = has_value(field, "POST");
		break;
	case 10:
		if (has_name(field, ":authority"))
			facts->has_authority = field->valuelen > 0;
		break;
	case 11:
		if (has_name(field, "grpc-status"))
			facts->grpc_status = number_of(field);
		break;
	case 12:
		if (has_name(field, "content-type"))
			facts->is_grpc = has_value(field, "application/grpc");
		break;
	case 14:
		if (has_name(field, "content-length"))
			facts->length = number_of(field);
		break;
	}
}

static bool
read_facts(struct h2_link *l, const struct h2_frame *f, struct facts *facts)
{
	*facts = (struct facts){ .status = NO_NUMBER,
		.grpc_status = NO_NUMBER,
		.length = NO_NUMBER };
	return h2_read_fields(l, f, note_field, facts);
}

static enum cargo_answer
wrong(struct h2_link *l, const char *why)
{
	l->why = why;
	return CARGO_WRONG;
}

static bool
is_last(const struct h2_frame *f)
{
	return (f->flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

/* Compares what f brings of the size bytes at body. */
static bool
check_body(struct h2_part *part, const struct h2_frame *f, const void *body,
    size_t size)
{
	if (f->size > size - part->got ||
	    memcmp((const uint8_t *)body + part->got, f->data, f->size) != 0)
		return false;
	part->got += f->size;
	return part->got == size || !is_last(f);
}

static enum cargo_answer
check_head(struct h2_link *l, struct h2_part *part, const struct h2_frame *f)
{
	struct facts facts;

	if (!read_facts(l, f, &facts))
		return CARGO_WRONG;
	part->has_head = true;
	if (facts.status != 200) {
		(void)snprintf(
		    l->text, sizeof(l->text), "status %ld", facts.status);
		return wrong(l, l->text);
	}
	if (is_last(f)) {
		(void)snprintf(l->text, sizeof(l->text),
		    "no body, grpc-status %ld", facts.grpc_status);
		return wrong(l, l->text);
	}
	if (part->kind == H2_SMALL && facts.length != CARGO_BODY)
		return wrong(l, "another content-length");
	if (part->kind == H2_UNARY && !facts.is_grpc)
		return wrong(l, "another content-type");
	return CARGO_MORE;
}

static enum cargo_answer
check_trailer(
    struct h2_link *l, const struct h2_part *part, const struct h2_frame *f)
{
	struct facts facts;

	if (!read_facts(l, f, &facts))
		return CARGO_WRONG;
	if (part->kind != H2_UNARY || !is_last(f))
		return wrong(l, "a trailer nobody asked for");
	if (part->got != MESSAGE)
		return wrong(l, "a message that is too short");
	if (facts.grpc_status != 0) {
		(void)snprintf(l->text, sizeof(l->text), "grpc-status %ld",
		    facts.grpc_status);
		return wrong(l, l->text);
	}
	return CARGO_WHOLE;
}

enum cargo_answer
h2_check_answer(const struct h2_cargo *c, struct h2_link *l,
    struct h2_part *part, const struct h2_frame *f)
{
	if (f->type == NGHTTP2_HEADERS)
		return part->has_head ? check_trailer(l, part, f)
				      : check_head(l, part, f);
	if (f->type != NGHTTP2_DATA)
		return wrong(l, h2_print_end(l, f));
	if (!part->has_head)
		return wrong(l, "a body without a head");
	if (part->kind == H2_UNARY) {
		if (!check_body(part, f, message, sizeof(message)) ||
		    is_last(f))
			return wrong(l, "another message, or no trailer");
		return CARGO_MORE;
	}
	if (!check_body(part, f, c->body, sizeof(c->body)))
		return wrong(l, "another body");
	return is_last(f) ? CARGO_WHOLE : CARGO_MORE;
}

enum cargo_answer
h2_check_request(
    struct h2_link *l, struct h2_part *part, const struct h2_frame *f)
{
	struct facts facts;

	if (f->type == NGHTTP2_DATA && part->has_head) {
		if (!check_body(part, f, message,
			part->kind == H2_UNARY ? sizeof(message) : 0))
			return wrong(l, "another message than was sent");
		return is_last(f) ? CARGO_WHOLE : CARGO_MORE;
	}
	if (f->type != NGHTTP2_HEADERS || part->has_head)
		return wrong(l, "a frame that is no request");
	if (!read_facts(l, f, &facts))
		return CARGO_WRONG;
	part->has_head = true;
	part->kind = facts.is_unary ? H2_UNARY : H2_SMALL;
	if (!facts.has_authority)
		return wrong(l, "a request without authority");
	if (facts.is_small && facts.is_get)
		return is_last(f) ? CARGO_WHOLE : CARGO_MORE;
	if (facts.is_unary && facts.is_post && facts.is_grpc &&
	    facts.takes_trailers && !is_last(f))
		return CARGO_MORE;
	return wrong(l, "another request than was sent");
}
