/* bench-schema-decode [ROUNDS [NAME]]: nanoseconds per schema_decode for texts as clients send
 * them, one JSON line; beside them one id and one text of 200 bytes there and back.
 *
 *     ninja -C build/x bench/base/bench-schema-decode && build/x/bench/base/bench-schema-decode
 *
 * "envelope" is a socket frame whose data stays raw text, "send" that data by its own schema, and
 * "message" both, as the server does it for one frame. "cyrillic" and "escapes" are "message" with
 * another text. Each figure is the least of five rounds. To compare two builds, run them in turn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "base/schema.h"

enum { ROUNDS = 200000, REPEATS = 5 };

struct envelope {
    struct slice id, op, data;
};

static const struct schema_field envelope_fields[] = {
    {"id", NULL, SCHEMA_RAW, 0, SCHEMA_AT(struct envelope, id)},
    {"op", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct envelope, op), .min = 1,
     .max = 64},
    {"data", NULL, SCHEMA_RAW, 0, SCHEMA_AT(struct envelope, data)},
};
static SCHEMA_DEF(envelope_schema, struct envelope, "Envelope", NULL, envelope_fields);

struct send {
    struct id chat_id;
    struct slice text, client_id;
    int64_t reply_to;
};

static const struct schema_field send_fields[] = {
    {"chat_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct send, chat_id)},
    {"text", NULL, SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NO_BLANK, SCHEMA_AT(struct send, text),
     .min = 1, .max = 16384},
    {"client_id", NULL, SCHEMA_STRING,
     SCHEMA_REQUIRED | SCHEMA_NO_BLANK | SCHEMA_ONE_LINE | SCHEMA_CHARACTERS,
     SCHEMA_AT(struct send, client_id), .min = 1, .max = 64},
    {"reply_to", NULL, SCHEMA_INT, SCHEMA_NULLABLE, SCHEMA_AT(struct send, reply_to), .min = 1,
     .max = UINT32_MAX},
};
static SCHEMA_DEF(send_schema, struct send, "Send", NULL, send_fields);

static const char *const kinds[] = {"direct", "group", "channel", NULL};

struct part {
    struct slice name;
    int64_t size;
};

static const struct schema_field part_fields[] = {
    {"name", NULL, SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct part, name)},
    {"size", NULL, SCHEMA_INT, SCHEMA_REQUIRED, SCHEMA_AT(struct part, size)},
};
static SCHEMA_DEF(part_schema, struct part, "Part", NULL, part_fields);

struct mixed {
    struct id id, owner_id, peer_id;
    int kind, role;
    int64_t created_at, updated_at, last_seq, read_seq, member_count;
    struct slice title, about, locale, avatar, settings;
    bool archived, muted, pinned;
    struct part cover;
    struct schema_list tags;
};

#define AT(member) SCHEMA_AT(struct mixed, member)
static const struct schema_field mixed_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, AT(id)},
    {"kind", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, AT(kind), .names = kinds},
    {"title", NULL, SCHEMA_STRING, SCHEMA_NO_BLANK | SCHEMA_ONE_LINE, AT(title), 1, 128},
    {"about", NULL, SCHEMA_STRING, 0, AT(about), 0, 1024},
    {"owner_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, AT(owner_id)},
    {"peer_id", NULL, SCHEMA_ID, SCHEMA_NULLABLE, AT(peer_id)},
    {"role", NULL, SCHEMA_ENUM, 0, AT(role), .names = kinds},
    {"member_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED, AT(member_count)},
    {"last_seq", NULL, SCHEMA_INT, SCHEMA_REQUIRED, AT(last_seq)},
    {"read_seq", NULL, SCHEMA_INT, SCHEMA_REQUIRED, AT(read_seq), 0, UINT32_MAX},
    {"archived", NULL, SCHEMA_BOOL, 0, AT(archived)},
    {"muted", NULL, SCHEMA_BOOL, 0, AT(muted)},
    {"pinned", NULL, SCHEMA_BOOL, 0, AT(pinned)},
    {"locale", NULL, SCHEMA_STRING, 0, AT(locale), 2, 16},
    {"avatar", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, AT(avatar)},
    {"cover", NULL, SCHEMA_OBJECT, 0, AT(cover), .of = &part_schema},
    {"tags", NULL, SCHEMA_LIST, 0, AT(tags), 0, 8, .element = SCHEMA_STRING},
    {"settings", NULL, SCHEMA_RAW, 0, AT(settings)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, AT(created_at)},
    {"updated_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, AT(updated_at)},
};
static SCHEMA_DEF(mixed_schema, struct mixed, "Mixed", NULL, mixed_fields);

#define MESSAGE(text)                                                                              \
    "{\"id\":\"123\",\"op\":\"message.send\",\"data\":"                                            \
    "{\"chat_id\":\"0193b0f0-1234-7abc-8def-00000000a001\",\"client_id\":\"a1-77\",\"text\":\""    \
    "123 4567 " text "\"}}"
#define PLAIN                                                                                      \
    "I think we can meet at the station at half past seven and walk from there, it is not far; "   \
    "the others said that they would come a little later, so there is no need to hurry. See you!"
#define CYRILLIC                                                                                   \
    "Думаю, мы можем встретиться у станции в "                     \
    "половине восьмого и пройтись оттуда пешком, "            \
    "это недалеко; остальные придут позже."
#define ESCAPES                                                                                    \
    "I think we can meet at the station at half past seven\\nand walk from there, \\\"it is not "  \
    "far\\\";\\n\\nthe others said that they would come a little later, \\u00abno "                \
    "hurry\\u00bb.\\n"

static const char plain_frame[] = MESSAGE(PLAIN);
static const char cyrillic_frame[] = MESSAGE(CYRILLIC);
static const char escapes_frame[] = MESSAGE(ESCAPES);

static const char mixed_text[] =
    "{\"id\":\"0193b0f0-1234-7abc-8def-00000000a001\",\"kind\":\"group\",\"title\":\"Sunday "
    "walk\",\"about\":\"Where we decide where to go, and who brings what.\",\"owner_id\":"
    "\"0193b0f0-1234-7abc-8def-00000000a002\",\"peer_id\":null,\"role\":\"channel\","
    "\"member_count\":37,\"last_seq\":123456,\"read_seq\":123450,\"archived\":false,"
    "\"muted\":true,\"pinned\":false,\"locale\":\"en-GB\",\"avatar\":null,"
    "\"cover\":{\"name\":\"hill.jpg\",\"size\":482113},\"tags\":[\"walk\",\"sunday\",\"hills\"],"
    "\"settings\":{\"slow_mode_s\":0,\"join\":\"invite\",\"history\":true},"
    "\"created_at\":\"2025-11-20T10:48:00.123Z\",\"updated_at\":\"2025-11-21T08:00:00.000Z\"}";

static const char deep_text[] =
    "{\"id\":7,\"op\":\"canvas.put\",\"data\":{\"doc\":{\"type\":\"doc\",\"content\":[{\"type\":"
    "\"paragraph\",\"attrs\":{\"level\":2,\"align\":null},\"content\":[{\"type\":\"text\",\"marks\""
    ":[{\"type\":\"bold\"},{\"type\":\"link\",\"attrs\":{\"href\":\"https://example.org/a?b=c\"}}],"
    "\"text\":\"Read this first\"},{\"type\":\"text\",\"text\":\" and then the rest.\"}]},{\"type\""
    ":\"image\",\"attrs\":{\"w\":1280,\"h\":720,\"x\":-12.5,\"y\":3e2,\"lazy\":true}}]}}}";

static struct arena arena;
static struct error err;

static void decode(const struct schema *schema, struct slice text, void *ret_value)
{
    error_init(&err);
    int rc = schema_decode(schema, text, &arena, ret_value, &err);
    panic_if(rc != 0, "%s: %s %s", err.code, err.detail, err.fields[0].field);
}

static void envelope_only(struct slice text)
{
    struct envelope in;
    decode(&envelope_schema, text, &in);
}

static void send_only(struct slice text)
{
    struct send send;
    decode(&send_schema, text, &send);
}

static void message(struct slice text)
{
    struct envelope in;
    struct send send;
    decode(&envelope_schema, text, &in);
    decode(&send_schema, in.data, &send);
}

static void mixed(struct slice text)
{
    struct mixed value;
    decode(&mixed_schema, text, &value);
}

static void id_there_and_back(struct slice text)
{
    struct id id;
    char out[ID_TEXT_LEN + 1];
    panic_if(!id_parse(text, &id), "no id");
    id_format(&id, out);
    __asm__ volatile("" : : "r"(out) : "memory");
}

static void write_string(struct slice text)
{
    static struct buf out;
    if (out.max == 0)
        buf_init(&out, 1 << 16);
    buf_clear(&out);
    json_write_string(&out, text);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct bench_case {
    const char *name;
    void (*run)(struct slice text);
    struct slice text;
};

static double least(const struct bench_case *c, long rounds)
{
    double best = 0;
    for (int i = 0; i < REPEATS; i++) {
        double start = now_ns();
        for (long round = 0; round < rounds; round++) {
            __asm__ volatile("" : : "r"(c->text.ptr) : "memory");
            c->run(c->text);
            arena_reset(&arena);
        }
        double ns = (now_ns() - start) / (double)rounds;
        best = i == 0 || ns < best ? ns : best;
    }
    return best;
}

/* What stands under "data" in a frame. */
static struct slice data_of(struct slice frame)
{
    struct envelope in;
    decode(&envelope_schema, frame, &in);
    return in.data;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
    arena_init(&arena, 1 << 20);
    const struct bench_case cases[] = {
        {"envelope", envelope_only, slice_str(plain_frame)},
        {"send", send_only, data_of(slice_str(plain_frame))},
        {"message", message, slice_str(plain_frame)},
        {"cyrillic", message, slice_str(cyrillic_frame)},
        {"escapes", message, slice_str(escapes_frame)},
        {"mixed", mixed, slice_str(mixed_text)},
        {"deep", envelope_only, slice_str(deep_text)},
        {"id", id_there_and_back, SLICE("0193b0f0-1234-7abc-8def-00000000a001")},
        {"write_plain", write_string, SLICE(PLAIN)},
        {"write_cyrillic", write_string, SLICE(CYRILLIC)},
    };
    printf("{\"bench\": \"schema_decode\"");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (argc < 3 || strcmp(argv[2], cases[i].name) == 0)
            printf(", \"%s\": %.1f", cases[i].name, least(&cases[i], rounds));
    printf("}\n");
    return 0;
}
