/* The order of things. Start: engines, rooms, edge, loops, listeners; each step may refuse with a
 * sentence, and what stands already is taken down again. Stop (SIGTERM, SIGINT): readiness off,
 * sockets are told when and where to resume and leave at a pace, requests finish, consumers save
 * their place, the log is folded, all within drain.timeout.
 *
 * The main thread only starts, waits for a signal, gives memory back when things are calm, and
 * stops; all work is done on the loops.
 */
#include "app/serve.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/control.h"
#include "app/house.h"
#include "app/memory.h"
#include "app/pid_file.h"
#include "app/rooms.h"
#include "app/settings.h"
#include "base/log.h"
#include "gateway/admin.h"
#include "gateway/conformance.h"
#include "gateway/edge.h"
#include "gateway/operations.h"
#include "kit/activity.h"
#include "kit/consumer.h"
#include "kit/job.h"
#include "kit/outbox.h"
#include "realtime/realtime.h"

struct worker {
    struct server *server;
    struct loop *loop;
    pthread_t thread;
    struct http_server *http, *conformance;
    struct listener *listener, *conformance_listener;
    struct mail mail;
    struct error error;
    const char *address, *conformance_address;
    bool sockets_left; /* as of the last look_for_sockets */
};

struct server {
    const struct config *config;
    struct engines engines;
    struct kit kit;
    struct edge *edge;
    struct worker *workers;
    unsigned worker_count;
    struct jobs *jobs;
    struct control *control;
    sem_t done; /* posted by each step that a loop does for the main thread */
    char address[128], conformance_address[128];
    int64_t drain_ms;
    bool rooms_started, loops_running;
    bool commands_left; /* as of the last look_for_commands */
};

/* --- loops -------------------------------------------------------------------------------------
 */

static void *run_loop(void *arg)
{
    struct worker *w = arg;
    loop_run(w->loop);
    return NULL;
}

static unsigned count_loops(const struct config *config)
{
    int64_t wanted = config_int(config, "loops");
    cpu_set_t allowed; /* a container or taskset may give fewer than there are */
    int cores = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    if (wanted > 0)
        return (unsigned)wanted;
    return cores > 2 ? (unsigned)cores : 1; /* of two the database's writer has one */
}

/* A stack is two mappings, of which Linux gives a process 65,530 (vm.max_map_count): half of that
 * for all loops together. */
static size_t stacks_max(unsigned loops)
{
    enum { ALL_STACKS = 16384, MOST = 8192, LEAST = 256 };
    size_t share = ALL_STACKS / loops;
    return share > MOST ? MOST : share < LEAST ? LEAST : share;
}

static int make_loops(struct server *s, struct error *err)
{
    s->worker_count = count_loops(s->config);
    s->workers = xcalloc(s->worker_count, sizeof *s->workers);
    struct loop **loops = xcalloc(s->worker_count, sizeof(struct loop *));
    s->kit.loops = loops;
    s->kit.loop_count = s->worker_count;
    for (unsigned i = 0; i < s->worker_count; i++) {
        struct loop_config config = {.index = i, .stacks_max = stacks_max(s->worker_count)};
        int rc = loop_new(&config, &loops[i], err);
        if (rc < 0)
            return rc;
        s->workers[i] = (struct worker){.server = s, .loop = loops[i]};
    }
    return 0;
}

static int start_loops(struct server *s, struct error *err)
{
    for (unsigned i = 0; i < s->worker_count; i++) {
        int rc = pthread_create(&s->workers[i].thread, NULL, run_loop, &s->workers[i]);
        if (rc != 0)
            return error_errno(err, rc, "thread", "A loop's thread cannot be started");
        char name[16];
        snprintf(name, sizeof name, "loop-%u", i);
        pthread_setname_np(s->workers[i].thread, name);
    }
    s->loops_running = true;
    return 0;
}

/* Runs deliver on a worker's loop and waits for it. */
static void on_loop(struct worker *w, void (*deliver)(struct mail *))
{
    w->mail.deliver = deliver;
    loop_post(w->loop, &w->mail);
    while (sem_wait(&w->server->done) < 0)
        continue;
}

/* --- listening ---------------------------------------------------------------------------------
 */

static void accepted(void *arg, int fd)
{
    http_server_accept(arg, fd);
}

static int listen_conformance(struct worker *w)
{
    struct http_server_config config;
    edge_server_config(w->server->edge, &config);
    config.ops = &conformance_ops;
    int rc = http_server_new(w->loop, &config, &w->conformance, &w->error);
    if (rc == 0)
        rc = listener_open(w->loop, w->conformance_address, accepted, w->conformance,
                           &w->conformance_listener, &w->error);
    return rc;
}

static void start_listening(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    struct http_server_config config;
    error_init(&w->error);
    edge_server_config(w->server->edge, &config);
    int rc = http_server_new(w->loop, &config, &w->http, &w->error);
    if (rc == 0)
        rc = listener_open(w->loop, w->address, accepted, w->http, &w->listener, &w->error);
    if (rc == 0 && w->conformance_address[0] != 0)
        rc = listen_conformance(w);
    sem_post(&w->server->done);
}

/* Port 0 became a real one on the first loop; the others must take the same. */
static void fix_port(char *address, size_t size, uint16_t port)
{
    char *colon = strrchr(address, ':');
    if (colon != NULL)
        snprintf(colon + 1, size - (size_t)(colon + 1 - address), "%u", port);
}

static int listen_all(struct server *s, struct error *err)
{
    if (!copy_str(s->address, sizeof s->address, slice_str(config_string(s->config, "listen"))) ||
        !copy_str(s->conformance_address, sizeof s->conformance_address,
                  slice_str(config_string(s->config, "conformance.listen"))))
        return error_field(err, "listen", "too_long", "The address is too long.");
    int rc = listener_probe(s->address, err);
    if (rc == 0 && s->conformance_address[0] != 0)
        rc = listener_probe(s->conformance_address, err);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < s->worker_count; i++) {
        struct worker *w = &s->workers[i];
        w->address = s->address;
        w->conformance_address = s->conformance_address;
        on_loop(w, start_listening);
        if (w->error.kind != 0) {
            *err = w->error;
            return err->kind;
        }
        fix_port(s->address, sizeof s->address, listener_port(w->listener));
        if (w->conformance_listener != NULL)
            fix_port(s->conformance_address, sizeof s->conformance_address,
                     listener_port(w->conformance_listener));
    }
    return 0;
}

static void start_control(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    error_init(&w->error);
    if (control_open(&w->server->kit, &w->server->control, &w->error) < 0)
        w->server->control = NULL;
    sem_post(&w->server->done);
}

static void stop_control(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    control_close(w->server->control);
    w->server->control = NULL;
    sem_post(&w->server->done);
}

/* --- draining (R01) ----------------------------------------------------------------------------
 */

static void stop_listening(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    if (w->listener != NULL)
        listener_close(w->listener);
    if (w->conformance_listener != NULL)
        listener_close(w->conformance_listener);
    w->listener = w->conformance_listener = NULL;
    if (w->http != NULL)
        http_server_drain(w->http);
    if (w->conformance != NULL)
        http_server_drain(w->conformance);
    sem_post(&w->server->done);
}

static void drain_main(void *arg)
{
    struct server *s = arg;
    realtime_drain(s->kit.realtime, s->drain_ms / 2);
    sem_post(&s->done);
}

static void finish_main(void *arg)
{
    struct server *s = arg;
    jobs_stop(s->jobs);
    consumers_stop(s->kit.consumers);
    outboxes_stop(s->kit.outboxes); /* after whoever writes to them */
    sem_post(&s->done);
}

static void spawn_drain(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    if (coro_spawn(w->loop, drain_main, w->server, &w->error) < 0)
        sem_post(&w->server->done);
}

static void spawn_finish(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    if (coro_spawn(w->loop, finish_main, w->server, &w->error) < 0)
        sem_post(&w->server->done);
}

static size_t open_connections(const struct server *s)
{
    size_t count = 0;
    for (unsigned i = 0; i < s->worker_count; i++)
        if (s->workers[i].http != NULL)
            count += http_server_connections(s->workers[i].http);
    return count;
}

/* Sockets that opened meanwhile, or never signed in, are told here. */
static void look_for_sockets(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    struct http_server *servers[] = {w->http, w->conformance};
    w->sockets_left = false;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++)
        if (servers[i] != NULL && http_server_has_upgraded(servers[i])) {
            http_server_drain(servers[i]);
            w->sockets_left = true;
        }
    sem_post(&w->server->done);
}

static void cut_off_sockets(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    if (w->http != NULL)
        http_server_abort_upgraded(w->http);
    if (w->conformance != NULL)
        http_server_abort_upgraded(w->conformance);
    sem_post(&w->server->done);
}

static bool sockets_left(struct server *s)
{
    bool left = false;
    for (unsigned i = 0; i < s->worker_count; i++) {
        on_loop(&s->workers[i], look_for_sockets);
        left |= s->workers[i].sockets_left;
    }
    return left;
}

static void look_for_commands(struct mail *mail)
{
    struct server *s = CONTAINER_OF(mail, struct worker, mail)->server;
    s->commands_left = control_drain(s->control);
    sem_post(&s->done);
}

static void cancel_commands(struct mail *mail)
{
    struct server *s = CONTAINER_OF(mail, struct worker, mail)->server;
    control_cancel(s->control);
    sem_post(&s->done);
}

static bool commands_left(struct server *s)
{
    on_loop(&s->workers[0], look_for_commands);
    return s->commands_left;
}

/* A backup cleans up after itself. */
static void end_commands(struct server *s)
{
    enum { LOOK_MS = 10, LOOKS_MAX = 1000 };
    on_loop(&s->workers[0], cancel_commands);
    for (int i = 0; commands_left(s) && i < LOOKS_MAX; i++)
        usleep(LOOK_MS * 1000);
}

static bool anything_left(struct server *s)
{
    bool commands = commands_left(s), sockets = sockets_left(s); /* all are told, each time */
    return commands || sockets || open_connections(s) > 0;
}

static void drain(struct server *s)
{
    enum { LOOK_MS = 10 };
    int64_t until = clock_mono_ms(&clock_system) + s->drain_ms;
    atomic_store(&s->edge->draining, true);
    on_loop(&s->workers[0], spawn_drain);
    for (unsigned i = 0; i < s->worker_count; i++)
        on_loop(&s->workers[i], stop_listening);
    while (anything_left(s) && clock_mono_ms(&clock_system) < until)
        usleep(LOOK_MS * 1000);
    end_commands(s);
    /* At the end of this turn they let go of what they hold, while there are turns. */
    for (unsigned i = 0; i < s->worker_count; i++)
        on_loop(&s->workers[i], cut_off_sockets);
    on_loop(&s->workers[0], spawn_finish);
}

static void free_servers(struct mail *mail)
{
    struct worker *w = CONTAINER_OF(mail, struct worker, mail);
    if (w->http != NULL)
        http_server_free(w->http);
    if (w->conformance != NULL)
        http_server_free(w->conformance);
    w->http = w->conformance = NULL;
    sem_post(&w->server->done);
}

static void take_down(struct server *s)
{
    if (s->control != NULL)
        on_loop(&s->workers[0], stop_control);
    for (unsigned i = 0; s->loops_running && i < s->worker_count; i++)
        on_loop(&s->workers[i], free_servers);
    for (unsigned i = 0; s->loops_running && i < s->worker_count; i++) {
        loop_stop(s->workers[i].loop);
        pthread_join(s->workers[i].thread, NULL);
    }
    house_take_down(&s->engines, &s->kit, s->rooms_started);
    activity_free(s->kit.activity);
    outboxes_free(s->kit.outboxes);
    if (s->edge != NULL)
        edge_free(s->edge);
    for (unsigned i = 0; i < s->worker_count; i++)
        if (s->workers[i].loop != NULL)
            loop_free(s->workers[i].loop);
    free((void *)s->kit.loops);
    free(s->workers);
}

/* --- start -------------------------------------------------------------------------------------
 */

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int start_engines(struct server *s, struct error *err)
{
    unsigned applied = 0;
    enum engines_migrate migrate =
        config_bool(s->config, "db.migrate") ? ENGINES_APPLY : ENGINES_CHECK;
    int rc = engines_open_databases(&s->engines, s->config, migrate, &applied, err);
    if (rc == 0)
        rc = engines_open_rest(&s->engines, s->config, err);
    if (rc == 0 && applied > 0)
        log_info("migrations applied", LOG_I("count", applied));
    if (rc == 0 && db_version_warning() != NULL)
        log_warn(db_version_warning());
    return rc;
}

static int start_all(struct server *s, struct error *err)
{
    int rc = make_loops(s, err);
    if (rc < 0)
        return rc;
    engines_fill(&s->engines, s->config, &s->kit);
    s->kit.activity = activity_new(s->engines.clock, s->worker_count);
    rc = rooms_start(&s->kit, err);
    s->rooms_started = rc == 0;
    if (rc == 0)
        rc = edge_new(&s->kit, &s->edge, err);
    if (rc < 0)
        return rc;
    operations_go(&s->kit, s->edge, PARLEY_VERSION);
    admin_go(&s->kit, PARLEY_VERSION, s->address);
    realtime_go(s->kit.realtime);
    rc = outboxes_open(&s->kit, &s->kit.outboxes, err);
    if (rc == 0)
        rc = outboxes_start(s->kit.outboxes, err);
    if (rc == 0)
        rc = consumers_start(&s->kit, &s->kit.consumers, err);
    if (rc == 0)
        s->jobs = jobs_start(&s->kit);
    if (rc == 0)
        rc = start_loops(s, err);
    if (rc == 0)
        rc = listen_all(s, err);
    if (rc == 0) {
        on_loop(&s->workers[0], start_control);
        if (s->control == NULL) {
            *err = s->workers[0].error;
            rc = err->kind;
        }
    }
    return rc;
}

static void say_ready(const struct server *s)
{
    printf("Parley %s is ready at http://%s (data in %s)\n", PARLEY_VERSION, s->address,
           s->engines.data_dir);
    fflush(stdout);
    log_info("ready", LOG_S("address", s->address), LOG_S("data", s->engines.data_dir),
             LOG_I("loops", s->worker_count));
    if (s->conformance_address[0] != 0)
        log_info("conformance listener", LOG_S("address", s->conformance_address));
}

static int wait_for_signal(const sigset_t *signals)
{
    struct memory_calm calm = {0};
    const struct timespec look = {.tv_sec = MEMORY_LOOK_MS / 1000};
    int signal_number;
    while ((signal_number = sigtimedwait(signals, NULL, &look)) < 0)
        if (errno == EAGAIN)
            memory_give_back_when_calm(&calm);
    return signal_number;
}

static int run(struct server *s, const struct options *options, const sigset_t *signals)
{
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    struct error err;
    error_init(&err);
    int rc = start_engines(s, &err);
    if (rc == 0) /* not before the data folder is ours: it may be a running server's */
        rc = pid_file_write(options->pid_file, &err);
    if (rc == 0)
        rc = start_all(s, &err);
    if (rc == 0) {
        say_ready(s);
        int signal_number = wait_for_signal(signals);
        log_info("stopping", LOG_I("signal", signal_number));
        drain(s);
    }
    take_down(s);
    pid_file_remove(options->pid_file);
    return rc < 0 ? options_complain("cannot start", &err) : 0;
}

int serve_command(const struct options *options)
{
    struct error err;
    error_init(&err);
    struct config *config;
    if (options->arg_count > 0) {
        fprintf(stderr, "parley: serve takes flags only, not \"%s\"; see parley serve --help\n",
                options->args[0]);
        return 2;
    }
    if (options_config(options, &config, &err) < 0)
        return options_complain("configuration", &err);
    if (settings_check(config, &err) < 0) {
        config_free(config);
        return options_complain("configuration", &err);
    }
    /* Before any other thread begins, so that all of them leave these signals to this one. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (log_start((enum log_level)config_enum(config, "log.level"), STDERR_FILENO) < 0) {
        fprintf(stderr, "parley: the log's thread cannot be started\n");
        return 1;
    }
    struct server s = {.config = config,
                       .engines.clock = &clock_system,
                       .drain_ms = config_int(config, "drain.timeout")};
    sem_init(&s.done, 0, 0);
    int code = run(&s, options, &signals);
    log_info("stopped", LOG_I("code", code));
    log_stop();
    config_free(config);
    return code;
}
