#include "api/gateway_config.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/error.h"

namespace reeve::api {
namespace {

constexpr std::string_view kNginx = R"(# reeve in front of an application, for the http block of nginx (1.13 or newer, with auth_request).
upstream reeve { server @REEVE@; keepalive 32; }

server {
  listen @LISTEN@;

  location / {
    auth_request /_reeve;
    auth_request_set $reeve_denial $upstream_http_x_authz_denial;
@AUTH_SET@    # Overwrites what a client may have sent under these names.
@SET_HEADER@    # 401 and 403 are reeve's refusals, 500 is reeve out of reach: fail closed. Answers of the application are left alone.
    error_page 401 403 = @reeve_denied;
    error_page 500 = @reeve_down;
    proxy_pass http://@APP@;
  }

  location = /_reeve {
    internal;
    proxy_pass http://reeve@DOOR@/nginx;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header X-Authz-Denial "";
    proxy_set_header X-Forwarded-Method $request_method;
    proxy_set_header X-Forwarded-Uri $request_uri;
    proxy_set_header X-Forwarded-Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_connect_timeout 1s;
    proxy_read_timeout 2s;
  }

  # Gives the refusal in full (429 with Retry-After, problem document); nothing is decided or counted again.
  location @reeve_denied {
    internal;
    proxy_method GET;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header X-Authz-Denial $reeve_denial;
    proxy_set_header X-Forwarded-Uri $request_uri;
    proxy_connect_timeout 1s;
    proxy_read_timeout 2s;
    rewrite ^ /authz/nginx/denied? break;
    proxy_pass http://reeve;
  }

  location @reeve_down {
    internal;
    default_type application/problem+json;
    add_header Retry-After 1 always;
    return 503 '{"title":"Store unavailable","status":503,"detail":"The gate does not answer.","error_code":"STORE_UNAVAILABLE"}';
  }
}
)";

constexpr std::string_view kCaddy = R"(# reeve in front of an application, as Caddyfile (2.6 or newer).
http://:@LISTEN_PORT@ {
	bind @LISTEN_HOST@
	# A route keeps this order: first nobody names himself, then reeve says who it is.
	route {
@STRIP@		forward_auth @REEVE@ {
			# The question mark keeps the client's query out of reeve's address.
			uri @DOOR@?
			copy_headers @FIELDS@
			transport http {
				dial_timeout 1s
				response_header_timeout 2s
			}
		}
		reverse_proxy @APP@
	}
}
)";

constexpr std::string_view kHaproxy = R"(# reeve in front of an application, for HAProxy 2.6 or newer with Lua. The script: reeve gateway config haproxy-lua > /etc/haproxy/reeve.lua
global
  lua-load /etc/haproxy/reeve.lua

defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s

frontend reeve_gate
  bind @LISTEN@
  http-request lua.reeve
  default_backend reeve_app

backend reeve_app
  server app @APP@
)";

constexpr std::string_view kHaproxyLua = R"(-- Asks reeve about each request (http-request lua.reeve) and fails closed. For HAProxy 2.6 or newer.
local door = "http://@REEVE@@DOOR@"
local identity = { @LUA_FIELDS@ }
local not_passed = { ["connection"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true, ["content-length"] = true, ["te"] = true,
  ["trailer"] = true, ["upgrade"] = true, ["expect"] = true, ["proxy-connection"] = true, ["host"] = true }

local function answer(txn, status, headers, body)
  local reply = txn:reply({ status = status })
  for name, values in pairs(headers) do
    if not not_passed[name] then
      for _, value in pairs(values) do reply:add_header(name, value) end
    end
  end
  reply:set_body(body or "")
  txn:done(reply)
end

local function down(txn)
  answer(txn, 503, { ["retry-after"] = { "1" }, ["content-type"] = { "application/problem+json" } },
    '{"title":"Store unavailable","status":503,"detail":"The gate does not answer.","error_code":"STORE_UNAVAILABLE"}')
end

core.register_action("reeve", { "http-req" }, function(txn)
  local asked = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not not_passed[name] then
      asked[name] = {}
      for _, value in pairs(values) do table.insert(asked[name], value) end
    end
  end
  asked["x-forwarded-method"] = { txn.f:method() }
  asked["x-forwarded-uri"] = { txn.f:path() }
  asked["x-forwarded-for"] = { txn.f:src() }
  for _, name in ipairs(identity) do txn.http:req_del_header(name) end

  local ok, said = pcall(function() return core.httpclient():get({ url = door, headers = asked, timeout = 2000 }) end)
  if not ok or said == nil or said.status == nil or said.status < 200 or said.status >= 500 then return down(txn) end
  if said.status >= 300 then return answer(txn, said.status, said.headers, said.body) end
  for _, name in ipairs(identity) do
    local values = said.headers[name]
    if values == nil then return down(txn) end
    txn.http:req_set_header(name, values[0] or values[1])
  end
end)
)";

constexpr std::string_view kTraefik = R"yaml(# reeve in front of an application, as dynamic configuration of Traefik (2.x and 3.x).
http:
  middlewares:
    reeve-strip:
      headers:
        customRequestHeaders: # empty: removed, so that nobody names himself
@YAML_STRIP@    reeve:
      forwardAuth:
        address: "http://@REEVE@@DOOR@"
        trustForwardHeader: false
        authResponseHeaders: # set by reeve at every request that it lets in
@YAML_FIELDS@  routers:
    app:
      rule: "PathPrefix(`/`)"
      middlewares: [reeve-strip, reeve]
      service: app
  services:
    app:
      loadBalancer:
        servers:
          - url: "http://@APP@"
)yaml";

constexpr std::string_view kEnvoy = R"(# reeve in front of an application, as bootstrap of Envoy (1.20 or newer).
static_resources:
  listeners:
    - name: gate
      address: { socket_address: { address: @LISTEN_HOST@, port_value: @LISTEN_PORT@ } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: gate
                normalize_path: true
                merge_slashes: true
                path_with_escaped_slashes_action: REJECT_REQUEST
                route_config:
                  virtual_hosts:
                    - name: app
                      domains: ["*"]
                      routes: [{ match: { prefix: "/" }, route: { cluster: app } }]
                http_filters:
                  - name: envoy.filters.http.ext_authz
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
                      transport_api_version: V3
                      failure_mode_allow: false # fail closed
                      status_on_error: { code: ServiceUnavailable }
                      http_service:
                        path_prefix: @DOOR@/envoy # the client's own path follows it and means nothing to reeve
                        server_uri: { uri: "http://@REEVE@", cluster: reeve, timeout: 0.5s }
                        authorization_request:
                          allowed_headers:
                            patterns: [{ exact: x-api-key }, { exact: x-request-id }, { exact: traceparent }, { exact: accept }]
                        authorization_response:
                          # Overwrites what a client may have sent under these names: reeve sends each of them with every request that it lets in.
                          allowed_upstream_headers:
                            patterns: [@ENVOY_FIELDS@]
                  - name: envoy.filters.http.router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
    - name: reeve
      type: STATIC
      connect_timeout: 0.5s
      load_assignment:
        cluster_name: reeve
        endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: @REEVE_HOST@, port_value: @REEVE_PORT@ } } } }] }]
    - name: app
      type: STATIC
      connect_timeout: 2s
      load_assignment:
        cluster_name: app
        endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: @APP_HOST@, port_value: @APP_PORT@ } } } }] }]
)";

void Replace(std::string_view what, std::string_view with, std::string* text) {
  for (size_t at = text->find(what); at != std::string::npos; at = text->find(what, at + with.size())) text->replace(at, what.size(), with);
}

// `form` once for each identity field: {0} its name, {1} in lower case, {2} as a variable.
std::string ForFields(std::string_view form, std::string_view between = "") {
  std::string out;
  for (const std::string_view field : kIdentityFields) {
    if (!out.empty()) out += between;
    std::string variable = AsciiLower(field);
    Replace("-", "_", &variable);
    out += fmt::format(fmt::runtime(form), field, AsciiLower(field), variable);
  }
  return out;
}

std::string Host(std::string_view address) { return std::string(address.substr(0, address.rfind(':'))); }
std::string Port(std::string_view address) { return std::string(address.substr(address.rfind(':') + 1)); }

std::string_view TemplateOf(std::string_view name) {
  if (name == "nginx") return kNginx;
  if (name == "caddy") return kCaddy;
  if (name == "haproxy") return kHaproxy;
  if (name == "haproxy-lua") return kHaproxyLua;
  if (name == "traefik") return kTraefik;
  REEVE_ASSERT(name == "envoy");
  return kEnvoy;
}

}  // namespace

std::string GatewaySnippet(std::string_view name, const GatewaySetup& setup) {
  std::string door = "/authz";
  if (!setup.scope.empty()) door += "/scope/" + setup.scope;
  if (setup.cost != 1) door += fmt::format("/cost/{}", setup.cost);
  std::string text(TemplateOf(name));
  const std::pair<std::string_view, std::string> values[] = {
      {"@REEVE@", setup.reeve}, {"@APP@", setup.app}, {"@LISTEN@", setup.listen}, {"@DOOR@", door},
      {"@REEVE_HOST@", Host(setup.reeve)}, {"@REEVE_PORT@", Port(setup.reeve)}, {"@APP_HOST@", Host(setup.app)}, {"@APP_PORT@", Port(setup.app)},
      {"@LISTEN_HOST@", Host(setup.listen)}, {"@LISTEN_PORT@", Port(setup.listen)},
      {"@AUTH_SET@", ForFields("    auth_request_set $reeve_{2} $upstream_http_{2};\n")},
      {"@SET_HEADER@", ForFields("    proxy_set_header {0} $reeve_{2};\n")},
      {"@STRIP@", ForFields("\t\trequest_header -{0}\n")},
      {"@FIELDS@", ForFields("{0}", " ")},
      {"@LUA_FIELDS@", ForFields("\"{1}\"", ", ")},
      {"@YAML_STRIP@", ForFields("          {0}: \"\"\n")},
      {"@YAML_FIELDS@", ForFields("          - {0}\n")},
      {"@ENVOY_FIELDS@", ForFields("{{ exact: {1} }}", ", ")},
  };
  for (const auto& [what, with] : values) Replace(what, with, &text);
  return text;
}

}  // namespace reeve::api
