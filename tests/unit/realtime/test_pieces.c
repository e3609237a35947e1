#include <stdlib.h>

#include "harness.h"
#include "realtime/envelope.h"
#include "realtime/handle_table.h"
#include "realtime/position.h"

TEST(positions_round_trip)
{
    static const uint64_t values[] = {0, 1, 15, 16, 0xdeadbeef, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char text[POSITION_TEXT_MAX];
        struct position in = {0x0badcafe, values[i]}, out;
        size_t len = position_format(in, text);
        struct error err;
        error_init(&err);
        CHECK_OK(position_parse(slice_of(text, len), &out, &err), &err);
        CHECK(out.epoch == in.epoch && out.pos == in.pos);
    }
}

TEST(positions_that_no_server_gave_are_refused)
{
    static const char *const bad[] = {"",
                                      "0badcafe",
                                      "0badcafe-",
                                      "0badcafe-0x1",
                                      "0badcafe-00",
                                      "0badcafe-01",
                                      "0BADCAFE-1",
                                      "0badcaf-1",
                                      "0badcafe-11111111111111111",
                                      "0badcafe-1 ",
                                      "0badcafe--1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct position out;
        struct error err;
        error_init(&err);
        if (position_parse(slice_str(bad[i]), &out, &err) != FAIL_BAD_REQUEST)
            test_fail(__FILE__, __LINE__, "\"%s\" was taken", bad[i]);
        CHECK_STR(slice_str(err.code), "invalid_pos");
    }
}

TEST(handles_are_used_again)
{
    struct handle_table table = {0};
    static _Alignas(8) char objects[1000][8];
    for (int round = 0; round < 3; round++) {
        uint32_t handles[1000];
        for (int i = 0; i < 1000; i++)
            handles[i] = handle_add(&table, objects[i]);
        for (int i = 0; i < 1000; i++)
            CHECK(handle_get(&table, handles[i]) == objects[i]);
        for (int i = 0; i < 1000; i += 2) {
            handle_remove(&table, handles[i]);
            CHECK(handle_peek(&table, handles[i]) == NULL);
        }
        for (int i = 1; i < 1000; i += 2)
            handle_remove(&table, handles[i]);
        CHECK_INT(table.count, 0);
        CHECK_INT(table.top, 1000);
    }
    handle_table_done(&table);
}

TEST(a_websocket_event_is_one_text_frame)
{
    struct frame *frame = envelope_frame(ENVELOPE_WEBSOCKET, "message.sent",
                                         &(struct position){1, 0x2a}, SLICE("{\"seq\":1}"));
    const char want[] = "{\"event\":\"message.sent\",\"pos\":\"00000001-2a\",\"data\":{\"seq\":1}}";
    CHECK_INT(frame->len, 2 + sizeof want - 1);
    CHECK_INT((uint8_t)frame->bytes[0], 0x81);
    CHECK_INT((uint8_t)frame->bytes[1], sizeof want - 1);
    CHECK_STR(slice_of(frame->bytes + 2, frame->len - 2), want);
    frame_unref(frame);
}

TEST(only_events_without_a_position_are_ephemeral)
{
    static const enum envelope kinds[] = {ENVELOPE_WEBSOCKET, ENVELOPE_SSE};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct frame *typing = envelope_frame(kinds[i], "typing", NULL, SLICE("{}"));
        struct frame *durable =
            envelope_frame(kinds[i], "message.sent", &(struct position){1, 9}, SLICE("{}"));
        CHECK(envelope_is_ephemeral(typing, NULL));
        CHECK(!envelope_is_ephemeral(durable, NULL));
        frame_unref(typing);
        frame_unref(durable);
    }
}

TEST(a_reply_names_its_request)
{
    struct frame *frame = envelope_reply(false, SLICE("7"), true, SLICE("{\"status\":404}"));
    CHECK_STR(slice_of(frame->bytes + 2, frame->len - 2), "{\"id\":7,\"error\":{\"status\":404}}");
    frame_unref(frame);
    frame = envelope_reply(false, (struct slice){0}, false, SLICE("{}"));
    CHECK_STR(slice_of(frame->bytes + 2, frame->len - 2), "{\"id\":null,\"data\":{}}");
    frame_unref(frame);
}
