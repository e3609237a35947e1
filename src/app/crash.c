#include "app/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 64 };

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void report(int signal_number)
{
    void *frames[FRAMES];
    say("parley: crashed (");
    say(signal_number == SIGABRT ? "abort" : signal_number == SIGFPE ? "arithmetic" : "illegal");
    say("); backtrace:\n");
    int count = backtrace(frames, FRAMES);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* SIGSEGV and SIGBUS belong to the coroutines' guard page handler, which aborts with a sentence of
 * its own and so ends here too. */
void crash_report_install(void)
{
    static const int signals[] = {SIGABRT, SIGFPE, SIGILL};
    void *warm[1];
    backtrace(warm, 1); /* loads the unwinder now, not in a handler */
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = report;
        action.sa_flags = (int)(SA_RESETHAND | SA_ONSTACK);
        sigaction(signals[i], &action, NULL);
    }
}
