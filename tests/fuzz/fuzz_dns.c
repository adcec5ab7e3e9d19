/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers from DNS: never more addresses than there is room for, and some
 * exactly when it says so.  The names that we keep are stable.
 */

#include <string.h>

#include "fuzz.h"
#include "net/addr.h"
#include "net/dns.h"
#include "net/dns_parse.h"

#define MOST 8

static void
check_name(struct str s)
{
	char once[DNS_NAME_TEXT], twice[DNS_NAME_TEXT];

	if (!dns_name_fold(s, once))
		return;
	FUZZ_CHECK(dns_name_fold(str_of(once), twice));
	FUZZ_CHECK(strcmp(once, twice) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct addr addrs[MOST];
	struct dns_target targets[MOST];
	size_t i, n_addrs = 0;
	char text[ADDR_TEXT];
	uint32_t ttl_s = 0;
	enum dns_status s;

	s = dns_parse(data, n, addrs, MOST, &n_addrs, &ttl_s);
	FUZZ_CHECK(n_addrs <= MOST);
	FUZZ_CHECK((s == DNS_OK) == (n_addrs > 0));
	for (i = 0; i < n_addrs; i++)
		addr_print(&addrs[i], text);
	s = dns_parse_srv(data, n, targets, MOST, &n_addrs, &ttl_s);
	FUZZ_CHECK(n_addrs <= MOST);
	FUZZ_CHECK((s == DNS_OK) == (n_addrs > 0));
	for (i = 0; i < n_addrs; i++)
		check_name(str_of(targets[i].name));
	/* Whoever asked for this is answered, or nobody is. */
	(void)dns_answers(data, n, "a.example", DNS_TYPE_A);
	check_name((struct str){ .p = (const void *)data, .len = n });
	return 0;
}
