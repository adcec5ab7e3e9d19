/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a MeshTimeout and a MeshRetry come to.  Only items that name the service
 * get here: see compile_policies.c.  Nothing is sent again that may have been
 * done, so all that a MeshRetry can say is how often a connection is tried.
 * Main thread.
 */

#include "model/mesh_retry.h"
#include "model/mesh_timeout.h"
#include "policy/compile.h"
#include "policy/compile_policies.h"
#include "policy/policy_options.h"
#include "policy/service_option.h"

/* Of two limits on a request the shorter one; 0 is none. */
static size_t
shorter(const struct policy_value *v)
{
	const struct policy_value *request = &v[MT_REQUEST];
	const struct policy_value *life = &v[MT_STREAM_LIFE];

	if (!life->is_given || life->number == 0)
		return MT_REQUEST;
	if (!request->is_given || request->number == 0)
		return MT_STREAM_LIFE;
	return life->number < request->number ? MT_STREAM_LIFE : MT_REQUEST;
}

/* 0 means without end, which is the longest here. */
static void
give_idle(struct compile *c, const struct policy_conf *conf, size_t i,
    enum service_option o, struct policy_options *p)
{
	uint64_t ms = conf->v[i].number;

	if (conf->v[i].is_given)
		give_number(p, c, conf, i, o,
		    ms > 0 ? ms : service_option_rows[o].most);
}

void
options_of_timeout(
    struct compile *c, const struct policy_conf *conf, struct policy_options *p)
{
	give_value(p, c, conf, shorter(conf->v), SERVICE_OPTION_REQUEST_MS);
	give_value(p, c, conf, MT_CONNECTION, SERVICE_OPTION_CONNECT_MS);
	give_idle(c, conf, MT_IDLE, SERVICE_OPTION_IDLE_MS, p);
	give_idle(c, conf, MT_STREAM_IDLE, SERVICE_OPTION_STREAM_IDLE_MS, p);
	tell_unused(c, conf, MT_CONNECTION_LIFE, "http.maxConnectionDuration",
	    "connections to servers end when they are idle, see "
	    "limits.pool_idle_ms");
	tell_unused(c, conf, MT_HEADERS, "http.requestHeadersTimeout",
	    "it is about callers, see limits.head_ms");
}

/* Something that is said of failures before anything was sent. */
static bool
speaks_of_connecting(const struct policy_value *retry_on)
{
	static const char *const words[] = { "5xx", "GatewayError", "Reset",
		"ConnectFailure", "RefusedStream", "Unavailable" };
	const struct str *v = retry_on->list.items;
	size_t i, j;

	for (i = 0; retry_on->is_given && i < retry_on->list.n; i++)
		for (j = 0; j < ARRAY_LEN(words); j++)
			if (str_eq(v[i], str_of(words[j])))
				return true;
	return !retry_on->is_given;
}

struct retry_part {
	const char *name;
	size_t retries;
	size_t retry_on;
	size_t per_try;
	size_t back_off;
};

static void
give_retries(struct compile *c, const struct policy_conf *conf,
    const struct retry_part *part, struct policy_options *p)
{
	static const char why[] = "a request is sent again only where it "
				  "cannot have been done, at once, and to "
				  "another endpoint or by another connection";
	const size_t rest[] = { part->per_try, part->back_off, part->retry_on };
	size_t i;

	if (!speaks_of_connecting(&conf->v[part->retry_on]))
		tell_unused(c, conf, part->retries, part->name, why);
	else if (conf->v[part->retries].is_given)
		give_number(p, c, conf, part->retries,
		    SERVICE_OPTION_CONNECT_ATTEMPTS,
		    conf->v[part->retries].number + 1);
	/* Once is enough. */
	for (i = 0; i < ARRAY_LEN(rest); i++)
		if (conf->v[rest[i]].is_given) {
			tell_unused(c, conf, rest[i], part->name, why);
			break;
		}
}

void
options_of_retry(struct compile *c, const struct policy_conf *conf,
    const struct service *draft, struct policy_options *p)
{
	static const struct retry_part http = { "http", MR_HTTP_RETRIES,
		MR_HTTP_RETRY_ON, MR_HTTP_PER_TRY, MR_HTTP_BACK_OFF };
	static const struct retry_part grpc = { "grpc", MR_GRPC_RETRIES,
		MR_GRPC_RETRY_ON, MR_GRPC_PER_TRY, MR_GRPC_BACK_OFF };

	switch (draft->protocol) {
	case PROTO_TCP:
	case PROTO_KAFKA:
		give_value(p, c, conf, MR_TCP_ATTEMPTS,
		    SERVICE_OPTION_CONNECT_ATTEMPTS);
		break;
	case PROTO_HTTP:
	case PROTO_HTTP2:
		give_retries(c, conf, &http, p);
		break;
	case PROTO_GRPC:
		give_retries(c, conf, &grpc, p);
		break;
	}
}
