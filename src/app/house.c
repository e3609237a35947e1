#include "app/house.h"

#include "app/rooms.h"

void house_take_down(struct engines *engines, struct kit *kit, bool rooms_started)
{
    if (engines->log != NULL) {
        event_log_close(engines->log);
        engines->log = NULL;
    }
    if (rooms_started)
        rooms_stop(kit);
    engines_close(engines);
}

int house_open(struct house *house, const struct config *config, const struct clock *clock,
               struct error *err)
{
    memset(&house->engines, 0, sizeof house->engines);
    house->rooms_started = false;
    house->engines.clock = clock;
    house->engines.as_recorded = true;
    house->engines.restoring = house->restoring;
    unsigned applied;
    int rc = engines_open_databases(&house->engines, config, ENGINES_APPLY, &applied, err);
    if (rc == 0)
        rc = engines_open_rest(&house->engines, config, err);
    if (rc == 0) {
        engines_fill(&house->engines, config, &house->kit);
        rc = rooms_start(&house->kit, err);
        house->rooms_started = rc == 0;
    }
    if (rc < 0)
        house_close(house);
    return rc;
}

void house_close(struct house *house)
{
    house_take_down(&house->engines, &house->kit, house->rooms_started);
}
