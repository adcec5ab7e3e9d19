/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_ENDPOINT_NAMED_H
#define POLICY_ENDPOINT_NAMED_H

/*
 * The endpoint of one name of a wildcard service, made of what its resource
 * says: the host is the name, and so are the server name of TLS and the one
 * name that the certificate has to have; port, CA, client certificate, weight
 * and the like are the resource's.  Any thread.
 */

#include "policy/service.h"

struct fingerprint;

/*
 * What such an endpoint's digest is: equal ones serve for each other.  The
 * settings of TLS have one of their own, by which they share a context.
 */
struct digest endpoint_named_digest(const struct endpoint *resource,
    struct str name, struct fingerprint *f) MUST_CHECK;
/* One reference, the caller's; its key is the resource's, "@" and the name. */
struct endpoint *endpoint_named(const struct endpoint *resource,
    struct str name, struct fingerprint *f) MUST_CHECK;
/* The resource's key out of such a one: it is what permission is about. */
struct str endpoint_named_resource(struct str key);

#endif
