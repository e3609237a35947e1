/* The server's side of the control socket: HTTP over a socket file that only its owner may open. A
 * request is POST /<action>?a=<arg>&a=... with the input as its body; the answer is text, 200 or
 * 422. */
#include "app/control.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/control_path.h"
#include "app/options.h"
#include "net/http_server.h"

enum { INPUT_MAX = 4096, BACKLOG = 16 };

struct control {
    struct kit *kit;
    struct watch watch; /* the listening socket */
    struct http_server *http;
    struct sockaddr_un address;
    struct list calls; /* struct control_call, that run */
    bool draining;
};

static int say_stopping(struct error *err)
{
    error_init(err);
    return error_set(err, FAIL_UNAVAILABLE, "stopping", "The server is stopping.");
}

static int64_t admit(struct http_exchange *x)
{
    struct control *control = x->server_arg;
    if (control->draining)
        return say_stopping(&x->error);
    struct slice name = x->head.path;
    if (name.len > 0)
        name = slice_of(name.ptr + 1, name.len - 1);
    x->user = (void *)(uintptr_t)control_find(name);
    x->at_once = true; /* the operator's way in, also when clients have taken everything */
    if (x->user != NULL && x->head.method == HTTP_POST)
        return INPUT_MAX;
    return error_set(&x->error, FAIL_NOT_FOUND, "not_found", "There is no such action.");
}

static void refuse(struct http_exchange *x)
{
    struct buf text;
    buf_init(&text, OPTIONS_EXPLAIN_MAX);
    options_explain(&x->error, &text);
    http_reply(x, error_http_status(x->error.kind), SLICE("content-type: text/plain\r\n"),
               buf_view(&text));
    buf_done(&text);
}

static int take_args(struct http_exchange *x, struct control_call *call)
{
    struct slice rest = x->head.query;
    bool more = rest.ptr != NULL && rest.len > 0;
    while (more) {
        struct slice pair, text;
        more = slice_cut(&rest, '&', &pair);
        if (!slice_starts(pair, SLICE("a=")) || call->arg_count == CONTROL_ARGS_MAX)
            return error_set(&x->error, FAIL_BAD_REQUEST, "invalid_args",
                             "The arguments are wrong.");
        int rc =
            url_decode(slice_of(pair.ptr + 2, pair.len - 2), false, &x->arena, &text, &x->error);
        if (rc < 0)
            return rc;
        struct slice copy = arena_copy(&x->arena, text);
        if (copy.ptr == NULL)
            return error_set(&x->error, FAIL_TOO_LARGE, "too_large", "The arguments are too long.");
        call->args[call->arg_count++] = copy.ptr;
    }
    return 0;
}

static void serve(struct http_exchange *x)
{
    struct control *control = x->server_arg;
    const struct control_action *action = x->user;
    struct buf out;
    buf_init(&out, 64 << 10);
    struct control_call call = {.kit = control->kit, .input = x->body, .out = &out};
    int rc = take_args(x, &call);
    if (rc == 0 && (call.arg_count < action->args_min || call.arg_count > action->args_max))
        rc = error_set(&x->error, FAIL_BAD_REQUEST, "invalid_args", "The arguments are wrong.");
    list_add_tail(&control->calls, &call.link);
    if (rc == 0)
        rc = action->run(&call, &x->error);
    list_remove(&call.link);
    if (rc < 0 && atomic_load(&call.stop))
        rc = say_stopping(&x->error);
    if (rc < 0)
        refuse(x);
    else
        http_reply(x, 200, SLICE("content-type: text/plain\r\n"), buf_view(&out));
    buf_done(&out);
}

static void done(struct http_exchange *x)
{
    x->user = NULL;
}

static const struct http_server_ops control_ops = {admit, serve, refuse, done};

static void accept_all(struct watch *watch, unsigned events)
{
    (void)events;
    struct control *control = CONTAINER_OF(watch, struct control, watch);
    for (;;) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        http_server_accept(control->http, fd);
    }
}

static int listen_at(struct control *control, struct error *err)
{
    if (!control_address(control->kit->data_dir, &control->address))
        return error_set(err, FAIL_INVALID, "data_folder",
                         "The path of the data folder is too long for a socket file.");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_errno(err, errno, "control_socket", "The control socket cannot be made");
    /* The lock on the data folder is held: whatever socket file stands there is a dead server's. */
    unlink(control->address.sun_path);
    mode_t before = umask(0177);
    int rc = bind(fd, (struct sockaddr *)&control->address, sizeof control->address);
    umask(before);
    if (rc < 0 || listen(fd, BACKLOG) < 0) {
        rc = error_errno(err, errno, "control_socket", "The control socket cannot be opened");
        close(fd);
        return rc;
    }
    control->watch = (struct watch){.fd = fd, .ready = accept_all};
    return loop_watch(loop_current(), &control->watch, err);
}

int control_open(struct kit *kit, struct control **ret_control, struct error *err)
{
    struct control *control = xcalloc(1, sizeof *control);
    control->kit = kit;
    control->watch.fd = -1;
    list_init(&control->calls);
    struct http_server_config config = {.ops = &control_ops,
                                        .arg = control,
                                        .limits = http_limits_default,
                                        .head_timeout_ms = 5000,
                                        .body_timeout_ms = 5000,
                                        .idle_timeout_ms = 5000,
                                        .request_timeout_ms = 3600000};
    int rc = http_server_new(loop_current(), &config, &control->http, err);
    if (rc == 0)
        rc = listen_at(control, err);
    if (rc < 0) {
        free(control);
        return rc;
    }
    *ret_control = control;
    return 0;
}

bool control_drain(struct control *control)
{
    control->draining = true;
    return !list_empty(&control->calls);
}

void control_cancel(struct control *control)
{
    for (struct list *l = control->calls.next; l != &control->calls; l = l->next)
        atomic_store(&CONTAINER_OF(l, struct control_call, link)->stop, true);
}

void control_close(struct control *control)
{
    loop_unwatch(loop_current(), &control->watch);
    close(control->watch.fd);
    unlink(control->address.sun_path);
    http_server_free(control->http);
    free(control);
}
