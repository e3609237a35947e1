/* The blocks in memory: exact against a plain table, from many threads, quick to load. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "harness.h"
#include "service/social/social_blocks.h"

static struct id numbered(unsigned number)
{
    struct id id = {{0}};
    uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    memcpy(id.bytes + 8, &mixed, 8);
    memcpy(id.bytes, &number, sizeof number);
    return id;
}

TEST(exact_against_a_table)
{
    enum { PEOPLE = 60, STEPS = 200000 };
    static bool table[PEOPLE][PEOPLE];
    struct social_blocks *blocks = social_blocks_new();
    struct id ids[PEOPLE];
    uint64_t count = 0;
    srand(7);
    memset(table, 0, sizeof table);
    for (unsigned i = 0; i < PEOPLE; i++) {
        ids[i] = numbered(i);
        ids[i].bytes[14] = 0; /* all in few buckets, so that arrays grow */
        ids[i].bytes[15] = (uint8_t)(i % 2);
    }
    for (int i = 0; i < STEPS; i++) {
        int a = rand() % PEOPLE, b = rand() % PEOPLE;
        if (i % 3 == 0) {
            bool on = rand() % 2;
            count += (uint64_t)on - (uint64_t)table[a][b];
            table[a][b] = on;
            social_blocks_set(blocks, &ids[a], &ids[b], on);
        }
        if (social_blocks_between(blocks, &ids[a], &ids[b]) != (table[a][b] || table[b][a]) ||
            social_blocks_count(blocks) != count) {
            CHECK(!"the set is what the table is");
            break;
        }
    }
    social_blocks_free(blocks);
}

TEST(packs_come_back_as_they_were)
{
    enum { PAIRS = 300 };
    struct social_blocks *blocks = social_blocks_new();
    struct id a = numbered(1), b = numbered(2);
    struct buf pack, next;
    buf_init(&pack, 1 << 20);
    buf_init(&next, 1 << 20);
    unsigned bucket = social_blocks_bucket(&a, &b);
    for (unsigned i = 0; i < PAIRS; i++) {
        struct id other = numbered(1000 + i * 7 % PAIRS);
        other.bytes[14] = b.bytes[14]; /* the same bucket */
        other.bytes[15] = b.bytes[15];
        CHECK(social_pack_set(buf_view(&pack), &a, &other, true, &next));
        buf_clear(&pack);
        buf_slice(&pack, buf_view(&next));
        buf_clear(&next);
    }
    CHECK_INT(pack.len, PAIRS * SOCIAL_PAIR_BYTES);
    CHECK(social_pack_set(buf_view(&pack), &a, &b, false, &next)); /* is not in it */
    CHECK_INT(next.len, pack.len);
    CHECK(social_blocks_load(blocks, bucket, buf_view(&pack)));
    CHECK(!social_blocks_load(blocks, bucket, buf_view(&pack)));
    CHECK(!social_blocks_load(blocks, SOCIAL_BUCKETS, buf_view(&pack)));
    CHECK(!social_blocks_load(blocks, bucket + 1, slice_of(pack.ptr, 31)));
    CHECK(!social_pack_set(slice_of(pack.ptr, 31), &a, &b, true, &next));
    CHECK_INT(social_blocks_count(blocks), PAIRS);
    for (unsigned i = 0; i < PAIRS; i++) {
        struct id other = numbered(1000 + i);
        other.bytes[14] = b.bytes[14];
        other.bytes[15] = b.bytes[15];
        CHECK(social_blocks_between(blocks, &other, &a));
    }
    buf_done(&pack);
    buf_done(&next);
    social_blocks_free(blocks);
}

/* Readers must never miss a pair that stands, nor see one that was never set, however the arrays
 * move under them. */
struct crowd {
    struct social_blocks *blocks;
    struct id always[8], never, moving[64];
    _Atomic bool stop;
    _Atomic unsigned wrong;
};

static struct id in_one_bucket(unsigned number)
{
    struct id id = numbered(number);
    id.bytes[14] = id.bytes[15] = 0;
    return id;
}

static void *read_on(void *arg)
{
    struct crowd *c = arg;
    struct id center = in_one_bucket(0);
    while (!atomic_load(&c->stop)) {
        for (unsigned i = 0; i < 8; i++)
            if (!social_blocks_between(c->blocks, &c->always[i], &center))
                atomic_fetch_add(&c->wrong, 1);
        if (social_blocks_between(c->blocks, &c->never, &center))
            atomic_fetch_add(&c->wrong, 1);
    }
    return NULL;
}

TEST(readers_are_never_misled)
{
    enum { READERS = 3, ROUNDS = 4000 };
    static struct crowd c;
    struct id center = in_one_bucket(0);
    pthread_t readers[READERS];
    c.blocks = social_blocks_new();
    c.never = in_one_bucket(500);
    for (unsigned i = 0; i < 8; i++) {
        c.always[i] = in_one_bucket(1 + i * 100);
        social_blocks_set(c.blocks, &center, &c.always[i], true);
    }
    for (unsigned i = 0; i < READERS; i++)
        CHECK_INT(pthread_create(&readers[i], NULL, read_on, &c), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct id other = in_one_bucket(2000 + i % 64);
        social_blocks_set(c.blocks, &center, &other, i / 64 % 2 == 0);
        struct id growing = in_one_bucket(10000 + i);
        social_blocks_set(c.blocks, &growing, &center, true);
    }
    atomic_store(&c.stop, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    CHECK_INT(atomic_load(&c.wrong), 0);
    social_blocks_free(c.blocks);
}
