/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For `zegressctl connect --explain`: the certificate's names out, the lines
 * that decide in.  It waits for the daemon's answer.
 */

#include "ctl/forecast.h"

#include <errno.h>
#include <string.h>

#include "ctl/ask.h"
#include "tls/cert.h"
#include "tls/pem_read.h"

/* In a line of words they would be something else. */
static bool
is_one_word(struct str uri)
{
	return str_index(uri, ' ') == -1 && str_index(uri, ',') == -1 &&
	       str_index(uri, '\n') == -1;
}

static bool
print_uris(const struct sans *s, struct text *out)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->v[i].kind != SAN_URI)
			continue;
		if (!is_one_word(s->v[i].value))
			return false;
		if (out->len > 0)
			text_add_char(out, ',');
		text_add(out, s->v[i].value);
	}
	return out->len > 0;
}

bool
forecast_caller(struct str cert_pem, struct text *out, struct text *why)
{
	STACK_OF(X509) *certs = pem_read_certs(cert_pem, why);
	struct sans s;
	bool is_good;

	if (certs == NULL)
		return false;
	cert_sans(sk_X509_value(certs, 0), &s);
	is_good = !s.is_odd && print_uris(&s, out);
	if (!is_good)
		text_add_z(why, "the certificate has no URIs, or odd ones");
	cert_sans_free(&s);
	pem_free_certs(certs);
	return is_good;
}

/* A line of `explain`: a name, blanks, and what it says. */
static bool
take_line(struct str line, const char *name, struct text *out)
{
	struct str word = str_of(name);

	if (!str_starts(line, word))
		return false;
	text_addf(out, "%s%s: %.*s", out->len > 0 ? "; " : "", name,
	    STR_ARG(str_trim(str_from(line, word.len))));
	return true;
}

/* Where another zone's egress decides there is no decision. */
static void
pick(struct str said, struct text *out)
{
	static const char *const names[] = { "decision", "rule", "would deny",
		"shadow" };
	struct str rest = said, line;
	size_t i;

	while (rest.len > 0) {
		line = str_cut(&rest, '\n');
		for (i = 0; i < ARRAY_LEN(names); i++)
			(void)take_line(line, names[i], out);
	}
	for (rest = said; out->len == 0 && rest.len > 0;)
		(void)take_line(str_cut(&rest, '\n'), "route", out);
}

bool
forecast(const char *socket_path, struct str caller, struct str sni,
    struct text *out)
{
	struct text line = TEXT_EMPTY, said = TEXT_EMPTY;
	enum ask_status s;

	text_addf(&line, "explain %.*s %.*s", STR_ARG(caller), STR_ARG(sni));
	s = ask_text(socket_path, text_str(&line), &said);
	switch (s) {
	case ASK_OK:
		pick(text_str(&said), out);
		break;
	case ASK_FAILED:
		text_add(out, str_trim(text_str(&said)));
		break;
	case ASK_NOBODY:
		text_addf(out, "%s: %s", socket_path, strerror(errno));
		break;
	case ASK_BROKEN:
		text_add_z(out, "the daemon's answer is incomplete");
		break;
	}
	text_free(&line);
	text_free(&said);
	return s == ASK_OK;
}
