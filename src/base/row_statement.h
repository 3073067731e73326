// BINLOG statements of mysqlbinlog, cut into several where they are large.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mha {

// mysqlbinlog puts all row events of one source statement into one BINLOG statement: 40 MB of rows
// become 55 MB of text, where a server takes 16 (MariaDB's max_allowed_packet). Cut between row
// events, each part with the table maps before it and the end of a statement noted in its last
// event (which is what a client would have caused with several smaller statements), the same rows
// go in one by one. Layout: MySQL's internals manual, "Table_map event", "Rows event".
class RowStatement {
 public:
  // So much text is a part.
  explicit RowStatement(std::size_t limit = std::size_t{512} * 1024) : limit_(limit) {}

  // A line of base64 between the quotes. Gives a part where there is enough for one; it is good
  // until the next call.
  std::optional<std::string> add_line(std::string_view line);
  // The statement's end: what is left of it. nullopt where all has been given.
  std::optional<std::string> finish();

 private:
  struct Event {
    std::string bytes;
    [[nodiscard]] unsigned type() const;
    [[nodiscard]] bool has_rows() const;
  };

  // Takes the whole events out of lines_.
  std::vector<Event> take_events();
  std::string part_of(const std::vector<Event>& events);
  void note_checksum(const std::string& lines);
  void end_statement(Event& event) const;

  std::size_t limit_;
  std::string lines_;           // each with its newline
  std::size_t wanted_ = 0;      // not before there is so much text; 0: limit_
  std::vector<Event> maps_;     // of this statement
  bool cut_ = false;            // some of this statement was given before
  bool has_checksums_ = false;  // as the last format description says
};

}  // namespace mha
