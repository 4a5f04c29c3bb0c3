// A process that uploads over URLSession, each file in one request, and says how much memory it had at most after each, in KiB. Arguments: state directory, API,
// library, token, files.
import Foundation
import Partway

#if canImport(Darwin)
func peakKiB() -> Int {
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return Int(usage.ru_maxrss) / 1024
}
#else
func peakKiB() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.components(separatedBy: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return Int(line.filter(\.isNumber)) ?? 0
}
#endif

let arguments = Array(CommandLine.arguments.dropFirst())
let token = arguments[3]
var configuration = Configuration(stateDirectory: URL(fileURLWithPath: arguments[0])) { _, _ in token }
configuration.transport = URLSessionTransport()
let client = try await Client.open(configuration)
for file in arguments[4...].map(URL.init(fileURLWithPath:)) {
    let name = file.lastPathComponent
    let upload = try await client.start(UploadRequest(
        key: name, target: .smh(endpoint: arguments[1], account: "me", library: arguments[2], space: "-", path: name, mode: .simple),
        source: .file(file), instant: .off))
    _ = try await upload.receipt
    print(peakKiB())
}
await client.close(timeoutMs: 30_000)
