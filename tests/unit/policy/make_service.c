/* SPDX-License-Identifier: Apache-2.0 */
/* Services by hand; see make_service.h. */

#include "make_service.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/fingerprint.h"
#include "policy/service_option.h"
#include "policy/service_seal.h"

#define MOST 8

static struct principal
parse_principal(struct arena *a, struct str word)
{
	struct principal p = { .tests =
				   arena_alloc(a, MOST * sizeof(*p.tests)) };

	if (str_eq(word, STR("*")))
		return p;
	while (word.p != NULL)
		p.tests[p.n_tests++].uri = arena_str(a, str_cut(&word, '+'));
	return p;
}

static struct rule
parse_rule(struct arena *a, struct str line, unsigned number)
{
	struct str word = str_cut(&line, ' ');
	struct rule r = {
		.effect = str_eq(word, STR("shadow"))  ? RULE_ALLOW_SHADOW_DENY
			  : str_eq(word, STR("allow")) ? RULE_ALLOW
						       : RULE_DENY,
		.is_report = str_eq(word, STR("report")),
		.principals = arena_alloc(a, MOST * sizeof(*r.principals)),
		.origin = { .text = str_of(arena_printf(
				a, "test:%u Rule/r%u", number, number)) },
	};

	while (line.p != NULL)
		r.principals[r.n_principals++] =
		    parse_principal(a, str_cut(&line, ' '));
	return r;
}

static void
seal_rules(struct service *s, struct rule_block *b, struct fingerprint *f)
{
	struct rule_block *made;

	rule_block_digest(b, f);
	made = rule_block_new(b);
	s->rulesets[s->n_rulesets++] = (struct ruleset){
		.digest = made->digest,
		.rules = made->rules,
		.n_rules = made->n_rules,
		.block = made,
	};
	b->n_rules = 0;
}

static void
add_rules(
    struct service *s, const char *text, struct arena *a, struct fingerprint *f)
{
	struct str rest = str_of(text), line;
	struct rule_block b = { .rules =
				    arena_alloc(a, MOST * sizeof(*b.rules)) };
	unsigned number = 0;

	s->rulesets = arena_alloc(a, MOST * sizeof(*s->rulesets));
	if (text == NULL)
		return;
	while (rest.p != NULL) {
		line = str_cut(&rest, '\n');
		if (str_eq(line, STR("--")))
			seal_rules(s, &b, f);
		else if (line.len > 0)
			b.rules[b.n_rules++] = parse_rule(a, line, ++number);
	}
	seal_rules(s, &b, f);
}

static struct endpoint *
make_endpoint(const char *text, unsigned *weight, struct fingerprint *f)
{
	char key[64], host[64];
	struct endpoint draft = { .port = 443, .weight = 1 };
	struct str where;

	*weight = 1;
	if (sscanf(text, "%63s %63s %u", key, host, weight) < 2)
		abort();
	where = str_of(host);
	draft.key = str_of(key);
	draft.host = str_cut(&where, '@');
	draft.zone = where;
	draft.weight = *weight;
	draft.origin = STR("test:1 Endpoint/e");
	return endpoint_seal(&draft, NULL, f);
}

struct service *
make_service_with(const char *name, const char *rules, const char *const *local,
    const char *const *remote, void (*change)(struct service *draft))
{
	struct service_endpoint l[MOST] = { { .ruleset = 0 } };
	struct service_endpoint r[MOST] = { { .ruleset = 0 } };
	struct service s = { .mesh = STR("m"), .local = l, .remote = r };
	struct service *made;
	struct fingerprint f;
	struct arena a;
	unsigned weight;

	fingerprint_init(&f);
	arena_init(&a, 0);
	s.name = str_of(name);
	s.key = str_of(arena_printf(&a, "m/ES/%s", name));
	s.stats_name = str_of(arena_printf(&a, "m_%s", name));
	s.origin =
	    str_of(arena_printf(&a, "a file:7 ExternalService/%s", name));
	s.snis = arena_alloc(&a, sizeof(*s.snis));
	s.snis[s.n_snis++] = str_of(arena_printf(&a, "%s{mesh=m}", name));
	add_rules(&s, rules, &a, &f);
	for (; local != NULL && local[s.n_local] != NULL; s.n_local++) {
		l[s.n_local].endpoint =
		    make_endpoint(local[s.n_local], &weight, &f);
		l[s.n_local].is_zoned = l[s.n_local].endpoint->zone.len > 0;
		if (s.n_local < s.n_rulesets)
			l[s.n_local].ruleset = (unsigned)s.n_local;
	}
	for (; remote != NULL && remote[s.n_remote] != NULL; s.n_remote++)
		r[s.n_remote].endpoint =
		    make_endpoint(remote[s.n_remote], &weight, &f);
	s.options = service_options_seal(service_options_standard(), &f);
	if (change != NULL)
		change(&s);
	service_options_digest(s.options, &f);
	made = service_seal(&s, NULL, &f);
	arena_fini(&a);
	fingerprint_fini(&f);
	return made;
}

struct service *
make_service(const char *name, const char *rules, const char *const *local,
    const char *const *remote)
{
	return make_service_with(name, rules, local, remote, NULL);
}
