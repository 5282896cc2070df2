#pragma once
// Where slow calls run: the store and password hashing block, so the control thread never makes
// them.

#include <functional>

namespace alcove::base {

class Executor {
 public:
  using Job = std::move_only_function<void()>;
  virtual ~Executor() = default;
  // Runs work on a worker, then done on the calling (control) thread. False, and neither runs, when
  // the bounded queue is full. Tests run both at once.
  [[nodiscard]] virtual bool run(Job work, Job done) = 0;
};

class InlineExecutor final : public Executor {
 public:
  bool run(Job work, Job done) override {
    work();
    done();
    return true;
  }
};

}  // namespace alcove::base
