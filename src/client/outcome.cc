#include "client/outcome.h"

namespace alcove::client {

ExitStatus exit_status_of(int http_status) {
  if (http_status == 0) return ExitStatus::kNetwork;
  if (http_status >= 200 && http_status < 300) return ExitStatus::kOk;
  // A gateway's or a server's trouble is not a refusal: trying again later may help.
  if (http_status >= 500 || http_status < 200) return ExitStatus::kNetwork;
  return ExitStatus::kRefused;
}

}  // namespace alcove::client
