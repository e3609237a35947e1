/* What the people who run the house see live: the topic "admin" (kit/topic.h) and its one event. */
#ifndef PARLEY_CONTRACT_ADMIN_H
#define PARLEY_CONTRACT_ADMIN_H

#include "base/schema.h"
#include "engine/event_log.h"

#define ADMIN_TOPIC "admin"

enum admin_area {
    ADMIN_SAGAS,
    ADMIN_DEAD_LETTERS,
    ADMIN_REPORTS,
    ADMIN_USERS,
    ADMIN_SIGNALS,
};
extern const char *const admin_area_names[]; /* "sagas" "dead_letters" "reports" ... NULL */

/* One of the lists of the admin page has changed: whoever looks at it reads it again. Ephemeral,
 * on topic_stream(ADMIN_TOPIC, NULL). */
struct admin_changed {
    int what; /* enum admin_area */
};
extern const struct schema admin_changed_schema;
extern const struct event_type admin_changed_event; /* "admin.changed", client event */

#endif
