/* The unit test harness: a test is a function, registered by its definition; a failed CHECK is
 * recorded and the test goes on (no longjmp, so checks work inside coroutines). Output is TAP.
 *
 *     TEST(slice_cut_without_separator) { CHECK(...); CHECK_INT(a, b); CHECK_STR(slice, "text"); }
 *
 * A test binary takes an optional argument: run only the tests whose name contains it.
 */
#ifndef PARLEY_TESTS_HARNESS_H
#define PARLEY_TESTS_HARNESS_H

#include <stdint.h>

#include "base/base.h"
#include "base/error.h"

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};
void test_register(struct test *test);
void test_fail(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Says why this test does not apply here; it counts as skipped. */
void test_skip(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* A fresh empty folder, removed at the end of the test. */
const char *test_dir(void);

#define TEST(title)                                                                                \
    static void test_##title(void);                                                                \
    __attribute__((constructor)) static void test_register_##title(void)                           \
    {                                                                                              \
        static struct test test = {.name = #title, .run = test_##title};                           \
        test_register(&test);                                                                      \
    }                                                                                              \
    static void test_##title(void)

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            test_fail(__FILE__, __LINE__, "%s", #cond);                                            \
    } while (0)
#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_)                                                                         \
            test_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, want_);              \
    } while (0)
#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        struct slice got_ = (got), want_ = slice_str(want);                                        \
        if (!slice_eq(got_, want_))                                                                \
            test_fail(__FILE__, __LINE__, "%s is \"%.*s\", not \"%.*s\"", #got, SLICE_FMT(got_),   \
                      SLICE_FMT(want_));                                                           \
    } while (0)
/* rc is 0, else the error record is printed. */
#define CHECK_OK(rc, err)                                                                          \
    do {                                                                                           \
        int rc_ = (rc);                                                                            \
        if (rc_ != 0)                                                                              \
            test_fail(__FILE__, __LINE__, "%s gave %d: %s: %s", #rc, rc_,                          \
                      (err)->code != NULL ? (err)->code : "", (err)->detail);                      \
    } while (0)

#endif
