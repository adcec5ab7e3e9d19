/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/* ROUTE(path, function, content type, what it shows): no guard; undefined again. */
ROUTE("/", show_index, "text/plain; charset=utf-8", "This list.")
ROUTE("/ready", show_ready, "text/plain; charset=utf-8", "READY, NOT_READY or TERMINATING (503 but for the first).")
ROUTE("/stats/prometheus", show_stats, "text/plain; version=0.0.4; charset=utf-8", "Every metric of zegress-stats(7).")
ROUTE("/metrics", show_stats, "text/plain; version=0.0.4; charset=utf-8", "The same.")
ROUTE("/clusters", show_clusters, "text/plain; charset=utf-8", "Endpoints and what is known of their health, worker by worker.")
ROUTE("/config_dump", show_config_dump, "application/json", "Services, rules, meshes and listeners in force, secrets masked.")
#undef ROUTE
/* clang-format on */
