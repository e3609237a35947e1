/* What a block between two people does in chats: nothing new passes between them in their direct
 * chat, and neither adds the other to a group. What was said stays to be read. The answer comes
 * from memory (contract/social.h), so that it is asked for every message.
 */
#include <stdio.h>

#include "service/chat/chat_room.h"

int chat_may_talk(struct chat_room *room, const struct id *user, const struct id *other,
                  struct error *err)
{
    if (LIKELY(!room->social->blocked(room->social->room, user, other)))
        return 0;
    return error_set(err, FAIL_FORBIDDEN, "blocked", "One of you has blocked the other.");
}

int chat_may_talk_in(struct chat_room *room, const struct chat_view *view, const struct id *user,
                     struct error *err)
{
    if (view->kind != CHAT_DIRECT || view->member_count != 2)
        return 0;
    bool first = id_eq(&view->members[0].user, user);
    return chat_may_talk(room, user, &view->members[first ? 1 : 0].user, err);
}

/* Somebody who has blocked the one who adds does not exist for them; whom they have blocked
 * themselves, they know of. */
static int refuse_member(struct chat_call *call, const char *field, size_t place,
                         const struct id *user)
{
    const struct social_calls *social = call->room->social;
    struct social_relation how;
    char name[64];
    int rc = social->relations(social->room, &call->user, user, 1, &how, call->err);
    if (rc < 0)
        return rc;
    snprintf(name, sizeof name, "%s[%zu]", field, place);
    return how.blocking ? error_field(call->err, name, "blocked", "you have blocked this person")
                        : error_field(call->err, name, "user_not_found", "there is no such user");
}

int chat_check_blocks(struct chat_call *call, const char *field, const struct schema_list *list)
{
    const struct social_calls *social = call->room->social;
    const struct id *ids = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (social->blocked(social->room, &call->user, &ids[i]))
            return refuse_member(call, field, i, &ids[i]);
    return 0;
}
