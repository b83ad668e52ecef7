#include "api/poll_set.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>

#include "base/error.h"

namespace reeve::api {
namespace {

constexpr size_t kEventsAtOnce = 256;

}  // namespace

PollSet::PollSet() : set_(epoll_create1(EPOLL_CLOEXEC)) { REEVE_ASSERT(set_ >= 0); }

PollSet::~PollSet() { close(set_); }

bool PollSet::Watch(int descriptor, uint32_t events, Watched* who) {
  epoll_event event{events, {.ptr = who}};
  return epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void PollSet::Change(int descriptor, uint32_t events, Watched* who) {
  epoll_event event{events, {.ptr = who}};
  REEVE_ASSERT(epoll_ctl(set_, EPOLL_CTL_MOD, descriptor, &event) == 0);
}

void PollSet::Turn(bool waits) {
  std::array<epoll_event, kEventsAtOnce> events;
  const int count = epoll_wait(set_, events.data(), static_cast<int>(events.size()), waits ? -1 : 0);
  for (int i = 0; i < count; ++i) static_cast<Watched*>(events[static_cast<size_t>(i)].data.ptr)->OnEvents(events[static_cast<size_t>(i)].events);
}

}  // namespace reeve::api
