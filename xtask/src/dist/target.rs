//! What is shipped, and what each platform asks of it.

/// One platform.
pub(crate) struct Target {
    /// What people call it, on the command line too.
    pub(crate) name: &'static str,
    pub(crate) triple: &'static str,
    pub(crate) platform: Platform,
    /// The features of each library that is shipped for it; the last has all.
    pub(crate) faces: &'static [Face],
    /// Where a hand-written list says what the library may take from the system.
    pub(crate) symbols: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Platform {
    /// This machine's own kind.
    Host,
    LinuxArm64,
    Android,
    Ohos,
    Ios,
}

/// A set of features.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Face {
    /// For C.
    C,
    /// For Kotlin and Swift: what most apps take.
    Mobile,
    /// For an app whose own C or C++ uploads as well, with the same uploads.
    All,
}

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "linux",
        triple: "x86_64-unknown-linux-gnu",
        platform: Platform::Host,
        faces: &[Face::C, Face::All],
        symbols: None,
    },
    Target {
        name: "arm64",
        triple: "aarch64-unknown-linux-gnu",
        platform: Platform::LinuxArm64,
        faces: &[Face::C],
        symbols: None,
    },
    Target {
        name: "android",
        triple: "aarch64-linux-android",
        platform: Platform::Android,
        faces: &[Face::Mobile, Face::All],
        symbols: Some("xtask/symbols/android.txt"),
    },
    Target {
        name: "ohos",
        triple: "aarch64-unknown-linux-ohos",
        platform: Platform::Ohos,
        faces: &[Face::C],
        symbols: Some("xtask/symbols/ohos.txt"),
    },
    Target {
        name: "ios",
        triple: "aarch64-apple-ios",
        platform: Platform::Ios,
        faces: &[Face::Mobile, Face::All],
        symbols: Some("xtask/symbols/ios.txt"),
    },
];

/// The target of this name or triple.
pub(crate) fn find(name: &str) -> Result<&'static Target, String> {
    TARGETS.iter().find(|target| target.name == name || target.triple == name).ok_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        format!("there is no target {name}; there are {}", names.join(", "))
    })
}

impl Target {
    /// True where cargo makes an archive. Apps for iOS link one; for Android we do, for rustc can't be told what not to export.
    pub(crate) fn is_archive(&self) -> bool {
        matches!(self.platform, Platform::Ios | Platform::Android)
    }

    /// The name of a crate's library, as it is shipped.
    pub(crate) fn file(&self, crate_name: &str) -> String {
        let end = if self.platform == Platform::Ios { "a" } else { "so" };
        format!("lib{}.{end}", crate_name.replace('-', "_"))
    }
}

impl Face {
    pub(crate) fn features(self) -> &'static str {
        match self {
            Face::C => "capi",
            Face::Mobile => "mobile",
            Face::All => "capi,mobile",
        }
    }

    /// Its folder, and its name in the table of sizes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Face::C => "capi",
            Face::Mobile => "mobile",
            Face::All => "capi+mobile",
        }
    }

    pub(crate) fn has_c(self) -> bool {
        self != Face::Mobile
    }

    pub(crate) fn has_mobile(self) -> bool {
        self != Face::C
    }
}
