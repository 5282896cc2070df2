#include "roomlog/bounds.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"
#include "crypto/hash.h"

namespace alcove::roomlog {

namespace {

bool is_hash(std::string_view bytes) { return bytes.size() == sizeof(crypto::Sha256Digest); }

bool is_number(std::int64_t value) { return value >= 0 && value <= kMaxNumber; }

bool is_op(const v1::AdmitOp& op) { return op.has_certificate() && op.seat() <= 255; }

bool is_op(const v1::RoleOp& op) {
  if (!is_hash(op.leaf())) return false;
  switch (op.role()) {
    case v1::ROLE_SPEAKER:
      return op.has_certificate() && op.seat() >= 1 && op.seat() <= 255 &&
             (op.link_box().empty() || op.link_box().size() == kLinkBoxSize);
    case v1::ROLE_LISTENER:
    case v1::ROLE_MODERATOR:
      return !op.has_certificate() && op.seat() == 0 && op.link_box().empty();
    default:
      return false;
  }
}

bool is_op(const v1::LinkOp& op) {
  return op.boxes_size() <= kMaxLinkBoxes && std::ranges::all_of(op.boxes(), [](const auto& box) {
           return is_hash(box.leaf()) && box.box().size() == kLinkBoxSize;
         });
}

bool is_op(const v1::InviteOp& op) {
  return op.identities_size() >= 1 && op.identities_size() <= kMaxInvitesInEntry &&
         std::ranges::all_of(op.identities(), is_hash);
}

bool is_op(const v1::LogOp& op) {
  switch (op.op_case()) {
    case v1::LogOp::kAdmit:
      return is_op(op.admit());
    case v1::LogOp::kDepart:
      return is_hash(op.depart().leaf());
    case v1::LogOp::kEject:
      return is_hash(op.eject().leaf()) && is_hash(op.eject().identity());
    case v1::LogOp::kRole:
      return is_op(op.role());
    case v1::LogOp::kLock:
      return true;
    case v1::LogOp::kLink:
      return is_op(op.link());
    case v1::LogOp::kInvite:
      return is_op(op.invite());
    case v1::LogOp::OP_NOT_SET:
      break;
  }
  return false;
}

bool are_ops(const v1::LogEntry& body) {
  if (body.ops_size() > kMaxOps) return false;
  int admits = 0;
  int moderations = 0;
  for (const v1::LogOp& op : body.ops()) {
    if (!is_op(op)) return false;
    if (op.has_admit())
      ++admits;
    else if (!op.has_depart())
      ++moderations;
  }
  return admits <= kMaxAdmits && moderations <= 1;
}

}  // namespace

bool is_within_bounds(const v1::Genesis& body) {
  return body.version() == 1 && body.room_id().size() == 16 && is_hash(body.host()) &&
         body.kind() >= v1::ROOM_KIND_OPEN && body.kind() <= v1::ROOM_KIND_CLOSED &&
         body.packet_bucket() >= 64 && body.packet_bucket() <= 1200 &&
         (body.manifest_key_hash().empty() || is_hash(body.manifest_key_hash())) &&
         is_number(body.created_at_ms());
}

bool is_within_bounds(const v1::Certificate& body) {
  const std::string& account = body.account();
  const std::string& name = body.display_name();
  return is_hash(body.room_fingerprint()) && is_hash(body.identity()) && is_hash(body.leaf()) &&
         is_hash(body.encryption()) && !account.empty() && account.size() <= kMaxAccountBytes &&
         base::is_utf8(account) && !name.empty() && name.size() <= kMaxNameBytes &&
         base::is_utf8(name) && base::count_code_points(name) <= kMaxNameCodePoints;
}

bool is_within_bounds(const v1::LogEntry& body) {
  if (body.n() < 1 || body.n() > static_cast<std::uint64_t>(kMaxNumber)) return false;
  if (!is_hash(body.prev()) || !is_hash(body.prev_short()) || !is_hash(body.prev_authority()) ||
      !is_hash(body.author()) || !is_hash(body.roster_hash()) || !is_hash(body.stage_hash()))
    return false;
  if (body.roster_size() > kMaxRoster || !is_number(body.time_ms())) return false;
  if (body.advance() < v1::ADVANCE_NONE || body.advance() > v1::ADVANCE_FRESH) return false;
  if (body.resume() &&
      (body.advance() != v1::ADVANCE_FRESH || body.ops_size() == 0 || !body.ops(0).has_admit()))
    return false;
  return are_ops(body);
}

}  // namespace alcove::roomlog
