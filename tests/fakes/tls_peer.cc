#include "tests/fakes/tls_peer.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/error.h"
#include "tests/fakes/loopback_listener.h"

namespace reeve::fakes {
namespace {

X509* MakeCertificate(EVP_PKEY* key, const std::string& name) {
  X509* const certificate = X509_new();
  REEVE_ASSERT(certificate != nullptr);
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto* const common_name = reinterpret_cast<const unsigned char*>("reeve test");
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name.c_str());
  REEVE_ASSERT(names != nullptr);
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  REEVE_ASSERT(X509_sign(certificate, key, EVP_sha256()) > 0);
  return certificate;
}

std::string PemOf(X509* certificate) {
  BIO* const memory = BIO_new(BIO_s_mem());
  REEVE_ASSERT(PEM_write_bio_X509(memory, certificate) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<size_t>(size));
  BIO_free(memory);
  return pem;
}

}  // namespace

struct TlsPeer::Impl {
  SSL_CTX* context = nullptr;
  std::string certificate;
  int listener = -1;
  int stop = -1;
  int port = 0;
  std::atomic<int> requests = 0;
  std::thread thread;

  void Serve(int fd) {
    SSL* const tls = SSL_new(context);
    SSL_set_fd(tls, fd);
    char bytes[4096];
    if (SSL_accept(tls) == 1 && SSL_read(tls, bytes, sizeof bytes) > 0) {
      ++requests;
      constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsafe";
      SSL_write(tls, kAnswer.data(), static_cast<int>(kAnswer.size()));
      SSL_shutdown(tls);
    }
    SSL_free(tls);
    close(fd);
  }

  void Run() {
    for (;;) {
      pollfd fds[2] = {{listener, POLLIN, 0}, {stop, POLLIN, 0}};
      poll(fds, 2, -1);
      if (fds[1].revents != 0) return;
      const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) Serve(fd);
    }
  }
};

TlsPeer::TlsPeer(const std::string& name) : impl_(std::make_unique<Impl>()) {
  std::signal(SIGPIPE, SIG_IGN);
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  REEVE_ASSERT(key != nullptr);
  X509* const certificate = MakeCertificate(key, name);
  impl_->certificate = PemOf(certificate);
  impl_->context = SSL_CTX_new(TLS_server_method());
  REEVE_ASSERT(SSL_CTX_use_certificate(impl_->context, certificate) == 1 && SSL_CTX_use_PrivateKey(impl_->context, key) == 1);
  X509_free(certificate);
  EVP_PKEY_free(key);

  impl_->stop = eventfd(0, EFD_CLOEXEC);
  const LoopbackListener listening = ListenOnLoopback(16);
  impl_->listener = listening.fd;
  impl_->port = listening.port;
  impl_->thread = std::thread([impl = impl_.get()] { impl->Run(); });
}

TlsPeer::~TlsPeer() {
  REEVE_ASSERT(eventfd_write(impl_->stop, 1) == 0);
  impl_->thread.join();
  close(impl_->listener);
  close(impl_->stop);
  SSL_CTX_free(impl_->context);
}

std::string TlsPeer::url() const { return fmt::format("https://127.0.0.1:{}", impl_->port); }
const std::string& TlsPeer::certificate() const { return impl_->certificate; }
int TlsPeer::requests() const { return impl_->requests; }

}  // namespace reeve::fakes
