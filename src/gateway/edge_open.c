/* What the edge makes once, at start: the route tree, a metric per route, its settings. */
#include <stdio.h>
#include <stdlib.h>

#include "base/metric.h"
#include "gateway/edge.h"

const struct config_key edge_config[] = {
    {"trusted_proxies", CONFIG_LIST, "",
     .doc = "Networks (CIDR) whose X-Forwarded-For header is believed."},
    {"http.head_timeout", CONFIG_DURATION, "10s", 10, 600000,
     .doc = "Time a client has to send a request head."},
    {"http.body_timeout", CONFIG_DURATION, "20s", 10, 600000,
     .doc = "Longest pause while a request body arrives."},
    {"http.idle_timeout", CONFIG_DURATION, "75s", 10, 3600000,
     .doc = "How long an idle keep-alive connection is kept."},
    {"http.connections_max", CONFIG_INT, "0", 0, 10000000,
     .doc = "Connections per loop; more are refused with 503. 0: as many as descriptors allow."},
    {"log.requests", CONFIG_BOOL, "off",
     .doc = "A log line for every request, not only for those that failed here (5xx)."},
    {0},
};

static const char *const method_names[] = {"GET",   "HEAD",   "POST",    "PUT",
                                           "PATCH", "DELETE", "OPTIONS", "OTHER"};

static void name_metrics(struct edge_route *entry, const char *method, const char *path)
{
    char labels[256];
    snprintf(labels, sizeof labels, "route=\"%s\",method=\"%s\"", path, method);
    entry->latency = metric_register(METRIC_HISTOGRAM, "http_request_duration_seconds",
                                     "From request head to answer.", labels);
    for (int class = 1; class <= 5; class ++) {
        snprintf(labels, sizeof labels, "route=\"%s\",method=\"%s\",status=\"%dxx\"", path, method,
                 class);
        entry->answers[class] =
            metric_register(METRIC_COUNTER, "http_requests_total", "Answers.", labels);
    }
}

static void add_routes(struct edge *edge)
{
    struct kit *kit = edge->kit;
    size_t at = 0;
    for (int m = 0; kit->modules[m] != NULL; m++)
        edge->route_count += kit->modules[m]->route_count;
    edge->routes = xcalloc(edge->route_count, sizeof *edge->routes);
    for (int m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->route_count; i++) {
            const struct route *route = &kit->modules[m]->routes[i];
            struct edge_route *entry = &edge->routes[at++];
            *entry = (struct edge_route){.route = route, .room = kit->rooms[m]};
            name_metrics(entry, method_names[route->method], route->path);
            route_add(edge->tree, route->method, route->path, entry);
        }
}

static int read_trusted(struct edge *edge, struct error *err)
{
    const struct config *config = edge->kit->config;
    for (size_t i = 0; i < config_list_count(config, "trusted_proxies"); i++) {
        const char *text = config_list_item(config, "trusted_proxies", i);
        if (edge->trusted_count == ARRAY_LEN(edge->trusted))
            return error_field(err, "trusted_proxies", "too_many", "At most %zu networks.",
                               ARRAY_LEN(edge->trusted));
        if (!network_parse(text, &edge->trusted[edge->trusted_count++]))
            return error_field(err, "trusted_proxies", "invalid",
                               "\"%s\" is no network such as 10.0.0.0/8.", text);
    }
    return 0;
}

int edge_new(struct kit *kit, struct edge **ret_edge, struct error *err)
{
    struct edge *edge = xcalloc(1, sizeof *edge);
    edge->kit = kit;
    edge->per_user = config_bool(kit->config, "limits.per_user");
    edge->per_address = config_bool(kit->config, "limits.per_address");
    edge->limits.user = config_int(kit->config, "limits.requests_per_minute");
    edge->limits.anonymous = config_int(kit->config, "limits.anonymous_per_minute");
    edge->log_requests = config_bool(kit->config, "log.requests");
    int rc = read_trusted(edge, err);
    if (rc < 0) {
        free(edge);
        return rc;
    }
    edge->tree = route_tree_new();
    name_metrics(&edge->unrouted, "ANY", "static");
    add_routes(edge);
    *ret_edge = edge;
    return 0;
}

void edge_free(struct edge *edge)
{
    route_tree_free(edge->tree);
    free(edge->routes);
    free(edge);
}

void edge_server_config(struct edge *edge, struct http_server_config *ret_config)
{
    const struct config *config = edge->kit->config;
    *ret_config = (struct http_server_config){
        .ops = &edge_server_ops,
        .arg = edge,
        .limits = http_limits_default,
        .head_timeout_ms = config_int(config, "http.head_timeout"),
        .body_timeout_ms = config_int(config, "http.body_timeout"),
        .idle_timeout_ms = config_int(config, "http.idle_timeout"),
        .request_timeout_ms = 60000,
        .connections_max = (size_t)config_int(config, "http.connections_max")};
}
