#include "kit/limit.h"

#include <stdio.h>

#include "base/hash.h"

const struct config_key kit_config[] = {
    {"limits.per_user", CONFIG_BOOL, "on",
     .doc = "Limits per signed-in user (requests, messages); off for tests and trusted networks."},
    {"limits.per_address", CONFIG_BOOL, "on",
     .doc = "Limits per client address; the limit of sign-in attempts per account stays."},
    {"limits.requests_per_minute", CONFIG_INT, "100", 1, 1000000,
     .doc = "Data requests per user and minute (G05)."},
    {"limits.anonymous_per_minute", CONFIG_INT, "100", 1, 1000000,
     .doc = "Requests without a token per address and minute (G05)."},
    {0},
};

/* How long until there is more for whoever has just been let in, at most: a bucket fills evenly,
 * a window is open again when it has passed. */
static int64_t more_after_ms(const struct limit_rule *rule)
{
    if (rule->kind == LIMIT_WINDOW)
        return rule->period_ms;
    return (rule->period_ms + rule->count - 1) / rule->count;
}

static void write_headers(const struct limit_rule *rule, int64_t left, int64_t retry_ms,
                          struct buf *headers)
{
    long long window_s = (rule->period_ms + 999) / 1000;
    int64_t more_ms = retry_ms > 0 ? retry_ms : more_after_ms(rule);
    buf_printf(headers,
               "ratelimit-policy: \"%s\";q=%lld;w=%lld\r\nratelimit: \"%s\";r=%lld;t=%lld\r\n",
               rule->name, (long long)rule->count, window_s, rule->name, (long long)left,
               (long long)((more_ms + 999) / 1000));
}

static struct slice key_name(const struct limit_rule *rule, struct slice key, char *text,
                             size_t size)
{
    int len = snprintf(text, size, "limit:%s:%016llx", rule->name,
                       (unsigned long long)hash_bytes(key.ptr, key.len));
    panic_if(len < 0 || (size_t)len >= size, "the name of the limit %s is too long", rule->name);
    return slice_of(text, (size_t)len);
}

struct slice limit_address(const struct in6_addr *address)
{
    size_t bytes = IN6_IS_ADDR_V4MAPPED(address) ? sizeof *address : 8;
    return slice_of((const char *)address->s6_addr, bytes);
}

void limit_reset(struct kv *kv, const struct limit_rule *rule, struct slice key)
{
    char text[96];
    struct error ignored;
    error_init(&ignored);
    /* Best effort, like the limit itself: an engine that is away lets everybody through. */
    (void)!kv->ops->remove(kv, key_name(rule, key, text, sizeof text), &ignored);
}

int limit_take(struct kv *kv, const struct limit_rule *rule, struct slice key, struct buf *headers,
               struct error *err)
{
    char text[96];
    struct slice name = key_name(rule, key, text, sizeof text);
    int64_t left = 0, retry_ms = 0;
    struct error ignored;
    error_init(&ignored);
    int rc = rule->kind == LIMIT_BUCKET
                 ? kv->ops->take_token(kv, name, rule->count, rule->period_ms, &left, &retry_ms,
                                       &ignored)
                 : kv->ops->take_window(kv, name, rule->count, rule->period_ms, &left, &retry_ms,
                                        &ignored);
    if (rc < 0)
        return 0;
    if (headers != NULL)
        write_headers(rule, left >= 0 ? left : 0, retry_ms, headers);
    if (left >= 0)
        return 0;
    return error_limited(err, rule->code, retry_ms, "The limit of %lld in %lld seconds is used up.",
                         (long long)rule->count, (long long)(rule->period_ms / 1000));
}
