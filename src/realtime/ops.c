#include "realtime/ops.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"
#include "io/spares.h"
#include "kit/problem.h"

enum {
    CALL_ARENA_BYTES = 1 << 20,
    CALL_ANSWER_BYTES = 4 << 20,
    ANSWER_KEPT_BYTES = 16 << 10, /* a larger answer buffer is given back */
    CALLS_KEPT = 8192, /* per loop; what one commit brings home is under way again at once */
    CALL_BYTES = 2048, /* of its arena: frame, struct, transaction and answer of a short message */
};

struct op_call {
    struct spare spare;
    struct op_source source;
    const struct op_entry *entry;
    struct slice id, data;
    int64_t started_ns;
    struct arena arena;
    struct principal principal;
    _Alignas(16) char memory[CALL_BYTES]; /* the arena's first: beside the rest of what is used */
    struct request req;
};

static void call_free(struct spare *spare)
{
    struct op_call *call = CONTAINER_OF(spare, struct op_call, spare);
    arena_done(&call->arena);
    buf_done(&call->req.answer);
    buf_done(&call->req.headers);
    free(call);
}

static const struct spares_kind op_calls = {SPARES_OPS, CALLS_KEPT, call_free};

static struct op_call *call_take(void)
{
    struct spare *spare = spares_take(&op_calls);
    if (spare != NULL)
        return CONTAINER_OF(spare, struct op_call, spare);
    struct op_call *call = xmalloc(sizeof *call);
    arena_init_in(&call->arena, CALL_ARENA_BYTES, call->memory, sizeof call->memory);
    buf_init(&call->req.answer, CALL_ANSWER_BYTES);
    buf_init(&call->req.headers, 4096);
    return call;
}

static void call_give_back(struct op_call *call)
{
    arena_reset(&call->arena);
    if (call->req.answer.cap > ANSWER_KEPT_BYTES || call->arena.used_bytes > ANSWER_KEPT_BYTES) {
        call_free(&call->spare);
        return;
    }
    buf_clear(&call->req.answer);
    buf_clear(&call->req.headers);
    spares_keep(&op_calls, &call->spare);
}

void ops_refuse(const struct op_source *source, struct slice id, const struct error *err)
{
    struct buf problem;
    char correlation[ID_TEXT_LEN + 1];
    struct id made = id_new(source->realtime->kit->clock);
    id_format(&made, correlation);
    buf_init(&problem, 32 << 10);
    problem_write(err, slice_str(correlation), &problem);
    if (error_http_status(err->kind) >= 500)
        log_error("op failed", LOG_S("code", err->code), LOG_S("detail", err->detail),
                  LOG_S("correlation_id", correlation));
    metric_add(source->realtime->ops_failed, 1);
    source->answer(source->session, id, true, buf_view(&problem));
    buf_done(&problem);
}

static void end(struct request *req, int rc)
{
    struct op_call *call = CONTAINER_OF(req, struct op_call, req);
    metric_observe_ns(call->entry->latency, clock_mono_ns(call->req.kit->clock) - call->started_ns);
    if (rc < 0) {
        error_set(&call->req.error, rc, "internal_error", "Something went wrong here.");
        ops_refuse(&call->source, call->id, &call->req.error);
    } else {
        struct slice json = call->req.reply.ptr != NULL ? call->req.reply
                            : call->req.answer.len > 0  ? buf_view(&call->req.answer)
                                                        : SLICE("{}");
        call->source.answer(call->source.session, call->id, false, json);
    }
    call_give_back(call);
}

/* The record's field array and the buffers are left alone: clearing them would cost more than most
 * ops do. */
static void prepare(struct op_call *call)
{
    struct request *req = &call->req;
    error_init(&req->error);
    req->kit = call->source.realtime->kit;
    req->room = call->entry->room;
    req->arena = &call->arena;
    req->principal = &call->principal;
    req->params = req->query = req->body = NULL;
    req->exchange = NULL;
    req->head = NULL;
    req->peer = call->source.peer;
    req->correlation_id = req->bearer = req->reply = (struct slice){0};
    req->session = call->source.session;
    req->status = 0;
    req->end = end;
}

static int run(struct op_call *call)
{
    const struct op *op = call->entry->op;
    struct request *req = &call->req;
    if (op->data != NULL) {
        void *data = arena_alloc(&call->arena, op->data->size);
        if (data == NULL)
            return error_set(&req->error, FAIL_TOO_LARGE, "too_large", "The frame is too large.");
        struct slice text = call->data.ptr != NULL ? call->data : SLICE("{}");
        int rc = schema_decode(op->data, text, &call->arena, data, &req->error);
        if (rc < 0)
            return rc;
        req->body = data;
    }
    return op->handle(req);
}

static void call_main(void *arg)
{
    struct op_call *call = arg;
    prepare(call);
    int rc = run(call);
    if (rc != REQUEST_LATER)
        end(&call->req, rc);
}

void ops_call(const struct op_source *source, const struct op_entry *entry, struct slice id,
              struct slice data)
{
    struct op_call *call = call_take();
    call->source = *source;
    call->principal = *source->principal;
    call->entry = entry;
    call->started_ns = clock_mono_ns(source->realtime->kit->clock);
    call->id = arena_copy(&call->arena, id);
    call->data = arena_copy(&call->arena, data);
    struct error err;
    error_init(&err);
    if (data.ptr != NULL && call->data.ptr == NULL)
        error_set(&err, FAIL_TOO_LARGE, "too_large", "The frame is too large.");
    else if (coro_spawn(loop_current(), call_main, call, &err) == 0) {
        metric_add(source->realtime->ops_total, 1);
        return;
    }
    ops_refuse(source, id, &err);
    call_give_back(call);
}

/* --- the table ---------------------------------------------------------------------------------
 */

static bool is_op(const struct map_node *node, const void *key)
{
    const struct slice *name = key;
    return slice_eq(slice_str(CONTAINER_OF(node, const struct op_entry, node)->op->name), *name);
}

const struct op_entry *ops_find(const struct realtime *realtime, struct slice name)
{
    struct map_node *node = map_find(&realtime->ops, hash_bytes(name.ptr, name.len), is_op, &name);
    return node != NULL ? CONTAINER_OF(node, const struct op_entry, node) : NULL;
}

static void add(struct realtime *realtime, struct op_entry *entry, const struct op *op, void *room)
{
    char labels[96];
    struct slice name = slice_str(op->name);
    panic_if(ops_find(realtime, name) != NULL, "two ops are called %s", op->name);
    snprintf(labels, sizeof labels, "op=\"%s\"", op->name);
    *entry = (struct op_entry){.op = op, .room = room};
    entry->latency = metric_register(METRIC_HISTOGRAM, "parley_op_duration_seconds",
                                     "Socket ops, from frame to answer.", labels);
    map_insert(&realtime->ops, &entry->node, hash_bytes(name.ptr, name.len));
}

void ops_collect(struct realtime *realtime)
{
    struct kit *kit = realtime->kit;
    size_t count = 0, at = 0;
    for (int m = 0; kit->modules[m] != NULL; m++)
        count += kit->modules[m]->op_count;
    realtime->op_entries = xcalloc(count, sizeof *realtime->op_entries);
    map_init(&realtime->ops);
    for (int m = 0; kit->modules[m] != NULL; m++)
        for (size_t i = 0; i < kit->modules[m]->op_count; i++)
            add(realtime, &realtime->op_entries[at++], &kit->modules[m]->ops[i], kit->rooms[m]);
}

void ops_free(struct realtime *realtime)
{
    map_done(&realtime->ops);
    free(realtime->op_entries);
}
