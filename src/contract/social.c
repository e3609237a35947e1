#include "contract/social.h"

const char *const social_visibility_names[] = {"public", "followers", "private", NULL};
const char *const social_follow_status_names[] = {"none", "requested", "following", NULL};

static const struct schema_field follow_changed_fields[] = {
    {"user_id", "Who follows.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_follow_changed, user_id)},
    {"target_id", "Whom.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_follow_changed, target_id)},
    {"status", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct social_follow_changed, status),
     .names = social_follow_status_names},
};
SCHEMA_DEF(social_follow_changed_schema, struct social_follow_changed, "FollowChanged",
           "How a follow stands now.", follow_changed_fields);
const struct event_type social_follow_changed_event = {
    .name = "follow.changed",
    .client = true,
    .data = &social_follow_changed_schema,
    .doc = "Somebody follows, has asked to, or follows no longer.",
};

static const struct schema_field block_changed_fields[] = {
    {"user_id", "Who blocked.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_block_changed, user_id)},
    {"target_id", "Whom.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_block_changed, target_id)},
    {"blocked", NULL, SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_block_changed, blocked)},
};
SCHEMA_DEF(social_block_changed_schema, struct social_block_changed, "BlockChanged",
           "Whether a block stands.", block_changed_fields);
const struct event_type social_block_changed_event = {
    .name = "block.changed",
    .client = true,
    .data = &social_block_changed_schema,
    .doc = "A block was set or lifted; only the one who did it gets this.",
};
