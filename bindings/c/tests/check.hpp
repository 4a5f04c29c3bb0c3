// Ends the program with the place where something is not so.
#pragma once

#include <cstdlib>
#include <iostream>

#define CHECK(what)                                                                     \
    do {                                                                                \
        if (!(what)) {                                                                  \
            std::cerr << __FILE__ << ":" << __LINE__ << ": not so: " << #what << "\n";  \
            std::exit(1);                                                               \
        }                                                                               \
    } while (0)
