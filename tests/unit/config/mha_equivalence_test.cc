// Our reading of MHA's files held against MHA's own: perl's Config::Tiny and MHA::Config.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/shell_quote.h"
#include "config/ini_reader.h"
#include "config/mha_conf.h"
#include "source_paths.h"
#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::SizeIs;

using Keys = std::map<std::string, std::string>;
// Sections in order, each with its keys; nullopt: the file was refused.
using Reading = std::optional<std::vector<std::pair<std::string, Keys>>>;

std::string from_hex(const std::string& text) {  // ".6162"
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return out;
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  char buffer[4096];
  std::size_t got = 0;
  while (pipe != nullptr && (got = fread(buffer, 1, sizeof buffer, pipe)) > 0) {
    out.append(buffer, got);
  }
  EXPECT_EQ(pclose(pipe), 0) << command.substr(0, 200);
  return out;
}

// One reading for each "F" of a perl script's output.
std::vector<Reading> perl_readings(const std::string& script,
                                   const std::vector<std::string>& files) {
  std::string command = "perl " MHA_SOURCE_DIR "/tests/unit/config/" + script;
  for (const std::string& file : files) {
    command += " " + shell_quote(file);
  }
  std::vector<Reading> readings;
  std::istringstream lines(output_of(command));
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string kind;
    std::string first;
    std::string second;
    words >> kind >> first >> second;
    if (kind == "F") {
      readings.emplace_back(Reading::value_type{});
    } else if (kind == "E") {
      readings.back().reset();
    } else if (kind == "S") {
      readings.back()->emplace_back(from_hex(first), Keys{});
    } else {
      readings.back()->back().second[from_hex(first)] = from_hex(second);
    }
  }
  return readings;
}

bool perl_has(const std::string& module) {
  return std::system(("perl -M" + module + " -e 1 >/dev/null 2>&1").c_str()) == 0;
}

#define NEED_PERL_MODULE(module)                                              \
  if (!perl_has(module)) {                                                    \
    const char* ci = std::getenv("CI");                                       \
    if (ci != nullptr && std::string_view(ci) == "true") {                    \
      FAIL() << "perl's " << module << " is missing (mha4mysql-manager)";     \
    }                                                                         \
    GTEST_SKIP() << "perl's " << module << " is missing (mha4mysql-manager)"; \
  }

Reading our_reading(const std::string& file) {
  const IniDocument document = read_ini(file, IniDialect::kConfigTiny);
  if (!document.errors.empty()) {
    return std::nullopt;
  }
  std::map<std::string, Keys> sections;
  for (const IniSection& section : document.sections) {
    Keys& keys = sections[std::string(section.name)];
    for (const IniRow& row : section.rows) {
      keys[std::string(row.key)] = std::string(row.value);
    }
  }
  return Reading::value_type(sections.begin(), sections.end());
}

std::string show(const Reading& reading) {
  if (!reading) {
    return "refused";
  }
  std::string out;
  for (const auto& [section, keys] : *reading) {
    out += "[" + section + "]\n";
    for (const auto& [key, value] : keys) {
      out += "<" + key + ">=<" + value + ">\n";
    }
  }
  return out;
}

// The same numbers everywhere: std::uniform_int_distribution differs between libraries.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  std::string pick(const std::vector<std::string>& from) { return from[below(from.size())]; }
  std::string some(const std::vector<std::string>& from, std::size_t most) {
    std::string out;
    for (std::size_t i = below(most + 1); i > 0; --i) {
      out += pick(from);
    }
    return out;
  }

 private:
  std::mt19937 engine_;
};

const std::vector<std::string>& tricky() {
  static const std::vector<std::string> parts = {
      " ", " ", "\t", ";", " ; ", " ;", "; ", "#",    ":",    "=",  "\"", "'", "\\", "$", "[",
      "]", "%", "a",  "b", "Z",   "0",  "é",  "\xff", "\xa0", "\v", "\f", "!", "`",  "(", "x y"};
  return parts;
}

const std::vector<std::string>& line_ends() {
  static const std::vector<std::string> ends = {"\n", "\n", "\n", "\r\n", "\r\r\n", "\r", "\n\n"};
  return ends;
}

// Lines as people write them, with values of every kind: both must read the same.
std::string sensible_file(Dice& dice) {
  const std::vector<std::string> spaces = {"", "", " ", "  ", "\t"};
  const std::vector<std::string> keys = {"user", "password", "repl_password", "ssh_options", "x"};
  std::string text = "[server default]\n";
  for (std::size_t line = 5 + dice.below(20); line > 0; --line) {
    switch (dice.below(8)) {
      case 0:
        text += dice.pick(spaces) + "[" + dice.pick(spaces) + "server" +
                dice.pick({"1", "2", " x"}) + dice.pick(spaces) + "]" +
                dice.pick({"", " ", " ; c", "  ; [x] = y"});
        break;
      case 1:
        text += dice.pick(spaces) + dice.pick({"#", ";"}) + dice.some(tricky(), 6);
        break;
      case 2:
        text += dice.pick(spaces);
        break;
      case 3:
        text += dice.pick(keys) + "=" + std::string(dice.below(600), 'v') + dice.some(tricky(), 3);
        break;
      default:
        text += dice.pick(spaces) + dice.pick(keys) + dice.pick(spaces) + "=" + dice.pick(spaces) +
                dice.some(tricky(), 12);
    }
    text += dice.pick(line_ends());
  }
  return text;
}

TEST(MhaEquivalence, SensibleFilesReadAsByConfigTiny) {
  NEED_PERL_MODULE("Config::Tiny");
  const TempFolder folder;
  Dice dice(20240601);
  std::vector<std::string> texts;
  std::vector<std::string> files;
  for (int i = 0; i < 400; ++i) {
    texts.push_back(sensible_file(dice));
    files.push_back(folder.write("f" + std::to_string(i), texts.back()));
  }
  const std::vector<Reading> perl = perl_readings("dump_config_tiny.pl", files);
  ASSERT_THAT(perl, SizeIs(files.size()));
  for (std::size_t i = 0; i < files.size(); ++i) {
    ASSERT_TRUE(perl[i].has_value()) << texts[i];
    ASSERT_EQ(show(our_reading(files[i])), show(perl[i])) << texts[i];
  }
}

// Whatever comes: what it refuses we refuse, and what we take we take as it does. (We refuse some
// that it takes and MHA refuses afterwards: keys before the first section, `[a]b=c`.)
TEST(MhaEquivalence, AnyFileReadAsByConfigTinyOrRefused) {
  NEED_PERL_MODULE("Config::Tiny");
  const TempFolder folder;
  Dice dice(20240602);
  std::vector<std::string> texts;
  std::vector<std::string> files;
  for (int i = 0; i < 1500; ++i) {
    std::string text = dice.pick({"", "[a]\n", "[a]\n", "[a]\n"});
    for (std::size_t line = 1 + dice.below(3); line > 0; --line) {
      text += dice.some(tricky(), 5) + dice.pick({"=", "=", "=", ""}) + dice.some(tricky(), 5) +
              dice.pick(line_ends());
    }
    texts.push_back(text);
    files.push_back(folder.write("f" + std::to_string(i), text));
  }
  const std::vector<Reading> perl = perl_readings("dump_config_tiny.pl", files);
  ASSERT_THAT(perl, SizeIs(files.size()));
  int taken = 0;
  int refused = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Reading ours = our_reading(files[i]);
    if (ours) {
      ++taken;
      ASSERT_EQ(show(ours), show(perl[i])) << texts[i];
    } else {
      ++refused;
    }
  }
  EXPECT_GT(taken, 200);
  EXPECT_GT(refused, 200);
}

// MHA's view of a server, and ours in the same form.
std::pair<std::string, Keys> our_server(const MhaServer& server) {
  Keys keys = server.values;
  for (const auto& [name, secret] :
       {std::pair("password", server.password), std::pair("repl_password", server.repl_password)}) {
    if (!secret.empty()) {
      keys[name] = secret.reveal();
    }
  }
  EXPECT_EQ(keys["hostname"], server.hostname);
  EXPECT_EQ(keys["port"], std::to_string(server.port));
  EXPECT_EQ(keys["ssh_port"], std::to_string(server.ssh_port));
  EXPECT_EQ(keys["user"], server.user);
  EXPECT_EQ(keys["ssh_user"], server.ssh_user);
  EXPECT_EQ(keys["ssh_host"], server.ssh_host);
  return {server.id, keys};
}

Reading our_mha_reading(const std::string& app, const std::string& global) {
  const auto conf = load_mha_conf(app, global);
  if (!conf.ok()) {
    return std::nullopt;
  }
  Reading reading = Reading::value_type{};
  for (const auto* servers : {&conf.value().servers, &conf.value().binlog_servers}) {
    for (const MhaServer& server : *servers) {
      reading->push_back(our_server(server));
    }
  }
  return reading;
}

// We do not tell an empty password from none, nor does it matter to anybody.
Reading without_empty_passwords(Reading reading) {
  if (reading) {
    for (auto& [section, keys] : *reading) {
      std::erase_if(keys, [](const auto& item) {
        return item.first.ends_with("password") && item.second.empty();
      });
    }
  }
  return reading;
}

TEST(MhaEquivalence, ServersReadAsByMha) {
  NEED_PERL_MODULE("MHA::Config");
  struct Pair {
    std::string app;
    std::string global;
  };
  const std::string one = "[server1]\nhostname=127.0.0.1\nip=127.0.0.1\n";
  const std::vector<Pair> pairs = {
      {one, ""},
      {one + "[server2]\nhostname=127.0.0.2\nip=127.0.0.2\nport=3307\n",
       "[server default]\nuser=g\n"},
      {"[server default]\nuser=''root''\npassword=\"\"\"x\"y\"\"\"\nport=\nssh_port='2202'\n"
       "master_binlog_dir = /a, /b\nping_type=insert\n" +
           one,
       "[server default]\nport=0\nssh_options=-i '/g'\nrepl_password=\"it's\"\nmanager_workdir=\n"},
      {one + "user=\npassword='abc\nrepl_user=r\nrepl_password=abc'\ncandidate_master=no\nno_"
             "master=\n"
             "ssh_options=-i \"/h "
             "k\"\nssh_ip=127.9.9.9\nlatest_priority=0\nlog_level=\nremote_workdir=0\n",
       ""},
      {one + "ssh_host=127.0.0.3\nnode_label=n\n", ""},
      {"[server default]\nreport_script=/r --x='y'\nsecondary_check_script=/s -s a -s b ; no\n"
       "shutdown_script=\"\"\n" +
           one + "report_script=\n[binlog1]\nhostname=127.0.0.8\nip=127.0.0.8\n",
       ""},
      {one + "[server10]\nhostname=127.0.0.10\nip=127.0.0.10\n[server2]\nhostname=127.0.0.2\n"
             "ip=127.0.0.2\n[server_3x4]\nhostname=127.0.0.3\nip=127.0.0.3\n",
       ""},
      {one + "[server10]\nhostname=127.0.0.10\nip=127.0.0.10\n[server2]\nhostname=127.0.0.2\n"
             "ip=127.0.0.2\n[serverx]\nhostname=127.0.0.3\nip=127.0.0.3\n",
       ""},
      {one + "[serverx y]\nhostname=127.0.0.4\nip=127.0.0.4\n", ""},
      {one + "[server1]\nport=3308\nport=3309\n", ""},
      {one + "use_gtid_auto_pos=0\nclient_bindir=/b\nclient_libdir='/l'\nmaster_pid_file=/p\n"
             "init_conf_load_script=\nhandle_raw_binlog=0\ndisable_log_bin=1\n",
       ""},
      // Refused by both.
      {"", ""},
      {"[server default]\n", ""},
      {one + "hostnam=x\n", ""},
      {one, "[server default]\nnope=1\n"},
      {one, "[server default]\nnope\n"},
      {one + "[junk]\n", ""},
      {one + "[server]\nhostname=127.0.0.2\n", ""},
      {one + "[server 2]\nhostname=127.0.0.2\n", ""},
      {"user=x\n" + one, ""},
      {one + "port: 3307\n", ""},
      {one + "ping_interval=0\n", ""},
      {one + "ping_interval=\"3\"\n", ""},
      {one + "ping_type=PING\n", ""},
      {one + "ping_type='SELECT'\n", ""},
      {one + "ssh_connection_timeout=x\n", ""},
      {one + "[server2]\nport=3307\n", ""},
      {one + "[server2]\nhostname=127.0.0.1\nip=127.0.0.1\n", ""},
      {one + "[a]x=1\n", ""},
      {"\xef\xbb\xbf" + one, ""},
  };
  const TempFolder folder;
  std::vector<std::string> files;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::string number = std::to_string(i);
    files.push_back(folder.write("app" + number, pairs[i].app));
    files.push_back(pairs[i].global.empty() ? folder.path("none")
                                            : folder.write("global" + number, pairs[i].global));
  }
  const std::vector<Reading> theirs = perl_readings("dump_mha_config.pl", files);
  ASSERT_THAT(theirs, SizeIs(pairs.size()));
  int taken = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(show(our_mha_reading(files[2 * i], files[2 * i + 1])),
              show(without_empty_passwords(theirs[i])))
        << pairs[i].global << "---\n"
        << pairs[i].app;
    taken += theirs[i] ? 1 : 0;
  }
  EXPECT_EQ(taken, 11);
}

}  // namespace
}  // namespace mha
