/* What the function of a custom operation is given, in plain C: this header is all that such a function needs.
 *
 * Operands are read, and only while the function runs; the result is written, all of it, and nothing else is. Where the operation says
 * that its result may lie in place of an operand, the two may be the same memory; otherwise what is written overlaps nothing that is read.
 * The function may run on several threads at once, and more or less often than it stands in the graph: its result depends on its operands
 * and on `data` alone. It returns 0, or a code of its own, which fails the call. */
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { sinter_bool = 0, sinter_u8, sinter_i32, sinter_i64, sinter_u32, sinter_u64, sinter_f32, sinter_f64, sinter_f16, sinter_bf16 };

typedef struct sinter_array {
  void* data;            /* row-major, with no gaps; aligned to an element */
  const int64_t* sizes;  /* `rank` of them */
  int32_t rank;
  int32_t dtype;         /* sinter_f32 and so on */
} sinter_array;

typedef struct sinter_custom_call {
  const sinter_array* operands; /* `operand_count` of them, in order */
  int32_t operand_count;
  sinter_array result;
  void* data;                   /* as the operation was declared with; NULL in an object */
} sinter_custom_call;

typedef int32_t (*sinter_custom_function)(const sinter_custom_call*);

#ifdef __cplusplus
}
#endif
