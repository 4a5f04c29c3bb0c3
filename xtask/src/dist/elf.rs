//! What a shared library for Linux, Android or HarmonyOS says of itself, by `readelf`.

use std::{collections::BTreeSet, path::Path, process::Command};

use super::symbols::Undefined;
use crate::quiet;

pub(crate) struct Elf {
    pub(crate) exported: BTreeSet<String>,
    pub(crate) taken: BTreeSet<Undefined>,
    /// The name by which programs find it again.
    pub(crate) soname: Option<String>,
    /// What it asks the system to load.
    pub(crate) needed: BTreeSet<String>,
    /// Code that would be written to at loading: Android refuses it.
    pub(crate) text_relocations: bool,
    /// The least alignment of what is loaded.
    pub(crate) alignment_bytes: u64,
    /// The newest version of the GNU C library that it asks for.
    pub(crate) glibc: Option<(u32, u32)>,
}

impl Elf {
    pub(crate) fn read(library: &Path) -> Result<Elf, String> {
        let said = |what: &str| -> Result<String, String> {
            let output = quiet(Command::new("readelf").env("LC_ALL", "C").args(["--wide", what]).arg(library))?;
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let elf = Elf::parse(&said("--dyn-syms")?, &said("--dynamic")?, &said("--segments")?);
        // A tool that says something else than it used to must not pass for a library without symbols.
        if elf.exported.is_empty() || elf.taken.is_empty() || elf.alignment_bytes == 0 {
            return Err(format!("readelf says nothing of {}", library.display()));
        }
        Ok(elf)
    }

    fn parse(symbols: &str, dynamic: &str, segments: &str) -> Elf {
        let mut elf = Elf {
            exported: BTreeSet::new(),
            taken: BTreeSet::new(),
            soname: None,
            needed: BTreeSet::new(),
            text_relocations: false,
            alignment_bytes: u64::MAX,
            glibc: None,
        };
        for line in symbols.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [number, _, _, _, binding, _, section, name, ..] = words[..] else { continue };
            // Nobody else sees what is local: the sections, which some linkers list here.
            if !number.ends_with(':') || number == "Num:" || binding == "LOCAL" {
                continue;
            }
            let (name, version) = name.split_once('@').unwrap_or((name, ""));
            if section == "UND" {
                elf.taken.insert(Undefined { name: name.to_owned(), weak: binding == "WEAK" });
                elf.glibc = elf.glibc.max(glibc(version));
            } else {
                elf.exported.insert(name.to_owned());
            }
        }
        for line in dynamic.lines() {
            let value =
                line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(value, _)| value.to_owned());
            match value {
                Some(value) if line.contains("(SONAME)") => elf.soname = Some(value),
                Some(value) if line.contains("(NEEDED)") => drop(elf.needed.insert(value)),
                _ => elf.text_relocations |= line.contains("TEXTREL"),
            }
        }
        for line in segments.lines().filter(|line| line.trim_start().starts_with("LOAD")) {
            let alignment = line
                .split_whitespace()
                .last()
                .and_then(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok());
            elf.alignment_bytes = elf.alignment_bytes.min(alignment.unwrap_or(0));
        }
        if elf.alignment_bytes == u64::MAX {
            elf.alignment_bytes = 0;
        }
        elf
    }
}

fn glibc(version: &str) -> Option<(u32, u32)> {
    let (major, rest) = version.trim_start_matches('@').strip_prefix("GLIBC_")?.split_once('.')?;
    Some((major.parse().ok()?, rest.split('.').next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readelf_says_is_understood() {
        let symbols = "\
Symbol table '.dynsym' contains 5 entries:
   Num:    Value          Size Type    Bind   Vis      Ndx Name
     0: 0000000000000000     0 NOTYPE  LOCAL  DEFAULT  UND
     1: 0000000000000000     0 FUNC    WEAK   DEFAULT  UND getrandom
     2: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND open@GLIBC_2.17 (2)
     3: 000000000001a3c8   120 FUNC    GLOBAL PROTECTED   13 partway_abi_version
     4: 000000000000f4b8     0 SECTION LOCAL  DEFAULT     9 .init
";
        let dynamic = "\
 0x0000000000000001 (NEEDED)             Shared library: [libc.so]
 0x000000000000000e (SONAME)             Library soname: [libpartway.so]
 0x0000000000000016 (TEXTREL)            0x0
";
        let segments = "\
  Type           Offset   VirtAddr           PhysAddr           FileSiz  MemSiz   Flg Align
  LOAD           0x000000 0x0000000000000000 0x0000000000000000 0x02d0f4 0x02d0f4 R   0x4000
  LOAD           0x02d100 0x0000000000031100 0x0000000000031100 0x1234f0 0x1234f0 R E 0x1000
";
        let elf = Elf::parse(symbols, dynamic, segments);
        assert_eq!(elf.exported, BTreeSet::from(["partway_abi_version".to_owned()]));
        let taken: Vec<(&str, bool)> = elf.taken.iter().map(|taken| (taken.name.as_str(), taken.weak)).collect();
        assert_eq!(taken, [("getrandom", true), ("open", false)]);
        assert_eq!(elf.soname.as_deref(), Some("libpartway.so"));
        assert_eq!(elf.needed, BTreeSet::from(["libc.so".to_owned()]));
        assert!(elf.text_relocations);
        assert_eq!(elf.alignment_bytes, 0x1000);
        assert_eq!(elf.glibc, Some((2, 17)));
    }
}
