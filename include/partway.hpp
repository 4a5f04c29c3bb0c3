// partway.hpp: C++17 over partway.h.
#ifndef PARTWAY_HPP
#define PARTWAY_HPP
#include "partway.h"
#endif
