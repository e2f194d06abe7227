//! Names as people wrote them: Rust without the hash, C++ with parameters. A mangled name of a hundred bytes can stand for
//! gigabytes (each substitution may double it), so the writer stops at a limit, and the name then stays as it was.
use std::borrow::Cow;
use std::fmt::{self, Write};

use cpp_demangle::{DemangleOptions, Symbol};

const LONGEST: usize = 4096;

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// Old Rust names look like C++ ones but for their last part, `17h` and 16 hexadecimal digits.
fn is_rust(name: &str) -> bool {
    if name.starts_with("_R") {
        return true;
    }
    let Some(at) = name.rfind("17h") else {
        return false;
    };
    let digits = name.as_bytes().get(at + 3..at + 19);
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        && name.as_bytes().get(at + 19) == Some(&b'E')
}

/// The name demangled, or as it is where it is not mangled or not worth its length.
pub fn demangle(name: &str) -> Cow<'_, str> {
    if name.len() > LONGEST {
        let mut end = LONGEST;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        return Cow::Borrowed(&name[..end]);
    }
    if !name.starts_with("_Z") && !name.starts_with("_R") {
        return Cow::Borrowed(name);
    }
    let mut out = Bounded(String::new());
    if is_rust(name)
        && let Ok(parsed) = rustc_demangle::try_demangle(name)
        && write!(out, "{parsed:#}").is_ok()
    {
        return Cow::Owned(out.0);
    }
    out.0.clear();
    if let Ok(symbol) = Symbol::new(name)
        && symbol
            .structured_demangle(&mut out, &DemangleOptions::default())
            .is_ok()
    {
        return Cow::Owned(out.0);
    }
    Cow::Borrowed(name)
}
