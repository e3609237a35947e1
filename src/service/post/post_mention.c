/* Who is behind the @usernames of a text, and who of them is told: somebody who may not see the
 * post is a mention all the same, and hears nothing of it. */
#include "service/post/post_room.h"

static bool may_see(const struct post_mentions *mentions, size_t i, int visibility)
{
    bool for_all = visibility == SOCIAL_PUBLIC && !mentions->author_is_private;
    return for_all || (visibility != SOCIAL_PRIVATE && mentions->follows[i]);
}

int post_resolve(struct post_call *call, struct slice text, struct post_mentions *ret_mentions)
{
    const struct post_room *room = call->room;
    struct slice names[POST_NAMES_MAX];
    struct id found[POST_NAMES_MAX], others[POST_NAMES_MAX + 1];
    struct social_relation relations[POST_NAMES_MAX + 1];
    size_t count = post_text_names(text, call->arena, names), known = 0;
    *ret_mentions = (struct post_mentions){0};
    if (count == 0)
        return 0;
    int rc = room->users->find_names(room->users->room, names, count, found, call->err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (!id_is_nil(&found[i]))
            others[known++] = found[i];
    others[known] = call->who.user; /* whether the author's own account is private */
    if (rc == 0)
        rc = room->social->relations(room->social->room, &call->who.user, others, known + 1,
                                     relations, call->err);
    for (size_t i = 0; rc == 0 && i < known && ret_mentions->count < POST_MENTIONS_MAX; i++) {
        if (social_blocked(&relations[i]))
            continue;
        ret_mentions->users[ret_mentions->count] = others[i];
        ret_mentions->follows[ret_mentions->count++] = relations[i].followed_by;
    }
    ret_mentions->author_is_private = relations[known].is_private;
    return rc;
}

bool post_mentions_list(const struct post_mentions *mentions, struct arena *arena,
                        struct schema_list *ret_list)
{
    struct id *items = arena_array(arena, POST_MENTIONS_MAX, sizeof *items);
    if (items == NULL)
        return false;
    memcpy(items, mentions->users, mentions->count * sizeof *items);
    *ret_list = (struct schema_list){items, mentions->count};
    return true;
}

static bool listed(const struct schema_list *list, const struct id *user)
{
    const struct id *items = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (id_eq(&items[i], user))
            return true;
    return false;
}

int post_tell_mentioned(const struct post_call *call, struct db_tx *tx, const struct post *post,
                        const struct post_mentions *mentions, const struct schema_list *told,
                        struct error *err)
{
    struct post_mentioned data = {.post_id = post->id,
                                  .by_user_id = post->user_id,
                                  .at = clock_wall_ms(call->room->kit->clock)};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < mentions->count; i++) {
        const struct id *user = &mentions->users[i];
        if (id_eq(user, &post->user_id) || (told != NULL && listed(told, user)) ||
            !may_see(mentions, i, post->visibility))
            continue;
        data.user_id = *user;
        rc = post_emit(call, tx, &post_mentioned_event, user, &data, err);
    }
    return rc;
}
