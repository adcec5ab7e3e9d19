/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_EXTERNAL_SERVICE_H
#define MODEL_EXTERNAL_SERVICE_H

/* ExternalService (Kuma externalservice.proto). */

#include "model/resource.h"

struct external_service_tls {
	bool is_enabled;
	bool allow_renegotiation;
	bool skip_hostname_verification;
	bool has_server_name; /* given and empty: no SNI is sent */
	struct str server_name;
	struct data_source ca_cert;
	struct data_source client_cert;
	struct data_source client_key;
};

struct external_service {
	struct tags tags;
	struct str address; /* as written */
	struct str host;    /* its two parts; an IPv6 address without [] */
	uint16_t port;
	bool host_is_address;
	bool disable_host_dns_entry; /* of the sidecar; no effect here */
	bool has_networking;
	struct external_service_tls tls;
};

const struct external_service *external_service_of(const struct resource *r);

#endif
