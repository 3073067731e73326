// To the journal and back.
#include "engine/summary.h"

#include <fmt/core.h>

#include <chrono>

namespace mha {
namespace {

using nlohmann::json;
using MillisecondCount = std::chrono::duration<double, std::milli>;

std::string text_in(const json& value, const char* key) {
  const auto found = value.find(key);
  return found != value.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<std::string> texts_in(const json& value, const char* key) {
  std::vector<std::string> texts;
  const auto found = value.find(key);
  if (found == value.end() || !found->is_array()) return texts;
  for (const json& one : *found) {
    if (one.is_string()) texts.push_back(one.get<std::string>());
  }
  return texts;
}

void put(json& document, const char* key, const std::string& text) {
  if (!text.empty()) document[key] = text;
}

void put(json& document, const char* key, const std::vector<std::string>& texts) {
  if (!texts.empty()) document[key] = texts;
}

// Of a header, where a master is {"host": ..., "port": ...}.
std::string title_in(const json& header, const char* key) {
  const auto found = header.find(key);
  if (found == header.end() || !found->is_object()) return "";
  const std::string host = text_in(*found, "host");
  const auto port = found->find("port");
  const bool is_usual = port == found->end() || !port->is_number_integer() || *port == 3306;
  return is_usual ? host : fmt::format("{}:{}", host, port->get<unsigned>());
}

}  // namespace

json to_json(const OperationSummary& summary) {
  json document{{"orig_master", summary.orig_master}, {"new_master", summary.new_master}};
  if (summary.downtime.has_value()) {
    document["downtime_ms"] = MillisecondCount{*summary.downtime}.count();
  }
  put(document, "salvaged", summary.salvaged);
  put(document, "lost", summary.lost);
  put(document, "saved_file", summary.saved_file);
  put(document, "fence", summary.fence);
  put(document, "leftovers", summary.leftovers);
  put(document, "journal", summary.journal);
  return document;
}

OperationSummary summary_from_json(const json& value) {
  OperationSummary summary;
  if (!value.is_object()) return summary;
  summary.orig_master = text_in(value, "orig_master");
  summary.new_master = text_in(value, "new_master");
  const auto downtime = value.find("downtime_ms");
  if (downtime != value.end() && downtime->is_number()) {
    summary.downtime =
        std::chrono::duration_cast<TimePoint::duration>(MillisecondCount{downtime->get<double>()});
  }
  summary.salvaged = texts_in(value, "salvaged");
  summary.lost = texts_in(value, "lost");
  summary.saved_file = text_in(value, "saved_file");
  summary.fence = text_in(value, "fence");
  summary.leftovers = texts_in(value, "leftovers");
  summary.journal = text_in(value, "journal");
  return summary;
}

void note_summary(Journal& journal, const OperationSummary& summary, Log& log) {
  json record = to_json(summary);
  record["event"] = "summary";
  Status noted = journal.append(std::move(record));
  if (noted.ok()) noted = journal.sync();
  if (!noted.ok()) log.warning("{}", noted.error().message);
}

OperationSummary summary_of(const JournalFile& journal) {
  OperationSummary summary;
  for (const json& record : journal.records) {
    if (record.value("event", "") == "summary") summary = summary_from_json(record);
  }
  const json& header = journal.records.front();
  if (summary.orig_master.empty()) summary.orig_master = title_in(header, "orig_master");
  if (summary.new_master.empty()) summary.new_master = title_in(header, "new_master");
  summary.journal = journal.path;
  return summary;
}

}  // namespace mha
