#include "harness.h"

#include <stdlib.h>

#include "net/compress.h"

enum { ALL = 1 << CODING_GZIP | 1 << CODING_BR | 1 << CODING_ZSTD };

TEST(negotiation)
{
    static const struct {
        const char *accept;
        unsigned allowed;
        enum coding want;
    } rows[] = {
        {NULL, ALL, CODING_IDENTITY},
        {"", ALL, CODING_IDENTITY},
        {"gzip", ALL, CODING_GZIP},
        {"x-gzip", ALL, CODING_GZIP},
        {"gzip, deflate, br, zstd", ALL, CODING_ZSTD},
        {"gzip, deflate, br", ALL, CODING_BR},
        {"GZIP;q=1.0, br;q=0.5", ALL, CODING_GZIP},
        {"zstd;q=0.1,gzip;q=0.2", ALL, CODING_GZIP},
        {"zstd;q=0, *", ALL, CODING_BR},
        {"*", ALL, CODING_ZSTD},
        {"*;q=0", ALL, CODING_IDENTITY},
        {"gzip;q=0", ALL, CODING_IDENTITY},
        {"gzip;q=0.5, identity", ALL, CODING_IDENTITY},
        {"gzip;q=0.5, identity;q=0.5", ALL, CODING_GZIP},
        {"identity;q=0, gzip;q=0.001", ALL, CODING_GZIP},
        {"gzip;q=1.001", ALL, CODING_IDENTITY},
        {"gzip;q=2", ALL, CODING_IDENTITY},
        {"gzip;q=0.1234", ALL, CODING_IDENTITY},
        {"gzip;q=x", ALL, CODING_IDENTITY},
        {"gzip;x=1", ALL, CODING_IDENTITY},
        {"gzip ; q=0.8 ,\tbr\t;\tQ=0.7", ALL, CODING_GZIP},
        {", ,gzip,", ALL, CODING_GZIP},
        {"zstd, br, gzip", 1 << CODING_GZIP, CODING_GZIP},
        {"zstd", 1 << CODING_GZIP, CODING_IDENTITY},
        {"compress, deflate", ALL, CODING_IDENTITY},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum coding got = coding_choose(slice_str(rows[i].accept), rows[i].allowed);
        if (got != rows[i].want)
            test_fail(__FILE__, __LINE__, "%s gave %s", rows[i].accept, coding_name(got));
    }
}

static struct slice sample(void)
{
    static char text[50000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * i / 7 % 17);
    return slice_of(text, sizeof text);
}

TEST(round_trips)
{
    static const enum coding codings[] = {CODING_GZIP, CODING_ZSTD};
    for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
        struct buf packed, plain;
        struct error err;
        error_init(&err);
        buf_init(&packed, 1 << 20);
        buf_init(&plain, sample().len);
        CHECK(compress_bytes(codings[i], sample(), &packed));
        CHECK(packed.len < sample().len / 4);
        CHECK_OK(decompress_bytes(codings[i], buf_view(&packed), &plain, &err), &err);
        CHECK(slice_eq(buf_view(&plain), sample()));
        buf_done(&packed);
        buf_done(&plain);
    }
}

TEST(room_for_the_plain_bytes_is_enough)
{
    static const size_t sizes[] = {200, 1024, 4096, 20000, 50000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (int c = CODING_GZIP; c <= CODING_ZSTD; c++) {
            struct buf packed;
            buf_init(&packed, sizes[i]);
            if (!compress_bytes((enum coding)c, slice_of(sample().ptr, sizes[i]), &packed))
                test_fail(__FILE__, __LINE__, "%s of %zu bytes", coding_name((enum coding)c),
                          sizes[i]);
            buf_done(&packed);
        }
}

TEST(brotli_shrinks_and_is_never_decoded)
{
    struct buf packed, plain;
    struct error err;
    error_init(&err);
    buf_init(&packed, 1 << 20);
    buf_init(&plain, 1 << 20);
    CHECK(compress_bytes(CODING_BR, sample(), &packed));
    CHECK(packed.len > 0 && packed.len < sample().len / 4);
    CHECK_INT(decompress_bytes(CODING_BR, buf_view(&packed), &plain, &err), FAIL_MEDIA_TYPE);
    buf_done(&packed);
    buf_done(&plain);
}

TEST(what_does_not_shrink_is_left)
{
    for (int c = CODING_IDENTITY; c <= CODING_ZSTD; c++) {
        struct buf out, full;
        buf_init(&out, 1 << 20);
        buf_init(&full, 10);
        buf_lit(&out, "before");
        CHECK(!compress_bytes((enum coding)c, SLICE("tiny"), &out));
        CHECK_STR(buf_view(&out), "before");
        CHECK(!compress_bytes((enum coding)c, sample(), &full));
        CHECK(buf_ok(&full) && full.len == 0);
        buf_done(&out);
        buf_done(&full);
    }
}

TEST(bombs_and_rubble)
{
    static const enum coding codings[] = {CODING_GZIP, CODING_ZSTD};
    for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
        struct buf packed, plain;
        struct error err;
        buf_init(&packed, 1 << 20);
        buf_init(&plain, sample().len - 1);
        CHECK(compress_bytes(codings[i], sample(), &packed));
        error_init(&err);
        CHECK_INT(decompress_bytes(codings[i], buf_view(&packed), &plain, &err), FAIL_TOO_LARGE);
        CHECK(plain.cap <= plain.max);
        for (size_t cut = 0; cut < packed.len; cut += 7) {
            buf_done(&plain);
            plain.max = 1 << 20;
            error_init(&err);
            CHECK_INT(decompress_bytes(codings[i], slice_of(packed.ptr, cut), &plain, &err),
                      FAIL_BAD_REQUEST);
        }
        buf_done(&plain);
        error_init(&err);
        CHECK_INT(decompress_bytes(codings[i], SLICE("no such thing"), &plain, &err),
                  FAIL_BAD_REQUEST);
        buf_done(&packed);
        buf_done(&plain);
    }
}

TEST(names)
{
    enum coding coding = CODING_BR;
    CHECK(coding_parse(SLICE("GZIP"), &coding) && coding == CODING_GZIP);
    CHECK(coding_parse(SLICE("zstd"), &coding) && coding == CODING_ZSTD);
    CHECK(coding_parse(SLICE("zstd"), &coding) && coding == CODING_ZSTD);
    CHECK(coding_parse(SLICE("X-Gzip"), &coding) && coding == CODING_GZIP);
    CHECK(!coding_parse(SLICE("gzip, gzip"), &coding));
    CHECK(!coding_parse(SLICE("deflate"), &coding));
}
