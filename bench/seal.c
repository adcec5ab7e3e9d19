/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, nonces and records.  Sockets are not here, nor what records carry.
 */

#include "seal.h"

#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#ifdef BENCH_IPSEC_MB
#include <intel-ipsec-mb.h>

static IMB_MGR *
manager(void)
{
	static IMB_MGR *m;

	if (m != NULL)
		return m;
	m = alloc_mb_mgr(0);
	if (m == NULL)
		abort();
	init_mb_mgr_auto(m, NULL);
	return m;
}
#endif

enum seal_engine
seal_best(void)
{
#ifdef BENCH_IPSEC_MB
	return SEAL_IPSEC_MB;
#else
	return SEAL_EVP;
#endif
}

static unsigned
digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static void
take_line(const SSL *ssl, const char *line)
{
	static const char client[] = "CLIENT_TRAFFIC_SECRET_0 ";
	static const char server[] = "SERVER_TRAFFIC_SECRET_0 ";
	struct seal_secrets *s = SSL_get_app_data(ssl);
	const char *hex = strrchr(line, ' ') + 1;
	uint8_t *to = NULL;

	if (strlen(hex) != 2 * sizeof(s->client))
		return;
	if (strncmp(line, client, sizeof(client) - 1) == 0) {
		to = s->client;
		s->has_client = true;
	}
	if (strncmp(line, server, sizeof(server) - 1) == 0) {
		to = s->server;
		s->has_server = true;
	}
	for (size_t i = 0; to != NULL && i < sizeof(s->client); i++)
		to[i] =
		    (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

void
seal_listen(SSL_CTX *ctx)
{
	SSL_CTX_set_keylog_callback(ctx, take_line);
}

/* HKDF-Expand-Label of RFC 8446, 7.1, without context and of one block. */
static void
expand(const uint8_t secret[32], const char *label, uint8_t *out, uint8_t n)
{
	uint8_t info[64] = { 0, n };
	uint8_t block[EVP_MAX_MD_SIZE];
	size_t size = strlen(label);

	info[2] = (uint8_t)(6 + size);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, size);
	info[9 + size + 1] = 1;
	if (HMAC(EVP_sha256(), secret, 32, info, 9 + size + 2, block, NULL) ==
	    NULL)
		abort();
	memcpy(out, block, n);
}

void
seal_init(struct seal *s, enum seal_engine engine, const uint8_t secret[32],
    bool is_sealing)
{
	uint8_t key[16];

	*s = (struct seal){ 0 };
	expand(secret, "key", key, sizeof(key));
	expand(secret, "iv", s->iv, sizeof(s->iv));
#ifdef BENCH_IPSEC_MB
	if (engine == SEAL_IPSEC_MB) {
		s->key = aligned_alloc(
		    64, (sizeof(struct gcm_key_data) + 63) & ~(size_t)63);
		if (s->key == NULL)
			abort();
		IMB_AES128_GCM_PRE(manager(), key, s->key);
		return;
	}
#endif
	(void)engine;
	s->evp = EVP_CIPHER_CTX_new();
	if (s->evp == NULL || EVP_CipherInit_ex(s->evp, EVP_aes_128_gcm(), NULL,
				  key, NULL, is_sealing) != 1)
		abort();
}

void
seal_fini(struct seal *s)
{
	EVP_CIPHER_CTX_free(s->evp);
	free(s->key);
	*s = (struct seal){ 0 };
}

static void
next_nonce(struct seal *s, uint8_t nonce[12])
{
	memcpy(nonce, s->iv, sizeof(s->iv));
	for (unsigned i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(s->seq >> 8 * i);
	s->seq++;
}

size_t
seal_close(struct seal *s, uint8_t *record, size_t n, uint8_t type)
{
	uint8_t *text = record + SEAL_HEAD;
	uint8_t nonce[12];
	int size, rest;

	text[n++] = type;
	record[0] = SEAL_DATA;
	record[1] = 3;
	record[2] = 3;
	record[3] = (uint8_t)((n + SEAL_TAG) >> 8);
	record[4] = (uint8_t)(n + SEAL_TAG);
	next_nonce(s, nonce);
#ifdef BENCH_IPSEC_MB
	if (s->key != NULL) {
		struct gcm_context_data c;

		IMB_AES128_GCM_ENC(manager(), s->key, &c, text, text, n, nonce,
		    record, SEAL_HEAD, text + n, SEAL_TAG);
		return SEAL_HEAD + n + SEAL_TAG;
	}
#endif
	if (EVP_EncryptInit_ex(s->evp, NULL, NULL, NULL, nonce) != 1 ||
	    EVP_EncryptUpdate(s->evp, NULL, &size, record, SEAL_HEAD) != 1 ||
	    EVP_EncryptUpdate(s->evp, text, &size, text, (int)n) != 1 ||
	    EVP_EncryptFinal_ex(s->evp, text + size, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		s->evp, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, text + n) != 1)
		abort();
	return SEAL_HEAD + n + SEAL_TAG;
}

size_t
seal_size(const uint8_t *data, size_t n)
{
	size_t size;

	if (n < SEAL_HEAD)
		return 0;
	size = SEAL_HEAD + ((size_t)data[3] << 8 | data[4]);
	return size;
}

static bool
decrypt(struct seal *s, uint8_t *record, size_t n)
{
	uint8_t *text = record + SEAL_HEAD;
	uint8_t nonce[12];
	int size;

	next_nonce(s, nonce);
#ifdef BENCH_IPSEC_MB
	if (s->key != NULL) {
		struct gcm_context_data c;
		uint8_t tag[SEAL_TAG];

		IMB_AES128_GCM_DEC(manager(), s->key, &c, text, text, n, nonce,
		    record, SEAL_HEAD, tag, SEAL_TAG);
		return memcmp(tag, text + n, SEAL_TAG) == 0;
	}
#endif
	return EVP_DecryptInit_ex(s->evp, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_DecryptUpdate(s->evp, NULL, &size, record, SEAL_HEAD) == 1 &&
	       EVP_DecryptUpdate(s->evp, text, &size, text, (int)n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
		   s->evp, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, text + n) == 1 &&
	       EVP_DecryptFinal_ex(s->evp, text + size, &size) == 1;
}

long
seal_open(struct seal *s, uint8_t *record, size_t size, uint8_t *type)
{
	uint8_t *text = record + SEAL_HEAD;
	size_t n;

	if (record[0] != SEAL_DATA || size < SEAL_MORE ||
	    size > SEAL_RECORD_MAX)
		return -1;
	n = size - SEAL_HEAD - SEAL_TAG;
	if (!decrypt(s, record, n))
		return -1;
	while (n > 0 && text[n - 1] == 0)
		n--;
	if (n == 0)
		return -1;
	*type = text[n - 1];
	return (long)n - 1;
}
