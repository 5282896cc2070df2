#pragma once
// WebSocket connections: a hello with a join token, then events. One thread.

#include <memory>
#include <set>

#include "alcove/v1/events.pb.h"
#include "base/http.h"
#include "control/context.h"
#include "control/house.h"

namespace alcove::control {

class Sockets {
 public:
  Sockets(Context& context, House& house) : context_(context), house_(house) {}
  // Connections may outlive the server: they become deaf.
  ~Sockets();

  std::unique_ptr<base::WebSocketHandler> accept(base::WebSocketPeer& peer,
                                                 const base::IpAddress& remote);
  std::size_t size() const { return open_.size(); }
  // Says goodbye to those who have not said hello.
  void shut_down();

 private:
  class Socket;
  static constexpr std::size_t kMaxWaiting = 2000;

  Context& context_;
  House& house_;
  std::set<Socket*> open_;
  std::size_t waiting_ = 0;  // for their hello
};

}  // namespace alcove::control
