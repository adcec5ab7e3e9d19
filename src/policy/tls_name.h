/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TLS_NAME_H
#define POLICY_TLS_NAME_H

/*
 * Expected names as an operator writes them: "dns:api.example",
 * "dns-suffix:.example", "prefix:api.", "ip:192.0.2.1", "uri:spiffe://mesh/a",
 * "uri-prefix:spiffe://mesh/", "email:ops@example".  Pure.
 */

#include "base/str.h"
#include "policy/tls_spec.h"

/* out is a view of text.  False: wants says what would be right. */
bool tls_name_parse(
    struct str text, struct tls_name *out, const char **wants) MUST_CHECK;

#endif
