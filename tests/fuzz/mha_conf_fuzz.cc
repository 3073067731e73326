// MHA's own configuration: an application's file, the global one, and what init_conf_load_script
// prints.
#include "config/mha_conf.h"
#include "fuzz/fuzz.h"

namespace mha::fuzz {
namespace {

void check_server(const MhaConf& conf, const MhaServer& server) {
  must(!server.hostname.empty(), "a server has a hostname");
  must(conf.find(server.hostname, server.port) != nullptr, "a server is found by name and port");
  must(!server.values.contains("password"), "the values have no password");
  must(!server.values.contains("repl_password"), "the values have no replication password");
}

}  // namespace

void try_input(std::string_view input) {
  static const Folder folder;
  const std::vector<std::string> parts = parts_of(input, 3);
  const std::string app = folder.write("app.cnf", parts[0]);
  const std::string global = folder.write("global.cnf", parts[1]);
  const RunConfScript script = [&parts](const std::string& /*command*/) -> Result<Secret> {
    return Secret{parts[2]};
  };
  const Result<MhaConf> conf = load_mha_conf(app, global, script);
  if (!conf.ok()) {
    must(conf.error().code == Code::kConfig, "a wrong file is kConfig");
    must_be_one_line(conf.error().message);
    return;
  }
  for (const Diagnostic& warning : conf.value().warnings) must_be_one_line(warning.text());
  must(!conf.value().defaults.contains("password"), "the defaults have no password");
  for (const MhaServer& server : conf.value().servers) check_server(conf.value(), server);
}

}  // namespace mha::fuzz
