/* SPDX-License-Identifier: Apache-2.0 */
/* A check by tcp that sends bytes, or expects some. */

#include "upstream/probe_state.h"

static const struct health_settings *
settings_of(const struct probe *p)
{
	return &p->cluster->service->options->health;
}

bool
probe_has_bytes(const struct health_settings *s)
{
	return s->kind == HEALTH_TCP &&
	       (s->tcp_send.len > 0 || s->tcp_receive.n > 0);
}

/* False: more has to come. */
static bool
judge(struct probe *p)
{
	if (health_receives(settings_of(p), text_str(&p->body)))
		probe_judge(p, true, "it answers as expected");
	else if (p->body.len >= HEALTH_TCP_MOST)
		probe_judge(p, false, "it answers otherwise than expected");
	return p->is_judged;
}

static void
note(struct probe *p, const struct span *span)
{
	size_t room = HEALTH_TCP_MOST - p->body.len;

	text_add(&p->body, (struct str){ .p = (const char *)span->p,
			       .len = span->len < room ? span->len : room });
}

static void
on_ready(void *arg)
{
	struct probe *p = arg;
	struct span span;

	while (!p->is_judged && !judge(p)) {
		switch (wire_read(p->wire, &span)) {
		case IO_DONE:
			note(p, &span);
			break;
		case IO_AGAIN:
			return;
		case IO_EOF:
		case IO_CUT:
		case IO_FAIL:
			probe_judge(
			    p, false, "it closed before the expected answer");
			return;
		}
	}
}

void
probe_say_bytes(struct probe *p)
{
	struct text bytes = TEXT_EMPTY;

	text_clear(&p->body);
	wire_set_owner(p->wire, on_ready, p);
	/* What a resource says was looked at when it was read. */
	if (!health_bytes(settings_of(p)->tcp_send, &bytes))
		probe_judge(p, false, "health.tcp_send is not base64");
	else if (bytes.len > 0 &&
		 wire_write(p->wire, text_str(&bytes)) == IO_FAIL)
		probe_judge(p, false, "it closed at once");
	text_free(&bytes);
	on_ready(p);
}

void
probe_drop_bytes(struct probe *p)
{
	wire_free(p->wire);
	p->wire = NULL;
	cluster_guard_release(&p->guard);
}
