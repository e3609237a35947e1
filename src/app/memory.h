/* What the process asks of the C library's memory (glibc; elsewhere nothing happens). */
#ifndef PARLEY_APP_MEMORY_H
#define PARLEY_APP_MEMORY_H

#include "base/base.h"

/* Lets malloc ask the system for huge pages, where it offers them to those who ask, and keep more
 * freed pieces for the thread that freed them. glibc takes that only from the environment at start,
 * so this starts the program anew, with the same arguments and process id, and does not return
 * then. Whoever has set GLIBC_TUNABLES, to whatever, is obeyed. Before anything that would have to
 * be undone. */
void memory_tune(char **argv);

enum { MEMORY_LOOK_MS = 5000 };
struct memory_calm {
    int64_t cpu_ms; /* at the last look */
    bool quiet;     /* since then nothing has been going on */
};
/* To be called every MEMORY_LOOK_MS: when a busy time has ended, what it has left behind in the
 * heap goes back to the system. Takes milliseconds, during which other threads may wait for the
 * heap: so never while there is work. */
void memory_give_back_when_calm(struct memory_calm *calm);

#endif
