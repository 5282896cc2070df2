#pragma once
// /.well-known/alcove: the signed manifest and the log of its changes, for everybody. One thread.

#include <array>
#include <string>

#include "control/context.h"
#include "control/responder.h"

namespace alcove::control {

class WellKnown {
 public:
  explicit WellKnown(Context& context) : context_(context) {}

  // After the context's promises have changed.
  void handle_promises_changed();
  void manifest(Request request);
  void log(Request request);

 private:
  struct Form {
    std::string etag;
    base::HttpResponse response;
  };

  Context& context_;
  std::array<Form, 2> manifest_;  // JSON, protobuf
};

}  // namespace alcove::control
