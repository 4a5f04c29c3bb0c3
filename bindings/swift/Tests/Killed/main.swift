// A process that uploads, says how many parts are proven, and is killed. Arguments: state directory, API, library, token, file.
import Foundation
import Partway

let arguments = Array(CommandLine.arguments.dropFirst())
let token = arguments[3]
var configuration = Configuration(stateDirectory: URL(fileURLWithPath: arguments[0])) { _, _ in token }
configuration.limits = Limits(parallelParts: 4)
let client = try await Client.open(configuration)
let upload = try await client.start(UploadRequest(
    key: "film.mp4",
    target: .smh(endpoint: arguments[1], account: "me", library: arguments[2], space: "-", path: "film.mp4", mode: .multipart),
    source: .file(URL(fileURLWithPath: arguments[4]))))
var said: Int32 = -1
for await snapshot in upload.snapshots where snapshot.progress.partsDone > said {
    said = snapshot.progress.partsDone
    FileHandle.standardOutput.write(Data("acknowledged \(said)\n".utf8))
}
