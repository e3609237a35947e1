/* bench-io [switch|mail|echo|idle|fanout1k|fanout10k|burst]: all of them without an argument. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "measure.h"

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (*only == 0 || strcmp(only, "switch") == 0)
        measure_coroutines();
    if (*only == 0 || strcmp(only, "mail") == 0)
        measure_mail();
    if (*only == 0 || strcmp(only, "echo") == 0)
        measure_echo();
    if (*only == 0 || strcmp(only, "idle") == 0)
        measure_idle(10000);
    if (*only == 0 || strcmp(only, "fanout1k") == 0)
        measure_fanout(1000, 1);
    if (*only == 0 || strcmp(only, "burst") == 0)
        measure_fanout(1000, 8);
    if (*only == 0 || strcmp(only, "fanout10k") == 0)
        measure_fanout(10000, 1);
    return 0;
}
