/* The fields of the room's resources and requests. */
#include "service/social/social_room.h"

#include "service/social/social_schema.h"

static const struct schema_field relationship_fields[] = {
    {"user_id", "The other person.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_relationship, user_id)},
    {"following", "You follow them.", SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_relationship, relation.following)},
    {"follow_requested", "You have asked to, and they have not answered.", SCHEMA_BOOL,
     SCHEMA_REQUIRED, SCHEMA_AT(struct social_relationship, relation.requested)},
    {"followed_by", "They follow you.", SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_relationship, relation.followed_by)},
    {"blocking", "You have blocked them.", SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_relationship, relation.blocking)},
    {"muting", "You do not want to see what they publish in your lists.", SCHEMA_BOOL,
     SCHEMA_REQUIRED, SCHEMA_AT(struct social_relationship, relation.muting)},
    {"is_private", "They choose who follows them.", SCHEMA_BOOL, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_relationship, relation.is_private)},
    {"follower_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_relationship, follower_count)},
    {"following_count", NULL, SCHEMA_INT, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_relationship, following_count)},
};
SCHEMA_DEF(social_relationship_schema, struct social_relationship, "Relationship",
           "How you and another person stand to each other.", relationship_fields);

static const struct schema_field report_fields[] = {
    {"id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct social_report, id)},
    {"reporter_id", "Null: has deleted their account.", SCHEMA_ID, SCHEMA_NULLABLE,
     SCHEMA_AT(struct social_report, reporter_id)},
    {"subject_kind", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_report, subject_kind), .names = social_subject_names},
    {"subject_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct social_report, subject_id)},
    {"reason", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct social_report, reason),
     .names = social_reason_names},
    {"text", NULL, SCHEMA_STRING, SCHEMA_NULLABLE, SCHEMA_AT(struct social_report, text)},
    {"status", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct social_report, status),
     .names = social_report_status_names},
    {"note", "What a moderator wrote.", SCHEMA_STRING, SCHEMA_NULLABLE,
     SCHEMA_AT(struct social_report, note)},
    {"handled_by", NULL, SCHEMA_ID, SCHEMA_NULLABLE, SCHEMA_AT(struct social_report, handled_by)},
    {"handled_at", NULL, SCHEMA_TIME, SCHEMA_NULLABLE, SCHEMA_AT(struct social_report, handled_at)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct social_report, created_at)},
};
SCHEMA_DEF(social_report_schema, struct social_report, "Report", "What somebody says is wrong.",
           report_fields);

static const struct schema_field new_fields[] = {
    {"subject_kind", "What it is about.", SCHEMA_ENUM, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_report_new, subject_kind), .names = social_subject_names},
    {"subject_id", NULL, SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct social_report_new, subject_id)},
    {"reason", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct social_report_new, reason),
     .names = social_reason_names},
    {"text", "In one's own words; at most 1000 characters.", SCHEMA_STRING,
     SCHEMA_NULLABLE | SCHEMA_CHARACTERS | SCHEMA_NO_BLANK,
     SCHEMA_AT(struct social_report_new, text), .min = 1, .max = SOCIAL_REPORT_CHARS_MAX},
};
SCHEMA_DEF(social_report_new_schema, struct social_report_new, "ReportNew",
           "What is wrong, and with what.", new_fields);

static const struct schema_field patch_fields[] = {
    [SOCIAL_REPORT_PATCH_STATUS] = {"status", "Open again takes back who handled it.", SCHEMA_ENUM,
                                    SCHEMA_REQUIRED, SCHEMA_AT(struct social_report_patch, status),
                                    .names = social_report_status_names},
    [SOCIAL_REPORT_PATCH_NOTE] = {"note", "At most 1000 characters; null removes it.",
                                  SCHEMA_STRING, SCHEMA_NULLABLE | SCHEMA_CHARACTERS,
                                  SCHEMA_AT(struct social_report_patch, note), .min = 1,
                                  .max = SOCIAL_REPORT_CHARS_MAX},
};
SCHEMA_DEF_PATCH(social_report_patch_schema, struct social_report_patch, "ReportPatch",
                 "What became of it.", patch_fields);

static const struct schema_field query_fields[] = {
    {"limit", "Items in a page.", SCHEMA_INT, SCHEMA_AT(struct social_report_query, page.limit),
     .min = 1, .max = PAGE_LIMIT_MAX, .fallback = PAGE_LIMIT_DEFAULT},
    {"cursor", "The next_cursor of the page before.", SCHEMA_STRING,
     SCHEMA_AT(struct social_report_query, page.cursor), .min = 1, .max = 200},
    [SOCIAL_REPORT_QUERY_STATUS] = {"status", "Only those.", SCHEMA_ENUM,
                                    SCHEMA_AT(struct social_report_query, status),
                                    .names = social_report_status_names},
};
SCHEMA_DEF_PATCH(social_report_query_schema, struct social_report_query, "ReportQuery",
                 "Which reports.", query_fields);

static const struct schema_field user_params_fields[] = {
    {"id", "The other person.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct social_params, id)},
};
SCHEMA_DEF(social_params_schema, struct social_params, "SocialParams", NULL, user_params_fields);

static const struct schema_field asker_params_fields[] = {
    {"user_id", "Who has asked.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct social_params, id)},
};
SCHEMA_DEF(social_asker_params_schema, struct social_params, "AskerParams", NULL,
           asker_params_fields);

static const struct schema_field report_params_fields[] = {
    {"id", "The report.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct social_params, id)},
};
SCHEMA_DEF(social_report_params_schema, struct social_params, "ReportParams", NULL,
           report_params_fields);
