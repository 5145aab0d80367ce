#include "kdequant/classify/labels.h"

#include <doctest/doctest.h>

#include "kdequant/classify/label_table.h"

namespace kdequant {
namespace {

const std::vector<std::string> kThree{"cat", "dog", "owl"};

TEST_CASE("A network's own class names win, and a class without a name is called by its number") {
  Graph graph;
  graph.metadata["kdequant.labels"] = "plane\ncar\r\nbird\n";
  graph.metadata["kdequant.labelset"] = "imagenet-1k";
  const Labels labels = LabelsFor(graph, 4, kThree);
  CHECK(labels.Name(1) == "car");
  CHECK(labels.Name(2) == "bird");
  CHECK(labels.Name(3) == "class 3");
  CHECK(!labels.assumed());
}

TEST_CASE(
    "ImageNet's names are used where the file says so, and where it says nothing only by their number, as a guess") {
  Graph graph;
  CHECK(LabelsFor(graph, 3, kThree).Name(2) == "owl");
  CHECK(LabelsFor(graph, 3, kThree).assumed());
  CHECK(LabelsFor(graph, 4, kThree).empty());
  graph.metadata["kdequant.labelset"] = "imagenet-1k";
  CHECK(!LabelsFor(graph, 3, kThree).assumed());
  CHECK(LabelsFor(graph, 4, kThree).Name(0) == "background");
  CHECK(LabelsFor(graph, 4, kThree).Name(3) == "owl");
  graph.metadata["kdequant.labelset"] = "coco";
  CHECK(LabelsFor(graph, 3, kThree).empty());
}

TEST_CASE("A label table is read with its columns in any order, quotes, carriage returns and a byte order mark") {
  const auto rows = ParseLabelTable(
      "\xef\xbb\xbf"
      "id,class_index,file\r\n1,281,cat.jpg\r\n\r\n2,0,\"a, \"\"b\"\".jpg\"");
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == 2);
  CHECK((*rows)[0].file == "cat.jpg");
  CHECK((*rows)[0].class_index == 281);
  CHECK((*rows)[0].line == 2);
  CHECK((*rows)[1].file == "a, \"b\".jpg");
}

TEST_CASE("A wrong label table is refused with the line and what is wrong in it") {
  const auto message = [](std::string_view csv) {
    const auto rows = ParseLabelTable(csv);
    REQUIRE(!rows.has_value());
    CHECK(rows.error().code == ErrorCode::kBadInput);
    return rows.error().message;
  };
  CHECK(message("").find("no rows") != std::string::npos);
  CHECK(message("file,class_index\n").find("no rows") != std::string::npos);
  CHECK(message("file,label\na.jpg,1\n").find("no column \"class_index\"") != std::string::npos);
  CHECK(message("name,class_index\na.jpg,1\n").find("no column \"file\"") != std::string::npos);
  CHECK(message("file,class_index\na.jpg,1\nb.jpg\n").find("line 3: has 1 fields") != std::string::npos);
  for (const char* wrong : {"", "-1", "1.5", "cat", "99999999999999999999", "1 "}) {
    CHECK(message("file,class_index\na.jpg," + std::string(wrong)).find("line 2: class_index") != std::string::npos);
  }
  CHECK(message("file,class_index\n,1\n").find("line 2: names no file") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
