// A value that must not be printed, logged or compared in variable time.
//
// Secret owns bytes (a key text, an encryption key), overwrites them when it goes, and has no stream operator, no
// formatter and no implicit conversion: the only way to the bytes is Reveal(), which is easy to search for.
// Not safe for concurrent use of one object.
#pragma once

#include <string>
#include <string_view>

namespace reeve {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.Wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe();
      bytes_ = std::move(other.bytes_);
      other.Wipe();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { Wipe(); }

  // The bytes, valid as long as this object is.
  [[nodiscard]] std::string_view Reveal() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  void Wipe() {
    bytes_.resize(bytes_.capacity());
    volatile char* p = bytes_.data();
    for (size_t i = 0; i < bytes_.size(); ++i) p[i] = 0;
    bytes_.clear();
  }
  std::string bytes_;
};

}  // namespace reeve
