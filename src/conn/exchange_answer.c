/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exchange says for the service, when the service cannot: the reply of
 * an outcome's row, as the caller's protocol reads it, and whether the caller's
 * connection is of use afterwards.  A worker's thread.
 */

#include <stdio.h>

#include "conn/exchange_step.h"
#include "http/reply.h"
#include "policy/traffic.h"

/* An Envoy marks so what a limit of its own refused. */
static size_t
put_fields(const struct exchange *x, enum outcome o,
    struct reply_field v[REPLY_FIELDS_MOST])
{
	const struct header_change *h = x->worded.headers;
	size_t i;

	for (i = 0; i < x->worded.n_headers && i < REPLY_FIELDS_MOST; i++)
		v[i] = (struct reply_field){
			.name = h[i].name,
			.value = h[i].value,
			.is_added = h[i].is_added,
		};
	if (o == OUT_UPSTREAM_LIMIT && i < REPLY_FIELDS_MOST)
		v[i++] = (struct reply_field){
			.name = STR("x-envoy-overloaded"),
			.value = STR("true"),
		};
	return i;
}

void
exchange_reply(struct exchange *x, enum outcome o, bool says_close)
{
	const struct outcome_row *row = outcome_row(o);
	struct reply_field fields[REPLY_FIELDS_MOST];
	struct reply r = {
		.status = x->worded.status != 0 ? x->worded.status
						: (uint16_t)row->status,
		.body = str_of(row->body),
		.is_head = x->is_head,
		.says_close = says_close,
		.fields = fields,
		.n_fields = put_fields(x, o, fields),
	};

	x->response_begun = x->response_done = true;
	if (!x->is_grpc) {
		x->status = r.status;
		reply_push(x->front, &r);
		return;
	}
	x->status = 200;
	(void)snprintf(x->grpc_status, sizeof(x->grpc_status), "%u",
	    reply_grpc_status(r.status));
	reply_push_grpc(x->front, &r);
}

/* Reading the rest would take long, or may never end. */
static bool
is_rest_unwanted(const struct exchange *x)
{
	const struct head *q = x->request;
	const size_t most = x->conn->all->env.limits->drain_body;

	if (x->request_done)
		return false;
	return q->expects_continue ||
	       (q->body == BODY_LENGTH && q->content_length > most);
}

enum next
exchange_answer(
    struct exchange *x, enum outcome o, const char *detail, bool may_stay)
{
	(void)exchange_finish(x, o, detail);
	timer_stop(&x->limit);
	if (x->front->is_multiplexed) {
		exchange_reply(x, o, false);
		return END;
	}
	x->keeps_front =
	    may_stay && !x->request->wants_close && !is_rest_unwanted(x);
	exchange_reply(x, o, !x->keeps_front);
	return x->keeps_front ? exchange_enter(x, X_DRAIN) : END;
}
