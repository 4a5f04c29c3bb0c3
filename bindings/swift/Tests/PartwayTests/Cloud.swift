import Foundation
import Partway
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// `partway sandbox --json` as a process.
final class Cloud: Sendable {
    let api: String
    let library: String
    let container: String
    let token: String
    let kooDriveToken: String
    let data: String
    /// Whom to trust, with TLS.
    private let caFile: String?
    private let control: String
    private let process: Child

    init(secure: Bool = false) async throws {
        process = try Child(Place.command, ["sandbox", "--json"] + (secure ? ["--tls"] : []))
        let line = try await process.line { _ in true }
        let addresses = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        func text(_ name: String) throws -> String { try required(addresses[name] as? String, "the sandbox says no \(name): \(line)") }
        let kooDrive = addresses["koodrive"] as? [String: Any] ?? [:]
        container = try required(kooDrive["container"] as? String, "the sandbox says no container: \(line)")
        kooDriveToken = try required(kooDrive["token"] as? String, "the sandbox says no token: \(line)")
        (api, data, library, token, control) = (try text("api"), try text("data"), try text("library"), try text("token"), try text("control"))
        caFile = addresses["ca_file"] as? String
    }

    /// A folder of KooDrive's, in which an application signs.
    func kooDrive(_ name: String) -> Target {
        .kooDrive(endpoint: api, account: "me", container: container, parent: "root", name: name)
    }

    /// A rule of the sandbox, such as `"step":"part","how":"stall"`.
    func rule(_ fields: String) async throws { _ = try await call("POST", "/rules", "{\(fields)}") }

    /// An array of them.
    func rules(_ rules: String) async throws { _ = try await call("POST", "/rules", rules) }

    func rules() async throws -> [[String: Any]] { try await list("/rules") }

    func clearRules() async throws { _ = try await call("DELETE", "/rules") }

    func tokens(_ fields: String) async throws { _ = try await call("POST", "/tokens", "{\(fields)}") }

    /// What was asked: the steps, in order.
    func log() async throws -> [[String: Any]] { try await list("/log") }

    func steps(_ step: String) async throws -> Int { try await log().filter { $0["step"] as? String == step }.count }

    func objects() async throws -> [[String: Any]] { try await list("/objects") }

    /// As PEM.
    func authority() throws -> String { try String(contentsOfFile: required(caFile, "without TLS there is none"), encoding: .utf8) }

    /// The one object of this path, by the SHA-256 that the cloud computed.
    func stored(_ path: String) async throws -> String? {
        let found = try await objects().filter { ($0["path"] as? [String])?.joined(separator: "/") == path }
        try check(found.count <= 1, "\(path) is there \(found.count) times")
        return found.first?["sha256"] as? String
    }

    private func list(_ path: String) async throws -> [[String: Any]] {
        try JSONSerialization.jsonObject(with: try await call("GET", path)) as? [[String: Any]] ?? []
    }

    private func call(_ method: String, _ path: String, _ body: String = "") async throws -> Data {
        let base = control.hasSuffix("/") ? String(control.dropLast()) : control
        var request = URLRequest(url: try required(URL(string: base + path), path))
        request.httpMethod = method
        if !body.isEmpty { request.httpBody = Data(body.utf8) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        try check((200..<300).contains(status), "\(method) \(path): \(status) \(String(decoding: data, as: UTF8.self))")
        return data
    }

    func close() {
        process.kill()
        // It can't any more.
        if let caFile { try? FileManager.default.removeItem(atPath: caFile) }
    }
}

/// Where things are: `cargo xtask test swift` says so.
enum Place {
    static let root = URL(fileURLWithPath: ProcessInfo.processInfo.environment["PARTWAY_ROOT"] ?? FileManager.default.currentDirectoryPath)
    static let command = URL(fileURLWithPath: ProcessInfo.processInfo.environment["PARTWAY_COMMAND"] ?? root.path + "/target/debug/partway")

    /// What stands in the place of the system's certificates, where that can be done: Foundation on Linux trusts nothing else, and says so to no delegate.
    static let authorities = ProcessInfo.processInfo.environment["PARTWAY_AUTHORITIES"].map { URL(fileURLWithPath: $0) }

    /// A program of this package.
    static func program(_ name: String) -> URL {
        // Beside the bundle of the tests, whoever runs it.
        let folder = ProcessInfo.processInfo.environment["PARTWAY_SWIFT_PRODUCTS"]
        return URL(fileURLWithPath: folder ?? root.path + "/target/swift/debug").appendingPathComponent(name)
    }
}

/// A process that says lines. It is over when nobody can say any more.
final class Child: @unchecked Sendable { // What changes is behind the lock.
    private let process = Process()
    private let name: String
    private let said = Kept((text: "", over: false))

    /// `eachLine`: it says each line at once, as on a terminal.
    init(_ program: URL, _ arguments: [String], eachLine: Bool = false) throws {
        let out = Pipe()
        name = program.lastPathComponent
        process.executableURL = eachLine ? URL(fileURLWithPath: "/usr/bin/env") : program
        process.arguments = (eachLine ? ["stdbuf", "-oL", program.path] : []) + arguments
        process.standardOutput = out
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let (reading, said) = (out.fileHandleForReading, said)
        Thread.detachNewThread {
            while true {
                let data = reading.availableData
                said.change { $0 = ($0.text + String(decoding: data, as: UTF8.self), data.isEmpty) }
                if data.isEmpty { break }
            }
        }
    }

    /// The first whole line of that kind.
    func line(_ fits: @Sendable (String) -> Bool) async throws -> String {
        var found: String?
        try await eventually("a line of \(name)") {
            found = said.value.text.components(separatedBy: "\n").dropLast().first(where: fits)
            return found != nil
        }
        return try required(found, "a line")
    }

    /// All that it says until it ends.
    func end() async throws -> String {
        try await eventually("the end of \(name)") { said.value.over }
        return said.value.text
    }

    /// As the system does it: at once.
    func kill() {
        if !said.value.over { Foundation.kill(process.processIdentifier, SIGKILL) }
    }
}

/// A folder that goes away at the end.
final class Folder: Sendable {
    let root: URL
    var state: URL { root.appendingPathComponent("state") }

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("partway-swift-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    }

    /// A file of bytes that differ from place to place.
    func file(_ name: String, _ sizeBytes: Int) throws -> URL {
        let url = root.appendingPathComponent(name)
        try content(sizeBytes, UInt64(name.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xffff })).write(to: url)
        return url
    }

    func remove() throws { try FileManager.default.removeItem(at: root) }
}

func content(_ sizeBytes: Int, _ seed: UInt64) -> Data {
    var state = seed | 1
    var bytes = [UInt64](repeating: 0, count: (sizeBytes + 7) / 8)
    for at in bytes.indices {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        bytes[at] = state
    }
    return bytes.withUnsafeBytes { Data($0.prefix(sizeBytes)) }
}
