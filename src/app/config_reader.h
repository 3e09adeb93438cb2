// Fills Settings row by row from its sources, noting for each value where it came from and for each
// fault where it stands. Used once per load; single-threaded.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_provenance.h"
#include "app/config_substitute.h"
#include "app/config_table.h"
#include "app/config_tree.h"

namespace sluice::app {

class Reader {
 public:
  // `around` must outlive the reader.
  Reader(std::string file_name, const Surroundings& around)
      : file_name_(std::move(file_name)), around_(around) {}

  // In this order: each shadows the ones before.
  void read_defaults();
  void read_file(const Node& root);
  void read_environment();
  void read_override(std::string_view key, std::string_view value, std::string_view flag);

  // One value from anywhere but the file. Makes the entry when `row` has a star and `name` is new.
  void give(const Property& row, std::string_view name, std::string_view text, Layer layer,
            std::string source);

  void complain(Rule rule, Place place, std::string key, std::string message,
                std::string hint = "");

  bool complained_about(std::string_view path) const;
  bool has(std::string_view path) const { return !provenance.of(std::string(path)).empty(); }

  Settings settings;
  Provenance provenance;
  std::vector<Diagnostic> diagnostics;
  std::vector<std::string> notes;  // what an operator should know
  // Text of the file that must not be quoted: secrets, and values of keys we do not know.
  std::vector<Spot> blots;

 private:
  struct Where {
    const Property& row;
    std::string path;
    std::string name;  // what stands for the star
  };

  Place place_of(const Spot& spot) const;
  void read_child(const Node& map, size_t i, const Where& where);
  void read_node(const Node& node, const Where& where);
  void read_group(const Node& map, const Where& where);
  void read_each(const Node& map, const Where& where);
  void read_value(const Node& node, const Where& where);
  void read_list(const Node& node, const Where& where);
  void read_headers(const Node& node, const Where& where);
  void read_words(const Node& node, const Where& where);
  void read_subtree(const Node& node, const Where& where);
  bool append_json(const Node& node, const Where& where, std::string& out);
  bool read_item(const Node& node, const Where& where, Word word, std::string& to);
  void unknown_key(const Node::Key& key, const Node& value, std::string_view under,
                   const std::string& path);
  void wrong_shape(const Node& node, const std::string& path, std::string_view expected);
  void add_entry(const Property& each, std::string_view name);
  void blot(const Node& node);
  void seal(const Where& where, const Substituted& text);
  void refuse(const Fault& fault, const Place& place, const Where& where,
              std::string_view shown_value);
  std::optional<Fault> assign_to(const Where& where, std::string_view text);

  std::string file_name_;
  const Surroundings& around_;
  std::set<std::string, std::less<>> entries_;  // paths of map entries seen
};

// Whether `text` is a word of that sort.
std::optional<Fault> check_word(Word word, std::string_view text);

}  // namespace sluice::app
