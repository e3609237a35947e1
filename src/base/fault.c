/* The list of faults is replaced whole, under a lock that only the slow path takes: fault_any
 * stays false in a process that nobody tests. */
#include "base/fault.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FAULTS_MAX = 32, NAME_BYTES_MAX = 63, DELAY_MS_MAX = 600000, KILLED_STATUS = 137 };

enum kind { KIND_ERROR, KIND_EXIT, KIND_DELAY };

struct fault_point {
    char name[NAME_BYTES_MAX + 1];
    enum kind kind;
    uint64_t delay_ms;
    uint64_t at; /* fires at this pass only; 0: at each */
    uint64_t passes;
};

struct fault_list {
    struct fault_point points[FAULTS_MAX];
    size_t count;
};

bool fault_any;
static struct fault_list faults;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* "error", "exit" or "delay:ms". */
static bool parse_action(struct slice text, struct fault_point *point)
{
    struct slice word;
    bool argument = slice_cut(&text, ':', &word);
    if (slice_eq(word, SLICE("delay"))) {
        point->kind = KIND_DELAY;
        return argument && slice_to_u64(text, &point->delay_ms) && point->delay_ms <= DELAY_MS_MAX;
    }
    point->kind = slice_eq(word, SLICE("exit")) ? KIND_EXIT : KIND_ERROR;
    return !argument && (point->kind == KIND_EXIT || slice_eq(word, SLICE("error")));
}

/* "name=action" or "name=action@pass". */
static bool parse_point(struct slice text, struct fault_point *point)
{
    struct slice name, action;
    *point = (struct fault_point){0};
    if (!slice_cut(&text, '=', &name) || name.len == 0 ||
        !copy_str(point->name, sizeof point->name, name))
        return false;
    if (slice_cut(&text, '@', &action) && (!slice_to_u64(text, &point->at) || point->at == 0))
        return false;
    return parse_action(action, point);
}

bool fault_set(const char *list)
{
    struct fault_list fresh = {.count = 0};
    struct slice text = slice_str(list), part;
    for (bool more = text.len != 0; more;) {
        more = slice_cut(&text, ',', &part);
        if (fresh.count == FAULTS_MAX ||
            !parse_point(slice_trim(part), &fresh.points[fresh.count++]))
            return false;
    }
    pthread_mutex_lock(&lock);
    faults = fresh;
    __atomic_store_n(&fault_any, fresh.count != 0, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
    return true;
}

/* Counts the pass; the point is copied out because what it does must not be done under the lock. */
static bool pass(const char *name, struct fault_point *ret_point)
{
    bool fires = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < faults.count; i++) {
        struct fault_point *p = &faults.points[i];
        if (strcmp(p->name, name) != 0)
            continue;
        p->passes++;
        if (!fires && (p->at == 0 || p->at == p->passes)) {
            fires = true;
            *ret_point = *p;
        }
    }
    pthread_mutex_unlock(&lock);
    return fires;
}

enum fault_action fault_hit(const char *name)
{
    struct fault_point point = {.kind = KIND_ERROR};
    if (!pass(name, &point))
        return FAULT_NONE;
    switch (point.kind) {
    case KIND_ERROR: return FAULT_ERROR;
    case KIND_EXIT: _exit(KILLED_STATUS); /* no handlers, no flushing: as if killed */
    case KIND_DELAY: break;
    }
    struct timespec wait = {(time_t)(point.delay_ms / 1000),
                            (long)(point.delay_ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
    return FAULT_NONE;
}
