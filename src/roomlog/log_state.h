#pragma once
// What a room's log says so far: who is in, on the stage, moderator, blocked, locked. A pure state
// machine that clients and the control plane share, so that there is one truth
// (docs/protocol/room-keys.md, "The log"). Copyable; one thread.

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "roomlog/objects.h"
#include "roomlog/stage_state.h"

namespace alcove::roomlog {

// How an entry is linked to what came before.
enum class Follow : std::uint8_t {
  kFull,   // prev, with the roster
  kShort,  // prev_short; roster ops are taken as they are
  kChain,  // prev_authority; used while joining
};

enum class LogError : std::uint8_t {
  kFork,       // does not follow
  kBadAuthor,  // not on the stage, or without authority for a resume
  kBadSignature,
  kNotPermitted,  // an op that the author may not write, or that the state does not allow
  kBadCertificate,
  kWrongState,  // n, epoch, time, roster or stage hash are not what the ops yield
  kLogFull,     // 1,024 authority entries
  kBadObject,   // an object of a chain is not well-formed
};
std::string_view to_text(LogError error);

struct EntryClass {
  bool authority = false;
  bool advance = false;
  bool beat = false;
  bool resume = false;
  bool is_short() const { return authority || advance || beat || resume; }
  bool is_authority() const { return authority || resume; }
};

// What an entry did, for whoever derives other state from it.
struct Admitted {
  Certificate certificate;
  std::optional<Hash> replaced;
  std::uint8_t seat = 0;
  v1::Role role = v1::ROLE_LISTENER;
};
struct Departed {
  Hash leaf{};
  std::uint8_t seat = 0;
  bool ejected = false;
};
struct RoleChanged {
  Hash leaf{};
  v1::Role before = v1::ROLE_LISTENER;
  v1::Role after = v1::ROLE_LISTENER;
  std::uint8_t seat = 0;
  bool by_rule = false;
};
struct Locked {
  bool locked = false;
};
struct LinkChanged {
  std::uint32_t generation = 0;
  bool voided = false;
};
using Change = std::variant<Admitted, Departed, RoleChanged, Locked, LinkChanged>;

class LogState {
 public:
  // Before the first entry; full.
  explicit LogState(Genesis genesis);

  // Checks the entry and applies it. On an error nothing is changed. Short and chain take the
  // roster away; full needs it.
  std::expected<std::vector<Change>, LogError> apply(const Entry& entry, Follow follow);
  // The same in two steps, so that a caller with rules of its own pays for them only when the log
  // takes the entry. The second is for the same entry, with nothing applied in between (CHECK).
  struct Checked;
  std::expected<Checked, LogError> check(const Entry& entry, Follow follow) const;
  std::vector<Change> apply(const Entry& entry, Checked checked);

  // Becomes full: the certificates in the order of their leaf hashes, as of the entry head, which
  // is newer than or the same as the last applied and by its prev_short follows it.
  std::expected<void, LogError> adopt_roster(std::span<const Certificate> certificates,
                                             const Entry& head);
  bool is_full() const;

  // Fills in n, prev links, author, epoch, roster and stage hashes and time (not smaller than the
  // last entry's) for a new entry with these ops. The ops are checked. Only when full.
  std::expected<v1::LogEntry, LogError> draft(const Hash& author, std::vector<v1::LogOp> ops,
                                              v1::Advance advance, bool resume,
                                              std::int64_t time_ms) const;
  // body: of a parsed entry, the next one.
  EntryClass class_of(const v1::LogEntry& body) const;

  const Genesis& genesis() const;
  const Hash& fingerprint() const;
  std::uint64_t n() const;
  std::uint32_t epoch() const;
  std::int64_t time_ms() const;  // of the last entry; 0 before the first
  const Hash& last() const;      // of any class; in short and chain: of the last applied
  const Hash& last_short() const;
  const Hash& last_authority() const;
  std::size_t authority_entries() const;

  // By seat.
  const std::map<std::uint8_t, StageMember>& stage() const;
  const StageMember* on_stage(const Hash& leaf) const;
  const StageMember* at_seat(std::uint8_t seat) const;
  bool has_authority(const crypto::Ed25519PublicKey& identity) const;
  bool is_blocked(const crypto::Ed25519PublicKey& identity) const;
  bool is_invited(const crypto::Ed25519PublicKey& identity) const;
  bool locked() const;
  bool link_void() const;
  std::uint32_t link_generation() const;
  std::optional<std::uint8_t> next_free_seat() const;

  // As of the last entry, also without the roster.
  std::uint32_t roster_size() const;
  // Only when full, else empty. By leaf hash.
  const std::map<Hash, Certificate>& roster() const;
  const Certificate* member(const Hash& leaf) const;
  const Certificate* member_of(const crypto::Ed25519PublicKey& identity) const;
  Hash roster_hash() const;
  Hash stage_hash() const;

 private:
  std::expected<void, LogError> check_links(const v1::LogEntry& body, Follow follow) const;
  std::expected<void, LogError> check_numbers(const v1::LogEntry& body, Follow follow) const;
  // Whose signature it takes: the author's leaf, or for a resume its identity.
  std::expected<crypto::Ed25519PublicKey, LogError> author_key(const v1::LogEntry& body) const;
  std::expected<void, LogError> check_author(const Entry& entry) const;
  // What the ops yield, tried beside the state; its links and hashes are not compared.
  std::expected<Checked, LogError> try_ops(const v1::LogEntry& body, Follow follow) const;
  std::expected<void, LogError> take_roster(std::span<const Certificate> certificates);
  // Leaf to its certificate, or to nothing where it goes out.
  void change_roster(std::map<Hash, std::optional<Certificate>> changes);
  void forget_roster();

  Genesis genesis_;
  StageState stage_state_;
  bool is_full_ = true;
  std::map<Hash, Certificate> roster_;
  std::map<crypto::Ed25519PublicKey, Hash> leaf_of_;  // of the roster, by identity
  std::uint32_t roster_size_ = 0;
  Hash roster_hash_{};
  std::uint64_t n_ = 0;
  std::uint32_t epoch_ = 0;
  std::int64_t time_ms_ = 0;
  Hash last_{};
  Hash last_short_{};
  Hash last_authority_{};
  std::size_t authority_entries_ = 0;
};

// What a valid entry makes of the state.
struct LogState::Checked {
  Follow follow = Follow::kFull;
  Hash entry{};
  Hash after{};  // the last entry, then
  EntryClass entry_class;
  std::optional<StageState> stage_state;  // where it changed
  // Leaf to its certificate, or to nothing where it goes out.
  std::map<Hash, std::optional<Certificate>> roster_changes;
  std::size_t roster_size = 0;
  Hash roster_hash{};  // of full
  Hash stage_hash{};
  std::vector<Change> changes;
};

// The chain of a join (docs/protocol/room-keys.md, "Joining", 5), walked without the admit: the
// state after the newest entry of authority, advance and head, in the order of n. Fingerprint
// nullopt: not known beforehand.
struct WalkedChain {
  LogState state;
  std::optional<Entry> advance;
  std::optional<Entry> head;
};
std::expected<WalkedChain, LogError> walk_chain(const v1::LogChain& chain,
                                                const std::optional<Hash>& fingerprint);

}  // namespace alcove::roomlog
