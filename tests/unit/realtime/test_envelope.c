/* Events and answers as bytes, read back by the project's own parsers at every size that changes
 * the form of a frame. */
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "net/websocket.h"
#include "realtime/envelope.h"

/* JSON text of the given length: a string of letters that compress well. */
static struct slice json_of(size_t len)
{
    char *text = xmalloc(len);
    memset(text, 'a', len);
    text[0] = text[len - 1] = '"';
    return slice_of(text, len);
}

/* The text of a frame, as a client with this extension reads it. */
static struct slice read_text(const struct frame *frame, bool deflate, struct ws_reader *reader)
{
    struct ws_message message;
    struct error err;
    uint16_t close_code = 0;
    error_init(&err);
    ws_reader_init(reader, false, deflate, 1 << 20);
    struct slice in = slice_of(frame->bytes, frame->len);
    CHECK_INT(ws_read(reader, &in, &message, &close_code, &err), 1);
    CHECK_INT(message.opcode, WS_TEXT);
    CHECK_INT(in.len, 0);
    return message.data;
}

static void check_event(bool deflate, uint64_t pos, size_t data_bytes)
{
    struct slice data = json_of(data_bytes);
    struct position position = {0xab, pos};
    struct frame *frame = envelope_frame(deflate ? ENVELOPE_WEBSOCKET_DEFLATE : ENVELOPE_WEBSOCKET,
                                         "message.sent", pos != 0 ? &position : NULL, data);
    struct ws_reader reader;
    struct slice text = read_text(frame, deflate, &reader);
    struct buf want;
    buf_init(&want, 1 << 20);
    if (pos == 0)
        buf_printf(&want, "{\"event\":\"message.sent\",\"data\":%.*s}", SLICE_FMT(data));
    else
        envelope_json(&want, "message.sent", position, data);
    CHECK(slice_eq(text, buf_view(&want)));
    if (deflate && data_bytes > 2000)
        CHECK(frame->len < data_bytes / 4);
    ws_reader_done(&reader);
    buf_done(&want);
    frame_unref(frame);
    free((char *)(uintptr_t)data.ptr);
}

TEST(events_of_every_size_are_read_back)
{
    /* Around 125 and 65,535 bytes the header grows; above 1,024 a frame may be deflated. */
    for (size_t bytes = 2; bytes < 200; bytes++)
        for (int deflate = 0; deflate < 2; deflate++)
            check_event(deflate != 0, 42, bytes);
    static const size_t more[] = {900,   980,   1000,  1024,  1025,  2048,
                                  65400, 65470, 65480, 65530, 65600, 200000};
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        for (int deflate = 0; deflate < 2; deflate++) {
            check_event(deflate != 0, UINT64_MAX, more[i]);
            check_event(deflate != 0, 0, more[i]);
        }
}

TEST(an_event_for_a_poll_is_json_with_its_position)
{
    struct buf out;
    buf_init(&out, 1 << 10);
    envelope_json(&out, "chat.read", (struct position){1, 0x2a}, SLICE("{\"seq\":1}"));
    CHECK_STR(buf_view(&out),
              "{\"event\":\"chat.read\",\"pos\":\"00000001-2a\",\"data\":{\"seq\":1}}");
    buf_done(&out);
}

TEST(an_event_stream_names_event_and_id)
{
    struct frame *frame =
        envelope_frame(ENVELOPE_SSE, "message.sent", &(struct position){1, 0x2a}, SLICE("{}"));
    CHECK_STR(slice_of(frame->bytes, frame->len),
              "event: message.sent\nid: 00000001-2a\ndata: {}\n\n");
    frame_unref(frame);
    frame = envelope_frame(ENVELOPE_SSE, "ready", &(struct position){1, 0}, SLICE("{}"));
    CHECK_STR(slice_of(frame->bytes, frame->len), "event: ready\nid: 00000001-0\ndata: {}\n\n");
    frame_unref(frame);
    frame = envelope_frame(ENVELOPE_SSE, "typing", NULL, SLICE("{}"));
    CHECK_STR(slice_of(frame->bytes, frame->len), "event: typing\ndata: {}\n\n");
    frame_unref(frame);
}

/* What follows at once says the same as each alone, on every transport and at every form of header.
 */
TEST(a_run_is_its_events_one_after_the_other)
{
    static const size_t sizes[] = {2, 40, 80, 90, 120, 900, 1500, 65400, 66000};
    static const enum envelope kinds[] = {ENVELOPE_WEBSOCKET, ENVELOPE_WEBSOCKET_DEFLATE,
                                          ENVELOPE_SSE};
    static const struct event_type type = {.name = "message.sent", .client = true};
    struct event events[ARRAY_LEN(sizes)];
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        events[i] =
            (struct event){.type = &type, .pos = (uint64_t)1 << (i * 7), .data = json_of(sizes[i])};
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        struct buf want;
        buf_init(&want, 1 << 20);
        for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
            struct frame *one = envelope_frame(
                kinds[k], type.name, &(struct position){7, events[i].pos}, events[i].data);
            buf_append(&want, one->bytes, one->len);
            frame_unref(one);
        }
        struct frame *run = envelope_run(kinds[k], events, ARRAY_LEN(sizes), 7);
        CHECK(slice_eq(slice_of(run->bytes, run->len), buf_view(&want)));
        frame_unref(run);
        buf_done(&want);
    }
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        free((char *)(uintptr_t)events[i].data.ptr);
}

/* A long one has a longer header, and is still what a slow client loses first. */
TEST(a_long_ephemeral_event_is_known_as_one)
{
    struct slice data = json_of(400);
    struct frame *typing = envelope_frame(ENVELOPE_WEBSOCKET, "typing", NULL, data);
    struct frame *reply = envelope_reply(false, SLICE("1"), false, data);
    struct frame *durable =
        envelope_frame(ENVELOPE_WEBSOCKET, "typing", &(struct position){1, 9}, data);
    CHECK(envelope_is_ephemeral(typing, NULL));
    CHECK(!envelope_is_ephemeral(reply, NULL));
    CHECK(!envelope_is_ephemeral(durable, NULL));
    frame_unref(typing);
    frame_unref(reply);
    frame_unref(durable);
    free((char *)(uintptr_t)data.ptr);
}

TEST(answers_carry_the_id_as_it_was_sent)
{
    static const char *const ids[] = {"7", "\"a\\u00e4\"", "1e3", "true"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        char want[100];
        snprintf(want, sizeof want, "{\"id\":%s,\"data\":{}}", ids[i]);
        struct frame *frame = envelope_reply(true, slice_str(ids[i]), false, SLICE("{}"));
        struct ws_reader reader;
        CHECK_STR(read_text(frame, true, &reader), want);
        ws_reader_done(&reader);
        frame_unref(frame);
    }
}
