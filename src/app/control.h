/* What an operator does to a data folder: accounts, keys, backups. One table of actions serves the
 * command line in both cases: while the server of that folder runs, through its control socket
 * (<data>/control.sock, owner only); else straight on the engines, which the command then opens
 * itself. */
#ifndef PARLEY_APP_CONTROL_H
#define PARLEY_APP_CONTROL_H

#include "kit/kit.h"

enum { CONTROL_ARGS_MAX = 4 };

struct control_call {
    struct kit *kit;
    const char *args[CONTROL_ARGS_MAX + 1]; /* NULL-terminated */
    unsigned arg_count;
    struct slice input; /* standard input of the command, e.g. a password */
    struct buf *out;    /* text for the operator */
    _Atomic bool stop;  /* what takes long ends soon: the server does. Any thread reads it */
    struct list link;   /* the control socket's */
};
struct control_action {
    const char *name; /* "user-create" */
    unsigned args_min, args_max;
    bool reads_input;
    bool makes_folder; /* without a server, begins a data folder where there is none */
    int (*run)(struct control_call *call, struct error *err); /* may wait */
};
const struct control_action *control_find(struct slice name);

/* The server's side: listens on the socket; on the first loop. */
struct control;
int control_open(struct kit *kit, struct control **ret_control, struct error *err) MUSTCHECK;
/* The server stops: new actions are refused. True while some are still running. */
bool control_drain(struct control *control);
/* Asks those to end. */
void control_cancel(struct control *control);
void control_close(struct control *control);

/* The command's side. 1: the server answered, *ret_failed says how and out has its text; 0: no
 * server runs there; negative: it runs but does not answer. */
int control_send(const char *data_dir, const char *action, const char *const *args,
                 struct slice input, struct buf *out, bool *ret_failed,
                 struct error *err) MUSTCHECK;

#endif
