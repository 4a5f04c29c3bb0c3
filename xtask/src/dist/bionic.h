/* Where Android's C headers differ from musl's, with which the stand-in for the libunwind of its kit is compiled: before API 23 there is no `stderr`. */
#ifndef PARTWAY_BIONIC_H
#define PARTWAY_BIONIC_H
#include <stdio.h>
#undef stderr
extern char __sF[];
#define stderr ((FILE *)(__sF + 2 * 152))
#endif
