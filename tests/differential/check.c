/* SPDX-License-Identifier: Apache-2.0 */
/* See check.h. */

#include "differential/check.h"

#include "differential/ours.h"
#include "differential/theirs.h"

/* A target as it was sent, and the path that it leads to. */
static bool
leads_to(struct str target, struct str path)
{
	if (str_starts(target, STR("/")))
		return str_eq(target, path);
	return str_ends(target, path) || str_eq(path, STR("/")) ||
	       str_eq(path, STR("*"));
}

/* An authority in the target is that of Host (RFC 9112, section 3.2.2). */
static bool
names_host(const struct message *m)
{
	struct str rest = m->target, host = fields_get(&m->fields, "host");
	ptrdiff_t colon = str_index(rest, ':');

	if (str_starts(rest, STR("/")) || str_eq(m->method, STR("CONNECT")) ||
	    colon == -1)
		return true;
	rest = str_from(rest, (size_t)colon + STR("://").len);
	return str_eq_nocase(str_first(rest, host.len), host) &&
	       (rest.len == host.len || rest.p[host.len] == '/');
}

static const char *
same_message(const struct message *a, const struct message *b)
{
	struct message path = *a;

	if (!leads_to(a->target, b->target))
		return "the session leads elsewhere";
	if (!names_host(a))
		return "the target names another host";
	path.target = b->target;
	if (message_head_differs(&path, b) != NULL)
		return "the session reads another head";
	if (a->is_whole != b->is_whole)
		return "the session finds another end";
	/* Of bytes that come together it gives none if some are bad. */
	if (a->is_whole ? !str_eq(text_str(&a->body), text_str(&b->body))
			: !str_starts(text_str(&a->body), text_str(&b->body)))
		return "the session reads another body";
	return fields_differ(&a->trailers, &b->trailers) != NULL
		   ? "the session reads other trailers"
		   : NULL;
}

/* No line in it that a complete head has to end with, nor an odd end. */
static bool
is_open_head(struct str s)
{
	for (size_t i = 2; i < s.len; i++)
		if (s.p[i] == '\n' &&
		    (s.p[i - 1] != '\r' || s.p[i - 2] == '\n' ||
			s.p[i - 2] == '\r'))
			return false;
	return true;
}

const char *
check_pieces(
    const struct reading *ours, const struct reading *whole, struct str bytes)
{
	size_t end = ours->n > 0 ? ours->v[ours->n - 1]->end : 0;

	/* 0: the bytes ended before it was. */
	if (ours->code == 0 && whole->ending == READING_REFUSED &&
	    ours->n == whole->n && is_open_head(str_from(bytes, end)))
		return NULL;
	if (ours->ending != whole->ending || ours->code != whole->code)
		return "in one piece it ends otherwise";
	if (ours->n != whole->n)
		return "in one piece there are more or fewer messages";
	for (size_t i = 0; i < ours->n; i++)
		if (ours->v[i]->end != whole->v[i]->end ||
		    message_head_differs(ours->v[i], whole->v[i]) != NULL ||
		    !str_eq(text_str(&ours->v[i]->body),
			text_str(&whole->v[i]->body)))
			return "in one piece a message is another";
	return NULL;
}

const char *
check_session(const struct reading *ours, const struct reading *session)
{
	const char *bad = NULL;

	/* It knows that nobody asked to switch. */
	if (ours->ending == READING_SWITCHED ||
	    session->ending == READING_SWITCHED)
		return NULL;
	if (ours->n != session->n)
		return "the session reads another number of messages";
	if ((ours->ending == READING_REFUSED) !=
	    (session->ending == READING_REFUSED))
		return "only one of session and parser refuses";
	for (size_t i = 0; i < ours->n && bad == NULL; i++)
		bad = same_message(ours->v[i], session->v[i]);
	return bad;
}

enum { METHOD, SWITCH, PREFIX };

struct exception exceptions[EXCEPTIONS] = {
	[METHOD] = { "a method that they do not know",
	    "RFC 9110, 9.1: any token is a method; it is the server's to "
	    "refuse",
	    0 },
	[PREFIX] = { "a name that begins with Transfer-Encoding",
	    "RFC 9110, 5.1: names are whole tokens; they note it too soon", 0 },
	[SWITCH] = { "a wish to upgrade ends what they read",
	    "RFC 9110, 7.8: it may be ignored, and HTTP/1.1 goes on", 0 },
};

static bool
has_longer_name(const struct fields *f, struct str begin)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].name.len > begin.len &&
		    str_eq_nocase(str_first(f->v[i].name, begin.len), begin))
			return true;
	return false;
}

/* They read it wrongly, so that all that follows is wrong. */
static bool
is_misread(const struct message *m)
{
	if (!has_longer_name(&m->fields, STR("transfer-encoding")))
		return false;
	exceptions[PREFIX].times++;
	return true;
}

/* They stop where we go on, and may. */
static bool
is_excused(const struct reading *theirs, const struct message *next)
{
	if (theirs->ending == READING_SWITCHED) {
		exceptions[SWITCH].times++;
		return true;
	}
	if (theirs->ending == READING_REFUSED &&
	    theirs_is_bad_method(theirs->code) && next->method.len > 0 &&
	    !theirs_has_method(next->method)) {
		exceptions[METHOD].times++;
		return true;
	}
	return false;
}

static const char *
agree(const struct message *a, const struct message *b)
{
	const char *bad = message_head_differs(a, b);

	if (bad != NULL)
		return bad;
	if (!bodies_agree(a, b))
		return "the body";
	if (!a->is_whole)
		return NULL;
	if (!b->is_whole)
		return "whether it is whole";
	if (a->end != b->end)
		return "where it ends";
	if (a->body.len != b->body.len)
		return "the length of the body";
	return fields_differ(&a->trailers, &b->trailers);
}

const char *
check_theirs(const struct reading *ours, const struct reading *theirs)
{
	const char *bad;

	for (size_t i = 0; i < ours->n; i++) {
		if (is_misread(ours->v[i]))
			return NULL;
		if (i >= theirs->n ||
		    (i + 1 == theirs->n && !theirs->v[i]->is_whole &&
			ours->v[i]->is_whole &&
			theirs->ending == READING_REFUSED))
			return is_excused(theirs, ours->v[i])
				   ? NULL
				   : "they refuse what we take";
		bad = agree(ours->v[i], theirs->v[i]);
		if (bad != NULL)
			return bad;
	}
	return NULL;
}

/* Fields that a gateway takes out or makes anew (RFC 9110, section 7.6). */
static const char *const not_forwarded[] = { "connection", "keep-alive",
	"proxy-connection", "proxy-authorization", "te", "transfer-encoding",
	"upgrade", "content-length" };
/* And those of requests that are ours alone, or the mesh's. */
static const char *const not_theirs[] = { "host", "x-forwarded-proto",
	"x-request-id" };
static const struct str of_the_mesh[] = { STR("x-forwarded-client-cert"),
	STR("x-kuma-tags") };

static bool
is_in_list(struct str list, struct str name)
{
	while (list.len > 0)
		if (str_eq_nocase(str_trim(str_cut(&list, ',')), name))
			return true;
	return false;
}

static bool
is_one_of(struct str name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(name, str_of(list[i])))
			return true;
	return false;
}

/* Servers in the manner of CGI take '_' for '-' (RFC 3875, section 4.1.18). */
static bool
is_of_the_mesh(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(of_the_mesh); i++) {
		size_t n = 0;

		while (n < name.len && n < of_the_mesh[i].len &&
		       (ascii_lower_char(name.p[n]) == of_the_mesh[i].p[n] ||
			   (name.p[n] == '_' && of_the_mesh[i].p[n] == '-')))
			n++;
		if (n == name.len && n == of_the_mesh[i].len)
			return true;
	}
	return false;
}

static bool
has_field_of_the_mesh(const struct fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (is_of_the_mesh(f->v[i].name))
			return true;
	return false;
}

/* Connection of a may name it. */
static bool
goes_through(const struct fields *a, struct str name, bool is_request)
{
	if (is_one_of(name, not_forwarded, ARRAY_LEN(not_forwarded)) ||
	    (is_request &&
		(is_one_of(name, not_theirs, ARRAY_LEN(not_theirs)) ||
		    is_of_the_mesh(name))))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (str_eq_nocase(a->v[i].name, STR("connection")) &&
		    is_in_list(a->v[i].value, name))
			return false;
	return true;
}

static void
filter(const struct fields *in, bool is_request, struct fields *out)
{
	out->n = 0;
	for (size_t i = 0; i < in->n; i++)
		if (goes_through(in, in->v[i].name, is_request))
			out->v[out->n++] = in->v[i];
}

/* What came through is all of what may, in order. */
static const char *
same_fields(
    const struct fields *taken, const struct fields *sent, bool is_request)
{
	static struct fields want, got;

	filter(taken, is_request, &want);
	filter(sent, is_request, &got);
	return fields_differ(&want, &got);
}

/* Each is there that only sums up the body, and none that was not. */
static const char *
same_trailers(const struct fields *taken, const struct fields *sent)
{
	size_t at = 0;

	for (size_t i = 0; i < taken->n; i++) {
		if (at < sent->n &&
		    str_eq(taken->v[i].name, sent->v[at].name) &&
		    str_eq(taken->v[i].value, sent->v[at].value))
			at++;
		else if (str_starts(taken->v[i].name, STR("x-sum")))
			return "a trailer is lost";
	}
	return at == sent->n ? NULL : "a trailer was made up";
}

/* Ours alone: nobody else may have a word in it. */
static const char *
check_ours(const struct message *taken, const struct message *sent)
{
	struct str connection = fields_get(&sent->fields, "connection");
	struct str id = fields_get(&sent->fields, "x-request-id");

	if (!str_eq(fields_get(&taken->fields, "host"),
		fields_get(&sent->fields, "host")) ||
	    fields_count(&sent->fields, "host") != 1)
		return "Host";
	if (connection.p != NULL && !str_eq(connection, STR("TE")))
		return "Connection";
	if (fields_count(&sent->fields, "x-request-id") != 1 || id.len == 0)
		return "x-request-id";
	if (has_field_of_the_mesh(&sent->fields))
		return "a field of the mesh";
	return NULL;
}

static const char *
check_forwarded(const struct message *taken, const struct message *sent)
{
	bool is_request = taken->status == 0;
	const char *bad = NULL;

	if (!str_eq(taken->method, sent->method))
		return "the method";
	if (!str_eq(taken->target, sent->target))
		return "the target";
	if (taken->status != sent->status)
		return "the status";
	if (is_request)
		bad = check_ours(taken, sent);
	if (bad == NULL)
		bad = same_fields(&taken->fields, &sent->fields, is_request);
	if (bad == NULL && !bodies_agree(taken, sent))
		bad = "the body";
	if (bad == NULL && taken->is_whole)
		bad = same_trailers(&taken->trailers, &sent->trailers);
	return bad;
}

/* Messages from first on are what was read of the sent bytes. */
static const char *
check_reading(const struct reading *in, size_t first, size_t n,
    const struct reading *sent, size_t len)
{
	const struct message *last = in->v[first + n - 1];
	const char *bad = NULL;

	if (sent->n != n)
		return "another number of messages is sent";
	for (size_t i = 0; i < n && bad == NULL; i++)
		bad = check_forwarded(in->v[first + i], sent->v[i]);
	if (bad != NULL)
		return bad;
	if (sent->v[n - 1]->is_whole && !last->is_whole)
		return "a part is sent as a whole";
	if (!last->is_whole)
		return NULL;
	if (!sent->v[n - 1]->is_whole ||
	    sent->v[n - 1]->body.len != last->body.len)
		return "a whole is sent as a part";
	return sent->v[n - 1]->end == len ? NULL : "more than it is sent";
}

/* The exceptions hold for what is sent, too. */
static bool
are_beyond_them(struct message *const *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((m[i]->status == 0 && !theirs_has_method(m[i]->method)) ||
		    has_longer_name(&m[i]->fields, STR("transfer-encoding")))
			return true;
	return false;
}

static const char *
check_bytes(const struct passage *p, size_t first, size_t n, struct str sent,
    const struct stream_kind *kind)
{
	struct pieces all = { .bytes = sent, .cuts = { sent.len }, .n = 1 };
	struct reading ours, theirs;
	const char *bad;

	ours_read(&ours, &all, kind);
	bad = check_reading(&p->in, first, n, &ours, sent.len);
	reading_fini(&ours);
	theirs_read(&theirs, &all, kind);
	if (bad == NULL && !are_beyond_them(p->in.v + first, n))
		bad = check_reading(&p->in, first, n, &theirs, sent.len);
	reading_fini(&theirs);
	return bad;
}

const char *
check_sent(const struct passage *p, const struct stream_kind *kind)
{
	/* Answers go out in chunks where only the end would end them. */
	struct stream_kind sent = { .is_requests = kind->is_requests,
		.answers_head = kind->answers_head,
		.is_sent = true };
	const char *bad = NULL;

	if (!kind->is_requests)
		return p->n_sent == 0 || p->in.n == 0
			   ? NULL
			   : check_bytes(
				 p, 0, p->in.n, text_str(&p->sent[0]), &sent);
	for (size_t i = 0; i < p->n_sent && bad == NULL; i++)
		bad = check_bytes(p, i, 1, text_str(&p->sent[i]), &sent);
	return bad;
}
