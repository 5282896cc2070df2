#pragma once
// Where the store and password hashing block: a few threads at nice 10 with a bounded queue.

#include <memory>

#include "base/executor.h"
#include "net/event_loop.h"

namespace alcove::net {

class StorePool final : public base::Executor {
 public:
  struct Options {
    unsigned threads = 2;
    std::size_t queue_bound = 256;  // waiting, beside those that run
  };
  StorePool(EventLoop& loop, Options options);
  ~StorePool() override;  // stops
  StorePool(const StorePool&) = delete;
  StorePool& operator=(const StorePool&) = delete;

  // From the loop's thread; done runs there. Neither may throw.
  bool run(Job work, Job done) override;
  // Returns when what runs now has ended; what waits is dropped, and no done is called any more.
  void stop();

 private:
  class Implementation;
  std::shared_ptr<Implementation> implementation_;
};

// Lowers the calling thread's priority (nice), so that media threads come first.
void set_thread_nice(int value);

}  // namespace alcove::net
