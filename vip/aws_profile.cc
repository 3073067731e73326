// Both files by the project's ini reader: inih alone would cut a session token, which is longer
// than its lines.
#include "vip/aws_profile.h"

#include <fmt/core.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "config/ascii.h"
#include "config/diagnostic.h"
#include "config/ini_reader.h"

namespace mha {
namespace {

// By these the SDKs would run a program or ask another service for the keys.
constexpr std::array<std::string_view, 6> kNotBuilt = {
    "credential_process",      "role_arn",     "sso_session", "sso_account_id",
    "web_identity_token_file", "sso_role_name"};

struct Files {
  std::string credentials;
  std::string config;
};

Files files_of(const Environ& environ) {
  const std::string home = set_variable(environ, "HOME").value_or("");
  const auto below_home = [&home](const char* name) {
    return home.empty() ? std::string{} : home + "/.aws/" + name;
  };
  return {set_variable(environ, "AWS_SHARED_CREDENTIALS_FILE").value_or(below_home("credentials")),
          set_variable(environ, "AWS_CONFIG_FILE").value_or(below_home("config"))};
}

bool is_there(const std::string& path) {
  std::error_code unknown;
  return !path.empty() && std::filesystem::exists(path, unknown);
}

// An empty file is as good as none; /dev/null is what people write for one.
bool is_empty(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::is_character_file(path, unknown)) return true;
  return std::filesystem::file_size(path, unknown) == 0;
}

// Reads one file into the profile; what is there already stays.
class Reading {
 public:
  explicit Reading(AwsProfile& profile) : profile_(profile) {}

  // In the credentials file a section is a profile's name; in the other one, except for default, it
  // has the word "profile" before it.
  Status read(const std::string& path, std::string_view section_name) {
    if (!is_there(path)) return {};
    if (is_empty(path)) return {};
    const IniDocument document = read_ini(path, IniDialect::kConfigParser);
    for (const Diagnostic& error : document.errors) return Error{Code::kConfig, error.text()};
    for (const IniSection& section : document.sections) {
      if (squeezed(section.name) != section_name) continue;
      profile_.found = true;
      if (Status taken = take(path, section, without_controls(std::string(section_name)));
          !taken.ok()) {
        return taken;
      }
    }
    return {};
  }

 private:
  // "profile   x" is "profile x".
  static std::string squeezed(std::string_view name) {
    std::string text;
    for (const char c : name) {
      if (is_space(c) && (text.empty() || is_space(text.back()))) continue;
      text += c;
    }
    return text;
  }

  // `name` is for messages: the section's own may be written with tabs.
  Status take(const std::string& path, const IniSection& section, const std::string& name) {
    std::string key_id;
    Secret secret;
    Secret token;
    for (const IniRow& row : section.rows) {
      const std::string key = lower_case(row.key);
      const std::string value(row.value);
      if (key == "aws_access_key_id") key_id = value;
      if (key == "aws_secret_access_key") secret = Secret(value);
      if (key == "aws_session_token") token = Secret(value);
      if (key == "region" && profile_.region.empty()) profile_.region = value;
      for (const std::string_view foreign : kNotBuilt) {
        if (key == foreign && not_built_.empty()) {
          not_built_ = fmt::format("{}:{}: [{}] {}", path, row.line, name, key);
        }
      }
    }
    const std::string here = fmt::format("[{}] of {}", name, path);
    if (key_id.empty() != secret.empty()) {
      return Error{Code::kConfig,
                   fmt::format("{}:{}: [{}] has no {}", path, section.line, name,
                               key_id.empty() ? "aws_access_key_id" : "aws_secret_access_key")};
    }
    if (key_id.empty() || !profile_.access_key_id.empty()) return {};
    profile_.access_key_id = key_id;
    profile_.secret_access_key = secret;
    profile_.session_token = token;
    profile_.place = here;
    return {};
  }

 public:
  // Where the keys would come from something that is not built: its place.
  [[nodiscard]] const std::string& not_built() const { return not_built_; }

 private:
  AwsProfile& profile_;
  std::string not_built_;
};

}  // namespace

std::optional<std::string> set_variable(const Environ& environ, const std::string& name) {
  std::optional<std::string> value = environ(name);
  if (value.has_value() && value->empty()) value.reset();
  return value;
}

Result<AwsProfile> read_aws_profile(const std::string& wanted, const Environ& environ) {
  const std::optional<std::string> from_environment = set_variable(environ, "AWS_PROFILE");
  AwsProfile profile;
  profile.name = !wanted.empty() ? wanted : from_environment.value_or("default");
  const Files files = files_of(environ);
  profile.files = fmt::format("{} and {}", files.credentials, files.config);

  Reading reading(profile);
  if (Status read = reading.read(files.credentials, profile.name); !read.ok()) return read.error();
  const std::string in_config =
      profile.name == "default" ? profile.name : "profile " + profile.name;
  if (Status read = reading.read(files.config, in_config); !read.ok()) return read.error();
  if (profile.name == "default" && !profile.found) {
    // The other spelling, which the SDKs take too.
    if (Status read = reading.read(files.config, "profile default"); !read.ok())
      return read.error();
  }

  const bool asked_for = !wanted.empty() || from_environment.has_value();
  if (asked_for && !profile.found) {
    return Error{
        Code::kConfig,
        fmt::format("the AWS profile '{}' ({}) is in none of {}: add [{}] to the first, or "
                    "correct the name",
                    profile.name, wanted.empty() ? "AWS_PROFILE" : "aws_profile", profile.files,
                    profile.name)};
  }
  if (profile.access_key_id.empty() && !reading.not_built().empty()) {
    return Error{Code::kConfig,
                 fmt::format("{}: is not supported here: write aws_access_key_id and "
                             "aws_secret_access_key, or use an instance role",
                             reading.not_built())};
  }
  return profile;
}

}  // namespace mha
