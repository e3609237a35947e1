#include "contract/story.h"

const char *const story_visibility_names[] = {"public", "followers", NULL};

static const struct schema_field story_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct story, id)},
    {"user_id", "The author.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct story, user_id)},
    {"text", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct story, text),
     .example = "\"Good morning from the harbour\""},
    {"media_id", NULL, SCHEMA_ID, SCHEMA_NULLABLE, SCHEMA_AT(struct story, media_id)},
    {"visibility", "Stories of a private account are for followers in any case.", SCHEMA_ENUM,
     SCHEMA_REQUIRED, SCHEMA_AT(struct story, visibility), .names = story_visibility_names},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct story, created_at)},
    {"expires_at", "From this millisecond on it does not exist.", SCHEMA_TIME, SCHEMA_REQUIRED,
     SCHEMA_AT(struct story, expires_at)},
    {"viewed", "Whether the asking person has seen it; one's own always are.", SCHEMA_BOOL,
     SCHEMA_REQUIRED, SCHEMA_AT(struct story, viewed)},
    {"viewer_count", "For the author only, else null.", SCHEMA_INT, SCHEMA_NULLABLE | SCHEMA_COUNT,
     SCHEMA_AT(struct story, viewer_count)},
};
SCHEMA_DEF(story_schema, struct story, "Story", "Something for a day.", story_fields);

static const struct schema_field viewed_fields[] = {
    {"story_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct story_viewed, story_id)},
    {"user_id", "Who has seen it.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct story_viewed, user_id)},
    {"viewed_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct story_viewed, viewed_at)},
};
SCHEMA_DEF(story_viewed_schema, struct story_viewed, "StoryViewed",
           "Somebody has seen a story for the first time.", viewed_fields);

const struct event_type story_posted_event = {
    .name = "story.posted",
    .client = true,
    .data = &story_schema,
    .doc = "Somebody whom you follow has posted a story; as for one who has not seen it.",
};
const struct event_type story_deleted_event = {
    .name = "story.deleted",
    .client = true,
    .data = &story_schema,
    .doc =
        "A story is gone before its time: without text and medium. One that expires is no event.",
};
const struct event_type story_viewed_event = {
    .name = "story.viewed",
    .client = true,
    .data = &story_viewed_schema,
    .doc = "A story was seen for the first time by somebody: told to its author and to the other "
           "sessions of who has seen it; not kept.",
};
