// Which sanitizer this is compiled with.
#pragma once

namespace sinter {

#if defined(__has_feature)
#define SINTER_HAS_FEATURE(feature) __has_feature(feature)
#else
#define SINTER_HAS_FEATURE(feature) 0  // g++ 12 defines the macros below instead
#endif
#if defined(__SANITIZE_ADDRESS__) || SINTER_HAS_FEATURE(address_sanitizer)
inline constexpr bool address_sanitized = true;
#else
inline constexpr bool address_sanitized = false;
#endif
#if defined(__SANITIZE_THREAD__) || SINTER_HAS_FEATURE(thread_sanitizer)
inline constexpr bool thread_sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
#endif
#undef SINTER_HAS_FEATURE

}  // namespace sinter
