/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading X.509 for decisions and for sentences.  Nothing is verified here,
 * and all text is made safe for a terminal and a log: certificates are written
 * by strangers.  Pure; any thread.
 */

#include "tls/cert.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "base/xalloc.h"

#define NAME_SHOWN_MAX 120
#define SANS_SHOWN_MAX 6
/* More names than this are not looked at; the certificate counts as odd. */
#define SANS_MAX 1000

int64_t
cert_seconds(const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

int64_t
cert_not_before(const X509 *c)
{
	return cert_seconds(X509_get0_notBefore(c));
}

int64_t
cert_not_after(const X509 *c)
{
	return cert_seconds(X509_get0_notAfter(c));
}

int64_t
cert_earliest_end(const STACK_OF(X509) * certs)
{
	int64_t end, earliest = INT64_MAX;
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		end = cert_not_after(sk_X509_value(certs, i));
		if (end < earliest)
			earliest = end;
	}
	return earliest;
}

int64_t
cert_latest_start(const STACK_OF(X509) * certs)
{
	int64_t start, latest = INT64_MIN;
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		start = cert_not_before(sk_X509_value(certs, i));
		if (start > latest)
			latest = start;
	}
	return latest;
}

static struct str
string_view(const ASN1_STRING *s)
{
	return (struct str){ .p = (const void *)ASN1_STRING_get0_data(s),
		.len = (size_t)ASN1_STRING_length(s) };
}

/* An IA5String is only declared to be ASCII: nobody has looked inside. */
static bool
is_plain_ascii(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] == '\0' || (uint8_t)s.p[i] > 0x7f)
			return false;
	return true;
}

static void
add_san(struct sans *out, enum san_kind kind, const ASN1_STRING *from)
{
	struct str value = string_view(from);

	if (kind != SAN_IP && !is_plain_ascii(value))
		out->is_odd = true;
	else
		out->v[out->n++] = (struct san){ .kind = kind, .value = value };
}

void
cert_sans(const X509 *c, struct sans *out)
{
	const GENERAL_NAME *g;
	int crit, i, n;

	*out = (struct sans){ .v = NULL };
	out->owner = X509_get_ext_d2i(c, NID_subject_alt_name, &crit, NULL);
	if (out->owner == NULL) {
		/* -1: there is none; else it is doubled or unreadable. */
		out->is_odd = crit != -1;
		return;
	}
	n = sk_GENERAL_NAME_num(out->owner);
	if (n > SANS_MAX) {
		out->is_odd = true;
		n = SANS_MAX;
	}
	out->v = xcalloc((size_t)n + 1, sizeof(*out->v));
	for (i = 0; i < n; i++) {
		g = sk_GENERAL_NAME_value(out->owner, i);
		if (g->type == GEN_URI)
			add_san(out, SAN_URI, g->d.uniformResourceIdentifier);
		else if (g->type == GEN_DNS)
			add_san(out, SAN_DNS, g->d.dNSName);
		else if (g->type == GEN_IPADD)
			add_san(out, SAN_IP, g->d.iPAddress);
		else if (g->type == GEN_EMAIL)
			add_san(out, SAN_EMAIL, g->d.rfc822Name);
	}
}

void
cert_sans_free(struct sans *s)
{
	GENERAL_NAMES_free(s->owner);
	free(s->v);
	*s = (struct sans){ .v = NULL };
}

void
cert_print_clean(struct str s, size_t max, struct text *out)
{
	size_t i;

	for (i = 0; i < s.len && i < max; i++)
		text_add_char(
		    out, s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?');
	if (s.len > max)
		text_add(out, STR("..."));
}

static void
print_name(const X509_NAME *name, struct text *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	struct str s = STR_NONE;
	char *p;
	long n;

	if (b != NULL && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0) {
		n = BIO_get_mem_data(b, &p);
		if (n > 0)
			s = (struct str){ .p = p, .len = (size_t)n };
	}
	cert_print_clean(s, NAME_SHOWN_MAX, out);
	BIO_free(b);
}

static void
print_san(const struct san *s, struct text *out)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	switch (s->kind) {
	case SAN_DNS:
		text_add(out, STR("DNS "));
		cert_print_clean(s->value, NAME_SHOWN_MAX, out);
		break;
	case SAN_URI:
		text_add(out, STR("URI "));
		cert_print_clean(s->value, NAME_SHOWN_MAX, out);
		break;
	case SAN_EMAIL:
		text_add(out, STR("email "));
		cert_print_clean(s->value, NAME_SHOWN_MAX, out);
		break;
	case SAN_IP:
		if (s->value.len == 4)
			inet_ntop(AF_INET, s->value.p, ip, sizeof(ip));
		else if (s->value.len == 16)
			inet_ntop(AF_INET6, s->value.p, ip, sizeof(ip));
		text_addf(out, "IP %s", ip);
		break;
	}
}

void
cert_print_sans(const struct sans *s, struct text *out)
{
	size_t i;

	if (s->n == 0)
		text_add(out, STR("no names"));
	for (i = 0; i < s->n && i < SANS_SHOWN_MAX; i++) {
		if (i > 0)
			text_add(out, STR(", "));
		print_san(&s->v[i], out);
	}
	if (i < s->n)
		text_addf(out, " and %zu more", s->n - i);
}

void
cert_print_subject(const X509 *c, struct text *out)
{
	struct sans s;

	if (X509_NAME_entry_count(X509_get_subject_name(c)) > 0) {
		text_add_char(out, '"');
		print_name(X509_get_subject_name(c), out);
		text_add_char(out, '"');
		return;
	}
	cert_sans(c, &s);
	if (s.n > 0)
		print_san(&s.v[0], out);
	else
		text_add(out, STR("(no subject)"));
	cert_sans_free(&s);
}

void
cert_print_issuer(const X509 *c, struct text *out)
{
	text_add_char(out, '"');
	print_name(X509_get_issuer_name(c), out);
	text_add_char(out, '"');
}

void
cert_print_time(int64_t s, struct text *out)
{
	time_t t = (time_t)s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		return;
	text_addf(out, "%04d-%02d-%02d %02d:%02d UTC", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
}
