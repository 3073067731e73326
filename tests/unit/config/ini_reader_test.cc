// Whole files: line numbers, long lines, and one clear remark for each kind of bad file.
#include "config/ini_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr uid_t kNobody = 65534;

// "[section]@line" and "key=value@line", in order.
std::vector<std::string> flat(const IniDocument& document) {
  std::vector<std::string> out;
  for (const IniSection& section : document.sections) {
    out.push_back("[" + std::string(section.name) + "]@" + std::to_string(section.line));
    for (const IniRow& row : section.rows) {
      out.push_back(std::string(row.key) + "=" + std::string(row.value) + "@" +
                    std::to_string(row.line));
    }
  }
  return out;
}

std::vector<std::string> texts(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : diagnostics) {
    out.push_back(diagnostic.text());
  }
  return out;
}

class IniReader : public testing::Test {
 protected:
  IniDocument read(std::string_view text, IniDialect dialect = IniDialect::kConfigParser) {
    return read_ini(folder_.write("x.conf", text), dialect);
  }
  [[nodiscard]] std::string file() const { return folder_.path("x.conf"); }

  TempFolder folder_;
};

TEST_F(IniReader, KeepsOrderLinesAndEmptySections) {
  const IniDocument document =
      read("# c\n\n[default]\nA = 1\na: 2\n[db1]\n[db2]\n;\nb = 3\n[default]\nc = 4");
  EXPECT_THAT(document.errors, IsEmpty());
  EXPECT_THAT(flat(document), ElementsAre("[default]@3", "A=1@4", "a=2@5", "[db1]@6", "[db2]@7",
                                          "b=3@9", "[default]@10", "c=4@11"));
}

TEST_F(IniReader, TakesEveryLineEnd) {
  EXPECT_THAT(flat(read("[a]\r\nb=1\r\r\nc=2\rd=3\n\ne=4\r\n")),
              ElementsAre("[a]@1", "b=1@2", "c=2@3", "d=3@4", "e=4@6"));
}

TEST_F(IniReader, TakesLinesThatAreTooLongForInih) {
  const std::string value(5000, 'v');
  const std::string name(240, 's');
  for (const auto dialect : {IniDialect::kConfigParser, IniDialect::kConfigTiny}) {
    const IniDocument document =
        read("[" + name + "]\nlong = " + value + "\n#" + value + "\nafter = 1\n", dialect);
    EXPECT_THAT(document.errors, IsEmpty());
    EXPECT_THAT(flat(document),
                ElementsAre("[" + name + "]@1", "long=" + value + "@2", "after=1@4"));
  }
}

TEST_F(IniReader, JoinsContinuedValuesOfConfigParserOnly) {
  const std::string text = "[a]\nm = x@y,\n  z@y\n\n\t# c\n  k = w\nn = 1\n";
  EXPECT_THAT(flat(read(text)), ElementsAre("[a]@1", "m=x@y,\nz@y\nk = w@2", "n=1@7"));
  EXPECT_THAT(flat(read("[a]\nm = x@y,\n  k = w\n", IniDialect::kConfigTiny)),
              ElementsAre("[a]@1", "m=x@y,@2", "k=w@3"));
}

TEST_F(IniReader, DoesNotContinueAcrossASection) {
  EXPECT_THAT(flat(read("[a]\nm = 1\n[b]\n  n = 2\n")),
              ElementsAre("[a]@1", "m=1@2", "[b]@3", "n=2@4"));
  const std::string long_name(230, 'b');
  EXPECT_THAT(flat(read("[a]\nm = 1\n[" + long_name + "]\n  n = 2\n")),
              ElementsAre("[a]@1", "m=1@2", "[" + long_name + "]@3", "n=2@4"));
}

TEST_F(IniReader, TakesAByteOrderMarkWhereMhaNeedNotReadIt) {
  EXPECT_THAT(flat(read("\xef\xbb\xbf[a]\nb=1\n")), ElementsAre("[a]@1", "b=1@2"));
  const IniDocument mha = read("\xef\xbb\xbf[a]\nb=1\n", IniDialect::kConfigTiny);
  EXPECT_THAT(texts(mha.errors), ElementsAre(HasSubstr(file() + ":1: begins with a byte order")));
}

TEST_F(IniReader, SaysOnceWhatIsWrongWithAFile) {
  struct Case {
    std::string text;
    std::string message;  // after the file's name
  };
  const std::vector<Case> cases = {
      {"", ": is empty"},
      {" \n\t\n", ": is empty"},
      {std::string("[a]\nb=\0c\n", 9), ":2: is not a text file: it has the control character 0x00"},
      {std::string("\0", 1), ":1: is not a text file: it has the control character 0x00"},
      {"\x7f\x45LF\x02\x01\x01", ":1: is not a text file: it has the control character 0x7f"},
      {"[a]\n\n\x1b", ":3: is not a text file: it has the control character 0x1b"},
      {"a = 1\nb = 2\n[c]\n", ":1: a key before the first [section]"},
      {"[a]\nhello\n", ":2: neither a [section], nor 'key = value', nor a comment"},
      {"[a]\nhello\nworld\n= 3\n[b\n",
       ":2: neither a [section], nor 'key = value', nor a comment; "
       "nor are 3 lines further down"},
  };
  for (const auto dialect : {IniDialect::kConfigParser, IniDialect::kConfigTiny}) {
    for (const Case& c : cases) {
      const IniDocument document = read(c.text, dialect);
      ASSERT_THAT(document.errors, SizeIs(1)) << c.message;
      EXPECT_THAT(document.errors[0].text(), testing::StartsWith(file() + c.message));
      EXPECT_EQ(document.errors[0].severity, Severity::kError);
    }
  }
}

TEST_F(IniReader, SaysWhereASectionMustBeginIfAllOfThemAreIndented) {
  const std::string pasted = "   [default]\n   vip_type = none\n";
  const IniDocument document = read(pasted, IniDialect::kConfigParser);
  ASSERT_THAT(document.errors, Not(IsEmpty()));
  EXPECT_THAT(document.errors[0].text(), HasSubstr("must begin in the first column"));
  EXPECT_THAT(read(pasted, IniDialect::kConfigTiny).errors, IsEmpty());
}

TEST_F(IniReader, SaysWhyAFileCannotBeRead) {
  const auto error_of = [](const std::string& path) {
    const IniDocument document = read_ini(path, IniDialect::kConfigParser);
    EXPECT_THAT(document.errors, SizeIs(1));
    return document.errors.empty() ? "" : document.errors[0].text();
  };
  EXPECT_EQ(error_of(folder_.path("none")),
            folder_.path("none") + ": cannot be read: No such file or directory");
  EXPECT_EQ(error_of(folder_.path()), folder_.path() + ": is a directory, not a file");
  EXPECT_EQ(error_of("/dev/zero"), "/dev/zero: is not a regular file");

  const std::string fifo = folder_.path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error_of(fifo), fifo + ": is not a regular file");

  const std::string large = folder_.write("large", std::string(1024 * 1024 + 1, '#'));
  EXPECT_EQ(error_of(large), large + ": is larger than 1 MiB: not a configuration file");

  const std::string secret = folder_.write("secret", "[a]\n");
  ASSERT_EQ(chmod(secret.c_str(), 0), 0);
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(seteuid(kNobody), 0);
  }
  const std::string refused = error_of(secret);
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_EQ(refused, secret + ": cannot be read: Permission denied");
}

TEST_F(IniReader, ViewsLiveAsLongAsTheDocument) {
  auto document = std::make_unique<IniDocument>(read("[a]\nb = c\n d\ne = f\n"));
  const IniDocument moved = std::move(*document);
  document.reset();
  EXPECT_THAT(flat(moved), ElementsAre("[a]@1", "b=c\nd@2", "e=f@4"));
}

}  // namespace
}  // namespace mha
