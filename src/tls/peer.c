/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of what a connection knows about its other side.  Thread of the wire.
 */

#include "tls/peer.h"

#include <stdarg.h>
#include <stdio.h>

/* A sentence of strangers' names stays a sentence. */
#define WHY_MAX 1000

struct tls_peer *
peer_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}

void
peer_fini(struct tls_peer *p)
{
	identity_free(p->identity);
	p->identity = NULL;
	X509_free(p->issuer);
	p->issuer = NULL;
	text_free(&p->why);
}

void
peer_fail(struct tls_peer *p, enum tls_failure f, const char *fmt, ...)
{
	char line[WHY_MAX];
	va_list ap;

	if (p->failure != TLS_FAIL_NONE)
		return;
	p->failure = f;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_clear(&p->why);
	text_add_z(&p->why, line);
}
