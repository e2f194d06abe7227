//! The archive that the addon links: libbpf's C functions, and the border to blazesym in `symbols`.
pub use libbpf_sys::*;

pub mod demangle;
pub mod elf;
pub mod symbols;
