// Catch2's main: ten seconds of compiling that every suite shares.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
