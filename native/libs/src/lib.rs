// Nothing but re-exports: what the addon calls must be in the archive.
pub use blazesym_c::*;
pub use libbpf_sys::*;
