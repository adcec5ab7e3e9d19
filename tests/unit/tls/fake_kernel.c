/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  These take the place of libc's functions in the program;
 * what is not about kernel TLS goes to the system as it is.
 */

#include "unit/tls/fake_kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/wire.h"
#include "tls/record.h"

#ifdef HAVE_LINUX_TLS

#include <linux/tls.h>

#define FDS 1024
#define PIECE_MOST ((size_t)512 * 1024)

struct next_record {
	bool is_there;
	uint8_t type;
	size_t at;
	size_t len;
	uint8_t b[RECORD_HEADER + RECORD_BODY_MOST];
};

struct fake {
	bool has_tls;
	bool has_out;
	bool has_in;
	struct record_key out;
	struct record_key in;
	struct wire_buf raw;    /* came, and is not a record yet */
	struct wire_buf sealed; /* not sent, and not said to be */
	size_t sealed_plain;
	struct next_record next;
	bool is_paused;
	bool is_eof;
	int error;
};

struct fake_kernel fake_kernel;
static struct fake *fakes[FDS];

static struct fake *
find(int fd)
{
	return fake_kernel.is_on && fd >= 0 && fd < FDS ? fakes[fd] : NULL;
}

void
fake_kernel_forget(void)
{
	size_t i;

	for (i = 0; i < FDS; i++) {
		if (fakes[i] == NULL)
			continue;
		record_key_fini(&fakes[i]->out);
		record_key_fini(&fakes[i]->in);
		wire_buf_free(&fakes[i]->raw);
		wire_buf_free(&fakes[i]->sealed);
		free(fakes[i]);
		fakes[i] = NULL;
	}
}

static int
fail(int error)
{
	errno = error;
	return -1;
}

static int
add_tls(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	if (getpeername(fd, (void *)&peer, &len) == -1)
		return fail(ENOTCONN);
	if (peer.ss_family != AF_INET)
		return fail(EOPNOTSUPP);
	if (fd >= FDS)
		return fail(ENOMEM);
	if (fakes[fd] != NULL)
		return fail(EEXIST);
	fakes[fd] = calloc(1, sizeof(*fakes[fd]));
	fakes[fd]->has_tls = true;
	return 0;
}

static uint64_t
number_of(const uint8_t *p)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < 8; i++)
		n = n << 8 | p[i];
	return n;
}

/* As tls12_crypto_info_*; all parts that it consists of are in one order. */
static bool
read_key(const uint8_t *p, size_t n, bool is_sealing, struct record_key *k)
{
	static const struct {
		unsigned cipher, id_1_2, id_1_3;
		size_t iv, key, salt;
	} rows[] = {
		{ TLS_CIPHER_AES_GCM_128, 0xc02f, 0x1301, 8, 16, 4 },
		{ TLS_CIPHER_AES_GCM_256, 0xc030, 0x1302, 8, 32, 4 },
		{ TLS_CIPHER_CHACHA20_POLY1305, 0xcca8, 0x1303, 12, 32, 0 },
	};
	struct tls_crypto_info info;
	const uint8_t *at = p + sizeof(info);
	bool is_1_3;
	size_t i;

	memcpy(&info, p, sizeof(info));
	is_1_3 = info.version == TLS_1_3_VERSION;
	for (i = 0; i < 3; i++)
		if (rows[i].cipher == info.cipher_type)
			break;
	if (i == 3 || (!is_1_3 && info.version != TLS_1_2_VERSION) ||
	    n != sizeof(info) + rows[i].iv + rows[i].key + rows[i].salt + 8)
		return false;
	*k = (struct record_key){ .engine = record_engine_evp(),
		.is_sealing = is_sealing };
	k->suite = record_suite_find(is_1_3 ? rows[i].id_1_3 : rows[i].id_1_2,
	    is_1_3 ? RECORD_TLS_1_3 : RECORD_TLS_1_2);
	memcpy(k->iv + rows[i].salt, at,
	    is_1_3 || rows[i].salt == 0 ? rows[i].iv : 0);
	memcpy(k->key, at + rows[i].iv, rows[i].key);
	memcpy(k->iv, at + rows[i].iv + rows[i].key, rows[i].salt);
	k->seq = number_of(p + n - 8);
	/* record_seal() counts on from the number there, too. */
	return is_1_3 || rows[i].salt == 0 || number_of(at) == k->seq;
}

static int
set_key(struct fake *f, int name, const void *p, size_t n)
{
	bool is_out = name == TLS_TX;
	struct record_key *k = is_out ? &f->out : &f->in, fresh;
	bool *has = is_out ? &f->has_out : &f->has_in;
	int refusal = is_out ? fake_kernel.refuses_out : fake_kernel.refuses_in;

	if (refusal != 0)
		return fail(refusal);
	if (*has &&
	    (!fake_kernel.renews || k->suite->version == RECORD_TLS_1_2))
		return fail(EBUSY);
	if (!read_key(p, n, is_out, &fresh))
		return fail(EINVAL);
	record_key_fini(k);
	*k = fresh;
	*has = true;
	if (!is_out)
		f->is_paused = false;
	return 0;
}

int
setsockopt(int fd, int level, int name, const void *p, socklen_t n)
{
	struct fake *f = find(fd);

	if (fake_kernel.is_on && level == IPPROTO_TCP && name == TCP_ULP)
		return add_tls(fd);
	if (fake_kernel.is_on && level == SOL_TLS)
		return f != NULL ? set_key(f, name, p, n) : fail(ENOPROTOOPT);
	return (int)syscall(SYS_setsockopt, fd, level, name, p, n);
}

int
getsockopt(int fd, int level, int name, void *restrict p, socklen_t *restrict n)
{
	struct fake *f = find(fd);
	uint8_t *number;
	uint64_t seq;
	int i;

	if (f == NULL || level != SOL_TLS)
		return (int)syscall(SYS_getsockopt, fd, level, name, p, n);
	if (!fake_kernel.tells)
		return fail(EINVAL);
	number = (uint8_t *)p + *n - 8;
	seq = name == TLS_TX ? f->out.seq : f->in.seq;
	for (i = 7; i >= 0; i--, seq >>= 8)
		number[i] = (uint8_t)seq;
	return 0;
}

static ssize_t
raw_send(int fd, const void *p, size_t n)
{
	return syscall(SYS_sendto, fd, p, n, MSG_NOSIGNAL, NULL, 0);
}

/* False: the socket takes no more, or has failed. */
static bool
flush(struct fake *f, int fd)
{
	struct str left = wire_buf_str(&f->sealed);
	ssize_t r;

	while (left.len > 0) {
		r = raw_send(fd, left.p, left.len);
		if (r == -1)
			return false;
		wire_buf_consume(&f->sealed, (size_t)r);
		left = wire_buf_str(&f->sealed);
	}
	return true;
}

/* A record is only said to be sent when all of it is: then we are asked again
 * with the same bytes. */
static ssize_t
send_records(struct fake *f, int fd, uint8_t type, const uint8_t *p, size_t n)
{
	static uint8_t record[RECORD_PLAIN + RECORD_OVERHEAD_MOST];
	size_t done, part, len;

	if (!flush(f, fd))
		return -1;
	done = f->sealed_plain;
	f->sealed_plain = 0;
	while (done < n) {
		part = n - done < RECORD_PLAIN ? n - done : RECORD_PLAIN;
		len = record_seal(
		    &f->out, (enum record_type)type, p + done, part, record);
		if (len == 0)
			return done > 0 ? (ssize_t)done : fail(EBADMSG);
		wire_buf_add(&f->sealed,
		    (struct str){ .p = (const void *)record, .len = len });
		if (!flush(f, fd)) {
			f->sealed_plain = part;
			return done > 0 ? (ssize_t)done : -1;
		}
		done += part;
	}
	return (ssize_t)done;
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	struct fake *f = find(fd);

	if (f != NULL && f->has_out)
		return send_records(f, fd, RECORD_DATA, p, n);
	return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	static uint8_t all[PIECE_MOST];
	struct fake *f = find(fd);
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	uint8_t type = RECORD_DATA;
	size_t i, n = 0, part;

	if (f == NULL || !f->has_out)
		return syscall(SYS_sendmsg, fd, m, flags);
	if (c != NULL && c->cmsg_level == SOL_TLS &&
	    c->cmsg_type == TLS_SET_RECORD_TYPE)
		memcpy(&type, CMSG_DATA(c), 1);
	for (i = 0; i < m->msg_iovlen; i++) {
		part = m->msg_iov[i].iov_len;
		if (part > sizeof(all) - n)
			part = sizeof(all) - n;
		memcpy(all + n, m->msg_iov[i].iov_base, part);
		n += part;
	}
	return send_records(f, fd, type, all, n);
}

/* False: there is nothing more now. */
static bool
receive(struct fake *f, int fd)
{
	char b[4096];
	ssize_t r;

	if (f->is_eof || f->error != 0)
		return false;
	r = syscall(SYS_recvfrom, fd, b, sizeof(b), 0, NULL, NULL);
	if (r > 0)
		wire_buf_add(&f->raw, (struct str){ .p = b, .len = (size_t)r });
	else if (r == 0)
		f->is_eof = true;
	else if (errno != EAGAIN)
		f->error = errno;
	return r > 0;
}

static int
error_of(uint8_t alert)
{
	/* record_overflow, protocol_version */
	return alert == 22 ? EMSGSIZE : alert == 70 ? EINVAL : EBADMSG;
}

/* 1: one is there, 0: none, -1: it is bad, or the key is not known. */
static int
open_next(struct fake *f)
{
	struct str raw = wire_buf_str(&f->raw);
	const uint8_t *p = (const void *)raw.p;
	struct record r;
	size_t n;

	if (f->next.is_there)
		return 1;
	if (f->is_paused)
		return fail(EKEYEXPIRED);
	if (raw.len < RECORD_HEADER)
		return 0;
	n = record_len(p);
	if (n > RECORD_HEADER + RECORD_BODY_MOST)
		return fail(EMSGSIZE);
	if (n > raw.len)
		return 0;
	if (!record_open(&f->in, p, n, f->next.b, &r))
		return fail(error_of(r.alert));
	wire_buf_consume(&f->raw, n);
	f->next.is_there = true;
	f->next.type = r.type;
	f->next.at = 0;
	f->next.len = r.len;
	f->is_paused = f->in.suite->version == RECORD_TLS_1_3 &&
		       r.type == RECORD_HANDSHAKE && r.len > 0 &&
		       f->next.b[0] == 24;
	return 1;
}

static size_t
take_part(struct next_record *r, uint8_t *p, size_t n)
{
	size_t part = r->len - r->at < n ? r->len - r->at : n;

	memcpy(p, r->b + r->at, part);
	r->at += part;
	r->is_there = r->at < r->len;
	return part;
}

static ssize_t
read_records(struct fake *f, int fd, uint8_t *type, uint8_t *p, size_t n)
{
	size_t done = 0;
	int r = 0;

	*type = RECORD_DATA;
	while (done < n && (r = open_next(f)) >= 0) {
		if (r == 0 && receive(f, fd))
			continue;
		if (r == 0)
			break;
		if (f->next.type != RECORD_DATA) {
			if (done > 0)
				break;
			*type = f->next.type;
			return (ssize_t)take_part(&f->next, p, n);
		}
		done += take_part(&f->next, p + done, n - done);
	}
	if (done > 0)
		return (ssize_t)done;
	if (r == -1 || f->is_eof)
		return r;
	return fail(f->error != 0 ? f->error : EAGAIN);
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	struct fake *f = find(fd);
	struct cmsghdr *c;
	uint8_t type;
	ssize_t r;

	if (f == NULL || !f->has_in)
		return syscall(SYS_recvmsg, fd, m, flags);
	r = read_records(
	    f, fd, &type, m->msg_iov->iov_base, m->msg_iov->iov_len);
	c = CMSG_FIRSTHDR(m);
	if (r < 0 || (r == 0 && type == RECORD_DATA)) {
		m->msg_controllen = 0;
		return r;
	}
	c->cmsg_level = SOL_TLS;
	c->cmsg_type = TLS_GET_RECORD_TYPE;
	c->cmsg_len = CMSG_LEN(1);
	memcpy(CMSG_DATA(c), &type, 1);
	return r;
}

ssize_t
recv(int fd, void *p, size_t n, int flags)
{
	struct fake *f = find(fd);
	uint8_t type;
	ssize_t r;

	if (f == NULL || !f->has_in)
		return syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
	r = read_records(f, fd, &type, p, n);
	return r >= 0 && type != RECORD_DATA ? fail(EIO) : r;
}

#else

struct fake_kernel fake_kernel;

void
fake_kernel_forget(void)
{
}

#endif
