/* people-fill: a data folder with a great many people in it, for bench/run people.
 *
 * usage: people-fill DATA USERS EDGES POSTS SEED
 *
 * Writes straight into the databases of a folder that `parley migrate` has made, and nothing else
 * has touched: through the API it would take days. What comes out is the same for the same numbers
 * on the same day:
 *   - person i has the name of i; the first READERS follow READER_FOLLOWS others each, everybody
 *     else a few; whom is drawn by u^3, so that person 0 has about a hundredth of all followers
 *     (100,000 of 10,000,000) and most have a handful;
 *   - posts are spread evenly over people and over a year that ends at the start of the fill.
 */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void accounts(struct people *p)
{
    people_begin(p->main);
    sqlite3_stmt *profile = people_prepare(
        p->main,
        "INSERT INTO profile (user_id, username, full_name, email, bio, role, is_active,"
        " is_verified, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, 0, 1, 1, ?6, ?6)");
    sqlite3_stmt *person =
        people_prepare(p->main, "INSERT INTO social_person (user_id) VALUES (?1)");
    for (uint32_t i = 0; i < p->users; i++) {
        char username[32], name[64], email[64], bio[160];
        struct id id = people_user_id(p, i);
        snprintf(username, sizeof username, "person%07u", i);
        people_name(p, i, name, sizeof name);
        snprintf(email, sizeof email, "%s@example.com", username);
        snprintf(bio, sizeof bio, "%s. Number %u of %u, made for measuring.", name, i, p->users);
        people_bind_id(profile, 1, &id);
        people_bind_text(profile, 2, username);
        people_bind_text(profile, 3, name);
        people_bind_text(profile, 4, email);
        people_bind_text(profile, 5, bio);
        sqlite3_bind_int64(profile, 6, people_user_time(p, i));
        people_run(profile);
        people_bind_id(person, 1, &id);
        people_run(person);
    }
    sqlite3_finalize(profile);
    sqlite3_finalize(person);
    people_commit(p->main);
}

static void search(struct people *p)
{
    people_begin(p->search);
    sqlite3_stmt *document = people_prepare(
        p->search, "INSERT INTO user_document (doc_id, user_id, username, full_name, is_active)"
                   " VALUES (?1, ?2, ?3, ?4, 1)");
    for (uint32_t i = 0; i < p->users; i++) {
        char username[32], name[64];
        struct id id = people_user_id(p, i);
        snprintf(username, sizeof username, "person%07u", i);
        people_name(p, i, name, sizeof name);
        sqlite3_bind_int64(document, 1, (int64_t)i + 1);
        people_bind_id(document, 2, &id);
        people_bind_text(document, 3, username);
        people_bind_text(document, 4, name);
        people_run(document);
    }
    sqlite3_finalize(document);
    people_exec(p->search, "INSERT INTO user_fts (user_fts) VALUES ('rebuild')");
    people_commit(p->search);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Whom person i follows: `count` different people, in order. */
static void draw_follows(struct people *p, uint32_t i, uint32_t count, uint32_t *ret_targets)
{
    uint32_t have = 0;
    while (have < count) {
        while (have < count) {
            double u = people_uniform(p);
            uint32_t target = (uint32_t)(u * u * u * p->users);
            if (target != i && target < p->users)
                ret_targets[have++] = target;
        }
        qsort(ret_targets, have, sizeof *ret_targets, by_number);
        uint32_t kept = 0;
        for (uint32_t k = 0; k < have; k++)
            if (k == 0 || ret_targets[k] != ret_targets[kept - 1])
                ret_targets[kept++] = ret_targets[k];
        have = kept;
    }
}

static void follows(struct people *p)
{
    static uint32_t targets[READER_FOLLOWS];
    uint64_t left = p->edges;
    people_begin(p->main);
    sqlite3_stmt *following = people_prepare(
        p->main, "INSERT INTO following (follower_id, target_id, made_at, muted, since_pos)"
                 " VALUES (?1, ?2, ?3, 0, 0)");
    for (uint32_t i = 0; i < p->users; i++) {
        uint64_t each = left / (p->users - i);
        uint32_t count = i < READERS ? READER_FOLLOWS : (uint32_t)each;
        if (count > left)
            count = (uint32_t)left;
        draw_follows(p, i, count, targets);
        struct id follower = people_user_id(p, i);
        for (uint32_t k = 0; k < count; k++) {
            struct id target = people_user_id(p, targets[k]);
            people_bind_id(following, 1, &follower);
            people_bind_id(following, 2, &target);
            sqlite3_bind_int64(following, 3, p->now_ms - YEAR_MS + (int64_t)k);
            people_run(following);
        }
        left -= count;
    }
    sqlite3_finalize(following);
    people_exec(p->main, "INSERT INTO follower (target_id, follower_id, made_at, muted)"
                         " SELECT target_id, follower_id, made_at, muted FROM following"
                         " ORDER BY target_id, follower_id");
    people_exec(p->main, "UPDATE social_person SET"
                         " following_count = (SELECT count(*) FROM following f WHERE"
                         " f.follower_id = social_person.user_id),"
                         " follower_count = (SELECT count(*) FROM follower f WHERE"
                         " f.target_id = social_person.user_id)");
    people_commit(p->main);
}

static void posts(struct people *p)
{
    people_begin(p->main);
    sqlite3_stmt *post =
        people_prepare(p->main, "INSERT INTO post (row, id, user_id, text, visibility, created_at)"
                                " VALUES (?1, ?2, ?3, ?4, 0, ?5)");
    sqlite3_stmt *count = people_prepare(
        p->main, "INSERT INTO post_count (post_id, likes, comments) VALUES (?1, ?2, 0)");
    for (uint32_t k = 0; k < p->posts; k++) {
        char text[200];
        struct id id = people_post_id(p, k), author = people_user_id(p, people_author(p, k));
        snprintf(text, sizeof text,
                 "Post number %u, about nothing in particular but of an ordinary length, so that a"
                 " page of them weighs what a page of posts weighs.",
                 k);
        sqlite3_bind_int64(post, 1, (int64_t)k + 1);
        people_bind_id(post, 2, &id);
        people_bind_id(post, 3, &author);
        people_bind_text(post, 4, text);
        sqlite3_bind_int64(post, 5, people_post_time(p, k));
        people_run(post);
        people_bind_id(count, 1, &id);
        sqlite3_bind_int64(count, 2, (int64_t)(people_random(p) % 20));
        people_run(count);
    }
    sqlite3_finalize(post);
    sqlite3_finalize(count);
    people_commit(p->main);
}

int main(int argc, char **argv)
{
    static struct people p;
    if (argc != 6)
        people_die("usage: people-fill DATA USERS EDGES POSTS SEED");
    people_open(&p, argv[1], argv[2], argv[3], argv[4], argv[5]);
    accounts(&p);
    fprintf(stderr, "%u people\n", p.users);
    search(&p);
    fprintf(stderr, "the index\n");
    follows(&p);
    fprintf(stderr, "%llu follows\n", (unsigned long long)p.edges);
    posts(&p);
    fprintf(stderr, "%u posts\n", p.posts);
    people_close(&p);
    return 0;
}
