#include "graph_index.h"

#include <algorithm>

namespace kdequant::onnx {
namespace {

class Indexer {
 public:
  explicit Indexer(const ModelView& model) : model_(model) {}

  Result<GraphIndex> Run() {
    if (auto done = Define(); !done) return Forward(done);
    if (auto done = Resolve(); !done) return Forward(done);
    if (auto done = Sort(); !done) return Forward(done);
    KeepNeeded();
    return std::move(index_);
  }

 private:
  NameId Intern(std::string_view text) {
    if (text.empty()) return kNoName;
    const auto [position, fresh] = ids_.try_emplace(text, static_cast<NameId>(index_.names.size()));
    if (fresh) index_.names.push_back({.text = text});
    return position->second;
  }

  NameInfo& Info(NameId id) { return index_.names[static_cast<std::size_t>(id)]; }

  static std::unexpected<Error> DefinedTwice(std::string_view name) {
    return Fail(ErrorCode::kBadInput,
                "the name " + Quoted(name) +
                    " is defined twice; every value of an ONNX graph has one definition, so export the model again",
                std::string(name));
  }

  Result<void> Define() {
    for (const std::int32_t tensor : model_.initializers) {
      const auto name = model_.tensors[static_cast<std::size_t>(tensor)].name;
      if (name.empty()) return Fail(ErrorCode::kBadInput, "an initializer has no name; export the model again");
      NameInfo& info = Info(Intern(name));
      if (info.tensor >= 0) return DefinedTwice(name);
      info.tensor = tensor;
    }
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      const auto name = model_.inputs[i].name;
      if (name.empty()) return Fail(ErrorCode::kBadInput, "an input of the graph has no name; export the model again");
      const NameId id = Intern(name);
      NameInfo& info = Info(id);
      if (info.input >= 0) return DefinedTwice(name);
      info.input = static_cast<std::int32_t>(i);
      // Until IR version 4 every weight had to be listed as an input as well.
      if (info.tensor < 0) index_.inputs.push_back(id);
    }
    index_.node_inputs.resize(model_.nodes.size());
    index_.node_outputs.resize(model_.nodes.size());
    for (std::size_t n = 0; n < model_.nodes.size(); ++n) {
      for (const auto text : model_.nodes[n].outputs) {
        const NameId id = Intern(text);
        index_.node_outputs[n].push_back(id);
        if (id == kNoName) continue;
        NameInfo& info = Info(id);
        if (info.node >= 0 || info.tensor >= 0 || info.input >= 0) return DefinedTwice(text);
        info.node = static_cast<std::int32_t>(n);
      }
    }
    return {};
  }

  bool IsDefined(NameId id) {
    const NameInfo& info = Info(id);
    return info.node >= 0 || info.tensor >= 0 || info.input >= 0;
  }

  Result<void> Resolve() {
    for (std::size_t n = 0; n < model_.nodes.size(); ++n) {
      for (const auto text : model_.nodes[n].inputs) {
        const NameId id = Intern(text);
        index_.node_inputs[n].push_back(id);
        if (id != kNoName && !IsDefined(id)) {
          return Fail(ErrorCode::kBadInput,
                      Describe(model_.nodes[n]) + " reads " + Quoted(text) +
                          ", which nothing in the file defines; export the model again",
                      std::string(NodeName(model_.nodes[n])));
        }
      }
    }
    if (model_.outputs.empty()) return Fail(ErrorCode::kBadInput, "the graph has no output; export the model again");
    for (const auto& output : model_.outputs) {
      const NameId id = Intern(output.name);
      if (id == kNoName || !IsDefined(id)) {
        return Fail(ErrorCode::kBadInput, "the graph's output " + Quoted(output.name) +
                                              " is defined nowhere in the file; export the model again");
      }
      Info(id).is_output = true;
      index_.outputs.push_back(id);
    }
    return {};
  }

  // Depth first, without recursion: a chain of a million nodes must not exhaust the stack.
  Result<void> Sort() {
    enum : std::uint8_t { kNew, kOpen, kDone };
    struct Visit {
      std::int32_t node;
      std::size_t next_input;
    };
    std::vector<std::uint8_t> state(model_.nodes.size(), kNew);
    std::vector<Visit> stack;
    for (std::size_t root = 0; root < model_.nodes.size(); ++root) {
      if (state[root] != kNew) continue;
      stack.push_back({static_cast<std::int32_t>(root), 0});
      state[root] = kOpen;
      while (!stack.empty()) {
        auto& [node, next_input] = stack.back();
        const auto n = static_cast<std::size_t>(node);
        const auto& inputs = index_.node_inputs[n];
        if (next_input == inputs.size()) {
          state[n] = kDone;
          index_.order.push_back(node);
          stack.pop_back();
          continue;
        }
        const NameId input = inputs[next_input++];
        const std::int32_t producer = input == kNoName ? -1 : Info(input).node;
        if (producer < 0) continue;
        auto& producer_state = state[static_cast<std::size_t>(producer)];
        if (producer_state == kOpen) {
          const NodeView& culprit = model_.nodes[n];
          return Fail(ErrorCode::kBadInput,
                      Describe(culprit) + " depends on its own result (the graph has a cycle); export the model again",
                      std::string(NodeName(culprit)));
        }
        if (producer_state == kNew) {
          producer_state = kOpen;
          stack.push_back({producer, 0});
        }
      }
    }
    return {};
  }

  // Drops nodes that no output depends on, so that a forgotten branch with an operator unknown to us does no harm, and
  // counts uses.
  void KeepNeeded() {
    std::vector<bool> needed(model_.nodes.size(), false);
    const auto need = [&](NameId id) {
      if (id != kNoName && Info(id).node >= 0) needed[static_cast<std::size_t>(Info(id).node)] = true;
    };
    for (const NameId output : index_.outputs) need(output);
    for (auto node = index_.order.rbegin(); node != index_.order.rend(); ++node) {
      const auto n = static_cast<std::size_t>(*node);
      if (!needed[n]) continue;
      for (std::size_t i = 0; i < index_.node_inputs[n].size(); ++i) {
        const NameId input = index_.node_inputs[n][i];
        if (input == kNoName) continue;
        need(input);
        ++Info(input).uses;
        if (i == 1 && TakesWeightMatrix(model_.nodes[n])) ++Info(input).weight_uses;
      }
    }
    std::erase_if(index_.order, [&](std::int32_t node) { return !needed[static_cast<std::size_t>(node)]; });
  }

  // Whether input 1 is a weight whose first dimension is the output channel.
  static bool TakesWeightMatrix(const NodeView& node) {
    if (node.op == "Conv") return true;
    return node.op == "Gemm" &&
           std::ranges::any_of(node.attributes, [](const AttributeView& a) { return a.name == "transB" && a.i != 0; });
  }

  const ModelView& model_;
  GraphIndex index_;
  std::unordered_map<std::string_view, NameId> ids_;
};

}  // namespace

std::string_view NodeName(const NodeView& node) {
  if (!node.name.empty()) return node.name;
  for (const auto output : node.outputs) {
    if (!output.empty()) return output;
  }
  return {};
}

std::string Describe(const NodeView& node) {
  return "node " + Quoted(NodeName(node)) + " (" + std::string(node.op.substr(0, 80)) + ")";
}

Result<GraphIndex> IndexGraph(const ModelView& model) { return Indexer(model).Run(); }

}  // namespace kdequant::onnx
