#include "harness.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct test *tests;
static struct test **tests_end = &tests;
static _Atomic unsigned failures;
static bool skipped;
static char skip_reason[200];
static char dir[64];

void test_register(struct test *test)
{
    *tests_end = test;
    tests_end = &test->next;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    atomic_fetch_add(&failures, 1);
    printf("# %s:%d: %s\n", file, line, text);
}

void test_skip(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(skip_reason, sizeof skip_reason, fmt, args);
    va_end(args);
    skipped = true;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

const char *test_dir(void)
{
    if (dir[0] == 0) {
        snprintf(dir, sizeof dir, "/tmp/parley-test-XXXXXX");
        panic_if(mkdtemp(dir) == NULL, "mkdtemp failed");
    }
    return dir;
}

static void clean(void)
{
    if (dir[0] != 0)
        nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    dir[0] = 0;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    unsigned number = 0, failed_tests = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct test *t = tests; t != NULL; t = t->next) {
        if (only != NULL && strstr(t->name, only) == NULL)
            continue;
        unsigned before = atomic_load(&failures);
        skipped = false;
        t->run();
        clean();
        bool ok = atomic_load(&failures) == before;
        failed_tests += !ok;
        printf("%s %u - %s%s%s\n", ok ? "ok" : "not ok", ++number, t->name,
               skipped ? " # SKIP " : "", skipped ? skip_reason : "");
    }
    printf("1..%u\n", number);
    return failed_tests != 0 || number == 0;
}
