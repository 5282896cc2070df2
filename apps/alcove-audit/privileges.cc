#include "privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace alcove::app {

namespace {

constexpr rlim_t kMaxAddressSpace = rlim_t{4} << 30;
constexpr UserAndGroup kNobody{65534, 65534};

std::optional<unsigned> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  unsigned value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stop != end || value == 0) return std::nullopt;
  return value;
}

UserAndGroup nobody() {
  const passwd* entry = getpwnam("nobody");
  if (entry == nullptr || entry->pw_uid == 0) return kNobody;
  return {entry->pw_uid, entry->pw_gid};
}

std::string name_of(uid_t user) {
  const passwd* entry = getpwuid(user);
  return entry == nullptr ? fmt::format("user {}", user) : entry->pw_name;
}

// Another user than root may have some, of the file or of the service manager.
bool drop_capabilities() {
  // Kernels without ambient capabilities have none to clear.
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  return syscall(SYS_capset, &header, none) == 0;
}

}  // namespace

std::optional<UserAndGroup> sudo_user() {
  if (geteuid() != 0) return std::nullopt;
  const auto user = number_in("SUDO_UID");
  const auto group = number_in("SUDO_GID");
  if (!user || !group) return std::nullopt;
  return UserAndGroup{*user, *group};
}

void limit_resources() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit space{kMaxAddressSpace, kMaxAddressSpace};
  setrlimit(RLIMIT_AS, &space);
#endif
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

base::Result<std::string> drop_privileges() {
  if (geteuid() != 0) {
    if (!drop_capabilities())
      return base::fail(
          base::ErrorCode::kPermissionDenied,
          fmt::format("cannot give up capabilities: {} (--keep-privileges keeps them)",
                      std::strerror(errno)));
    return std::string();
  }
  const UserAndGroup target = sudo_user().value_or(nobody());
  const std::string name = name_of(target.user);
  const bool dropped = setgroups(0, nullptr) == 0 &&
                       setresgid(target.group, target.group, target.group) == 0 &&
                       setresuid(target.user, target.user, target.user) == 0;
  // Coming back must be impossible.
  if (!dropped || !drop_capabilities() || setuid(0) == 0 || geteuid() != target.user)
    return base::fail(base::ErrorCode::kPermissionDenied,
                      fmt::format("cannot become {}: {} (--keep-privileges stays root)", name,
                                  std::strerror(errno)));
  return fmt::format("everything is open: no longer root, but {}", name);
}

}  // namespace alcove::app
