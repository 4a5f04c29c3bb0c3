import Foundation
import Partway

let arguments = CommandLine.arguments
guard arguments.count == 5 else {
    print("QuickStart API LIBRARY TOKEN FILE")
    exit(2)
}
let (api, library, token, file) = (arguments[1], arguments[2], arguments[3], URL(fileURLWithPath: arguments[4]))

// Once a process. Whatever an earlier one left unfinished goes on by itself.
let state = FileManager.default.temporaryDirectory.appendingPathComponent("partway-quick-start")
let client = try await Client.open(Configuration(stateDirectory: state) { account, why in token })

let upload = try await client.start(UploadRequest(
    key: "first/\(file.lastPathComponent)", // Yours: the same key again is the same upload.
    target: .smh(endpoint: api, account: "me", library: library, space: "-", path: "first/\(file.lastPathComponent)", createParents: true),
    source: .file(file)
))
// From here on it survives a kill.
if upload.how == .alreadyThere { print("goes on as it was begun; to begin over, delete \(state.path)") }
for await snapshot in upload.snapshots { // ends with its ending
    if case .waiting(let waiting) = snapshot.state { print("waiting for \(waiting.reason): \(waiting.error?.logLine ?? "")") }
}
do {
    let receipt = try await upload.receipt
    print("stored as \(receipt.name), \(receipt.sizeBytes) bytes")
    try await upload.forget() // "I have noted how it ended."
} catch {
    print(error) // "PW-4017 space_not_found http=404 …"; started again, it is begun again
}
await client.close(timeoutMs: 5_000)
