/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  The only file that knows <linux/tls.h>; where that is not
 * there to build with, the kernel has none for us.
 *
 * The kernel makes the nonces of TLS 1.2 with AES-GCM by counting on from an
 * IV that it is given, of TLS 1.3 and ChaCha20 from the record's number: given
 * the number for that IV, they are what record.c makes.
 */

#include "tls/kernel_tls.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/record.h"

#ifdef HAVE_LINUX_TLS

#include <linux/tls.h>

const struct wire_tagging kernel_tls_tagging = {
	.level = SOL_TLS,
	.type_in = TLS_GET_RECORD_TYPE,
	.type_out = TLS_SET_RECORD_TYPE,
	.usual = RECORD_DATA,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int lack; /* 0: it is there */
static atomic_int renewing;
enum { UNKNOWN, YES, NO }; /* of renewing */

/* A socket that is not connected is refused, but by whom says it all. */
static void
ask(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1) {
		lack = errno;
		return;
	}
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == -1 &&
	    errno != ENOTCONN)
		lack = errno;
	close(fd);
}

bool
kernel_tls_is_there(struct text *why)
{
	pthread_once(&once, ask);
	if (lack == ENOENT || lack == ENOPROTOOPT)
		text_add_z(why,
		    "this kernel has no TLS for sockets: load its module "
		    "(modprobe tls), or take one with CONFIG_TLS");
	else if (lack != 0)
		text_addf(why, "this kernel gives no TLS for sockets: %s",
		    strerror(lack));
	return lack == 0;
}

union kernel_key {
	struct tls_crypto_info info;
	struct tls12_crypto_info_aes_gcm_128 aes128;
	struct tls12_crypto_info_aes_gcm_256 aes256;
	struct tls12_crypto_info_chacha20_poly1305 chacha;
};

static_assert(sizeof(union kernel_key) <= KERNEL_TLS_KEY_MOST,
    "callers have room for it");

static void
put_number(uint8_t out[8], uint64_t seq)
{
	int i;

	for (i = 7; i >= 0; i--, seq >>= 8)
		out[i] = (uint8_t)seq;
}

/* The last 8 bytes of the nonce: see the top. */
static void
put_gcm_iv(const struct record_key *k, uint8_t salt[4], uint8_t iv[8])
{
	memcpy(salt, k->iv, 4);
	if (k->suite->explicit_len > 0)
		put_number(iv, k->seq);
	else
		memcpy(iv, k->iv + 4, 8);
}

static size_t
fill(const struct record_key *k, union kernel_key *out)
{
	*out = (union kernel_key){ .info = { .version = TLS_1_3_VERSION } };
	if (k->suite->version == RECORD_TLS_1_2)
		out->info.version = TLS_1_2_VERSION;
	switch (k->suite->aead) {
	case RECORD_AES128_GCM:
		out->info.cipher_type = TLS_CIPHER_AES_GCM_128;
		put_gcm_iv(k, out->aes128.salt, out->aes128.iv);
		memcpy(out->aes128.key, k->key, sizeof(out->aes128.key));
		put_number(out->aes128.rec_seq, k->seq);
		return sizeof(out->aes128);
	case RECORD_AES256_GCM:
		out->info.cipher_type = TLS_CIPHER_AES_GCM_256;
		put_gcm_iv(k, out->aes256.salt, out->aes256.iv);
		memcpy(out->aes256.key, k->key, sizeof(out->aes256.key));
		put_number(out->aes256.rec_seq, k->seq);
		return sizeof(out->aes256);
	case RECORD_CHACHA20:
		break;
	}
	out->info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
	memcpy(out->chacha.iv, k->iv, sizeof(out->chacha.iv));
	memcpy(out->chacha.key, k->key, sizeof(out->chacha.key));
	put_number(out->chacha.rec_seq, k->seq);
	return sizeof(out->chacha);
}

size_t
kernel_tls_key(const struct record_key *k, uint8_t out[KERNEL_TLS_KEY_MOST])
{
	union kernel_key key;
	size_t n = fill(k, &key);

	memcpy(out, &key, n);
	OPENSSL_cleanse(&key, sizeof(key));
	return n;
}

int
kernel_tls_start(int fd, const struct record_key *k)
{
	int name = k->is_sealing ? TLS_TX : TLS_RX, error = 0;
	union kernel_key key;
	size_t n;

	/* The second direction finds it there. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == -1 &&
	    errno != EEXIST)
		return errno;
	n = fill(k, &key);
	if (setsockopt(fd, SOL_TLS, name, &key, (socklen_t)n) == -1)
		error = errno;
	OPENSSL_cleanse(&key, sizeof(key));
	return error;
}

void
kernel_tls_learn(int fd, const struct record_key *k)
{
	if (atomic_load(&renewing) != UNKNOWN || !k->is_sealing ||
	    k->suite->version != RECORD_TLS_1_3)
		return;
	/* The same key again changes nothing, nor does an old one's refusal. */
	atomic_store(&renewing, kernel_tls_start(fd, k) == 0 ? YES : NO);
}

bool
kernel_tls_can_renew(void)
{
	return atomic_load(&renewing) == YES;
}

bool
kernel_tls_number(int fd, const struct record_key *k, uint64_t *out)
{
	uint8_t *number = NULL;
	union kernel_key key;
	socklen_t len = (socklen_t)fill(k, &key);
	bool is_ok;
	int i;

	is_ok = getsockopt(fd, SOL_TLS, k->is_sealing ? TLS_TX : TLS_RX, &key,
		    &len) == 0;
	switch (k->suite->aead) {
	case RECORD_AES128_GCM:
		number = key.aes128.rec_seq;
		break;
	case RECORD_AES256_GCM:
		number = key.aes256.rec_seq;
		break;
	case RECORD_CHACHA20:
		number = key.chacha.rec_seq;
		break;
	}
	for (i = 0, *out = 0; i < 8; i++)
		*out = *out << 8 | number[i];
	OPENSSL_cleanse(&key, sizeof(key));
	return is_ok;
}

#else

const struct wire_tagging kernel_tls_tagging = { .usual = RECORD_DATA };

bool
kernel_tls_is_there(struct text *why)
{
	text_add_z(why,
	    "zegressd was built without <linux/tls.h>: build it with the "
	    "headers of Linux 5.11 or later (linux-libc-dev)");
	return false;
}

size_t
kernel_tls_key(const struct record_key *k, uint8_t out[KERNEL_TLS_KEY_MOST])
{
	(void)k;
	(void)out;
	return 0;
}

int
kernel_tls_start(int fd, const struct record_key *k)
{
	(void)fd;
	(void)k;
	return ENOPROTOOPT;
}

void
kernel_tls_learn(int fd, const struct record_key *k)
{
	(void)fd;
	(void)k;
}

bool
kernel_tls_can_renew(void)
{
	return false;
}

bool
kernel_tls_number(int fd, const struct record_key *k, uint64_t *out)
{
	(void)fd;
	(void)k;
	(void)out;
	return false;
}

#endif
