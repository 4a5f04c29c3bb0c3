import Foundation
import Partway

func asksOnConflict() async throws -> Bool {
    let fake = FakeClient() // no file, no network
    let target = Target.smh(endpoint: "https://…", account: "me", library: "library", space: "-", path: "photo.jpg")
    let upload = try await fake.start(UploadRequest(key: "photo", target: target, source: .later(token: Data())))
    fake.play(upload.id, .waiting(waiting: Waiting(
        reason: .conflict, sinceUnixMs: 0, retryInMs: nil, error: nil, choices: [.rename], needsHost: true, prepared: nil)))
    // … the screen shows the choice, the person taps it …
    try upload.answer(.rename)
    return fake.told.answers == [.rename]
}
