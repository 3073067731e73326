// Looking at the hosts, composing, sending or spooling.
#include "cli/report_mail.h"

#include <fmt/core.h>

#include <utility>

#include "base/private_folder.h"
#include "cli/adapters.h"
#include "cli/mha_nodes.h"
#include "cli/switch_conf.h"
#include "config/text_file.h"
#include "core/report.h"
#include "mail/curl_mailer.h"
#include "mail/spool.h"

namespace mha {
namespace {

constexpr Milliseconds kLookAtHosts{8000};
constexpr Milliseconds kSend{30000};

Result<SmtpServer> smtp_server(const HostSettings& settings) {
  SmtpServer server;
  server.host = settings.smtp_host;
  server.port = settings.smtp_port;
  server.security = settings.smtp_security;
  server.user = settings.smtp_user;
  server.ca_file = settings.smtp_ca_file;
  if (!settings.smtp_password_file.empty()) {
    Result<Secret> password = read_password_file(settings.smtp_password_file);
    if (!password.ok()) {
      return Error{Code::kConfig,
                   fmt::format("smtp_password_file {} {}", settings.smtp_password_file,
                               password.error().message)};
    }
    server.password = std::move(password).value();
  }
  return server;
}

// What can be had: a conf that cannot be read must not keep the mail from being sent.
MhaConf conf_of_cluster(Program& program, const std::string& path) {
  if (path.empty()) return {};
  Result<MhaConf> conf = load_switch_conf(program, path);
  if (conf.ok()) return std::move(conf).value();
  program.log.warning("{}; the report does without a look at the hosts", conf.error().message);
  return {};
}

std::vector<NodeSpec> nodes_of(Program& program, const HelperConfig& config, const MhaConf& conf) {
  std::vector<NodeSpec> nodes;
  for (const MhaServer& server : conf.servers) {
    Result<NodeSpec> node = node_from_mha(program, config, server, "server");
    if (node.ok()) {
      nodes.push_back(std::move(node).value());
    } else {
      program.log.warning("{}: {}", server.hostname, node.error().message);
    }
  }
  return nodes;
}

// Earlier reports, now that a server takes mail: their own failure is none of this report's.
void send_what_was_spooled(Program& program, const SmtpServer& server) {
  CurlMailer mailer(program.clock, program.log);
  const Result<FlushOutcome> flushed = flush_spool(program.state_dir + "/spool", server, mailer,
                                                   program.clock.deadline_after(kSend));
  if (!flushed.ok()) {
    program.log.warning("earlier reports stay spooled: {}", flushed.error().message);
    return;
  }
  if (flushed.value().sent > 0) {
    program.log.info("{} earlier report(s) from the spool went along", flushed.value().sent);
  }
  for (const std::string& problem : flushed.value().problems) program.log.warning("{}", problem);
}

int deliver(Program& program, const HostSettings& settings, const Mail& mail) {
  const Result<SmtpServer> server = smtp_server(settings);
  Status sent;
  if (server.ok()) {
    CurlMailer mailer(program.clock, program.log);
    sent = mailer.send(server.value(), mail, program.clock.deadline_after(kSend));
  } else {
    sent = server.error();
  }
  if (sent.ok()) {
    // For whom is the mailer's to say: it warns of each recipient that the server refused.
    program.log.info("the report was accepted by {}", settings.smtp_host);
    send_what_was_spooled(program, server.value());
    return 0;
  }
  // Not made by the spool as a folder like any other: journals will be in it.
  if (const Status made = ensure_private_folder(program.state_dir); !made.ok()) {
    program.log.warning("the state folder: {}", made.error().message);
  }
  const Result<std::string> spooled = spool_mail(program.state_dir + "/spool", mail, program.clock);
  if (!spooled.ok()) {
    return report_error(program,
                        spooled.error().with_context(fmt::format(
                            "the report was neither sent ({}) nor spooled", sent.error().message)));
  }
  program.log.warning("the report was not sent: {}; it is kept in {}", sent.error().message,
                      spooled.value());
  return static_cast<int>(Ending::kIncomplete);
}

}  // namespace

int mail_report(Program& program, const HelperConfig& config, const ReportRequest& request,
                const std::string& conf_path) {
  const MhaConf conf = conf_of_cluster(program, conf_path);
  const MhaServer* orig = conf.find(request.orig_master_host, 0);
  const Result<HelperConfig::Lookup> found = config.find(
      request.orig_master_host, address_in_config(program, config, request.orig_master_host,
                                                  orig == nullptr ? std::string{} : orig->ip));
  if (!found.ok()) return report_error(program, found.error());
  for (const std::string& warning : found.value().warnings) program.log.warning("{}", warning);
  const HostSettings& settings = found.value().settings;
  if (settings.report_email.empty()) {
    program.log.info("report_email is not set for {}: no report is mailed",
                     request.orig_master_host);
    return 0;
  }

  const std::vector<NodeSpec> nodes = nodes_of(program, config, conf);
  Adapters adapters(program);
  Environment environment = adapters.environment();
  const std::vector<HostFacts> facts = gather_facts(nodes, kLookAtHosts, environment);
  const std::vector<JournalFile> journals = failover_journals(
      request.orig_master_host, orig == nullptr ? std::uint16_t{3306} : orig->port, environment);
  const Mail mail{
      settings.report_from, settings.report_email,
      request.subject.empty() ? "MySQL failover of " + request.orig_master_host : request.subject,
      compose_report(request, facts, journals)};
  return deliver(program, settings, mail);
}

}  // namespace mha
