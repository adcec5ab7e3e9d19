/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts file: what is read from it, and when it is read again. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/dns_hosts.h"
#include "net/dns_parse.h"

static char path[] = "/tmp/zegress-hosts-XXXXXX";

static void
put_file(const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static void
make(void)
{
	int fd = mkstemp(path);

	cr_assert_neq(fd, -1);
	close(fd);
}

static void
drop(void)
{
	unlink(path);
}

TestSuite(dns_hosts, .init = make, .fini = drop);

/* The addresses, with spaces between. */
static void
expect(struct dns_hosts *h, uint64_t now, const char *name, const char *list)
{
	struct addr v[DNS_ADDRS_MOST];
	struct text got = TEXT_EMPTY;
	char one[ADDR_TEXT];
	size_t i, n = dns_hosts_find(h, now, name, v, DNS_ADDRS_MOST);

	text_add_z(&got, "");
	for (i = 0; i < n; i++) {
		addr_print(&v[i], one);
		text_addf(&got, "%s%s", i > 0 ? " " : "", one);
	}
	cr_expect(
	    str_eq(text_str(&got), str_of(list)), "%s: \"%s\"", name, got.p);
	text_free(&got);
}

Test(dns_hosts, what_is_read)
{
	struct dns_hosts *h = dns_hosts_new(path);

	put_file("# 10.9.9.9 comment\n"
		 "10.0.0.1 one.example One # two.example\n"
		 "\t10.0.0.2\tthree.example.  FOUR.example\r\n"
		 "::1 one.example\n"
		 "10.0.0.1\n"
		 "nonsense one.example\n"
		 "10.0.0.9 bad..name good.example\n"
		 "10.0.0.3 last.example");
	expect(h, 1, "one.example", "10.0.0.1 ::1");
	expect(h, 1, "one", "10.0.0.1");
	expect(h, 1, "two.example", "");
	expect(h, 1, "comment", "");
	expect(h, 1, "three.example", "10.0.0.2");
	expect(h, 1, "four.example", "10.0.0.2");
	expect(h, 1, "good.example", "10.0.0.9");
	expect(h, 1, "last.example", "10.0.0.3");
	expect(h, 1, "nowhere.example", "");
	dns_hosts_free(h);
}

Test(dns_hosts, a_change_is_seen_a_few_seconds_later)
{
	struct dns_hosts *h = dns_hosts_new(path);

	put_file("10.0.0.1 a.example\n");
	expect(h, 1000, "a.example", "10.0.0.1");
	put_file("10.0.0.22 a.example\n");
	expect(h, 5999, "a.example", "10.0.0.1");
	expect(h, 6000, "a.example", "10.0.0.22");
	unlink(path);
	expect(h, 12000, "a.example", "");
	put_file("10.0.0.3 a.example\n");
	expect(h, 18000, "a.example", "10.0.0.3");
	dns_hosts_free(h);
}

Test(dns_hosts, no_file)
{
	struct dns_hosts *h = dns_hosts_new(NULL);

	expect(h, 1, "localhost", "");
	dns_hosts_free(h);
	dns_hosts_free(NULL);
}

Test(dns_hosts, addresses_of_a_name_are_bounded)
{
	struct dns_hosts *h = dns_hosts_new(path);
	struct addr v[DNS_ADDRS_MOST];
	struct text file = TEXT_EMPTY;
	unsigned i;

	for (i = 0; i < 200; i++)
		text_addf(&file, "10.0.0.%u many.example\n", i);
	put_file(file.p);
	cr_expect_eq(dns_hosts_find(h, 1, "many.example", v, DNS_ADDRS_MOST),
	    DNS_ADDRS_MOST);
	cr_expect_eq(dns_hosts_find(h, 1, "many.example", v, 3), 3);
	text_free(&file);
	dns_hosts_free(h);
}
