// TlsPeer: accepts TLS on 127.0.0.1 with a certificate that it signed itself, and answers every request with 200 and "safe", for tests of who is trusted.
//
// One connection at a time, one request each. Keys are made anew every time.
#pragma once

#include <memory>
#include <string>

namespace reeve::fakes {

class TlsPeer {
 public:
  // `name`: the DNS name or IP address that the certificate is for ("IP:127.0.0.1", "DNS:elsewhere.example").
  explicit TlsPeer(const std::string& name);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  [[nodiscard]] std::string url() const;                 // "https://127.0.0.1:PORT"
  [[nodiscard]] const std::string& certificate() const;  // PEM
  [[nodiscard]] int requests() const;                    // that could be read

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeve::fakes
