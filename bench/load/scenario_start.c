/* Starts the command after `--`, measures the time from exec to the first line on its standard
 * output (the ready line), its memory after `warm-up` seconds of idleness, and the time from
 * SIGTERM to its end. */
#include "scenario.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t launch(char **command, int *ret_output)
{
    int ends[2];
    if (pipe(ends) != 0)
        die("no pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        die("cannot fork: %s", strerror(errno));
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(command[0], command);
        die("cannot run %s: %s", command[0], strerror(errno));
    }
    close(ends[1]);
    *ret_output = ends[0];
    return pid;
}

static void wait_for_line(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char byte = 0;
    while (byte != '\n') {
        if (poll(&ready, 1, 60000) <= 0)
            die("no ready line within 60 s");
        if (read(fd, &byte, 1) != 1)
            die("the server ended before its ready line");
    }
}

int scenario_start(const struct options *o)
{
    struct text line = {0};
    int output, status;
    uint64_t start = now_ns();
    pid_t pid = launch(o->command, &output);
    wait_for_line(output);
    double ready_ms = (double)(now_ns() - start) / 1e6;
    struct proc_set set = {.pids = {pid}, .count = 1};
    uint64_t cpu = proc_cpu_ns(&set);
    usleep((useconds_t)(o->warm_up * 1e6));
    struct proc_memory memory = proc_memory(&set);
    uint64_t idle_cpu = proc_cpu_ns(&set) - cpu;
    start = now_ns();
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    text_printf(&line,
                "{\"scenario\":\"start\",\"label\":\"%s\",\"ready_ms\":%.1f,\"rss_bytes\":%llu,"
                "\"pss_bytes\":%llu,\"idle_cpu_share\":%.4f,\"stop_ms\":%.1f,\"exit\":%d",
                o->label, ready_ms, (unsigned long long)memory.rss_bytes,
                (unsigned long long)memory.pss_bytes,
                o->warm_up > 0 ? (double)idle_cpu / 1e9 / o->warm_up : 0,
                (double)(now_ns() - start) / 1e6, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    report_end(&line);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
