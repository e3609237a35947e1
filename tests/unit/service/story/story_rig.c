#include "story_rig.h"

#include "service/user/user.h"

void rig_open(struct rig *rig, const char *const *settings)
{
    static const struct module *const modules[] = {&social_module, &user_module, &story_module,
                                                   NULL};
    rig_open_modules(rig, modules, settings, 0);
}

struct story_room *rig_room(struct rig *rig)
{
    return rig->room;
}

void rig_follow(struct rig *rig, const struct id *who, const struct id *whom)
{
    CHECK_OK(rig_relate(rig, social_follow, who, whom), &rig->err);
}

struct story_call *rig_as(struct rig *rig, const struct id *user)
{
    rig_clear(rig);
    struct story_call *call = arena_alloc(&rig->arena, sizeof *call);
    *call = (struct story_call){
        .room = rig->room, .user = *user, .arena = &rig->arena, .err = &rig->err};
    return call;
}

struct story rig_post(struct rig *rig, const struct id *user, const char *text)
{
    struct story_new what = {.text = slice_str(text)};
    struct story story = {0};
    CHECK_OK(story_post(rig_as(rig, user), &what, &story), &rig->err);
    return story;
}

size_t rig_bar(struct rig *rig, const struct id *viewer)
{
    struct page_query query = {.limit = PAGE_LIMIT_MAX};
    struct story_page page = {0};
    CHECK_OK(story_bar(rig_as(rig, viewer), &query, &page), &rig->err);
    return page.count;
}

size_t rig_list(struct rig *rig, const struct id *viewer, const struct id *author)
{
    struct page_query query = {.limit = PAGE_LIMIT_MAX};
    struct story_page page = {0};
    CHECK_OK(story_list(rig_as(rig, viewer), author, &query, &page), &rig->err);
    return page.count;
}
