/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of outcomes as those see it who read logs, metrics and answers,
 * and how a failed attempt to reach a service maps onto it.
 */

#include <criterion/criterion.h>
#include <string.h>

#include "base/attr.h"
#include "conn/outcome.h"

static bool
is_word(const char *s)
{
	return *s != '\0' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

Test(outcome, words_are_words_and_unique)
{
	for (int i = 0; i < OUT_N; i++) {
		const struct outcome_row *r = outcome_row((enum outcome)i);

		cr_expect(is_word(r->word), "row %d: \"%s\"", i, r->word);
		for (int k = 0; k < i; k++)
			cr_expect_str_neq(
			    r->word, outcome_row((enum outcome)k)->word);
	}
}

Test(outcome, texts_are_sentences)
{
	for (int i = 0; i < OUT_N; i++) {
		const struct outcome_row *r = outcome_row((enum outcome)i);
		size_t n = strlen(r->text);

		cr_assert_gt(n, 10, "%s has no text", r->word);
		cr_expect_eq(r->text[n - 1], '.', "%s", r->word);
		cr_expect_null(strchr(r->text, '\n'), "%s", r->word);
	}
}

Test(outcome, statuses_are_errors_and_a_body_has_one)
{
	for (int i = 0; i < OUT_N; i++) {
		const struct outcome_row *r = outcome_row((enum outcome)i);

		cr_expect(
		    r->status == 0 || (r->status >= 400 && r->status <= 599),
		    "%s: %d", r->word, r->status);
		cr_expect(r->status != 0 || r->body[0] == '\0',
		    "%s has a body that nobody can get", r->word);
	}
}

/* Proxies of all makers call these by one name (RFC 9209, section 2.3). */
Test(outcome, words_of_rfc_9209)
{
	static const struct {
		enum outcome o;
		const char *word;
	} rows[] = {
		{ OUT_NO_ENDPOINT, "destination_unavailable" },
		{ OUT_DNS_ERROR, "dns_error" },
		{ OUT_DNS_TIMEOUT, "dns_timeout" },
		{ OUT_IP_PROHIBITED, "destination_ip_prohibited" },
		{ OUT_IP_UNROUTABLE, "destination_ip_unroutable" },
		{ OUT_CONNECT_REFUSED, "connection_refused" },
		{ OUT_CONNECT_LATE, "connection_timeout" },
		{ OUT_UPSTREAM_CLOSED, "connection_terminated" },
		{ OUT_CONNECTION_LIMIT, "connection_limit_reached" },
		{ OUT_UPSTREAM_TLS, "tls_protocol_error" },
		{ OUT_UPSTREAM_CERT, "tls_certificate_error" },
		{ OUT_UPSTREAM_ALERT, "tls_alert_received" },
		{ OUT_REQUEST_BAD, "http_request_error" },
		{ OUT_RESPONSE_CUT, "http_response_incomplete" },
		{ OUT_INTERNAL, "proxy_internal_error" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(outcome_row(rows[i].o)->word, rows[i].word);
}

/* What the recorded egress answered, to the byte: status and length. */
Test(outcome, answers_as_recorded)
{
	static const struct {
		enum outcome o;
		uint16_t status;
		size_t body;
		const char *ends;
	} rows[] = {
		{ OUT_DENIED, 403, 19, "RBAC: access denied" },
		{ OUT_NO_ENDPOINT, 503, 19, "no healthy upstream" },
		{ OUT_DNS_ERROR, 503, 19, "no healthy upstream" },
		{ OUT_DNS_TIMEOUT, 503, 19, "no healthy upstream" },
		{ OUT_CONNECT_REFUSED, 503, 98, "remote connection failure" },
		{ OUT_UPSTREAM_TLS, 503, 98, "remote connection failure" },
		{ OUT_UPSTREAM_CERT, 503, 98, "remote connection failure" },
		{ OUT_UPSTREAM_ALERT, 503, 98, "remote connection failure" },
		{ OUT_CONNECT_LATE, 503, 91, "reason: connection timeout" },
		{ OUT_UPSTREAM_CLOSED, 503, 95, "connection termination" },
		{ OUT_REQUEST_BAD, 400, 11, "Bad Request" },
		{ OUT_REQUEST_NO_HOST, 400, 0, "" },
		{ OUT_REQUEST_VERSION, 426, 16, "Upgrade Required" },
		{ OUT_REQUEST_CODING, 501, 15, "Not Implemented" },
		{ OUT_REQUEST_TOO_LARGE, 431, 31, "Fields Too Large" },
		{ OUT_REQUEST_UPGRADE, 403, 0, "" },
		{ OUT_REQUEST_CONNECT, 404, 0, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct outcome_row *r = outcome_row(rows[i].o);
		struct str body = str_of(r->body);

		cr_expect_eq(r->status, rows[i].status, "%s", r->word);
		cr_expect_eq(
		    body.len, rows[i].body, "%s: %zu bytes", r->word, body.len);
		cr_expect(str_ends(body, str_of(rows[i].ends)), "%s", r->word);
	}
}

static const struct {
	enum reach_status status;
	enum outcome outcome; /* OUT_N: of the TLS failure */
} reaches[] = {
	{ REACH_OK, OUT_OK },
	{ REACH_NO_ENDPOINT, OUT_NO_ENDPOINT },
	{ REACH_NO_NAME, OUT_DNS_ERROR },
	{ REACH_NAME_FAILED, OUT_DNS_ERROR },
	{ REACH_NAME_LATE, OUT_DNS_TIMEOUT },
	{ REACH_ADDRESS_REFUSED, OUT_IP_PROHIBITED },
	{ REACH_REFUSED, OUT_CONNECT_REFUSED },
	{ REACH_UNREACHABLE, OUT_IP_UNROUTABLE },
	{ REACH_RESET, OUT_UPSTREAM_CLOSED },
	{ REACH_LATE, OUT_CONNECT_LATE },
	{ REACH_TLS, OUT_N },
	{ REACH_TLS_SETUP, OUT_UPSTREAM_TLS },
	{ REACH_PROTOCOL, OUT_UPSTREAM_PROTOCOL },
	{ REACH_PARENT_AUTH, OUT_PARENT_AUTH },
	{ REACH_PARENT_DENIED, OUT_PARENT_DENIED },
	{ REACH_PARENT_FAILED, OUT_PARENT_FAILED },
	{ REACH_OVERFLOW, OUT_UPSTREAM_LIMIT },
	{ REACH_NO_FDS, OUT_NO_FDS },
};

static const struct {
	enum tls_failure failure;
	enum outcome outcome;
} failures[] = {
	{ TLS_FAIL_NONE, OUT_UPSTREAM_TLS },
	{ TLS_FAIL_NO_CERT, OUT_UPSTREAM_CERT },
	{ TLS_FAIL_CHAIN, OUT_UPSTREAM_CERT },
	{ TLS_FAIL_EXPIRED, OUT_UPSTREAM_CERT },
	{ TLS_FAIL_PURPOSE, OUT_UPSTREAM_CERT },
	{ TLS_FAIL_NAME, OUT_UPSTREAM_CERT },
	{ TLS_FAIL_SAN, OUT_UPSTREAM_CERT },
	{ TLS_FAIL_VERSION, OUT_UPSTREAM_TLS },
	{ TLS_FAIL_NOT_TLS, OUT_UPSTREAM_TLS },
	{ TLS_FAIL_ALERT, OUT_UPSTREAM_ALERT },
	{ TLS_FAIL_RENEGOTIATION, OUT_UPSTREAM_RENEGOTIATION },
	{ TLS_FAIL_CLOSED, OUT_UPSTREAM_TLS },
	{ TLS_FAIL_OTHER, OUT_UPSTREAM_TLS },
};

Test(outcome, every_failed_reach_has_one)
{
	cr_expect_eq(ARRAY_LEN(reaches), (size_t)REACH_NO_FDS + 1);
	cr_expect_eq(ARRAY_LEN(failures), (size_t)TLS_FAIL_OTHER + 1);
	for (size_t i = 0; i < ARRAY_LEN(reaches); i++) {
		for (size_t k = 0; k < ARRAY_LEN(failures); k++) {
			enum outcome want = reaches[i].outcome != OUT_N
						? reaches[i].outcome
						: failures[k].outcome;
			enum outcome got = outcome_of_reach(
			    reaches[i].status, failures[k].failure);

			cr_expect_eq(got, want, "%s, failure %zu: %s",
			    reach_status_text(reaches[i].status), k,
			    outcome_row(got)->word);
		}
	}
}

/* Whoever asks by HTTP gets an answer to every failure to reach a service. */
Test(outcome, every_failed_reach_can_be_answered)
{
	for (size_t i = 1; i < ARRAY_LEN(reaches); i++) {
		enum outcome o =
		    outcome_of_reach(reaches[i].status, TLS_FAIL_CHAIN);

		cr_expect_eq(
		    outcome_row(o)->status, 503, "%s", outcome_row(o)->word);
		cr_expect_str_neq(outcome_row(o)->body, "");
	}
}
