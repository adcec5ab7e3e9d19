/* SPDX-License-Identifier: Apache-2.0 */
/* The client's session cache: what is given, how often, and how many. */

#include <criterion/criterion.h>

#include "tls/session.h"

static SSL_SESSION *
make(int version)
{
	SSL_SESSION *s = SSL_SESSION_new();
	static const unsigned char id[] = "id";

	SSL_SESSION_set_protocol_version(s, version);
	/* Without an id it could not be resumed. */
	SSL_SESSION_set1_id(s, id, sizeof(id));
	return s;
}

Test(session, one_of_tls_1_3_is_given_once)
{
	struct session_cache *c = session_cache_new(10);
	SSL_SESSION *a = make(TLS1_3_VERSION), *b = make(TLS1_3_VERSION), *s;
	int64_t end;

	session_put(c, STR("k"), a, 100);
	session_put(c, STR("k"), b, 200);
	s = session_take(c, STR("k"), 10, &end);
	cr_expect_eq(s, b, "the newest first");
	cr_expect_eq(end, 200);
	SSL_SESSION_free(s);
	s = session_take(c, STR("k"), 10, &end);
	cr_expect_eq(s, a);
	SSL_SESSION_free(s);
	cr_expect_null(session_take(c, STR("k"), 10, &end));
	cr_expect_eq(session_count(c), 0);
	session_cache_free(c);
}

Test(session, an_older_one_stays)
{
	struct session_cache *c = session_cache_new(10);
	SSL_SESSION *a = make(TLS1_2_VERSION), *s;
	int64_t end;
	int i;

	session_put(c, STR("k"), a, 100);
	for (i = 0; i < 3; i++) {
		s = session_take(c, STR("k"), 10, &end);
		cr_expect_eq(s, a);
		SSL_SESSION_free(s);
	}
	cr_expect_null(session_take(c, STR("other"), 10, &end));
	session_drop(c, STR("k"));
	session_drop(c, STR("k"));
	cr_expect_null(session_take(c, STR("k"), 10, &end));
	session_cache_free(c);
}

Test(session, nothing_is_given_after_its_end)
{
	struct session_cache *c = session_cache_new(10);
	int64_t end;

	session_put(c, STR("k"), make(TLS1_2_VERSION), 100);
	cr_expect_null(session_take(c, STR("k"), 100, &end));
	cr_expect_eq(session_count(c), 0);
	session_cache_free(c);
}

Test(session, the_cache_is_bounded)
{
	struct session_cache *c = session_cache_new(3);
	SSL_SESSION *s;
	int64_t end;
	char key[2] = "0";
	int i;

	for (i = 0; i < 10; i++) {
		key[0] = (char)('0' + i);
		session_put(c, str_of(key), make(TLS1_2_VERSION), 100);
		session_put(c, str_of(key), make(TLS1_2_VERSION), 100);
		session_put(c, str_of(key), make(TLS1_2_VERSION), 100);
	}
	cr_expect_eq(session_count(c), 3);
	cr_expect_null(session_take(c, STR("6"), 10, &end));
	s = session_take(c, STR("7"), 10, &end);
	cr_expect_not_null(s);
	SSL_SESSION_free(s);
	session_cache_free(c);
}

/* Connections that begin together find one each. */
Test(session, there_is_one_for_each_of_many)
{
	struct session_cache *c = session_cache_new(1024);
	SSL_SESSION *s;
	int64_t end;
	int i;

	for (i = 0; i < 40; i++)
		session_put(c, STR("k"), make(TLS1_3_VERSION), 100);
	for (i = 0; i < 16; i++) {
		s = session_take(c, STR("k"), 10, &end);
		cr_expect_not_null(s, "%d", i);
		SSL_SESSION_free(s);
	}
	cr_expect_null(session_take(c, STR("k"), 10, &end));
	session_cache_free(c);
}

static size_t
take_all(struct session_cache *c, const char *key)
{
	SSL_SESSION *s;
	int64_t end;
	size_t n = 0;

	while ((s = session_take(c, str_of(key), 10, &end)) != NULL) {
		SSL_SESSION_free(s);
		n++;
	}
	return n;
}

/* A key may have many, but all of them together no more than two each. */
Test(session, the_sessions_are_bounded_too)
{
	struct session_cache *c = session_cache_new(8);
	size_t n[4], i, j;
	char key[2] = "0";

	for (i = 0; i < 4; i++) {
		key[0] = (char)('0' + i);
		for (j = 0; j < 16; j++)
			session_put(c, str_of(key), make(TLS1_3_VERSION), 100);
	}
	for (i = 0; i < 4; i++) {
		key[0] = (char)('0' + i);
		n[i] = take_all(c, key);
	}
	cr_expect_leq(n[0] + n[1] + n[2] + n[3], 16);
	cr_expect_eq(n[3], 16, "the newest: %zu", n[3]);
	session_cache_free(c);
}
