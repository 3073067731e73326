// To the journal and back.
#include "engine/handover.h"

namespace mha {
namespace {

using nlohmann::json;

json position_to_json(const SourcePosition& position) {
  return json{{"file", position.binlog.file},
              {"position", position.binlog.position},
              {"gtids", position.gtids}};
}

SourcePosition position_from_json(const json& value) {
  return {{value.value("file", ""), value.value("position", std::uint64_t{0})},
          value.value("gtids", "")};
}

}  // namespace

json to_json(const Handover& handover) {
  return json{{"orig_end", position_to_json(handover.orig_end)},
              {"next_begin", position_to_json(handover.next_begin)}};
}

Result<Handover> handover_from_json(const json& value) {
  const bool has_both = value.is_object() && value.contains("orig_end") &&
                        value["orig_end"].is_object() && value.contains("next_begin") &&
                        value["next_begin"].is_object();
  if (!has_both) {
    return Error{Code::kInternal, "the journal does not say where the new master began"};
  }
  return Handover{position_from_json(value["orig_end"]), position_from_json(value["next_begin"])};
}

json replica_to_json(const ReplicaState& like) {
  const SourceSecurity& security = like.security;
  return json{{"source_host", like.source_host},
              {"gtid_use", static_cast<int>(like.gtid_use)},
              {"connect_retry", like.connect_retry},
              {"tls", security.tls},
              {"verify_server", security.verify_server},
              {"ca", security.ca},
              {"ca_path", security.ca_path},
              {"certificate", security.certificate},
              {"key", security.key},
              {"cipher", security.cipher},
              {"crl", security.crl},
              {"crl_path", security.crl_path},
              {"get_public_key", security.get_public_key},
              {"public_key_path", security.public_key_path}};
}

ReplicaState replica_from_json(const json& value) {
  ReplicaState like;
  SourceSecurity& security = like.security;
  like.source_host = value.value("source_host", "");
  like.gtid_use = static_cast<GtidUse>(value.value("gtid_use", 0));
  like.connect_retry = value.value("connect_retry", 60U);
  security.tls = value.value("tls", false);
  security.verify_server = value.value("verify_server", false);
  security.ca = value.value("ca", "");
  security.ca_path = value.value("ca_path", "");
  security.certificate = value.value("certificate", "");
  security.key = value.value("key", "");
  security.cipher = value.value("cipher", "");
  security.crl = value.value("crl", "");
  security.crl_path = value.value("crl_path", "");
  security.get_public_key = value.value("get_public_key", false);
  security.public_key_path = value.value("public_key_path", "");
  return like;
}

}  // namespace mha
