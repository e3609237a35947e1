/* Events out: where each goes, and what it carries. */
#include "service/post/post_room.h"

const struct event_type *const post_event_types[] = {&post_created_event,
                                                     &post_updated_event,
                                                     &post_deleted_event,
                                                     &post_changed_event,
                                                     &post_comment_created_event,
                                                     &post_comment_updated_event,
                                                     &post_comment_deleted_event,
                                                     &post_liked_event,
                                                     &post_commented_event,
                                                     &post_mentioned_event,
                                                     NULL};

int post_emit(const struct post_call *call, struct db_tx *tx, const struct event_type *type,
              const struct id *stream, const void *data, struct error *err)
{
    struct emit event = {
        .type = type, .stream = stream, .data = data, .correlation_id = call->correlation_id};
    return kit_emit(call->room->kit, tx, &event, NULL, err);
}

static struct id readers_of(const struct id *author, int visibility)
{
    return visibility == SOCIAL_PRIVATE ? *author : topic_stream(SOCIAL_AUTHOR_TOPIC, author);
}

int post_emit_post(const struct post_call *call, struct db_tx *tx, const struct event_type *type,
                   const struct post *post, struct error *err)
{
    struct post anybody = *post;
    struct id stream = readers_of(&post->user_id, post->visibility);
    anybody.liked = anybody.bookmarked = false;
    return post_emit(call, tx, type, &stream, &anybody, err);
}

int post_emit_deleted(const struct post_call *call, struct db_tx *tx, const struct id *post,
                      const struct id *author, int visibility, struct error *err)
{
    struct post_deleted gone = {.id = *post, .user_id = *author};
    struct id stream = readers_of(author, visibility);
    return post_emit(call, tx, &post_deleted_event, &stream, &gone, err);
}

void post_tell_comment(struct post_room *room, const struct event_type *type,
                       const struct post_comment *comment)
{
    struct id stream = topic_stream(POST_TOPIC, &comment->post_id);
    kit_emit_ephemeral_by(room->kit, &comment->user_id, type, &stream, comment);
}
