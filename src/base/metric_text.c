/* The registry, in the order of first registration with families together, and its text. */
#include <pthread.h>
#include <stdlib.h>

#include "base/metric_series.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *registry;
static unsigned series_count, slot_count;

static bool name_ok(const char *name)
{
    if (*name >= '0' && *name <= '9')
        return false;
    size_t valid = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789");
    return valid != 0 && name[valid] == 0;
}

/* The series if it is there, else NULL and where a new one is linked in: behind its family. */
static struct metric *find(const char *name, const char *labels, struct metric ***ret_place)
{
    struct metric **place = NULL, **at = &registry;
    for (; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->name, name) != 0)
            continue;
        if (strcmp((*at)->labels, labels) == 0)
            return *at;
        place = &(*at)->next;
    }
    *ret_place = place != NULL ? place : at;
    return NULL;
}

static struct metric *make(enum metric_kind kind, const char *name, const char *help,
                           const char *labels)
{
    panic_if(!name_ok(name), "metric name \"%s\"", name);
    panic_if(++series_count > METRIC_SERIES_MAX, "too many metrics");
    struct metric *m = xcalloc(1, sizeof *m);
    m->name = xstrndup(name, strlen(name));
    m->help = xstrndup(help, strlen(help));
    m->labels = xstrndup(labels, strlen(labels));
    m->kind = kind;
    m->slot = slot_count;
    slot_count += kind == METRIC_HISTOGRAM ? METRIC_HISTOGRAM_SLOTS : 1;
    return m;
}

static struct metric *add_series(enum metric_kind kind, const char *name, const char *help,
                                 const char *labels, int64_t (*fn)(void *), void *arg)
{
    struct metric **place;
    if (labels == NULL)
        labels = "";
    pthread_mutex_lock(&lock);
    struct metric *m = find(name, labels, &place);
    if (m == NULL) {
        m = make(kind, name, help, labels);
        m->next = *place;
        *place = m;
    }
    panic_if(m->kind != kind, "metric \"%s\" is of two kinds", name);
    m->fn = fn;
    m->arg = arg;
    pthread_mutex_unlock(&lock);
    return m;
}

struct metric *metric_register(enum metric_kind kind, const char *name, const char *help,
                               const char *labels)
{
    return add_series(kind, name, help, labels, NULL, NULL);
}

void metric_register_gauge_fn(const char *name, const char *help, const char *labels,
                              int64_t (*fn)(void *), void *arg)
{
    add_series(METRIC_GAUGE, name, help, labels, fn, arg);
}

void metric_register_counter_fn(const char *name, const char *help, const char *labels,
                                int64_t (*fn)(void *), void *arg)
{
    add_series(METRIC_COUNTER, name, help, labels, fn, arg);
}

static void put_head(struct buf *out, const struct metric *m)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    buf_printf(out, "# HELP %s ", m->name);
    for (const char *c = m->help; *c != 0; c++) {
        if (*c == '\\')
            buf_lit(out, "\\\\");
        else if (*c == '\n')
            buf_lit(out, "\\n");
        else
            buf_char(out, *c);
    }
    buf_printf(out, "\n# TYPE %s %s\n", m->name, kinds[m->kind]);
}

static void put_plain(struct buf *out, const struct metric *m, const char *suffix, int64_t value)
{
    buf_str(out, m->name);
    buf_str(out, suffix);
    if (m->labels[0] != 0)
        buf_printf(out, "{%s}", m->labels);
    buf_char(out, ' ');
    buf_i64(out, value);
    buf_char(out, '\n');
}

static void put_seconds(struct buf *out, const struct metric *m)
{
    int64_t ns = metric_value(m);
    buf_printf(out, m->labels[0] != 0 ? "%s{%s} " : "%s%s ", m->name, m->labels);
    buf_printf(out, "%lld.%09lld\n", (long long)(ns / 1000000000), (long long)(ns % 1000000000));
}

static void put_bucket(struct buf *out, const struct metric *m, const char *bound, int64_t count)
{
    buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %lld\n", m->name, m->labels,
               m->labels[0] != 0 ? "," : "", bound, (long long)count);
}

static void put_histogram(struct buf *out, const struct metric *m)
{
    int64_t count = 0;
    for (unsigned i = 0; i < METRIC_BUCKETS; i++) {
        static const char *const bounds[METRIC_BUCKETS] = {
            "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05",
            "0.1",    "0.25",  "0.5",    "1",     "2.5",  "5",     "10"};
        count += metric_slot_sum(m->slot + i);
        put_bucket(out, m, bounds[i], count);
    }
    count += metric_slot_sum(m->slot + METRIC_BUCKETS);
    put_bucket(out, m, "+Inf", count);
    int64_t ns = metric_slot_sum(m->slot + METRIC_SUM_SLOT);
    buf_printf(out, m->labels[0] != 0 ? "%s_sum{%s} " : "%s_sum%s ", m->name, m->labels);
    buf_printf(out, "%lld.%09lld\n", (long long)(ns / 1000000000), (long long)(ns % 1000000000));
    put_plain(out, m, "_count", count);
}

void metric_write(struct buf *out)
{
    pthread_mutex_lock(&lock);
    const char *family = "";
    for (const struct metric *m = registry; m != NULL; m = m->next) {
        if (strcmp(m->name, family) != 0)
            put_head(out, m);
        family = m->name;
        if (m->kind == METRIC_HISTOGRAM)
            put_histogram(out, m);
        else if (m->fn != NULL && strstr(m->name, "_seconds") != NULL)
            put_seconds(out, m);
        else
            put_plain(out, m, "", metric_value(m));
    }
    pthread_mutex_unlock(&lock);
}
