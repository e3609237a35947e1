/* Fault points: the list's grammar, and what each action does at which pass. */
#include "base/fault.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

TEST(without_a_list_nothing_fails)
{
    CHECK(!fault_any && !fault("db.commit"));
}

TEST(an_error_fires_at_its_pass_only)
{
    CHECK(fault_set("a=error@3, b=error"));
    CHECK(fault_any);
    CHECK(!fault("a") && !fault("a") && fault("a") && !fault("a"));
    CHECK(fault("b") && fault("b"));
    CHECK(!fault("c"));
    CHECK(fault_set(""));
    CHECK(!fault_any && !fault("b"));
}

TEST(two_faults_of_one_name_count_the_same_passes)
{
    CHECK(fault_set("a=delay:0@1,a=error@2"));
    CHECK(!fault("a") && fault("a") && !fault("a"));
    CHECK(fault_set(""));
}

TEST(malformed_lists_change_nothing)
{
    static const char *const bad[] = {
        "a",
        "a=",
        "=error",
        "a=errors",
        "a=error@",
        "a=error@0",
        "a=error@x",
        "a=error@-1",
        "a=delay",
        "a=delay:",
        "a=delay:x",
        "a=delay:700000",
        "a=exit:1",
        "a=error:1",
        ",",
        "a=error,",
        "a=error,,b=error",
        "a=delay:5@",
        "a=error b=error",
        "a23456789012345678901234567890123456789012345678901234567890123456789=error",
        "1=error,2=error,3=error,4=error,5=error,6=error,7=error,8=error,9=error,10=error,"
        "11=error,12=error,13=error,14=error,15=error,16=error,17=error,18=error,19=error,"
        "20=error,21=error,22=error,23=error,24=error,25=error,26=error,27=error,28=error,"
        "29=error,30=error,31=error,32=error,33=error",
    };
    CHECK(fault_set("kept=error"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (fault_set(bad[i]))
            test_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
    CHECK(fault("kept"));
    CHECK(fault_set(""));
}

TEST(a_delay_waits_and_goes_on)
{
    CHECK(fault_set("slow=delay:20"));
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK(!fault("slow"));
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec >= 20000000);
    CHECK(fault_set(""));
}

TEST(exit_ends_the_process_at_its_pass)
{
    CHECK(fault_set("gone=exit@2"));
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 5; i++)
            (void)fault("gone");
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 137);
    CHECK(fault_set(""));
}
