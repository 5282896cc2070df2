#pragma once
// One member's PeerConnection as its shard keeps it. The shard's own; one thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/dtls.h"
#include "crypto/srtp.h"
#include "relay/deadline_queue.h"
#include "relay/ingress.h"
#include "relay/offer.h"
#include "relay/token_bucket.h"
#include "rtc/ice_lite.h"
#include "rtc/sender_statistics.h"
#include "wire/sdp.h"

namespace alcove::relay {

class LocalRoom;

// An endpoint that is checked but has no keys after this is given up.
inline constexpr base::Duration kConnectTimeout = base::seconds(60);
inline constexpr base::Duration kSenderReportInterval = base::seconds(5);
// A listener gets at most this many packets again: a fifth of what four slots carry, with a burst.
inline constexpr std::int64_t kResendsPerSecond = 80;
inline constexpr std::int64_t kResendBurst = 64;

// Checks of one endpoint that may be refused, wherever they come from, and of one source address:
// the work of reading a wrong one is worth nothing. A client has no wrong ones.
inline constexpr std::int64_t kFailedChecksPerSecond = 16;
inline constexpr std::int64_t kFailedCheckBurst = 64;
// What an endpoint may ask for with good checks, and with DTLS records once it has keys: browsers
// check each of some twenty pairs a few times, then every few seconds.
inline constexpr std::int64_t kRequestsPerSecond = 50;
inline constexpr std::int64_t kRequestBurst = 200;
inline constexpr std::size_t kMaxLimitedSources = 4096;
// Checks from one source address that are handed to another shard unread; many people may join from
// one address.
inline constexpr std::int64_t kStrangersPerSecond = 1000;
inline constexpr std::int64_t kStrangersBurst = 2000;

struct Endpoint : Timer {
  Endpoint(base::Instant now, const crypto::DtlsContext& context, const AcceptedOffer& offer,
           const wire::IceCredentials& local_ice)
      : ice(now, local_ice, offer.ice),
        dtls(context, crypto::DtlsRole::kServer, offer.fingerprint),
        fingerprint(offer.fingerprint) {}

  bool is_connected() const { return sender.has_value(); }

  base::JoinId join_id;
  LocalRoom* room = nullptr;       // the shard's, which outlives its endpoints
  std::size_t listener_index = 0;  // the room's own
  bool may_send = false;
  // Whether it is, or will be once connected, a listener of its room.
  bool may_receive = true;
  bool was_checked = false;
  base::Instant connect_by;

  rtc::IceLite ice;
  // Both user name fragments that the shard's table has, the older first, during a restart.
  std::vector<std::string> ufrags;
  crypto::DtlsSession dtls;
  crypto::Fingerprint fingerprint{};
  std::optional<crypto::SrtpSender> sender;
  std::optional<crypto::SrtpReceiver> receiver;

  // What the answer said; the same after a restart.
  std::uint64_t session_id = 0;
  std::uint64_t session_version = 1;
  std::string cname;
  std::array<std::uint32_t, kMaxSlots> ssrcs{};
  std::vector<std::uint8_t> slot_payload_types;
  std::uint8_t send_payload_type = 0;

  Ingress ingress;
  rtc::NtpClock clock{base::Duration::zero()};
  base::Duration round_trip = base::milliseconds(100);  // until a report says better
  base::Instant report_at = base::kNever;               // the next sender report
  base::Instant last_loss_sample{};
  TokenBucket resends{kResendsPerSecond, kResendBurst};
  TokenBucket failed_checks{kFailedChecksPerSecond, kFailedCheckBurst};
  TokenBucket requests{kRequestsPerSecond, kRequestBurst};
  TokenBucket dtls_records{kRequestsPerSecond, kRequestBurst};
};

}  // namespace alcove::relay
