//! The border to blazesym for native/src/symbols*.cc (native/src/symbols_library.h declares the same functions). Files are hostile:
//! every call catches panics, after which the handle is of no more use.
use std::ffi::c_void;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::slice;
use std::sync::Once;

use blazesym::MaybeDefault;
use blazesym::symbolize::source::{Elf, Kernel, Source};
use blazesym::symbolize::{CodeInfo, Input, Sym, Symbolized, Symbolizer};

use crate::demangle::demangle;
use crate::elf::{Facts, facts};

/// Gets one frame of input `index`; innermost first. Text is valid only during the call; `file` may be null.
type Emit = unsafe extern "C" fn(
    context: *mut c_void,
    index: usize,
    inlined: bool,
    name: *const u8,
    name_length: usize,
    file: *const u8,
    file_length: usize,
    line: u32,
    offset: i64,
);

const PANICKED: i32 = -2;
const FAILED: i32 = -1;
/// What was inlined begins nowhere by itself.
const NO_OFFSET: i64 = -1;

/// A file to look symbols up in: its own segments, and the symbols of it or of its separate debug file.
pub struct SondeElf {
    facts: Facts,
    symbolizer: Symbolizer,
    source: Source<'static>,
    _file: OwnedFd,
}

/// Kernel symbols from /proc/kallsyms.
pub struct SondeKernel {
    symbolizer: Symbolizer,
    source: Source<'static>,
}

fn quietly<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| set_hook(Box::new(|_| {})));
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// The file behind a descriptor that the caller keeps.
fn borrowed(fd: i32) -> Option<File> {
    // SAFETY: only duplicated, and forgotten at once.
    let file = std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
    file.try_clone().ok()
}

fn copy(from: &[u8], to: *mut u8, room: usize) -> usize {
    let count = from.len().min(room);
    // SAFETY: the caller gives `room` bytes at `to`.
    unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to, count) };
    count
}

/// Opens a file's symbols. Null: not an ELF file, or one not fit to be read. The descriptor stays the caller's.
#[unsafe(no_mangle)]
pub extern "C" fn sonde_elf_open(fd: i32) -> *mut SondeElf {
    quietly(std::ptr::null_mut(), || {
        let Some(file) = borrowed(fd) else {
            return std::ptr::null_mut();
        };
        let Some(facts) = facts(&file) else {
            return std::ptr::null_mut();
        };
        let (symbolizer, source, file) = symbols_of(file, facts.dwarf);
        Box::into_raw(Box::new(SondeElf {
            facts,
            symbolizer,
            source,
            _file: file,
        }))
    })
}

fn symbols_of(file: File, dwarf: bool) -> (Symbolizer, Source<'static>, OwnedFd) {
    let owned = OwnedFd::from(file);
    let mut source = Elf::new(format!("/proc/self/fd/{}", owned.as_raw_fd()));
    source.debug_syms = dwarf;
    let symbolizer = Symbolizer::builder()
        .enable_auto_reload(false)
        .enable_code_info(true)
        .enable_inlined_fns(true)
        .enable_demangling(false)
        .set_debug_dirs(Some(Vec::<&str>::new()))
        .build();
    (symbolizer, source.into(), owned)
}

/// Gives a file's build id (up to 64 bytes) and the plain file name of its debug link (up to 255); true where its DWARF will be used.
///
/// # Safety
/// `elf` comes from sonde_elf_open; the pointers have room for that much.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sonde_elf_describe(
    elf: *mut SondeElf,
    build_id: *mut u8,
    build_id_length: *mut usize,
    link: *mut u8,
    link_length: *mut usize,
) -> bool {
    quietly(false, || {
        // SAFETY: as promised by the caller.
        unsafe {
            let facts = &(*elf).facts;
            *build_id_length = copy(&facts.build_id, build_id, 64);
            *link_length = copy(&facts.debug_link, link, 255);
            facts.dwarf
        }
    })
}

/// Takes the symbols from a separate debug file, where it is of the same build. The descriptor stays the caller's.
///
/// # Safety
/// `elf` comes from sonde_elf_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sonde_elf_attach(elf: *mut SondeElf, debug: i32) -> bool {
    quietly(false, || {
        // SAFETY: as promised by the caller.
        let elf = unsafe { &mut *elf };
        let Some(file) = borrowed(debug) else {
            return false;
        };
        let Some(of) = facts(&file) else { return false };
        if elf.facts.build_id.is_empty() || of.build_id != elf.facts.build_id {
            return false;
        }
        (elf.symbolizer, elf.source, elf._file) = symbols_of(file, of.dwarf);
        true
    })
}

/// Looks up file offsets. 0: done (offsets without a symbol gave no frame); -1: the file could not be read; -2: blazesym panicked.
///
/// # Safety
/// `elf` comes from sonde_elf_open, `offsets` holds `count` numbers, `emit` does not throw.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sonde_elf_symbolize(
    elf: *mut SondeElf,
    offsets: *const u64,
    count: usize,
    emit: Emit,
    context: *mut c_void,
) -> i32 {
    quietly(PANICKED, || {
        // SAFETY: as promised by the caller.
        let (elf, offsets) = unsafe { (&*elf, slice::from_raw_parts(offsets, count)) };
        let (indexes, addresses): (Vec<usize>, Vec<u64>) = offsets
            .iter()
            .enumerate()
            .filter_map(|(index, offset)| Some((index, elf.facts.address(*offset)?)))
            .unzip();
        if addresses.is_empty() {
            return 0;
        }
        let mut status = 0;
        // One address that can't be resolved must not take the others with it.
        match elf
            .symbolizer
            .symbolize(&elf.source, Input::VirtOffset(&addresses))
        {
            Ok(symbols) => symbols
                .iter()
                .zip(&indexes)
                .for_each(|(symbol, index)| give(symbol, *index, emit, context)),
            Err(_) => {
                status = FAILED;
                for (address, index) in addresses.iter().zip(&indexes) {
                    if let Ok(symbol) = elf
                        .symbolizer
                        .symbolize_single(&elf.source, Input::VirtOffset(*address))
                    {
                        give(&symbol, *index, emit, context);
                        status = 0;
                    }
                }
            }
        }
        status
    })
}

/// # Safety
/// `elf` comes from sonde_elf_open and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sonde_elf_close(elf: *mut SondeElf) {
    // SAFETY: as promised by the caller.
    quietly((), || drop(unsafe { Box::from_raw(elf) }));
}

/// Opens the kernel's symbols; they are read at the first look-up.
#[unsafe(no_mangle)]
pub extern "C" fn sonde_kernel_open() -> *mut SondeKernel {
    quietly(std::ptr::null_mut(), || {
        let kernel = Kernel {
            vmlinux: MaybeDefault::None,
            debug_syms: false,
            ..Kernel::default()
        };
        let symbolizer = Symbolizer::builder()
            .enable_code_info(false)
            .enable_inlined_fns(false)
            .enable_demangling(false)
            .build();
        Box::into_raw(Box::new(SondeKernel {
            symbolizer,
            source: kernel.into(),
        }))
    })
}

/// Looks up kernel addresses; results as for sonde_elf_symbolize, with the kernel module (or "[bpf]") as the file.
///
/// # Safety
/// `kernel` comes from sonde_kernel_open, `addresses` holds `count` numbers, `emit` does not throw.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sonde_kernel_symbolize(
    kernel: *mut SondeKernel,
    addresses: *const u64,
    count: usize,
    emit: Emit,
    context: *mut c_void,
) -> i32 {
    quietly(PANICKED, || {
        // SAFETY: as promised by the caller.
        let (kernel, addresses) = unsafe { (&*kernel, slice::from_raw_parts(addresses, count)) };
        let Ok(symbols) = kernel
            .symbolizer
            .symbolize(&kernel.source, Input::AbsAddr(addresses))
        else {
            return FAILED;
        };
        for (index, symbol) in symbols.iter().enumerate() {
            let Symbolized::Sym(symbol) = symbol else {
                continue;
            };
            let module = symbol
                .module
                .as_deref()
                .map(|module| module.to_string_lossy());
            send(
                &symbol.name,
                module.as_deref(),
                0,
                symbol.offset as i64,
                false,
                index,
                emit,
                context,
            );
        }
        0
    })
}

/// # Safety
/// `kernel` comes from sonde_kernel_open and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sonde_kernel_close(kernel: *mut SondeKernel) {
    // SAFETY: as promised by the caller.
    quietly((), || drop(unsafe { Box::from_raw(kernel) }));
}

/// blazesym gives the function first and what was inlined into it after, outermost first; each with the line it stood at.
fn give(symbol: &Symbolized<'_>, index: usize, emit: Emit, context: *mut c_void) {
    let Symbolized::Sym(Sym {
        name,
        code_info,
        inlined,
        offset,
        ..
    }) = symbol
    else {
        return;
    };
    for inner in inlined.iter().rev() {
        line(
            &inner.name,
            inner.code_info.as_ref(),
            NO_OFFSET,
            true,
            index,
            emit,
            context,
        );
    }
    line(
        name,
        code_info.as_deref(),
        *offset as i64,
        false,
        index,
        emit,
        context,
    );
}

fn line(
    name: &str,
    code: Option<&CodeInfo<'_>>,
    offset: i64,
    inlined: bool,
    index: usize,
    emit: Emit,
    context: *mut c_void,
) {
    let path = code.map(|code| code.to_path());
    let file = path.as_ref().map(|path| path.to_string_lossy());
    send(
        &demangle(name),
        file.as_deref(),
        code.and_then(|code| code.line).unwrap_or(0),
        offset,
        inlined,
        index,
        emit,
        context,
    );
}

fn send(
    name: &str,
    file: Option<&str>,
    line: u32,
    offset: i64,
    inlined: bool,
    index: usize,
    emit: Emit,
    context: *mut c_void,
) {
    if name.is_empty() {
        return;
    }
    let (start, length) = file.map_or((std::ptr::null(), 0), |file| {
        (file.as_ptr(), file.len().min(4096))
    });
    // SAFETY: the text lives until emit returns.
    unsafe {
        emit(
            context,
            index,
            inlined,
            name.as_ptr(),
            name.len(),
            start,
            length,
            line,
            offset,
        )
    };
}
