/* The same random program of spawns, yields, wakes and ends is run by coroutines and by a model
 * that has no stacks at all, only the documented order; the traces must agree. Built with both
 * stack switches, so that each is an oracle for the other. */
#include <stdlib.h>

#include "harness.h"
#include "io/coro.h"

enum { ACTORS = 400, TRACE = 20000, STEPS = 40 };

enum step { STEP_YIELD, STEP_SPAWN, STEP_PARK, STEP_WAKE, STEP_END };

struct play {
    struct actor {
        int id;
        uint64_t seed;
        int steps;
        struct coro *coro; /* NULL before it starts and after its end */
        struct play *play;
    } actors[ACTORS];
    int actor_count;
    int parked[ACTORS], parked_count; /* a stack: the last that parked is woken first */
    int alive;
    int trace[TRACE], trace_len;
};

static uint64_t next_random(struct actor *actor)
{
    actor->seed = actor->seed * 6364136223846793005u + 1442695040888963407u;
    return actor->seed >> 33;
}

static enum step next_step(struct play *play, struct actor *actor)
{
    if (actor->steps++ == STEPS)
        return STEP_END;
    uint64_t dice = next_random(actor) % 10;
    if (dice < 2 && play->actor_count < ACTORS)
        return STEP_SPAWN;
    /* The last one awake must not park. */
    if (dice < 4 && play->alive - play->parked_count > 1)
        return STEP_PARK;
    if (dice < 7 && play->parked_count > 0)
        return STEP_WAKE;
    return dice == 9 ? STEP_END : STEP_YIELD;
}

static void note(struct play *play, int actor, enum step step)
{
    if (play->trace_len < TRACE)
        play->trace[play->trace_len++] = actor * 8 + (int)step;
}

static struct actor *new_actor(struct play *play, uint64_t seed)
{
    struct actor *actor = &play->actors[play->actor_count];
    *actor = (struct actor){.id = play->actor_count++, .seed = seed, .play = play};
    play->alive++;
    return actor;
}

/* --- on stacks ------------------------------------------------------------------------------- */

static void act(void *arg);

static void start(struct play *play, uint64_t seed)
{
    struct error err = {0};
    CHECK_OK(coro_spawn(loop_current(), act, new_actor(play, seed), &err), &err);
}

/* Recursion puts the waits at different depths of the stack. */
static void do_step(struct play *play, struct actor *actor, enum step step, int depth)
{
    if (depth > 0) {
        do_step(play, actor, step, depth - 1);
        return;
    }
    switch (step) {
    case STEP_YIELD: coro_yield(); break;
    case STEP_SPAWN: start(play, next_random(actor)); break;
    case STEP_PARK:
        play->parked[play->parked_count++] = actor->id;
        CHECK_INT(coro_park(CORO_FOREVER), actor->id);
        break;
    case STEP_WAKE: {
        int other = play->parked[--play->parked_count];
        coro_wake(play->actors[other].coro, other);
        break;
    }
    case STEP_END: break;
    }
}

static void act(void *arg)
{
    struct actor *actor = arg;
    struct play *play = actor->play;
    actor->coro = coro_current();
    enum step step;
    do {
        step = next_step(play, actor);
        note(play, actor->id, step);
        do_step(play, actor, step, (int)(actor->seed % 7));
    } while (step != STEP_END);
    actor->coro = NULL;
    /* The last one awake wakes the rest, so that all of them end. */
    if (--play->alive == play->parked_count && play->parked_count > 0)
        do_step(play, actor, STEP_WAKE, 0);
    if (play->alive == 0)
        loop_stop(loop_current());
}

/* --- the model ------------------------------------------------------------------------------- */

struct model {
    int ready[ACTORS * 2], ready_len; /* of this turn */
    int next[ACTORS], next_len;       /* of the next */
};

static void model_wake(struct play *play, struct model *model)
{
    model->ready[model->ready_len++] = play->parked[--play->parked_count];
}

/* Runs one actor until it leaves the processor. */
static void model_act(struct play *play, struct model *model, struct actor *actor)
{
    for (;;) {
        enum step step = next_step(play, actor);
        note(play, actor->id, step);
        switch (step) {
        case STEP_YIELD: model->next[model->next_len++] = actor->id; return;
        case STEP_SPAWN:
            model->ready[model->ready_len++] = new_actor(play, next_random(actor))->id;
            break;
        case STEP_PARK: play->parked[play->parked_count++] = actor->id; return;
        case STEP_WAKE: model_wake(play, model); break;
        case STEP_END:
            if (--play->alive == play->parked_count && play->parked_count > 0)
                model_wake(play, model);
            return;
        }
    }
}

static void model_run(struct play *play, uint64_t seed)
{
    struct model model = {0};
    model.ready[model.ready_len++] = new_actor(play, seed)->id;
    while (play->alive > 0) {
        while (model.ready_len > 0) {
            int id = model.ready[0];
            memmove(model.ready, model.ready + 1, (size_t)--model.ready_len * sizeof(int));
            model_act(play, &model, &play->actors[id]);
        }
        memcpy(model.ready, model.next, (size_t)model.next_len * sizeof(int));
        model.ready_len = model.next_len;
        model.next_len = 0;
    }
}

TEST(coroutines_run_in_the_order_of_the_model)
{
    struct play *real = calloc(1, sizeof *real), *model = calloc(1, sizeof *model);
    size_t notes = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        memset(real, 0, sizeof *real);
        memset(model, 0, sizeof *model);
        struct loop *loop = NULL;
        struct error err = {0};
        CHECK_OK(loop_new(&(struct loop_config){0}, &loop, &err), &err);
        CHECK_OK(coro_spawn(loop, act, new_actor(real, seed), &err), &err);
        loop_run(loop);
        loop_free(loop);
        model_run(model, seed);
        CHECK_INT(real->trace_len, model->trace_len);
        CHECK(memcmp(real->trace, model->trace, sizeof real->trace) == 0);
        notes += (size_t)real->trace_len;
    }
    CHECK(notes > 10000); /* the programs were not trivial */
    free(real);
    free(model);
}
