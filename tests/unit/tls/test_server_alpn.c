/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol that a server chose, read from messages made by hand. */

#include <criterion/criterion.h>

#include "tls/server_alpn.h"

#define BYTES(literal) (literal), sizeof(literal) - 1
#define RANDOM "0123456789abcdef0123456789abcdef"
/* An extension of another type, then ALPN with "h2". */
#define OTHER "\x00\x17\x00\x01\x00"
#define ALPN_H2 "\x00\x10\x00\x05\x00\x03\x02h2"

static const struct {
	const char *what;
	const char *bytes;
	size_t n;
	const char *id;
} rows[] = {
	{ "nothing", "", 0, "" },
	{ "EncryptedExtensions",
	    BYTES("\x08\x00\x00\x10\x00\x0e" OTHER ALPN_H2), "h2" },
	{ "none in it", BYTES("\x08\x00\x00\x07\x00\x05" OTHER), "" },
	{ "no extensions", BYTES("\x08\x00\x00\x02\x00\x00"), "" },
	{ "ServerHello",
	    BYTES("\x02\x00\x00\x38\x03\x03" RANDOM
		  "\x02id\xc0\x2f\x00\x00\x0e" OTHER ALPN_H2),
	    "h2" },
	{ "without session and extensions",
	    BYTES("\x02\x00\x00\x26\x03\x03" RANDOM "\x00\xc0\x2f\x00"), "" },
	{ "another message", BYTES("\x0b\x00\x00\x0b\x00\x09" ALPN_H2), "" },
	{ "an id longer than its list",
	    BYTES("\x08\x00\x00\x0b\x00\x09"
		  "\x00\x10\x00\x05\x00\x03\x03h2"),
	    "" },
	{ "a list longer than its extension",
	    BYTES("\x08\x00\x00\x0b\x00\x09"
		  "\x00\x10\x00\x05\x00\x04\x02h2"),
	    "" },
	{ "an extension longer than all",
	    BYTES("\x08\x00\x00\x0b\x00\x09"
		  "\x00\x10\x00\x06\x00\x03\x02h2"),
	    "" },
	{ "more extensions than the message has",
	    BYTES("\x08\x00\x00\x0b\x00\xff" ALPN_H2), "" },
	{ "a session longer than the message",
	    BYTES("\x02\x00\x00\x28\x03\x03" RANDOM "\xff\x00\x00\x00"), "" },
};

Test(server_alpn, is_read_from_messages)
{
	struct str id;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		id = server_alpn_read(rows[i].bytes, rows[i].n);
		cr_expect(str_eq(id, str_of(rows[i].id)), "%s: %.*s",
		    rows[i].what, STR_ARG(id));
	}
}

/* Wherever a message is cut, nothing beyond it is read. */
Test(server_alpn, a_message_may_be_cut_anywhere)
{
	struct str id;
	char *copy;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t n = 0; n < rows[i].n; n++) {
			copy = str_dup(
			    (struct str){ .p = rows[i].bytes, .len = n });
			id = server_alpn_read(copy, n);
			cr_expect_eq(
			    id.len, 0, "%s, cut at %zu", rows[i].what, n);
			free(copy);
		}
	}
}
