// Strong 32-bit ids into a Graph's vectors.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>

namespace sinter {

template <class Tag>
struct Id {
  static constexpr uint32_t none = ~uint32_t{0};
  uint32_t index = none;
  constexpr Id() = default;
  constexpr explicit Id(size_t position) : index(static_cast<uint32_t>(position)) {}
  constexpr bool valid() const { return index != none; }
  constexpr auto operator<=>(const Id&) const = default;
};

using NodeId = Id<struct NodeTag>;

}  // namespace sinter

template <class Tag>
struct std::hash<sinter::Id<Tag>> {
  size_t operator()(sinter::Id<Tag> id) const { return std::hash<uint32_t>()(id.index); }
};
