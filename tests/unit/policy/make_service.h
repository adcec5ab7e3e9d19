/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MAKE_SERVICE_H
#define TESTS_MAKE_SERVICE_H

/* Services by hand, for tests of what is done with them. */

#include "policy/plan.h"
#include "policy/service.h"

/*
 * One service "m/ES/<name>" of mesh m with the server name <name>{mesh=m}.
 * rules: one line a rule, "allow|deny|shadow|report URI[+URI...] ..." or "*"
 * for any caller (report: a denial that is only reported); a line "--" starts
 * the next ruleset.  NULL: none. local: "key host[@zone]" each, one ruleset
 * each as far as there are any. remote: "key host weight" each.  Both end with
 * NULL, or are NULL.
 */
struct service *make_service(const char *name, const char *rules,
    const char *const *local, const char *const *remote);

/* As make_service(), with more of a draft changed before it is sealed. */
struct service *make_service_with(const char *name, const char *rules,
    const char *const *local, const char *const *remote,
    void (*change)(struct service *draft));

#endif
