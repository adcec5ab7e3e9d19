/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_OTLP_LOGS_H
#define CONN_OTLP_LOGS_H

/*
 * Log records as OTLP has them (opentelemetry-proto, logs/v1), in protobuf.
 * Any thread.
 */

#include "conn/access_log.h"
#include "policy/service.h"

/* One record, so that those added one behind another are a list of them. */
void otlp_add_record(const struct mesh_log *log, const struct service *s,
    const struct log_entry *e, int64_t wall_ms, struct text *out);

/*
 * The message of gRPC for LogsService/Export that has these records, with its
 * prefix of five bytes.
 */
void otlp_add_export(struct str records, struct text *out);

#endif
