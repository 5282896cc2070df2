// A VerifyReport for people and for scripts.

#include <fmt/format.h>

#include "base/text.h"
#include "client/room_view.h"
#include "client/verify.h"

namespace alcove::client {

namespace {

std::string_view kind_name(v1::RoomKind kind) {
  switch (kind) {
    case v1::ROOM_KIND_OPEN:
      return "open";
    case v1::ROOM_KIND_SOCIAL:
      return "social";
    case v1::ROOM_KIND_CLOSED:
      return "closed";
    default:
      return "unknown";
  }
}

std::string key_text(const crypto::Ed25519PublicKey& key) { return base::to_base64url(key); }

MemberEvent room_event(const VerifyReport& report) {
  const roomlog::Genesis& genesis = *report.genesis;
  const std::string code = roomlog::room_code(genesis.fingerprint);
  const std::string kind(kind_name(genesis.body.kind()));
  const std::string host = key_text(genesis.host);
  return {"room",
          {{"room_id", base::to_base64url(base::as_bytes(genesis.body.room_id()))},
           {"code", code},
           {"compared", report.compared},
           {"kind", kind},
           {"host", host},
           {"packet_bucket", std::int64_t{genesis.body.packet_bucket()}},
           {"created_at_ms", genesis.body.created_at_ms()}},
          fmt::format("Room code   {}{}\nKind        {}\nHost's key  {}", code,
                      report.compared ? " (that of the link)" : " (not compared)", kind, host)};
}

MemberEvent log_event(const VerifyReport& report) {
  const roomlog::LogState& state = *report.state;
  const LogCounts& counts = report.counts;
  std::string text = fmt::format(
      "Log         entry {}, epoch {}; {} {} checked{}\nCan hear    {}{}{}", state.n(),
      state.epoch(), counts.entries, counts.entries == 1 ? "entry" : "entries",
      report.complete_from == 0 ? "" : fmt::format(", complete from {}", report.complete_from),
      state.roster_size(), state.locked() ? "; the room is locked" : "",
      state.link_void() ? "; the link is void" : "");
  return {"log",
          {{"n", static_cast<std::int64_t>(state.n())},
           {"epoch", std::int64_t{state.epoch()}},
           {"entries", static_cast<std::int64_t>(counts.entries)},
           {"complete_from", static_cast<std::int64_t>(report.complete_from)},
           {"admitted", static_cast<std::int64_t>(counts.admitted)},
           {"departed", static_cast<std::int64_t>(counts.departed)},
           {"ejected", static_cast<std::int64_t>(counts.ejected)},
           {"roles", static_cast<std::int64_t>(counts.roles)},
           {"advances", static_cast<std::int64_t>(counts.advances)},
           {"roster_size", std::int64_t{state.roster_size()}},
           {"locked", state.locked()},
           {"link_void", state.link_void()}},
          std::move(text)};
}

MemberEvent person_event(std::string event, const roomlog::Certificate& certificate, v1::Role role,
                         std::uint8_t seat) {
  return {std::move(event),
          {{"name", certificate.display_name},
           {"account", certificate.account},
           {"role", std::string(role_name(role))},
           {"seat", std::int64_t{seat}},
           {"identity", key_text(certificate.identity)}},
          fmt::format("{:<11} {}, key {}", role_name(role), certificate.display_name,
                      key_text(certificate.identity))};
}

}  // namespace

std::vector<MemberEvent> to_events(const VerifyReport& report) {
  std::vector<MemberEvent> events;
  if (report.genesis) events.push_back(room_event(report));
  if (report.state) {
    const roomlog::LogState& state = *report.state;
    events.push_back(log_event(report));
    for (const auto& [seat, member] : state.stage())
      events.push_back(person_event("stage_member", member.certificate, member.role, seat));
    for (const auto& [leaf, certificate] : state.roster())
      if (state.on_stage(leaf) == nullptr)
        events.push_back(person_event("roster_member", certificate, v1::ROLE_LISTENER, 0));
  }
  for (const std::string& what : report.unchecked)
    events.push_back({"unchecked", {{"what", what}}, "Not checked: " + what});
  for (const VerifyProblem& problem : report.problems)
    events.push_back({"problem",
                      {{"n", static_cast<std::int64_t>(problem.n)}, {"message", problem.message}},
                      problem.n == 0
                          ? "Problem: " + problem.message
                          : fmt::format("Problem in entry {}: {}", problem.n, problem.message)});
  events.push_back({"result",
                    {{"verified", report.verified()}},
                    report.verified() ? "Verified." : "NOT VERIFIED."});
  return events;
}

}  // namespace alcove::client
