//! What builds for a platform: Debian's rustc with the standard library's own source, clang and lld, and from `.ci/install/cross` the headers and the little
//! code that the platform's own kit would give. What an app's own build links is the platform's.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    check,
    symbols::Symbols,
    target::{Face, Platform, Target},
};
use crate::{cargo, library, quiet, root};

/// Below it an app for Android can't say what it runs on: the first with 64 bits.
pub(crate) const ANDROID_API_MIN: u32 = 21;
const IOS_MIN: &str = "13.0";

/// How cargo is called for a target, and how its libraries are linked and stripped.
pub(crate) struct Kit {
    target: &'static Target,
    /// Where headers and made libraries are.
    home: PathBuf,
    made: PathBuf,
}

impl Kit {
    pub(crate) fn new(target: &'static Target) -> Result<Kit, String> {
        let build = std::path::absolute(library::target()).map_err(|error| error.to_string())?;
        let kit = Kit { target, home: build.join("tools/cross"), made: build.join("cross/kit").join(target.triple) };
        if target.platform == Platform::Host {
            return Ok(kit);
        }
        if !kit.home.join("installed").exists() {
            return Err("the tools for other platforms are not there: run `bash .ci/install/cross`".to_owned());
        }
        std::fs::create_dir_all(&kit.made).map_err(|error| format!("{}: {error}", kit.made.display()))?;
        match target.platform {
            Platform::Android | Platform::Ohos => kit.libunwind().and_then(|()| kit.stubs())?,
            Platform::Host | Platform::LinuxArm64 | Platform::Ios => {}
        }
        Ok(kit)
    }

    /// `cargo`, for this target; the caller adds a command and its arguments and then [`Kit::arguments`].
    pub(crate) fn cargo(&self, command: &str) -> Command {
        if self.target.platform == Platform::Host {
            let mut cargo = cargo();
            cargo.args([command, "--locked"]).env("CARGO_PROFILE_RELEASE_STRIP", "none");
            return cargo;
        }
        let mut cargo = Command::new("/usr/bin/cargo");
        cargo.current_dir(root()).args([command, "--locked", "--target", self.target.triple]);
        // What was meant for the cargo that runs us.
        for name in ["LD_LIBRARY_PATH", "CARGO", "RUSTUP_TOOLCHAIN", "RUSTFLAGS"] {
            cargo.env_remove(name);
        }
        // A stable compiler that may build the standard library: there is no other way to it for these targets here.
        cargo.envs([("RUSTC", "/usr/bin/rustc"), ("RUSTDOC", "/usr/bin/rustdoc"), ("RUSTC_BOOTSTRAP", "1")]);
        cargo.env("CARGO_TARGET_DIR", self.build()).env("CARGO_PROFILE_RELEASE_STRIP", "none");
        let name = self.target.triple.replace('-', "_");
        let (compiler, archiver) = match self.target.platform {
            Platform::LinuxArm64 => ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-ar"),
            _ => ("clang-19", "llvm-ar-19"),
        };
        cargo.env(format!("CC_{name}"), compiler).env(format!("AR_{name}"), archiver);
        cargo.env(format!("CFLAGS_{name}"), self.c_flags().join(" "));
        cargo.env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), compiler);
        if self.target.platform == Platform::Ios {
            cargo.env("IPHONEOS_DEPLOYMENT_TARGET", IOS_MIN).env("SDKROOT", &self.made);
        }
        cargo
    }

    /// Where cargo builds.
    pub(crate) fn build(&self) -> PathBuf {
        if self.target.platform == Platform::Host { library::target() } else { library::target().join("cross") }
    }

    /// Where cargo puts what it built with the release profile.
    pub(crate) fn release(&self) -> PathBuf {
        let triple = if self.target.platform == Platform::Host { "" } else { self.target.triple };
        self.build().join(triple).join("release")
    }

    /// What cargo is told of the standard library; nothing where the compiler comes with it.
    pub(crate) fn std(&self, tests: bool) -> &'static [&'static str] {
        match (self.target.platform, tests) {
            (Platform::Host, _) => &[],
            // Without the feature `backtrace`: what is shipped has no symbols that it could name.
            (_, false) => &["-Zbuild-std=std,panic_unwind", "-Zbuild-std-features=panic-unwind,optimize_for_size"],
            (_, true) => &["-Zbuild-std=std,panic_unwind,test"],
        }
    }

    /// What rustc is told of every crate, the standard library's too.
    pub(crate) fn flags(&self) -> Option<(&'static str, &'static str)> {
        // Where in which file something panicked: told to a hook, and there is none in an app.
        (self.target.platform != Platform::Host).then_some(("RUSTFLAGS", "-Zlocation-detail=none"))
    }

    /// What rustc is told of the code that it makes.
    pub(crate) fn code(&self) -> &'static [&'static str] {
        match self.target.platform {
            Platform::Host | Platform::Ios => &[],
            // Code that repeats becomes a function of its own, which costs an entry in the tables of unwinding: LLVM doesn't count that.
            _ => &["-Cllvm-args=-outliner-benefit-threshold=40"],
        }
    }

    /// What the linker is told, for a shared library of that name.
    pub(crate) fn link(&self, soname: &str) -> Vec<String> {
        let mut flags = vec!["-Wl,--build-id=sha1".to_owned(), format!("-Wl,-soname,{soname}")];
        match self.target.platform {
            Platform::Host | Platform::LinuxArm64 => {}
            Platform::Android => flags.extend(self.lld(&format!("aarch64-linux-android{ANDROID_API_MIN}"))),
            Platform::Ohos => flags.extend(self.lld("aarch64-linux-musl")),
            // An archive is not linked.
            Platform::Ios => return vec![],
        }
        if matches!(self.target.platform, Platform::Android | Platform::Ohos) {
            // Functions of the same code become one. None of those that have landing pads: lld gives each whose entry in the tables of unwinding names a table of
            // its own a class of its own. Nothing here compares addresses of functions.
            flags.push("-Wl,--icf=all".to_owned());
            flags.push(format!("-L{}", self.stubbed().display()));
            // What nothing has is missed here and not at loading. Not for programs: a dependency that is also a shared library is linked with their flags, and
            // has no `main`.
            flags.push("-Wl,-z,defs".to_owned());
        }
        if self.target.platform == Platform::Ohos {
            // Behind the stubs: libraries that are empty in a musl, and are asked for all the same.
            flags.push(format!("-L{}", self.musl().display()));
        }
        if self.target.platform == Platform::Android {
            // Devices with pages of 16 KiB load nothing that is aligned to less.
            flags.push("-Wl,-z,max-page-size=16384".to_owned());
        }
        flags
    }

    /// What the linker is told for a program that runs on this machine under an emulator.
    pub(crate) fn link_program(&self) -> Vec<String> {
        if self.target.platform != Platform::Ohos {
            return vec![];
        }
        let musl = self.musl();
        let mut flags = self.lld("aarch64-linux-musl");
        flags.push("-Wl,--dynamic-linker=/lib/ld-musl-aarch64.so.1".to_owned());
        flags.push(format!("-L{}", musl.display()));
        flags.extend(["Scrt1.o", "crti.o", "crtn.o"].map(|object| musl.join(object).display().to_string()));
        flags
    }

    /// Where the system of the target is, for the emulator.
    pub(crate) fn system(&self) -> PathBuf {
        match self.target.platform {
            Platform::Ohos => self.home.join("musl"),
            _ => "/usr/aarch64-linux-gnu".into(),
        }
    }

    /// Takes what only a debugger needs out of a shared library; what was there stays in `from`.
    pub(crate) fn strip(&self, from: &Path, to: &Path) -> Result<(), String> {
        let tool = if self.target.platform == Platform::Host { "strip" } else { "llvm-strip-19" };
        let how = if self.target.platform == Platform::Ios { "-x" } else { "--strip-all" };
        quiet(Command::new(tool).arg(how).arg("-o").arg(to).arg(from)).map(drop)
    }

    /// Makes the archive a shared library that exports its face.
    pub(crate) fn link_android(&self, archive: &Path, face: Face, to: &Path) -> Result<(), String> {
        let names: String = check::exported(face).map(|start| format!("{start}*; ")).collect();
        let script = self.made.join("exported");
        std::fs::write(&script, format!("{{ global: {names}local: *; }};\n"))
            .map_err(|error| format!("{}: {error}", script.display()))?;
        let soname = to.file_name().unwrap_or_default().to_string_lossy();
        let mut linker = Command::new("clang-19");
        linker.args(["-shared", "-Wl,--gc-sections", "-Wl,--eh-frame-hdr", "-Wl,-z,relro,-z,now,-z,noexecstack"]);
        linker.arg(format!("-Wl,--version-script={}", script.display())).args(self.link(&soname));
        linker.arg("-Wl,--whole-archive").arg(archive).arg("-Wl,--no-whole-archive,--as-needed");
        quiet(linker.args(["-ldl", "-llog", "-lunwind", "-lm", "-lc"]).arg("-o").arg(to)).map(drop)
    }

    /// A library as the linker of an app for iOS would take it out of the archive.
    pub(crate) fn link_ios(&self, archive: &Path, face: Face, to: &Path) -> Result<(), String> {
        let mut linker = Command::new("ld64.lld-19");
        linker.args(["-arch", "arm64", "-platform_version", "ios", IOS_MIN, "17.0", "-dylib", "-dead_strip"]);
        // What it takes from the system is compared with the list afterwards.
        linker.args(["-undefined", "dynamic_lookup"]);
        for start in check::exported(face) {
            linker.arg("-exported_symbol").arg(format!("_{start}*"));
        }
        quiet(linker.arg("-all_load").arg(archive).arg("-o").arg(to)).map(drop)
    }

    fn musl(&self) -> PathBuf {
        self.home.join("musl/usr/lib/aarch64-linux-musl")
    }

    fn lld(&self, target: &str) -> Vec<String> {
        let mut flags: Vec<String> =
            [&format!("--target={target}"), "-nostdlib", "-fuse-ld=lld-19"].map(str::to_owned).into();
        flags.push(format!("-L{}", self.made.display()));
        flags
    }

    /// What a C compiler is told.
    fn c_flags(&self) -> Vec<String> {
        let include = |folders: &[&str]| -> Vec<String> {
            let folders =
                folders.iter().map(|folder| format!("-isystem{}", self.home.join("include").join(folder).display()));
            ["-nostdlibinc".to_owned()].into_iter().chain(folders).collect()
        };
        let linux = ["musl-arm64", "musl", "linux-arm64", "linux"];
        match self.target.platform {
            Platform::Host | Platform::LinuxArm64 => vec![],
            Platform::Ios => [vec![format!("--target=arm64-apple-ios{IOS_MIN}")], include(&["apple"])].concat(),
            Platform::Android => {
                [vec![format!("--target=aarch64-linux-android{ANDROID_API_MIN}")], include(&linux)].concat()
            }
            Platform::Ohos => [vec!["--target=aarch64-linux-ohos".to_owned()], include(&linux)].concat(),
        }
    }

    /// LLVM's libunwind, which the kits of Android and HarmonyOS have as a library.
    fn libunwind(&self) -> Result<(), String> {
        let archive = self.made.join("libunwind.a");
        if archive.exists() {
            return Ok(());
        }
        let source = self.home.join("libunwind");
        let mut objects = vec![];
        for file in [
            "Unwind-sjlj.c",
            "UnwindLevel1.c",
            "UnwindLevel1-gcc-ext.c",
            "UnwindRegistersRestore.S",
            "UnwindRegistersSave.S",
            "libunwind.cpp",
        ] {
            let object = self.made.join(format!("{file}.o"));
            let mut compiler = Command::new("clang-19");
            compiler.args(self.c_flags()).args(["-O2", "-fPIC", "-DNDEBUG", "-D_LIBUNWIND_IS_NATIVE_ONLY", "-c"]);
            if self.target.platform == Platform::Android && !file.ends_with(".S") {
                compiler.arg("-D__errno_location=__errno").arg("-include").arg(root().join("xtask/src/dist/bionic.h"));
            }
            if file.ends_with(".cpp") {
                compiler.args(["-std=c++17", "-fno-exceptions", "-fno-rtti", "-nostdinc++"]);
            } else if file.ends_with(".c") {
                compiler.args(["-std=c17", "-fexceptions"]);
            }
            compiler.arg("-I").arg(source.join("include")).arg(source.join("src").join(file)).arg("-o").arg(&object);
            quiet(&mut compiler)?;
            objects.push(object);
        }
        quiet(Command::new("llvm-ar-19").arg("rcs").arg(&archive).args(objects)).map(drop)
    }

    fn stubbed(&self) -> PathBuf {
        self.made.join("stubs")
    }

    /// The system's libraries, as empty as can be: they have the names of the list, and the linker finds nothing else.
    fn stubs(&self) -> Result<(), String> {
        let Some(list) = self.target.symbols else { return Ok(()) };
        let folder = self.stubbed();
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for (library, names) in Symbols::read(list)?.by_library() {
            let mut text = String::new();
            for name in names {
                let _ = writeln!(text, "void {name}(void) {{}}");
            }
            let source = folder.join(format!("{library}.c"));
            std::fs::write(&source, text).map_err(|error| format!("{}: {error}", source.display()))?;
            let mut compiler = Command::new("clang-19");
            compiler.args(self.c_flags()).args([
                "-w",
                "-fno-builtin",
                "-fPIC",
                "-shared",
                "-nostdlib",
                "-fuse-ld=lld-19",
            ]);
            compiler.arg(format!("-Wl,-soname,{library}")).arg(&source).arg("-o").arg(folder.join(library));
            quiet(&mut compiler)?;
        }
        Ok(())
    }
}
