/* SPDX-License-Identifier: Apache-2.0 */
/* A call: its message goes out as the windows allow, and its status is read. */

#include "conn/otlp_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "http/h2_session.h"

#define WHY_MOST 160

struct otlp_call {
	struct otlp_call_env env;
	struct h2_session *session;
	struct timer told; /* env.fn, from the loop */
	enum otlp_end end;
	char why[WHY_MOST];
	struct stream *stream; /* NULL: no call */
	struct text message;
	size_t sent;
	bool is_sent;
	uint16_t status;
	char grpc_status[8]; /* empty: not yet known */
};

static void
drop_stream(struct otlp_call *c, bool is_whole)
{
	if (c->stream != NULL)
		c->stream->ops->release(c->stream, is_whole);
	c->stream = NULL;
	text_free(&c->message);
}

static void
tell(void *arg)
{
	struct otlp_call *c = arg;

	c->env.fn(c->env.arg, c->end, c->why);
}

static void
end(struct otlp_call *c, enum otlp_end e, const char *why)
{
	drop_stream(c, e != OTLP_BROKEN && c->is_sent);
	c->end = e;
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
	timer_set(&c->told, 0);
}

static void
push(struct otlp_call *c)
{
	struct stream *s = c->stream;
	struct str left = str_from(text_str(&c->message), c->sent);
	size_t n = s->ops->can_push(s);

	if (c->is_sent || n == 0)
		return;
	left = str_first(left, n);
	s->ops->push_body(s, left);
	c->sent += left.len;
	if (c->sent == c->message.len) {
		s->ops->push_end(s, NULL);
		c->is_sent = true;
	}
	s->ops->flush(s);
}

static void
note_status(struct otlp_call *c, const struct head *h)
{
	struct str s = h == NULL ? STR_NONE : head_get(h, FIELD_GRPC_STATUS);

	if (s.len > 0)
		(void)snprintf(
		    c->grpc_status, sizeof(c->grpc_status), "%.*s", STR_ARG(s));
}

/* Up to the final one. */
static enum pull
read_head(struct otlp_call *c)
{
	enum pull pull = PULL_DATA;
	struct head *h;

	while (c->status < 200 && pull == PULL_DATA) {
		pull = c->stream->ops->pull_head(c->stream, &h);
		if (pull == PULL_DATA) {
			c->status = h->status;
			note_status(c, h);
		}
	}
	return pull;
}

static void
judge(struct otlp_call *c)
{
	char why[WHY_MOST];

	note_status(c, c->stream->ops->trailers(c->stream));
	if (c->status == 200 && strcmp(c->grpc_status, "0") == 0) {
		end(c, OTLP_TAKEN, "");
		return;
	}
	(void)snprintf(why, sizeof(why),
	    "it refuses lines, with status %u and grpc-status %s",
	    (unsigned)c->status,
	    c->grpc_status[0] != '\0' ? c->grpc_status : "none");
	end(c, OTLP_REFUSED, why);
}

static void
read_answer(struct otlp_call *c)
{
	enum pull pull = read_head(c);
	struct span span;

	while (pull == PULL_DATA)
		pull = c->stream->ops->pull_body(c->stream, SIZE_MAX, &span);
	if (pull == PULL_END)
		judge(c);
	else if (pull == PULL_FAIL)
		end(c, OTLP_BROKEN, stream_error_text(c->stream->error));
}

static void
on_ready(void *arg)
{
	struct otlp_call *c = arg;

	push(c);
	read_answer(c);
}

/* A stream that is open says itself what became of it. */
static void
on_change(void *arg)
{
	struct otlp_call *c = arg;
	struct str why = h2_session_end_text(c->session);

	if (c->stream != NULL || timer_is_set(&c->told) ||
	    h2_session_state(c->session) == H2_OPEN)
		return;
	(void)snprintf(c->why, sizeof(c->why), "%.*s", STR_ARG(why));
	c->end = OTLP_BROKEN;
	timer_set(&c->told, 0);
}

static const struct h2_events events = { .on_change = on_change };

struct otlp_call *
otlp_call_new(struct wire *w, const struct otlp_call_env *env)
{
	struct otlp_call *c = xcalloc(1, sizeof(*c));

	c->env = *env;
	timer_init(&c->told, w->loop, tell, c);
	c->session =
	    h2_session_new(w, H2_CLIENT, env->http, env->h2, &events, c);
	return c;
}

void
otlp_call_free(struct otlp_call *c)
{
	if (c == NULL)
		return;
	timer_stop(&c->told);
	drop_stream(c, false);
	h2_session_free(c->session);
	free(c);
}

bool
otlp_call_is_busy(const struct otlp_call *c)
{
	return c->stream != NULL || timer_is_set(&c->told) ||
	       h2_session_streams_left(c->session) == 0;
}

bool
otlp_call_is_over(const struct otlp_call *c)
{
	return c->stream == NULL && !timer_is_set(&c->told) &&
	       h2_session_state(c->session) != H2_OPEN;
}

static void
push_head(struct otlp_call *c)
{
	struct head h;

	head_init(&h);
	h.is_request = true;
	h.minor = 1;
	h.method = STR("POST");
	h.scheme = STR("http");
	h.authority = c->env.authority;
	h.has_host = true;
	h.path =
	    STR("/opentelemetry.proto.collector.logs.v1.LogsService/Export");
	h.takes_trailers = true;
	h.body = BODY_STREAMED;
	head_add(&h, STR("content-type"), STR("application/grpc"));
	head_add(&h, STR("user-agent"), STR("zegress"));
	c->stream->ops->push_head(c->stream, &h, false);
}

void
otlp_call_send(struct otlp_call *c, struct text *message)
{
	c->message = *message;
	*message = (struct text)TEXT_EMPTY;
	c->sent = c->status = 0;
	c->is_sent = false;
	c->grpc_status[0] = '\0';
	c->stream = h2_session_open(c->session);
	c->stream->on_ready = on_ready;
	c->stream->arg = c;
	push_head(c);
	push(c);
	c->stream->ops->flush(c->stream);
}
