#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace reeve {

void AssertionFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "reeve: internal error: %s does not hold (%s:%d); please report this\n",
               expression, file, line);
  std::abort();
}

}  // namespace reeve
