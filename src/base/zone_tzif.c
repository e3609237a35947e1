/* Reads a TZif file (RFC 9636): the header and block of 32-bit times are skipped, the block of
 * 64-bit times is read, then the footer. Every count is checked against the bytes that are there
 * before anything is allocated. */
#include <stdlib.h>

#include "base/zone_private.h"

enum {
    HEADER_BYTES = 44,
    CHANGES_MAX = 4096,
    OFFSET_S_MIN = -25 * 3600 + 1,
    OFFSET_S_MAX = 26 * 3600 - 1
};

struct reader {
    struct slice left;
    struct error *err;
};

struct header {
    uint32_t ut, std, leap, times, kinds, letters;
};

static int refuse(struct reader *r, const char *what)
{
    return error_set(r->err, FAIL_INVALID, "invalid_zone", "The time zone file %s.", what);
}

static int64_t big_endian(const char *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | (uint8_t)at[i];
    return bytes == 4 ? (int32_t)value : (int64_t)value;
}

static const char *take(struct reader *r, size_t bytes)
{
    if (r->left.len < bytes)
        return NULL;
    const char *at = r->left.ptr;
    r->left = slice_of(at + bytes, r->left.len - bytes);
    return at;
}

static int read_header(struct reader *r, struct header *ret)
{
    const char *at = take(r, HEADER_BYTES);
    if (at == NULL || memcmp(at, "TZif", 4) != 0)
        return refuse(r, "does not begin as one");
    if (at[4] < '2' || at[4] > '4')
        return refuse(r, "is of a version without 64-bit times");
    uint32_t n[6];
    for (unsigned i = 0; i < 6; i++) {
        n[i] = (uint32_t)big_endian(at + 20 + 4 * i, 4);
        if (n[i] > ZONE_FILE_BYTES_MAX)
            return refuse(r, "counts more than fits");
    }
    *ret = (struct header){n[0], n[1], n[2], n[3], n[4], n[5]};
    return 0;
}

static size_t block_bytes(const struct header *h, unsigned time_bytes)
{
    return (size_t)h->times * (time_bytes + 1) + (size_t)h->kinds * 6 + h->letters +
           (size_t)h->leap * (time_bytes + 4) + h->std + h->ut;
}

static int check_counts(struct reader *r, const struct header *h)
{
    if (h->kinds == 0 || h->kinds > 256 || h->letters == 0 || h->times > CHANGES_MAX)
        return refuse(r, "has counts out of bounds");
    if ((h->ut != 0 && h->ut != h->kinds) || (h->std != 0 && h->std != h->kinds))
        return refuse(r, "has counts that do not match");
    if (h->leap != 0)
        return refuse(r, "counts leap seconds");
    if (r->left.len < block_bytes(h, 8))
        return refuse(r, "is cut off");
    return 0;
}

static int read_changes(struct reader *r, const struct header *h, struct zone *z)
{
    const char *times = take(r, (size_t)h->times * 8), *kinds = take(r, h->times);
    z->count = h->times;
    z->at_s = xcalloc((size_t)h->times + 1, sizeof *z->at_s);
    z->kind = xcalloc((size_t)h->times + 1, 1);
    for (uint32_t i = 0; i < h->times; i++) {
        z->at_s[i] = big_endian(times + (size_t)i * 8, 8);
        z->kind[i] = (uint8_t)kinds[i];
        if (z->kind[i] >= h->kinds)
            return refuse(r, "names an offset that it does not have");
        if (i > 0 && z->at_s[i] <= z->at_s[i - 1])
            return refuse(r, "is not in order");
    }
    return 0;
}

static int read_name(struct reader *r, struct slice letters, uint8_t at, struct zone_offset *offset)
{
    if (at >= letters.len)
        return refuse(r, "names an abbreviation that it does not have");
    const char *name = letters.ptr + at;
    const char *end = memchr(name, 0, letters.len - at);
    if (end == NULL ||
        !copy_str(offset->name, sizeof offset->name, slice_of(name, (size_t)(end - name))))
        return refuse(r, "has an abbreviation without an end");
    for (const char *c = name; c < end; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return refuse(r, "has an abbreviation that cannot be printed");
    return 0;
}

static int read_offsets(struct reader *r, const struct header *h, struct zone *z)
{
    const char *at = take(r, (size_t)h->kinds * 6);
    struct slice letters = slice_of(take(r, h->letters), h->letters);
    z->kinds = h->kinds;
    z->offsets = xcalloc(h->kinds, sizeof *z->offsets);
    for (uint32_t i = 0; i < h->kinds; i++, at += 6) {
        struct zone_offset *offset = &z->offsets[i];
        offset->seconds = (int32_t)big_endian(at, 4);
        offset->daylight = at[4] == 1;
        if (offset->seconds < OFFSET_S_MIN || offset->seconds > OFFSET_S_MAX)
            return refuse(r, "has an offset of more than a day");
        if ((uint8_t)at[4] > 1)
            return refuse(r, "has a flag that is neither 0 nor 1");
        int rc = read_name(r, letters, (uint8_t)at[5], offset);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_footer(struct reader *r, const struct header *h, struct zone *z)
{
    struct slice text;
    take(r, (size_t)h->std + h->ut); /* only for readers of the TZ string of old */
    if (take(r, 1) == NULL || r->left.ptr[-1] != '\n' || !slice_cut(&r->left, '\n', &text) ||
        r->left.len != 0)
        return refuse(r, "has no footer, or something after it");
    if (!zone_footer_parse(text, &z->footer))
        return refuse(r, "has a footer that is no rule");
    return 0;
}

static int read_zone(struct reader *r, struct zone *z)
{
    struct header first, h;
    int rc = read_header(r, &first);
    if (rc == 0 && take(r, block_bytes(&first, 4)) == NULL)
        rc = refuse(r, "is cut off");
    if (rc == 0)
        rc = read_header(r, &h);
    if (rc == 0)
        rc = check_counts(r, &h);
    if (rc == 0)
        rc = read_changes(r, &h, z);
    if (rc == 0)
        rc = read_offsets(r, &h, z);
    if (rc == 0)
        rc = read_footer(r, &h, z);
    return rc;
}

int zone_parse(struct slice tzif, struct zone **ret_zone, struct error *err)
{
    struct reader r = {tzif, err};
    if (tzif.len > ZONE_FILE_BYTES_MAX)
        return refuse(&r, "is too large");
    struct zone *z = xcalloc(1, sizeof *z);
    int rc = read_zone(&r, z);
    if (rc < 0) {
        zone_free(z);
        return rc;
    }
    *ret_zone = z;
    return 0;
}
