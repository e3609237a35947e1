/* Content codings for answers. Streams are kept per thread (see deflate.c for zlib's); levels are
 * chosen so that 64 KiB cost a loop less than about a millisecond. Of what comes in, gzip and zstd
 * are decoded, brotli never: its decoder has had remote write bugs. */
#include "net/compress.h"

#include <brotli/encode.h>
#include <pthread.h>
#include <zstd.h>

#include "net/deflate.h"
#include "net/http1_scan.h"

enum { LEVEL_ZSTD = 3, LEVEL_BROTLI = 4 };

/* --- negotiation ------------------------------------------------------------------------------ */

/* qvalue (RFC 9110 section 12.4.2) in thousandths; -1 when malformed. */
static int weight(struct slice text)
{
    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return -1;
    int value = (text.ptr[0] - '0') * 1000;
    for (size_t i = 2, unit = 100; i < text.len; i++, unit /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        value += (text.ptr[i] - '0') * (int)unit;
    }
    return value <= 1000 ? value : -1;
}

/* Cuts "name ; q=0.5" in two; malformed weights count as 0, so that coding is not used. */
static int element_weight(struct slice element, struct slice *ret_name)
{
    struct slice parameter = element;
    bool has_parameter = slice_cut(&parameter, ';', ret_name);
    *ret_name = slice_trim(*ret_name);
    if (!has_parameter)
        return 1000;
    parameter = slice_trim(parameter);
    if (parameter.len < 2 || !slice_ieq(slice_of(parameter.ptr, 2), SLICE("q=")))
        return 0;
    int value = weight(slice_of(parameter.ptr + 2, parameter.len - 2));
    return value > 0 ? value : 0;
}

const char *coding_name(enum coding coding)
{
    static const char *const names[] = {
        [CODING_IDENTITY] = "identity",
        [CODING_GZIP] = "gzip",
        [CODING_BR] = "br",
        [CODING_ZSTD] = "zstd",
    };
    return names[coding];
}

enum coding coding_choose(struct slice accept_encoding, unsigned allowed)
{
    enum { CODINGS = CODING_ZSTD + 1, NOT_NAMED = -1 };
    int weights[CODINGS] = {NOT_NAMED, NOT_NAMED, NOT_NAMED, NOT_NAMED};
    int others = 0;
    struct slice list = accept_encoding, element, name;
    for (bool more = list.len != 0; more;) {
        more = slice_cut(&list, ',', &element);
        int value = element_weight(element, &name);
        if (slice_eq(name, SLICE("*")))
            others = value;
        for (int c = 0; c < CODINGS; c++)
            if (slice_ieq(name, slice_str(coding_name((enum coding)c))) ||
                (c == CODING_GZIP && slice_ieq(name, SLICE("x-gzip"))))
                weights[c] = value;
    }
    /* The enum is in order of preference at equal weight: identity last. */
    enum coding best = CODING_IDENTITY;
    int best_weight = weights[CODING_IDENTITY] > 0 ? weights[CODING_IDENTITY] : 0;
    for (int c = CODING_GZIP; c < CODINGS; c++) {
        int value = weights[c] == NOT_NAMED ? others : weights[c];
        if ((allowed & (1u << c)) != 0 && value > 0 && value >= best_weight) {
            best = (enum coding)c;
            best_weight = value;
        }
    }
    return best;
}

/* --- codecs ----------------------------------------------------------------------------------- */

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t encoder_key, decoder_key; /* ZSTD_CCtx and ZSTD_DCtx of the calling thread */

static void free_encoder(void *context)
{
    ZSTD_freeCCtx(context);
}

static void free_decoder(void *context)
{
    ZSTD_freeDCtx(context);
}

static void make_keys(void)
{
    panic_if(pthread_key_create(&encoder_key, free_encoder) != 0 ||
                 pthread_key_create(&decoder_key, free_decoder) != 0,
             "no thread key left");
}

static void *my_context(pthread_key_t *key, void *(*make)(void))
{
    pthread_once(&key_once, make_keys);
    void *context = pthread_getspecific(*key);
    if (context == NULL) {
        context = make();
        panic_if(context == NULL || pthread_setspecific(*key, context) != 0, "out of memory");
    }
    return context;
}

static void *make_encoder(void)
{
    return ZSTD_createCCtx();
}

static void *make_decoder(void)
{
    return ZSTD_createDCtx();
}

/* The encoders get as much room as the plain bytes take: what needs more is not sent. Their own
 * bounds lie above that, and a buffer of the body's size has no room for them. */
static bool encode_zstd(struct slice bytes, struct buf *out)
{
    size_t room = bytes.len;
    if (!buf_reserve(out, room))
        return false;
    size_t len = ZSTD_compressCCtx(my_context(&encoder_key, make_encoder), out->ptr + out->len,
                                   room, bytes.ptr, bytes.len, LEVEL_ZSTD);
    if (ZSTD_isError(len))
        return false;
    out->len += len;
    return true;
}

static bool encode_brotli(struct slice bytes, struct buf *out)
{
    size_t room = bytes.len;
    if (!buf_reserve(out, room))
        return false;
    if (!BrotliEncoderCompress(LEVEL_BROTLI, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, bytes.len,
                               (const uint8_t *)bytes.ptr, &room, (uint8_t *)out->ptr + out->len))
        return false;
    out->len += room;
    return true;
}

bool compress_bytes(enum coding coding, struct slice bytes, struct buf *out)
{
    size_t before = out->len;
    bool failed_before = out->failed, done = false;
    switch (coding) {
    case CODING_GZIP: done = deflate_gzip(bytes, out); break;
    case CODING_BR: done = encode_brotli(bytes, out); break;
    case CODING_ZSTD: done = encode_zstd(bytes, out); break;
    case CODING_IDENTITY: break;
    }
    if (done && out->len - before < bytes.len)
        return true;
    out->len = before;
    out->failed = failed_before;
    return false;
}

/* Streams through: the size a frame claims is not believed. */
static enum inflate_result decode_zstd(struct slice bytes, struct buf *out)
{
    ZSTD_DCtx *context = my_context(&decoder_key, make_decoder);
    ZSTD_inBuffer in = {bytes.ptr, bytes.len, 0};
    size_t rest = 1;
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 23); /* RFC 8878 section 3.1.1.1.2 */
    for (bool flushed = false; in.pos < in.size || !flushed;) {
        char step[16 << 10];
        ZSTD_outBuffer piece = {step, sizeof step, 0};
        rest = ZSTD_decompressStream(context, &piece, &in);
        if (ZSTD_isError(rest))
            return INFLATE_BAD;
        buf_append(out, step, piece.pos);
        if (!buf_ok(out))
            return INFLATE_TOO_LARGE;
        flushed = piece.pos < piece.size;
    }
    return rest == 0 ? INFLATE_OK : INFLATE_BAD;
}

int decompress_bytes(enum coding coding, struct slice bytes, struct buf *out, struct error *err)
{
    enum inflate_result result = INFLATE_BAD;
    switch (coding) {
    case CODING_GZIP: result = inflate_gzip(bytes, out); break;
    case CODING_ZSTD: result = decode_zstd(bytes, out); break;
    case CODING_IDENTITY:
    case CODING_BR:
        return error_set(err, FAIL_MEDIA_TYPE, "content_coding",
                         "Bodies may be coded with gzip or zstd only.");
    }
    if (result == INFLATE_TOO_LARGE)
        return error_set(err, FAIL_TOO_LARGE, "body_too_large",
                         "The body is larger than %zu bytes when decoded.", out->max);
    if (result == INFLATE_BAD)
        return error_set(err, FAIL_BAD_REQUEST, "bad_content_coding", "The body is not valid %s.",
                         coding_name(coding));
    return 0;
}

bool coding_parse(struct slice content_encoding, enum coding *ret_coding)
{
    for (int c = CODING_IDENTITY; c <= CODING_ZSTD; c++) {
        if (slice_ieq(content_encoding, slice_str(coding_name((enum coding)c)))) {
            *ret_coding = (enum coding)c;
            return true;
        }
    }
    *ret_coding = CODING_GZIP;
    return slice_ieq(content_encoding, SLICE("x-gzip")); /* RFC 9110 section 8.4.1.3 */
}
