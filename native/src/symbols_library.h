// The functions of native/libs/src/symbols.rs, as C sees them: the border to blazesym. They never throw and
// survive hostile files; a result of -2 (a panic was caught) means that the handle is of no more use but to
// be closed.
#pragma once

#include <cstddef>
#include <cstdint>

struct SondeElf;
struct SondeKernel;

extern "C" {
/// One frame of input `index`, innermost first; text lives during the call only. offset: bytes into the
/// function, -1 for what was inlined. Must not throw.
typedef void (*SondeEmit)(void *context, size_t index, bool inlined, const char *name, size_t nameLength,
                          const char *file, size_t fileLength, uint32_t line, int64_t offset);

/// Null: not an ELF file, or one not fit to be read. The descriptor stays the caller's.
SondeElf *sonde_elf_open(int fd);
/// The build id (up to 64 bytes) and the plain file name of the debug link (up to 255); whether its DWARF
/// will be used.
bool sonde_elf_describe(SondeElf *elf, uint8_t *buildId, size_t *buildIdLength, char *link,
                        size_t *linkLength);
/// Takes the symbols from a separate debug file, where it is of the same build.
bool sonde_elf_attach(SondeElf *elf, int debug);
int sonde_elf_symbolize(SondeElf *elf, const uint64_t *offsets, size_t count, SondeEmit emit, void *context);
void sonde_elf_close(SondeElf *elf);

SondeKernel *sonde_kernel_open();
int sonde_kernel_symbolize(SondeKernel *kernel, const uint64_t *addresses, size_t count, SondeEmit emit,
                           void *context);
void sonde_kernel_close(SondeKernel *kernel);
}
