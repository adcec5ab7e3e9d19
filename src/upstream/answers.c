/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing among the addresses of an endpoint.  A connection to ourselves
 * would come in as a caller's and go out again without end, so it is refused
 * whatever the configuration allows.
 */

#include "upstream/answers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

static bool
is_any(const struct addr *a)
{
	if (a->u.sa.sa_family == AF_INET)
		return a->u.in.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
}

static bool
is_loopback(const struct addr *a)
{
	if (a->u.sa.sa_family == AF_INET)
		return ntohl(a->u.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr))
		return a->u.in6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr);
}

/*
 * The kernel answers from the address itself when it is one of this host's;
 * connecting a datagram socket sends nothing.
 */
static bool
is_of_this_host(const struct addr *a)
{
	struct sockaddr_storage us;
	socklen_t len = sizeof(us);
	struct addr from;
	bool is_ours = false;
	int fd;

	if (is_any(a) || is_loopback(a))
		return true;
	fd = socket(a->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	if (connect(fd, &a->u.sa, a->len) == 0 &&
	    getsockname(fd, (void *)&us, &len) == 0 &&
	    addr_from_sockaddr((const void *)&us, len, &from))
		is_ours = addr_eq_host(&from, a);
	close(fd);
	return is_ours;
}

/* A listener on all of IPv6 takes IPv4 too. */
static bool
listens_for(const struct addr *any, const struct addr *a)
{
	return any->u.sa.sa_family == AF_INET6 ||
	       a->u.sa.sa_family == AF_INET ||
	       IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr) || is_any(a);
}

bool
answers_is_own(const struct addr *own, size_t n, const struct addr *a)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (addr_port(&own[i]) != addr_port(a))
			continue;
		if (addr_eq_host(&own[i], a))
			return true;
		if (is_any(&own[i]) && listens_for(&own[i], a) &&
		    is_of_this_host(a))
			return true;
		/* To connect to "any" is to connect to this host. */
		if (is_any(a) && is_of_this_host(&own[i]))
			return true;
	}
	return false;
}

static const char *
refused(const struct answers_rule *rule, const struct addr *a)
{
	const struct upstream_env *env = rule->env;
	bool is_v6 = a->u.sa.sa_family == AF_INET6;

	if (answers_is_own(env->own, env->n_own, a))
		return "it is a listener of this egress";
	if (is_v6 ? !rule->outward->uses_v6 : !rule->outward->uses_v4)
		return is_v6 ? "the service does not use IPv6"
			     : "the service does not use IPv4";
	return addr_refused(a, rule->rules, rule->is_literal);
}

static bool
puts_v4_first(const struct answers_rule *rule)
{
	const struct families *f = rule->families;
	bool prefers_v4 = rule->outward->prefers_v4;

	return families_is_unusable(
		   f, prefers_v4 ? AF_INET : AF_INET6, rule->now_ms)
		   ? !prefers_v4
		   : prefers_v4;
}

/* The i-th of this family among v, NULL: it has not so many. */
static const struct addr *
nth(const struct addr *v, size_t n, int af, size_t i)
{
	size_t k;

	for (k = 0; k < n; k++)
		if (v[k].u.sa.sa_family == af && i-- == 0)
			return &v[k];
	return NULL;
}

static size_t
count(const struct addr *v, size_t n, int af)
{
	size_t i, sum = 0;

	for (i = 0; i < n; i++)
		sum += v[i].u.sa.sa_family == af;
	return sum;
}

static void
add(struct answers *as, const struct answers_rule *rule,
    const struct addr *from, struct refused_answer *out)
{
	struct addr a = *from;
	const char *why;

	if (!rule->is_ordered)
		addr_set_port(&a, rule->port);
	why = refused(rule, &a);
	if (why == NULL)
		as->v[as->n++] = a;
	else if (out->why == NULL)
		*out = (struct refused_answer){ .addr = a, .why = why };
}

void
answers_set(struct answers *as, const struct answers_rule *rule,
    const struct addr *v, size_t n, struct refused_answer *out)
{
	const int first = puts_v4_first(rule) ? AF_INET : AF_INET6;
	const int families[] = { first, first == AF_INET ? AF_INET6 : AF_INET };
	size_t of_family[ARRAY_LEN(families)], i, k;

	out->why = NULL;
	as->n = 0;
	if (n == 0)
		return;
	as->v = xreallocarray(as->v, n, sizeof(*as->v));
	for (i = 0; i < n && rule->is_ordered; i++)
		add(as, rule, &v[i], out);
	for (k = 0; k < ARRAY_LEN(families); k++)
		of_family[k] = count(v, n, families[k]);
	for (i = 0; i < n && !rule->is_ordered; i++)
		for (k = 0; k < ARRAY_LEN(families); k++)
			if (i < of_family[k])
				add(as, rule,
				    nth(v, n, families[k],
					(rule->turn + i) % of_family[k]),
				    out);
}

void
answers_drop_spent(struct answers *as, const struct dial *d)
{
	size_t i, n = 0;

	for (i = 0; i < as->n; i++)
		if (!dial_is_spent(d, i))
			as->v[n++] = as->v[i];
	as->n = n;
}

void
answers_free(struct answers *as)
{
	free(as->v);
	*as = (struct answers){ .v = NULL };
}
