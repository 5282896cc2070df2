#pragma once
// What members do in a room. One thread.

#include "control/context.h"
#include "control/house.h"
#include "control/responder.h"

namespace alcove::control {

class Commands {
 public:
  Commands(Context& context, House& house) : context_(context), house_(house) {}
  void give(Request request);

 private:
  Context& context_;
  House& house_;
};

}  // namespace alcove::control
