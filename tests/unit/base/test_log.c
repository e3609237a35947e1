/* Log lines: each is one JSON object, whatever was put in; nothing is lost in silence. */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "harness.h"

struct capture {
    int fd;
    char *text;
    struct slice rest;
    struct arena arena;
};

static void start(struct capture *c, enum log_level level)
{
    char path[200];
    snprintf(path, sizeof path, "%s/log", test_dir());
    c->fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    arena_init(&c->arena, 1 << 20);
    CHECK_INT(log_start(level, c->fd), 0);
}

static void stop(struct capture *c)
{
    log_stop();
    struct stat st;
    fstat(c->fd, &st);
    c->text = xmalloc((size_t)st.st_size + 1);
    ssize_t n = pread(c->fd, c->text, (size_t)st.st_size, 0);
    CHECK(n == st.st_size);
    c->rest = slice_of(c->text, (size_t)n);
}

static void done(struct capture *c)
{
    free(c->text);
    close(c->fd);
    arena_done(&c->arena);
}

/* The next line, parsed; NULL at the end. */
static const struct json_value *next_line(struct capture *c)
{
    struct slice line;
    if (c->rest.len == 0)
        return NULL;
    CHECK(slice_cut(&c->rest, '\n', &line));
    struct json_value *v = NULL;
    struct error err;
    error_init(&err);
    arena_reset(&c->arena);
    CHECK_OK(json_parse(line, &c->arena, &v, &err), &err);
    return v;
}

TEST(a_line_is_a_json_object_with_time_level_and_fields)
{
    struct capture c;
    start(&c, LOG_INFO);
    log_debug("not written");
    log_info("http \"request\"\n", LOG_S("method", "GET"), LOG_I("status", 200),
             LOG_T("path", SLICE("/\x01\xff")), LOG_I("low", INT64_MIN));
    log_error("plain");
    stop(&c);
    const struct json_value *v = next_line(&c);
    CHECK_INT(json_member_text(v, "time").len, 24);
    CHECK_STR(json_member_text(v, "level"), "info");
    CHECK_STR(json_member_text(v, "msg"), "http \"request\"\n");
    CHECK_STR(json_member_text(v, "method"), "GET");
    CHECK_INT(json_member(v, "status")->integer, 200);
    CHECK_STR(json_member_text(v, "path"), "/\x01\xef\xbf\xbd");
    CHECK(json_member(v, "low")->integer == INT64_MIN);
    v = next_line(&c);
    CHECK_STR(json_member_text(v, "level"), "error");
    CHECK_INT(v->count, 3);
    CHECK(next_line(&c) == NULL);
    done(&c);
}

TEST(a_line_too_long_says_what_it_lost)
{
    static char large[5000];
    memset(large, 'x', sizeof large - 1);
    struct capture c;
    start(&c, LOG_INFO);
    log_info("first", LOG_S("a", "kept"), LOG_S("b", large), LOG_I("c", 3));
    log_info(large, LOG_I("c", 4));
    stop(&c);
    const struct json_value *v = next_line(&c);
    CHECK_STR(json_member_text(v, "a"), "kept");
    CHECK(json_member(v, "b") == NULL);
    CHECK_INT(json_member(v, "c")->integer, 3);
    CHECK_INT(json_member(v, "cut")->type, JSON_TRUE);
    v = next_line(&c);
    CHECK_STR(json_member_text(v, "msg"), "");
    CHECK_INT(json_member(v, "c")->integer, 4);
    CHECK_INT(json_member(v, "cut")->type, JSON_TRUE);
    done(&c);
}

enum { THREADS = 4, LINES = 5000 };

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_info("line", LOG_I("thread", (intptr_t)arg), LOG_I("number", i));
    return NULL;
}

/* Every line is there in the order of its thread, or is counted as dropped. */
TEST(lines_of_many_threads_are_whole_and_counted)
{
    struct capture c;
    uint64_t before = log_dropped();
    start(&c, LOG_INFO);
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_lines, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    stop(&c);
    int64_t last[THREADS] = {-1, -1, -1, -1}, told = 0;
    uint64_t lines = 0;
    const struct json_value *v;
    while ((v = next_line(&c)) != NULL) {
        const struct json_value *thread = json_member(v, "thread");
        if (thread == NULL) {
            told += json_member(v, "count")->integer;
            continue;
        }
        int64_t number = json_member(v, "number")->integer;
        CHECK(number > last[thread->integer]);
        last[thread->integer] = number;
        lines++;
    }
    CHECK_INT(lines + (log_dropped() - before), THREADS * LINES);
    CHECK_INT(told, log_dropped() - before);
    done(&c);
}

TEST(lines_that_do_not_fit_are_dropped_and_counted)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    uint64_t before = log_dropped();
    CHECK_INT(log_start(LOG_INFO, ends[1]), 0);
    /* Nobody reads: the writer hangs in its first write, the buffer fills, nobody waits. */
    static char padding[3000];
    memset(padding, 'p', sizeof padding - 1);
    for (int i = 0; i < 2000; i++)
        log_error("line", LOG_S("padding", padding));
    CHECK(log_dropped() > before);
    /* The reader ends after the writer has: it drains what comes until the pipe is closed. */
    pid_t child = fork();
    if (child == 0) {
        char bytes[65536];
        close(ends[1]);
        while (read(ends[0], bytes, sizeof bytes) > 0)
            continue;
        _exit(0);
    }
    log_stop();
    close(ends[0]);
    close(ends[1]);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK_INT(log_start(LOG_INFO, STDERR_FILENO), 0);
    log_stop();
}

TEST(without_the_thread_lines_are_written_at_once)
{
    struct capture c;
    start(&c, LOG_WARN);
    log_stop();
    log_warn("late");
    log_info("not at this level");
    stop(&c);
    CHECK_STR(json_member_text(next_line(&c), "msg"), "late");
    CHECK(next_line(&c) == NULL);
    done(&c);
    log_start(LOG_INFO, STDERR_FILENO);
    log_stop();
}
