#include "harness.h"
#include "kit/seal.h"

static const uint8_t key[SEAL_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const uint8_t other[SEAL_KEY_BYTES] = "another key of thirty-two bytes";

static void check_hex(const uint8_t *bytes, size_t len, const char *want)
{
    char text[65];
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    CHECK_STR(slice_of(text, 2 * len), want);
}

TEST(sha256_of_fips_180)
{
    uint8_t digest[32];
    seal_sha256(SLICE("abc"), digest);
    check_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(what_is_closed_opens_with_its_key_only)
{
    struct error err;
    struct buf sealed, plain;
    error_init(&err);
    buf_init(&sealed, 4096);
    buf_init(&plain, 4096);
    CHECK_OK(seal_close(key, SLICE("a secret"), &sealed, &err), &err);
    CHECK_INT(sealed.len, 12 + 8 + 16);
    CHECK(!seal_open(other, buf_view(&sealed), &plain));
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.ptr[i] ^= 1;
        CHECK(!seal_open(key, buf_view(&sealed), &plain));
        sealed.ptr[i] ^= 1;
    }
    CHECK(!seal_open(key, slice_of(sealed.ptr, 27), &plain));
    CHECK_INT(plain.len, 0);
    CHECK(seal_open(key, buf_view(&sealed), &plain));
    CHECK_STR(buf_view(&plain), "a secret");
    buf_done(&sealed);
    buf_done(&plain);
}

TEST(nothing_can_be_sealed_too)
{
    struct error err;
    struct buf sealed, plain;
    error_init(&err);
    buf_init(&sealed, 4096);
    buf_init(&plain, 4096);
    CHECK_OK(seal_close(key, SLICE(""), &sealed, &err), &err);
    CHECK(seal_open(key, buf_view(&sealed), &plain));
    CHECK_INT(plain.len, 0);
    buf_done(&sealed);
    buf_done(&plain);
}

TEST(macs_depend_on_key_and_text)
{
    uint8_t a[32], b[32], c[32];
    seal_mac(key, SLICE("text"), a);
    seal_mac(key, SLICE("texu"), b);
    seal_mac(other, SLICE("text"), c);
    CHECK(!seal_equal(a, b, 32) && !seal_equal(a, c, 32));
    seal_mac(key, SLICE("text"), b);
    CHECK(seal_equal(a, b, 32));
}
