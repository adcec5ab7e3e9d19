/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TLS_SPEC_H
#define POLICY_TLS_SPEC_H

/*
 * How TLS towards one external server is to be set up: everything that makes a
 * difference, and nothing else, so that equal specs (by digest) share one
 * context.  Immutable, counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ref.h"
#include "base/str.h"
#include "policy/blob.h"

enum tls_name_match { TLS_NAME_EXACT, TLS_NAME_PREFIX, TLS_NAME_SUFFIX };

/* Which names of a certificate it may be found among. */
enum tls_name_kind {
	TLS_NAME_ANY, /* DNS, IP or URI, whichever the value looks like */
	TLS_NAME_DNS,
	TLS_NAME_IP,
	TLS_NAME_URI,
	TLS_NAME_EMAIL
};

struct tls_name {
	enum tls_name_match match;
	enum tls_name_kind kind;
	struct str value;
};

/* Of a stapled answer of OCSP; in the order of the words of its option. */
enum tls_ocsp { TLS_OCSP_OFF, TLS_OCSP_CHECK, TLS_OCSP_REQUIRE };

/* What is negotiated by lists of names that the TLS library knows. */
enum tls_choice {
	TLS_CHOICE_CIPHERS, /* of TLS 1.2 and before */
	TLS_CHOICE_CIPHERSUITES,
	TLS_CHOICE_GROUPS,
	TLS_CHOICE_SIGNATURES,
	TLS_CHOICE_N
};

#define TLS_RENEGOTIATIONS 3

struct tls_spec {
	struct ref ref;
	struct digest digest;
	struct str sni; /* empty: none is sent */
	bool verify_chain;
	bool verify_names;  /* one of names must match a SAN */
	bool use_system_ca; /* else ca; only with verify_chain */
	struct blob *ca;
	struct tls_name *names;
	size_t n_names;
	struct blob *cert; /* both or neither */
	struct blob *key;
	uint16_t min_version; /* 0x0303 … */
	uint16_t max_version;
	/* Said of it by name, whichever name is asked for. */
	bool is_sni_given;
	bool are_names_given;
	bool is_weak; /* with a version below 1.2, and what that takes */
	bool allow_renegotiation;
	unsigned renegotiations; /* at most; 0: TLS_RENEGOTIATIONS */
	bool no_resumption;
	struct str alpn; /* ids in order, by comma; empty: none offered */
	/* Revocation; only with verify_chain. */
	struct blob *crl;     /* PEM, of one or several; NULL: not asked */
	bool crl_whole_chain; /* or the server's certificate alone */
	enum tls_ocsp ocsp;
	/*
	 * TLS_CHOICE_N lists, by colon, empty: ours; NULL: all are.  A name
	 * behind a "?" is used if the library knows it.
	 */
	const struct str *choices;
};

struct tls_spec *tls_spec_ref(struct tls_spec *t);
void tls_spec_unref(struct tls_spec *t);
/* Empty: ours. */
struct str tls_spec_choice(const struct tls_spec *t, enum tls_choice what);

#endif
