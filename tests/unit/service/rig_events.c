#include "rig.h"

#include <stdlib.h>

#include "kit/emit.h"

/* --- to the consumers ------------------------------------------------------------------------- */

struct step {
    struct rig *rig;
    void *room;
    const struct consumer *consumer;
    uint64_t pos;
    struct event event; /* its data is a copy */
    bool found;
};

static bool wants(const struct consumer *consumer, const struct event *event)
{
    for (size_t i = 0; consumer->types != NULL && consumer->types[i] != NULL; i++)
        if (strcmp(consumer->types[i], event->type->name) == 0)
            return true;
    return consumer->types == NULL;
}

static int keep_first(const struct event *event, void *arg, struct error *err)
{
    struct step *s = arg;
    s->pos = event->pos;
    s->found = wants(s->consumer, event);
    if (!s->found)
        return 0;
    s->event = (struct event){.pos = event->pos,
                              .at_ms = event->at_ms,
                              .type = event->type,
                              .stream = event->stream,
                              .id = event->id};
    s->event.data = slice_of(xstrndup(event->data.ptr, event->data.len), event->data.len);
    return 1;
}

static int find_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct step *s = arg;
    return event_log_read(s->rig->kit.log, tx, s->pos, 1000, keep_first, s, err);
}

static int handle_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct step *s = arg;
    return s->consumer->handle(s->room, tx, &s->event, err);
}

/* The errors are its own: a rule that waits for a consumer (sign-up) pumps while it fills
 * rig->err. */
static void catch_up(struct rig *rig, const struct module *module, void *room,
                     const struct consumer *consumer, uint64_t *pos)
{
    struct db *db = kit_db(&rig->kit, consumer->db != NULL ? consumer->db : module->name);
    struct error err;
    error_init(&err);
    while (*pos != event_log_head(rig->kit.log)) {
        struct step s = {.rig = rig, .room = room, .consumer = consumer, .pos = *pos};
        CHECK_OK(db_read(rig->kit.main_db, find_tx, &s, &err), &err);
        if (s.found)
            CHECK_OK(db_write(db, handle_tx, &s, &err), &err);
        if (s.pos == *pos)
            return;
        *pos = s.pos;
        free((char *)s.event.data.ptr);
    }
}

void rig_pump(struct rig *rig)
{
    uint64_t head;
    do {
        head = event_log_head(rig->kit.log);
        uint64_t *pos = rig->positions;
        for (size_t m = 0; rig->kit.modules[m] != NULL; m++) {
            const struct module *module = rig->kit.modules[m];
            for (size_t i = 0; i < module->consumer_count; i++)
                catch_up(rig, module, rig->states[m], &module->consumers[i], pos++);
        }
    } while (event_log_head(rig->kit.log) != head);
}

void rig_rewind(struct rig *rig, const char *consumer)
{
    uint64_t *pos = rig->positions;
    for (const struct module *const *m = rig->kit.modules; *m != NULL; m++)
        for (size_t i = 0; i < (*m)->consumer_count; i++, pos++)
            if (consumer == NULL || strcmp((*m)->consumers[i].name, consumer) == 0)
                *pos = 0;
}

/* --- from rooms that are not here ------------------------------------------------------------- */

struct emitting {
    struct rig *rig;
    struct emit event;
};

static int emit_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct emitting *e = arg;
    return kit_emit(&e->rig->kit, tx, &e->event, NULL, err);
}

void rig_emit(struct rig *rig, const struct event_type *type, const struct id *stream,
              const void *data)
{
    struct emitting e = {rig, {.type = type, .stream = stream, .data = data}};
    struct error err;
    error_init(&err);
    CHECK_OK(db_write(rig->kit.main_db, emit_tx, &e, &err), &err);
    rig_pump(rig);
}

/* --- what stands there ------------------------------------------------------------------------ */

struct counting {
    struct rig *rig;
    const struct event_type *type;
    const struct id *stream;
    unsigned count;
};

static int count_one(const struct event *event, void *arg, struct error *err)
{
    struct counting *c = arg;
    c->count += event->type == c->type && (c->stream == NULL || id_eq(&event->stream, c->stream));
    return 0;
}

static int count_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct counting *c = arg;
    return event_log_read(c->rig->kit.log, tx, 0, 1000000, count_one, c, err);
}

unsigned rig_count_events(struct rig *rig, const struct event_type *type, const struct id *stream)
{
    struct counting c = {.rig = rig, .type = type, .stream = stream};
    struct error err;
    error_init(&err);
    CHECK_OK(db_read(rig->kit.main_db, count_tx, &c, &err), &err);
    return c.count;
}

struct number {
    const struct db_sql *sql;
    int64_t value;
};

static int number_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct number *n = arg;
    struct db_rows rows;
    int rc = db_query_n(tx, n->sql, NULL, 0, &rows, err);
    if (rc == 0)
        rc = db_next(&rows, err);
    if (rc > 0) {
        n->value = db_col_int(&rows, 0);
        db_rows_close(&rows);
    }
    return rc < 0 ? rc : 0;
}

int64_t rig_number_in(struct rig *rig, const char *part, const char *sql)
{
    size_t at = 0;
    struct error err;
    error_init(&err);
    while (rig->numbers[at].text != NULL && rig->numbers[at].text != sql)
        at++;
    panic_if(at + 1 == RIG_NUMBERS_MAX, "too many statements for one rig");
    rig->numbers[at].text = sql;
    struct number n = {.sql = &rig->numbers[at], .value = -1};
    CHECK_OK(db_read(kit_db(&rig->kit, part), number_tx, &n, &err), &err);
    return n.value;
}

int64_t rig_number(struct rig *rig, const char *sql)
{
    return rig_number_in(rig, "", sql);
}
