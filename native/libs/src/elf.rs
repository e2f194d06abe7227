//! What is read of an ELF file before blazesym may see it: where its segments lie, its build id and debug link, and whether its
//! DWARF is fit to be read at all. Everything comes through read(2), so a file that shrinks gives an error here, not a signal.
use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

use gimli::{DebugAbbrev, DebugInfo, EndianSlice, RunTimeEndian};
use object::read::{ReadCache, ReadRef};
use object::{CompressionFormat, Object, ObjectSection, ObjectSegment, SegmentFlags};

/// Larger files are not symbolized; a debug build of a browser is smaller.
const LARGEST_FILE: u64 = 4 << 30;
/// What compressed sections may come to, all together.
const LARGEST_DEBUG: u64 = 768 << 20;
/// blazesym walks nested entries by recursion; real programs stay below 100.
const DEEPEST: isize = 512;
/// How long the check of a file's DWARF may take (about 300 MB of it).
const LONGEST_CHECK: Duration = Duration::from_secs(3);

pub struct Segment {
    pub offset: u64,
    pub size: u64,
    pub address: u64,
    pub executable: bool,
}

pub struct Facts {
    pub segments: Vec<Segment>,
    pub build_id: Vec<u8>,
    /// The file name in .gnu_debuglink, only where it is a plain name.
    pub debug_link: Vec<u8>,
    /// Whether blazesym may use the DWARF in it.
    pub dwarf: bool,
}

impl Facts {
    /// The virtual address of a file offset; executable segments first, as page rounding makes neighbours overlap.
    pub fn address(&self, offset: u64) -> Option<u64> {
        let holds =
            |segment: &&Segment| offset >= segment.offset && offset - segment.offset < segment.size;
        let segment = self
            .segments
            .iter()
            .filter(|segment| segment.executable)
            .find(holds)
            .or_else(|| self.segments.iter().find(holds))?;
        Some(segment.address.wrapping_add(offset - segment.offset))
    }
}

/// Reads a file's facts; None where it is no ELF file or one that is not fit to be read.
pub fn facts(file: &File) -> Option<Facts> {
    if file.metadata().ok()?.len() > LARGEST_FILE {
        return None;
    }
    let cache = ReadCache::new(file);
    let elf = object::File::parse(&cache).ok()?;
    let segments = elf
        .segments()
        .map(|segment| {
            let (offset, size) = segment.file_range();
            let executable = matches!(segment.flags(), SegmentFlags::Elf { p_flags } if p_flags & object::elf::PF_X != 0);
            Segment { offset, size, address: segment.address(), executable }
        })
        .collect();
    let build_id = elf
        .build_id()
        .ok()
        .flatten()
        .filter(|id| (2..=64).contains(&id.len()))
        .unwrap_or_default()
        .to_vec();
    let link = elf
        .gnu_debuglink()
        .ok()
        .flatten()
        .map(|(name, _)| name.to_vec())
        .unwrap_or_default();
    let debug_link = if link.contains(&b'/') || link.starts_with(b"..") || link.len() > 255 {
        Vec::new()
    } else {
        link
    };
    let dwarf = fit(&elf);
    Some(Facts {
        segments,
        build_id,
        debug_link,
        dwarf,
    })
}

/// Links to other files are not followed by blazesym: it would look them up in this process's own root, by a name that the traced
/// side chose. A section that grows beyond bounds or entries nested beyond bounds are not shown to it either.
fn fit<'data, R: ReadRef<'data>>(elf: &object::File<'data, R>) -> bool {
    let mut budget = LARGEST_DEBUG;
    let (mut info, mut abbrev) = (Vec::new(), Vec::new());
    for section in elf.sections() {
        let Ok(name) = section.name() else {
            return false;
        };
        match name {
            ".gnu_debuglink" | ".gnu_debugaltlink" | ".debug_sup" => return false,
            ".debug_info" | ".debug_abbrev" => {
                let Some(data) = contents(&section, &mut budget, true) else {
                    return false;
                };
                if name == ".debug_info" {
                    info = data;
                } else {
                    abbrev = data;
                }
            }
            _ => {
                let compressed = section
                    .compressed_file_range()
                    .is_ok_and(|range| range.format != CompressionFormat::None);
                if compressed && contents(&section, &mut budget, false).is_none() {
                    return false;
                }
            }
        }
    }
    let endian = if elf.is_little_endian() {
        RunTimeEndian::Little
    } else {
        RunTimeEndian::Big
    };
    !info.is_empty() && shallow(&info, &abbrev, endian).unwrap_or(false)
}

/// A section's bytes, decompressed, within the budget; with `keep` off only counted.
fn contents<'data>(
    section: &impl ObjectSection<'data>,
    budget: &mut u64,
    keep: bool,
) -> Option<Vec<u8>> {
    let range = section.compressed_file_range().ok()?;
    if range.uncompressed_size > *budget {
        return None;
    }
    *budget -= range.uncompressed_size;
    let data = section.compressed_data().ok()?;
    let mut reader: Box<dyn Read> = match data.format {
        CompressionFormat::None => return Some(if keep { data.data.to_vec() } else { Vec::new() }),
        CompressionFormat::Zlib => Box::new(flate2::read::ZlibDecoder::new(data.data)),
        CompressionFormat::Zstandard => Box::new(zstd::Decoder::with_buffer(data.data).ok()?),
        _ => return None,
    };
    let mut out = Vec::new();
    let mut block = vec![0; 64 << 10];
    let mut left = range.uncompressed_size;
    loop {
        let count = reader.read(&mut block).ok()?;
        if count == 0 {
            return (left == 0).then_some(out);
        }
        left = left.checked_sub(count as u64)?;
        if keep {
            out.extend_from_slice(&block[..count]);
        }
    }
}

fn shallow(info: &[u8], abbrev: &[u8], endian: RunTimeEndian) -> gimli::Result<bool> {
    let started = Instant::now();
    let info = DebugInfo::from(EndianSlice::new(info, endian));
    let abbrev = DebugAbbrev::from(EndianSlice::new(abbrev, endian));
    let mut units = info.units();
    while let Some(unit) = units.next()? {
        if started.elapsed() > LONGEST_CHECK {
            return Ok(false);
        }
        let abbreviations = unit.abbreviations(&abbrev)?;
        let mut entries = unit.entries_raw(&abbreviations, None)?;
        while !entries.is_empty() {
            if entries.next_depth() > DEEPEST {
                return Ok(false);
            }
            if let Some(kind) = entries.read_abbreviation()? {
                entries.skip_attributes(kind.attributes())?;
            }
        }
    }
    Ok(true)
}
