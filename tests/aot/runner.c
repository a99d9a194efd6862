// Runs objects' functions on images of memory: read from standard input, one after another, and written to standard output with what became of
// them. An image begins with six 64-bit numbers: which function, the bytes of the memory, how many arguments, sizes, chunks and custom calls there
// are. The arguments follow, as offsets into the memory; the sizes; the chunks; of each custom call its operand's rank and its elements' bytes; the memory. What comes back is the function's result, as 64 bits, and the memory.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// The fuzzer's operation: the elements in turned order (tools/fuzz/turned.cpp), where they lie or elsewhere.
static int32_t turn(struct frame* frame, int64_t call, void* const* arguments, const int64_t* sizes) {
  const int64_t *rank = (const int64_t*)frame->host + 2 * call, bytes = rank[1];
  int64_t count = 1;
  for (int64_t axis = 0; axis < *rank; ++axis) count *= sizes[axis];
  char *from = arguments[0], *to = arguments[1], element[8];
  for (int64_t i = 0; 2 * i < count; ++i) {
    char *low = from + i * bytes, *high = from + (count - 1 - i) * bytes;
    memcpy(element, low, (size_t)bytes);
    memmove(to + i * bytes, high, (size_t)bytes);
    memcpy(to + (count - 1 - i) * bytes, element, (size_t)bytes);
  }
  return 0;
}

static void* take(size_t bytes) {
  void* all = NULL;
  if (posix_memalign(&all, 64, bytes ? bytes : 64) != 0 || fread(all, 1, bytes, stdin) != bytes) exit(2);
  return all;
}

int main(void) {
  int64_t head[6];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    int64_t *offsets = take((size_t)head[2] * 8), *sizes = take((size_t)head[3] * 8), *chunks = take((size_t)head[4] * 8), *calls = take((size_t)head[5] * 16);
    char* memory = take((size_t)head[1]);
    void** arguments = malloc((size_t)(head[2] + 1) * sizeof *arguments);
    for (int64_t i = 0; i < head[2]; ++i) arguments[i] = memory + offsets[i];
    uint32_t stops = 0;
    struct frame frame = {arguments, sizes, chunks, parallel, calls, &stops, 0, 0, turn};
    int64_t result = functions[head[0]](&frame);
    if (fwrite(&result, 8, 1, stdout) != 1 || fwrite(memory, 1, (size_t)head[1], stdout) != (size_t)head[1]) return 3;
    free(offsets), free(sizes), free(chunks), free(calls), free(memory), free(arguments);
  }
  return 0;
}
