#include "post_rig.h"

#include <unistd.h>

#include "service/user/user.h"

void rig_open(struct rig *rig, const char *const *settings)
{
    static const struct module *const modules[] = {&social_module, &user_module, &post_module,
                                                   NULL};
    static const char *const unlimited[] = {"limits.per_user=off", NULL};
    rig_open_modules(rig, modules, settings != NULL ? settings : unlimited, 0);
}

struct post_feed *rig_feed(struct rig *rig)
{
    return ((struct post_room *)rig->room)->feed;
}

void rig_restart(struct rig *rig, bool lose_feed)
{
    struct feed_sizes sizes = rig_feed(rig)->sizes;
    char path[512];
    rig_stop(rig);
    if (lose_feed) {
        rig_path("feed.db", path);
        CHECK_INT(unlink(path), 0);
        rig_rewind(rig, "post.feed");
    }
    rig_start(rig);
    rig_feed(rig)->sizes = sizes;
}

bool rig_work(struct rig *rig)
{
    bool did = false, more;
    error_init(&rig->err);
    CHECK_OK(post_feed_step(rig_feed(rig), &did, &more, &rig->err), &rig->err);
    return did;
}

void rig_settle(struct rig *rig)
{
    rig_pump(rig);
    while (rig_work(rig))
        continue;
}

struct post_call *rig_as(struct rig *rig, const struct id *user)
{
    rig_clear(rig);
    struct post_call *call = arena_alloc(&rig->arena, sizeof *call);
    *call = (struct post_call){
        .room = rig->room, .who = {.user = *user}, .arena = &rig->arena, .err = &rig->err};
    return call;
}

struct post rig_post(struct rig *rig, const struct id *user, const char *text, int visibility)
{
    struct post post = {0};
    struct post_create what = {.text = slice_str(text), .visibility = visibility};
    CHECK_OK(post_create(rig_as(rig, user), &what, &post), &rig->err);
    return post;
}

size_t rig_list_all(struct rig *rig, const struct id *user, rig_list_fn *list, int64_t limit,
                    struct id *ret_ids, size_t max)
{
    size_t count = 0;
    struct cursor next = {0};
    bool more = true;
    for (bool given = false; more && count < max; given = true) {
        struct post_page page = {0};
        struct buf text;
        struct page_query query = {.limit = limit};
        buf_init(&text, 200);
        if (given) {
            cursor_encode(&next, &text);
            query.cursor = buf_view(&text);
        }
        CHECK_OK(list(rig_as(rig, user), &query, &page), &rig->err);
        buf_done(&text);
        if ((int64_t)page.count > limit)
            test_fail(__FILE__, __LINE__, "a page of %zu for %lld", page.count, (long long)limit);
        for (size_t i = 0; i < page.count && count < max; i++)
            ret_ids[count++] = page.items[i].id;
        more = page.more;
        next = page.next;
    }
    return count;
}
