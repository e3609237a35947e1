/* Where a page of stories ends, as the bytes of a cursor. */
#include "service/story/story_room.h"

enum { PLACE_BYTES = 8 + 1 + 16 + 16 + 8 + 16 };

static void put_number(uint8_t **at, int64_t number)
{
    for (int i = 0; i < 8; i++)
        *(*at)++ = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

static int64_t get_number(const uint8_t **at)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | *(*at)++;
    return (int64_t)number;
}

static void put_id(uint8_t **at, const struct id *id)
{
    memcpy(*at, id->bytes, sizeof id->bytes);
    *at += sizeof id->bytes;
}

static struct id get_id(const uint8_t **at)
{
    struct id id;
    memcpy(id.bytes, *at, sizeof id.bytes);
    *at += sizeof id.bytes;
    return id;
}

int story_place_read(struct slice cursor, struct story_place *ret_place, bool *ret_given,
                     struct error *err)
{
    uint8_t bytes[PLACE_BYTES];
    *ret_place = (struct story_place){0};
    int rc = cursor_decode_bytes(cursor, sizeof bytes, bytes, ret_given, err);
    if (rc < 0 || !*ret_given)
        return rc;
    const uint8_t *at = bytes;
    ret_place->as_of = get_number(&at);
    ret_place->seen = *at++ != 0;
    ret_place->newest = get_id(&at);
    ret_place->author = get_id(&at);
    ret_place->created_at = get_number(&at);
    ret_place->story = get_id(&at);
    return 0;
}

int story_place_write(const struct story_place *place, struct arena *arena, struct slice *ret_bytes,
                      struct error *err)
{
    uint8_t *bytes = arena_alloc(arena, PLACE_BYTES), *at = bytes;
    if (bytes == NULL)
        return error_set(err, FAIL_TOO_LARGE, "too_large", "The request is too large.");
    put_number(&at, place->as_of);
    *at++ = place->seen;
    put_id(&at, &place->newest);
    put_id(&at, &place->author);
    put_number(&at, place->created_at);
    put_id(&at, &place->story);
    *ret_bytes = slice_of((const char *)bytes, PLACE_BYTES);
    return 0;
}
