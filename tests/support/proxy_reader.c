/* SPDX-License-Identifier: Apache-2.0 */
/* Reads PROXY headers: see proxy_reader.h. */

#include "support/proxy_reader.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD 16

static const uint8_t signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a,
	0x51, 0x55, 0x49, 0x54, 0x0a };

static size_t
u16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static void
copy(char *out, size_t cap, const uint8_t *p, size_t n)
{
	(void)snprintf(out, cap, "%.*s", (int)n, (const char *)p);
}

static void
read_tls(const uint8_t *p, size_t n, struct proxy_seen *out)
{
	if (n < 5)
		return;
	/* It spoke TLS with a certificate, and verification said 0. */
	out->is_verified = (p[0] & 1) != 0 && (p[0] & 2) != 0 &&
			   memcmp(p + 1, "\0\0\0\0", 4) == 0;
	for (p += 5, n -= 5; n >= 3 && u16(p + 1) + 3 <= n;) {
		size_t len = u16(p + 1);

		if (p[0] == 0x21)
			copy(out->tls_version, sizeof(out->tls_version), p + 3,
			    len);
		p += len + 3;
		n -= len + 3;
	}
}

static bool
read_values(const uint8_t *p, size_t n, struct proxy_seen *out)
{
	size_t len;

	for (; n > 0; p += len, n -= len) {
		if (n < 3)
			return false;
		len = u16(p + 1) + 3;
		if (len > n)
			return false;
		if (p[0] == 0x02)
			copy(out->authority, sizeof(out->authority), p + 3,
			    len - 3);
		else if (p[0] == 0x20)
			read_tls(p + 3, len - 3, out);
		else if (p[0] == 0xe0)
			copy(out->spiffe, sizeof(out->spiffe), p + 3, len - 3);
	}
	return true;
}

static void
print(char out[72], int af, const uint8_t *host, const uint8_t *port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(af, host, text, sizeof(text));
	(void)snprintf(
	    out, 72, af == AF_INET6 ? "[%s]:%zu" : "%s:%zu", text, u16(port));
}

bool
proxy_read_bytes(const uint8_t *p, size_t n, struct proxy_seen *out)
{
	size_t addresses;

	memset(out, 0, sizeof(*out));
	if (n < HEAD || memcmp(p, signature, sizeof(signature)) != 0 ||
	    (p[12] & 0xfe) != 0x20 || u16(p + 14) != n - HEAD)
		return false;
	out->is_local = p[12] == 0x20;
	addresses = p[13] == 0x11 ? 12 : p[13] == 0x21 ? 36 : 0;
	if (n - HEAD < addresses || (addresses == 0 && p[13] != 0))
		return false;
	(void)snprintf(out->from, sizeof(out->from), "-");
	if (addresses == 12) {
		print(out->from, AF_INET, p + 16, p + 24);
		print(out->to, AF_INET, p + 20, p + 26);
	} else if (addresses == 36) {
		print(out->from, AF_INET6, p + 16, p + 48);
		print(out->to, AF_INET6, p + 32, p + 50);
	}
	return read_values(p + HEAD + addresses, n - HEAD - addresses, out);
}

bool
proxy_read(int fd, struct proxy_seen *out)
{
	uint8_t b[8192];
	size_t n;

	if (recv(fd, b, HEAD, MSG_WAITALL) != HEAD)
		return false;
	n = u16(b + 14);
	if (n > sizeof(b) - HEAD ||
	    (n > 0 && recv(fd, b + HEAD, n, MSG_WAITALL) != (ssize_t)n))
		return false;
	return proxy_read_bytes(b, HEAD + n, out);
}
