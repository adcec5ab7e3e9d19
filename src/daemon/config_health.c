/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of services about the health of endpoints and how much may be asked
 * of them.  Main thread.
 */

#include "daemon/service_reading.h"
#include "upstream/health.h"

static bool
is_visible(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

static void
check_texts(const struct service_reading *r, const struct health_settings *s)
{
	if (!is_visible(s->path) || !str_starts(s->path, STR("/")))
		service_reading_tell(r, PROBLEM_ERROR,
		    SERVICE_OPTION_HEALTH_PATH,
		    "wants a path, as \"/healthz\"");
	if (!is_visible(s->host))
		service_reading_tell(r, PROBLEM_ERROR,
		    SERVICE_OPTION_HEALTH_HOST,
		    "wants a name, as \"api.example\"");
	if (!is_visible(s->grpc_service) ||
	    s->grpc_service.len > HEALTH_GRPC_NAME_MOST)
		service_reading_tell(r, PROBLEM_ERROR,
		    SERVICE_OPTION_HEALTH_GRPC_SERVICE,
		    "wants the name of a service, as \"bank.Payments\"");
}

static void
check_statuses(const struct service_reading *r, const struct str_list *list)
{
	unsigned from, to;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!health_status_parse(list->v[i], &from, &to))
			service_reading_tell(r, PROBLEM_ERROR,
			    SERVICE_OPTION_HEALTH_STATUSES,
			    "%.*s: wants statuses, as \"200\" or \"200-299\"",
			    STR_ARG(list->v[i]));
}

static void
check_headers(const struct service_reading *r, const struct str_list *list)
{
	struct str name, value;
	size_t i;

	if (list->n > HEALTH_HEADERS_MOST)
		service_reading_tell(r, PROBLEM_ERROR,
		    SERVICE_OPTION_HEALTH_HEADERS, "wants at most %d",
		    HEALTH_HEADERS_MOST);
	for (i = 0; i < list->n; i++)
		if (!health_header_parse(list->v[i], &name, &value))
			service_reading_tell(r, PROBLEM_ERROR,
			    SERVICE_OPTION_HEALTH_HEADERS,
			    "%.*s: wants \"NAME: VALUE\", and nothing that "
			    "says whose the message is or where it ends (for "
			    "Host take services.health.host)",
			    STR_ARG(list->v[i]));
}

static void
check_bytes(const struct service_reading *r, enum service_option o,
    struct str base64, bool may_be_empty)
{
	struct text bytes = TEXT_EMPTY;

	if (!health_bytes(base64, &bytes) || (bytes.len == 0 && !may_be_empty))
		service_reading_tell(r, PROBLEM_ERROR, o,
		    "%.*s: wants base64 of at most %d bytes, as \"UElORw==\"",
		    STR_ARG(base64), HEALTH_TCP_MOST);
	text_free(&bytes);
}

static void
check_talk(const struct service_reading *r, const struct health_settings *s)
{
	size_t i;

	check_bytes(r, SERVICE_OPTION_HEALTH_TCP_SEND, s->tcp_send, true);
	for (i = 0; i < s->tcp_receive.n; i++)
		check_bytes(r, SERVICE_OPTION_HEALTH_TCP_RECEIVE,
		    s->tcp_receive.v[i], false);
}

static bool
is_given(const struct service_reading *r, enum service_option o)
{
	return service_reading_find(r, o) != NULL;
}

void
config_check_health(
    const struct service_reading *r, const struct service_options *o)
{
	check_texts(r, &o->health);
	check_statuses(r, &o->health.statuses);
	check_headers(r, &o->health.headers);
	check_talk(r, &o->health);
	if (o->health.kind != HEALTH_NONE && o->wildcard.len > 0)
		service_reading_tell(r, PROBLEM_WARNING,
		    SERVICE_OPTION_HEALTH_CHECK,
		    "the names of a wildcard are not checked: nobody knows "
		    "them before they are asked for; services.outlier works "
		    "for each");
	if (is_given(r, SERVICE_OPTION_OUTLIER_MOST_MS) &&
	    o->outlier.most_ms < o->outlier.base_ms)
		service_reading_tell(r, PROBLEM_ERROR,
		    SERVICE_OPTION_OUTLIER_MOST_MS,
		    "is less than outlier.base_ejection_ms (%u)",
		    o->outlier.base_ms);
	if (o->outlier.splits_local && o->outlier.consecutive_local == 0 &&
	    is_given(r, SERVICE_OPTION_OUTLIER_SPLITS))
		service_reading_tell(r, PROBLEM_WARNING,
		    SERVICE_OPTION_OUTLIER_SPLITS,
		    "nothing counts what has no answer: set "
		    "outlier.consecutive_local_origin_failure too");
}
