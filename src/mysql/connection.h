// A session on the client library in which no call outlasts its deadline.
//
// Neither Connector/C nor libmysqlclient can promise that by itself: their time-outs are whole
// seconds and count for each read anew; Connector/C's non-blocking calls block in the TLS handshake
// and in name lookup; MySQL's leave the session unusable for blocking ones. So the library runs,
// blocking, on a thread of the session's own. The caller waits for that thread until the deadline,
// then shuts the socket down from outside, which fails whatever the thread is doing at once, and
// goes. Only a name lookup cannot be cut: the thread is then left behind and ends with it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/secret.h"
#include "base/status.h"
#include "mysql/answer.h"
#include "ports/clock.h"
#include "ports/mysql_server.h"

namespace mha {

class Link;
class Worker;

// Not thread-safe; several may be opened and used at the same time from different threads. After
// kTimeout or kUnreachable it is dead, and says so to each further call. Destruction does not
// block.
class Connection {
 public:
  // Errors and TLS as the port says. kPreferred falls back to plain text both where the server has
  // no TLS and where its TLS is too old for ours (MySQL 5.6); kRequired and stronger are checked
  // afterwards, since Connector/C falls back in silence, MYSQL_OPT_SSL_ENFORCE or not
  // (observed, 3.3).
  static Result<std::unique_ptr<Connection>> open(const MysqlTarget& target, const Clock& clock,
                                                  Deadline deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // MysqlTarget::name().
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool encrypted() const { return encrypted_; }
  // The server's address, numeric.
  [[nodiscard]] const std::string& peer() const { return peer_; }

  // One or more statements, joined by ';', in one round trip; their results up to the first that
  // the server refuses, which is an error in the last result and not of the call. `doing` says for
  // an error's text what is going on: "reading read_only".
  Result<std::vector<StatementResult>> run(const std::string& sql, const std::string& doing,
                                           Deadline deadline);

  // As run(), of what may take its time: the deadline alone counts, not MysqlTarget's
  // answers_within.
  Result<std::vector<StatementResult>> run_long(const std::string& sql, const std::string& doing,
                                                Deadline deadline);

  // As run(), of one statement with a password in it, which is wiped when it has been sent.
  Result<std::vector<StatementResult>> run_secret(const Secret& sql, const std::string& doing,
                                                  Deadline deadline);

  // One statement; a refusal is kDenied or kRefused here.
  Result<std::vector<SqlRow>> rows(const std::string& sql, const std::string& doing,
                                   Deadline deadline);

  // For the text of an error that answered a statement.
  [[nodiscard]] Error refusal(const MysqlError& error, const std::string& doing) const;

 private:
  Connection(const MysqlTarget& target, const Clock& clock);

  Status connect(const MysqlTarget& target, Deadline deadline);
  // On the worker's thread; `execute` owns what it executes.
  Result<std::vector<StatementResult>> run_job(std::function<Answer(Link&)> execute,
                                               const std::string& doing, Milliseconds limit);
  [[nodiscard]] Milliseconds limit_of(Deadline deadline) const;
  Error give_up(const std::string& doing);

  const Clock& clock_;
  std::string name_;
  Milliseconds answers_within_;
  std::shared_ptr<Link> link_;  // the worker's job holds it as well
  std::unique_ptr<Worker> worker_;
  bool encrypted_ = false;
  std::string peer_;
  bool dead_ = false;
};

// `text` as an SQL string literal that means these bytes in every sql_mode.
std::string sql_literal(const std::string& text);

}  // namespace mha
