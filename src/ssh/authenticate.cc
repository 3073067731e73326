// One key after the other, until the server takes one.
#include "ssh/authenticate.h"

#include <fmt/core.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "ssh/ssh_agent.h"

namespace mha {
namespace {

// In place of the question for a passphrase that libssh or OpenSSL would put on the terminal.
int refuse_passphrase(const char*, char*, std::size_t, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

class Login {
 public:
  Login(LibsshSession& session, const SshSettings& settings, Deadline deadline)
      : session_(session), settings_(settings), deadline_(deadline) {}

  Status run() {
    bool all_read = true;
    for (const std::string& file : settings_.identity_files) {
      const Attempt attempt = try_file(file);
      if (attempt == Attempt::kDone) return result_;
      if (attempt == Attempt::kNotRead) all_read = false;
    }
    if (settings_.identity_agent.empty()) {
      tried_.push_back("no agent (SSH_AUTH_SOCK is not set)");
    } else if (settings_.identities_only && all_read) {
      tried_.push_back("not the agent (IdentitiesOnly)");
    } else if (try_agent() == Attempt::kDone) {
      return result_;
    }
    return Error{Code::kDenied,
                 fmt::format("the server took no key for user {}: {}", settings_.user, tried())};
  }

 private:
  enum class Attempt {
    kDone,     // result_ says how
    kRefused,  // the server did not take it
    kNotRead,  // the key could not be had
  };

  [[nodiscard]] std::string tried() const {
    std::string text;
    for (const std::string& one : tried_) text += (text.empty() ? "" : ", ") + one;
    return text;
  }

  Attempt done(Status result) {
    result_ = std::move(result);
    return Attempt::kDone;
  }

  // `answer`: of one of libssh's authentication calls.
  Attempt judge(const Result<int>& answer, const std::string& what) {
    if (!answer.ok()) {
      return done(
          Error{answer.error().code, fmt::format("no answer in time to the login with {}", what)});
    }
    switch (answer.value()) {
      case SSH_AUTH_SUCCESS:
        return done({});
      case SSH_AUTH_PARTIAL:
        return done(
            Error{Code::kDenied, fmt::format("the server took {} and wants a password or code "
                                             "besides, which nobody is there to give",
                                             what)});
      case SSH_AUTH_DENIED:
        tried_.push_back(what + " (refused)");
        return Attempt::kRefused;
      default:
        break;
    }
    // A server that has had enough of wrong keys says so and closes.
    if (const std::string farewell = session_.farewell(); !farewell.empty()) {
      tried_.push_back(what);
      return done(Error{Code::kDenied, fmt::format("the server ended the login of user {}: {}; "
                                                   "tried: {}",
                                                   settings_.user, farewell, tried())});
    }
    if (session_.fd() < 0 || ssh_is_connected(session_.get()) == 0) {
      return done(Error{Code::kUnreachable, fmt::format("the connection broke during login: {}",
                                                        session_.error_text())});
    }
    tried_.push_back(fmt::format("{} ({})", what, session_.error_text()));
    return Attempt::kRefused;
  }

  Attempt offer(ssh_key key, const std::string& what) {
    return judge(session_.drive(
                     [&] {
                       const int answer = ssh_userauth_publickey(session_.get(), nullptr, key);
                       return answer == SSH_AUTH_AGAIN ? SSH_AGAIN : answer;
                     },
                     deadline_),
                 what);
  }

  Attempt try_file(const std::string& file) {
    if (::access(file.c_str(), F_OK) != 0) {
      tried_.push_back(file + " (not there)");
      return Attempt::kNotRead;
    }
    bool asked = false;
    ssh_key raw = nullptr;
    const int read =
        ssh_pki_import_privkey_file(file.c_str(), nullptr, refuse_passphrase, &asked, &raw);
    const SshKey key{raw};
    if (read != SSH_OK) {
      const char* reason = asked ? "needs a passphrase" : "cannot be read";
      tried_.push_back(fmt::format("{} ({})", file, reason));
      return Attempt::kNotRead;
    }
    if (const Attempt attempt = try_certificate(file, key.get()); attempt == Attempt::kDone) {
      return attempt;
    }
    return offer(key.get(), file);
  }

  // ssh(1): "ssh will also try to load certificate information from the filename obtained by
  // appending -cert.pub".
  Attempt try_certificate(const std::string& file, ssh_key key) {
    const std::string certificate_file = file + "-cert.pub";
    ssh_key raw = nullptr;
    if (::access(certificate_file.c_str(), F_OK) != 0 ||
        ssh_pki_import_cert_file(certificate_file.c_str(), &raw) != SSH_OK) {
      return Attempt::kNotRead;
    }
    const SshKey certificate{raw};
    const SshKey signer{ssh_key_dup(key)};
    if (signer == nullptr ||
        ssh_pki_copy_cert_to_privkey(certificate.get(), signer.get()) != SSH_OK) {
      return Attempt::kNotRead;
    }
    return offer(signer.get(), certificate_file);
  }

  Attempt try_agent() {
    Result<std::unique_ptr<AgentLease>> lease =
        AgentLease::open(settings_.identity_agent, session_, deadline_);
    if (!lease.ok()) {
      tried_.push_back(fmt::format("no agent ({})", lease.error().message));
      return Attempt::kNotRead;
    }
    const Attempt attempt = judge(session_.drive(
                                      [&] {
                                        const int answer =
                                            ssh_userauth_agent(session_.get(), nullptr);
                                        return answer == SSH_AUTH_AGAIN ? SSH_AGAIN : answer;
                                      },
                                      deadline_),
                                  "the agent's keys");
    if (attempt != Attempt::kDone && session_.clock().passed(deadline_)) {
      return done(Error{Code::kTimeout, fmt::format("the agent at {} did not answer in time",
                                                    settings_.identity_agent)});
    }
    return attempt;
  }

  LibsshSession& session_;
  const SshSettings& settings_;
  const Deadline deadline_;
  std::vector<std::string> tried_;
  Status result_;
};

}  // namespace

Status authenticate(LibsshSession& session, const SshSettings& settings, Deadline deadline) {
  return Login{session, settings, deadline}.run();
}

}  // namespace mha
