#include "crypto/dtls_bio.h"

#include <algorithm>

#include "crypto/dtls_handshake.h"

namespace alcove::crypto {
namespace {

int write_datagram(BIO* bio, const char* data, int size) {
  if (size <= 0) return 0;
  auto* handshake = static_cast<DtlsHandshake*>(BIO_get_data(bio));
  handshake->add_outgoing(
      {reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
  return size;
}

int read_datagram(BIO* bio, char* data, int capacity) {
  auto* handshake = static_cast<DtlsHandshake*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::optional<base::Buffer> datagram = handshake->take_incoming();
  if (!datagram || capacity <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  // Like a socket: what does not fit is lost. OpenSSL's buffer takes 16 KB.
  const std::size_t size = std::min(datagram->size(), static_cast<std::size_t>(capacity));
  std::memcpy(data, datagram->data(), size);
  return static_cast<int>(size);
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return kDtlsMtu;
    default:
      return 0;
  }
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "alcove datagrams");
  CHECK(method != nullptr);
  BIO_meth_set_write(method, write_datagram);
  BIO_meth_set_read(method, read_datagram);
  BIO_meth_set_ctrl(method, control);
  return method;
}

}  // namespace

BIO* make_dtls_bio(DtlsHandshake& handshake) {
  static BIO_METHOD* const method = make_method();
  BIO* bio = BIO_new(method);
  CHECK(bio != nullptr);
  BIO_set_data(bio, &handshake);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace alcove::crypto
