/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and networks as people write them: what is read, prints alike. */

#include "fuzz.h"
#include "net/addr.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = { .p = (const void *)data, .len = n };
	struct addr a, again;
	char text[ADDR_TEXT];
	struct cidr c;

	if (addr_parse(s, 443, &a)) {
		FUZZ_CHECK(addr_port(&a) == 443);
		addr_print_host(&a, text);
		FUZZ_CHECK(addr_parse(str_of(text), 443, &again));
		FUZZ_CHECK(addr_eq(&a, &again));
		(void)addr_refused(&a, NULL, false);
	}
	/* Of ::ffff:0:0/96 only a part can be meant; a larger one has none. */
	if (cidr_parse(s, &c) &&
	    (c.net.u.sa.sa_family == AF_INET ||
		!IN6_IS_ADDR_V4MAPPED(&c.net.u.in6.sin6_addr)))
		FUZZ_CHECK(cidr_has(&c, &c.net));
	return 0;
}
