#pragma once
// What is behind EventLoop: for the .cc files of src/net only.

#include <boost/asio/io_context.hpp>

#include "net/event_loop.h"

namespace alcove::net {

struct EventLoop::Implementation {
  // One thread runs it; post() and stop() come from others, so its locks stay on.
  boost::asio::io_context context{1};
};

}  // namespace alcove::net
