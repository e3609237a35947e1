/* See options.h. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: parley-bench SCENARIO --server ADDRESS:PORT [options] [-- COMMAND...]\n"
    "scenarios: http mix ws-echo fanout direct idle start (bench/README.md says what each "
    "measures)\n"
    "  --pid LIST          processes of the server, for CPU and memory\n"
    "  --path PATH         what http asks for, or the WebSocket's address\n"
    "  --token me          http: sign in and send the token; else the token itself\n"
    "  --requests FILE     mix: METHOD, path, token, body in each line, separated by tabs\n"
    "  --label TEXT        copied into the result\n"
    "  --connections N     sockets (64)          --in-flight N   unanswered requests each (1)\n"
    "  --senders N         direct: senders       --chats N       direct: chats; idle: chats each\n"
    "  --members N         fanout: receivers     --burst N       fanout: messages at a time (1)\n"
    "  --bytes N           length of the text, or of a raw frame (200)\n"
    "  --rate N            direct, mix: operations a second (0: as fast as answers come)\n"
    "  --messages N        stop after so many instead of after --seconds\n"
    "  --seconds S (5)     --warm-up S (1)       --cpu N         run on this CPU\n"
    "  --raw               the server is a raw peer: no accounts\n";

static unsigned number(const char *name, const char *text)
{
    uint64_t value;
    if (!piece_number((struct piece){text, strlen(text)}, &value) || value > 100000000)
        die("--%s wants a number, not \"%s\"", name, text);
    return (unsigned)value;
}

static double seconds(const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (*end || end == text || value < 0 || value > 86400)
        die("--%s wants seconds, not \"%s\"", name, text);
    return value;
}

void options_parse(struct options *o, int argc, char **argv)
{
    enum {
        SERVER,
        PID,
        PATH,
        TOKEN,
        REQUESTS,
        LABEL,
        CONNECTIONS,
        IN_FLIGHT,
        SENDERS,
        CHATS,
        MEMBERS,
        BURST,
        BYTES,
        RATE,
        MESSAGES,
        SECONDS,
        WARM_UP,
        CPU,
        RAW
    };
    static const struct option table[] = {{"server", 1, 0, SERVER},
                                          {"pid", 1, 0, PID},
                                          {"path", 1, 0, PATH},
                                          {"token", 1, 0, TOKEN},
                                          {"requests", 1, 0, REQUESTS},
                                          {"label", 1, 0, LABEL},
                                          {"connections", 1, 0, CONNECTIONS},
                                          {"in-flight", 1, 0, IN_FLIGHT},
                                          {"senders", 1, 0, SENDERS},
                                          {"chats", 1, 0, CHATS},
                                          {"members", 1, 0, MEMBERS},
                                          {"burst", 1, 0, BURST},
                                          {"bytes", 1, 0, BYTES},
                                          {"rate", 1, 0, RATE},
                                          {"messages", 1, 0, MESSAGES},
                                          {"seconds", 1, 0, SECONDS},
                                          {"warm-up", 1, 0, WARM_UP},
                                          {"cpu", 1, 0, CPU},
                                          {"raw", 0, 0, RAW},
                                          {0}};
    *o = (struct options){.label = "",
                          .path = NULL,
                          .connections = 64,
                          .in_flight = 1,
                          .senders = 1000,
                          .chats = 500,
                          .members = 1000,
                          .burst = 1,
                          .bytes = 200,
                          .seconds = 5,
                          .warm_up = 1,
                          .cpu = -1};
    if (argc < 2 || argv[1][0] == '-') {
        fputs(usage, stderr);
        exit(2);
    }
    o->scenario = argv[1];
    optind = 2;
    for (int c, at = 0; (c = getopt_long(argc, argv, "+", table, &at)) != -1;) {
        const char *name = c == '?' ? "" : table[at].name;
        switch (c) {
        case SERVER: o->server = optarg; break;
        case PID: proc_parse(&o->pids, optarg); break;
        case PATH: o->path = optarg; break;
        case TOKEN: o->token = optarg; break;
        case REQUESTS: o->requests = optarg; break;
        case LABEL: o->label = optarg; break;
        case CONNECTIONS: o->connections = number(name, optarg); break;
        case IN_FLIGHT: o->in_flight = number(name, optarg); break;
        case SENDERS: o->senders = number(name, optarg); break;
        case CHATS: o->chats = number(name, optarg); break;
        case MEMBERS: o->members = number(name, optarg); break;
        case BURST: o->burst = number(name, optarg); break;
        case BYTES: o->bytes = number(name, optarg); break;
        case RATE: o->rate = number(name, optarg); break;
        case MESSAGES: o->messages = number(name, optarg); break;
        case SECONDS: o->seconds = seconds(name, optarg); break;
        case WARM_UP: o->warm_up = seconds(name, optarg); break;
        case CPU: o->cpu = (int)number(name, optarg); break;
        case RAW: o->raw = true; break;
        default: fputs(usage, stderr); exit(2);
        }
    }
    o->command = argv + optind;
    if (!o->server && !*o->command)
        die("--server is missing");
    if (o->connections == 0 || o->in_flight == 0 || o->burst == 0)
        die("--connections, --in-flight and --burst start at 1");
}

void measure_start(struct measure *m, const struct options *o)
{
    m->started_ns = now_ns();
    m->server_cpu_ns = proc_cpu_ns(&o->pids);
    m->own_cpu_ns = proc_own_cpu_ns();
}

void measure_stop(const struct measure *m, const struct options *o, uint64_t operations,
                  struct text *line)
{
    double wall = (double)(now_ns() - m->started_ns) / 1e9;
    double server = (double)(proc_cpu_ns(&o->pids) - m->server_cpu_ns) / 1e3;
    double own = (double)(proc_own_cpu_ns() - m->own_cpu_ns) / 1e3;
    double count = operations ? (double)operations : 1;
    text_printf(line,
                "{\"scenario\":\"%s\",\"label\":\"%s\",\"seconds\":%.3f,\"operations\":%llu,"
                "\"rate\":%.0f,\"server_cpu_us\":%.3f,\"client_cpu_us\":%.3f,"
                "\"server_cpu_share\":%.3f",
                o->scenario, o->label, wall, (unsigned long long)operations, count / wall,
                server / count, own / count, server / 1e6 / wall);
}

void report_hist(struct text *line, const char *name, const struct hist *h)
{
    text_printf(line,
                ",\"%s\":{\"count\":%llu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
                "\"p999_us\":%.1f,\"max_us\":%.1f}",
                name, (unsigned long long)h->count, (double)hist_at(h, .5) / 1e3,
                (double)hist_at(h, .9) / 1e3, (double)hist_at(h, .99) / 1e3,
                (double)hist_at(h, .999) / 1e3, (double)h->max / 1e3);
}

void report_end(struct text *line)
{
    text_add(line, "}\n", 2);
    fwrite(line->data, 1, line->len, stdout);
    fflush(stdout);
    text_free(line);
}
