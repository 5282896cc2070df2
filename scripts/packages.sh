# Debian 12 packages, in groups. Sourced by scripts/setup; docs/dependencies.md says why each is there.
# shellcheck shell=bash disable=SC2034
packages_build=(
  g++ cmake ninja-build pkg-config ccache git ca-certificates
  libboost1.81-dev libssl-dev libprotobuf-dev protobuf-compiler libsoci-dev libsqlite3-dev
  libargon2-dev libfmt-dev libtomlplusplus-dev libcli11-dev
  libmaxminddb-dev libpcap-dev nlohmann-json3-dev
  libopus-dev libopusfile-dev libogg-dev libsndfile1-dev libsamplerate0-dev
)
# For x86-64 alone: without it OpenSSL seals SRTP.
if [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ]; then packages_build+=(libipsec-mb-dev); fi
packages_test=(
  libgtest-dev libgmock-dev
  clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev lld-19 llvm-19
  chromium firefox-esr alsa-utils espeak-ng sox pulseaudio pulseaudio-utils iproute2 python3 iptables ethtool tshark mmdb-bin
)
