#pragma once
// A whole audit: frames in, a report out, in one pass and bounded memory. One thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/capture_reader.h"
#include "audit/finding.h"
#include "audit/report.h"
#include "policy/geo_database.h"
#include "policy/manifest.h"
#include "policy/policy.h"

namespace alcove::audit {

struct AuditorOptions {
  const policy::GeoDatabase* database = nullptr;  // null: knows nothing; outlives the auditor
  std::optional<policy::Policy> policy;           // else the manifest's
  std::optional<policy::VerifiedManifest> manifest;
  // Why the manifest that was given could not be used: a finding. Empty: nothing was wrong.
  std::string manifest_fault_en, manifest_fault_fr;
  std::string tool = "alcove-audit";
  std::string input;  // the file's name, or the interface's
  // Text that must not be readable: user ids, room ids, names; each 4 to 256 bytes, at most 10,000.
  // Also sought as hexadecimal and base64 of their bytes.
  std::vector<std::string> identifiers;
  std::string key_log;  // NSS key log format; more may come with the capture
  // Called at the first of each finding, for --watch.
  std::function<void(const Finding&)> on_finding;
};

class Auditor final : public CaptureSink {
 public:
  explicit Auditor(AuditorOptions options);
  ~Auditor() override;

  void handle_frame(const Frame& frame) override;
  void handle_secrets(base::Bytes key_log) override;
  // What has been seen so far, for progress and --watch.
  struct Progress {
    std::uint64_t frames = 0;
    std::uint64_t flows = 0;
    std::size_t findings = 0;
  };
  Progress progress() const;
  // The end. Once. counters: of the reader; nullptr where there was none.
  Report finish(const CaptureReader::Counters* counters, std::string_view format = {});

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace alcove::audit
