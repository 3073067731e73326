// Which lines of known_hosts count for a host, and what is said of a key.
#include "ssh/known_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace mha {
namespace {

using ::testing::HasSubstr;

struct KeyDeleter {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, KeyDeleter>;

Key make(ssh_keytypes_e type) {
  ssh_key raw = nullptr;
  EXPECT_EQ(ssh_pki_generate(type, type == SSH_KEYTYPE_RSA ? 2048 : 256, &raw), SSH_OK);
  return Key{raw};
}

// "type base64"
std::string text_of(ssh_key key) {
  char* base64 = nullptr;
  EXPECT_EQ(ssh_pki_export_pubkey_base64(key, &base64), SSH_OK);
  const std::string text =
      std::string{ssh_key_type_to_char(ssh_key_type(key))} + " " + std::string{base64};
  ssh_string_free_char(base64);
  return text;
}

class KnownHostsTest : public ::testing::Test {
 protected:
  KnownHostsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "mha-known-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~KnownHostsTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& text, const std::string& name = "known_hosts") {
    const std::string path = folder_ / name;
    std::ofstream{path} << text;
    return path;
  }
  HostKeyFinding find(const std::string& text, ssh_key key, const std::string& host = "db1") {
    return KnownHosts{host, {file(text)}}.find(key);
  }
  HostKeyState state(const std::string& text, ssh_key key, const std::string& host = "db1") {
    return find(text, key, host).state;
  }

  std::filesystem::path folder_;
  const Key key_ = make(SSH_KEYTYPE_ED25519);
  const Key other_ = make(SSH_KEYTYPE_ED25519);
  // Takes a while to make.
  static const Key& rsa() {
    static const Key key = make(SSH_KEYTYPE_RSA);
    return key;
  }
};

TEST_F(KnownHostsTest, NamesOfHosts) {
  EXPECT_EQ(known_hosts_name("DB1.example", 22), "db1.example");
  EXPECT_EQ(known_hosts_name("::1", 2222), "[::1]:2222");
}

TEST_F(KnownHostsTest, NoFileKnowsNothing) {
  const KnownHosts known{"db1", {(folder_ / "missing").string()}};
  EXPECT_EQ(known.find(key_.get()).state, HostKeyState::kUnknown);
}

TEST_F(KnownHostsTest, KnownByNamePatternAndPort) {
  EXPECT_EQ(state("db1 " + text_of(key_.get()) + "\n", key_.get()), HostKeyState::kKnown);
  EXPECT_EQ(state("db2,db1 " + text_of(key_.get()) + " comment\n", key_.get()),
            HostKeyState::kKnown);
  EXPECT_EQ(state("db? " + text_of(key_.get()), key_.get()), HostKeyState::kKnown);
  EXPECT_EQ(state("[db1]:2222 " + text_of(key_.get()), key_.get(), "[db1]:2222"),
            HostKeyState::kKnown);
  EXPECT_EQ(state("[db1]:2222 " + text_of(key_.get()), key_.get()), HostKeyState::kUnknown);
  EXPECT_EQ(state("db2 " + text_of(key_.get()), key_.get()), HostKeyState::kUnknown);
}

TEST_F(KnownHostsTest, ChangedSaysWhere) {
  const HostKeyFinding finding =
      find("# a comment\n\ndb1 " + text_of(other_.get()) + "\n", key_.get());
  EXPECT_EQ(finding.state, HostKeyState::kChanged);
  EXPECT_THAT(finding.where, HasSubstr("known_hosts:3"));
}

TEST_F(KnownHostsTest, OneGoodLineAmongOthersIsEnough) {
  EXPECT_EQ(
      state("db1 " + text_of(other_.get()) + "\ndb1 " + text_of(key_.get()) + "\n", key_.get()),
      HostKeyState::kKnown);
  EXPECT_EQ(
      state("db1 " + text_of(key_.get()) + "\ndb1 " + text_of(other_.get()) + "\n", key_.get()),
      HostKeyState::kKnown);
}

// Whoever shows a key of a type that is not noted could be anyone.
TEST_F(KnownHostsTest, AnotherTypeIsAChange) {
  EXPECT_EQ(state("db1 " + text_of(rsa().get()) + "\n", key_.get()), HostKeyState::kChanged);
}

// libssh gives up a whole file at such lines, and the changed key passed for a new one.
TEST_F(KnownHostsTest, LinesThatCannotBeReadHideNoOther) {
  const std::string bad =
      "db1 ssh-nonsense AAAA\ndb1\ndb1 ssh-ed25519 !!!\n\n   \n\x01\x02\n@cert-authority db1 " +
      text_of(rsa().get()) + "\n";
  EXPECT_EQ(state(bad + "db1 " + text_of(other_.get()) + "\n", key_.get()), HostKeyState::kChanged);
  EXPECT_EQ(state(bad + "db1 " + text_of(key_.get()) + "\n", key_.get()), HostKeyState::kKnown);
  EXPECT_EQ(state(bad, key_.get()), HostKeyState::kUnknown);
}

TEST_F(KnownHostsTest, Revoked) {
  const std::string line = "@revoked * " + text_of(key_.get()) + "\n";
  EXPECT_EQ(state(line, key_.get()), HostKeyState::kRevoked);
  EXPECT_EQ(state("db1 " + text_of(key_.get()) + "\n" + line, key_.get()), HostKeyState::kRevoked);
  EXPECT_EQ(state("@revoked * " + text_of(other_.get()) + "\n", key_.get()),
            HostKeyState::kUnknown);
}

TEST_F(KnownHostsTest, NotedTypesArePreferred) {
  const KnownHosts known{"db1", {file("db1 " + text_of(rsa().get()) + "\n")}};
  EXPECT_EQ(known.preferred_first("ssh-ed25519,rsa-sha2-512,ecdsa-sha2-nistp256,rsa-sha2-256"),
            "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256");
  const KnownHosts none{"db2", {}};
  EXPECT_EQ(none.preferred_first("a,b"), "a,b");
}

TEST_F(KnownHostsTest, NotingAKey) {
  const std::string path = folder_ / "new" / "known_hosts";
  ASSERT_TRUE(note_host_key(path, "db1", key_.get()).ok());
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ((KnownHosts{"db1", {path}}.find(key_.get()).state), HostKeyState::kKnown);

  // A last line without its end is not made longer.
  std::ofstream{path} << "db2 " + text_of(other_.get());
  ASSERT_TRUE(note_host_key(path, "db1", key_.get()).ok());
  EXPECT_EQ((KnownHosts{"db1", {path}}.find(key_.get()).state), HostKeyState::kKnown);
  EXPECT_EQ((KnownHosts{"db2", {path}}.find(other_.get()).state), HostKeyState::kKnown);

  const Status failed = note_host_key("/nonexistent/a/b", "db1", key_.get());
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message, HasSubstr("/nonexistent/a/b"));
}

TEST_F(KnownHostsTest, Fingerprint) { EXPECT_THAT(fingerprint(key_.get()), HasSubstr("SHA256:")); }

}  // namespace
}  // namespace mha
