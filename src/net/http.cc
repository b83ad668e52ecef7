#include "net/http.h"

namespace reeve::net {

const std::string* HttpResponse::Find(std::string_view name) const {
  for (const Header& header : headers)
    if (header.first == name) return &header.second;
  return nullptr;
}

}  // namespace reeve::net
