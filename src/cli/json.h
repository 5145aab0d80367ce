// One JSON object for standard output, written from front to back.
#ifndef KDEQUANT_CLI_JSON_H_
#define KDEQUANT_CLI_JSON_H_

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kdequant {

/// `Json json; json.Begin().Field("n", 3).Key("list").BeginList()...EndList().End(); puts(json.text());`
class Json {
 public:
  Json() : writer_(buffer_) {}

  Json& Begin() { return writer_.StartObject(), *this; }
  Json& End() { return writer_.EndObject(), *this; }
  Json& BeginList() { return writer_.StartArray(), *this; }
  Json& EndList() { return writer_.EndArray(), *this; }
  Json& Key(std::string_view key) {
    return writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size())), *this;
  }

  /// Bytes that are no UTF-8 (a file name may hold any) become U+FFFD.
  Json& Value(std::string_view text);
  Json& Value(const char* text) { return Value(std::string_view(text)); }
  Json& Value(double number);  ///< null where it is not finite
  Json& Value(float number) { return Value(static_cast<double>(number)); }
  template <std::integral Integer>
  Json& Value(Integer number) {
    return writer_.Int64(static_cast<std::int64_t>(number)), *this;
  }
  template <typename T>
  Json& Value(const std::optional<T>& value) {
    if (value) return Value(*value);
    return writer_.Null(), *this;
  }

  template <typename T>
  Json& Field(std::string_view key, const T& value) {
    return Key(key).Value(value);
  }

  std::string_view text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

/// `text` with every byte that is no UTF-8 replaced by U+FFFD.
std::string ValidUtf8(std::string_view text);

}  // namespace kdequant

#endif  // KDEQUANT_CLI_JSON_H_
