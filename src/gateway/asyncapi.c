/* AsyncAPI 3.0.0 from the tables of socket ops and events: one channel, /ws. Directions are the
 * server's: it receives ops and replies to them, and it sends events.
 *
 * Message names: "op.chat.send" and "reply.chat.send", "event.message.sent", "error".
 */
#include "base/json.h"
#include "gateway/openapi.h"
#include "gateway/reference.h"
#include "kit/module.h"

struct writer {
    struct buf *out;
    const char *before; /* "" until the first member is written */
};

static void next_member(struct writer *w)
{
    buf_str(w->out, w->before);
    w->before = ",";
}

typedef void op_fn(struct writer *w, const struct op *op);
typedef void event_type_fn(struct writer *w, const struct event_type *type);

static void each_op(const struct module *const *modules, struct writer *w, op_fn *fn)
{
    for (; *modules != NULL; modules++)
        for (size_t i = 0; i < (*modules)->op_count; i++)
            fn(w, &(*modules)->ops[i]);
}

static void each_event(const struct module *const *modules, struct writer *w, event_type_fn *fn)
{
    for (; *modules != NULL; modules++)
        for (size_t i = 0; (*modules)->events != NULL && (*modules)->events[i] != NULL; i++)
            if ((*modules)->events[i]->client)
                fn(w, (*modules)->events[i]);
}

/* --- channel: which messages there are */

static void list_message(struct writer *w, const char *kind, const char *name)
{
    next_member(w);
    buf_printf(w->out, "\"%s%s\":{\"$ref\":\"#/components/messages/%s%s\"}", kind, name, kind,
               name);
}

static void list_op(struct writer *w, const struct op *op)
{
    list_message(w, "op.", op->name);
    list_message(w, "reply.", op->name);
}

static void list_event(struct writer *w, const struct event_type *type)
{
    list_message(w, "event.", type->name);
}

static void write_channel(const struct module *const *modules, struct buf *out)
{
    struct writer w = {out, ""};
    buf_lit(out, ",\"channels\":{\"ws\":{\"address\":\"/ws\",\"description\":\"One JSON object a "
                 "frame. Resume by ?pos= or by pos in the data of auth.\",\"messages\":{");
    each_op(modules, &w, list_op);
    each_event(modules, &w, list_event);
    list_message(&w, "", "error");
    buf_lit(out, "}}}");
}

/* --- operations: who sends what */

static void put_channel(struct buf *out, const char *kind, const char *name)
{
    buf_printf(out,
               "\"channel\":{\"$ref\":\"#/channels/ws\"},\"messages\":[{\"$ref\":"
               "\"#/channels/ws/messages/%s%s\"}",
               kind, name);
}

static void operate_op(struct writer *w, const struct op *op)
{
    next_member(w);
    buf_printf(w->out, "\"op.%s\":{\"action\":\"receive\",", op->name);
    put_channel(w->out, "op.", op->name);
    buf_lit(w->out, "],\"reply\":{");
    put_channel(w->out, "reply.", op->name);
    buf_lit(w->out, ",{\"$ref\":\"#/channels/ws/messages/error\"}]}");
    reference_optional(w->out, "description", op->doc);
    buf_char(w->out, '}');
}

static void operate_event(struct writer *w, const struct event_type *type)
{
    next_member(w);
    buf_printf(w->out, "\"event.%s\":{\"action\":\"send\",", type->name);
    put_channel(w->out, "event.", type->name);
    buf_char(w->out, ']');
    reference_optional(w->out, "description", type->doc);
    buf_char(w->out, '}');
}

static void write_operations(const struct module *const *modules, struct buf *out)
{
    struct writer w = {out, ""};
    buf_lit(out, ",\"operations\":{");
    each_op(modules, &w, operate_op);
    each_event(modules, &w, operate_event);
    buf_char(out, '}');
}

/* --- messages: the envelopes */

static void put_data(struct buf *out, const struct schema *schema)
{
    if (schema != NULL)
        reference_to(out, schema->name);
    else
        buf_lit(out, "{\"type\":\"object\"}");
}

/* Up to the properties of the payload. */
static void open_message(struct writer *w, const char *kind, const char *name, const char *doc)
{
    next_member(w);
    buf_printf(w->out, "\"%s%s\":{\"name\":\"%s%s\",\"contentType\":\"application/json\"", kind,
               name, kind, name);
    reference_optional(w->out, "summary", doc);
    buf_lit(w->out, ",\"payload\":{\"type\":\"object\",\"properties\":{");
}

static void put_id(struct buf *out)
{
    buf_lit(out,
            "\"id\":{\"type\":[\"integer\",\"string\"],\"description\":\"Chosen by the client; "
            "the answer carries it.\"},");
}

static void write_op(struct writer *w, const struct op *op)
{
    open_message(w, "op.", op->name, op->doc);
    put_id(w->out);
    buf_printf(w->out, "\"op\":{\"const\":\"%s\"},\"data\":", op->name);
    put_data(w->out, op->data);
    buf_printf(w->out, "},\"required\":[\"op\"%s]}}", op->data != NULL ? ",\"data\"" : "");
    open_message(w, "reply.", op->name, NULL);
    put_id(w->out);
    buf_lit(w->out, "\"data\":");
    put_data(w->out, op->answer);
    buf_lit(w->out, "},\"required\":[\"id\",\"data\"]}}");
}

static void write_event(struct writer *w, const struct event_type *type)
{
    open_message(w, "event.", type->name, type->doc);
    buf_printf(w->out,
               "\"event\":{\"const\":\"%s\"},\"pos\":{\"type\":\"string\",\"description\":"
               "\"Position to resume from; absent on events that are not kept.\"},\"data\":",
               type->name);
    put_data(w->out, type->data);
    buf_lit(w->out, "},\"required\":[\"event\",\"data\"]}}");
}

static void write_messages(const struct module *const *modules, struct buf *out)
{
    struct writer w = {out, ""};
    buf_lit(out, "\"messages\":{");
    each_op(modules, &w, write_op);
    each_event(modules, &w, write_event);
    open_message(&w, "", "error", "The op was refused.");
    put_id(out);
    buf_lit(out, "\"error\":");
    reference_to(out, "Problem");
    buf_lit(out, "},\"required\":[\"error\"]}}}");
}

static void write_schemas(const struct module *const *modules, struct buf *out)
{
    struct reference_set set = {0};
    for (; *modules != NULL; modules++) {
        const struct module *m = *modules;
        for (size_t i = 0; i < m->op_count; i++) {
            reference_add(&set, m->ops[i].data);
            reference_add(&set, m->ops[i].answer);
        }
        for (size_t i = 0; m->events != NULL && m->events[i] != NULL; i++)
            if (m->events[i]->client)
                reference_add(&set, m->events[i]->data);
    }
    buf_lit(out, ",\"schemas\":{");
    reference_write(&set, out);
    buf_char(out, '}');
    reference_done(&set);
}

void asyncapi_write(const struct module *const *modules, const char *version, struct buf *out)
{
    buf_lit(out, "{\"asyncapi\":\"3.0.0\",\"info\":{\"title\":\"Parley realtime\",");
    reference_text(out, "version", version);
    buf_lit(
        out,
        ",\"description\":\"The frames of the WebSocket at /ws. Server-sent events and "
        "long polling carry the same events, and no ops.\",\"license\":{\"name\":\"Apache-2.0\"}},"
        "\"defaultContentType\":\"application/json\",\"servers\":{\"parley\":{\"host\":"
        "\"{host}\",\"protocol\":\"ws\",\"description\":\"wss behind a proxy that "
        "speaks TLS.\",\"variables\":{\"host\":{\"default\":"
        "\"localhost:8080\",\"description\":\"Where this server listens.\"}},\"security\":"
        "[{\"$ref\":\"#/components/securitySchemes/bearer\"}]}}");
    write_channel(modules, out);
    write_operations(modules, out);
    buf_lit(out, ",\"components\":{");
    write_messages(modules, out);
    write_schemas(modules, out);
    buf_lit(out, ",\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\","
                 "\"bearerFormat\":\"JWT\"}}}}");
}
