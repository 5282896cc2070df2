#include "bench/floor_seal.h"

#include <intel-ipsec-mb.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "bench/ground.h"

namespace alcove::bench {
namespace {

// One expanded key for each listener (1,008 bytes); a packet sets its IV.
class IpsecMbSealer final : public Sealer {
 public:
  IpsecMbSealer(IMB_MGR* manager, std::size_t keys) : manager_(manager) {
    init_mb_mgr_auto(manager_, nullptr);
    keys_ = static_cast<gcm_key_data*>(std::aligned_alloc(64, keys * sizeof(gcm_key_data)));
    CHECK(keys_ != nullptr);
    base::SeededRandom random(7);
    for (std::size_t i = 0; i < keys; ++i)
      IMB_AES128_GCM_PRE(manager_, random.bytes<16>().data(), &keys_[i]);
  }
  ~IpsecMbSealer() override {
    std::free(keys_);
    free_mb_mgr(manager_);
  }
  void seal(std::size_t key, base::Bytes iv, base::Bytes payload,
            base::MutableBytes packet) override {
    gcm_context_data context;
    std::uint8_t* out = packet.data() + kHeader;
    IMB_AES128_GCM_ENC(manager_, &keys_[key], &context, out, payload.data(), payload.size(),
                       iv.data(), packet.data(), kHeader, out + payload.size(), kTag);
  }

 private:
  IMB_MGR* manager_;
  gcm_key_data* keys_ = nullptr;
};

// A context for each listener, keyed once; a packet sets its IV. (Keying anew for each packet is
// slower still.)
class OpensslSealer final : public Sealer {
 public:
  explicit OpensslSealer(std::size_t keys) {
    EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
    base::SeededRandom random(7);
    for (std::size_t i = 0; i < keys; ++i) {
      contexts_.push_back(EVP_CIPHER_CTX_new());
      CHECK(EVP_EncryptInit_ex(contexts_.back(), cipher, nullptr, random.bytes<16>().data(),
                               nullptr) == 1);
    }
    EVP_CIPHER_free(cipher);
  }
  ~OpensslSealer() override {
    for (EVP_CIPHER_CTX* context : contexts_) EVP_CIPHER_CTX_free(context);
  }
  void seal(std::size_t key, base::Bytes iv, base::Bytes payload,
            base::MutableBytes packet) override {
    EVP_CIPHER_CTX* const context = contexts_[key];
    std::uint8_t* out = packet.data() + kHeader;
    int size = 0;
    CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, iv.data()) == 1);
    CHECK(EVP_EncryptUpdate(context, nullptr, &size, packet.data(), kHeader) == 1);
    CHECK(EVP_EncryptUpdate(context, out, &size, payload.data(),
                            static_cast<int>(payload.size())) == 1);
    CHECK(EVP_EncryptFinal_ex(context, out + payload.size(), &size) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTag, out + payload.size()) == 1);
  }

 private:
  std::vector<EVP_CIPHER_CTX*> contexts_;
};

}  // namespace

std::unique_ptr<Sealer> make_sealer(std::string_view name, std::size_t keys) {
  if (name == "openssl") return std::make_unique<OpensslSealer>(keys);
  if (name != "ipsec-mb") return nullptr;
  IMB_MGR* const manager = alloc_mb_mgr(0);
  return manager == nullptr ? nullptr : std::make_unique<IpsecMbSealer>(manager, keys);
}

}  // namespace alcove::bench
