/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others may ask about a TLS wire: who is there, what was agreed on, and
 * why it failed.  Thread of the wire.
 */

#include <stdio.h>

#include "tls/cert.h"
#include "tls/library.h"
#include "tls/wire_tls_state.h"

enum tls_failure
wire_tls_failure(const struct wire *w)
{
	const struct tls_wire *t = w->impl;

	return t->peer.failure;
}

struct str
wire_tls_failure_text(const struct wire *w)
{
	const struct tls_wire *t = w->impl;

	return text_str(&t->peer.why);
}

bool
wire_tls_is_alpn_wrong(const struct wire *w)
{
	const struct tls_wire *t = w->impl;

	return t->peer.is_alpn_wrong;
}

const struct identity *
wire_tls_identity(const struct wire *w)
{
	const struct tls_wire *t = w->impl;

	return t->stage == TLS_OPEN ? t->peer.identity : NULL;
}

static int64_t
shown_end_s(SSL *ssl)
{
	STACK_OF(X509) *shown = SSL_get_peer_cert_chain(ssl);
	int64_t end_s = INT64_MAX;

	if (shown != NULL)
		end_s = cert_earliest_end(shown);
	return end_s != INT64_MAX ? end_s : 0;
}

int64_t
wire_tls_chain_end_s(const struct wire *w)
{
	const struct tls_wire *t = w->impl;

	return t->ssl != NULL ? shown_end_s(t->ssl) : 0;
}

/* What was verified need not be all that was shown. */
static int64_t
chain_end_s(const struct tls_wire *t)
{
	int64_t verified_s = t->peer.not_after_s;

	if (SSL_session_reused(t->ssl) == 1)
		return 0;
	if (verified_s > 0 && verified_s != INT64_MAX)
		return verified_s;
	return shown_end_s(t->ssl);
}

static void
add_certificate(SSL *ssl, struct tls_info *out)
{
	const X509 *leaf = SSL_get0_peer_certificate(ssl);
	struct text subject = TEXT_EMPTY;
	struct str s;

	if (leaf == NULL)
		return;
	cert_print_subject(leaf, &subject);
	s = text_str(&subject);
	/* Its quotes are for the middle of a sentence. */
	if (s.len > 1 && s.p[0] == '"')
		s = str_first(str_from(s, 1), s.len - 2);
	snprintf(
	    out->peer_subject, sizeof(out->peer_subject), "%.*s", STR_ARG(s));
	text_free(&subject);
	out->peer_not_after_s = cert_not_after(leaf);
}

void
tls_wire_ask(const struct tls_wire *t, struct tls_info *out)
{
	SSL *ssl = t->ssl;
	const unsigned char *alpn = NULL;
	unsigned len = 0;

	SSL_get0_alpn_selected(ssl, &alpn, &len);
	*out = (struct tls_info){
		.version = SSL_get_version(ssl),
		.cipher = SSL_get_cipher_name(ssl),
		.group = library_group(ssl),
		.is_resumed = SSL_session_reused(ssl) == 1,
		.sni = t->peer.sni,
		.alpn = { .p = (const void *)alpn, .len = len },
	};
	out->chain_end_s = chain_end_s(t);
	add_certificate(ssl, out);
}

void
wire_tls_info(const struct wire *w, struct tls_info *out)
{
	const struct tls_wire *t = w->impl;

	if (tls_own_is_on(t))
		*out = t->own->info;
	else
		tls_wire_ask(t, out);
}
