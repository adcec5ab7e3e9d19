/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which entry an option of a service comes from.  How entries are read is in
 * daemon/config_services.c.  Any thread.
 */

#include "policy/service_options.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "policy/service_option.h"

/* Made of the table by the first who asks, then constant. */
static struct service_options standard;

static struct str_list
standard_list(struct str words)
{
	struct str *v = xcalloc(words.len + 1, sizeof(*v));
	struct str_list list = { .v = v };

	while (words.len > 0)
		v[list.n++] = str_cut(&words, ' ');
	return list;
}

/* Defaults are ours, and a test walks them all. */
static unsigned
standard_number(struct str text)
{
	uint64_t n = 0;

	if (!str_to_u64(text, UINT32_MAX, &n))
		abort();
	return (unsigned)n;
}

static unsigned
standard_word(struct str words, struct str word)
{
	unsigned i;

	for (i = 0; words.p != NULL; i++)
		if (str_eq(str_cut(&words, '|'), word))
			return i;
	abort();
}

static void
set_standard(const struct service_option_row *r)
{
	void *to = (char *)&standard + r->offset;
	struct str text = str_of(r->standard);

	switch (r->type) {
	case SERVICE_VALUE_STR:
		*(struct str *)to = text;
		break;
	case SERVICE_VALUE_STRS:
		*(struct str_list *)to = standard_list(text);
		break;
	case SERVICE_VALUE_UINT:
		*(unsigned *)to = standard_number(text);
		break;
	case SERVICE_VALUE_BOOL:
		*(bool *)to = str_eq(text, STR("true"));
		break;
	case SERVICE_VALUE_ONE_OF:
		*(unsigned *)to = standard_word(str_of(r->words), text);
		break;
	}
}

static void
make_standard(void)
{
	enum service_option i;

	for (i = 0; i < SERVICE_OPTION_N; i++)
		set_standard(&service_option_rows[i]);
	service_options_derive(&standard);
}

const struct service_options *
service_options_standard(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make_standard);
	return &standard;
}

void
service_options_derive(struct service_options *o)
{
	o->host_name = STR_NONE;
	if (str_eq(o->host_text, STR("endpoint"))) {
		o->host = HOST_ENDPOINT;
	} else if (str_eq(o->host_text, STR("keep"))) {
		o->host = HOST_KEEP;
	} else {
		o->host = HOST_NAMED;
		o->host_name = o->host_text;
	}
}

struct service_options *
service_options_ref(struct service_options *o)
{
	ref_up(&o->ref);
	return o;
}

void
service_options_unref(struct service_options *o)
{
	if (o != NULL && ref_down(&o->ref))
		free(o);
}

static bool
is_meant(struct str wanted, struct str name)
{
	return wanted.len == 0 || str_eq(wanted, name);
}

bool
service_entry_matches(
    const struct service_entry *e, struct str mesh, struct str service)
{
	return is_meant(e->mesh, mesh) && is_meant(e->service, service);
}

bool
service_entry_gives_nothing(const struct service_entry *e)
{
	size_t i;

	for (i = 0; i < SERVICE_OPTION_N; i++)
		if (e->given[i])
			return false;
	return true;
}

/* More is more specific. */
static unsigned
rank_of(const struct service_entry *e)
{
	return (e->service.len > 0 ? 2u : 0u) + (e->mesh.len > 0 ? 1u : 0u);
}

static void
note_better(const struct service_entry *e, const struct service_entry **best)
{
	unsigned o;

	for (o = 0; o < SERVICE_OPTION_N; o++)
		if (e->given[o] &&
		    (best[o] == NULL || rank_of(e) > rank_of(best[o])))
			best[o] = e;
}

void
service_options_choose(const struct service_entry *entries, size_t n,
    struct str mesh, struct str service,
    const struct service_entry *best[SERVICE_OPTION_N])
{
	size_t i;

	memset(best, 0, SERVICE_OPTION_N * sizeof(*best));
	for (i = 0; i < n; i++)
		if (service_entry_matches(&entries[i], mesh, service))
			note_better(&entries[i], best);
}

void
service_options_of(const struct service_entry *entries, size_t n,
    struct str mesh, struct str service, struct service_options *out)
{
	const struct service_entry *best[SERVICE_OPTION_N];
	enum service_option o;

	service_options_choose(entries, n, mesh, service, best);
	*out = *service_options_standard();
	for (o = 0; o < SERVICE_OPTION_N; o++)
		if (best[o] != NULL)
			service_option_copy(o, &best[o]->options, out);
	service_options_derive(out);
}

const struct service_entry *
service_options_source(const struct service_entry *entries, size_t n,
    struct str mesh, struct str service, enum service_option o)
{
	const struct service_entry *best = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (service_entry_matches(&entries[i], mesh, service) &&
		    entries[i].given[o] &&
		    (best == NULL || rank_of(&entries[i]) > rank_of(best)))
			best = &entries[i];
	return best;
}

bool
service_options_allow_upgrade(const struct service_options *o, struct str token)
{
	size_t i;

	for (i = 0; i < o->upgrades.n; i++)
		if (str_eq_nocase(o->upgrades.v[i], token))
			return true;
	return false;
}

/* "_mongodb._tcp.example" is "example" (RFC 2782). */
struct str
service_options_domain(const struct service_options *o, struct str host)
{
	struct str rest = host;
	unsigned labels;

	for (labels = 0; o->srv && labels < 2; labels++) {
		if (!str_starts(rest, STR("_")))
			return host;
		(void)str_cut(&rest, '.');
	}
	return rest.len > 0 ? rest : host;
}
