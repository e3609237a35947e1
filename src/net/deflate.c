/* The only file that knows zlib.
 *
 * A stream is made at its first use on a thread and freed when the thread ends. For messages the
 * compressor gets a small hash (memory level 5): a reset clears it, and for a frame of a few
 * hundred bytes that clearing is most of the cost.
 */
#include "net/deflate.h"

#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    LEVEL_GZIP = 5,
    LEVEL_MESSAGE = 3,
    MEMORY_MESSAGE = 5,
    WINDOW_MIN = 9,
    WINDOW_MAX = 15,
    GZIP_WINDOW = 15 + 16, /* zlib's way to say "gzip wrapper" */
    INFLATE_STEP = 16 << 10
};

struct streams {
    z_stream *gzip;
    z_stream *message[WINDOW_MAX + 1]; /* by window bits */
    z_stream *gunzip, *inflate_message;
};

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* of the calling thread's struct streams */

static void free_deflate(z_stream *z)
{
    if (z != NULL)
        deflateEnd(z);
    free(z);
}

static void free_inflate(z_stream *z)
{
    if (z != NULL)
        inflateEnd(z);
    free(z);
}

static void free_streams(void *arg)
{
    struct streams *s = arg;
    free_deflate(s->gzip);
    for (unsigned bits = 0; bits <= WINDOW_MAX; bits++)
        free_deflate(s->message[bits]);
    free_inflate(s->gunzip);
    free_inflate(s->inflate_message);
    free(s);
}

static void make_key(void)
{
    panic_if(pthread_key_create(&key, free_streams) != 0, "no thread key left");
}

static struct streams *my_streams(void)
{
    pthread_once(&key_once, make_key);
    struct streams *s = pthread_getspecific(key);
    if (s == NULL) {
        s = xcalloc(1, sizeof *s);
        panic_if(pthread_setspecific(key, s) != 0, "out of memory");
    }
    return s;
}

/* A compressor, ready for new input; NULL when there is no memory. */
static z_stream *ready_deflate(z_stream **slot, int level, int window_bits, int memory)
{
    if (*slot == NULL) {
        z_stream *z = xcalloc(1, sizeof *z);
        if (deflateInit2(z, level, Z_DEFLATED, window_bits, memory, Z_DEFAULT_STRATEGY) != Z_OK) {
            free(z);
            return NULL;
        }
        *slot = z;
    } else if (deflateReset(*slot) != Z_OK) {
        return NULL;
    }
    return *slot;
}

static z_stream *ready_inflate(z_stream **slot, int window_bits)
{
    if (*slot == NULL) {
        z_stream *z = xcalloc(1, sizeof *z);
        if (inflateInit2(z, window_bits) != Z_OK) {
            free(z);
            return NULL;
        }
        *slot = z;
    } else if (inflateReset(*slot) != Z_OK) {
        return NULL;
    }
    return *slot;
}

/* One call over the whole input; false when the room is not enough. */
static bool deflate_all(z_stream *z, struct slice bytes, int flush, size_t room, struct buf *out)
{
    if (!buf_reserve(out, room))
        return false;
    z->next_in = (Bytef *)(uintptr_t)bytes.ptr;
    z->avail_in = (uInt)bytes.len;
    z->next_out = (Bytef *)out->ptr + out->len;
    z->avail_out = (uInt)room;
    int rc = deflate(z, flush);
    if (z->avail_in != 0 || z->avail_out == 0 || (flush == Z_FINISH ? rc != Z_STREAM_END : rc < 0))
        return false;
    out->len += room - z->avail_out;
    return true;
}

bool deflate_gzip(struct slice bytes, struct buf *out)
{
    z_stream *z = ready_deflate(&my_streams()->gzip, LEVEL_GZIP, GZIP_WINDOW, 8);
    return z != NULL && bytes.len <= UINT32_MAX / 2 &&
           deflate_all(z, bytes, Z_FINISH, bytes.len, out);
}

bool deflate_message(struct slice bytes, unsigned window_bits, struct buf *out)
{
    panic_if(window_bits < WINDOW_MIN || window_bits > WINDOW_MAX, "window of %u bits",
             window_bits);
    z_stream *z = ready_deflate(&my_streams()->message[window_bits], LEVEL_MESSAGE,
                                -(int)window_bits, MEMORY_MESSAGE);
    if (z == NULL || bytes.len > UINT32_MAX / 2)
        return false;
    size_t room = deflateBound(z, (uLong)bytes.len) + 16;
    if (!deflate_all(z, bytes, Z_SYNC_FLUSH, room, out) || out->len < 4)
        return false;
    out->len -= 4; /* 00 00 ff ff */
    return true;
}

/* Inflates z's input to its end. A stream that ended begins anew when more follows: RFC 7692
 * section 7.2.3.4 (BFINAL set in a message) and concatenated gzip members. */
static enum inflate_result inflate_input(z_stream *z, struct slice bytes, struct buf *out,
                                         bool *ret_ended)
{
    if (bytes.len > UINT32_MAX)
        return INFLATE_TOO_LARGE;
    z->next_in = (Bytef *)(uintptr_t)bytes.ptr;
    z->avail_in = (uInt)bytes.len;
    for (;;) {
        size_t left = out->max - out->len;
        size_t room = left < INFLATE_STEP ? left : INFLATE_STEP;
        char spare; /* asked for one byte more than fits: it tells full from overfull */
        if (room != 0 && !buf_reserve(out, room))
            return INFLATE_TOO_LARGE;
        z->next_out = room != 0 ? (Bytef *)out->ptr + out->len : (Bytef *)&spare;
        z->avail_out = room != 0 ? (uInt)room : 1;
        int rc = inflate(z, Z_SYNC_FLUSH);
        if (room == 0 && z->avail_out == 0)
            return INFLATE_TOO_LARGE;
        if (room != 0)
            out->len += room - z->avail_out;
        *ret_ended = rc == Z_STREAM_END;
        if (rc == Z_STREAM_END && z->avail_in != 0)
            rc = inflateReset(z);
        else if (z->avail_in == 0 && z->avail_out != 0)
            return rc == Z_OK || rc == Z_BUF_ERROR || rc == Z_STREAM_END ? INFLATE_OK : INFLATE_BAD;
        if (rc != Z_OK && rc != Z_STREAM_END)
            return INFLATE_BAD;
    }
}

enum inflate_result inflate_gzip(struct slice bytes, struct buf *out)
{
    z_stream *z = ready_inflate(&my_streams()->gunzip, GZIP_WINDOW);
    bool ended = false;
    if (z == NULL)
        return INFLATE_TOO_LARGE;
    enum inflate_result result = inflate_input(z, bytes, out, &ended);
    return result == INFLATE_OK && !ended ? INFLATE_BAD : result;
}

enum inflate_result inflate_message(struct slice bytes, struct buf *out)
{
    z_stream *z = ready_inflate(&my_streams()->inflate_message, -WINDOW_MAX);
    bool ended = false;
    if (z == NULL)
        return INFLATE_TOO_LARGE;
    enum inflate_result result = inflate_input(z, bytes, out, &ended);
    if (result != INFLATE_OK)
        return result;
    if (ended && inflateReset(z) != Z_OK)
        return INFLATE_BAD;
    /* What the sender cut off (RFC 7692 section 7.2.2). */
    return inflate_input(z, SLICE("\x00\x00\xff\xff"), out, &ended);
}
