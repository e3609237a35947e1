/* What the room's routes take and give; for social_api.c. */
#ifndef PARLEY_SERVICE_SOCIAL_SCHEMA_H
#define PARLEY_SERVICE_SOCIAL_SCHEMA_H

#include "service/social/social.h"

struct social_params {
    struct id id;
};

extern const struct schema social_relationship_schema, social_report_new_schema,
    social_report_patch_schema, social_report_query_schema, social_params_schema,
    social_asker_params_schema, social_report_params_schema;

#endif
