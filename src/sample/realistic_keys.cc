// Keys of a realistic tenant: active, revoked, expired, exposed, in one carrier or two.
#include <algorithm>

#include "base/encoding.h"
#include "sample/expect_text.h"
#include "sample/tenants.h"

namespace reeve::sample {
namespace {

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
constexpr uint64_t kPairStream = uint64_t{1} << 34;

// A key as its owner knows it, before any legacy row.
struct LogicalKey {
  std::string text;
  std::string hash;  // 32 bytes
  std::string id;
  std::string ciphertext;
  KeyRow row;        // with every field; cut to a shape when written
};

std::string HashText(const LogicalKey& key, bool as_bytes, Prng* rng) {
  const uint64_t dice = rng->Below(100);
  if (as_bytes || dice < 4) return Base64Encode(key.hash);
  std::string hex = HexEncode(key.hash);
  if (dice < 12) return AsciiUpper(hex);
  if (dice < 14) hex[0] = AsciiUpper(hex.substr(0, 1))[0];
  return hex;
}

OptText PlainEnc(const LogicalKey& key, EncStyle style, Prng* rng) {
  if (style == EncStyle::kBytes) return Base64Encode(key.text);
  switch (rng->Below(3)) {
    case 0: return key.text;
    case 1: return Base64Encode(key.text);
    default: return Base64Encode(Base64Encode(key.text));
  }
}

OptText EncText(const LogicalKey& key, EncStyle style, Prng* rng) {
  const uint64_t dice = rng->Below(100);
  if (dice < 5) return std::nullopt;
  if (dice < 7) return "";
  if (dice < 22) return PlainEnc(key, style, rng);
  if (dice < 25) return "enc:v1:" + HexEncode(key.ciphertext);
  const bool twice = style == EncStyle::kBase64 && rng->Percent(50);
  return Base64Encode(twice ? Base64Encode(key.ciphertext) : key.ciphertext);
}

OptText KeyName(Prng* rng) {
  static constexpr std::string_view kNames[] = {"CI pipeline", "nightly export", "Kundenschlüssel", "キー 1",
                                                "say \"hi\"", "tab\there", "back\\slash / slash", "default", "\x01weird", "😀"};
  const uint64_t dice = rng->Below(20);
  if (dice < 5) return std::nullopt;
  if (dice == 5) return "";
  return std::string(rng->Pick(kNames));
}

std::optional<std::vector<std::string>> KeyScopes(Prng* rng) {
  const uint64_t dice = rng->Below(10);
  if (dice < 4) return std::nullopt;
  if (dice == 4) return std::vector<std::string>();
  if (dice < 7) return std::vector<std::string>{"pipelines:read", "pipelines:write"};
  if (dice < 9) return std::vector<std::string>{"usage:read"};
  return std::vector<std::string>{"admin:*", "näme \"x\""};
}

void Age(const SampleOptions& options, Prng* rng, KeyRow* row) {
  const uint64_t dice = rng->Below(100);
  if (dice < 15) {
    row->expires_at = options.as_of + rng->Between(1, 900) * kDay;
  } else if (dice < 28) {
    row->expires_at = std::max(row->created_at, options.as_of - 300 * kDay) - rng->Between(0, 20 * kDay);
  } else if (dice < 46) {
    row->is_active = false;
    if (rng->Percent(70)) row->revoked_at = row->created_at + rng->Between(0, 100 * kDay);
    if (rng->Percent(70)) row->revoked_by = "security@" + rng->Hex(4) + ".example";
  } else if (dice < 48) {
    row->revoked_at = row->created_at + kDay;  // called active all the same: deny wins
  } else if (dice < 50) {
    row->revoked_by = "nobody";  // without a revocation
  } else if (dice < 52) {
    row->expires_at = kTimeMax - rng->Between(0, 1) * 999'999;  // "never", as some tools write it
  }
}

LogicalKey MakeKey(TenantOut* tenant, Prng* rng, const std::string& text) {
  const SampleOptions& options = tenant->shop().options;
  LogicalKey key;
  key.text = text;
  key.hash = Sha256Bytes(key.text);
  key.id = rng->Percent(50) ? tenant->name() + "_key_" + rng->Hex(8) : rng->Uuid();
  key.ciphertext = rng->Bytes(90 + rng->Below(40));
  key.row.created_at = PastTime(options, rng, 900);
  if (rng->Percent(70)) key.row.created_by = rng->Percent(5) ? "" : "admin@" + tenant->name() + ".example";
  if (rng->Percent(60)) key.row.last_used_at = options.as_of - rng->Between(0, 60 * kDay);
  key.row.name = KeyName(rng);
  key.row.scopes = KeyScopes(rng);
  Age(options, rng, &key.row);
  return key;
}

// The row of `key` in `shape`; a second one tells a different story.
KeyRow RowOf(const LogicalKey& key, const KeyShape& shape, bool second, Micros as_of, Prng* rng) {
  KeyRow row = key.row;
  if (!rng->Percent(4)) row.id = second && rng->Percent(20) ? rng->Uuid() : key.id;
  row.hash = HashText(key, shape.hash_is_bytes, rng);
  row.enc = EncText(key, shape.enc_style, rng);
  row.api_key = key.text;
  if (second && rng->Percent(60)) row.created_at = std::min(as_of, row.created_at + rng->Between(-10 * kDay, 10 * kDay));
  if (second && rng->Percent(30)) row.is_active = !row.is_active;
  if (second && rng->Percent(30)) row.name = KeyName(rng);
  if (second && rng->Percent(30)) row.scopes = KeyScopes(rng);
  if (second && rng->Percent(20)) row.expires_at = row.created_at + 700 * kDay;
  if (second && rng->Percent(20)) row.revoked_at = row.created_at + rng->Between(0, 9) * kDay;
  if (second && rng->Percent(20)) row.revoked_by = "ops-" + rng->Hex(2);
  Fit(shape, &row);
  return row;
}

Result<> WriteRow(TenantOut* tenant, TableOut& table, const KeyShape& shape, KeyRow row, bool spared = false) {
  return tenant->Key(table, shape, std::move(row), spared);
}

TableOut& TableFor(TenantOut* tenant, const Layout& layout, const KeyShape& shape) {
  if (shape.home == Home::kOwn) return *layout.keys;
  return tenant->shop().Shared(DatasetOf(shape.home), shape.table, Kind::kKeys);
}

// A key that the neighbour has too: tenants 2n and 2n+1 agree on it by drawing from the same stream.
Result<> WriteSharedKey(TenantOut* tenant, const Layout& layout) {
  const SampleOptions& options = tenant->shop().options;
  const uint64_t first = tenant->index() / 2 * 2;
  if (options.poison_rate <= 0 || first + 1 >= options.tenants) return {};
  if (SpecialOf(options, first) != Special::kNone || SpecialOf(options, first + 1) != Special::kNone) return {};
  Prng pair(options.seed, kPairStream + first);
  if (!pair.Probability(options.poison_rate)) return {};
  const LogicalKey key = MakeKey(tenant, &tenant->rng(), "shared-by-two-" + pair.Text(24, kBase64Url));
  tenant->model.hashes_elsewhere.push_back(HexEncode(key.hash));
  tenant->plain_keys.push_back({key.text, HexEncode(key.hash)});
  Prng& rng = tenant->rng();
  TableOut& table = TableFor(tenant, layout, *layout.key);
  REEVE_TRY(WriteRow(tenant, table, *layout.key, RowOf(key, *layout.key, false, tenant->shop().options.as_of, &rng), true));
  if (rng.Percent(30)) return WriteRow(tenant, table, *layout.key, RowOf(key, *layout.key, true, tenant->shop().options.as_of, &rng), true);
  return {};
}

// Every row has a column that no shape knows: the whole table is set aside.
Result<> WriteUnknownTable(TenantOut* tenant, const Layout& layout) {
  Prng& rng = tenant->rng();
  for (int i = 0; i < 3; ++i) {
    const std::string text = MakeKeyText(tenant->name(), &rng);
    tenant->plain_keys.push_back({text, Sha256Text(text)});
    REEVE_TRY(tenant->RawLine(*layout.keys, fmt::format(
        R"({{"api_key_hash":"{}","tenant_id":"{}","created_at":"2026-01-01 00:00:00 UTC","is_active":true,"secret_blob":"{}"}})",
        Sha256Text(text), tenant->name(), i)));
  }
  tenant->DeadLetterOf(*layout.keys, "unknown_shape");
  return {};
}

Result<> WriteOddRows(TenantOut* tenant, const Layout& layout) {
  constexpr size_t kRowTooLarge = (16 << 20) + 1;
  if (layout.special == Special::kRowTooLarge) {
    const std::string line = R"({"api_key_id":")" + std::string(kRowTooLarge, 'x') + "\"}";
    REEVE_ASSIGN(const Place place, tenant->RawLine(*layout.keys, line));
    tenant->DeadLetterAt(place, "row_too_large");
  }
  if (layout.special == Special::kHugeValue) {
    const LogicalKey key = MakeKey(tenant, &tenant->rng(), MakeKeyText(tenant->name(), &tenant->rng()));
    Render(*layout.own_key, RowOf(key, *layout.own_key, false, tenant->shop().options.as_of, &tenant->rng()), tenant->name(),
           {}, &tenant->rng(), &tenant->fields);
    const Broken broken = BreakByHugeValue(&tenant->fields, &tenant->rng());
    REEVE_ASSIGN(const Place place, tenant->RawLine(*layout.keys, broken.line));
    tenant->DeadLetterAt(place, broken.reason);
  }
  return {};
}

// The rows of one key: in its main carrier, perhaps again there, perhaps in a second carrier.
Result<> WriteKey(TenantOut* tenant, const Layout& layout, const LogicalKey& key) {
  Prng& rng = tenant->rng();
  const KeyShape& shape = *layout.key;
  REEVE_TRY(WriteRow(tenant, TableFor(tenant, layout, shape), shape, RowOf(key, shape, false, tenant->shop().options.as_of, &rng)));
  const bool plain_tenant = layout.special != Special::kNone || !tenant->shop().options.all_variants;
  if (plain_tenant) return {};
  if (rng.Percent(6)) REEVE_TRY(WriteRow(tenant, TableFor(tenant, layout, shape), shape, RowOf(key, shape, true, tenant->shop().options.as_of, &rng)));
  if (shape.home != Home::kOwn && rng.Percent(40)) {
    return WriteRow(tenant, *layout.keys, *layout.own_key, RowOf(key, *layout.own_key, true, tenant->shop().options.as_of, &rng));
  }
  if (shape.home == Home::kOwn && rng.Percent(15)) {
    static constexpr std::string_view kSecondShapes[] = {"A0", "A1", "A5", "A6"};
    const KeyShape& second = KeyShapeNamed(rng.Pick(kSecondShapes));
    return WriteRow(tenant, TableFor(tenant, layout, second), second, RowOf(key, second, true, tenant->shop().options.as_of, &rng));
  }
  return {};
}

}  // namespace

std::string MakeKeyText(const std::string& tenant, Prng* rng) {
  switch (rng->Below(20)) {
    case 0: return rng->Hex(64);  // looks like a hash, and is none
    case 1: return "test-key-" + rng->Text(12, kBase64Url);
    case 2: return "admin_" + rng->Text(43, kBase64Url);
    case 3:
    case 4: return tenant + "_api_" + rng->Text(22, kBase64Url);
    case 5:
    case 6:
    case 7: return "sk_" + tenant + "_" + rng->Text(43, kBase64Url);
    default: return tenant + "_api_" + rng->Text(16, kBase64Url);
  }
}

Result<> WriteKeys(TenantOut* tenant, const Layout& layout) {
  if (layout.special == Special::kUnknownKeys) return WriteUnknownTable(tenant, layout);
  Prng& rng = tenant->rng();
  const uint64_t count = layout.special != Special::kNone ? 4 : rng.Percent(3) ? 0 : 1 + rng.Below(4) + rng.Below(4) * rng.Below(3);
  std::string last_id;
  for (uint64_t i = 0; i < count; ++i) {
    LogicalKey key = MakeKey(tenant, &rng, MakeKeyText(tenant->name(), &rng));
    if (!last_id.empty() && rng.Percent(2)) key.id = last_id;  // two keys with one id
    last_id = key.id;
    tenant->plain_keys.push_back({key.text, HexEncode(key.hash)});
    REEVE_TRY(WriteKey(tenant, layout, key));
  }
  REEVE_TRY(WriteOddRows(tenant, layout));
  return WriteSharedKey(tenant, layout);
}

}  // namespace reeve::sample
