/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TLS_CHOICE_H
#define TLS_TLS_CHOICE_H

/*
 * What may be negotiated, where an operator lists it by name: ciphers, suites,
 * groups, signature algorithms.  Which names there are is asked of the library
 * when it runs, so that a newer one brings its own.
 */

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/str.h"
#include "policy/tls_spec.h"

/* One name, without "?": does the library know it?  Else why says.  Any thread.
 */
bool tls_choice_is_known(
    enum tls_choice what, struct str name, struct text *why) MUST_CHECK;
/* Those that spec lists; what it does not list stays as ctx has it. */
bool tls_choice_set(
    SSL_CTX *ctx, const struct tls_spec *spec, struct text *why) MUST_CHECK;
/* Is there any list in it? */
bool tls_choice_is_made(const struct tls_spec *spec);

#endif
