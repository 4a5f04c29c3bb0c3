// swift-tools-version:6.0
// The native half is `cargo rustc -p partway --lib --features mobile --crate-type cdylib`; `cargo xtask test swift` builds it and passes where it is.
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6)]

let package = Package(
    name: "Partway",
    platforms: [.iOS(.v13), .macOS(.v10_15)],
    products: [.library(name: "Partway", targets: ["Partway"])],
    targets: [
        .systemLibrary(name: "PartwayFFI", path: "Sources/PartwayFFI/include"),
        .target(name: "Partway", dependencies: ["PartwayFFI"], swiftSettings: strict, linkerSettings: [.linkedLibrary("partway")]),
        // A process of its own that tests kill.
        .executableTarget(name: "Killed", dependencies: ["Partway"], path: "Tests/Killed", swiftSettings: strict),
        // One that uploads alone, so that its memory can be told.
        .executableTarget(name: "Carried", dependencies: ["Partway"], path: "Tests/Carried", swiftSettings: strict),
        // The snippets of docs/swift.md.
        .executableTarget(name: "QuickStart", dependencies: ["Partway"], path: "Examples/QuickStart", swiftSettings: strict),
        .target(name: "Snippets", dependencies: ["Partway"], path: "Examples/Snippets", swiftSettings: strict),
        .testTarget(
            name: "PartwayTests", dependencies: ["Partway", "Killed", "Carried", "QuickStart", "Snippets"], path: "Tests/PartwayTests",
            swiftSettings: strict),
    ]
)
