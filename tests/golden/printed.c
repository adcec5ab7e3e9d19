/* SPDX-License-Identifier: Apache-2.0 */
/* See printed.h.  A service is a block of lines, read once for each fact. */

#include "printed.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lines.h"
#include "printed_rules.h"

#define MOST_ENDPOINTS 64

static bool
has_line(struct str block, struct str start)
{
	struct str line;

	while (next_line(&block, &line))
		if (str_starts(line, start))
			return true;
	return false;
}

/* The value of the first word KEY=value; STR_NONE: there is none. */
static struct str
word_of(struct str line, struct str key)
{
	struct str word;

	while (line.len > 0) {
		word = str_cut(&line, ' ');
		if (str_starts(word, key))
			return str_from(word, key.len);
	}
	return STR_NONE;
}

static const char *
as_what(struct str block)
{
	struct str line, protocol = STR_NONE;

	if (!has_line(block, STR("  endpoint ")))
		return has_line(block, STR("  relay ")) ? "relay"
							: "unreachable";
	while (next_line(&block, &line))
		if (str_starts(line, STR("  kind=")))
			protocol = word_of(line, STR("protocol="));
	return str_starts(protocol, STR("http")) ||
		       str_eq(protocol, STR("grpc"))
		   ? "http"
		   : "tcp";
}

struct place {
	struct str where;
	struct str weight;
	unsigned long priority;
};

static size_t
read_places(struct str block, struct place *v)
{
	bool has_local = has_line(block, STR("  endpoint "));
	bool is_ranked = false, is_relay;
	struct str line;
	size_t n = 0;

	while (next_line(&block, &line)) {
		is_ranked |= str_starts(line, STR("  kind=")) &&
			     str_ends(line, STR(" locality-aware"));
		is_relay = str_starts(line, STR("  relay "));
		if (!is_relay && !str_starts(line, STR("  endpoint ")))
			continue;
		if (n == MOST_ENDPOINTS)
			abort();
		line = str_trim(line);
		str_cut(&line, ' ');
		str_cut(&line, ' ');
		v[n].where = str_cut(&line, ' ');
		v[n].weight = word_of(line, STR("weight="));
		v[n].priority = strtoul(word_of(line, STR("priority=")).len > 0
					    ? word_of(line, STR("priority=")).p
					    : "0",
		    NULL, 10);
		v[n++].priority += is_relay && is_ranked && has_local;
	}
	return n;
}

/* Only their order is the same: 0, 2, 3 stands for 0, 1, 2. */
static size_t
rank_of(const struct place *v, size_t n, size_t i)
{
	size_t below = 0, k, j;

	for (k = 0; k < n; k++) {
		for (j = 0; j < k && v[j].priority != v[k].priority;)
			j++;
		below += j == k && v[k].priority < v[i].priority;
	}
	return below;
}

static void
add_endpoints(struct str block, struct str name, struct facts *out)
{
	struct place v[MOST_ENDPOINTS];
	struct lines l = LINES_NONE;
	size_t n = read_places(block, v), i, rank;

	for (i = 0; i < n; i++) {
		rank = rank_of(v, n, i);
		lines_add(&l,
		    rank == 0 ? xasprintf("%.*s*%.*s", STR_ARG(v[i].where),
				    STR_ARG(v[i].weight))
			      : xasprintf("%.*s*%.*s@%zu", STR_ARG(v[i].where),
				    STR_ARG(v[i].weight), rank));
	}
	lines_sort(&l);
	if (n > 0)
		facts_add(out, name, "endpoints", lines_take(&l, ","));
}

static char *
tls_text(struct str line)
{
	struct str ca = word_of(line, STR("ca="));
	struct str names = word_of(line, STR("names="));
	struct str versions = word_of(line, STR("versions="));
	struct lines l = LINES_NONE;
	struct text t = TEXT_EMPTY;

	text_addf(&t,
	    "sni:%.*s,ca:%s,names:", STR_ARG(word_of(line, STR("sni="))),
	    ca.len == 0 || str_eq(ca, STR("any")) ? "none"
	    : str_eq(ca, STR("system"))           ? "system"
						  : "given");
	while (names.len > 0)
		lines_add(&l, str_dup(str_cut(&names, ',')));
	if (l.n == 0)
		lines_add(&l, xstrdup("any"));
	lines_sort(&l);
	lines_join(&l, "+", &t);
	if (word_of(line, STR("client-certificate=")).len > 0)
		text_add_z(&t, ",client-certificate");
	if (!str_eq(versions, STR("1.2-1.3")))
		text_addf(&t, ",versions:%.*s", STR_ARG(versions));
	while (line.len > 0)
		if (str_eq(str_cut(&line, ' '), STR("renegotiation")))
			text_add_z(&t, ",renegotiation");
	return text_take(&t);
}

static void
add_tls(struct str block, struct str name, struct facts *out)
{
	struct str line;

	while (next_line(&block, &line))
		if (str_starts(line, STR("    tls ")))
			facts_add(out, name, "tls", tls_text(line));
}

/* As Envoy has them: in digits of base 16. */
static char *
hex_of(struct str list)
{
	struct text bytes = TEXT_EMPTY, t = TEXT_EMPTY;
	struct str one;

	if (str_starts(list, STR("[")))
		list = str_first(str_from(list, 1), list.len - 2);
	while (list.len > 0) {
		one = str_cut(&list, ',');
		text_clear(&bytes);
		if (!base64_decode(one, &bytes))
			abort();
		for (size_t i = 0; i < bytes.len; i++)
			text_addf(&t, "%02x", (unsigned char)bytes.p[i]);
		text_add_z(&t, list.len > 0 ? "," : "");
	}
	text_free(&bytes);
	return text_take(&t);
}

/* Up to a space that is in neither quotes nor brackets. */
static struct str
cut_option(struct str *rest)
{
	bool is_quoted = false;
	size_t i, depth = 0;
	struct str option;

	for (i = 0; i < rest->len; i++) {
		is_quoted ^= rest->p[i] == '"';
		depth += !is_quoted && rest->p[i] == '[';
		depth -= !is_quoted && rest->p[i] == ']';
		if (rest->p[i] == ' ' && !is_quoted && depth == 0)
			break;
	}
	option = str_first(*rest, i);
	*rest = str_from(*rest, i < rest->len ? i + 1 : i);
	return option;
}

static void
add_options(struct str block, struct str name, struct facts *out)
{
	struct str line, value;
	char *what;

	while (next_line(&block, &line)) {
		if (!str_starts(line, STR("  options: ")))
			continue;
		line = str_from(line, strlen("  options: "));
		while (line.len > 0) {
			value = cut_option(&line);
			what = str_dup(str_cut(&value, '='));
			facts_add(out, name, what,
			    str_starts(str_of(what), STR("health.tcp_"))
				? hex_of(value)
				: str_dup(value));
			free(what);
		}
	}
}

static void
describe(struct str block, struct facts *out)
{
	struct str rest = block, line, name;

	while (next_line(&rest, &line)) {
		if (!str_starts(line, STR("  sni ")))
			continue;
		name = str_from(line, strlen("  sni "));
		facts_add(out, name, "as", xstrdup(as_what(block)));
		add_endpoints(block, name, out);
		add_tls(block, name, out);
		add_options(block, name, out);
		printed_add_rules(block, name, out);
		printed_add_traffic(block, name, out);
	}
}

void
printed_describe(struct str printed, struct facts *out)
{
	struct str rest = printed, line, block;

	while (rest.len > 0) {
		block = rest;
		/* Its first line, and all that are set in. */
		next_line(&rest, &line);
		while (rest.len > 0 && rest.p[0] == ' ')
			next_line(&rest, &line);
		block.len -= rest.len;
		describe(block, out);
	}
}
