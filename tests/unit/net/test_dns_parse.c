/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw answers, well and badly made.  A message is written as a list of parts,
 * so that each table row shows what is wrong with it.
 */

#include <criterion/criterion.h>

#include "net/dns_parse.h"

/* ID 0x1234, then flags, then the counts of the four sections. */
#define HEAD(flags, qd, an) "\x12\x34" flags qd an "\0\0\0\0"
#define OK "\x81\x80"
#define Q1 "\0\x01"
#define A0 "\0\0"
#define A1 "\0\x01"
#define A2 "\0\x02"
#define A3 "\0\x03"
/* "a.example", 11 bytes from offset 12; "example" is at 14. */
#define NAME      \
	"\x01"    \
	"a"       \
	"\x07"    \
	"example" \
	"\0"
#define ASK_A NAME "\0\x01\0\x01"
#define ASK_AAAA NAME "\0\x1c\0\x01"
#define AT_NAME "\xc0\x0c"
#define IN_A "\0\x01\0\x01"
#define IN_AAAA "\0\x1c\0\x01"
#define IN_CNAME "\0\x05\0\x01"
#define TTL60 "\0\0\0\x3c"
#define TTL30 "\0\0\0\x1e"
#define IP1 "\0\x04\x0a\0\0\x01"
#define IP2 "\0\x04\x0a\0\0\x02"
#define IP6 "\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
/* "b.example" by way of the question; as data of 4 bytes. */
#define TO_B         \
	"\0\x04\x01" \
	"b"          \
	"\xc0\x0e"
/* That data starts at 27 + 12 when the alias is the first record. */
#define AT_B "\xc0\x27"

#define MSG(text) .p = (text), .n = sizeof(text) - 1

static const struct {
	const char *what;
	const char *p;
	size_t n;
	enum dns_status status;
	const char *addrs;
	uint32_t ttl_s;
} rows[] = {
	/* clang-format off */
	{ "one address",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_A TTL60 IP1),
	    DNS_OK, "10.0.0.1", 60 },
	{ "two addresses, the smaller TTL",
	    MSG(HEAD(OK, Q1, A2) ASK_A AT_NAME IN_A TTL60 IP1
		AT_NAME IN_A TTL30 IP2),
	    DNS_OK, "10.0.0.1 10.0.0.2", 30 },
	{ "an IPv6 address",
	    MSG(HEAD(OK, Q1, A1) ASK_AAAA AT_NAME IN_AAAA TTL60 IP6),
	    DNS_OK, "2001:db8::1", 60 },
	{ "owner in full and in capitals",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\x01" "A" "\x07" "EXAMPLE" "\0"
		IN_A TTL60 IP1),
	    DNS_OK, "10.0.0.1", 60 },
	{ "an alias, its TTL the smaller",
	    MSG(HEAD(OK, Q1, A2) ASK_A AT_NAME IN_CNAME TTL30 TO_B
		AT_B IN_A TTL60 IP1),
	    DNS_OK, "10.0.0.1", 30 },
	{ "an alias behind its address",
	    MSG(HEAD(OK, Q1, A2) ASK_A "\x01" "b" "\xc0\x0e" IN_A TTL60 IP1
		AT_NAME IN_CNAME TTL60 TO_B),
	    DNS_OK, "10.0.0.1", 60 },
	{ "the address of another name is not ours",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\x01" "x" "\xc0\x0e" IN_A TTL60 IP1),
	    DNS_NO_ADDRESS, "", 0 },
	{ "nor the alias' own, when it has one",
	    MSG(HEAD(OK, Q1, A2) ASK_A AT_NAME IN_CNAME TTL60 TO_B
		AT_NAME IN_A TTL60 IP1),
	    DNS_NO_ADDRESS, "", 0 },
	{ "an alias alone",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_CNAME TTL60 TO_B),
	    DNS_NO_ADDRESS, "", 0 },
	{ "an address of the other family",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_AAAA TTL60 IP6),
	    DNS_NO_ADDRESS, "", 0 },
	{ "another class",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME "\0\x01\0\x03" TTL60 IP1),
	    DNS_NO_ADDRESS, "", 0 },
	{ "records of other types between",
	    MSG(HEAD(OK, Q1, A2) ASK_A AT_NAME "\0\x10\0\x01" TTL60
		"\0\x03\x02" "hi" AT_NAME IN_A TTL60 IP1),
	    DNS_OK, "10.0.0.1", 60 },
	{ "no records",
	    MSG(HEAD(OK, Q1, A0) ASK_A), DNS_NO_ADDRESS, "", 0 },
	{ "no such name",
	    MSG(HEAD("\x81\x83", Q1, A0) ASK_A), DNS_NO_NAME, "", 0 },
	{ "SERVFAIL",
	    MSG(HEAD("\x81\x82", Q1, A0) ASK_A), DNS_FAILED, "", 0 },
	{ "REFUSED, though with an address",
	    MSG(HEAD("\x81\x85", Q1, A1) ASK_A AT_NAME IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "a TTL with its top bit is zero",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_A "\x80\0\0\x01" IP1),
	    DNS_OK, "10.0.0.1", 0 },
	{ "bytes behind the last record",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_A TTL60 IP1 "rest"),
	    DNS_OK, "10.0.0.1", 60 },

	{ "nothing", MSG(""), DNS_FAILED, "", 0 },
	{ "half a header", MSG("\x12\x34\x81\x80\0\x01"),
	    DNS_FAILED, "", 0 },
	{ "a query", MSG(HEAD("\x01\0", Q1, A1) ASK_A AT_NAME IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "another opcode",
	    MSG(HEAD("\xa1\x80", Q1, A1) ASK_A AT_NAME IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "no question", MSG(HEAD(OK, "\0\0", A1) NAME IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "two questions",
	    MSG(HEAD(OK, "\0\x02", A1) ASK_A ASK_A AT_NAME IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "a question for another type",
	    MSG(HEAD(OK, Q1, A0) NAME "\0\x0f\0\x01"), DNS_FAILED, "", 0 },
	{ "a question of another class",
	    MSG(HEAD(OK, Q1, A0) NAME "\0\x01\0\x03"), DNS_FAILED, "", 0 },
	{ "half a question", MSG(HEAD(OK, Q1, A0) NAME "\0\x01\0"),
	    DNS_FAILED, "", 0 },
	{ "more records promised than there are",
	    MSG(HEAD(OK, Q1, A2) ASK_A AT_NAME IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "65535 records promised",
	    MSG(HEAD(OK, Q1, "\xff\xff") ASK_A), DNS_FAILED, "", 0 },
	{ "half an address",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_A TTL60 "\0\x04\x0a\0\0"),
	    DNS_FAILED, "", 0 },
	{ "an address of three bytes",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_A TTL60 "\0\x03\x0a\0\0"),
	    DNS_FAILED, "", 0 },
	{ "an address of five bytes",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_A TTL60
		"\0\x05\x0a\0\0\x01\x01"),
	    DNS_FAILED, "", 0 },
	{ "an IPv6 address of four bytes",
	    MSG(HEAD(OK, Q1, A1) ASK_AAAA AT_NAME IN_AAAA TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "a bad address behind a good one leaves neither",
	    MSG(HEAD(OK, Q1, A2) ASK_A AT_NAME IN_A TTL60 IP1
		AT_NAME IN_A TTL60 "\0\x01\x0a"),
	    DNS_FAILED, "", 0 },
	{ "a pointer to itself",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\xc0\x1b" IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "a pointer ahead",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\xc0\x1d" IN_A TTL60 IP1 NAME),
	    DNS_FAILED, "", 0 },
	{ "a pointer past the end",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\xff\xff" IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "a label and a pointer back to it",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\x01" "b" "\xc0\x1b" IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "half a pointer",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\xc0"), DNS_FAILED, "", 0 },
	{ "a question that points to itself",
	    MSG(HEAD(OK, Q1, A0) "\xc0\x0c\0\x01\0\x01"), DNS_FAILED, "", 0 },
	{ "a length of 0x40",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\x40" "a" "\0" IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "a length of 0x80",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\x80" "a" "\0" IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "a label that is cut",
	    MSG(HEAD(OK, Q1, A1) ASK_A "\x3f" "abc"), DNS_FAILED, "", 0 },
	{ "an alias of itself",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_CNAME TTL60 "\0\x02\xc0\x0c"),
	    DNS_FAILED, "", 0 },
	{ "two aliases in a ring",
	    MSG(HEAD(OK, Q1, A3) ASK_A AT_NAME IN_CNAME TTL60 TO_B
		AT_B IN_CNAME TTL60 "\0\x02\xc0\x0c" AT_B IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "an alias with bytes behind its name",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_CNAME TTL60
		"\0\x03\xc0\x0e" "x"),
	    DNS_FAILED, "", 0 },
	{ "an alias without a name",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_CNAME TTL60 "\0\0"),
	    DNS_FAILED, "", 0 },
	/* clang-format on */
};

static void
print_all(const struct addr *v, size_t n, struct text *out)
{
	char one[ADDR_TEXT];
	size_t i;

	text_add_z(out, "");
	for (i = 0; i < n; i++) {
		addr_print(&v[i], one);
		text_addf(out, "%s%s", i > 0 ? " " : "", one);
	}
}

/* One record of authority; and the zone's names, five numbers behind them. */
#define HEAD_SOA(flags) "\x12\x34" flags Q1 A0 A1 "\0\0"
#define IN_SOA "\0\x06\0\x01"
#define SOA_NAMES AT_NAME AT_NAME
#define SOA_TIMES "\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04"

static const struct {
	const char *what;
	const char *p;
	size_t n;
	enum dns_status status;
	uint32_t ttl_s;
} negatives[] = {
	/* clang-format off */
	{ "no such name, by the minimum",
	    MSG(HEAD_SOA("\x81\x83") ASK_A AT_NAME IN_SOA TTL60 "\0\x18"
		SOA_NAMES SOA_TIMES TTL30), DNS_NO_NAME, 30 },
	{ "no address, by the record's own TTL",
	    MSG(HEAD_SOA(OK) ASK_A AT_NAME IN_SOA TTL30 "\0\x18"
		SOA_NAMES SOA_TIMES TTL60), DNS_NO_ADDRESS, 30 },
	{ "not to be kept: a second",
	    MSG(HEAD_SOA(OK) ASK_A AT_NAME IN_SOA TTL30 "\0\x18"
		SOA_NAMES SOA_TIMES "\0\0\0\0"), DNS_NO_ADDRESS, 1 },
	{ "behind an alias",
	    MSG("\x12\x34\x81\x83" Q1 A1 A1 "\0\0" ASK_A
		AT_NAME IN_CNAME TTL60 TO_B
		AT_NAME IN_SOA TTL60 "\0\x18" SOA_NAMES SOA_TIMES TTL30),
	    DNS_NO_NAME, 30 },
	{ "another class says nothing",
	    MSG(HEAD_SOA(OK) ASK_A AT_NAME "\0\x06\0\x03" TTL30 "\0\x18"
		SOA_NAMES SOA_TIMES TTL60), DNS_NO_ADDRESS, 0 },
	{ "a minimum that is cut",
	    MSG(HEAD_SOA(OK) ASK_A AT_NAME IN_SOA TTL30 "\0\x17"
		SOA_NAMES SOA_TIMES "\0\0\0"), DNS_NO_ADDRESS, 0 },
	{ "bytes behind the minimum",
	    MSG(HEAD_SOA(OK) ASK_A AT_NAME IN_SOA TTL30 "\0\x19"
		SOA_NAMES SOA_TIMES TTL60 "x"), DNS_NO_ADDRESS, 0 },
	{ "a record that is cut",
	    MSG(HEAD_SOA(OK) ASK_A AT_NAME IN_SOA TTL30 "\0\x18" SOA_NAMES),
	    DNS_NO_ADDRESS, 0 },
	{ "among the answers it says nothing",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_SOA TTL30 "\0\x18"
		SOA_NAMES SOA_TIMES TTL60), DNS_NO_ADDRESS, 0 },
	/* clang-format on */
};

Test(dns_parse, how_long_there_is_nothing)
{
	struct addr v[DNS_ADDRS_MOST];
	enum dns_status status;
	uint32_t ttl;
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(negatives); i++) {
		uint8_t *p = malloc(negatives[i].n);

		memcpy(p, negatives[i].p, negatives[i].n);
		status =
		    dns_parse(p, negatives[i].n, v, ARRAY_LEN(v), &n, &ttl);
		free(p);
		cr_expect_eq(status, negatives[i].status, "%s: %s",
		    negatives[i].what, dns_status_text(status));
		cr_expect_eq(n, 0);
		cr_expect_eq(ttl, negatives[i].ttl_s, "%s: %u",
		    negatives[i].what, (unsigned)ttl);
	}
}

#define ASK_SRV NAME "\0\x21\0\x01"
#define IN_SRV "\0\x21\0\x01"
/* Data of ten bytes: priority, weight, port, and the name b.example. */
#define SRV(priority, weight, port)                      \
	"\0\x0a\0" priority "\0" weight "\0" port "\x01" \
	"b"                                              \
	"\xc0\x0e"

static const struct {
	const char *what;
	const char *p;
	size_t n;
	enum dns_status status;
	const char *targets;
	uint32_t ttl_s;
} services[] = {
	/* clang-format off */
	{ "one target",
	    MSG(HEAD(OK, Q1, A1) ASK_SRV AT_NAME IN_SRV TTL60
		SRV("\x01", "\x02", "\x50")),
	    DNS_OK, "1 2 b.example:80", 60 },
	{ "two, by way of an alias",
	    MSG(HEAD(OK, Q1, A3) ASK_SRV AT_NAME IN_CNAME TTL60 TO_B
		AT_B IN_SRV TTL30 SRV("\x01", "\x02", "\x50")
		AT_B IN_SRV TTL60 SRV("\x02", "\x00", "\x51")),
	    DNS_OK, "1 2 b.example:80, 2 0 b.example:81", 30 },
	{ "it is said not to be there",
	    MSG(HEAD(OK, Q1, A1) ASK_SRV AT_NAME IN_SRV TTL60
		"\0\x07\0\0\0\0\0\0\0"),
	    DNS_NO_ADDRESS, "", 0 },
	{ "a port of 0 leads nowhere",
	    MSG(HEAD(OK, Q1, A1) ASK_SRV AT_NAME IN_SRV TTL60
		SRV("\x01", "\x02", "\0")),
	    DNS_NO_ADDRESS, "", 0 },
	{ "a target that is no name of a host",
	    MSG(HEAD(OK, Q1, A1) ASK_SRV AT_NAME IN_SRV TTL60
		"\0\x0a\0\0\0\0\0\x50" "\x01" "*" "\xc0\x0e"),
	    DNS_NO_ADDRESS, "", 0 },
	{ "a dot inside of a label",
	    MSG(HEAD(OK, Q1, A1) ASK_SRV AT_NAME IN_SRV TTL60
		"\0\x0c\0\0\0\0\0\x50" "\x03" "a.b" "\xc0\x0e"),
	    DNS_NO_ADDRESS, "", 0 },
	{ "bytes behind the target",
	    MSG(HEAD(OK, Q1, A1) ASK_SRV AT_NAME IN_SRV TTL60
		"\0\x09\0\0\0\0\0\x50" "\xc0\x0c" "x"),
	    DNS_FAILED, "", 0 },
	{ "half a target",
	    MSG(HEAD(OK, Q1, A1) ASK_SRV AT_NAME IN_SRV TTL60
		"\0\x04\0\0\0\0"),
	    DNS_FAILED, "", 0 },
	{ "addresses instead",
	    MSG(HEAD(OK, Q1, A1) ASK_SRV AT_NAME IN_A TTL60 IP1),
	    DNS_NO_ADDRESS, "", 0 },
	{ "a question for addresses",
	    MSG(HEAD(OK, Q1, A1) ASK_A AT_NAME IN_A TTL60 IP1),
	    DNS_FAILED, "", 0 },
	{ "no such name",
	    MSG(HEAD("\x81\x83", Q1, A0) ASK_SRV), DNS_NO_NAME, "", 0 },
	/* clang-format on */
};

Test(dns_parse, targets)
{
	struct dns_target v[DNS_TARGETS_MOST];
	struct text got = TEXT_EMPTY;
	enum dns_status status;
	uint32_t ttl;
	size_t i, k, n;

	for (i = 0; i < ARRAY_LEN(services); i++) {
		uint8_t *p = malloc(services[i].n);

		memcpy(p, services[i].p, services[i].n);
		status =
		    dns_parse_srv(p, services[i].n, v, ARRAY_LEN(v), &n, &ttl);
		free(p);
		text_clear(&got);
		text_add_z(&got, "");
		for (k = 0; k < n; k++)
			text_addf(&got, "%s%u %u %s:%u", k > 0 ? ", " : "",
			    v[k].priority, v[k].weight, v[k].name, v[k].port);
		cr_expect_eq(status, services[i].status, "%s: %s",
		    services[i].what, dns_status_text(status));
		cr_expect(str_eq(text_str(&got), str_of(services[i].targets)),
		    "%s: \"%s\"", services[i].what, got.p);
		cr_expect_eq(ttl, services[i].ttl_s, "%s: TTL %u",
		    services[i].what, (unsigned)ttl);
	}
	text_free(&got);
}

Test(dns_parse, rows)
{
	struct addr v[DNS_ADDRS_MOST];
	struct text got = TEXT_EMPTY;
	enum dns_status status;
	uint32_t ttl;
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		/* In a block of its own size, so that overruns show. */
		uint8_t *p = malloc(rows[i].n > 0 ? rows[i].n : 1);

		memcpy(p, rows[i].p, rows[i].n);
		status = dns_parse(p, rows[i].n, v, ARRAY_LEN(v), &n, &ttl);
		free(p);
		text_clear(&got);
		print_all(v, n, &got);
		cr_expect_eq(status, rows[i].status, "%s: %s", rows[i].what,
		    dns_status_text(status));
		cr_expect(str_eq(text_str(&got), str_of(rows[i].addrs)),
		    "%s: \"%s\"", rows[i].what, got.p);
		cr_expect_eq(ttl, rows[i].ttl_s, "%s: TTL %u", rows[i].what,
		    (unsigned)ttl);
	}
	text_free(&got);
}

Test(dns_parse, every_cut_of_a_good_answer_is_bad)
{
	static const char good[] = HEAD(OK, Q1, A2)
	    ASK_A AT_NAME IN_CNAME TTL60 TO_B AT_B IN_A TTL60 IP1;
	struct addr v[2];
	uint32_t ttl;
	size_t i, n;

	for (i = 0; i < sizeof(good) - 1; i++) {
		uint8_t *p = malloc(i > 0 ? i : 1);

		memcpy(p, good, i);
		cr_expect_eq(
		    dns_parse(p, i, v, 2, &n, &ttl), DNS_FAILED, "%zu", i);
		cr_expect_eq(n, 0, "%zu", i);
		free(p);
	}
}

static void
add_bytes(struct text *t, const char *p, size_t n)
{
	text_add(t, (struct str){ p, n });
}

#define ADD(t, literal) add_bytes(t, literal, sizeof(literal) - 1)

Test(dns_parse, more_addresses_than_there_is_room_for)
{
	struct text t = TEXT_EMPTY;
	struct addr v[DNS_ADDRS_MOST + 1] = { { .len = 77 } };
	uint32_t ttl;
	size_t i, n;

	ADD(&t, HEAD(OK, Q1, "\0\x64") ASK_A);
	for (i = 0; i < 100; i++)
		ADD(&t, AT_NAME IN_A TTL60 IP1);
	v[DNS_ADDRS_MOST].len = 77;
	cr_expect_eq(
	    dns_parse((const void *)t.p, t.len, v, DNS_ADDRS_MOST, &n, &ttl),
	    DNS_OK);
	cr_expect_eq(n, DNS_ADDRS_MOST);
	cr_expect_eq(v[DNS_ADDRS_MOST].len, 77);
	text_free(&t);
}

/* n aliases in a row, the last one with an address. */
static enum dns_status
parse_chain(unsigned n)
{
	struct text t = TEXT_EMPTY;
	enum dns_status status;
	struct addr v[1];
	uint32_t ttl;
	size_t n_addrs;
	unsigned i;

	ADD(&t, HEAD(OK, Q1, A0) ASK_A);
	t.p[7] = (char)(n + 1);
	for (i = 0; i < n; i++) {
		if (i == 0) {
			ADD(&t, AT_NAME);
		} else {
			ADD(&t, "\x01");
			text_add_char(&t, (char)('a' + i));
			ADD(&t, "\0");
		}
		ADD(&t, IN_CNAME TTL60 "\0\x03\x01");
		text_add_char(&t, (char)('a' + i + 1));
		ADD(&t, "\0");
	}
	ADD(&t, "\x01");
	text_add_char(&t, (char)('a' + n));
	ADD(&t, "\0" IN_A TTL60 IP1);
	status = dns_parse((const void *)t.p, t.len, v, 1, &n_addrs, &ttl);
	text_free(&t);
	return status;
}

Test(dns_parse, chains_have_an_end)
{
	cr_expect_eq(parse_chain(1), DNS_OK);
	cr_expect_eq(parse_chain(16), DNS_OK);
	cr_expect_eq(parse_chain(17), DNS_FAILED);
}

Test(dns_parse, a_name_of_more_than_255_bytes)
{
	struct text t = TEXT_EMPTY;
	struct addr v[1];
	uint32_t ttl;
	size_t n, labels, i;

	/* 127 labels of one letter and the root are 255 bytes. */
	for (labels = 127; labels <= 128; labels++) {
		text_clear(&t);
		ADD(&t, HEAD(OK, Q1, A0));
		for (i = 0; i < labels; i++)
			ADD(&t, "\x01x");
		ADD(&t, "\0\0\x01\0\x01");
		cr_expect_eq(
		    dns_parse((const void *)t.p, t.len, v, 1, &n, &ttl),
		    labels == 127 ? DNS_NO_ADDRESS : DNS_FAILED, "%zu", labels);
	}
	text_free(&t);
}

Test(dns_parse, is_it_the_answer_to_this_question)
{
	static const char msg[] = HEAD(OK, Q1, A0) ASK_A;
	static const struct {
		const char *name;
		uint16_t type;
		bool is_it;
	} cases[] = {
		{ "a.example", DNS_TYPE_A, true },
		{ "a.example", DNS_TYPE_AAAA, false },
		{ "b.example", DNS_TYPE_A, false },
		{ "example", DNS_TYPE_A, false },
		{ "a.example.com", DNS_TYPE_A, false },
	};
	const void *p = msg;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(dns_answers(p, sizeof(msg) - 1, cases[i].name,
				 cases[i].type),
		    cases[i].is_it, "%s %u", cases[i].name, cases[i].type);
	cr_expect_not(dns_answers(p, sizeof(msg) - 2, "a.example", DNS_TYPE_A));
}

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

Test(dns_parse, names_as_we_keep_them)
{
	static const struct {
		const char *in;
		const char *out; /* NULL: no name */
	} cases[] = {
		{ "example.com", "example.com" },
		{ "EXAMPLE.Com.", "example.com" },
		{ "a", "a" },
		{ "_srv.x-1.example", "_srv.x-1.example" },
		{ SIXTY "abc.example", SIXTY "abc.example" },
		{ SIXTY "abcd.example", NULL },
		{ SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghi",
		    SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghi" },
		{ SIXTY "." SIXTY "." SIXTY "." SIXTY ".abcdefghij", NULL },
		{ "", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ ".example", NULL },
		{ "a..b", NULL },
		{ "a.b..", NULL },
		{ "a b", NULL },
		{ "*.example", NULL },
		{ "a\\.b", NULL },
		{ "b\xc3\xbc"
		  "cher.example",
		    NULL },
	};
	char got[DNS_NAME_TEXT];
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		bool ok = dns_name_fold(str_of(cases[i].in), got);

		cr_expect_eq(ok, cases[i].out != NULL, "%s", cases[i].in);
		if (ok && cases[i].out != NULL)
			cr_expect_str_eq(got, cases[i].out);
	}
	cr_expect_not(dns_name_fold(STR("a\0b"), got), "a NUL");
}
