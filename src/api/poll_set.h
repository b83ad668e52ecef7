// PollSet: the descriptors that one event loop waits for (epoll, level-triggered unless asked otherwise). Not for what their events mean. For one thread.
#pragma once

#include <cstdint>

namespace reeve::api {

class PollSet {
 public:
  class Watched {
   public:
    // What epoll says of the descriptor: EPOLLIN, EPOLLOUT… Not called after the descriptor was closed, but for what is said in the same turn: it must
    // live until that has ended.
    virtual void OnEvents(uint32_t events) = 0;

   protected:
    ~Watched() = default;
  };

  PollSet();
  ~PollSet();
  PollSet(const PollSet&) = delete;
  PollSet& operator=(const PollSet&) = delete;

  // Readable when there is something to tell.
  [[nodiscard]] int descriptor() const { return set_; }
  // False: the system watches no more. A descriptor that is closed is forgotten by itself.
  [[nodiscard]] bool Watch(int descriptor, uint32_t events, Watched* who);
  void Change(int descriptor, uint32_t events, Watched* who);

  // One turn: tells everybody what happened since the last, a bounded number at a time, so that nobody is forgotten over others. `waits`: until
  // something happens.
  void Turn(bool waits);

 private:
  const int set_;
};

}  // namespace reeve::api
