/* The last words of a process that cannot go on: signal and backtrace on standard error. */
#ifndef PARLEY_APP_CRASH_H
#define PARLEY_APP_CRASH_H

void crash_report_install(void);

#endif
