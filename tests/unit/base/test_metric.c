/* Metrics: sums over threads, also ended ones, and the text that Prometheus reads. */
#include "base/metric.h"

#include <pthread.h>

#include "harness.h"

static struct metric *shared;

static void *count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10000; i++)
        metric_add(shared, 1);
    return NULL;
}

TEST(a_counter_is_the_sum_of_all_threads_also_of_those_that_ended)
{
    shared = metric_register(METRIC_COUNTER, "test_shared_total", "Shared.", NULL);
    for (int round = 1; round <= 3; round++) {
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, count_up, NULL);
        (void)metric_value(shared); /* while they run */
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        CHECK_INT(metric_value(shared), round * 40000);
    }
}

TEST(the_same_name_and_labels_are_the_same_series)
{
    struct metric *a = metric_register(METRIC_GAUGE, "test_same", "Same.", "x=\"1\"");
    struct metric *b = metric_register(METRIC_GAUGE, "test_same", "Same.", "x=\"1\"");
    struct metric *c = metric_register(METRIC_GAUGE, "test_same", "Same.", "x=\"2\"");
    CHECK(a == b && a != c);
    metric_add(a, 5);
    metric_add(b, -7);
    CHECK_INT(metric_value(a), -2);
    CHECK_INT(metric_value(c), 0);
}

static int64_t forty_two(void *arg)
{
    return *(int64_t *)arg;
}

static void check_text(const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    metric_write(&out);
    buf_char(&out, 0);
    CHECK(buf_ok(&out));
    if (strstr(out.ptr, want) == NULL)
        test_fail(__FILE__, __LINE__, "not found:\n%sin\n%s", want, out.ptr);
    buf_done(&out);
}

TEST(families_stand_together_with_one_head)
{
    static int64_t value = 42;
    struct metric *a =
        metric_register(METRIC_COUNTER, "test_family_total", "A \\ and\nb.", "k=\"1\"");
    metric_register_gauge_fn("test_fn", "Asked.", NULL, forty_two, &value);
    struct metric *b = metric_register(METRIC_COUNTER, "test_family_total", "A", "k=\"2\"");
    metric_add(a, 1);
    metric_add(b, 2);
    check_text("# HELP test_family_total A \\\\ and\\nb.\n# TYPE test_family_total counter\n"
               "test_family_total{k=\"1\"} 1\ntest_family_total{k=\"2\"} 2\n");
    check_text("# HELP test_fn Asked.\n# TYPE test_fn gauge\ntest_fn 42\n");
}

TEST(a_histogram_counts_up_to_each_bound)
{
    struct metric *h = metric_register(METRIC_HISTOGRAM, "test_seconds", "Time.", "r=\"/\"");
    metric_observe_ns(h, 500000); /* on the bound: inside */
    metric_observe_ns(h, 500001);
    metric_observe_ns(h, 3000000000);
    metric_observe_ns(h, 11000000000);
    CHECK_INT(metric_value(h), 4);
    check_text("# TYPE test_seconds histogram\n"
               "test_seconds_bucket{r=\"/\",le=\"0.0005\"} 1\n"
               "test_seconds_bucket{r=\"/\",le=\"0.001\"} 2\n");
    check_text("test_seconds_bucket{r=\"/\",le=\"2.5\"} 2\n"
               "test_seconds_bucket{r=\"/\",le=\"5\"} 3\n"
               "test_seconds_bucket{r=\"/\",le=\"10\"} 3\n"
               "test_seconds_bucket{r=\"/\",le=\"+Inf\"} 4\n"
               "test_seconds_sum{r=\"/\"} 14.001000001\n"
               "test_seconds_count{r=\"/\"} 4\n");
    struct metric *plain = metric_register(METRIC_HISTOGRAM, "test_plain_seconds", "Time.", NULL);
    metric_observe_ns(plain, 1);
    check_text("test_plain_seconds_bucket{le=\"0.0005\"} 1\n");
    check_text("test_plain_seconds_sum 0.000000001\ntest_plain_seconds_count 1\n");
}

TEST(many_series_have_slots_of_their_own)
{
    struct metric *series[600];
    char labels[32];
    for (int i = 0; i < 600; i++) {
        struct buf b = {.ptr = labels, .cap = sizeof labels, .max = sizeof labels};
        buf_printf(&b, "n=\"%d\"", i);
        series[i] = metric_register(METRIC_HISTOGRAM, "test_many_seconds", "Many.", labels);
    }
    for (int i = 0; i < 600; i++)
        for (int n = 0; n < i; n++)
            metric_observe_ns(series[i], 1);
    for (int i = 0; i < 600; i++)
        CHECK_INT(metric_value(series[i]), i);
}
