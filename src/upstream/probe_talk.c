/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on a connection of its own, and what its answer says: a status
 * for HTTP, the answer of grpc.health.v1.Health/Check for gRPC.
 */

#include <stdio.h>

#include "upstream/probe_state.h"

static const struct health_settings *
settings_of(const struct probe *p)
{
	return &p->cluster->service->options->health;
}

static bool
is_grpc(const struct probe *p)
{
	return settings_of(p)->kind == HEALTH_GRPC;
}

static bool
is_grpc_ok(const struct head *h)
{
	return h != NULL && str_eq(head_get(h, FIELD_GRPC_STATUS), STR("0"));
}

static void
judge_grpc(struct probe *p)
{
	const struct head *trailers = p->stream->ops->trailers(p->stream);

	if (!is_grpc_ok(trailers))
		probe_judge(p, false, "grpc-status is not 0");
	else if (!health_grpc_serves(text_str(&p->body)))
		probe_judge(p, false, "the health service says not SERVING");
	else
		probe_judge(p, true, "SERVING");
}

static void
read_body(struct probe *p)
{
	struct stream *s = p->stream;
	struct span span;

	for (;;) {
		switch (s->ops->pull_body(s, SIZE_MAX, &span)) {
		case PULL_DATA:
			if (p->body.len + span.len > PROBE_ANSWER_MOST) {
				probe_judge(p, false, "a long answer");
				return;
			}
			text_add(&p->body,
			    (struct str){ (const char *)span.p, span.len });
			break;
		case PULL_WAIT:
			return;
		case PULL_END:
			judge_grpc(p);
			return;
		case PULL_FAIL:
			probe_judge(
			    p, false, "%s", stream_error_text(s->error));
			return;
		}
	}
}

static void
judge_head(struct probe *p)
{
	if (is_grpc(p) && p->status == 200)
		read_body(p);
	else if (!is_grpc(p) && health_expects(settings_of(p), p->status))
		probe_judge(p, true, "status %u", (unsigned)p->status);
	else
		probe_judge(p, false, "status %u", (unsigned)p->status);
}

/* Up to the final one. */
static enum pull
read_head(struct probe *p)
{
	enum pull pull = PULL_DATA;
	struct head *h;

	while (p->status < 200 && pull == PULL_DATA) {
		pull = p->stream->ops->pull_head(p->stream, &h);
		if (pull == PULL_DATA)
			p->status = h->status;
	}
	return pull;
}

static void
read_answer(struct probe *p)
{
	switch (read_head(p)) {
	case PULL_DATA:
		judge_head(p);
		break;
	case PULL_WAIT:
		break;
	case PULL_END:
	case PULL_FAIL:
		probe_judge(
		    p, false, "%s", stream_error_text(p->stream->error));
		break;
	}
}

static void
on_ready(void *arg)
{
	struct probe *p = arg;

	if (!p->is_judged)
		read_answer(p);
}

static bool
has_field(const struct health_settings *s, struct str name)
{
	struct str given, value;
	size_t i;

	for (i = 0; i < s->headers.n; i++)
		if (health_header_parse(s->headers.v[i], &given, &value) &&
		    str_eq_nocase(given, name))
			return true;
	return false;
}

static void
add_given(struct head *h, const struct health_settings *s)
{
	struct str name, value;
	size_t i;

	for (i = 0; i < s->headers.n && i < HEALTH_HEADERS_MOST; i++)
		if (health_header_parse(s->headers.v[i], &name, &value))
			head_add(h, name, value);
}

static void
add_fields(struct head *h, const struct health_settings *s)
{
	add_given(h, s);
	if (!has_field(s, STR("user-agent")))
		head_add(h, STR("user-agent"), STR("zegress-health"));
	if (s->kind != HEALTH_GRPC)
		return;
	h->method = STR("POST");
	h->path = STR("/grpc.health.v1.Health/Check");
	h->takes_trailers = true;
	h->body = BODY_STREAMED;
	head_add(h, STR("content-type"), STR("application/grpc"));
}

/* As Host has it: an IPv6 address stands in brackets. */
static struct str
host_of(const struct probe *p, char *room, size_t n)
{
	const struct endpoint *e = p->endpoint->endpoint;
	const struct health_settings *s = settings_of(p);

	if (s->host.len > 0)
		return s->host;
	if (!e->host_is_address || str_index(e->host, ':') == -1)
		return e->host;
	(void)snprintf(room, n, "[%.*s]", STR_ARG(e->host));
	return str_of(room);
}

static void
send_question(struct probe *p)
{
	const struct health_settings *s = settings_of(p);
	char room[HEALTH_GRPC_QUESTION], host[ADDR_TEXT];
	struct stream *stream = p->stream;
	struct head h;

	head_init(&h);
	h.is_request = true;
	h.minor = 1;
	h.method = STR("GET");
	h.scheme = p->back->has_tls ? STR("https") : STR("http");
	h.authority = host_of(p, host, sizeof(host));
	h.has_host = true;
	h.path = s->path;
	add_fields(&h, s);
	stream->ops->push_head(stream, &h, !is_grpc(p));
	if (is_grpc(p)) {
		stream->ops->push_body(
		    stream, health_grpc_question(s->grpc_service, room));
		stream->ops->push_end(stream, NULL);
	}
	stream->ops->flush(stream);
}

void
probe_ask(struct probe *p)
{
	struct back *b = p->back;

	p->status = 0;
	text_clear(&p->body);
	if (is_grpc(p) && b->version != HTTP_2) {
		probe_judge(p, false, "gRPC wants HTTP/2");
		return;
	}
	p->stream = b->ops->open(b);
	p->stream->on_ready = on_ready;
	p->stream->arg = p;
	send_question(p);
	read_answer(p);
}

void
probe_hang_up(struct probe *p)
{
	if (p->stream != NULL)
		p->stream->ops->release(p->stream, false);
	p->stream = NULL;
	if (p->back != NULL)
		p->back->ops->close(p->back);
	p->back = NULL;
}
