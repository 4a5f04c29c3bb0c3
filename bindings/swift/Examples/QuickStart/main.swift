import Foundation
import Partway

let (api, library, token, path) = (CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3], CommandLine.arguments[4])
let file = URL(fileURLWithPath: path)

// Once a process. Whatever an earlier one left unfinished goes on by itself.
let state = FileManager.default.temporaryDirectory.appendingPathComponent("partway-quick-start")
let client = try await Client.open(Configuration(stateDirectory: state) { account, why in token })

let upload = try await client.start(UploadRequest(
    key: "first/\(file.lastPathComponent)", // Yours: the same key again is the same upload.
    target: .smh(endpoint: api, account: "me", library: library, space: "-", path: "first/\(file.lastPathComponent)", createParents: true),
    source: .file(file)
))
// From here on it survives a kill.
let receipt = try await upload.receipt
print("stored as \(receipt.name), \(receipt.sizeBytes) bytes")
try await upload.forget() // "I have noted how it ended."
await client.close(timeoutMs: 5_000)
