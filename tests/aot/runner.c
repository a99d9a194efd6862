// Runs objects' functions on images of memory: read from standard input, one after another, and written to standard output with what became of
// them. An image begins with five 64-bit numbers: which function, the bytes of the memory, how many arguments, sizes and chunks there are. The
// arguments follow, as offsets into the memory; the sizes; the chunks; the memory. What comes back is the function's result, as 64 bits, and the memory.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/custom_call.h"

struct frame {  // runtime/executable.h
  void** arguments;
  int64_t *sizes, *chunks;
  int32_t (*parallel)(struct frame*, void (*)(void**, int64_t*, int64_t, int64_t), void**, int64_t*, int64_t);
  void* host;
  const uint32_t* stops;
  uint32_t began;
  int32_t committing;
  int32_t (*call)(struct frame*, int64_t, void* const*, const int64_t*);
};

extern int32_t (*const functions[])(struct frame*);

// Two workers, in turn, the last chunk first: neither may change a bit.
static int32_t parallel(struct frame* frame, void (*kernel)(void**, int64_t*, int64_t, int64_t), void** arguments, int64_t* sizes, int64_t chunks) {
  (void)frame;
  for (int64_t chunk = chunks; chunk-- > 0;) kernel(arguments, sizes, chunk, chunk % 2);
  return 0;
}

// The fuzzer's operation (tools/fuzz/turned.cpp), which objects call by its name: the elements in turned order, where they lie or elsewhere.
int32_t turned(const sinter_custom_call* call) {
  static const size_t widths[] = {1, 1, 4, 8, 4, 8, 4, 8};
  const sinter_array *operand = call->operands, *result = &call->result;
  if (call->operand_count != 1 || call->data || operand->dtype != result->dtype || operand->rank != result->rank) return 1;
  size_t width = widths[operand->dtype], count = 1;
  for (int32_t axis = 0; axis < operand->rank; ++axis) {
    if (operand->sizes[axis] != result->sizes[axis]) return 1;
    count *= (size_t)operand->sizes[axis];
  }
  const char* from = operand->data;
  char *to = result->data, element[8];
  for (size_t low = 0; 2 * low < count; ++low) {
    size_t high = count - 1 - low;
    memcpy(element, from + low * width, width);
    memmove(to + low * width, from + high * width, width);
    memcpy(to + high * width, element, width);
  }
  return 0;
}

// One that fails.
int32_t failing(const sinter_custom_call* call) { return call->operand_count == 1 ? 7 : 0; }

static void* take(size_t bytes) {
  void* all = NULL;
  if (posix_memalign(&all, 64, bytes ? bytes : 64) != 0 || fread(all, 1, bytes, stdin) != bytes) exit(2);
  return all;
}

int main(void) {
  int64_t head[5];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    int64_t *offsets = take((size_t)head[2] * 8), *sizes = take((size_t)head[3] * 8), *chunks = take((size_t)head[4] * 8);
    char* memory = take((size_t)head[1]);
    void** arguments = malloc((size_t)(head[2] + 1) * sizeof *arguments);
    for (int64_t i = 0; i < head[2]; ++i) arguments[i] = memory + offsets[i];
    uint32_t stops = 0;
    struct frame frame = {arguments, sizes, chunks, parallel, NULL, &stops, 0, 0, NULL};
    int64_t result = functions[head[0]](&frame);
    if (fwrite(&result, 8, 1, stdout) != 1 || fwrite(memory, 1, (size_t)head[1], stdout) != (size_t)head[1]) return 3;
    free(offsets), free(sizes), free(chunks), free(memory), free(arguments);
  }
  return 0;
}
