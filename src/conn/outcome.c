/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of outcomes, and how a failed attempt to reach a service maps onto
 * it.  Any thread.
 */

#include "conn/outcome.h"

static const struct outcome_row rows[] = {
#define OUTCOME(id, word_, status_, body_, text_) \
	[OUT_##id] = { word_, status_, body_, text_ },
#include "conn/outcome.tbl.h"
};

const struct outcome_row *
outcome_row(enum outcome o)
{
	return &rows[o];
}

enum outcome
outcome_of_tls(enum tls_failure f)
{
	switch (f) {
	case TLS_FAIL_CHAIN:
	case TLS_FAIL_EXPIRED:
	case TLS_FAIL_PURPOSE:
	case TLS_FAIL_NAME:
	case TLS_FAIL_NO_CERT:
	case TLS_FAIL_SAN:
		return OUT_UPSTREAM_CERT;
	case TLS_FAIL_ALERT:
		return OUT_UPSTREAM_ALERT;
	case TLS_FAIL_RENEGOTIATION:
		return OUT_UPSTREAM_RENEGOTIATION;
	case TLS_FAIL_NONE:
	case TLS_FAIL_VERSION:
	case TLS_FAIL_NOT_TLS:
	case TLS_FAIL_CLOSED:
	case TLS_FAIL_OTHER:
		break;
	}
	return OUT_UPSTREAM_TLS;
}

enum outcome
outcome_of_reach(enum reach_status s, enum tls_failure f)
{
	switch (s) {
	case REACH_OK:
		return OUT_OK;
	case REACH_NO_ENDPOINT:
		return OUT_NO_ENDPOINT;
	case REACH_NO_NAME:
	case REACH_NAME_FAILED:
		return OUT_DNS_ERROR;
	case REACH_NAME_LATE:
		return OUT_DNS_TIMEOUT;
	case REACH_ADDRESS_REFUSED:
		return OUT_IP_PROHIBITED;
	case REACH_REFUSED:
		return OUT_CONNECT_REFUSED;
	case REACH_UNREACHABLE:
		return OUT_IP_UNROUTABLE;
	case REACH_RESET:
		return OUT_UPSTREAM_CLOSED;
	case REACH_LATE:
		return OUT_CONNECT_LATE;
	case REACH_TLS:
		return outcome_of_tls(f);
	case REACH_TLS_SETUP:
		return OUT_UPSTREAM_TLS;
	case REACH_PROTOCOL:
		return OUT_UPSTREAM_PROTOCOL;
	case REACH_PARENT_AUTH:
		return OUT_PARENT_AUTH;
	case REACH_PARENT_DENIED:
		return OUT_PARENT_DENIED;
	case REACH_PARENT_FAILED:
		return OUT_PARENT_FAILED;
	case REACH_OVERFLOW:
		return OUT_UPSTREAM_LIMIT;
	case REACH_NO_FDS:
		return OUT_NO_FDS;
	}
	return OUT_INTERNAL;
}
