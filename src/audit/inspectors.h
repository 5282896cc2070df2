#pragma once
// All inspectors of an audit, in the order in which the flow table calls them. One thread.

#include <memory>
#include <string>
#include <vector>

#include "audit/finding.h"
#include "audit/flow_table.h"
#include "audit/inspector.h"
#include "audit/media_stream.h"
#include "audit/where_inspector.h"
#include "policy/manifest.h"
#include "policy/policy.h"

namespace alcove::audit {

// All outlive the inspectors.
struct InspectorOptions {
  const policy::Policy* policy = nullptr;  // null: none
  const policy::GeoDatabase& database;
  const v1::Manifest* manifest = nullptr;  // null: none
  const std::vector<std::string>& identifiers;
  const std::string& key_log;
};

class Inspectors {
 public:
  Inspectors(const InspectorOptions& options, Findings& findings);
  ~Inspectors();

  std::vector<Inspector*> all() const;
  const WhereInspector& where() const;
  // Where decrypted bytes go. Before the first packet.
  void use(FlowTable& flows);
  void handle_secrets(base::Bytes key_log);
  bool has_keys() const;
  std::size_t identifiers() const;
  // Of the streams that have ended.
  const std::vector<MediaStreamSummary>& media_streams() const;
  // What went over a bound: sessions or keys of TLS.
  std::uint64_t sessions_left_out() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace alcove::audit
