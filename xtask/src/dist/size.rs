//! docs/size.json: what the libraries weigh, and what they would weigh without any code of ours.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Map, Value, json};

use super::target::{Face, Platform, Target};
use crate::{Outcome, root};

pub(crate) const LEDGER: &str = "docs/size.json";
/// What our own code may add to the floor (HTTPS with ureq and rustls, and uniffi where it is in): ADR 19. Nothing bounds it on this machine's own kind, which
/// is no phone and is built with the standard library that comes with the compiler.
fn ours_bytes_max(target: &Target, face: Face) -> Option<u64> {
    match (target.platform, face) {
        (Platform::Host, _) => None,
        (_, Face::C | Face::Mobile) => Some(900_000),
        (_, Face::All) => Some(1_050_000),
    }
}

/// What it may grow before somebody looks.
const GROWTH_PERCENT_MAX: u64 = 5;

/// What a library weighs.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
    /// As it travels in an app's package.
    pub(crate) gz_bytes: u64,
}

impl Size {
    pub(crate) fn of(file: &Path) -> Result<Size, String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", file.display());
        let open = fs::File::open(file).map_err(wrong)?;
        let bytes = open.metadata().map_err(wrong)?.len();
        let packed = Command::new("gzip").args(["-9", "-c", "-n"]).stdin(Stdio::from(open)).output().map_err(wrong)?;
        if !packed.status.success() {
            return Err(format!("gzip: {}", packed.status));
        }
        Ok(Size { bytes, gz_bytes: packed.stdout.len() as u64 })
    }

    fn json(self) -> Value {
        json!({ "bytes": self.bytes, "gz_bytes": self.gz_bytes })
    }

    fn read(value: &Value) -> Option<Size> {
        Some(Size { bytes: value["bytes"].as_u64()?, gz_bytes: value["gz_bytes"].as_u64()? })
    }
}

/// The table as it is checked in.
pub(crate) struct Ledger(Value);

impl Ledger {
    pub(crate) fn read() -> Result<Ledger, String> {
        match fs::read_to_string(root().join(LEDGER)) {
            Ok(text) => serde_json::from_str(&text).map(Ledger).map_err(|error| format!("{LEDGER}: {error}")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Ledger(json!({}))),
            Err(error) => Err(format!("{LEDGER}: {error}")),
        }
    }

    /// The floor of a target, if this compiler measured it.
    pub(crate) fn floor(&self, target: &Target, face: Face, compiler: &str) -> Option<Size> {
        let entry = &self.0[target.triple];
        (entry["rustc"] == compiler).then(|| Size::read(&entry["floor"][face.name()])).flatten()
    }

    /// Fails when what is ours has grown since the table was written, whatever the compiler: growth is looked at, and then noted by `cargo xtask dist`.
    pub(crate) fn not_grown(&self, target: &Target, face: Face, floor: Size, library: Size) -> Outcome {
        let entry = &self.0[target.triple];
        let read = |of: &str| Size::read(&entry[of][face.name()]);
        let (Some(noted_floor), Some(noted)) = (read("floor"), read("library")) else {
            return Err(format!("{LEDGER} has no {} with {}: run cargo xtask dist", target.triple, face.name()));
        };
        let (ours, noted) = (ours(floor, library), ours(noted_floor, noted));
        if ours > noted + noted / 100 * GROWTH_PERCENT_MAX {
            return Err(format!(
                "{}, {}: {ours} bytes are ours, and {noted} were: {LEDGER}",
                target.triple,
                face.name()
            ));
        }
        Ok(())
    }

    pub(crate) fn set(&mut self, target: &Target, compiler: &str, sizes: &[(Face, Size, Size)]) {
        let table = |pick: fn(&(Face, Size, Size)) -> Size| -> Value {
            Value::Object(sizes.iter().map(|row| (row.0.name().to_owned(), pick(row).json())).collect::<Map<_, _>>())
        };
        self.0[target.triple] =
            json!({ "rustc": compiler, "floor": table(|row| row.1), "library": table(|row| row.2) });
    }

    pub(crate) fn write(&self) -> Outcome {
        let text = serde_json::to_string_pretty(&self.0).map_err(|error| error.to_string())?;
        fs::write(root().join(LEDGER), text + "\n").map_err(|error| format!("{LEDGER}: {error}"))
    }
}

/// What is ours of a library.
fn ours(floor: Size, library: Size) -> u64 {
    library.bytes.saturating_sub(floor.bytes)
}

/// Says what the library weighs; fails when that is more than it may be.
pub(crate) fn within_budget(target: &Target, face: Face, floor: Size, library: Size) -> Outcome {
    let (ours, most) = (ours(floor, library), ours_bytes_max(target, face));
    let (name, of) = (face.name(), most.map_or(String::new(), |most| format!(" of {most}")));
    let (bytes, gz_bytes, floor_bytes) = (library.bytes, library.gz_bytes, floor.bytes);
    println!(
        "{}, {name}: {bytes} bytes ({gz_bytes} packed); the floor is {floor_bytes}, ours {ours}{of}",
        target.triple
    );
    match most {
        Some(most) if ours > most => {
            Err(format!("{}, {name}: {ours} bytes are ours, and {most} may be", target.triple))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::target;

    #[test]
    fn every_library_is_in_the_table() {
        let ledger = Ledger::read().expect("the table");
        for target in target::TARGETS {
            let compiler = ledger.0[target.triple]["rustc"].as_str().unwrap_or_default();
            for face in target.faces {
                let (floor, library) = (ledger.floor(target, *face, compiler), &ledger.0[target.triple]["library"]);
                let there = floor.is_some() && Size::read(&library[face.name()]).is_some();
                assert!(there, "{LEDGER} has no {} with {}: run cargo xtask dist", target.triple, face.name());
            }
        }
    }

    #[test]
    fn what_is_over_the_budget_fails() {
        let target = target::find("android").expect("there");
        let size = |bytes| Size { bytes, gz_bytes: bytes / 2 };
        assert_eq!(within_budget(target, Face::C, size(1_000_000), size(1_900_000)), Ok(()));
        assert!(within_budget(target, Face::C, size(1_000_000), size(1_900_001)).is_err());
        assert_eq!(within_budget(target, Face::All, size(1_000_000), size(2_050_000)), Ok(()));
        assert!(within_budget(target, Face::All, size(1_000_000), size(2_050_001)).is_err());
        let desktop = target::find("linux").expect("there");
        assert_eq!(within_budget(desktop, Face::C, size(1_000_000), size(3_000_000)), Ok(()));
    }

    #[test]
    fn what_has_grown_fails() {
        let target = target::find("android").expect("there");
        let size = |bytes| Size { bytes, gz_bytes: bytes / 2 };
        let mut ledger = Ledger(json!({}));
        assert!(ledger.not_grown(target, Face::C, size(1_000), size(2_000)).is_err(), "nothing is noted");
        ledger.set(target, "1.96.0", &[(Face::C, size(1_000), size(2_000))]);
        assert_eq!(ledger.not_grown(target, Face::C, size(5_000), size(6_050)), Ok(()));
        assert!(ledger.not_grown(target, Face::C, size(5_000), size(6_051)).is_err());
    }

    #[test]
    fn a_floor_that_another_compiler_measured_is_none() {
        let target = target::find("android").expect("there");
        let size = |bytes| Size { bytes, gz_bytes: bytes / 2 };
        let mut ledger = Ledger(json!({}));
        ledger.set(target, "1.96.0", &[(Face::C, size(10), size(20))]);
        assert_eq!(ledger.floor(target, Face::C, "1.96.0").map(|size| size.bytes), Some(10));
        assert!(ledger.floor(target, Face::C, "1.97.0").is_none());
        assert!(ledger.floor(target, Face::Mobile, "1.96.0").is_none());
    }
}
