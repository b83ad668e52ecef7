#include "env/thread_rank.h"

#include <sys/resource.h>
#include <unistd.h>

namespace reeve {
namespace {

// About a tenth of what a thread of the usual rank gets where both want all of a processor.
constexpr int kNice = 10;

}  // namespace

void GiveWayToOtherThreads() { (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice); }  // on Linux the rank is a thread's

}  // namespace reeve
