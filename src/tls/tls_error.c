/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's reasons, sorted into ours.  An alert that the peer sent comes as a
 * reason too; it is named, and where the usual cause is known, so is that.
 * Any thread.
 */

#include "tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/attr.h"
#include "tls/library.h"

/* What a peer means by an alert, seen from our side. */
static const struct {
	int alert;
	const char *name;
	const char *hint;
} alerts[] = {
	{ SSL_AD_CLOSE_NOTIFY, "close_notify", "it closed in order" },
	{ SSL_AD_UNEXPECTED_MESSAGE, "unexpected_message", NULL },
	{ SSL_AD_BAD_RECORD_MAC, "bad_record_mac", NULL },
	{ SSL_AD_RECORD_OVERFLOW, "record_overflow", NULL },
	{ SSL_AD_HANDSHAKE_FAILURE, "handshake_failure",
	    "no common cipher, or it wants a client certificate (towards "
	    "servers: tls.ciphers, tls.groups, tls.cert)" },
	{ SSL_AD_BAD_CERTIFICATE, "bad_certificate",
	    "it does not accept our certificate" },
	{ SSL_AD_UNSUPPORTED_CERTIFICATE, "unsupported_certificate",
	    "our certificate is not meant for this use" },
	{ SSL_AD_CERTIFICATE_REVOKED, "certificate_revoked", NULL },
	{ SSL_AD_CERTIFICATE_EXPIRED, "certificate_expired",
	    "our certificate, or a clock, is out of date" },
	{ SSL_AD_CERTIFICATE_UNKNOWN, "certificate_unknown",
	    "it does not accept our certificate or its names" },
	{ SSL_AD_ILLEGAL_PARAMETER, "illegal_parameter", NULL },
	{ SSL_AD_UNKNOWN_CA, "unknown_ca",
	    "it does not trust the CA of our certificate" },
	{ SSL_AD_ACCESS_DENIED, "access_denied", NULL },
	{ SSL_AD_DECODE_ERROR, "decode_error", NULL },
	{ SSL_AD_DECRYPT_ERROR, "decrypt_error", NULL },
	{ SSL_AD_PROTOCOL_VERSION, "protocol_version", TEXT_NO_VERSION },
	{ SSL_AD_INSUFFICIENT_SECURITY, "insufficient_security", NULL },
	{ SSL_AD_INTERNAL_ERROR, "internal_error", NULL },
	{ SSL_AD_INAPPROPRIATE_FALLBACK, "inappropriate_fallback", NULL },
	{ SSL_AD_USER_CANCELLED, "user_canceled", NULL },
	{ SSL_AD_NO_RENEGOTIATION, "no_renegotiation",
	    "it does not renegotiate" },
	{ SSL_AD_MISSING_EXTENSION, "missing_extension", NULL },
	{ SSL_AD_UNSUPPORTED_EXTENSION, "unsupported_extension", NULL },
	{ SSL_AD_UNRECOGNIZED_NAME, "unrecognized_name",
	    "it does not know the server name that was sent" },
	{ SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE,
	    "bad_certificate_status_response",
	    "it does not accept the answer of OCSP" },
	{ SSL_AD_CERTIFICATE_REQUIRED, "certificate_required",
	    "it wants a client certificate" },
	{ SSL_AD_NO_APPLICATION_PROTOCOL, "no_application_protocol",
	    "it accepts none of the offered ALPN protocols" },
};

void
tls_error_name_alert(int alert, struct text *out)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(alerts); i++)
		if (alerts[i].alert == alert)
			text_addf(out, "%s(%d)", alerts[i].name, alert);
}

void
tls_error_explain_alert(int alert, struct text *why)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(alerts); i++) {
		if (alerts[i].alert != alert)
			continue;
		text_addf(
		    why, "the peer sent alert %s(%d)", alerts[i].name, alert);
		if (alerts[i].hint != NULL)
			text_addf(why, ": %s", alerts[i].hint);
		return;
	}
	text_addf(why, "the peer sent alert %d", alert);
}

/* clang-format off */
static const struct library_reason reasons[] = {
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, TLS_FAIL_NO_CERT,
	    "the peer showed no certificate" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, TLS_FAIL_VERSION,
	    TEXT_NO_VERSION },
	{ SSL_R_NO_PROTOCOLS_AVAILABLE, TLS_FAIL_VERSION,
	    "no TLS version is enabled" },
	{ SSL_R_NO_SHARED_CIPHER, TLS_FAIL_VERSION, "no common cipher" },
	{ SSL_R_INAPPROPRIATE_FALLBACK, TLS_FAIL_VERSION, NULL },
	{ SSL_R_WRONG_VERSION_NUMBER, TLS_FAIL_NOT_TLS,
	    "the peer does not speak TLS" },
	{ SSL_R_HTTP_REQUEST, TLS_FAIL_NOT_TLS,
	    "the peer speaks plain HTTP" },
	{ SSL_R_HTTPS_PROXY_REQUEST, TLS_FAIL_NOT_TLS,
	    "the peer speaks plain HTTP" },
	{ SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, TLS_FAIL_VERSION,
	    "the peer only knows insecure renegotiation (no RFC 5746)" },
	{ .reason = 0 },
};
/* clang-format on */

static const struct library_reason *
find_reason(const struct library_reason *r, int reason)
{
	while (r->reason != 0 && r->reason != reason)
		r++;
	return r->reason != 0 ? r : NULL;
}

static enum tls_failure
explain_reason(unsigned long e, struct text *why)
{
	const char *own = ERR_reason_error_string(e);
	const struct library_reason *r;
	int reason = ERR_GET_REASON(e);

	if (ERR_GET_LIB(e) != ERR_LIB_SSL)
		goto other;
	if (reason > SSL_AD_REASON_OFFSET) {
		tls_error_explain_alert(reason - SSL_AD_REASON_OFFSET, why);
		return TLS_FAIL_ALERT;
	}
	r = find_reason(reasons, reason);
	if (r == NULL)
		r = find_reason(library_reasons, reason);
	if (r != NULL) {
		text_add_z(why, r->text != NULL ? r->text : own);
		return r->failure;
	}
other:
	text_addf(why, "TLS failed: %s", own != NULL ? own : "no reason given");
	return TLS_FAIL_OTHER;
}

enum tls_failure
tls_error_take(struct text *why)
{
	/* The first is the cause, the rest is who noticed. */
	unsigned long e = ERR_get_error();

	ERR_clear_error();
	return explain_reason(e, why);
}
