#include "kit/job.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

struct running {
    struct jobs *all;
    const struct job *job;
    void *room;
    int64_t every_ms;
    struct coro *coro; /* NULL before it runs, and after */
    struct mail mail;
    bool ended;
};

struct jobs {
    struct kit *kit;
    struct running *list;
    unsigned count;
    bool stopping;
};

/* The lock lasts as long as the period: whoever gets it does this period's run. */
static bool take_turn(const struct running *r)
{
    char key[96];
    snprintf(key, sizeof key, "job:%s", r->job->name);
    struct error err;
    error_init(&err);
    bool mine = false;
    struct kv *kv = r->all->kit->kv;
    int rc = kv->ops->add(kv, slice_str(key), SLICE("1"), r->every_ms * 9 / 10, &mine, &err);
    return rc < 0 || mine;
}

static void job_main(void *arg)
{
    struct running *r = arg;
    r->coro = coro_current();
    while (!r->all->stopping && coro_sleep(r->every_ms) == 0) {
        if (r->all->stopping || !take_turn(r))
            continue;
        struct error err;
        error_init(&err);
        if (r->job->run(r->room, &err) < 0 && !r->all->stopping)
            log_error("job failed", LOG_S("job", r->job->name), LOG_S("code", err.code),
                      LOG_S("detail", err.detail));
    }
    r->coro = NULL;
    r->ended = true;
}

static void begin(struct mail *mail)
{
    struct running *r = CONTAINER_OF(mail, struct running, mail);
    struct error err;
    error_init(&err);
    if (coro_spawn(r->all->kit->loops[0], job_main, r, &err) == 0)
        return;
    r->ended = true;
    log_error("job not started", LOG_S("job", r->job->name), LOG_S("detail", err.detail));
}

static int64_t period_of(const struct kit *kit, const struct job *job)
{
    return job->every_key != NULL ? config_int(kit->config, job->every_key) : job->every_ms;
}

struct jobs *jobs_start(struct kit *kit)
{
    struct jobs *all = xcalloc(1, sizeof *all);
    all->kit = kit;
    for (int m = 0; kit->modules[m] != NULL; m++)
        all->count += (unsigned)kit->modules[m]->job_count;
    all->list = xcalloc(all->count, sizeof *all->list);
    unsigned at = 0;
    for (int m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->job_count; i++) {
            struct running *r = &all->list[at++];
            const struct job *job = &kit->modules[m]->jobs[i];
            *r = (struct running){
                .all = all, .job = job, .room = kit->rooms[m], .every_ms = period_of(kit, job)};
            r->mail.deliver = begin;
            loop_post(kit->loops[0], &r->mail);
        }
    return all;
}

static bool all_ended(const struct jobs *jobs)
{
    for (unsigned i = 0; i < jobs->count; i++)
        if (!jobs->list[i].ended)
            return false;
    return true;
}

void jobs_stop(struct jobs *jobs)
{
    enum { LOOK_MS = 10, LOOKS = 500 };
    if (jobs == NULL)
        return;
    jobs->stopping = true;
    for (unsigned i = 0; i < jobs->count; i++)
        if (jobs->list[i].coro != NULL)
            coro_cancel(jobs->list[i].coro);
    for (int i = 0; i < LOOKS && !all_ended(jobs); i++)
        if (coro_sleep(LOOK_MS) < 0)
            break;
    if (!all_ended(jobs))
        return; /* one that hangs keeps its memory */
    free(jobs->list);
    free(jobs);
}
