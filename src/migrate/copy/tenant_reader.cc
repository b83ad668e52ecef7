#include "migrate/copy/tenant_reader.h"

#include <algorithm>

#include "base/encoding.h"

namespace reeve::migrate::copy {
namespace {

using catalog::LegacyKind;

constexpr size_t kDigestPieceBytes = 32 * 1024;
constexpr uint64_t kTimedLineEvery = 64;  // one line in so many is timed

void KeepEarlier(Micros instant, std::optional<Micros>* earliest) {
  if (!*earliest || instant < **earliest) *earliest = instant;
}

}  // namespace

struct TenantReader::TableRows {
  std::vector<Placed<KeyRow>> keys;
  std::vector<Placed<CredentialRow>> credentials;
  std::vector<RecordRow> records;
  domain::RunSet runs;
  std::optional<Micros> earliest_run;
  std::vector<DeadLetter> dead_letters;
  uint64_t dead_letters_left_out = 0;
  uint64_t lines = 0;
};

void TenantReader::Bury(const RowOrigin& origin, std::string_view reason, TableRows* rows) {
  if (rows->dead_letters.size() >= kDeadLettersPerTenantMax) {
    ++rows->dead_letters_left_out;
    return;
  }
  const bool readable = reason != "row_too_large" && reason != "invalid_json" && reason != "not_an_object";
  rows->dead_letters.push_back({origin, readable ? decoder_->RowKey() : std::string(), std::string(reason), {}});
}

void TenantReader::TakeRow(const RowContext& context, LegacyKind kind, const RowOrigin& origin, TableRows* rows) {
  std::string_view reason;
  switch (kind) {
    case LegacyKind::kKeys: {
      Placed<KeyRow> key{{}, origin};
      reason = ReadKey(*decoder_, context, &key.row);
      if (reason.empty()) rows->keys.push_back(std::move(key));
      break;
    }
    case LegacyKind::kCredentials: {
      Placed<CredentialRow> credential{{}, origin};
      reason = ReadCredential(*decoder_, context, &credential.row);
      if (reason.empty()) rows->credentials.push_back(std::move(credential));
      break;
    }
    case LegacyKind::kRecord: {
      RecordRow record;
      reason = ReadRecord(*decoder_, context, &record);
      if (reason.empty()) rows->records.push_back(std::move(record));
      break;
    }
    case LegacyKind::kRuns: {
      domain::RunRow run;
      reason = ReadRun(*decoder_, context, &run);
      if (!reason.empty()) break;
      rows->runs.Add(run);
      KeepEarlier(run.start, &rows->earliest_run);
      break;
    }
  }
  if (!reason.empty()) Bury(origin, reason, rows);
}

void TenantReader::TakeLine(const RowContext& context, LegacyKind kind, const legacy::Line& line,
                            const RowOrigin& origin, TableRows* rows) {
  const Verdict verdict = decoder_->Decode(line);
  if (verdict == Verdict::kBlank) return;
  ++rows->lines;
  if (verdict == Verdict::kDead) {
    Bury(origin, decoder_->reason(), rows);
  } else {
    TakeRow(context, kind, origin, rows);
  }
}

// Settles what could only be known at the end of a table and adds its rows to the tenant's.
void TenantReader::Keep(TableRows&& rows, LegacyKind kind, bool has_active, TenantRows* out) {
  for (Placed<CredentialRow>& credential : rows.credentials) {
    std::string_view reason;
    if (!credential.row.is_active && has_active) reason = "missing_is_active";
    else if (credential.row.created_at > settings_.as_of + kDay) reason = "future_time";
    if (reason.empty()) {
      out->credentials.push_back(std::move(credential));
    } else {
      rows.dead_letters.push_back({credential.origin, credential.row.id, std::string(reason), {}});
    }
  }
  std::move(rows.keys.begin(), rows.keys.end(), std::back_inserter(out->keys));
  std::move(rows.records.begin(), rows.records.end(), std::back_inserter(out->records));
  if (rows.earliest_run) KeepEarlier(*rows.earliest_run, &out->earliest_run);
  if (out->runs.size() == 0) {
    out->runs = std::move(rows.runs);
  } else {
    out->runs.Merge(rows.runs);
  }
  if (kind == LegacyKind::kKeys && !rows.dead_letters.empty()) out->keys_complete = false;
  if (kind == LegacyKind::kCredentials && !rows.dead_letters.empty()) out->credentials_complete = false;
  if (kind == LegacyKind::kRecord && !rows.dead_letters.empty())
    out->failure = "a row of its tenants table cannot be read (" + rows.dead_letters[0].reason +
                   "): whether it is suspended is unknown";
  out->rows[static_cast<size_t>(kind)] += rows.lines;
  out->dead_letters_left_out += rows.dead_letters_left_out;
  std::move(rows.dead_letters.begin(), rows.dead_letters.end(), std::back_inserter(out->dead_letters));
}

Result<> TenantReader::ReadTable(const Tenant& tenant, const CarrierTable& carrier, TenantRows* out) {
  const RowContext context{tenant.name, settings_.as_of, settings_.api_key_column_holds_hash};
  const legacy::LegacyTable& table = carrier.table;
  decoder_ = &decoders_[static_cast<size_t>(carrier.kind)];
  decoder_->StartTable(carrier.kind, table.schema);
  DigestTable(table);
  TableRows rows;
  RowOrigin origin{table.dataset, table.name, {}, 0};
  for (size_t part = 0; part < table.parts.size(); ++part) {
    origin.part = table.parts[part].name;
    REEVE_ASSIGN(const std::unique_ptr<legacy::LineReader> lines, estate_.OpenLines(table, part));
    for (legacy::Line line;;) {
      const bool timed = lines_++ % kTimedLineEvery == 0;
      const Micros before = timed ? clock_.Steady() : 0;
      REEVE_ASSIGN(const bool more, lines->Next(&line));
      if (!more) break;
      const Micros between = timed ? clock_.Steady() : 0;
      origin.line = line.number;
      Digest(line.text);
      Digest("\n");
      TakeLine(context, carrier.kind, line, origin, &rows);
      if (!timed) continue;
      times_.read += static_cast<double>((between - before) * kTimedLineEvery) / kSecond;
      times_.parse += static_cast<double>((clock_.Steady() - between) * kTimedLineEvery) / kSecond;
    }
  }
  out->bytes += table.bytes;
  std::string why;
  const std::vector<std::string> columns = decoder_->Columns();
  const bool empty = rows.lines == 0 && !table.schema;  // rows none of which is readable are not nothing
  if (!empty && !catalog::IsRecognised(carrier.kind, columns, &why)) {
    out->rows[static_cast<size_t>(carrier.kind)] += rows.lines;
    out->dead_letters.push_back({{table.dataset, table.name, "", 0}, "", "unknown_shape", DescribeUnknownShape(why, *decoder_)});
    if (carrier.kind == LegacyKind::kKeys) out->keys_complete = false;
    if (carrier.kind == LegacyKind::kCredentials) out->credentials_complete = false;
    if (carrier.kind == LegacyKind::kRecord) out->failure = "its tenants table has an unknown shape: whether it is suspended is unknown";
    return {};
  }
  out->shapes[table.dataset + "." + table.name] = empty ? "empty" : catalog::ShapeOf(carrier.kind, columns);
  if (carrier.kind == LegacyKind::kRuns) out->runs_known = true;
  Keep(std::move(rows), carrier.kind, decoder_->HasColumn(catalog::Field::kIsActive), out);
  return {};
}

Result<> TenantReader::ReadShared(const Tenant& tenant, bool keys_only, TenantRows* out) {
  if (!shared_.Has(tenant.name)) return {};
  const RowContext context{{}, settings_.as_of, settings_.api_key_column_holds_hash};
  std::map<size_t, TableRows> by_table;
  const auto visit = [&](size_t index, const RowOrigin& origin, const legacy::Line& line) -> Result<> {
    const CarrierTable& carrier = shared_.table(index);
    if (keys_only && carrier.kind != LegacyKind::kKeys) return {};
    decoder_ = &decoders_[static_cast<size_t>(carrier.kind)];
    decoder_->StartTable(carrier.kind, carrier.table.schema);
    Digest(fmt::format("\n{}.{}\n", origin.dataset, origin.table));
    Digest(line.text);
    TakeLine(context, carrier.kind, line, origin, &by_table[index]);
    return {};
  };
  REEVE_TRY(shared_.ForTenant(tenant.name, visit));
  for (auto& [index, rows] : by_table) {
    const CarrierTable& carrier = shared_.table(index);
    if (carrier.kind == LegacyKind::kRuns && rows.runs.size() > 0) out->runs_known = true;
    Keep(std::move(rows), carrier.kind, shared_.HasActiveColumn(index), out);
  }
  return {};
}

void TenantReader::Digest(std::string_view bytes) {
  if (undigested_.size() + bytes.size() > kDigestPieceBytes) {
    digest_.Update(undigested_);
    undigested_.clear();
  }
  if (bytes.size() > kDigestPieceBytes) {
    digest_.Update(bytes);
  } else {
    undigested_ += bytes;
  }
}

void TenantReader::DigestTable(const legacy::LegacyTable& table) {
  Digest(fmt::format("\n{}.{}\n", table.dataset, table.name));
  if (!table.schema) return;
  for (const std::string& column : *table.schema) Digest(column + ",");
}

std::string TenantReader::FinishDigest() {
  digest_.Update(undigested_);
  undigested_.clear();
  return HexEncode(digest_.Finish());
}

void TenantReader::StartDigest(std::string_view collisions) {
  (void)FinishDigest();
  Digest(settings_.options_digest);
  Digest("\n");
  Digest(collisions);
}

TenantRows TenantReader::ReadAll(const Tenant& tenant, std::string_view collisions) {
  TenantRows rows;
  StartDigest(collisions);
  Result<> result;
  for (const CarrierTable& carrier : tenant.tables) {
    result = ReadTable(tenant, carrier, &rows);
    if (!result) break;
  }
  if (result) result = ReadShared(tenant, false, &rows);
  if (!result) rows.failure = std::move(result).error().message;
  rows.source_digest = FinishDigest();
  return rows;
}

std::vector<std::string> TenantReader::ReadHashes(const Tenant& tenant) {
  TenantRows rows;
  StartDigest({});
  for (const CarrierTable& carrier : tenant.tables)
    if (carrier.kind == LegacyKind::kKeys && !ReadTable(tenant, carrier, &rows)) break;
  (void)ReadShared(tenant, true, &rows);
  std::vector<std::string> hashes;
  for (const Placed<KeyRow>& key : rows.keys) hashes.push_back(HexDecode(key.row.hash).value_or(""));
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

std::optional<std::string> TenantReader::DigestOnly(const Tenant& tenant, std::string_view collisions) {
  StartDigest(collisions);
  for (const CarrierTable& carrier : tenant.tables) {
    const legacy::LegacyTable& table = carrier.table;
    DigestTable(table);
    for (size_t part = 0; part < table.parts.size(); ++part) {
      const auto lines = estate_.OpenLines(table, part);
      if (!lines) return std::nullopt;
      for (legacy::Line line;;) {
        const Result<bool> more = (*lines)->Next(&line);
        if (!more) return std::nullopt;
        if (!*more) break;
        Digest(line.text);
        Digest("\n");
      }
    }
  }
  const auto visit = [this](size_t, const RowOrigin& origin, const legacy::Line& line) -> Result<> {
    Digest(fmt::format("\n{}.{}\n", origin.dataset, origin.table));
    Digest(line.text);
    return {};
  };
  if (!shared_.ForTenant(tenant.name, visit)) return std::nullopt;
  return FinishDigest();
}

}  // namespace reeve::migrate::copy
