/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one extension out of a server's first messages.  Nothing is refused
 * here: what is malformed says nothing, and OpenSSL will find it.  Any thread.
 */

#include "tls/server_alpn.h"

#include "base/reader.h"

#define SERVER_HELLO 2
#define ENCRYPTED_EXTENSIONS 8
#define VERSION_AND_RANDOM 34
#define SUITE_AND_COMPRESSION 3
#define EXT_ALPN 16

static struct str
read_list(struct reader ext)
{
	struct reader list = reader_sub(&ext, reader_u16(&ext));
	struct str id = reader_bytes(&list, reader_u8(&list));

	return reader_is_bad(&ext) || reader_is_bad(&list) ? STR_NONE : id;
}

static struct str
read_extensions(struct reader *r)
{
	struct reader all = reader_sub(r, reader_u16(r)), ext;
	uint16_t type;

	while (reader_left(&all) > 0 && !reader_is_bad(&all)) {
		type = reader_u16(&all);
		ext = reader_sub(&all, reader_u16(&all));
		if (type == EXT_ALPN && !reader_is_bad(&all))
			return read_list(ext);
	}
	return STR_NONE;
}

struct str
server_alpn_read(const void *p, size_t n)
{
	struct reader r;
	uint8_t type;

	reader_init(&r, p, n);
	type = reader_u8(&r);
	reader_skip(&r, 3);
	if (type == SERVER_HELLO) {
		reader_skip(&r, VERSION_AND_RANDOM);
		reader_skip(&r, reader_u8(&r));
		reader_skip(&r, SUITE_AND_COMPRESSION);
	} else if (type != ENCRYPTED_EXTENSIONS) {
		return STR_NONE;
	}
	return reader_is_bad(&r) ? STR_NONE : read_extensions(&r);
}

static bool
was_offered(struct str ids, struct str id)
{
	while (ids.len > 0)
		if (str_eq(str_cut(&ids, ','), id))
			return true;
	return false;
}

void
server_alpn_check(struct tls_peer *peer, const void *p, size_t n)
{
	struct str offered = peer->spec->alpn, id = server_alpn_read(p, n);
	char said[64];
	size_t i;

	if (id.len == 0 || was_offered(offered, id))
		return;
	if (offered.len == 0)
		offered = STR("nothing");
	/* What a peer sends may be anything. */
	id = str_first(id, sizeof(said) - 1);
	for (i = 0; i < id.len; i++)
		said[i] = id.p[i] > ' ' && id.p[i] <= '~' ? id.p[i] : '?';
	said[i] = '\0';
	peer->is_alpn_wrong = true;
	peer_fail(peer, TLS_FAIL_VERSION,
	    "the server chose %s by ALPN, it was offered %.*s", said,
	    STR_ARG(offered));
}
