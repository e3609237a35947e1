/* parley-bench: a load generator for Parley and for the raw peers it is compared with.
 *
 * One thread, epoll, no code in common with the server. It says what it costs itself: when its own
 * CPU share comes near one core, the rate it reports is its own limit, not the server's.
 */
#include "scenario.h"

#include <string.h>

static const struct {
    const char *name;
    int (*run)(const struct options *o);
} scenarios[] = {
    {"http", scenario_http},     {"mix", scenario_mix},       {"ws-echo", scenario_ws_echo},
    {"fanout", scenario_fanout}, {"direct", scenario_direct}, {"idle", scenario_idle},
    {"start", scenario_start},
};

int main(int argc, char **argv)
{
    struct options options;
    options_parse(&options, argc, argv);
    proc_pin(options.cpu);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(options.scenario, scenarios[i].name) == 0)
            return scenarios[i].run(&options);
    }
    die("no scenario \"%s\"", options.scenario);
}
