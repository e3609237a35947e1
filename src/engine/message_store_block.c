/* Block rows: up to MESSAGE_BLOCK messages of one chat, their JSON as clients get it.
 *
 * Format 1, little endian: version (1 byte), codec (1: 0 plain, 1 zstd), count (2), plain length
 * of the body (4), body. Body: count times position (8) and JSON length (4), then the JSON texts.
 * Entry i is seq block * 64 + 1 + i; position 0 says that it is absent.
 */
#include <stdlib.h>
#include <zstd.h>

#include "engine/message_store_internal.h"

enum {
    HEAD_BYTES = 8,
    ENTRY_BYTES = 12,
    FORMAT = 1,
    BODY_MAX = 64 << 20,   /* 64 messages with their reactions are far below */
    LEVEL = 1,             /* higher levels cost more than the pages they save */
    LEVEL_UNTIL_FULL = -5, /* it will be read and written again before long */
    COMPRESS_FROM = 1024,  /* bytes */
};
enum codec { CODEC_PLAIN, CODEC_ZSTD };

static void put_u64(char *at, uint64_t value)
{
    memcpy(at, &value, 8);
}
static void put_u32(char *at, uint32_t value)
{
    memcpy(at, &value, 4);
}
static uint64_t get_u64(const char *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}
static uint32_t get_u32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are little endian");

/* zstd's working memory, per thread: the writer packs, readers unpack. */
struct codecs {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};
static _Thread_local struct codecs *codecs;
static pthread_key_t codecs_key;
static pthread_once_t codecs_once = PTHREAD_ONCE_INIT;

static void free_codecs(void *arg)
{
    struct codecs *old = arg;
    ZSTD_freeCCtx(old->pack);
    ZSTD_freeDCtx(old->unpack);
    free(old);
}

static void make_codecs_key(void)
{
    panic_if(pthread_key_create(&codecs_key, free_codecs) != 0, "no thread-specific data left");
}

static struct codecs *thread_codecs(void)
{
    if (codecs == NULL) {
        pthread_once(&codecs_once, make_codecs_key);
        codecs = xcalloc(1, sizeof *codecs);
        codecs->pack = ZSTD_createCCtx();
        codecs->unpack = ZSTD_createDCtx();
        panic_if(codecs->pack == NULL || codecs->unpack == NULL, "no memory for zstd");
        panic_if(pthread_setspecific(codecs_key, codecs) != 0, "no memory for a thread's data");
    }
    return codecs;
}

/* Replaces the body in out by its compressed form when that saves a quarter. */
static void compress_body(struct buf *out, int level)
{
    size_t plain = out->len - HEAD_BYTES;
    size_t room = ZSTD_compressBound(plain);
    char *packed = xmalloc(room);
    size_t size =
        ZSTD_compressCCtx(thread_codecs()->pack, packed, room, out->ptr + HEAD_BYTES, plain, level);
    if (!ZSTD_isError(size) && size < plain - plain / 4) {
        memcpy(out->ptr + HEAD_BYTES, packed, size);
        out->len = HEAD_BYTES + size;
        out->ptr[1] = CODEC_ZSTD;
    }
    free(packed);
}

void message_block_encode(const struct message_entry entries[MESSAGE_BLOCK], unsigned count,
                          struct buf *out)
{
    size_t body = count * (size_t)ENTRY_BYTES;
    for (unsigned i = 0; i < count; i++)
        body += entries[i].json.len;
    buf_clear(out);
    if (!buf_reserve(out, HEAD_BYTES + body))
        return;
    char *head = out->ptr, *entry = head + HEAD_BYTES, *text = entry + count * ENTRY_BYTES;
    head[0] = FORMAT;
    head[1] = CODEC_PLAIN;
    head[2] = (char)count;
    head[3] = 0;
    put_u32(head + 4, (uint32_t)body);
    for (unsigned i = 0; i < count; i++, entry += ENTRY_BYTES) {
        struct slice json = entries[i].json;
        put_u64(entry, entries[i].pos);
        put_u32(entry + 8, (uint32_t)json.len);
        if (json.len > 0)
            memcpy(text, json.ptr, json.len);
        text += json.len;
    }
    out->len = HEAD_BYTES + body;
    if (body >= COMPRESS_FROM)
        compress_body(out, count == MESSAGE_BLOCK ? LEVEL : LEVEL_UNTIL_FULL);
}

static int damaged(struct error *err, const char *what)
{
    return error_set(err, FAIL_INTERNAL, "damaged_block", "A message block is damaged: %s.", what);
}

static int unpack(struct slice packed, size_t plain, struct buf *scratch, struct slice *ret_body,
                  struct error *err)
{
    buf_clear(scratch);
    if (!buf_reserve(scratch, plain))
        return damaged(err, "too large");
    size_t size =
        ZSTD_decompressDCtx(thread_codecs()->unpack, scratch->ptr, plain, packed.ptr, packed.len);
    if (ZSTD_isError(size) || size != plain)
        return damaged(err, "it does not decompress");
    scratch->len = plain;
    *ret_body = buf_view(scratch);
    return 0;
}

int message_block_decode(struct slice data, struct buf *scratch,
                         struct message_entry ret_entries[MESSAGE_BLOCK], unsigned *ret_count,
                         struct error *err)
{
    if (data.len < HEAD_BYTES || data.ptr[0] != FORMAT || (uint8_t)data.ptr[1] > CODEC_ZSTD)
        return damaged(err, "unknown format");
    unsigned count = (uint8_t)data.ptr[2];
    size_t plain = get_u32(data.ptr + 4);
    struct slice body = slice_of(data.ptr + HEAD_BYTES, data.len - HEAD_BYTES);
    if (count > MESSAGE_BLOCK || data.ptr[3] != 0 || plain > BODY_MAX)
        return damaged(err, "its head");
    if (data.ptr[1] == CODEC_ZSTD && unpack(body, plain, scratch, &body, err) != 0)
        return FAIL_INTERNAL;
    if (body.len != plain || body.len < count * (size_t)ENTRY_BYTES)
        return damaged(err, "its length");
    const char *text = body.ptr + count * ENTRY_BYTES;
    size_t left = body.len - count * (size_t)ENTRY_BYTES;
    for (unsigned i = 0; i < count; i++) {
        size_t len = get_u32(body.ptr + i * ENTRY_BYTES + 8);
        if (len > left)
            return damaged(err, "an entry");
        ret_entries[i] = (struct message_entry){get_u64(body.ptr + i * ENTRY_BYTES), {text, len}};
        text += len;
        left -= len;
    }
    *ret_count = count;
    return 0;
}

static const struct db_sql number_sql = {"SELECT number FROM message_chat WHERE chat = ?1"};

int message_chat_number(struct db_tx *tx, const struct id *chat, uint64_t *ret_number,
                        struct error *err)
{
    struct db_rows rows;
    int rc = db_query(tx, &number_sql, &rows, err, db_id(chat));
    if (rc != 0)
        return rc;
    rc = db_next(&rows, err);
    if (rc < 0)
        return rc;
    *ret_number = rc == 1 ? (uint64_t)db_col_int(&rows, 0) : 0;
    db_rows_close(&rows);
    return 0;
}
