/* Opening the room: configuration, metrics, whom it asks. */
#include "service/story/story_room.h"

#include <stdlib.h>

#include "base/metric.h"

const struct config_key story_config[] = {
    {"story.per_day", CONFIG_INT, "10", 1, STORY_PER_DAY_MAX,
     .doc = "Stories that a person may post in 24 hours (T05)."},
    {"story.cache_ttl", CONFIG_DURATION, "5m", 1000, 3600000,
     .doc = "How long a person's active stories are kept in the cache; a change is seen at once "
            "(T03)."},
    {"story.clean_every", CONFIG_DURATION, "15m", 1000, 86400000,
     .doc = "How often expired stories are removed (T02); readers look at the clock."},
    {0},
};

static struct metric *counter(const char *name, const char *help, const char *labels)
{
    return metric_register(METRIC_COUNTER, name, help, labels);
}

static void register_metrics(struct story_room *room)
{
    static const char cleaned[] = "parley_story_cleaned_total";
    static const char cleaned_help[] = "Rows of expired stories removed, by what they were.";
    room->posted = counter("parley_stories_posted_total", "Stories posted (T06).", NULL);
    room->deleted =
        counter("parley_stories_deleted_total", "Stories deleted before their time.", NULL);
    room->viewed = counter("parley_story_views_total", "First views of a story by a person.", NULL);
    room->refused = counter("parley_stories_refused_total", "Stories over the day's limit.", NULL);
    room->cleaned_stories = counter(cleaned, cleaned_help, "kind=\"story\"");
    room->cleaned_views = counter(cleaned, cleaned_help, "kind=\"view\"");
    room->clean_failures = counter("parley_story_cleanup_failures_total",
                                   "Runs of the clean-up that failed; alert when it grows.", NULL);
}

int story_start(struct kit *kit, void **ret_room, struct error *err)
{
    struct story_room *room = xcalloc(1, sizeof *room);
    (void)err;
    room->kit = kit;
    room->db = kit_db(kit, "story");
    room->social = kit_calls(kit, "social");
    room->users = kit_calls(kit, "user");
    room->active = cache_new(kit, "stories", config_int(kit->config, "story.cache_ttl"));
    room->per_day = config_int(kit->config, "story.per_day");
    register_metrics(room);
    *ret_room = room;
    return 0;
}

void story_stop(void *arg)
{
    struct story_room *room = arg;
    cache_free(room->active);
    free(room);
}
