/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_STRICT_H
#define HTTP_STRICT_H

/*
 * What a message may not say, because the next one in the chain could take it
 * for something else: for both versions of HTTP, since what came in one may be
 * told in the other.  Pure.
 */

#include <stdbool.h>

#include "http/head.h"

/*
 * uri-host [ ":" port ], the host not empty (RFC 9110, section 4.2.1).  Of what
 * RFC 3986 allows in names, escapes are refused, which some undo and some do
 * not, and the comma, which is how some join two Hosts.
 */
bool strict_is_authority(struct str s);
/*
 * Behind CGI's interface, and all that took its names over, Content_Length is
 * what it looks like.
 */
bool strict_is_disguise(struct str name);
/* A token that is no disguise. */
bool strict_is_name(struct str name);
/* No control bytes but tabs. */
bool strict_is_value(struct str s);
/* Visible ASCII without a fragment. */
bool strict_is_target(struct str s);
/*
 * Of a request whose body is known.  A token (RFC 9110, section 9.1); not HEAD
 * or the like in another case, which some would obey; not PRI, which is how
 * HTTP/2 begins (RFC 9113, section 11.6); no body with TRACE (RFC 9110, section
 * 9.3.8), where some do not look for one.
 */
bool strict_is_method(const struct head *h);

#endif
