/* The fields of everything that goes over the wire: one table each decodes, validates and
 * documents. See base/schema.h. */
#include "service/calendar/calendar.h"

const char *const gathering_scope_names[] = {"all",       "mine",   "answered",
                                             "following", "public", NULL};
static const char *const answer_names[] = {"yes", "maybe", "no", NULL};

enum { TIME_CHARS_MAX = 40 };

#define AT(member) SCHEMA_AT(struct gathering_input, member)
#define TIME_DOC                                                                                   \
    "RFC 3339, or without an offset (2026-03-29T20:00:00): the local time in time_zone. "
/* The order is enum gathering_field's. */
#define GATHERING_FIELDS(required)                                                                 \
    {"title",                                                                                      \
     "1 to 200 characters.",                                                                       \
     SCHEMA_STRING,                                                                                \
     (required) | SCHEMA_NO_BLANK | SCHEMA_ONE_LINE | SCHEMA_CHARACTERS,                           \
     AT(title),                                                                                    \
     .min = 1,                                                                                     \
     .max = CALENDAR_TITLE_CHARS_MAX},                                                             \
        {"starts_at",           TIME_DOC "Years 1970 to 2200.",                                    \
         SCHEMA_STRING,         (required),                                                        \
         AT(starts_at),         .min = 1,                                                          \
         .max = TIME_CHARS_MAX, .example = "\"2026-06-01T20:00:00\""},                             \
        {"ends_at",                                                                                \
         TIME_DOC "At most 366 days later.",                                                       \
         SCHEMA_STRING,                                                                            \
         (required),                                                                               \
         AT(ends_at),                                                                              \
         .min = 1,                                                                                 \
         .max = TIME_CHARS_MAX,                                                                    \
         .example = "\"2026-06-01T22:00:00\""},                                                    \
        {"time_zone",   "IANA name, such as Europe/Berlin or UTC.",                                \
         SCHEMA_STRING, (required),                                                                \
         AT(time_zone), .min = 1,                                                                  \
         .max = 64,     .example = "\"Europe/Berlin\""},                                           \
        {"description",                                                                            \
         "At most 5,000 characters.",                                                              \
         SCHEMA_STRING,                                                                            \
         SCHEMA_NULLABLE | SCHEMA_CHARACTERS,                                                      \
         AT(description),                                                                          \
         .min = 0,                                                                                 \
         .max = CALENDAR_DESCRIPTION_CHARS_MAX},                                                   \
        {"place",                                                                                  \
         "One line, at most 500 characters.",                                                      \
         SCHEMA_STRING,                                                                            \
         SCHEMA_NULLABLE | SCHEMA_NO_BLANK | SCHEMA_ONE_LINE | SCHEMA_CHARACTERS,                  \
         AT(place),                                                                                \
         .min = 1,                                                                                 \
         .max = CALENDAR_PLACE_CHARS_MAX},                                                         \
        {"link",                                                                                   \
         "An https address.",                                                                      \
         SCHEMA_STRING,                                                                            \
         SCHEMA_NULLABLE | SCHEMA_ONE_LINE,                                                        \
         AT(link),                                                                                 \
         .min = 1,                                                                                 \
         .max = CALENDAR_LINK_BYTES_MAX,                                                           \
         .format = "uri"},                                                                         \
        {"capacity",                                                                               \
         "Places, 1 to 1,000,000; null: as many as come. Who says yes when all are taken waits.",  \
         SCHEMA_INT,                                                                               \
         SCHEMA_NULLABLE,                                                                          \
         AT(capacity),                                                                             \
         .min = 1,                                                                                 \
         .max = CALENDAR_CAPACITY_MAX},                                                            \
    {                                                                                              \
        "visibility", "private: for the host and those whom the host invites.", SCHEMA_ENUM, 0,    \
            AT(visibility), .names = social_visibility_names                                       \
    }
static const struct schema_field new_fields[] = {GATHERING_FIELDS(SCHEMA_REQUIRED)};
SCHEMA_DEF_PATCH(gathering_new_schema, struct gathering_input, "EventCreate", "A new event.",
                 new_fields);
static const struct schema_field patch_fields[] = {GATHERING_FIELDS(0)};
SCHEMA_DEF_PATCH(gathering_patch_schema, struct gathering_input, "EventPatch",
                 "What is to change; the rest stays.", patch_fields);
#undef AT

#define PAGE_FIELDS(type)                                                                          \
    {"limit",                                                                                      \
     "Items in a page.",                                                                           \
     SCHEMA_INT,                                                                                   \
     0,                                                                                            \
     SCHEMA_AT(type, page.limit),                                                                  \
     .min = 1,                                                                                     \
     .max = PAGE_LIMIT_MAX,                                                                        \
     .fallback = PAGE_LIMIT_DEFAULT},                                                              \
    {                                                                                              \
        "cursor", "The next_cursor of the page before.", SCHEMA_STRING, 0,                         \
            SCHEMA_AT(type, page.cursor), .min = 1, .max = 200                                     \
    }
static const struct schema_field query_fields[] = {
    PAGE_FIELDS(struct gathering_query),
    {"from", "Those that end later; without it, now.", SCHEMA_TIME, 0,
     SCHEMA_AT(struct gathering_query, from)},
    {"to", "Those that start earlier.", SCHEMA_TIME, 0, SCHEMA_AT(struct gathering_query, to)},
    {"scope", "Whose: mine, those I answered or was invited to, of people I follow, or public.",
     SCHEMA_ENUM, 0, SCHEMA_AT(struct gathering_query, scope), .names = gathering_scope_names},
    {"q", "Words, or beginnings of words, of title or place; among the 2,000 made last.",
     SCHEMA_STRING, SCHEMA_NO_BLANK | SCHEMA_CHARACTERS, SCHEMA_AT(struct gathering_query, q),
     .min = 1, .max = CALENDAR_SEARCH_CHARS_MAX},
};
SCHEMA_DEF(gathering_query_schema, struct gathering_query, "EventQuery", NULL, query_fields);

static const struct schema_field params_fields[] = {
    {"id", "The event.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct gathering_params, id)},
};
SCHEMA_DEF(gathering_params_schema, struct gathering_params, "EventPath", NULL, params_fields);
static const struct schema_field invite_fields[] = {
    {"id", "The event.", SCHEMA_ID, SCHEMA_REQUIRED, SCHEMA_AT(struct gathering_params, id)},
    {"user_id", "Who is invited.", SCHEMA_ID, SCHEMA_REQUIRED,
     SCHEMA_AT(struct gathering_params, user_id)},
};
SCHEMA_DEF(invite_params_schema, struct gathering_params, "EventInvitePath", NULL, invite_fields);

static const struct schema_field rsvp_fields[] = {
    {"status", NULL, SCHEMA_ENUM, SCHEMA_REQUIRED, SCHEMA_AT(struct rsvp_input, status),
     .names = answer_names},
};
SCHEMA_DEF(rsvp_input_schema, struct rsvp_input, "RsvpAnswer", "Whether I come.", rsvp_fields);
static const struct schema_field rsvp_query_fields[] = {
    PAGE_FIELDS(struct rsvp_query),
    [RSVP_QUERY_STATUS] = {"status", "Only these.", SCHEMA_ENUM, 0,
                           SCHEMA_AT(struct rsvp_query, status), .names = calendar_answer_names},
};
SCHEMA_DEF_PATCH(rsvp_query_schema, struct rsvp_query, "RsvpQuery", NULL, rsvp_query_fields);

static const struct schema_field link_params_fields[] = {
    {"file", "<token>.ics", SCHEMA_STRING, SCHEMA_REQUIRED, SCHEMA_AT(struct link_params, file),
     .min = 1, .max = 100},
};
SCHEMA_DEF(link_params_schema, struct link_params, "CalendarPath", NULL, link_params_fields);
static const struct schema_field link_fields[] = {
    {"url", "On this server; whoever has it can read the calendar. Shown once.", SCHEMA_STRING,
     SCHEMA_REQUIRED | SCHEMA_SECRET, SCHEMA_AT(struct calendar_link, url)},
    {"created_at", NULL, SCHEMA_TIME, SCHEMA_REQUIRED, SCHEMA_AT(struct calendar_link, created_at)},
};
SCHEMA_DEF(calendar_link_schema, struct calendar_link, "CalendarLink",
           "The secret address of one's calendar.", link_fields);
